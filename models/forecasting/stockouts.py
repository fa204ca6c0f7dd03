"""What would have sold, had there been stock: a day without stock says nothing of demand."""

import numpy as np
from numpy.typing import NDArray

from models.forecasting.panel import Floats

_WEEKS = 8


def corrected(sold: Floats, empty: NDArray[np.bool_]) -> Floats:
    """The daily history with days without stock raised to what the same weekdays around sold; never lowered.

    sold: series x days. empty: whether the series was out of stock on that day, so that its sales are a lower bound.
    """
    known = np.where(empty, np.nan, sold)
    wide = np.pad(known, ((0, 0), (7 * _WEEKS, 7 * _WEEKS)), constant_values=np.nan)
    around = np.stack([wide[:, 7 * week : 7 * week + sold.shape[1]] for week in range(2 * _WEEKS + 1)])
    there = ~np.isnan(around)
    usual = np.where(there, around, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.asarray(np.where(empty, np.fmax(sold, usual), sold))
