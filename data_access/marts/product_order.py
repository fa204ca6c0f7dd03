"""One row per product and counted receipt that holds it; the rows of a product lie together, by day."""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Integer, Numeric, Select, String, Table, cast, func, select

from data_access.marts._bridge import text_hash
from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, sale_line, sale_order

product_order = Table(
    "product_order",
    facts,
    Column("product_hash", Integer, nullable=False),  # text_hash of product_id
    Column("product_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("ordered_at", DateTime, nullable=False),  # store-local
    Column("store_id", String, nullable=False),
    Column("order_id", String, nullable=False),
    Column("customer_no", BigInteger),  # null: not identified
    # of the product on the receipt
    Column("units", Numeric(18, 4), nullable=False),
    Column("gross_sales", Money, nullable=False),
)


def query() -> Select[Any]:
    line, o = sale_line.c, sale_order.c
    held = (
        select(
            line.order_id,
            line.product_id,
            cast(func.sum(line.quantity), Numeric(18, 4)).label("units"),
            cast(func.sum(line.net), Money).label("gross_sales"),
        )
        .where(line.exclusion.is_(None))
        .group_by(line.order_id, line.product_id)
        .subquery("held")
    )
    return select(
        text_hash(held.c.product_id).label("product_hash"),
        held.c.product_id,
        o.day,
        o.ordered_at,
        o.store_id,
        o.order_id,
        o.customer_no,
        held.c.units,
        held.c.gross_sales,
    ).select_from(sale_order.join(held, held.c.order_id == o.order_id))


MART = Mart(product_order, query, by="receipt", order_by=("product_hash", "day"))
