"""What may be run under a scope, and what is refused: every way past a limit that we could think of."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Engine,
    FromClause,
    MetaData,
    Select,
    String,
    Table,
    and_,
    column,
    exists,
    false,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    table,
    text,
    true,
    union_all,
)

from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.registry import MARTS
from data_access.marts.store_day import store_day
from data_access.marts.tables import (
    campaign_member,
    customer,
    facts,
    product,
    reconciliation,
    return_line,
    sale_order,
    store,
)
from data_access.queries import _bounds
from data_access.queries._bounds import OPEN, OutsideScope
from data_access.queries._frame import fetch, fetch_from, kept, values
from data_access.queries._places import place_of, summable_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from tests.tiny import CHAIN, NORTH, NOTHING, ONLY_A

Query = Callable[[], Any]
d, o = store_day.c, sale_order.c
SCOPES = (ONLY_A, NORTH, NOTHING)


def mine(query: Select[Any], column: Any, scope: Scope = ONLY_A) -> Select[Any]:
    return scope.limit(query, column)


LIMITED = mine(select(o.order_id, o.store_id, o.customer_no), o.store_id)
OTHER_PRODUCT = product.alias("other_product")
OTHER_DAY = store_day.alias("other_day")
FORGED = select(literal("A").label("store_id"), literal(1).label("customer_no")).subquery("scoped")

# Each reads, or could read, rows outside of ONLY_A.
REFUSED: dict[str, Query] = {
    "no limit at all": lambda: select(d.store_id),
    "a limit of another scope": lambda: mine(select(d.store_id), d.store_id, NORTH),
    "a limit to a store that was chosen": lambda: select(d.store_id).where(d.store_id == "B"),
    "everything but": lambda: select(d.store_id).where(d.store_id != "B"),
    "no store in a list": lambda: select(d.store_id).where(d.store_id.not_in(["B"])),
    "a limit that or takes back": lambda: select(d.store_id).where(or_(d.store_id.in_(["A"]), true())),
    "a limit that not takes back": lambda: select(d.store_id).where(~d.store_id.in_(["A"])),
    "the limit of an alias": lambda: mine(select(OTHER_DAY.c.store_id, d.net_sales), OTHER_DAY.c.store_id),
    "an alias without its limit": lambda: mine(
        select(OTHER_DAY.c.net_sales).join_from(store_day, OTHER_DAY, OTHER_DAY.c.day == d.day), d.store_id
    ),
    "a subquery without a limit": lambda: mine(
        select(d.day).join_from(store_day, s := select(o.day).subquery(), s.c.day == d.day), d.store_id
    ),
    "a CTE without a limit": lambda: select(select(d.net_sales).cte("limited_to_scope").c.net_sales),
    "a union with one part without a limit": lambda: union_all(
        mine(select(d.day), d.store_id), select(o.day)
    ),
    "a number from a scalar subquery": lambda: mine(
        select(d.day, select(func.sum(o.gross_sales)).scalar_subquery()), d.store_id
    ),
    "a number from the same table once more": lambda: mine(
        select(d.day, select(func.sum(d.net_sales)).scalar_subquery()), d.store_id
    ),
    "a number from the same table, told to stand alone": lambda: mine(
        select(d.day, select(func.sum(d.net_sales)).where(product.c.cost > 0).correlate(None).scalar_subquery()),
        d.store_id,
    ),
    "a number from the same table two levels down": lambda: mine(
        select(d.day, product.c.name).where(
            exists(select(OTHER_PRODUCT.c.name).where(exists(select(product.c.sku).where(d.net_sales > 100))))
        ),
        d.store_id,
    ),
    "a number from the same table in a join": lambda: mine(
        select(
            d.day,
            select(func.sum(d.net_sales)).select_from(store_day.join(product, true())).scalar_subquery(),
        ),
        d.store_id,
    ),
    "a yes or no from EXISTS": lambda: mine(
        select(d.day).where(exists(select(o.order_id).where(o.store_id == "B"))), d.store_id
    ),
    "a number in the order": lambda: mine(
        select(d.day).order_by(select(func.sum(o.gross_sales)).scalar_subquery()), d.store_id
    ),
    "a number in ON": lambda: mine(
        select(d.day).join_from(
            store_day, product, product.c.cost < select(func.sum(o.cost)).scalar_subquery(), isouter=True
        ),
        d.store_id,
    ),
    "the limit only in an outer ON": lambda: select(d.day, d.net_sales).join_from(
        store_day, product, d.store_id.in_(["A"]), isouter=True
    ),
    "the limit in a full ON": lambda: select(d.day, d.net_sales).join_from(
        product, store_day, d.store_id.in_(["A"]), full=True
    ),
    "the limit after adding up": lambda: select(func.sum(d.net_sales)).having(d.store_id.in_(["A"])),
    "the limit in FILTER": lambda: select(func.sum(d.net_sales).filter(d.store_id.in_(["A"])), func.count(d.day)),
    "a store in a column that is none": lambda: select(o.order_id).where(o.order_id.in_(["A"])),
    "other orders of the same customer": lambda: select(o.order_id).join_from(
        sale_order, seen := LIMITED.subquery(), seen.c.customer_no == o.customer_no
    ),
    "customers that nobody limited": lambda: select(customer.c.gender),
    "a customer who was made up": lambda: select(customer.c.gender).join_from(
        customer, FORGED, FORGED.c.customer_no == customer.c.customer_no
    ),
    "one customer by number": lambda: select(customer.c.gender).where(customer.c.customer_no == 4),
    "the store of a customer in scope": lambda: select(store.c.name).join_from(
        store, homes := mine(select(customer.c.home_store_id, o.customer_no).join_from(
            sale_order, customer, customer.c.customer_no == o.customer_no), o.store_id).subquery(),
        homes.c.home_store_id == store.c.store_id,
    ),
    "where something was brought back": lambda: mine(
        select(store.c.name).join_from(return_line, store, store.c.store_id == return_line.c.store_id),
        return_line.c.sale_store_id,
    ),
    "stores beside a left join": lambda: mine(
        select(store.c.name).join_from(store, sale_order, store.c.store_id == o.store_id, isouter=True), d.store_id
    ),
    "EXISTS of another store": lambda: select(customer.c.gender).where(
        exists(select(o.order_id).where(o.customer_no == customer.c.customer_no, o.store_id == "B"))
    ),
    "EXISTS of no customer": lambda: select(customer.c.gender).where(
        exists(select(o.order_id).where(o.store_id == "A"))
    ),
    "members of campaigns": lambda: select(campaign_member.c.arm),
    "what is the chain's": lambda: select(reconciliation.c.crm),
    "the place of the chain": lambda: select(customer_place.c.customer_no).where(
        customer_place.c.level == "chain", customer_place.c.place_id == "chain"
    ),
    "a region that is wider": lambda: select(customer_place.c.customer_no).where(
        customer_place.c.level == "region", customer_place.c.place_id == "north"
    ),
    "a region that is called like the store": lambda: select(customer_place.c.customer_no).where(
        customer_place.c.level == "region", customer_place.c.place_id == "A"
    ),
    "a place without its level": lambda: select(customer_place.c.customer_no).where(customer_place.c.place_id == "A"),
    "one place or another": lambda: select(customer_place.c.customer_no).where(
        or_(
            and_(customer_place.c.level == "store", customer_place.c.place_id == "A"),
            and_(customer_place.c.level == "store", customer_place.c.place_id == "B"),
        )
    ),
    "a store of a mart by place": lambda: select(customer_place.c.customer_no).where(
        customer_place.c.level == "region", customer_place.c.store_id == "A"
    ),
    "SQL as text": lambda: text("SELECT * FROM store"),
    "a column as text": lambda: mine(select(literal_column("(SELECT count(*) FROM sale_order)")), d.store_id),
    "a condition as text": lambda: mine(select(d.day), d.store_id).where(text("true) OR (true")),
    "an operator as text": lambda: mine(select(d.day), d.store_id).where(d.day.op("= d.day OR d.day =")(date.today())),
    "a prefix as text": lambda: mine(select(d.day).prefix_with("(SELECT 1),"), d.store_id),
    "a suffix as text": lambda: mine(select(d.day).suffix_with("UNION ALL SELECT day FROM sale_order"), d.store_id),
    "a table by its name": lambda: select(column("store_id")).select_from(table("sale_order", column("store_id"))),
    "a table of the same name": lambda: select(Table("product", MetaData(), Column("name", String)).c.name),
    "a file": lambda: select(func.read_csv("/etc/passwd").table_valued("a").c.a),
    "a query as text in a function": lambda: select(func.query("FROM sale_order").table_valued("a").c.a),
    "a row that is written": lambda: insert(store_day).values(store_id="A"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_way_past_the_limit_is_refused(name: str, tiny_snapshot: Snapshot) -> None:
    with pytest.raises(OutsideScope):
        fetch(ONLY_A, tiny_snapshot.engine, REFUSED[name]())


@pytest.mark.parametrize(
    ("name", "leaks"),
    [
        ("no limit at all", {"A", "B", "C"}),
        ("a limit of another scope", {"A", "B"}),
        ("a limit to a store that was chosen", {"B"}),
        ("everything but", {"A", "C"}),
        ("a limit that or takes back", {"A", "B", "C"}),
        ("a limit that not takes back", {"B", "C"}),
        ("a table by its name", {"A", "B", "C"}),
    ],
)
def test_without_the_check_it_works(
    name: str, leaks: set[str], tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_access.queries._frame.check", lambda *_: None)
    assert set(fetch(ONLY_A, tiny_snapshot.engine, REFUSED[name]()).iloc[:, 0]) == leaks


ALLOWED: dict[str, Callable[[Scope, Engine], Any]] = {
    "limited rows": lambda scope, _: scope.limit(select(d.store_id), d.store_id),
    "a part of the scope": lambda scope, _: select(d.store_id).where(d.store_id.in_(scope.store_ids[:1])),
    "a choice within the scope": lambda scope, _: scope.limit(
        select(d.store_id).where(d.store_id.in_(["A", "B", "C"])), d.store_id
    ),
    "limited in either way": lambda scope, _: select(return_line.c.refund).where(
        or_(return_line.c.store_id.in_(scope.store_ids), return_line.c.sale_store_id.in_(scope.store_ids))
    ),
    "the names of their stores": lambda scope, _: scope.limit(
        select(store.c.name).join_from(sale_order, store, store.c.store_id == o.store_id, isouter=True), o.store_id
    ),
    "their customers": lambda scope, _: select(customer.c.gender).where(
        customer.c.customer_no.in_(scope.limit(select(o.customer_no), o.store_id))
    ),
    "customers who bought or are at home here": lambda scope, _: select(customer.c.gender).where(
        customer.c.customer_no == 1,
        or_(
            customer.c.home_store_id.in_(scope.store_ids),
            exists(
                scope.limit(
                    select(customer_store_day.c.day).where(
                        customer_store_day.c.customer_no == customer.c.customer_no
                    ),
                    customer_store_day.c.store_id,
                )
            ),
        ),
    ),
    "sums of their places": lambda scope, engine: select(customer_place.c.customer_no).where(
        summable_rows(scope, engine, customer_place)
    ),
    "the range": lambda scope, _: select(product.c.name),
    "nothing": lambda scope, _: select(d.store_id).where(false()),
}  # fmt: skip


@pytest.mark.parametrize("name", ALLOWED)
@pytest.mark.parametrize("scope", SCOPES, ids=["one store", "region", "no stores"])
def test_what_is_limited_is_run(name: str, scope: Scope, tiny_snapshot: Snapshot) -> None:
    fetch(scope, tiny_snapshot.engine, ALLOWED[name](scope, tiny_snapshot.engine))


def test_the_same_statement_with_other_values_is_looked_at_again(tiny_snapshot: Snapshot) -> None:
    statement = lambda *stores: select(d.store_id).where(d.store_id.in_(stores))  # noqa: E731
    for _ in range(2):
        assert set(fetch(NORTH, tiny_snapshot.engine, statement("A"))["store_id"]) == {"A"}
        with pytest.raises(OutsideScope, match="reads 'store_day' beyond its scope"):
            fetch(NORTH, tiny_snapshot.engine, statement("A", "C"))


def test_a_temporary_table_is_read_under_the_scope_it_was_filled_for(tiny_snapshot: Snapshot) -> None:
    place = Table("mine", MetaData(), Column("store_id", String))
    with tiny_snapshot.engine.connect() as connection:
        with pytest.raises(OutsideScope), kept(ONLY_A, connection, select(d.store_id), place):
            pass
        with kept(ONLY_A, connection, ONLY_A.limit(select(d.store_id), d.store_id), place):
            assert set(fetch_from(ONLY_A, connection, select(place))["store_id"]) == {"A"}
            with pytest.raises(OutsideScope, match="no table of a snapshot"):
                fetch_from(NORTH, connection, select(place))
        with pytest.raises(OutsideScope):
            fetch_from(ONLY_A, connection, select(place))


def test_nobody_reads_facts_about_the_file_and_no_row_of_a_store(tiny_snapshot: Snapshot) -> None:
    assert values(NOTHING, tiny_snapshot.engine, select(func.count()).select_from(product)) == [3]
    with pytest.raises(OutsideScope):
        values(NOTHING, tiny_snapshot.engine, select(func.count()).select_from(store))


def test_the_chain_sees_everything(tiny_snapshot: Snapshot) -> None:
    assert set(fetch(CHAIN, tiny_snapshot.engine, select(d.store_id))["store_id"]) == {"A", "B", "C"}
    assert len(fetch(CHAIN, tiny_snapshot.engine, select(reconciliation.c.crm))) == 1


def test_open_tables_name_no_store_and_no_deed_of_a_customer() -> None:
    named = {t.name: [c.name for c in t.c if c.name.endswith("store_id")] for t in OPEN}
    assert {name: columns for name, columns in named.items() if columns} == {}
    assert {t.name for t in OPEN if "customer_no" in t.c} == {"customer_rank"}


@pytest.mark.parametrize("mart", [t.name for t in facts.sorted_tables if t not in OPEN])
def test_no_table_that_is_not_open_is_read_without_a_limit(mart: str, tiny_snapshot: Snapshot) -> None:
    with pytest.raises(OutsideScope):
        fetch(ONLY_A, tiny_snapshot.engine, select(facts.tables[mart]))


def test_what_stands_in_the_from_is_what_is_compiled(tiny_snapshot: Snapshot) -> None:
    statements: list[Select[Any]] = [mart.query() for mart in MARTS if isinstance(mart.query(), Select)]
    assert len(statements) > 10

    def parts(sources: Sequence[FromClause]) -> list[FromClause]:
        return [part for source in sources for part, _ in _bounds._parts(source)]

    for statement in statements:
        assert parts(_bounds._sources(statement)) == parts(statement.get_final_froms())


def test_places_of_the_scope_are_known_by_their_stores(tiny_snapshot: Snapshot) -> None:
    place = place_of(NORTH, tiny_snapshot.engine)
    assert place is not None
    rows = select(customer_place.c.customer_no).where(place.rows(customer_place))
    assert len(fetch(NORTH, tiny_snapshot.engine, rows)) > 0
    with pytest.raises(OutsideScope):
        fetch(ONLY_A, tiny_snapshot.engine, rows)
