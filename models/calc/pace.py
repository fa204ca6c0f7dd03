"""Where a month will end, from what was sold so far: the share of the month that such days were before.

So far times what the same month of last year ended with beside what it had on that day, over all stores together, so
that events which come every year are in it; without a last year, times the median of the months before. The range is
what this very rule missed by in the months that are over: four in five ended within it.
"""

import math
from typing import Final

import numpy as np
import pandas as pd

LEAST_MISSES: Final = 8  # months of stores that are over, for a range
_YEAR: Final = pd.DateOffset(years=1)


def month_end(sold: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    """What each store will have sold at the end of ``month``: store_id, expected, lo80, hi80 (NaN where unknown).

    ``sold``: one row per store and month (its first day) with gross_sales and so_far (up to the day of the month that
    today is); of ``month`` both are what was sold so far.
    """
    together = sold.groupby("month")[["gross_sales", "so_far"]].sum()
    grows = (together["gross_sales"] / together["so_far"]).where(together["so_far"] > 0)
    over = sold[(sold["month"] < month) & (sold["so_far"] > 0) & (sold["gross_sales"] > 0)]
    rule = over["month"].map({one: _growth(grows, one) for one in over["month"].unique()}).astype("float64")
    missed = (over["gross_sales"] / (over["so_far"] * rule)).dropna()
    enough = len(missed) >= LEAST_MISSES
    low, high = np.quantile(missed, [0.1, 0.9]) if enough else (math.nan, math.nan)
    now = sold[sold["month"] == month]
    expected = now["so_far"] * _growth(grows, month)
    return pd.DataFrame(
        {
            "store_id": now["store_id"],
            "expected": expected,
            "lo80": np.maximum(expected * low, now["so_far"]),
            "hi80": expected * high,
        }
    ).reset_index(drop=True)


def _growth(grows: pd.Series, month: pd.Timestamp) -> float:
    """By how much what was sold so far grows until the end of a month, by the months before it."""
    last_year = grows.get(month - _YEAR, math.nan)
    if last_year == last_year:
        return float(last_year)
    before = grows[grows.index < month].dropna()
    return float(before.median()) if len(before) else math.nan
