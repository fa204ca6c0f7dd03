"""Single values that cannot be what usually happens: a wrong amount, a dealer's order of a whole year.

Hampel's identifier (the median and the median absolute deviation instead of mean and standard deviation, F. R. Hampel,
JASA 69, 1974) on logarithms of the periods that sold. What comes again, as a season or an event does, is none: a gross
outlier stands far above every other value, too.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FAR = 6.0  # robust standard deviations of the logarithm
_LEAST_SPREAD = float(np.log(2))  # of series that nearly always sell the same
_ALONE = 4.0  # times the next largest value
_LEAST_SALES = 8  # periods that sold, below which nothing is usual
_NORMAL = 1.4826  # of the median absolute deviation, of normal errors


def without_gross(values: Floats) -> Floats:
    """``values`` (series x periods, NaN: not known) with gross outliers brought down to the next largest value.

    What sold in too few periods to say what is usual of it is judged among all such series.
    """
    sold = np.nan_to_num(values)
    smallest = np.where(sold > 0, sold, np.inf).min(axis=1, initial=np.inf)
    # Most series hold nothing that far from anything.
    rows = np.flatnonzero(sold.max(axis=1, initial=0.0) > np.exp(_FAR * _LEAST_SPREAD) * smallest)
    groups = [np.ravel_multi_index((row, np.flatnonzero(sold[row] > 0)), sold.shape) for row in rows]
    few = np.flatnonzero((sold > 0).sum(axis=1) < _LEAST_SALES)
    part, period = np.nonzero(sold[few] > 0)
    groups.append(np.ravel_multi_index((few[part], period), sold.shape))
    found = values
    for at in groups:
        lowered = _lowered(sold.ravel()[at])
        changed = lowered != sold.ravel()[at]
        if changed.any():
            found = found.copy() if found is values else found
            found[np.unravel_index(at[changed], sold.shape)] = lowered[changed]
    return found


def _lowered(sold: Floats) -> Floats:
    """The same amounts without those that stand alone above the others."""
    found = sold.copy()
    for _ in range(len(sold) - _LEAST_SALES + 1):
        below, top = np.argsort(found)[-2:]
        if not (_far(found) and found[top] > _ALONE * found[below]):
            break
        found[top] = found[below]
    return found


def _far(sold: Floats) -> bool:
    """Whether the largest of these is further from their median than they are from each other."""
    logs = np.log(sold)
    middle = np.median(logs)
    spread = max(_NORMAL * float(np.median(np.abs(logs - middle))), _LEAST_SPREAD)
    return bool(logs.max() > middle + _FAR * spread)
