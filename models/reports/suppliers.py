"""Suppliers: what they promise and what they do: lead times, what came late, short or rejected, late orders."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import places
from data_access.queries import suppliers as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.reports._shape import Columns, select_columns

KPIS = ("on_time_in_full", "fill_rate", "rejected_share", "late_lines")
DAYS = 364  # of orders that are looked at
_RATIOS = ("on_time_in_full", "short_share", "fill_rate", "rejected_share")


@dataclass(frozen=True, slots=True)
class SuppliersReport:
    """Lines that the stores in scope ordered in the ``DAYS`` up to ``as_of``. Days are calendar days from order to last
    receipt of complete lines: median and the 90th percentile. A line is due when its promised day has passed or it is
    complete; on time in full: complete, not after its promised day, nothing rejected."""

    as_of: date | None  # None: nothing was ever ordered
    currency: str
    # as models.metrics.kpis, all suppliers together, without comparisons
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per supplier, the least reliable first; days_late: actual_median_days - promised_days
    suppliers: Annotated[
        pd.DataFrame,
        Columns(
            "supplier_id supplier promised_days actual_median_days actual_p90_days days_late on_time_in_full lines "
            "short_share fill_rate rejected_share open_quantity late_lines due_lines"
        ),
    ]
    # one row per line that is open after its promised day, the longest overdue first; amount: its open units at cost
    late_orders: Annotated[
        pd.DataFrame,
        Columns(
            "purchase_order_id line_no supplier_id supplier store_id store product_id product ordered_on promised_on "
            "days_late open_quantity amount"
        ),
    ]
    # one row per supplier and product
    delivered: Annotated[
        pd.DataFrame,
        Columns(
            "supplier_id product_id product category lines promised_days actual_median_days actual_p90_days "
            "on_time_in_full short_share fill_rate rejected_share open_quantity late_lines"
        ),
    ]
    # one row per supplier and month of ordering (YYYY-MM)
    months: Annotated[
        pd.DataFrame,
        Columns("supplier_id month lines promised_days actual_median_days actual_p90_days on_time_in_full fill_rate"),
    ]


def suppliers(snapshot: Snapshot, scope: Scope) -> SuppliersReport:
    """The suppliers of the stores in scope at the end of the snapshot's last day."""
    engine, last = snapshot.engine, snapshot.info.last_day
    league = queries.league(scope, engine, last - timedelta(days=DAYS - 1), last) if last else pd.DataFrame()
    if last is None or league.empty:
        unknown = dict.fromkeys((part for key in KPIS for part in metrics.METRICS[key].parts), np.nan)
        nothing = select_columns(SuppliersReport, kpis=metrics.kpis(KPIS, unknown))
        return SuppliersReport(None, snapshot.info.currency, **nothing)
    since = last - timedelta(days=DAYS - 1)
    names = places.stores(scope, engine).set_index("store_id")["store"]
    late = queries.late_orders(scope, engine, last)
    months = _with_ratios(queries.by_month(scope, engine, since, last))
    rated = _with_ratios(league)
    rated["days_late"] = rated["actual_median_days"] - rated["promised_days"]
    sums = {part: float(league[part].sum()) for key in KPIS for part in metrics.METRICS[key].parts}
    frames = select_columns(
        SuppliersReport,
        kpis=metrics.kpis(KPIS, sums),
        suppliers=rated.sort_values(["on_time_in_full", "supplier_id"], ignore_index=True),
        late_orders=late.assign(store=late["store_id"].map(names)),
        delivered=_with_ratios(queries.products(scope, engine, since, last)),
        months=months.assign(month=pd.to_datetime(months["month"]).dt.strftime("%Y-%m")),
    )
    return SuppliersReport(last, snapshot.info.currency, **frames)


def _with_ratios(sums: pd.DataFrame) -> pd.DataFrame:
    """Rows of sums with the shares made of them, NaN where nothing tells."""
    chosen = {name: metrics.METRICS[name] for name in _RATIOS}
    ratios = {
        name: (sums[metric.numerator] / sums[str(metric.denominator)]).where(sums[str(metric.denominator)] > 0)
        for name, metric in chosen.items()
    }
    return sums.assign(**ratios)
