"""The marts of sales, products and receipts hold what plain loops over the facts add up to, whatever was sold."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, Table, create_engine, insert, literal, select

from data_access.marts import _bridge
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.marts.tables import MONEY_UNIT, facts
from data_access.queries import orders, products, sales
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot

Row = dict[str, Any]
Facts = dict[str, list[Row]]
FACTS = ("store", "product", "sale_order", "sale_line", "return_line")


def read(engine: Engine, table: Table) -> list[Row]:
    with engine.connect() as connection:
        return [row._asdict() for row in connection.execute(select(table))]


def counted(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["exclusion"] is None]


def as_rows(sums: dict[tuple[Any, ...], Row], *key: str) -> list[Row]:
    return [{**dict(zip(key, place, strict=True)), **figures} for place, figures in sums.items()]


def store_hours(data: Facts) -> list[Row]:
    sums: dict[Any, Row] = defaultdict(lambda: {"gross_sales": 0, "returns": 0, "net_sales": 0, "orders": 0})
    for o in counted(data["sale_order"]):
        hour = sums[o["store_id"], o["day"], o["ordered_at"].hour]
        hour["gross_sales"] += o["gross_sales"]
        hour["net_sales"] += o["gross_sales"]
        hour["orders"] += 1
    for r in counted(data["return_line"]):
        hour = sums[r["store_id"], r["day"], r["returned_at"].hour]
        hour["returns"] += r["refund"]
        hour["net_sales"] -= r["refund"]
    return as_rows(sums, "store_id", "day", "hour")


def store_category_days(data: Facts) -> list[Row]:
    category = {p["product_id"]: p["category"] for p in data["product"]}
    channel = {o["order_id"]: o["channel"] for o in data["sale_order"]}
    zero = {"units": 0, "gross_sales": 0, "returns": 0, "net_sales": 0, "lines": 0}
    sums: dict[Any, Row] = defaultdict(lambda: dict(zero))
    for line in counted(data["sale_line"]):
        day = sums[line["store_id"], line["day"], category[line["product_id"]], channel[line["order_id"]]]
        day["units"] += line["quantity"]
        day["gross_sales"] += line["net"]
        day["net_sales"] += line["net"]
        day["lines"] += 1
    for r in counted(data["return_line"]):
        day = sums[r["store_id"], r["day"], category[r["product_id"]], channel.get(r["order_id"])]
        day["returns"] += r["refund"]
        day["net_sales"] -= r["refund"]
    return as_rows(sums, "store_id", "day", "category", "channel")


def order_places(data: Facts) -> list[Row]:
    return [
        {"order_hash": text_hash(o["order_id"]), "store_id": o["store_id"], "day": o["day"]} for o in data["sale_order"]
    ]


def text_hash(text: str) -> int:
    return int(md5(text.encode()).hexdigest()[:7], 16)


def product_orders(data: Facts) -> list[Row]:
    orders = {o["order_id"]: o for o in data["sale_order"]}
    sums: dict[Any, Row] = defaultdict(lambda: {"units": 0, "gross_sales": 0})
    for line in counted(data["sale_line"]):
        held = sums[line["product_id"], line["order_id"]]
        held["units"] += line["quantity"]
        held["gross_sales"] += line["net"]
    return [
        {**orders[row["order_id"]], **row, "product_hash": text_hash(row["product_id"])}
        for row in as_rows(sums, "product_id", "order_id")
    ]


def product_returns(data: Facts) -> list[Row]:
    return [
        {**r, "product_hash": text_hash(r["product_id"]), "units": r["quantity"]} for r in counted(data["return_line"])
    ]


def product_days(data: Facts, place: Callable[[str], tuple[str, ...]]) -> dict[Any, Row]:
    zero = dict.fromkeys(
        ("units", "gross_sales", "returns", "net_sales", "returns_of_sales", "returned_units", "orders"), 0
    )
    sums: dict[Any, Row] = defaultdict(lambda: dict(zero))
    receipts = set()
    for line in counted(data["sale_line"]):
        day = sums[(*place(line["store_id"]), line["product_id"], line["day"])]
        day["units"] += line["quantity"]
        day["gross_sales"] += line["net"]
        day["net_sales"] += line["net"]
        day["orders"] += (line["product_id"], line["order_id"]) not in receipts
        receipts.add((line["product_id"], line["order_id"]))
    orders = {o["order_id"]: o for o in data["sale_order"]}
    for r in counted(data["return_line"]):
        day = sums[(*place(r["store_id"]), r["product_id"], r["day"])]
        day["returns"] += r["refund"]
        day["net_sales"] -= r["refund"]
        day["returned_units"] += r["quantity"]
        sale = r if r["order_id"] is None else orders.get(r["order_id"])
        if sale:
            sums[(*place(sale["store_id"]), r["product_id"], sale["day"])]["returns_of_sales"] += r["refund"]
    return sums


def product_store_days(data: Facts) -> list[Row]:
    return as_rows(product_days(data, lambda store_id: (store_id,)), "store_id", "product_id", "day")


def product_place_days(data: Facts) -> list[Row]:
    region = {s["store_id"]: s["region_id"] for s in data["store"]}
    chain = product_days(data, lambda _: ("chain", "chain"))
    regions = product_days(data, lambda store_id: ("region", region[store_id]))
    return as_rows({**chain, **regions}, "level", "place_id", "product_id", "day")


LOOPS: dict[str, Callable[[Facts], list[Row]]] = {
    "store_hour": store_hours,
    "store_category_day": store_category_days,
    "order_place": order_places,
    "product_order": product_orders,
    "product_return": product_returns,
    "product_store_day": product_store_days,
    "product_place_day": product_place_days,
}


@pytest.mark.parametrize("name", LOOPS)
def test_a_mart_of_the_tiny_chain_equals_a_loop(name: str, tiny_snapshot: Snapshot) -> None:
    assert_equal_to_the_loop(name, tiny_snapshot.engine)


@pytest.mark.parametrize("name", LOOPS)
def test_a_mart_of_random_sales_equals_a_loop(name: str, random_sales: Engine) -> None:
    assert_equal_to_the_loop(name, random_sales)


def assert_equal_to_the_loop(name: str, engine: Engine) -> None:
    table = facts.tables[name]
    expected = LOOPS[name]({fact: read(engine, facts.tables[fact]) for fact in FACTS})
    found = read(engine, table)
    assert len(found) > 0
    assert in_order(table, found) == in_order(table, expected)


def in_order(table: Table, rows: list[Row]) -> list[tuple[str, ...]]:
    """Each value as text: whole numbers and exact decimals of the same value alike."""
    return sorted(tuple(str(plain(row[c.name])) for c in table.columns) for row in rows)


def plain(value: Any) -> Any:
    return Decimal(value).normalize() + 0 if isinstance(value, Decimal | int) else value


@pytest.fixture(scope="module")
def random_sales(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Two thousand lines on few days: products twice on a receipt, no category, no channel, no customer, excluded
    receipts; returns in other stores, on other days, of other products, linked to nothing or to a receipt that does
    not exist."""
    path: Path = tmp_path_factory.mktemp("sales") / "facts.duckdb"
    engine = create_engine(f"duckdb:///{path}")
    facts.create_all(engine)
    with engine.begin() as connection:
        for name, rows in _random_facts(random.Random(5)).items():
            table = facts.tables[name]
            connection.execute(insert(table), [{c.name: row.get(c.name) for c in table.columns} for row in rows])
        for mart in MARTS:
            if mart.name in (*LOOPS, "store_day", "place_store"):
                connection.exec_driver_sql(f"INSERT INTO {mart.name} BY NAME {sql(mart.query(), 'main')}")
    yield engine
    engine.dispose()


