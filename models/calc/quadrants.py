"""Four quadrants: how often somebody comes against how much somebody spends."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

QUADRANTS = ("frequent_high", "frequent_low", "rare_high", "rare_low")


def medians(visits: NDArray[np.float64], spend: NDArray[np.float64]) -> tuple[float, float]:
    """Where the quadrants are cut unless somebody sets other points; NaN without customers."""
    if not len(visits):
        return float("nan"), float("nan")
    return float(np.median(visits)), float(np.median(spend))


def quadrant_of(
    visits: NDArray[np.float64], spend: NDArray[np.float64], visits_cut: float, spend_cut: float
) -> "pd.Categorical[str]":
    """The quadrant of each customer: frequent above ``visits_cut``, high above ``spend_cut`` (on the cut is below)."""
    codes = 2 * (visits <= visits_cut).astype(np.int64) + (spend <= spend_cut)
    return pd.Categorical.from_codes(codes, categories=pd.Index(QUADRANTS))
