"""PostgreSQL itself keeps look-ups within their scope, whatever a statement asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, insert, make_url, text

from data_access import row_security
from data_access.__main__ import app
from data_access.contact import masked
from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.live import live_engine, looking
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.refresh import refresh
from data_access.schema import crm
from data_access.scope import Scope
from data_access.settings import settings as program_settings
from data_access.snapshot import current_snapshot
from data_access.vault import contact
from tests import tiny_crm
from tests.databases import _database

pytestmark = pytest.mark.database

ROLE = "mirror_live"
STORES = ("S1", "S2", "S3", "S4")
# Customer -> home store and the stores of the receipts; C8 only brought something back to S2, C9 is nowhere.
PEOPLE: dict[str, tuple[str | None, tuple[str, ...]]] = {
    "C1": ("S1", ("S1", "S1", "S3")),
    "C2": ("S2", ("S1",)),
    "C3": ("S3", ()),
    "C4": (None, ("S4", "S2")),
    "C5": ("S4", ("S4",)),
    "C6": (None, ("S1", "S2", "S3", "S4")),
    "C8": (None, ()),
    "C9": (None, ()),
}
AT = datetime(2026, 1, 2)


@dataclass(frozen=True)
class Guarded:
    """A CRM with row security: as its owner, and as the role of the look-ups."""

    owner: Engine
    live: Engine


def rows() -> dict[str, list[dict[str, object]]]:
    orders = [
        {"order_id": f"{person}-{n}", "customer_id": person, "store_id": store, "channel": "store", "kind": "sale"}
        | {"ordered_at": AT, "currency": "CNY"}
        for person, (_, bought) in PEOPLE.items()
        for n, store in enumerate(bought)
    ]
    return {
        "store": [{"store_id": s, "name": s, "kind": "shop", "time_zone": "UTC", "currency": "CNY"} for s in STORES],
        "product": [{"product_id": "P1", "name": "Cream"}],
        "customer": [
            {"customer_id": person, "name": f"name of {person}", "home_store_id": home}
            for person, (home, _) in PEOPLE.items()
        ],
        "sale_order": orders,
        "sale_line": [
            {"order_id": order["order_id"], "line_no": 1, "product_id": "P1", "quantity": 1, "net": 1}
            for order in orders
        ],
        "return_line": [
            {"return_id": "R1", "line_no": 1, "store_id": "S2", "customer_id": "C8", "product_id": "P1", "refund": 1}
            | {"returned_at": AT, "quantity": 1}
        ],
        "consent": [{"customer_id": p, "purpose": "service", "channel": "sms", "granted_at": AT} for p in PEOPLE],
        "points_entry": [
            {"entry_id": p, "customer_id": p, "booked_at": AT, "points": 1, "kind": "earn"} for p in PEOPLE
        ],
        "ticket": [
            {"ticket_id": f"{p}-{s}", "customer_id": p, "store_id": s, "opened_at": AT}
            for p in PEOPLE
            for s in (None, *STORES)
        ],
        "staff": [{"staff_id": f"E{s}", "home_store_id": s, "name": f"works in {s}"} for s in STORES],
    }


def guarded(url: str) -> Guarded:
    owner = crm_engine(url)
    prepare(owner)
    with owner.begin() as connection:
        for table, values in rows().items():
            connection.execute(insert(crm.tables[table]), values)
    assert row_security.apply(owner, ROLE) == len(row_security.conditions())
    live = make_url(url).set(username=ROLE).render_as_string(hide_password=False)
    return Guarded(owner, live_engine(live))


@pytest.fixture(scope="module")
def crm_of_four(postgresql_server: str) -> Iterator[Guarded]:
    with _database(postgresql_server, drop="DROP DATABASE {} WITH (FORCE)") as url:
        found = guarded(url)
        yield found
        found.owner.dispose()
        found.live.dispose()


def sees(person: str, stores: frozenset[str]) -> bool:
    home, bought = PEOPLE[person]
    return bool(stores & {home, *bought}) or (person == "C8" and "S2" in stores)


def expected(table: str, stores: frozenset[str]) -> list[str]:
    """The keys of the rows of a table that belong to some stores, by a loop over all rows."""
    orders = {row["order_id"]: row["store_id"] for row in rows()["sale_order"]}

    def mine(row: dict[str, object]) -> bool:
        match table:
            case "customer" | "consent" | "points_entry":
                return sees(str(row["customer_id"]), stores)
            case "sale_line":
                return orders[row["order_id"]] in stores
            case "ticket" if row["store_id"] is None:
                return sees(str(row["customer_id"]), stores)
            case "staff":
                return row["home_store_id"] in stores
        return row["store_id"] in stores

    return sorted(str(next(iter(row.values()))) for row in rows()[table] if mine(row))


TABLES = ("store", "customer", "sale_order", "sale_line", "return_line", "consent", "points_entry", "ticket", "staff")
# Ways to ask for everything: {t} the table, {k} its key.
EVERYTHING = (
    "SELECT {k} FROM {t}",
    "SELECT {k} FROM {t} WHERE TRUE OR {k} = 'x'",
    "SELECT DISTINCT a.{k} FROM {t} a CROSS JOIN store s CROSS JOIN customer c",
    "WITH all_rows AS (SELECT * FROM {t}) SELECT {k} FROM all_rows",
    "SELECT {k} FROM {t} UNION SELECT {k} FROM {t}",
    "SELECT {k} FROM (SELECT {k}, count(*) OVER () FROM {t}) AS counted",
    "SELECT {k} FROM {t} a WHERE EXISTS (SELECT FROM product) OR a.{k} IN (SELECT {k} FROM {t})",
    "SELECT {k} FROM ONLY {t} FOR READ ONLY",
)


def key_of(table: str) -> str:
    return crm.tables[table].c.keys()[0]


def asked(connection: Connection, way: str, table: str) -> list[str]:
    statement = text(way.format(t=table, k=key_of(table)))
    return sorted(connection.scalars(statement).all())


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stores=st.frozensets(st.sampled_from([*STORES, "S9", "S1' OR 'a'='a", "{S1,S2}", ""]), max_size=5),
    table=st.sampled_from(TABLES),
    way=st.sampled_from(EVERYTHING),
)
def test_a_statement_without_any_scope_sees_the_rows_of_the_scope_and_no_others(
    crm_of_four: Guarded, stores: frozenset[str], table: str, way: str
) -> None:
    with looking(Scope("stores", tuple(stores)), crm_of_four.live) as connection:
        found = asked(connection, way, table)
    wanted = expected(table, stores)
    assert sorted(set(found)) == sorted(set(wanted))


def test_the_next_transaction_on_the_same_connection_sees_nothing(crm_of_four: Guarded) -> None:
    live = crm_of_four.live
    with live.connect() as first:
        backend = first.scalar(text("SELECT pg_backend_pid()"))
    with looking(Scope("chain"), live) as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == backend
        assert len(asked(connection, EVERYTHING[0], "customer")) == len(PEOPLE)
    with live.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) == backend
        assert [asked(connection, EVERYTHING[0], table) for table in TABLES] == [[]] * len(TABLES)


def test_with_a_setting_that_stays_the_next_one_would_see_it(crm_of_four: Guarded) -> None:
    """The twin: what the transaction's own setting guards against."""
    with crm_of_four.live.connect() as connection:
        connection.execute(text("SELECT set_config('app.stores', '{S1}', false)"))
        connection.commit()
        assert asked(connection, EVERYTHING[0], "store") == ["S1"]
        connection.invalidate()


