"""Overview: how much the stores in scope sold, against the period before and the same days last year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from data_access.scope import Period, Scope
from models.reports._shape import Columns

if TYPE_CHECKING:
    from data_access.snapshot import Snapshot

KPIS = (
    "net_sales",
    "gross_sales",
    "returns",
    "orders",
    "buyers",
    "average_ticket",
    "units_per_transaction",
    "new_customers",
    "returning_customers",
    "identified_share",
    "return_rate",
)


@dataclass(frozen=True, slots=True)
class OverviewReport:
    """Money in the chain's currency, excluding tax. Comparisons are net sales and NaN where the data do not
    cover them; ``previous`` is the equally long period just before, ``last_year`` the same calendar days."""

    period: Period | None  # the asked period, cut to the days the data cover; None when they cover none of it
    currency: str
    # one row per key figure; unit as in models.metrics
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per calendar month touched; month 'YYYY-MM'; complete: every day of it lies in period
    by_month: Annotated[pd.DataFrame, Columns("month gross_sales returns net_sales orders complete")]
    # one row per day of the period, days without sales too
    by_day: Annotated[pd.DataFrame, Columns("day net_sales gross_sales orders previous last_year")]
    # one row per store open in the period or with a figure, best first; share of net sales
    by_store: Annotated[
        pd.DataFrame,
        Columns("store_id store region_id region kind net_sales gross_sales returns orders previous last_year share"),
    ]
    # one row per region, best first; stores: how many rows of by_store it holds
    by_region: Annotated[
        pd.DataFrame, Columns("region_id region stores net_sales gross_sales returns orders previous last_year share")
    ]
    # ten best sellers (movement 'top', best first), then up to ten that lost most against the period before
    # ('falling', largest loss first); compared_with: net sales of the period before; change_ratio: change /
    # compared_with, NaN when that is not positive
    products: Annotated[
        pd.DataFrame, Columns("product_id product category net_sales units compared_with change change_ratio movement")
    ]


def overview(snapshot: Snapshot, scope: Scope, period: Period) -> OverviewReport:
    """Sales of the stores in scope in ``period``."""
    raise NotImplementedError
