"""Sums over rows by day and by store: of periods, days, months, stores and regions.

The rows hold money and units in whole ten-thousandths, which add up exactly (below 2**53); the sums are in the chain's
currency and in units. Whatever else the rows count is summed as it is; traffic is NaN where no row of a sum has any.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.tables import MONEY_UNIT
from data_access.scope import Period

Groups = NDArray[np.integer]
_EXACT = (
    "gross_sales", "returns", "net_sales", "returns_of_sales", "units", "returned_units", "previous", "last_year",
)  # fmt: skip


def totals(days: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given, indexed by position: the sums of its days."""
    rows = [np.flatnonzero(within(days, period)) for period in periods]
    group = np.repeat(np.arange(len(periods)), [len(found) for found in rows])
    return pd.DataFrame(sums_by(days.take(np.concatenate(rows)), group, len(periods)))


def by_month(days: pd.DataFrame, period: Period) -> pd.DataFrame:
    """One row per calendar month that has a row in the period, oldest first.

    Returns month ('YYYY-MM'), the sums, and complete: whether the period holds every day of the month.
    """
    rows = days[within(days, period)]
    months, group = np.unique(rows["day"].to_numpy().astype("datetime64[M]"), return_inverse=True)
    begins, ends = months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    complete = (begins >= np.datetime64(period.first)) & (ends <= np.datetime64(period.last) + 1)
    sums = sums_by(rows, group, len(months))
    return pd.DataFrame({"month": months.astype(str), **sums, "complete": complete})


def by_place(sums: pd.DataFrame, place_of: pd.Series, unknown: Collection[str] = ()) -> pd.DataFrame:
    """One row per place, which is the index, in the order in which ``place_of`` first names it; 0 without a row.

    Args:
        sums: one row per store: store_id and its sums over a period, the net sales of other ones among them.
        place_of: the place of each store (itself, or its region), by store_id.
        unknown: the columns of periods that are none: NaN.

    Returns:
        the columns of ``sums`` but store_id.
    """
    places = pd.Index(place_of.unique())
    group = places.get_indexer(place_of.reindex(sums["store_id"]))
    found = sums_by(sums.drop(columns=list(unknown)), group, len(places))
    return pd.DataFrame({**found, **dict.fromkeys(unknown, np.nan)}, index=places)


def within(days: pd.DataFrame, period: Period) -> NDArray[np.bool_]:
    """Which rows lie in the period."""
    day = days["day"].to_numpy()
    return np.asarray((day >= np.datetime64(period.first)) & (day <= np.datetime64(period.last)))


def sums_by(rows: pd.DataFrame, group: Groups, groups: int) -> dict[str, NDArray[Any]]:
    """The sums of each figure of the rows, by the number of their group (from 0, ``groups`` of them)."""
    return {
        str(name): _sum(str(name), values.to_numpy(), group, groups)
        for name, values in rows.items()
        if name not in ("store_id", "day")
    }


def _sum(name: str, values: NDArray[Any], group: Groups, groups: int) -> NDArray[Any]:
    if name == "traffic":
        known = ~np.isnan(values)
        sums = np.bincount(group[known], weights=values[known], minlength=groups)
        return np.where(np.bincount(group[known], minlength=groups) > 0, sums, np.nan)
    sums = np.bincount(group, weights=values, minlength=groups)
    return sums / MONEY_UNIT if name in _EXACT else sums.astype(np.int64)
