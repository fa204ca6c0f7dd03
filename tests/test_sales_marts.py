"""The marts of sales, products and receipts hold what plain loops over the facts add up to, whatever was sold."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, create_engine, insert, select

from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.marts.tables import facts
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
    products = [
        {"product_id": f"P{i}", "name": f"P{i}", "category": draw.choice(["skin", "scent", None])} for i in range(12)
    ]
    orders, lines, returns = [], [], []
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
            {**receipt, "line_no": n, "product_id": draw.choice(products)["product_id"]}
            | {"quantity": draw.randrange(1, 4), "net": _money(draw)}
            for n in range(1, draw.randrange(2, 6))
        ]
        sums = {"gross_sales": sum(line["net"] for line in own), "units": sum(line["quantity"] for line in own)}
        orders.append({**receipt, **sums, "ordered_at": at, "lines": len(own)})
        lines += own
    for number in range(300):
        sale = draw.choice(orders)
        at = sale["ordered_at"] + timedelta(hours=draw.randrange(80))
        own_day: Row = {"store_id": draw.choice(stores)["store_id"], "day": at.date()}
        back: Row = {
            "return_id": f"R{number}",
            "line_no": 1,
            **own_day,
            "returned_at": at,
            "product_id": draw.choice(products)["product_id"],
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
    return {"store": stores, "product": products, "sale_order": orders, "sale_line": lines, "return_line": returns}


def _money(draw: random.Random) -> Decimal:
    return Decimal(draw.randrange(1, 1_000_000)) / 10_000
