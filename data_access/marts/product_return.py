"""One row per counted returned line; the rows of a product lie together, by day."""

from typing import Any

from sqlalchemy import Column, Date, Integer, Numeric, Select, String, Table, select

from data_access.marts._bridge import text_hash
from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, return_line

product_return = Table(
    "product_return",
    facts,
    Column("product_hash", Integer, nullable=False),  # text_hash of product_id
    Column("product_id", String, nullable=False),
    Column("day", Date, nullable=False),  # of the return
    Column("store_id", String, nullable=False),
    Column("sale_day", Date),  # as in return_line
    Column("sale_store_id", String),
    Column("units", Numeric(18, 4), nullable=False),
    Column("refund", Money, nullable=False),
)


def query() -> Select[Any]:
    r = return_line.c
    return select(
        text_hash(r.product_id).label("product_hash"),
        r.product_id,
        r.day,
        r.store_id,
        r.sale_day,
        r.sale_store_id,
        r.quantity.label("units"),
        r.refund,
    ).where(r.exclusion.is_(None))


MART = Mart(product_return, query, by="product_day", order_by=("product_hash", "day"))
