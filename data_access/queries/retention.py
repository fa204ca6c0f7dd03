"""Months in which identified customers of the stores in scope came back."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Engine

from data_access.marts.tables import MONEY_UNIT
from data_access.queries._customer_days import customer_days, starts
from data_access.scope import Scope


def cohort_months(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per cohort and calendar month with an order or a return, up to the end of ``as_of``.

    Months are counted from January 1970 (month 0). A cohort is the month of the first counted order in the
    stores in scope; -1: customers with returns only.

    Columns: cohort, month, customers (of the cohort with an order in that month), repeat_customers (those of
    them who have two orders or more by ``as_of``), orders, gross_sales, net_sales, repeat_net_sales (net sales
    of the customers with two orders or more by ``as_of``).
    """
    rows = customer_days(scope, engine, as_of)
    month = _month_of_day(rows.day)
    first = starts(rows.customer_no)
    size = np.diff(np.append(first, len(month)))
    never = np.iinfo(np.int32).max
    bought = rows.orders > 0
    if len(first):
        cohort = np.minimum.reduceat(np.where(bought, month, never), first)
        repeats = np.repeat(np.add.reduceat(rows.orders, first) >= 2, size)
    else:
        cohort, repeats = np.empty(0, dtype=np.int32), np.empty(0, dtype=bool)
    cohort = np.repeat(np.where(cohort == never, -1, cohort), size)
    # One entry per customer and month with an order: the first such entry of each run.
    visit = np.flatnonzero(bought)
    visit = visit[starts(rows.customer_no[visit], month[visit])]

    # Every (cohort, month) pair has its place in a small table; bincount's sums are exact below 2**53.
    oldest = int(month.min(initial=0))
    span = int(month.max(initial=0)) - oldest + 1
    place = np.where(cohort < 0, 0, cohort - oldest + 1) * span + month - oldest
    size_of_table = span * (span + 1)
    pair = np.flatnonzero(np.bincount(place, minlength=size_of_table))

    def count(entries: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.bincount(place[entries], minlength=size_of_table)[pair].astype(np.int64)

    def total(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(place, weights=values, minlength=size_of_table), dtype=np.float64)[pair]

    return pd.DataFrame(
        {
            "cohort": np.where(pair < span, -1, pair // span - 1 + oldest),
            "month": pair % span + oldest,
            "customers": count(visit),
            "repeat_customers": count(visit[repeats[visit]]),
            "orders": total(rows.orders).astype(np.int64),
            "gross_sales": total(rows.gross_sales) / MONEY_UNIT,
            "net_sales": total(rows.net_sales) / MONEY_UNIT,
            "repeat_net_sales": total(rows.net_sales * repeats) / MONEY_UNIT,
        }
    )


def _month_of_day(day: NDArray[np.int32]) -> NDArray[np.int32]:
    """The number of the calendar month of each day since 1970-01-01, by way of the few days there are."""
    oldest = int(day.min(initial=0))
    days = np.arange(oldest, int(day.max(initial=0)) + 1)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int32)
    return months[day - oldest]
