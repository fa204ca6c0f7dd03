"""How far a store's rate may lie from that of all stores by chance alone: the limits of a funnel plot.

A share of few cases lies far off more easily than one of many, so stores are not ranked by it: a store is looked at
when it lies beyond the limits for its number of cases. The inner limits are exact for binomial counts, interpolated
between whole cases; the outer ones allow for stores that differ in ways nobody here decides, by a variance between
stores (D. J. Spiegelhalter, Funnel plots for comparing institutional performance, Statistics in Medicine 24, 2005;
Handling over-dispersion of performance indicators, Quality and Safety in Health Care 14, 2005).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom, norm

Floats = NDArray[np.float64]
Verdict = Literal["chance", "differs", "far"]

INSIDE = 0.002  # of stores that are all alike, so many lie outside the limits
LEAST_STORES = 5
_WINSORISED = 0.1  # of each side of the stores, before the variance between them is judged


@dataclass(frozen=True, slots=True)
class Funnel:
    """The rate of all stores together, and the standard deviation between stores beyond chance."""

    centre: float
    between: float

    def exact(self, cases: Floats) -> tuple[Floats, Floats]:
        """The limits within which a store like all others lies, for these numbers of cases."""
        low, high = (_limit(cases, self.centre, chance) for chance in (INSIDE / 2, 1 - INSIDE / 2))
        return np.clip(low, 0, 1), np.clip(high, 0, 1)

    def wide(self, cases: Floats, exact: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
        """The limits that allow for the usual differences between stores, never inside the ``exact`` ones."""
        with np.errstate(divide="ignore"):
            variance = self.centre * (1 - self.centre) / cases + self.between**2
        reach = norm.ppf(1 - INSIDE / 2) * np.sqrt(variance)
        low, high = exact
        return np.clip(np.minimum(self.centre - reach, low), 0, 1), np.clip(np.maximum(self.centre + reach, high), 0, 1)


def funnel(hits: Floats, cases: Floats) -> Funnel | None:
    """Learnt from the stores (with cases); None from fewer than five of them, or when all or none are hits."""
    known = cases > 0
    x, n = hits[known], cases[known]
    if len(n) < LEAST_STORES or not 0 < x.sum() < n.sum():
        return None
    centre = float(x.sum() / n.sum())
    error = np.sqrt(centre * (1 - centre) / n)
    z = (x / n - centre) / error
    low, high = np.quantile(z, [_WINSORISED, 1 - _WINSORISED])
    dispersion, stores = float((np.clip(z, low, high) ** 2).mean()), len(n)
    weight = 1 / error**2
    spread = weight.sum() - (weight**2).sum() / weight.sum()
    between = max(stores * dispersion - (stores - 1), 0.0) / spread
    return Funnel(centre, float(np.sqrt(between)))


def judged(hits: pd.Series, cases: pd.Series) -> pd.DataFrame:
    """One row per store: rate, lo and hi (exact), lo_wide and hi_wide, verdict: chance (within the exact limits),
    differs (beyond chance, as stores usually do), far (beyond even that), NA without cases or with too few stores."""
    x, n = hits.to_numpy(np.float64), cases.to_numpy(np.float64)
    found = pd.DataFrame({"rate": hits / cases.where(cases > 0)}, index=hits.index)
    names = ["lo", "hi", "lo_wide", "hi_wide"]
    learnt = funnel(x, n)
    if learnt is None:
        unknown = pd.Series(pd.NA, hits.index, dtype=object)
        return found.assign(**dict.fromkeys(names, np.nan), verdict=unknown)
    counted = np.where(n > 0, n, np.nan)
    exact = learnt.exact(counted)
    limits = [*exact, *learnt.wide(counted, exact)]
    rate = found["rate"].to_numpy()
    verdict = np.where(
        (rate < limits[2]) | (rate > limits[3]),
        "far",
        np.where((rate < limits[0]) | (rate > limits[1]), "differs", "chance"),
    )
    words = pd.Series(verdict, hits.index, dtype=object).where(n > 0, pd.NA)
    return found.assign(**dict(zip(names, limits, strict=True)), verdict=words)


def _limit(cases: Floats, centre: float, chance: float) -> Floats:
    """The share below which a binomial share of these cases lies with this chance."""
    whole = binom.ppf(chance, cases, centre)
    above, below = binom.cdf(whole, cases, centre), binom.cdf(whole - 1, cases, centre)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Floats = (whole - (above - chance) / (above - below)) / cases
    return found
