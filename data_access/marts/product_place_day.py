"""One row per chain or region, product and local day: the sums of the rows of its stores in ``product_store_day``.

They add up because an order is of one store.
"""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Numeric,
    Select,
    String,
    Table,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._mart import Mart
from data_access.marts.place_store import CHAIN
from data_access.marts.product_store_day import FIGURES, product_store_day
from data_access.marts.tables import Money, facts, store

product_place_day = Table(
    "product_place_day",
    facts,
    Column("level", String, nullable=False),  # chain | region
    Column("place_id", String, nullable=False),  # as in place_store
    Column("product_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("units", Numeric(18, 4), nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("returns_of_sales", Money, nullable=False),  # as in store_day
    Column("returned_units", Numeric(18, 4), nullable=False),
    Column("orders", Integer, nullable=False),
)


def query() -> CompoundSelect[Any]:
    s = product_store_day.c
    chain = literal(CHAIN)
    in_region = product_store_day.join(store, store.c.store_id == s.store_id)
    return union_all(
        _sums(chain, chain, product_store_day).group_by(s.product_id, s.day),
        _sums(literal("region"), store.c.region_id, in_region).group_by(store.c.region_id, s.product_id, s.day),
    )


def _sums(level: ColumnElement[str], place_id: ColumnElement[str], rows: FromClause) -> Select[Any]:
    s = product_store_day.c
    return select(
        level.label("level"),
        place_id.label("place_id"),
        s.product_id,
        s.day,
        *(cast(func.sum(s[name]), s[name].type).label(name) for name in FIGURES),
    ).select_from(rows)


MART = Mart(product_place_day, query, by="product_day", order_by=("level", "place_id", "day"))
