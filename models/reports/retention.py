"""Retention: who comes back, by month of the first order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from data_access.scope import Scope
from models.reports._shape import Columns

if TYPE_CHECKING:
    from data_access.snapshot import Snapshot


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


def retention(snapshot: Snapshot, scope: Scope, as_of: date, months: int | None = 24) -> RetentionReport:
    """Cohorts and repeat purchases of the stores in scope at the end of ``as_of``."""
    raise NotImplementedError
