"""One row per receipt, excluded ones too: where to look for it. Receipts are stored by day and store, not by id."""

from typing import Any

from sqlalchemy import Column, Date, Integer, Select, String, Table, select

from data_access.marts._bridge import text_hash
from data_access.marts._mart import Mart
from data_access.marts.tables import facts, sale_order

order_place = Table(
    "order_place",
    facts,
    Column("order_hash", Integer, nullable=False),  # text_hash of the id: a few receipts share one
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
)


def query() -> Select[Any]:
    o = sale_order.c
    return select(text_hash(o.order_id).label("order_hash"), o.store_id, o.day)


MART = Mart(order_place, query, by="store_day", order_by=("order_hash",))
