"""What a campaign is judged by besides its sums: purchases day by day, and customers like those it was for.

Purchases are those in the stores in scope, as booked on their day.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Date,
    Double,
    Engine,
    MetaData,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)

from data_access.marts._bridge import days_between
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import campaign_store, customer, store
from data_access.queries._frame import fetch, fetch_from, fetch_many, kept
from data_access.scope import Scope

YEAR = 365
WINDOWS = (30, 60, 120, 240, 365)  # days before a campaign in which orders are counted
MOST = 20_000  # customers of each group that are compared

_PEOPLE = (customer.c.customer_no, customer.c.joined_on, customer.c.gender)
days_here, people_here = (
    Table(name, MetaData(), *(Column(column.name, column.type) for column in columns))
    for name, columns in (("days_here", customer_store_day.c), ("people_here", _PEOPLE))
)


@contextmanager
def at_hand(scope: Scope, engine: Engine) -> Iterator[Connection | None]:
    """Within this, the customers of one store and what was bought there lie in tables of their own: many questions
    about it need not read the whole chain each time. None for more than a store, which would fill the memory."""
    if len(scope.store_ids) != 1:
        yield None
        return
    bought = scope.limit(select(*customer_store_day.c), customer_store_day.c.store_id)
    people = scope.limit(select(*_PEOPLE), customer.c.home_store_id)
    with (
        engine.connect() as connection,
        kept(scope, connection, bought, days_here),
        kept(scope, connection, people, people_here),
    ):
        yield connection


def days(scope: Scope, engine: Engine, campaign_id: str, first_day: date, last_day: date) -> pd.DataFrame:
    """One row per assigned customer and day of the window with an order in scope, by pseudonym and day.

    Columns: customer_no, is_control, day, spend (net sales), margin (NaN on days of which no cost is known).
    """
    m, d = campaign_customer.c, customer_store_day.c
    query = (
        select(
            m.customer_no,
            m.is_control,
            d.day,
            cast(func.sum(d.net_sales), Double).label("spend"),
            cast(func.sum(case((d.costed_sales != 0, d.margin))), Double).label("margin"),
        )
        .join_from(
            campaign_customer,
            customer_store_day,
            and_(d.customer_no == m.customer_no, d.day.between(first_day, last_day), d.orders > 0),
        )
        .where(m.campaign_id == campaign_id, m.arm.is_not(None))
        .group_by(m.customer_no, m.is_control, d.day)
        .order_by(m.customer_no, d.day)
    )
    return fetch_many(scope, engine, scope.limit(scope.limit(query, m.store_id), d.store_id))


def alike(
    scope: Scope,
    engine: Engine,
    campaign_id: str,
    first_day: date,
    last_day: date,
    kept_here: Connection | None = None,
) -> pd.DataFrame:
    """One row per customer treated by a campaign, and per one who could have been: what was known the day before.

    Customers at home in the stores in scope who had registered before the first day and are not in its control group;
    up to ``MOST`` of each kind, drawn by the pseudonym. ``kept_here``: of ``at_hand`` for this scope.

    Columns: customer_no, is_treated; known before: orders_30, orders_60, orders_120, orders_240, orders_365 (of as many
    days), spend_365 (net sales), days_since (since the last order of the year, 366 without one), member_days (since
    registering, at most 3 years), is_female; of the window: bought, spend, margin (as booked); past_bought and
    past_spend: of as many days a year before the first day, which lie before everything that is known.
    """
    m = campaign_customer.c
    d, c = (customer_store_day.c, customer.c) if kept_here is None else (days_here.c, people_here.c)
    length = (last_day - first_day).days + 1
    past_last = first_day - timedelta(days=YEAR + 1)
    past_first = past_last - timedelta(days=length - 1)
    year = first_day - timedelta(days=YEAR)
    window, past = d.day.between(first_day, last_day), d.day.between(past_first, past_last)
    known = and_(d.day >= year, d.day < first_day)

    def amount(column: ColumnElement[Any], when: ColumnElement[bool]) -> ColumnElement[Any]:
        return cast(func.coalesce(func.sum(column).filter(when), 0), Double)

    member = scope.limit(
        select(m.customer_no, m.is_control, m.arm).where(m.campaign_id == campaign_id), m.store_id
    ).subquery("member")
    treated = and_(member.c.arm.is_not(None), ~member.c.is_control)
    registered = (
        select(
            c.customer_no,
            func.coalesce(treated, False).label("is_treated"),
            c.joined_on,
            (c.gender == "female").label("is_female"),
        )
        .select_from(c.customer_no.table.outerjoin(member, member.c.customer_no == c.customer_no))
        .where(
            or_(c.joined_on.is_(None), c.joined_on < first_day),
            or_(member.c.customer_no.is_(None), treated),
        )
    )
    e = (registered if kept_here else scope.limit(registered, c.home_store_id)).subquery("everybody").c
    place = func.row_number().over(partition_by=e.is_treated, order_by=func.hash(e.customer_no))
    placed = select(*e, place.label("place")).subquery("placed")
    chosen = select(*placed.c).where(placed.c.place <= MOST).cte("chosen").c
    since = func.max(d.day).filter(known, d.orders > 0)
    added_up = (
        select(
            d.customer_no,
            *(
                amount(d.orders, and_(d.day >= first_day - timedelta(days=back), d.day < first_day)).label(
                    f"orders_{back}"
                )
                for back in WINDOWS
            ),
            amount(d.net_sales, known).label("spend_365"),
            days_between(since, cast(literal(first_day), Date)).label("days_since"),
            amount(d.orders, window).label("orders"),
            amount(d.net_sales, window).label("spend"),
            amount(d.margin, window).label("margin"),
            amount(d.orders, past).label("past_orders"),
            amount(d.net_sales, past).label("past_spend"),
        )
        .where(d.day.between(past_first, last_day), d.customer_no.in_(select(chosen.customer_no)))
        .group_by(d.customer_no)
    )
    s = (added_up if kept_here else scope.limit(added_up, d.store_id)).subquery("sums").c
    names = (*(f"orders_{back}" for back in WINDOWS), "spend_365")
    outcomes = ("spend", "margin", "past_spend")
    query = (
        select(
            chosen.customer_no,
            chosen.is_treated,
            *(func.coalesce(s[name], 0.0).label(name) for name in names),
            cast(func.coalesce(s.days_since, YEAR + 1), Double).label("days_since"),
            cast(
                func.least(
                    func.coalesce(days_between(chosen.joined_on, cast(literal(first_day), Date)), 3 * YEAR), 3 * YEAR
                ),
                Double,
            ).label("member_days"),
            cast(func.coalesce(chosen.is_female, False), Double).label("is_female"),
            cast(func.coalesce(s.orders, 0) > 0, Double).label("bought"),
            *(func.coalesce(s[name], 0.0).label(name) for name in outcomes[:2]),
            cast(func.coalesce(s.past_orders, 0) > 0, Double).label("past_bought"),
            func.coalesce(s.past_spend, 0.0).label("past_spend"),
        )
        .select_from(chosen.customer_no.table.outerjoin(s.customer_no.table, s.customer_no == chosen.customer_no))
        .order_by(chosen.customer_no)
    )
    return fetch(scope, engine, query) if kept_here is None else fetch_from(scope, kept_here, query)


def store_days(scope: Scope, engine: Engine, campaign_id: str, first_day: date, last_day: date) -> pd.DataFrame:
    """One row per store in scope and day with sales: what was sold there to whomever, and whether the store takes part.

    Stores of the kinds that take part only: a shop says nothing of what an online store would have sold.
    Columns: store_id, takes_part, day, net_sales, gross_sales, cost (NaN: unknown).
    """
    d, s, k = store_day.c, campaign_store.c, store.c
    own = scope.limit(select(s.store_id).where(s.campaign_id == campaign_id), s.store_id).subquery("own")
    kinds = scope.limit(select(k.store_id, k.kind), k.store_id).subquery("kinds")
    taking_part = select(kinds.c.kind).join(own, own.c.store_id == kinds.c.store_id)
    query = (
        select(
            d.store_id,
            own.c.store_id.is_not(None).label("takes_part"),
            d.day,
            *(cast(d[name], Double).label(name) for name in ("net_sales", "gross_sales", "cost")),
        )
        .select_from(store_day.join(kinds, kinds.c.store_id == d.store_id).outerjoin(own, own.c.store_id == d.store_id))
        .where(d.day.between(first_day, last_day), kinds.c.kind.in_(taking_part))
        .order_by(d.store_id, d.day)
    )
    return fetch(scope, engine, scope.limit(query, d.store_id))
