"""One row per store, local day, product category and channel with a counted line or a return.

Money in the chain's currency. A return stands in the store and on the day it is booked, in the category of what came
back and the channel of the receipt it is linked to.
"""

from typing import Any

from sqlalchemy import Column, Date, Integer, Numeric, Select, String, Table, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, product, return_line, sale_line

store_category_day = Table(
    "store_category_day",
    facts,
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("category", String),  # null: the product has none
    Column("channel", String),  # null: not known
    Column("units", Numeric(18, 4), nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("lines", Integer, nullable=False),  # sold, not returned
)


def query() -> Select[Any]:
    line, r = sale_line.c, return_line.c
    both = union_all(
        select(
            line.store_id,
            line.day,
            line.product_id,
            line.channel,
            line.quantity.label("units"),
            line.net.label("gross_sales"),
            literal(0).label("returns"),
            literal(1).label("lines"),
        ).where(line.exclusion.is_(None)),
        select(
            r.store_id,
            r.day,
            r.product_id,
            r.sale_channel.label("channel"),
            literal(0).label("units"),
            literal(0).label("gross_sales"),
            r.refund.label("returns"),
            literal(0).label("lines"),
        ).where(r.exclusion.is_(None)),
    ).subquery("both")
    gross, returns = func.sum(both.c.gross_sales), func.sum(both.c.returns)
    return (
        select(
            both.c.store_id,
            both.c.day,
            product.c.category,
            both.c.channel,
            func.sum(both.c.units).label("units"),
            gross.label("gross_sales"),
            returns.label("returns"),
            (gross - returns).label("net_sales"),
            func.sum(both.c.lines).label("lines"),
        )
        .select_from(both.outerjoin(product, product.c.product_id == both.c.product_id))
        .group_by(both.c.store_id, both.c.day, product.c.category, both.c.channel)
    )


MART = Mart(store_category_day, query, by="store_day", order_by=("day", "store_id", "category", "channel"))
