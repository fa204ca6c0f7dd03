"""ABC classes: the few who bring most of the value, the many who bring the rest."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

CLASSES = ("A", "B", "C", "U")


def abc_classes(
    values: NDArray[np.float64], tie_order: NDArray[np.int64], a: float = 0.80, b: float = 0.95
) -> "pd.Categorical[str]":
    """The class of each value.

    In descending order of value (equal ones by ``tie_order``), whoever comes before the share ``a`` of the total
    is reached is A, so the one who reaches it still is; then B up to ``b``, then C. U: no positive value.

    Raises:
        ValueError: not 0 < a <= b <= 1.
    """
    if not 0 < a <= b <= 1:
        raise ValueError(f"the thresholds must satisfy 0 < a <= b <= 1, not a = {a}, b = {b}")
    order = np.lexsort((tie_order, -values))
    positive = np.clip(values[order], 0, None)
    before = np.cumsum(positive) - positive
    total = positive.sum()
    # Sums of floats: a share that is .8 on paper must not become B by its last bit.
    share = before / total + 1e-12 if total > 0 else before
    codes = np.empty(len(values), dtype=np.int64)
    codes[order] = np.where(positive > 0, (share >= a).astype(np.int64) + (share >= b), 3)
    return pd.Categorical.from_codes(codes, categories=pd.Index(CLASSES))
