"""How one customer buys: how often, how much, and what. Pure functions over a customer's own orders and lines."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

_LEAST = 3  # values, before their spread says anything
_LEAST_FOR_A_TAIL = 5


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """The median of ``values`` with the quartiles around it; the quartiles are NaN for fewer than three values."""
    known = np.asarray(values, dtype=float)
    if not known.size:
        return np.nan, np.nan, np.nan
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(middle), *((float(low), float(high)) if known.size >= _LEAST else (np.nan, np.nan))


def longest_usual(found: Sequence[float]) -> float:
    """The gap that nine of ten do not exceed; NaN for fewer than five."""
    return float(np.quantile(found, 0.9)) if len(found) >= _LEAST_FOR_A_TAIL else np.nan


def gaps(days: pd.Series) -> list[int]:
    """The days between one visit and the next: ``days`` of orders in any order, several of one day are one visit."""
    visits = np.unique(days.to_numpy().astype("datetime64[D]"))
    return [int(gap) for gap in np.diff(visits).astype(int)]


def favourites(lines: pd.DataFrame, dimensions: Sequence[str], most: int) -> pd.DataFrame:
    """What a customer buys, by each of ``dimensions`` (columns of ``lines``): at most ``most`` rows each, the highest
    net sales first.

    Columns: dimension, name, net_sales, units, orders, share (of the net sales with a known name). Unknown names are
    left out.
    """
    found = [_by(lines, dimension).head(most) for dimension in dimensions]
    columns = ["dimension", "name", "net_sales", "units", "orders", "share"]
    return pd.concat(found, ignore_index=True)[columns] if found else pd.DataFrame(columns=columns)


def _by(lines: pd.DataFrame, dimension: str) -> pd.DataFrame:
    known = lines[lines[dimension].notna() & (lines[dimension] != "")]
    sums = known.groupby(dimension, sort=False).agg(
        net_sales=("net", "sum"), units=("quantity", "sum"), orders=("order_id", "nunique")
    )
    total = sums["net_sales"].sum()
    ordered = sums.assign(share=sums["net_sales"] / total if total > 0 else np.nan).rename_axis("name").reset_index()
    ordered = ordered.sort_values(["net_sales", "name"], ascending=[False, True], kind="stable")
    return ordered.assign(dimension=dimension)