def _random_facts(draw: random.Random) -> Facts:
    stores = [
        {"store_id": f"S{i}", "name": f"S{i}", "region_id": f"R{i % 2}", "region_name": "", "kind": "shop"}
        for i in range(5)
    ]
    range_of_products = [
        {"product_id": f"P{i}", "name": f"P{i}", "category": draw.choice(["skin", "scent", None])} for i in range(12)
    ]
    receipts: list[Row] = []
    lines: list[Row] = []
    returns: list[Row] = []
    for number in range(800):
        at = datetime(2026, 3, 1) + timedelta(days=draw.randrange(6), seconds=draw.randrange(86_400))
        receipt: Row = {
            "order_id": f"O{number}",
            "store_id": draw.choice(stores)["store_id"],
            "customer_no": draw.choice([None, *range(40)]),
            "channel": draw.choice(["store", "tmall", None]),
            "day": at.date(),
            "exclusion": draw.choice([None, None, None, "test"]),
        }
        own = [
            {**receipt, "line_no": n, "product_id": draw.choice(range_of_products)["product_id"]}
            | {"quantity": draw.randrange(1, 4), "net": _money(draw)}
            for n in range(1, draw.randrange(2, 6))
        ]
        totals = {"gross_sales": sum(line["net"] for line in own), "units": sum(line["quantity"] for line in own)}
        receipts.append({**receipt, **totals, "ordered_at": at, "lines": len(own)})
        lines += own
    for number in range(300):
        sale = draw.choice(receipts)
        at = sale["ordered_at"] + timedelta(hours=draw.randrange(80))
        own_day: Row = {"store_id": draw.choice(stores)["store_id"], "day": at.date()}
        back: Row = {
            "return_id": f"R{number}",
            "line_no": 1,
            **own_day,
            "returned_at": at,
            "product_id": draw.choice(range_of_products)["product_id"],
            "quantity": 1,
            "refund": _money(draw),
        }
        link = draw.choice(["linked", "linked", "to nothing", "to no receipt"])
        if link == "linked":
            back |= {"order_id": sale["order_id"], "exclusion": sale["exclusion"], "sale_channel": sale["channel"]}
            back |= {"sale_store_id": sale["store_id"], "sale_day": sale["day"]}
        elif link == "to nothing":
            back |= {"sale_store_id": own_day["store_id"], "sale_day": own_day["day"]}
        else:
            back |= {"order_id": "gone"}
        returns.append(back)
    return {
        "store": stores,
        "product": range_of_products,
        "sale_order": receipts,
        "sale_line": lines,
        "return_line": returns,
    }


