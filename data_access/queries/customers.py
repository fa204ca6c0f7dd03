"""Identified customers, at the grain of the scope: only orders in its stores exist."""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Integer, and_, cast, exists, func, or_, select, true

from data_access.marts.tables import customer, customer_store_day
from data_access.queries._frame import amount, count, fetch, within
from data_access.scope import Period, Scope


def buyers(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), buyers (distinct customers with a counted order), new_customers
    (buyers whose first counted order ever, in the stores in scope, falls in the period),
    returning_customers (the other buyers).
    """
    c = customer_store_day.c
    bought = [func.bool_or(within(c.day, period)).label(f"bought_{i}") for i, period in enumerate(periods)]
    per_customer = (
        select(func.min(c.day).label("first_day"), *bought)
        .where(c.orders > 0, c.day <= max(period.last for period in periods))
        .group_by(c.customer_key)
    )
    one = scope.limit(per_customer, c.store_id).subquery()
    sums = []
    for i, period in enumerate(periods):
        sums.append(func.count().filter(one.c[f"bought_{i}"]).label(f"buyers_{i}"))
        sums.append(func.count().filter(within(one.c.first_day, period)).label(f"new_{i}"))
    row = fetch(engine, select(*sums)).iloc[0]
    frame = pd.DataFrame(
        {
            "period": range(len(periods)),
            "buyers": [int(row[f"buyers_{i}"]) for i in range(len(periods))],
            "new_customers": [int(row[f"new_{i}"]) for i in range(len(periods))],
        }
    )
    return frame.assign(returning_customers=frame["buyers"] - frame["new_customers"])


def customer_totals(scope: Scope, engine: Engine, as_of: date, window_first: date | None = None) -> pd.DataFrame:
    """One row per customer with a counted order up to the end of ``as_of``, in no particular order.

    Columns: customer_key, id_rank (place of the CRM's id in order; NA when the customer is not registered),
    first_day (of the first order ever, datetime64), orders_ever, and within the window (from
    ``window_first``; all history without it): orders, visits (distinct days with an order), gross_sales,
    net_sales, and last_day (of the last order ever, datetime64) with its store_id (the last by id when
    there are two that day).
    """
    c = customer_store_day.c
    # Per day first: a visit to two stores on one day is one visit, and this is cheaper than count(distinct).
    per_day = (
        select(
            c.customer_key,
            c.day,
            func.sum(c.orders).label("orders"),
            func.max(c.store_id).filter(c.orders > 0).label("store_id"),
            func.sum(c.gross_sales).label("gross_sales"),
            func.sum(c.net_sales).label("net_sales"),
        )
        .where(c.day <= as_of)
        .group_by(c.customer_key, c.day)
    )
    d = scope.limit(per_day, c.store_id).subquery().c
    in_window: ColumnElement[bool] = true() if window_first is None else d.day >= window_first
    visit = d.orders > 0
    only = None if window_first is None else in_window
    totals = (
        select(
            d.customer_key,
            func.min(d.day).filter(visit).label("first_day"),
            count(d.orders).label("orders_ever"),
            count(d.orders, only).label("orders"),
            cast(func.count().filter(and_(visit, in_window)), Integer).label("visits"),
            amount(d.gross_sales, only).label("gross_sales"),
            amount(d.net_sales, only).label("net_sales"),
            func.max(d.day).filter(visit).label("last_day"),
            func.arg_max(d.store_id, d.day).filter(visit).label("store_id"),
        )
        .group_by(d.customer_key)
        .having(func.sum(d.orders) > 0)
        .subquery()
    )
    query = select(customer.c.id_rank, *totals.c).select_from(
        totals.outerjoin(customer, customer.c.customer_key == totals.c.customer_key)
    )
    return fetch(engine, query)


def prospects(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per customer registered by ``as_of`` at home in the stores in scope, without an order in them by then.

    Columns: customer_key, store_id (the home store; NA when unknown, which only the whole chain sees).
    """
    c = customer_store_day.c
    ordered = scope.limit(
        select(c.customer_key).where(c.customer_key == customer.c.customer_key, c.orders > 0, c.day <= as_of),
        c.store_id,
    )
    query = (
        select(customer.c.customer_key, customer.c.home_store_id.label("store_id"))
        .where(or_(customer.c.joined_on.is_(None), customer.c.joined_on <= as_of), ~exists(ordered))
        .order_by(customer.c.customer_key)
    )
    return fetch(engine, scope.limit(query, customer.c.home_store_id))
