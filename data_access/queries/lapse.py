"""The rhythm in which identified customers of the stores in scope come: the days between their visits.

A visit is a day with a counted order in these stores; orders elsewhere do not exist.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import Date, Double, Engine, Integer, cast, exists, false, func, literal, select

from data_access.marts._bridge import days_between
from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import product, store
from data_access.queries._frame import amount, fetch, fetch_many, one_of, within
from data_access.queries._people import place_of_all_days
from data_access.queries._places import place_of
from data_access.queries._units import By, apart, unit
from data_access.results.tables import (
    lapse_at_risk,
    lapse_calibration,
    lapse_check,
    lapse_place,
    lapse_rate,
    lapse_return,
    lapse_rule,
    lapse_state,
)
from data_access.scope import Period, Scope

# The tables of the report that a batch keeps, and the names of columns that results have for themselves.
KEPT = {
    "rate": lapse_rate,
    "rate_by_place": lapse_place,
    "states": lapse_state,
    "rule": lapse_rule,
    "check": lapse_check,
    "calibration": lapse_calibration,
    "returns": lapse_return,
    "at_risk": lapse_at_risk,
}
RENAMED = {"level": "of_level", "place_id": "of_place_id"}


def kept(scope: Scope, engine: Engine, table: str) -> pd.DataFrame:
    """The rows of a table of the report (``KEPT``) that a batch kept for the place that the scope is, in their order;
    none for other scopes. Columns as the report's. ``engine``: of the results."""
    rows, place = KEPT[table], place_of(scope, engine)
    own = {name: report for report, name in RENAMED.items()}
    columns = [c.label(own.get(n, n)) for n, c in rows.c.items() if n not in ("level", "place_id", "position")]
    mine = false() if place is None else place.rows(rows)
    return fetch(scope, engine, select(*columns).where(mine).order_by(rows.c.position))


def product_days(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row, none without a product that says: how long one of the range lasts. Column: usage_days (the median)."""
    days = product.c.usage_days
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    query = select(cast(func.median(days), Double).label("usage_days")).where(days > 0, exists(some_store))
    return fetch(scope, engine, query.having(func.count() > 0))


def steps(scope: Scope, engine: Engine, as_of: date, by: By = "scope") -> pd.DataFrame:
    """One row per customer and visit up to the end of ``as_of``; those of each region or store by themselves.

    Columns: day (days since 1970), next_day (of the visit that followed; NaN: none yet), visits (so many up to this
    one), median_gap (days between the visits up to this one; NaN of one), unit (the region or store, if ``by`` them).
    """
    c = customer_store_day.c
    rows = apart(select(c.customer_no, c.day).where(c.orders > 0, c.day <= as_of), c.store_id, by)
    d = scope.limit(rows.distinct(), c.store_id).subquery("days").c
    order: Any = {"partition_by": [*unit(d), d.customer_no], "order_by": d.day}
    gaps = (
        select(
            d.customer_no,
            d.day,
            func.lead(d.day).over(**order).label("next_day"),
            func.row_number().over(**order).label("visits"),
            days_between(func.lag(d.day).over(**order), d.day).label("gap"),
            *unit(d),
        )
        .subquery("gaps")
        .c
    )
    of_customer = [*unit(gaps), gaps.customer_no]
    middle = func.median(gaps.gap).over(partition_by=of_customer, order_by=gaps.day, rows=(None, 0))
    epoch = literal(date(1970, 1, 1), Date)
    query = select(
        cast(days_between(epoch, gaps.day), Integer).label("day"),
        cast(days_between(epoch, gaps.next_day), Integer).label("next_day"),
        cast(gaps.visits, Integer).label("visits"),
        cast(middle, Double).label("median_gap"),
        *unit(gaps),
    )
    return fetch_many(scope, engine, query)


def rhythms(scope: Scope, engine: Engine, as_of: date, by: By = "scope") -> pd.DataFrame:
    """One row per customer with a visit by the end of ``as_of``, by number; of each region or store by themselves.

    Columns: customer_no, visits, recency_days (from the first visit to the last), age_days (from the first visit to
    ``as_of``), median_gap (days between two visits; NaN of one), days_until_next (from ``as_of`` to the visit after it,
    where the data have one; NaN), unit (the region or store, if ``by`` them).
    """
    c = customer_store_day.c
    rows = apart(select(c.customer_no, c.day).where(c.orders > 0), c.store_id, by)
    d = scope.limit(rows.distinct(), c.store_id).subquery("days").c
    before = func.lag(d.day).over(partition_by=[*unit(d), d.customer_no], order_by=d.day)
    s = select(d.customer_no, d.day, days_between(before, d.day).label("gap"), *unit(d)).subquery("steps").c
    by_then = s.day <= as_of
    first, last = func.min(s.day).filter(by_then), func.max(s.day).filter(by_then)
    following = func.min(s.day).filter(s.day > as_of)
    query = (
        select(
            s.customer_no,
            cast(func.count().filter(by_then), Integer).label("visits"),
            cast(days_between(first, last), Integer).label("recency_days"),
            cast(days_between(first, literal(as_of, Date)), Integer).label("age_days"),
            cast(func.median(s.gap).filter(by_then), Double).label("median_gap"),
            cast(days_between(literal(as_of, Date), following), Integer).label("days_until_next"),
            *unit(s),
        )
        .group_by(s.customer_no, *unit(s))
        .having(first.is_not(None))
        .order_by(*unit(s), s.customer_no)
    )
    return fetch_many(scope, engine, query)


def sales(scope: Scope, engine: Engine, period: Period, by: By = "scope") -> pd.DataFrame:
    """One row per customer with an order or a return in ``period``; those of each region or store by themselves.

    Columns: customer_no, net_sales, unit (the region or store, if ``by`` them).
    """
    c = customer_store_day.c
    days = apart(select(c.customer_no, c.net_sales).where(within(c.day, period)), c.store_id, by)
    d = scope.limit(days, c.store_id).subquery("days").c
    query = select(d.customer_no, amount(d.net_sales).label("net_sales"), *unit(d)).group_by(d.customer_no, *unit(d))
    return fetch_many(scope, engine, query.order_by(*unit(d), d.customer_no))


def last_stores(scope: Scope, engine: Engine, as_of: date, only: Collection[int]) -> pd.DataFrame:
    """One row per customer of ``only`` with an order by the end of ``as_of``, by number.

    Columns: customer_no, store_id (of the last order, of several that day the last by id).
    """
    c, k, place = customer_store_day.c, customer_place.c, place_of_all_days(scope, engine, as_of)
    if place is not None:
        known = place.rows(customer_place), k.orders > 0, one_of(k.customer_no, only)
        return fetch(scope, engine, select(k.customer_no, k.store_id).where(*known).order_by(k.customer_no))
    worth = func.row(c.day, c.store_id)
    query = select(c.customer_no, func.arg_max(c.store_id, worth).label("store_id")).where(
        c.orders > 0, c.day <= as_of, one_of(c.customer_no, only)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id).group_by(c.customer_no).order_by(c.customer_no))
