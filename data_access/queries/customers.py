"""Identified customers, at the grain of the scope: only orders in its stores exist."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Engine, func, or_, select

from data_access.marts.tables import customer, customer_store_day
from data_access.queries._customer_days import MONEY_UNIT, customer_days, starts
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

    Columns: customer_no (place of the CRM's id in order), customer_key, first_day (of the first order ever,
    datetime64), last_day (of the last order ever) with its store_id (the last by id of two visited that
    day), orders_ever, and within the window (from ``window_first``; all history without it): orders, visits
    (distinct days with an order), gross_sales, net_sales.
    """
    rows = customer_days(scope, engine, as_of)
    first = starts(rows.customer_no)
    bought = rows.orders > 0
    inside = np.ones(len(rows.day), dtype=bool)
    if window_first is not None:
        inside = rows.day >= (window_first - date(1970, 1, 1)).days
    # Entries are in order of days, so the first and last order lie at the first and last entry with one.
    position = np.arange(len(rows.day))
    first_order = _reduce(np.minimum, np.where(bought, position, len(position)), first)
    last_order = _reduce(np.maximum, np.where(bought, position, -1), first)
    known = last_order >= 0
    opening, latest = first_order[known], last_order[known]
    visits = _distinct_days(rows.customer_no, rows.day, bought & inside, first)
    totals = pd.DataFrame(
        {
            "customer_no": rows.customer_no[first][known],
            "first_day": _days(rows.day[opening]),
            "last_day": _days(rows.day[latest]),
            "store_id": pd.Categorical.from_codes(
                rows.store[latest] - 1, categories=pd.Index(rows.store_ids, dtype=str)
            ),
            "orders_ever": _reduce(np.add, rows.orders, first)[known],
            "orders": _reduce(np.add, np.where(inside, rows.orders, 0), first)[known],
            "visits": visits[known],
            "gross_sales": _reduce(np.add, np.where(inside, rows.gross_sales, 0), first)[known] / MONEY_UNIT,
            "net_sales": _reduce(np.add, np.where(inside, rows.net_sales, 0), first)[known] / MONEY_UNIT,
        }
    )
    keys = _keys(scope, engine).sort_values("customer_no")
    totals.insert(
        1, "customer_key", keys["customer_key"].to_numpy()[np.searchsorted(keys["customer_no"], totals["customer_no"])]
    )
    return totals


def _reduce(sum_up: np.ufunc, values: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """``values`` of each customer, whose entries begin at ``first``, reduced to one."""
    return sum_up.reduceat(values, first) if len(first) else np.empty(0, dtype=np.int64)


def _distinct_days(
    customer_no: NDArray[np.int64], day: NDArray[np.int64], chosen: NDArray[np.bool_], first: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many different days the chosen entries of each customer hold."""
    entry = np.flatnonzero(chosen)
    new = np.ones(len(entry), dtype=bool)
    new[1:] = (customer_no[entry][1:] != customer_no[entry][:-1]) | (day[entry][1:] != day[entry][:-1])
    marks = np.zeros(len(day), dtype=np.int64)
    marks[entry[new]] = 1
    return _reduce(np.add, marks, first)


def _days(day: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return day.astype("datetime64[D]").astype("datetime64[us]")


def _keys(scope: Scope, engine: Engine) -> pd.DataFrame:
    c = customer_store_day.c
    query = select(c.customer_no, func.any_value(c.customer_key).label("customer_key")).group_by(c.customer_no)
    return fetch(engine, scope.limit(query, c.store_id))


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
