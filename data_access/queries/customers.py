"""Identified customers, at the grain of the scope: only orders in its stores exist."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Engine, func, or_, select

from data_access.marts.tables import MONEY_UNIT, customer, customer_store_day
from data_access.queries._customer_days import CustomerDays, customer_days, starts
from data_access.queries._frame import fetch, within
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
        .group_by(c.customer_no)
    )
    one = scope.limit(per_customer, c.store_id).subquery()
    sums: list[ColumnElement[Any]] = []
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
    """One row per customer with a counted order up to the end of ``as_of``, by customer_no.

    Columns: customer_no (place of the CRM's id in order; ``keys`` has the pseudonyms), first_day (of the
    first order ever, datetime64), last_day (of the last order ever) with its store_id (the last by id of two
    visited that day), orders_ever, and within the window (from ``window_first``; all history without it):
    orders, visits (distinct days with an order), gross_sales, net_sales.
    """
    rows = customer_days(scope, engine, as_of)
    first = starts(rows.customer_no)
    bought = rows.orders > 0
    inside = None if window_first is None else rows.day >= (window_first - date(1970, 1, 1)).days
    # Entries are in order of days, so the first and last order lie at the first and last entry with one.
    position = np.arange(len(rows.day), dtype=np.int32)
    first_order = _reduce(np.minimum, np.where(bought, position, len(position)), first)
    last_order = _reduce(np.maximum, np.where(bought, position, -1), first)
    known = np.flatnonzero(last_order >= 0)
    opening, latest = first_order[known], last_order[known]

    def total(values: NDArray[Any]) -> NDArray[Any]:
        in_window = values if inside is None else np.where(inside, values, 0)
        return _reduce(np.add, in_window, first, np.int64)[known]

    visits = _distinct_days(rows, bought if inside is None else bought & inside)
    return pd.DataFrame(
        {
            "customer_no": rows.customer_no[first][known],
            "first_day": _days(rows.day[opening]),
            "last_day": _days(rows.day[latest]),
            "store_id": pd.Categorical.from_codes(
                rows.store[latest] - 1, categories=pd.Index(rows.store_ids, dtype=str)
            ),
            "orders_ever": _reduce(np.add, rows.orders, first, np.int64)[known],
            "orders": total(rows.orders),
            "visits": total(visits),
            "gross_sales": total(rows.gross_sales) / MONEY_UNIT,
            "net_sales": total(rows.net_sales) / MONEY_UNIT,
        }
    )


def _reduce(
    sum_up: np.ufunc, values: NDArray[Any], first: NDArray[np.int64], dtype: type | None = None
) -> NDArray[Any]:
    """``values`` of each customer, whose entries begin at ``first``, reduced to one."""
    return np.asarray(sum_up.reduceat(values, first, dtype=dtype)) if len(first) else np.empty(0, dtype=np.int64)


def _distinct_days(rows: CustomerDays, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of the chosen entries, the first of each customer and day."""
    entry = np.flatnonzero(chosen)
    marks = np.zeros(len(chosen), dtype=bool)
    marks[entry[starts(rows.customer_no[entry], rows.day[entry])]] = True
    return marks


def _days(day: NDArray[np.int32]) -> NDArray[np.datetime64]:
    return day.astype("datetime64[D]").astype("datetime64[us]")


def keys(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer with an order or a return in the stores in scope, by customer_no, registered or not.

    Columns: customer_no, customer_key.
    """
    c = customer_store_day.c
    query = select(c.customer_no, func.any_value(c.customer_key).label("customer_key")).group_by(c.customer_no)
    return fetch(engine, scope.limit(query, c.store_id).order_by(c.customer_no))


def registered(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per customer registered by ``as_of`` and at home in the stores in scope, by customer_no.

    Columns: customer_no, customer_key, store_id (the home store; NA when unknown, which only the whole chain
    sees).
    """
    c = customer.c
    query = (
        select(c.customer_no, c.customer_key, c.home_store_id.label("store_id"))
        .where(or_(c.joined_on.is_(None), c.joined_on <= as_of))
        .order_by(c.customer_no)
    )
    return fetch(engine, scope.limit(query, c.home_store_id))
