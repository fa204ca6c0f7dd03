"""The tiny chain twice over as one of six stores, and the same with everything changed that lies outside a scope.

Whoever may see only the scope must get the same answers from both. ``tests.test_scope_cases`` asks.
"""

import zlib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Engine,
    Integer,
    Numeric,
    Table,
    create_engine,
    insert,
)

from data_access.marts import tables
from data_access.marts._sql import sql
from data_access.marts.registry import MARTS
from data_access.queries._bounds import OPEN
from data_access.results.tables import results
from data_access.scope import Scope
from tests import tiny

Rows = dict[str, list[dict[str, Any]]]

TWINS = {"A": "D", "B": "E", "C": "F"}
STORES = (*TWINS, *TWINS.values())
REGIONS = {"north": "east", "south": "west"}
OTHER_CUSTOMER = 100  # what the number of a customer of the second three stores is higher by
CHANGED_CUSTOMER = 1_000
# What rows of trade and stock have besides the ids of stores and customers.
OF_STORES = (
    *("sale_order", "sale_line", "return_line", "store_traffic", "stock_level", "purchase_line"),
    *("stock_movement", "stock_lot", "transfer_lane"),
    *("ticket", "appointment", "staff", "shift", "survey_answer", "sales_target"),
    *("training_record", "recognition"),
)
OF_PERSONS = (
    "campaign_member",
    "campaign_event",
    "consent",
    "follow_up",
    "points_entry",
    "tier_change",
    "customer_tag",
    "shared_contact",
)


def rows() -> Rows:
    """Six stores. Customers with an odd number shop in both halves; each half has the trade of the tiny chain, the
    second five days earlier."""
    first = tiny._rows()
    second = {name: [_twin(name, row) for row in first[name]] for name in ("store", *OF_STORES)}
    persons = {
        name: [_twin(name, row) for row in first[name] if row["customer_no"] % 2 == 0]
        for name in ("customer", *OF_PERSONS)
    }
    both = {name: [*content, *second.get(name, []), *persons.get(name, [])] for name, content in first.items()}
    return both | {"customer_rank": _ranks(both)}


def changed(content: Rows, scope: Scope, *, spare_customers: bool = False) -> Rows:
    """``content`` with other figures, days, customers, names and attributes wherever no store of ``scope`` is named,
    but for those of customers who are at home in one or were ever seen there.

    ``spare_customers``: what these customers did elsewhere stays, too.
    """
    inside = [row for name in OF_STORES for row in content[name] if _names(row, scope)]
    known = {row.get("customer_no") for row in inside}
    known |= {row["customer_no"] for row in content["customer"] if _names(row, scope)}
    regions = {row["region_id"] for row in content["store"] if _names(row, scope)}
    other: Rows = {}
    for name, old in content.items():
        if name == "store":
            other[name] = [row if _names(row, scope) else _renamed(row, regions) for row in old]
        elif name in OF_STORES:
            spared = known - {None} if spare_customers else set()
            stays = [_names(row, scope) or row.get("customer_no") in spared for row in old]
            other[name] = [row if same else _other_trade(name, row) for row, same in zip(old, stays, strict=True)]
        elif name in ("customer", *OF_PERSONS):
            other[name] = [row if row["customer_no"] in known else _other_person(name, row) for row in old]
        else:
            other[name] = old
    return other | {"customer_rank": _ranks(other)}


def build(path: Path, content: Rows) -> Engine:
    """A facts file with the marts built from ``content``, opened read-only."""
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for name, records in content.items():
            table = tables.facts.tables[name]
            connection.execute(insert(table), [{c.name: row.get(c.name) for c in table.columns} for row in records])
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)
            connection.exec_driver_sql(f"INSERT INTO {mart.name} BY NAME {sql(mart.query(), 'main')}")
        for table in results.tables.values():
            table.create(connection)
            connection.execute(insert(table), _results(table, content))
    engine.dispose()
    return create_engine(
        f"duckdb:///{path}",
        connect_args={"read_only": True, "config": {"threads": "1"}},
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
        pool_reset_on_return=None,
    )


