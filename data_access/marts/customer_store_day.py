"""One row per identified customer, store and local day with a counted order or a return.

``orders`` is 0 on a day with only a return. What came back takes its cost out of the margin again: that of its line,
without a link the product's.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Integer,
    Select,
    String,
    Table,
    case,
    func,
    literal,
    select,
    union_all,
)

from data_access.marts._mart import Mart
from data_access.marts._returns import cost_back, returned
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
    Column("costed_sales", Money, nullable=False),  # gross sales of the orders whose cost is known
    Column("margin", Money, nullable=False),  # these less their cost, less refunds, plus the cost of what came back
)


def query() -> Select[Any]:
    o, r = sale_order.c, return_line.c
    sold = select(
        o.customer_no,
        o.store_id,
        o.day,
        literal(1).label("orders"),
        o.gross_sales,
        literal(0).label("returns"),
        case((o.cost.is_not(None), o.gross_sales), else_=0).label("costed_sales"),
        func.coalesce(o.gross_sales - o.cost, 0).label("margin"),
    ).where(o.exclusion.is_(None), o.customer_no.is_not(None))
    back = (
        select(
            r.customer_no,
            r.store_id,
            r.day,
            literal(0).label("orders"),
            literal(0).label("gross_sales"),
            r.refund.label("returns"),
            literal(0).label("costed_sales"),
            (cost_back() - r.refund).label("margin"),
        )
        .select_from(returned())
        .where(r.exclusion.is_(None), r.customer_no.is_not(None))
    )
    b = union_all(sold, back).subquery("both").c
    gross, returns = func.sum(b.gross_sales), func.sum(b.returns)
    return select(
        b.customer_no,
        b.store_id,
        b.day,
        func.sum(b.orders).label("orders"),
        gross.label("gross_sales"),
        returns.label("returns"),
        (gross - returns).label("net_sales"),
        func.sum(b.costed_sales).label("costed_sales"),
        func.sum(b.margin).label("margin"),
    ).group_by(b.customer_no, b.store_id, b.day)


MART = Mart(customer_store_day, query, by="customer", order_by=("customer_no", "day", "store_id"))
