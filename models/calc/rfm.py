"""Recency, frequency, monetary value: scores from 1 (worst) to 5 (best), by quintiles of the base itself."""

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

TieRule = Literal["equal_size", "keep_ties"]
TIE_RULES: tuple[TieRule, ...] = ("equal_size", "keep_ties")
QUANTILES = (0.2, 0.4, 0.6, 0.8)


def rfm_scores(base: pd.DataFrame, monetary: str, tie_rule: TieRule) -> pd.DataFrame:
    """Scores of each customer.

    Args:
        base: one row per customer: id_rank (whole number; the order of the customers' ids), recency_days
            (whole days since the last order), orders, and the column named by ``monetary``.
        monetary: the column that M scores.
        tie_rule: 'keep_ties' gives equal values equal scores, so groups may differ in size: cut points are the
            quintiles (numpy.quantile, linear interpolation); F and M score 1 + the number of cut points
            strictly below the value, R scores 5 - the number strictly below the recency. 'equal_size' gives
            groups that differ by one customer at most: sorted by value, then customer id, position i of n
            scores floor(5 i / n) + 1; for R sorted by recency descending.

    Returns:
        r, f, m (int64), with the index of ``base``.

    Raises:
        ValueError: a column is missing, or the tie rule is not one of the two.
    """
    missing = {"id_rank", "recency_days", "orders", monetary} - set(base.columns)
    if missing:
        raise ValueError(f"the customers lack {sorted(missing)}")
    if tie_rule not in TIE_RULES:
        raise ValueError(f"a tie rule is one of {TIE_RULES}, not {tie_rule!r}")
    recency, frequency, money = (base[c].to_numpy(dtype=np.float64) for c in ("recency_days", "orders", monetary))
    if tie_rule == "keep_ties":
        scores = {"r": 5 - cuts_below(recency), "f": 1 + cuts_below(frequency), "m": 1 + cuts_below(money)}
    else:
        number = base["id_rank"].to_numpy()
        scores = {
            "r": _fifths(-recency, number),
            "f": _fifths(frequency, number),
            "m": _fifths(money, number),
        }
    return pd.DataFrame(scores, index=base.index)


def cut_points(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The four quintile cut points; NaN without values."""
    return np.quantile(values, QUANTILES) if len(values) else np.full(len(QUANTILES), np.nan)


def cuts_below(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many of the four cut points lie strictly below each value."""
    return np.searchsorted(cut_points(values), values, side="left").astype(np.int64)


def _fifths(values: NDArray[np.float64], tie_order: NDArray[np.int64]) -> NDArray[np.int64]:
    order = np.lexsort((tie_order, values))
    scores = np.empty(len(values), dtype=np.int64)
    scores[order] = 5 * np.arange(len(values)) // max(len(values), 1) + 1
    return scores