def _results(table: Table, content: Rows) -> list[dict[str, Any]]:
    """Rows as a batch might write them: of each place or store some, whose values follow from all that is true of the
    stores they are about. Queries of results take the same engine as those of facts."""
    about: dict[tuple[str, ...], list[Any]] = {}
    for row in content["store"]:
        trade = [r for name in OF_STORES for r in content[name] if r.get("store_id") == row["store_id"]]
        # What is open to everybody is the same whoever looks.
        said = [] if table in OPEN else [row, trade]
        for place in (("chain", "chain"), ("region", row["region_id"]), ("store", row["store_id"])):
            about.setdefault(place, []).append(said)
    seeds = {place: zlib.crc32(repr(said).encode()) for place, said in about.items()}
    return [
        {column.name: _drawn(column, place, number, seed) for column in table.c}
        for place, seed in seeds.items()
        for number in range(3)
        if "place_id" in table.c or place[0] == "store"
    ]


def _drawn(column: Column[Any], place: tuple[str, ...], number: int, seed: int) -> Any:
    fixed = {"level": place[0], "place_id": place[1], "store_id": place[1], "position": number, "customer_no": number}
    if column.name in fixed:
        return fixed[column.name]
    draw = seed % 1_000 + number
    match column.type:
        case Boolean():
            return draw % 2 == 0
        case DateTime():
            return datetime(2026, 3, 1) + timedelta(minutes=draw)
        case Date():
            return date(2026, 3, 1) + timedelta(days=draw % 28)
        case Integer():  # a whole number of any size
            return draw % 12
        case Numeric() | Double():
            return draw
    return f"{column.name}-{draw % 5}"


def _names(row: dict[str, Any], scope: Scope) -> bool:
    """Whether a row names a store in scope."""
    return any(name.endswith("store_id") and value in scope.store_ids for name, value in row.items())


def _twin(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """The same of the second three stores."""
    new = _other(tables.facts.tables[name], row, timedelta(days=0 if name in ("store", "customer") else -5), 1, 0)
    for column, value in row.items():
        if column.endswith("store_id"):
            new[column] = TWINS.get(value)
        elif column in ("order_id", "return_id", "purchase_order_id", "event_id", "name") and value is not None:
            new[column] = f"{value}-2"
        elif column == "customer_no" and value is not None and value % 2 == 0:
            new[column] = value + OTHER_CUSTOMER
    if name == "store":
        new |= {"region_id": REGIONS[row["region_id"]], "region_name": f"{row['region_name']} 2"}
    return new


def _renamed(row: dict[str, Any], regions: Iterable[str]) -> dict[str, Any]:
    changed = row | {"name": f"CHANGED {row['name']}", "city": "CHANGED", "opened_on": date(1999, 1, 1)}
    return changed if row["region_id"] in regions else changed | {"region_name": f"CHANGED {row['region_name']}"}


def _other_trade(name: str, row: dict[str, Any]) -> dict[str, Any]:
    new = _other(tables.facts.tables[name], row, timedelta(days=-3), 3, 7)
    if new.get("customer_no") is not None:
        new["customer_no"] += CHANGED_CUSTOMER
    return new


def _other_person(name: str, row: dict[str, Any]) -> dict[str, Any]:
    new = _other(tables.facts.tables[name], row, timedelta(hours=-1) if name in OF_PERSONS else timedelta(-40), 1, 0)
    return new | ({"gender": "CHANGED", "city": "CHANGED", "is_adult": True} if name == "customer" else {})


def _other(table: Table, row: dict[str, Any], later: timedelta, factor: int, more: int) -> dict[str, Any]:
    """A row with other instants and amounts; ids, line numbers and hours of the day stay."""
    new = dict(row)
    for name, value in row.items():
        kind = table.c[name].type if name in table.c else None  # whose row it is stands in no column of its own
        if value is None or isinstance(kind, BigInteger | Boolean) or name in ("line_no", "order_line_no", "hour"):
            continue
        if isinstance(kind, DateTime):
            new[name] = _at(value) + later
        elif isinstance(kind, Date):
            new[name] = value + later
        elif isinstance(kind, Numeric | Integer):
            new[name] = Decimal(value) * factor + more
    return new


def _at(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def _ranks(content: Rows) -> list[dict[str, Any]]:
    everybody = {
        row["customer_no"] for name in (*OF_STORES, "customer") for row in content[name] if "customer_no" in row
    }
    return [{"customer_no": number, "id_rank": rank} for rank, number in enumerate(sorted(everybody - {None}), start=1)]
