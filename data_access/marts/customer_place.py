"""One row per place and customer with a counted order there or at home there, over all days.

A gap is the days from a visit to the next. A trend is how much a straight line through the gaps (at their ends), or
through the gross sales of the days with an order, rises from the first visit to the last, as a share of their mean.
"""

from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Double,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from data_access.marts._bridge import days_between
from data_access.marts._mart import Mart
from data_access.marts._rhythm import rhythm
from data_access.marts.place_store import CHAIN
from data_access.marts.tables import Money, customer, facts
from data_access.marts.visit import Level, levels, numbered_places, numbered_stores, visit

customer_place = Table(
    "customer_place",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # as in place_store
    Column("customer_no", BigInteger, nullable=False),
    Column("store_id", String),  # of the last order there, of several that day the last by id; else the home store
    Column("joined_on", Date),  # null: unknown, or at home elsewhere
    Column("first_day", Date),  # of the first and last counted order there; null without one
    Column("last_day", Date),
    Column("second_day", Date),  # of the second visit; null without one
    Column("orders", Integer, nullable=False),  # 0: registered there and never bought there
    Column("visits", Integer, nullable=False),  # days with an order
    Column("gross_sales", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("costed_sales", Money, nullable=False),  # gross sales of the orders whose cost is known
    Column("margin", Money, nullable=False),  # of these, less what went with returns
    Column("gaps", Integer, nullable=False),
    Column("median_gap", Double),  # days; null without a gap
    Column("gap_trend", Double),  # null with fewer than three gaps
    Column("amount_trend", Double),  # null with fewer than three days with an order
)

_EPOCH = date(1970, 1, 1)
_SUMS = ("orders", "visits", "gross_sales", "net_sales", "costed_sales", "margin")
_STORES = 1_000_000  # more than a chain has, so that a day and a store's number make one number


def query() -> Select[Any]:
    sums = union_all(*(_of_level(level) for level in levels())).subquery("sums")
    places, stores = numbered_places(), numbered_stores()
    s, p = sums.c, places.c
    bought = s.orders > 0
    return (
        select(
            p.level,
            p.place_id,
            s.customer_no,
            stores.c.store_id,
            s.joined_on,
            s.first_day,
            s.last_day,
            s.second_day,
            s.orders,
            s.visits,
            s.gross_sales,
            # Returns of somebody who never bought there are not of this base.
            *(case((bought, s[name]), else_=0).label(name) for name in ("net_sales", "costed_sales", "margin")),
            s.gaps,
            s.median_gap,
            s.gap_trend,
            s.amount_trend,
        )
        .join_from(sums, places, and_(p.level == s.level, p.place_no == s.place_no))
        .join(
            stores, stores.c.store_no == case((bought, func.mod(s.last_code, _STORES)), else_=s.home_no), isouter=True
        )
    )


def _of_level(level: Level) -> Select[Any]:
    """The customers of the places of a level: their days there and, as one more row, that they are at home there.

    One sum over both costs less than to join the sums; the chain knows its customers without a home store, too.
    """
    v, c, stores = visit.c, customer.c, numbered_stores()
    s = stores.c
    ordered = v.orders > 0
    # The day before the store: the highest code is the last store, by id, of the last day.
    code = days_between(literal(_EPOCH), v.day) * _STORES + v.store_no
    days = select(
        level.place_no.label("place_no"),
        v.customer_no,
        case((ordered, v.day)).label("day"),
        case((and_(level.first_of_day, level.previous_day.is_not(None)), v.day)).label("later_day"),
        case((ordered, cast(code, BigInteger))).label("code"),
        v.orders,
        case((level.first_of_day, 1), else_=0).label("visits"),
        v.gross_sales,
        v.net_sales,
        v.costed_sales,
        v.margin,
        case((level.first_of_day, days_between(level.previous_day, v.day))).label("gap"),
        literal(0).label("registered"),
        null().label("joined_on"),
        null().label("home_no"),
    )
    home_no = {CHAIN: literal(0), "region": s.region_no, "store": s.store_no}[level.name]
    registered = select(
        home_no, c.customer_no, null(), null(), null(), *[literal(0)] * 6, null(), literal(1), c.joined_on, s.store_no
    ).join_from(customer, stores, s.store_id == c.home_store_id, isouter=level.name == CHAIN)
    both = union_all(days, registered).subquery(f"in_{level.name}")
    b = both.c
    return (
        select(
            literal(level.name).label("level"),
            b.place_no,
            b.customer_no,
            func.min(b.day).label("first_day"),
            func.max(b.day).label("last_day"),
            func.min(b.later_day).label("second_day"),
            func.max(b.code).label("last_code"),
            *(func.sum(b[name]).label(name) for name in _SUMS),
            *rhythm(b.day, b.gap, b.orders, b.gross_sales),
            func.max(b.joined_on).label("joined_on"),
            func.max(b.home_no).label("home_no"),
        )
        .group_by(b.place_no, b.customer_no)
        .having(or_(func.sum(b.orders) > 0, func.max(b.registered) == 1))
    )


# Lists begin with the highest net sales.
MART = Mart(customer_place, query, by="customer", order_by=("level", "place_id", "net_sales", "customer_no"))
