"""One row per store, local day and hour with a counted order or a return; money in the chain's currency.

Sales stand in the hour of the order, refunds in the hour in which they are booked.
"""

from typing import Any

from sqlalchemy import Column, Date, Integer, Select, String, Table, cast, extract, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, return_line, sale_order

store_hour = Table(
    "store_hour",
    facts,
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("hour", Integer, nullable=False),  # 0..23
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("orders", Integer, nullable=False),
)


def query() -> Select[Any]:
    o, r = sale_order.c, return_line.c
    both = union_all(
        select(
            o.store_id,
            o.day,
            extract("hour", o.ordered_at).label("hour"),
            o.gross_sales,
            literal(0).label("returns"),
            literal(1).label("orders"),
        ).where(o.exclusion.is_(None)),
        select(
            r.store_id,
            r.day,
            extract("hour", r.returned_at).label("hour"),
            literal(0).label("gross_sales"),
            r.refund.label("returns"),
            literal(0).label("orders"),
        ).where(r.exclusion.is_(None)),
    ).subquery("both")
    gross, returns = func.sum(both.c.gross_sales), func.sum(both.c.returns)
    return select(
        both.c.store_id,
        both.c.day,
        cast(both.c.hour, Integer).label("hour"),
        gross.label("gross_sales"),
        returns.label("returns"),
        (gross - returns).label("net_sales"),
        func.sum(both.c.orders).label("orders"),
    ).group_by(both.c.store_id, both.c.day, both.c.hour)


MART = Mart(store_hour, query, by="store_day", order_by=("store_id", "day", "hour"))
