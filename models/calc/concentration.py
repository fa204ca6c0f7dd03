"""How much the best customers bring: their share of a total, with its interval, and the curve behind it."""

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calc.likelihood import Z95

Floats = NDArray[np.float64]

TOP = 0.1
POINTS = 120  # of a curve
_MOST_SKEW = 0.25  # of a mean: with more of it, Hall's correction overshoots


def top_share(amounts: Floats, top: float = TOP) -> tuple[float, float, float]:
    """The share of the best ``top`` of the customers in what all bring together, and its interval of 95 %.

    amounts: what each customer brings; those without anything above 0 do not count. NaN for fewer than two customers.

    The interval says how far the share would move with other customers of the same kind: by the amount each of them
    moves it (its influence function), with Hall's correction, because a few customers move it far more than the rest.
    """
    known = np.sort(amounts[amounts > 0])[::-1]
    n = len(known)
    if n < 2:
        return math.nan, math.nan, math.nan
    whole = int(top * n)
    cut = float(known[min(whole, n - 1)])
    mean = float(known.mean())
    # The last customer at the cut counts by the part that completes the share of customers.
    share = (float(known[:whole].sum()) + (top * n - whole) * cut) / (n * mean)
    moves = (np.maximum(known - cut, 0) + top * cut - share * known) / mean
    error = float(moves.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return share, share, share
    skew = float(((moves - moves.mean()) ** 3).mean()) / float(moves.std()) ** 3 / math.sqrt(n)
    low, high = share - _corrected(Z95, skew) * error, share - _corrected(-Z95, skew) * error
    return share, max(low, 0.0), min(high, 1.0)


def _corrected(quantile: float, skew: float) -> float:
    """A normal quantile as that of a mean whose studentised error has this skewness (Hall 1992)."""
    skew = min(max(skew, -_MOST_SKEW), _MOST_SKEW)
    if abs(skew) < 1e-9:
        return quantile
    return 3 / skew * float(np.cbrt(1 + skew * (quantile - skew / 6)) - 1)


def curve(amounts: Floats) -> pd.DataFrame:
    """The best customers and what they bring together, at most ``POINTS`` rows.

    Columns: customers (so many of the best, of those above 0), customer_share, net_sales, net_sales_share (of them
    together; shares are fractions of those above 0).
    """
    known = np.sort(amounts[amounts > 0])[::-1]
    n = len(known)
    # Denser where the curve bends: among the best.
    steps = np.unique(np.ceil(n * np.linspace(0, 1, POINTS + 1)[1:] ** 2).astype(np.int64)) if n else np.empty(0, int)
    sums = np.cumsum(known)[steps - 1] if n else np.empty(0)
    total = float(known.sum()) or 1.0
    return pd.DataFrame(
        {
            "customers": steps,
            "customer_share": steps / max(n, 1),
            "net_sales": sums,
            "net_sales_share": sums / total,
        }
    )
