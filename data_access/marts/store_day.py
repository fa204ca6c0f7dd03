"""One row per store and local day with a counted order, a return or a visitor; money in the chain's currency."""

from typing import Any

from sqlalchemy import Column, Date, FromClause, Integer, Numeric, Select, String, Table, and_, func, or_, select

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, return_line, sale_order, store_traffic

store_day = Table(
    "store_day",
    facts,
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    # refunds so far of what was sold here that day, wherever and whenever paid; unlinked ones by their own day
    Column("returns_of_sales", Money, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("identified_orders", Integer, nullable=False),
    Column("units", Numeric(18, 4), nullable=False),
    Column("cost", Money),
    Column("visitors", Integer),  # null: no valid door count that day
)


def query() -> Select[Any]:
    o, r, t = sale_order.c, return_line.c, store_traffic.c
    sold = (
        select(
            o.store_id,
            o.day,
            func.sum(o.gross_sales).label("gross_sales"),
            func.count().label("orders"),
            func.count(o.customer_no).label("identified_orders"),
            func.sum(o.units).label("units"),
            func.sum(o.cost).label("cost"),
        )
        .where(o.exclusion.is_(None))
        .group_by(o.store_id, o.day)
        .subquery("sold")
    )
    returned = (
        select(r.store_id, r.day, func.sum(r.refund).label("returns"))
        .where(r.exclusion.is_(None))
        .group_by(r.store_id, r.day)
        .subquery("returned")
    )
    refunded = (
        select(r.sale_store_id.label("store_id"), r.sale_day.label("day"), func.sum(r.refund).label("returns_of_sales"))
        .where(r.exclusion.is_(None), r.sale_day.is_not(None))
        .group_by(r.sale_store_id, r.sale_day)
        .subquery("refunded")
    )
    counted = (
        select(t.store_id, t.day, func.sum(t.visitors).label("visitors"))
        .group_by(t.store_id, t.day)
        .subquery("counted")
    )
    days = (
        select(sold.c.store_id, sold.c.day)
        .union(select(returned.c.store_id, returned.c.day), select(counted.c.store_id, counted.c.day))
        .subquery("days")
    )
    joined: FromClause = days
    for part in (sold, returned, refunded, counted):
        joined = joined.outerjoin(part, and_(part.c.store_id == days.c.store_id, part.c.day == days.c.day))
    gross, returns = func.coalesce(sold.c.gross_sales, 0), func.coalesce(returned.c.returns, 0)
    return (
        select(
            days.c.store_id,
            days.c.day,
            gross.label("gross_sales"),
            returns.label("returns"),
            (gross - returns).label("net_sales"),
            func.coalesce(refunded.c.returns_of_sales, 0).label("returns_of_sales"),
            func.coalesce(sold.c.orders, 0).label("orders"),
            func.coalesce(sold.c.identified_orders, 0).label("identified_orders"),
            func.coalesce(sold.c.units, 0).label("units"),
            sold.c.cost,
            counted.c.visitors,
        )
        .select_from(joined)
        .where(or_(sold.c.orders.is_not(None), returned.c.returns.is_not(None), counted.c.visitors > 0))
    )


MART = Mart(store_day, query, by="store_day", order_by=("day", "store_id"))
