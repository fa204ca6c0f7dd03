"""Two groups compared within strata of people who are alike."""

from typing import Any

import numpy as np

from models.calc.funnel import Z95


def matched_difference(exposed: Any, happened: Any, stratum: Any) -> tuple[float, float, float]:
    """How much more often it ``happened`` to the ``exposed`` than to the others of the same stratum, with 95 %.

    The strata are put together by Mantel and Haenszel's weights, the interval by T. Sato (On the variance estimator for
    the Mantel-Haenszel risk difference, Biometrics 45, 1989), which holds for few large strata and for many small ones.
    NaN without a stratum that has both.
    """
    treated, came = (np.asarray(values, dtype=bool) for values in (exposed, happened))
    names, at = np.unique(np.asarray(stratum), return_inverse=True)
    groups = (treated & came, treated, ~treated & came, ~treated)
    a, n1, b, n0 = (np.bincount(at[group], minlength=len(names)).astype("float64") for group in groups)
    n = n1 + n0
    weight = float((n1 * n0 / n).sum())
    if weight == 0:
        return float("nan"), float("nan"), float("nan")
    difference = float(((a * n0 - b * n1) / n).sum()) / weight
    p = (n1**2 * b - n0**2 * a + n1 * n0 * (n0 - n1) / 2) / n**2
    q = (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    error = float(np.sqrt(max(difference * p.sum() + q.sum(), 0.0))) / weight
    return difference, difference - Z95 * error, difference + Z95 * error
