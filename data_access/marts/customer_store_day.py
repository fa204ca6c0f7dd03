"""One row per identified customer, store and local day with a counted order or a return.

``orders`` is 0 on a day with only a return.
"""

from typing import Any

from sqlalchemy import BigInteger, Column, Date, Integer, Select, String, Table, func, literal, select, union_all

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, return_line, sale_order

customer_store_day = Table(
    "customer_store_day",
    facts,
    Column("customer_no", BigInteger, nullable=False),
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
)


def query() -> Select[Any]:
    o, r = sale_order.c, return_line.c
    both = union_all(
        select(
            o.customer_no,
            o.store_id,
            o.day,
            literal(1).label("orders"),
            o.gross_sales,
            literal(0).label("returns"),
        ).where(o.exclusion.is_(None), o.customer_no.is_not(None)),
        select(
            r.customer_no,
            r.store_id,
            r.day,
            literal(0).label("orders"),
            literal(0).label("gross_sales"),
            r.refund.label("returns"),
        ).where(r.exclusion.is_(None), r.customer_no.is_not(None)),
    ).subquery("both")
    gross, returns = func.sum(both.c.gross_sales), func.sum(both.c.returns)
    return select(
        both.c.customer_no,
        both.c.store_id,
        both.c.day,
        func.sum(both.c.orders).label("orders"),
        gross.label("gross_sales"),
        returns.label("returns"),
        (gross - returns).label("net_sales"),
    ).group_by(both.c.customer_no, both.c.store_id, both.c.day)


MART = Mart(customer_store_day, query, by="customer", order_by=("customer_no", "day", "store_id"))
