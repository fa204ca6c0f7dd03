"""Where a budget earns most: incremental margin per unit of cost with its range, and what moving money would change.

Intervals of estimates that do not depend on one another are put together end by end: a sum or difference has the lower
end d - sqrt(sum of (estimate - its own end)^2). Source: G. Y. Zou and A. Donner, Construction of confidence limits
about effect measures, Statistics in Medicine 27 (2008).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.calc.lift import Estimate, share_difference

NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Arms:
    """Who did it of those who were treated and of those who were held back."""

    treated: int
    people: int
    control: int
    others: int


def added(estimates: pd.DataFrame) -> Estimate:
    """The sum of ``estimates`` (value, lo, hi) with its range; missing without any, or when one has no range."""
    ends = estimates.reindex(columns=["value", "lo", "hi"]).to_numpy(dtype=np.float64)
    if not len(ends) or np.isnan(ends).any():
        return Estimate(NAN, NAN, NAN)
    value, lo, hi = ends.T
    total = float(value.sum())
    below = float(np.sqrt(((value - lo) ** 2).sum()))
    above = float(np.sqrt(((hi - value) ** 2).sum()))
    return Estimate(total, total - below, total + above)


def per_unit(earned: Estimate, cost: float) -> Estimate:
    """What each unit of cost earned; missing without a cost."""
    if not cost > 0:
        return Estimate(NAN, NAN, NAN)
    return Estimate(earned.value / cost, earned.lo / cost, earned.hi / cost)


def moved(amount: float, giver: Estimate, taker: Estimate) -> Estimate:
    """What moving ``amount`` from one use to another changes, if the next unit earns what those before it did."""
    change = taker.value - giver.value
    below = float(np.hypot(taker.value - taker.lo, giver.hi - giver.value))
    above = float(np.hypot(taker.hi - taker.value, giver.value - giver.lo))
    return Estimate(amount * change, amount * (change - below), amount * (change + above))


def caused(arms: Arms) -> Estimate:
    """How many more of the treated did it than without the campaign, by those held back (Newcombe's interval)."""
    difference = share_difference(arms.treated, arms.people, arms.control, arms.others)
    return Estimate(*(arms.people * end for end in (difference.value, difference.lo, difference.hi)))


def cost_of_one(cost: float, caused_by_it: Estimate) -> Estimate:
    """What each customer who was caused cost; the dearest end is infinite where there may have been none, and nothing
    can be said where there was none."""
    if not cost > 0 or not caused_by_it.value > 0:
        return Estimate(NAN, NAN, NAN)
    dearest = cost / caused_by_it.lo if caused_by_it.lo > 0 else float("inf")
    return Estimate(cost / caused_by_it.value, cost / caused_by_it.hi, dearest)
