"""Retention: who comes back, by month of the first order."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import retention as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.cohorts import cohort_table, new_and_returning, retention_curve
from models.metrics import METRICS
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class RetentionReport:
    """Identified customers of the stores in scope up to the end of ``as_of``. Months are 'YYYY-MM'.

    A month is complete when the data reach its last day by ``as_of``. Months after the data are absent.
    """

    as_of: date
    months: int | None  # how many of the latest cohorts are shown; None: all
    currency: str
    # one row per cohort and month_number (0 = month of the first order) that has begun; customers: of the
    # cohort with an order in that month; size: the cohort; rate = customers / size
    cohorts: Annotated[pd.DataFrame, Columns("cohort month_number size customers rate complete")]
    # all shown cohorts together, complete months only: rate = customers / size of the cohorts that reached it
    curve: Annotated[pd.DataFrame, Columns("month_number size customers rate")]
    # one row per figure over all history: customers, repeat_customers, repeat_purchase_rate,
    # repeat_sales_rate, orders_per_customer
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per month from the first cohort shown: buyers whose first order is in the month, and the others
    new_returning: Annotated[
        pd.DataFrame,
        Columns("month new returning new_gross_sales returning_gross_sales new_net_sales returning_net_sales complete"),
    ]


SUMMARY = ("customers", "repeat_customers", "repeat_purchase_rate", "repeat_sales_rate", "orders_per_customer")


def retention(snapshot: Snapshot, scope: Scope, as_of: date, months: int | None = 24) -> RetentionReport:
    """Cohorts and repeat purchases of the stores in scope at the end of ``as_of``."""
    if months is not None and months < 1:
        raise Problem(f"months is a whole number from 1, not {months}")
    activity = queries.cohort_months(scope, snapshot.engine, as_of)
    info = snapshot.info
    # The data end on their last day whatever the calendar says; without any, no month has begun.
    end = min(as_of, info.last_day) if info.last_day is not None else as_of
    last_month, last_complete = _month(end), _month(end + timedelta(days=1)) - 1
    cohorts = cohort_table(activity, last_month, last_complete)
    new_returning = new_and_returning(activity[activity["month"] <= last_month], last_complete)
    if months is not None:
        cohorts = cohorts[cohorts["cohort"] > last_month - months].reset_index(drop=True)
        new_returning = new_returning[new_returning["month"] > last_month - months].reset_index(drop=True)
    frames = select_columns(
        RetentionReport,
        cohorts=cohorts.assign(cohort=_names(cohorts["cohort"])),
        curve=retention_curve(cohorts),
        summary=_summary(activity),
        new_returning=new_returning.assign(month=_names(new_returning["month"])),
    )
    return RetentionReport(as_of, months, info.currency, **frames)


def _month(day: date) -> int:
    """The number of a calendar month, January 1970 being 0."""
    return 12 * (day.year - 1970) + day.month - 1


def _names(months: pd.Series) -> pd.Series:
    return pd.Series([f"{1970 + m // 12}-{m % 12 + 1:02d}" for m in months], index=months.index, dtype="str")


def _summary(activity: pd.DataFrame) -> pd.DataFrame:
    known = activity[activity["cohort"] >= 0]
    firsts = known[known["cohort"] == known["month"]]
    sums = {
        "customers": firsts["customers"].sum(),
        "repeat_customers": firsts["repeat_customers"].sum(),
        "orders": known["orders"].sum(),
        "net_sales": known["net_sales"].sum(),
        "repeat_net_sales": known["repeat_net_sales"].sum(),
    }
    return pd.DataFrame(
        {
            "key": SUMMARY,
            "value": [METRICS[key].compute(sums) for key in SUMMARY],
            "unit": [METRICS[key].unit for key in SUMMARY],
        }
    )
