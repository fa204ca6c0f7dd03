"""One row per place, cohort and calendar month with a counted order or a return of an identified customer there.

Months are counted from January 1970, which is 0. A cohort is the month of the first counted order in the place; -1:
customers with returns only.
"""

from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    extract,
    func,
    literal,
    or_,
    select,
    union_all,
)

from data_access.marts._mart import Mart
from data_access.marts.customer_place import customer_place
from data_access.marts.tables import Money, facts
from data_access.marts.visit import Level, levels, numbered_places, visit

NO_COHORT = -1
_SUMS = ("customers", "repeat_customers", "orders", "gross_sales", "net_sales", "repeat_net_sales")

cohort_month = Table(
    "cohort_month",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("cohort", Integer, nullable=False),
    Column("month", Integer, nullable=False),
    Column("customers", Integer, nullable=False),  # of the cohort, with an order in that month
    Column("repeat_customers", Integer, nullable=False),  # those of them with two orders or more, over all days
    Column("orders", Integer, nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("repeat_net_sales", Money, nullable=False),  # of customers with two orders or more, over all days
    Column("rows", Integer, nullable=False),
)


def month_of(day: ColumnElement[Any]) -> ColumnElement[int]:
    """The number of a day's calendar month."""
    return 12 * (extract("year", day) - 1970) + extract("month", day) - 1


def query() -> Select[Any]:
    sums = union_all(*(_of_level(level) for level in levels())).subquery("sums")
    places = numbered_places()
    s, p = sums.c, places.c
    figures = [s[column.name] for column in cohort_month.c if column.name not in ("level", "place_id")]
    return select(p.level, p.place_id, *figures).join_from(
        sums, places, and_(p.level == s.level, p.place_no == s.place_no)
    )


def _of_level(level: Level) -> Select[Any]:
    """The visits of a level beside what their customers are there."""
    v, k, places = visit.c, customer_place.c, numbered_places()
    p = places.c
    known = (
        select(p.place_no, k.customer_no, month_of(k.first_day).label("cohort"), (k.orders >= 2).label("repeats"))
        .join_from(customer_place, places, and_(p.level == k.level, p.place_id == k.place_id))
        .where(k.level == level.name, k.orders > 0)
        .subquery(f"customers_of_{level.name}")
    )
    c = known.c
    before = level.previous_day
    first_of_month = and_(v.orders > 0, or_(before.is_(None), month_of(before) < month_of(v.day)))
    rows = (
        select(
            level.place_no.label("place_no"),
            func.coalesce(c.cohort, NO_COHORT).label("cohort"),
            month_of(v.day).label("month"),
            case((first_of_month, 1), else_=0).label("customers"),
            case((and_(first_of_month, c.repeats), 1), else_=0).label("repeat_customers"),
            v.orders,
            v.gross_sales,
            v.net_sales,
            case((c.repeats, v.net_sales), else_=0).label("repeat_net_sales"),
        )
        .join_from(visit, known, and_(c.place_no == level.place_no, c.customer_no == v.customer_no), isouter=True)
        .subquery(f"months_of_{level.name}")
    )
    r = rows.c
    return select(
        literal(level.name).label("level"),
        r.place_no,
        r.cohort,
        r.month,
        *(func.sum(r[name]).label(name) for name in _SUMS),
        func.count().label("rows"),
    ).group_by(r.place_no, r.cohort, r.month)


MART = Mart(cohort_month, query, by="customer_sum", order_by=("level", "place_id", "cohort", "month"))