def _money(draw: random.Random) -> Decimal:
    return Decimal(draw.randrange(1, 1_000_000)) / 10_000


DAYS = Period(date(2026, 3, 2), date(2026, 3, 4))
BEFORE = Period(date(2026, 2, 27), date(2026, 3, 1))
# The first is the region R0, the second a store, the third neither.
SCOPES = [Scope("chain"), Scope("stores", ("S0", "S2", "S4")), Scope("stores", ("S1",)), Scope("stores", ("S1", "S2"))]


@pytest.fixture(params=SCOPES, ids=["chain", "region", "store", "two stores"])
def scope(request: pytest.FixtureRequest) -> Scope:
    chosen: Scope = request.param
    return chosen


@pytest.fixture(scope="module")
def data(random_sales: Engine) -> Facts:
    return {fact: read(random_sales, facts.tables[fact]) for fact in FACTS}


def sums(rows: Iterable[tuple[Any, Any]]) -> dict[Any, float]:
    """(key, amount) pairs added up by key."""
    found: dict[Any, float] = defaultdict(float)
    for place, value in rows:
        found[place] += float(value)
    return {place: pytest.approx(value) for place, value in found.items()}


def product_events(data: Facts, scope: Scope, period: Period) -> list[tuple[Row, Decimal]]:
    """Counted lines and returned lines of the period, with what they add to net sales."""
    sold = [(line, line["net"]) for line in counted(data["sale_line"])]
    back = [(r, -r["refund"]) for r in counted(data["return_line"])]
    return [
        (row, net)
        for row, net in sold + back
        if scope.allows(row["store_id"]) and period.first <= row["day"] <= period.last
    ]


def test_product_sales_are_the_same_from_the_rows_of_any_place(scope: Scope, random_sales: Engine, data: Facts) -> None:
    found = products.movers(scope, random_sales, DAYS, BEFORE, most=1_000).set_index("product_id")
    for column, period in (("net_sales", DAYS), ("compared_with", BEFORE)):
        events = product_events(data, scope, period)
        assert found[column].to_dict() == sums(
            [(product_id, 0) for product_id in found.index] + [(row["product_id"], net) for row, net in events]
        )
    change = found["net_sales"].sum() - found["compared_with"].sum()
    assert found["change_of_all"].to_numpy() == pytest.approx(change)
    few = products.movers(scope, random_sales, DAYS, BEFORE, most=2)
    best = found.sort_values("net_sales").index[-2:]
    lost = (found["net_sales"] - found["compared_with"]).sort_values()[:2]
    assert set(few["product_id"]) == {*best, *lost[lost < 0].index}


def test_the_days_and_stores_of_a_product(scope: Scope, random_sales: Engine, data: Facts) -> None:
    events = [(row, net) for row, net in product_events(data, scope, DAYS) if row["product_id"] == "P3"]
    days = products.product_days(scope, random_sales, [DAYS], "P3").set_index("day") / MONEY_UNIT
    assert days["net_sales"].to_dict() == sums((pd.Timestamp(row["day"]), net) for row, net in events)
    stores = products.product_stores(scope, random_sales, DAYS, None, "P3").set_index("store_id")
    by_store = sums((row["store_id"], net) for row, net in events)
    assert {s: v for s, v in (stores["net_sales"] / MONEY_UNIT).to_dict().items() if s in by_store} == by_store
    assert stores["net_sales"].sum() / MONEY_UNIT == pytest.approx(days["net_sales"].sum())
    assert stores["previous"].isna().all()


