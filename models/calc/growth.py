"""How fast the number of new customers grows, which share of the active ones stops, and how sure that is."""

from typing import Any

import numpy as np
import pandas as pd

from models.calc.funnel import wilson
from models.calc.lift import holm, share_p

CLEAR = 0.05  # the chance of calling any unit different when all are alike


def growth(now: Any, before: Any) -> pd.DataFrame:
    """``now / before - 1`` of two counts, with the interval of 95 % for the ratio of what was to be expected.

    Counts of people who decide on their own are Poisson; given both together, those of ``now`` are a binomial share
    (J. Przyborowski and H. Wilenski, Homogeneity of results in testing samples from Poisson series, Biometrika 31,
    1940), whose Wilson interval becomes one of the ratio. Missing where nobody came before: no growth out of nothing.

    Returns one row per pair: growth, lo95, hi95.
    """
    later, earlier = _counts(now), _counts(before)
    known = earlier > 0
    low, high = wilson(later.where(known), (later + earlier).where(known))
    return pd.DataFrame(
        {
            "growth": (later / earlier).where(known) - 1,
            "lo95": low / (1 - low) - 1,
            "hi95": high / (1 - high) - 1,
        }
    )


def share(part: Any, whole: Any) -> pd.DataFrame:
    """``part / whole`` with Wilson's interval of 95 %; missing of nobody. Returns rate, lo95, hi95."""
    top, bottom = _counts(part), _counts(whole)
    low, high = wilson(top, bottom)
    return pd.DataFrame({"rate": top / bottom.where(bottom > 0), "lo95": low, "hi95": high})


def against_the_rest(part: Any, whole: Any) -> list[str]:
    """Of each unit whether its share lies above or below that of all others together, or cannot be told from it.

    Fisher's exact test, two-sided; with many units some differ by chance, so the p-values are adjusted for having
    looked at all (Holm). Of growth, the share is that of ``now`` in both counts.
    """
    parts, wholes = (values.astype("int64").tolist() for values in (_counts(part), _counts(whole)))
    every_part, every_whole = sum(parts), sum(wholes)
    above, below = [], []
    for x, n in zip(parts, wholes, strict=True):
        more, fewer = share_p(x, n, every_part - x, every_whole - n)
        above.append(more)
        below.append(fewer)
    p = holm(np.minimum(2 * np.minimum(above, below), 1.0).tolist())
    return [
        "unclear" if not chance < CLEAR else "above" if more < fewer else "below"
        for chance, more, fewer in zip(p, above, below, strict=True)
    ]


def _counts(values: Any) -> pd.Series:
    return pd.Series(np.atleast_1d(np.asarray(values, dtype="float64")))