def test_a_look_up_writes_nothing(crm_of_four: Guarded) -> None:
    with pytest.raises(Problem, match="does not answer"), looking(Scope("chain"), crm_of_four.live) as connection:
        connection.execute(text("UPDATE customer SET name = 'x'"))
    with pytest.raises(Problem, match="does not answer"), looking(Scope("chain"), crm_of_four.owner) as connection:
        connection.execute(text("UPDATE customer SET name = 'x'"))


def test_everybody_else_works_as_before(crm_of_four: Guarded) -> None:
    """The refresh and imports: a role that is neither a superuser nor the one of the look-ups."""
    with crm_of_four.owner.begin() as connection:
        connection.execute(text("CREATE ROLE somebody; GRANT SELECT, UPDATE ON customer TO somebody"))
        connection.execute(text("SET LOCAL ROLE somebody"))
        assert len(asked(connection, EVERYTHING[0], "customer")) == len(PEOPLE)
        assert connection.execute(text("UPDATE customer SET city = 'x'")).rowcount == len(PEOPLE)
        connection.rollback()


def test_a_role_for_which_the_policies_hold_is_taken(crm_of_four: Guarded) -> None:
    with crm_of_four.live.connect() as connection:
        row_security.check(connection)


def test_a_superuser_is_refused(crm_of_four: Guarded) -> None:
    with crm_of_four.owner.connect() as connection, pytest.raises(Problem, match=r"superuser .*mirror.*row-security"):
        row_security.check(connection)