def test_the_buyers_and_latest_orders_of_a_product(scope: Scope, random_sales: Engine, data: Facts) -> None:
    orders_by_id = {o["order_id"]: o for o in data["sale_order"]}
    held = [row for row, _ in product_events(data, scope, DAYS) if row["product_id"] == "P3" and "net" in row]
    buyers = {row["customer_no"] for row in held if row["customer_no"] is not None}
    assert products.product_buyers(scope, random_sales, [DAYS], "P3")["buyers"].tolist() == [len(buyers)]
    newest = sorted({(orders_by_id[row["order_id"]]["ordered_at"], row["order_id"]) for row in held}, reverse=True)
    for limit in (5, 5_000):
        found = orders.orders_with_product(scope, random_sales, DAYS, "P3", limit)
        assert found["order_id"].tolist() == [order_id for _, order_id in newest[:limit]]
        assert not found["units"].isna().any()


@pytest.mark.parametrize("limit", [3, 50, 5_000])
def test_the_latest_orders_are_found_from_the_end(scope: Scope, limit: int, random_sales: Engine, data: Facts) -> None:
    counted_orders = [
        o for o in counted(data["sale_order"]) if scope.allows(o["store_id"]) and DAYS.first <= o["day"] <= DAYS.last
    ]
    newest = sorted(counted_orders, key=lambda o: (o["ordered_at"], o["order_id"]), reverse=True)[:limit]
    refunds = sums((r["order_id"], r["refund"]) for r in counted(data["return_line"]))
    found = orders.recent_orders(scope, random_sales, DAYS, limit)
    assert found["order_id"].tolist() == [o["order_id"] for o in newest]
    remaining = found.set_index("order_id")[["gross_sales", "net_sales"]]
    assert (remaining["gross_sales"] - remaining["net_sales"]).to_dict() == {
        o["order_id"]: refunds.get(o["order_id"], pytest.approx(0)) for o in newest
    }


def test_hours_and_categories_add_up_to_the_same_sales(scope: Scope, random_sales: Engine, data: Facts) -> None:
    total = pytest.approx(float(sum(net for _, net in product_events(data, scope, DAYS))))
    assert sales.by_hour(scope, random_sales, DAYS)["net_sales"].sum() == total
    assert sales.by_category(scope, random_sales, DAYS)["net_sales"].sum() == total
    assert sales.days(scope, random_sales, [DAYS])["net_sales"].sum() / MONEY_UNIT == total
    assert sales.stores(scope, random_sales, DAYS, None, None)["net_sales"].sum() / MONEY_UNIT == total


def test_what_came_back_of_each_receipt(random_sales: Engine, data: Facts) -> None:
    everything = Scope("chain")
    for order in data["sale_order"][::40]:
        order_id = order["order_id"]
        returns = orders.order_returns(everything, random_sales, order_id)
        expected = [r["return_id"] for r in data["return_line"] if r["order_id"] == order_id]
        assert sorted(returns["return_id"]) == sorted(expected)
        lines = orders.order_lines(everything, random_sales, order_id)
        assert lines["net"].sum() == pytest.approx(float(order["gross_sales"]))
        header = orders.order_header(everything, random_sales, order_id)
        assert header["ordered_at"].tolist() == [pd.Timestamp(order["ordered_at"])]
    assert orders.order_returns(everything, random_sales, "gone").empty


def test_ids_that_share_a_number_are_told_apart(random_sales: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    every_day = [date(2026, 3, 1) + timedelta(days=n) for n in range(6)]
    found = orders.order_header(Scope("chain"), random_sales, "O7")
    monkeypatch.setattr(orders, "_on_its_day", lambda _scope, day, *_: day.in_(every_day))
    pd.testing.assert_frame_equal(orders.order_header(Scope("chain"), random_sales, "O7"), found)


@pytest.mark.parametrize("text", ["P1", "", "面霜", "a long id with spaces"])
def test_the_number_of_a_text_is_the_same_here_and_in_the_database(text: str, random_sales: Engine) -> None:
    with random_sales.connect() as connection:
        assert connection.execute(select(_bridge.text_hash(literal(text)))).scalar() == _bridge.text_hash_of(text)


def test_days_of_several_periods_are_those_of_each(random_sales: Engine) -> None:
    def day(number: int) -> Period:
        return Period(date(2026, 3, number), date(2026, 3, number))

    def days(*periods: Period) -> list[int]:
        return [at.day for at in sales.days(Scope("chain"), random_sales, periods)["day"]]

    assert days(day(4), day(3)) == [3, 4]
    assert days(day(5), day(1), Period(date(2026, 3, 2), date(2026, 3, 2))) == [1, 2, 5]
    assert days(Period(date(2026, 3, 2), date(2026, 3, 4)), day(3)) == [2, 3, 4]
