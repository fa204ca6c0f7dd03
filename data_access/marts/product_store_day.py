"""One row per product, store and local day with a counted line or a return, or with sales that were refunded later."""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Date,
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

from data_access.marts._mart import Mart
from data_access.marts.product_order import product_order
from data_access.marts.product_return import product_return
from data_access.marts.tables import Money, facts

product_store_day = Table(
    "product_store_day",
    facts,
    Column("product_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("units", Numeric(18, 4), nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("returns_of_sales", Money, nullable=False),  # as in store_day
    Column("returned_units", Numeric(18, 4), nullable=False),
    Column("orders", Integer, nullable=False),
)
FIGURES = ("units", "gross_sales", "returns", "net_sales", "returns_of_sales", "returned_units", "orders")


def query() -> Select[Any]:
    o, r = product_order.c, product_return.c
    events = union_all(
        _event(
            o.product_id,
            o.store_id,
            o.day,
            units=o.units,
            gross_sales=o.gross_sales,
            net_sales=o.gross_sales,
            orders=literal(1),
        ),
        _event(r.product_id, r.store_id, r.day, returns=r.refund, net_sales=-r.refund, returned_units=r.units),
        _event(r.product_id, r.sale_store_id, r.sale_day, returns_of_sales=r.refund).where(r.sale_day.is_not(None)),
    ).subquery("events")
    key = (events.c.product_id, events.c.store_id, events.c.day)
    # Sums are wider than what they add up: narrow again, they are sorted in half the time.
    return select(
        *key,
        *(cast(func.sum(events.c[name]), product_store_day.c[name].type).label(name) for name in FIGURES),
    ).group_by(*key)


def _event(
    product_id: ColumnElement[str],
    store_id: ColumnElement[str],
    day: ColumnElement[Any],
    **figures: ColumnElement[Any],
) -> Select[Any]:
    """Rows with every figure, 0 where it is not given."""
    return select(
        product_id.label("product_id"),
        store_id.label("store_id"),
        day.label("day"),
        *(figures.get(name, literal(0)).label(name) for name in FIGURES),
    )


MART = Mart(product_store_day, query, by="product_day", order_by=("store_id", "day"))