FLAWS = {
    "passes by row security": f"ALTER ROLE {ROLE} BYPASSRLS",
    "owns a table": f"ALTER TABLE product OWNER TO {ROLE}",
    "may write one": f"GRANT UPDATE ON customer TO {ROLE}",
    "belongs to another role": f"CREATE ROLE others; GRANT others TO {ROLE}",
    "may read more": f"CREATE VIEW everybody AS SELECT * FROM customer; GRANT SELECT ON everybody TO {ROLE}",
    "not guarded .customer": "ALTER TABLE customer NO FORCE ROW LEVEL SECURITY",
    "not guarded .ticket": "DROP POLICY mirror_scope ON ticket",
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_a_flaw_in_the_guard_is_found(crm_of_four: Guarded, flaw: str) -> None:
    with crm_of_four.owner.connect() as connection:
        for statement in FLAWS[flaw].split("; "):
            connection.execute(text(statement))
        connection.execute(text(f"SET LOCAL ROLE {ROLE}"))
        with pytest.raises(Problem, match=flaw):
            row_security.check(connection)
        connection.rollback()


def test_applied_again_it_stays_the_same(crm_of_four: Guarded) -> None:
    assert row_security.apply(crm_of_four.owner, ROLE) == len(row_security.conditions())
    with looking(Scope("stores", ("S1",)), crm_of_four.live) as connection:
        assert asked(connection, EVERYTHING[0], "store") == ["S1"]


def test_a_crm_with_a_view_in_the_place_of_a_table_is_refused(postgresql_url: str) -> None:
    engine = crm_engine(postgresql_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE VIEW customer AS SELECT 'C1' AS customer_id"))
    with pytest.raises(Problem, match=r"cannot guard views \(customer\)"):
        row_security.apply(engine, ROLE)
    engine.dispose()


def test_without_policies_of_ours_there_is_nothing_to_check(postgresql_url: str) -> None:
    engine = crm_engine(postgresql_url)
    prepare(engine)
    with engine.connect() as connection:
        row_security.check(connection)
    engine.dispose()


def test_every_table_with_a_store_or_a_customer_is_guarded() -> None:
    names = {"customer_id", "store_id", "home_store_id", "order_id", "staff_id"}
    ours = {table.name for table in crm.sorted_tables if names & set(table.c.keys())}
    assert ours <= row_security.conditions().keys()


def test_the_command_prints_what_it_would_run_and_runs_it(
    postgresql_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = crm_engine(postgresql_url)
    prepare(engine)
    command = ["row-security", "--role", ROLE, "--crm-url", postgresql_url]
    app(command, standalone_mode=False)
    assert f"CREATE POLICY mirror_scope ON customer FOR SELECT TO {ROLE}" in capsys.readouterr().out
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pg_policies")) == 0
    app([*command, "--apply"], standalone_mode=False)
    assert f"{len(row_security.conditions())} tables are guarded" in capsys.readouterr().out
    engine.dispose()


def test_a_role_is_named_plainly_and_the_crm_is_on_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    engine = crm_engine(postgresql_url)
    with pytest.raises(Problem, match="no name for a role"):
        row_security.apply(engine, "x; DROP TABLE customer")
    with pytest.raises(Problem, match="needs a CRM on PostgreSQL"):
        row_security.apply(crm_engine(f"sqlite:///{tmp_path}/crm.sqlite"), ROLE)
    engine.dispose()


def test_contact_data_of_the_scopes_customers_only(crm_of_four: Guarded) -> None:
    for store, name in (("S1", "name of C1"), ("S3", "name of C1"), ("S4", None)):
        with looking(Scope("stores", (store,)), crm_of_four.live) as connection:
            assert contact(connection, "C1", ["name"]) == {"name": name}, store


def test_contacts_are_masked_through_the_role_and_the_refresh_reads_on(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole way: a CRM on PostgreSQL, its snapshot, its policies, the role, one customer."""
    owner = crm_engine(postgresql_url)
    tiny_crm.fill(owner)
    row_security.apply(owner, ROLE)
    refresh(owner, tmp_path)
    role = make_url(postgresql_url).set(username=ROLE).render_as_string(hide_password=False)
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    monkeypatch.setenv("MIRROR_CRM_LIVE_URL", role)
    program_settings.cache_clear()
    snapshot, key = current_snapshot(tmp_path), customer_key(customer_number(secret_key(tmp_path), "C1"))
    found = masked(Scope("stores", ("S1",)), snapshot, "manager", key)
    assert found is not None
    assert (found.name, found.phone) == ("李*", "138****0001")
    # The owner's own URL, a superuser's, is refused in its place.
    monkeypatch.setenv("MIRROR_CRM_LIVE_URL", postgresql_url)
    program_settings.cache_clear()
    with pytest.raises(Problem, match="superuser"):
        masked(Scope("stores", ("S1",)), snapshot, "manager", key)
    program_settings.cache_clear()
    owner.dispose()
