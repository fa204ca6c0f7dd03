"""One row per store and product that was counted or is on order: what there is to sell."""

from typing import Any

from sqlalchemy import Column, Date, DateTime, Integer, Select, String, Table, and_, func, select

from data_access.marts._mart import Mart
from data_access.marts.tables import facts, purchase_line, stock_level

stock_position = Table(
    "stock_position",
    facts,
    # units; ``on_hand`` and ``reserved`` are 0 where nobody counted
    Column("store_id", String, nullable=False),
    Column("product_id", String, nullable=False),
    Column("on_hand", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("on_order", Integer, nullable=False),  # still to come from suppliers
    Column("available", Integer, nullable=False),  # on_hand - reserved + on_order
    Column("next_promised_on", Date),  # the earliest promised day of what is on order; null: none, or nothing promised
    Column("counted_at", DateTime),  # store-local; null: never counted
)


def query() -> Select[Any]:
    s, p = stock_level.c, purchase_line.c
    ordered = (
        select(
            p.store_id,
            p.product_id,
            func.sum(p.open_quantity).label("on_order"),
            func.min(p.promised_on).label("next_promised_on"),
        )
        .where(p.open_quantity > 0, p.store_id.is_not(None))
        .group_by(p.store_id, p.product_id)
        .subquery("ordered")
    )
    on_hand, reserved = func.coalesce(s.on_hand, 0), func.coalesce(s.reserved, 0)
    on_order = func.coalesce(ordered.c.on_order, 0)
    return select(
        func.coalesce(s.store_id, ordered.c.store_id).label("store_id"),
        func.coalesce(s.product_id, ordered.c.product_id).label("product_id"),
        on_hand.label("on_hand"),
        reserved.label("reserved"),
        on_order.label("on_order"),
        (on_hand - reserved + on_order).label("available"),
        ordered.c.next_promised_on,
        s.counted_at,
    ).select_from(
        stock_level.outerjoin(
            ordered, and_(ordered.c.store_id == s.store_id, ordered.c.product_id == s.product_id), full=True
        )
    )


MART = Mart(stock_position, query, by="whole", order_by=("store_id", "product_id"))
