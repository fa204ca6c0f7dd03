"""One row per person, store and local day with a rostered shift or a counted order: hours worked beside sales made.

Sales are those of the person's receipts before returns; a person who sold without a shift has no hours.
"""

from typing import Any

from sqlalchemy import Column, Date, Double, Integer, Numeric, Select, String, Table, and_, cast, extract, func, select

from data_access.marts._mart import Mart
from data_access.marts.tables import Money, facts, sale_order, shift

staff_day = Table(
    "staff_day",
    facts,
    Column("store_id", String, nullable=False),
    Column("staff_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("hours", Double, nullable=False),  # rostered, less breaks
    Column("first_hour", Integer),  # store-local hour in which the first shift begins; null without a shift
    Column("last_hour", Integer),  # and in which the last one ends
    Column("gross_sales", Money, nullable=False),
    Column("orders", Integer, nullable=False),
    Column("units", Numeric(18, 4), nullable=False),
)


def query() -> Select[Any]:
    o, h = sale_order.c, shift.c
    sold = (
        select(
            o.store_id,
            o.staff_id,
            o.day,
            func.sum(o.gross_sales).label("gross_sales"),
            func.count().label("orders"),
            func.sum(o.units).label("units"),
        )
        .where(o.exclusion.is_(None), o.staff_id.is_not(None))
        .group_by(o.store_id, o.staff_id, o.day)
        .subquery("sold")
    )
    worked = (
        select(
            h.store_id,
            h.staff_id,
            h.day,
            func.sum(h.hours).label("hours"),
            func.min(cast(extract("hour", h.starts_at), Integer)).label("first_hour"),
            func.max(cast(extract("hour", h.ends_at), Integer)).label("last_hour"),
        )
        .group_by(h.store_id, h.staff_id, h.day)
        .subquery("worked")
    )
    same = and_(*(worked.c[name] == sold.c[name] for name in ("store_id", "staff_id", "day")))
    return select(
        *(func.coalesce(worked.c[name], sold.c[name]).label(name) for name in ("store_id", "staff_id", "day")),
        func.coalesce(worked.c.hours, 0.0).label("hours"),
        worked.c.first_hour,
        worked.c.last_hour,
        func.coalesce(sold.c.gross_sales, 0).label("gross_sales"),
        func.coalesce(sold.c.orders, 0).label("orders"),
        func.coalesce(sold.c.units, 0).label("units"),
    ).select_from(worked.outerjoin(sold, same, full=True))


MART = Mart(staff_day, query, by="store_day", order_by=("store_id", "day", "staff_id"))
