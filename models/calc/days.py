"""Sums over the rows of a mart by store and day: of periods, days, months, stores and regions.

All start from the same rows, so stores add up to their regions, and stores and days to the whole, by construction.
The rows hold money and units in whole ten-thousandths, which add up exactly (below 2**53); the sums are in the chain's
currency and in units. Whatever else the rows count is summed as it is; traffic is NaN where no row of a sum has any.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.tables import MONEY_UNIT
from data_access.scope import Period

Groups = NDArray[np.integer]
_EXACT = ("gross_sales", "returns", "net_sales", "returns_of_sales", "units", "returned_units")
_OF_PLACES = ("net_sales", "gross_sales", "returns", "orders", "units")


def totals(days: pd.DataFrame, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given, indexed by position: the sums of its days."""
    sums = []
    for period in periods:
        rows = days[within(days, period)]
        sums.append(sums_by(rows, np.zeros(len(rows), dtype=np.int64), 1))
    return pd.concat([pd.DataFrame(one) for one in sums], ignore_index=True)


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


def by_place(
    days: pd.DataFrame, place_of: pd.Series, period: Period, previous: Period | None, last_year: Period | None
) -> pd.DataFrame:
    """One row per place, which is the index, in the order in which ``place_of`` first names it; 0 without a row.

    Args:
        place_of: the place of each store (itself, or its region), by store_id.

    Returns:
        net_sales, gross_sales, returns, orders and units of ``period``, and the net sales of the other two:
        previous, last_year (NaN without such a period).
    """
    places = pd.Index(place_of.unique())
    stores = days["store_id"].array
    group = places.get_indexer(place_of.reindex(stores.categories))[stores.codes]

    def summed(columns: Sequence[str], chosen: Period) -> dict[str, NDArray[Any]]:
        inside = within(days, chosen)
        return sums_by(days.loc[inside, list(columns)], group[inside], len(places))

    found = summed([column for column in _OF_PLACES if column in days], period)
    for name, other in (("previous", previous), ("last_year", last_year)):
        found[name] = np.full(len(places), np.nan) if other is None else summed(["net_sales"], other)["net_sales"]
    return pd.DataFrame(found, index=places)


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
