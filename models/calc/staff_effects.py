"""What each person sells beside what the shifts they were given would lead one to expect, and how sure that is.

The logarithm of the sales an hour of each shift (or of a week or four of shifts, where many go without a sale) is
compared with that of the others in the same store, after what the shift brings with it (how busy its hours are, the
week) has been taken out by a regression within stores, weighted by hours. What is left of a person is shrunk towards
nothing in proportion to the noise in it (empirical Bayes; the spread between people by the method of moments of
DerSimonian and Laird 1986), so that nobody leads for a few lucky shifts; that the spread itself is estimated is
allowed for as Morris does (JASA 1983). A person's effect is relative to the colleagues in the store: it says nothing
of the store.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

LEAST_PEOPLE = 4

_Z = float(norm.ppf(0.975))
# So many days are looked at together, if that leaves at most this share of them without a sale.
_BLOCKS = (1, 7, 14, 28)
_MOST_EMPTY = 0.02
_LEAST_BLOCKS = 4  # of the days looked at: fewer say nothing of the noise
# What is still without a sale has a logarithm, too: this share of the median sales is added to each.
_FLOOR = 0.05


def block_days(days: NDArray[np.datetime64], sales: Floats, person: Whole) -> int:
    """How many days of a person are looked at together: the fewest that nearly always have a sale, at most four
    weeks, and at most a quarter of all days."""
    most = max((int((days.max() - days.min()).astype(np.int64)) + 1) // _LEAST_BLOCKS, 1)
    possible = [length for length in _BLOCKS if length <= most]
    for length in possible:
        _, block = np.unique(np.column_stack([person, block_of(days, length)]), axis=0, return_inverse=True)
        if (np.bincount(block, weights=sales) <= 0).mean() <= _MOST_EMPTY:
            return length
    return possible[-1]


def block_of(days: NDArray[np.datetime64], length: int) -> Whole:
    """The number of the block of ``length`` days that each day lies in; the last block ends on the last day."""
    ago = (days.max() - days).astype("timedelta64[D]").astype(np.int64)
    found: Whole = ago // length
    return found


@dataclass(frozen=True, slots=True)
class Effects:
    """One entry per person, in the order of their numbers: sales as a multiple of the expected ones (1 = as expected).

    adjusted with its 95 % interval (lo95, hi95) after shrinkage; unshrunk without it.
    spread: standard deviation of the true effects between people, of the logarithm.
    reliability: of each person, which part of what is seen is them and not chance, 0 to 1.
    slopes: what one unit of each covariate does to the logarithm of the sales an hour.
    """

    adjusted: Floats
    lo95: Floats
    hi95: Floats
    unshrunk: Floats
    reliability: Floats
    spread: float
    slopes: Floats


def log_rate(sales: Floats, hours: Floats) -> Floats:
    """The logarithm of the sales an hour of shifts (hours above 0), those without a sale or with more returned
    included."""
    positive = sales[sales > 0]
    floor = _FLOOR * float(np.median(positive)) if len(positive) else 1.0
    rate: Floats = np.log((np.maximum(sales, 0.0) + floor) / hours)
    return rate


def effects(
    rate: Floats, hours: Floats, store: Whole, person: Whole, covariates: Floats, week: Whole | None = None
) -> Effects:
    """The effects of people, numbered from 0 without a gap, from shifts: one entry per shift in ``rate`` (logarithm of
    sales an hour), ``hours`` (above 0), ``store`` (from 0) and ``person``; ``covariates`` has one row per shift.

    week: the number (from 0) of the week of each shift, where what a week brings to all is to be taken out, too.
    The variance of a shift is taken to fall with its hours. ValueError for fewer than ``LEAST_PEOPLE``.
    """
    y = _within(rate, hours, store)
    x = np.column_stack([_within(column, hours, store) for column in covariates.T] or [np.zeros((len(y), 0))])
    slopes, left = _regress(y, x, hours, store, np.zeros(len(y), dtype=np.int64) if week is None else week)
    people = int(person.max()) + 1 if len(person) else 0
    if people < LEAST_PEOPLE:
        raise ValueError(f"the effects of {people} people cannot be told from chance: {LEAST_PEOPLE} are needed")
    weight = np.bincount(person, weights=hours, minlength=people)
    mean = np.bincount(person, weights=hours * left, minlength=people) / weight
    freedom = len(rate) - people - len(slopes)
    noise = float((hours * (left - mean[person]) ** 2).sum() / freedom) if freedom > 0 else float("nan")
    variance = noise / weight
    spread = _spread(mean, variance)
    chance = (people - 3) / (people - 1) * variance / (spread + variance)  # the part of what is seen that is chance
    centre = (1 - chance) * mean
    doubt = 2 / (people - 3) * chance**2 * (variance.mean() + spread) / (variance + spread) * mean**2
    error = np.sqrt(variance * (1 - (people - 1) / people * chance) + doubt)
    return Effects(
        adjusted=np.exp(centre),
        lo95=np.exp(centre - _Z * error),
        hi95=np.exp(centre + _Z * error),
        unshrunk=np.exp(mean),
        reliability=1 - chance,
        spread=float(np.sqrt(spread)),
        slopes=slopes,
    )


def rank_ranges(lo95: Floats, hi95: Floats, among: tuple[Floats, Floats] | None = None) -> tuple[Whole, Whole]:
    """For each person the best and the worst place that cannot be ruled out: after everybody whose whole interval lies
    above theirs, before everybody whose whole interval lies below. among: the intervals of everybody, where these are
    only some of them."""
    every_lo, every_hi = among or (lo95, hi95)
    above = len(every_lo) - np.searchsorted(np.sort(every_lo), hi95, side="right")
    below = np.searchsorted(np.sort(every_hi), lo95, side="left")
    return above.astype(np.int64) + 1, len(every_lo) - below.astype(np.int64)


def _within(values: Floats, weights: Floats, group: Whole) -> Floats:
    """Values less the weighted mean of their group."""
    total = np.bincount(group, weights=weights)
    mean = np.bincount(group, weights=weights * values) / np.where(total > 0, total, 1.0)
    found: Floats = values - mean[group]
    return found


def _regress(y: Floats, x: Floats, weights: Floats, store: Whole, week: Whole) -> tuple[Floats, Floats]:
    """The slopes of ``x``, then of each week but the first, on ``y`` within stores, and what is left of ``y``.

    The weeks never become columns of their own (a year of ten thousand people would not fit): the sums that the normal
    equations need of them follow from the hours of each store and week.
    """
    weeks = int(week.max()) + 1 if len(week) else 1
    cells = np.zeros((int(store.max()) + 1 if len(store) else 1, weeks))
    np.add.at(cells, (store, week), weights)
    of_store = cells.sum(axis=1, keepdims=True)
    share = cells / np.where(of_store > 0, of_store, 1.0)
    both = np.column_stack([np.bincount(week, weights * column, weeks) for column in (*x.T, y)])[1:]
    between = (np.diag(cells.sum(axis=0)) - share.T @ cells)[1:, 1:]
    own = (x * weights[:, None]).T
    sums = np.block([[own @ x, both[:, :-1].T], [both[:, :-1], between]])
    found: Any = np.linalg.lstsq(sums, np.r_[own @ y, both[:, -1]], rcond=None)[0]
    slopes = np.asarray(found, dtype=np.float64)
    of_week = np.r_[0.0, slopes[x.shape[1] :]]
    left: Floats = y - x @ slopes[: x.shape[1]] - _within(of_week[week], weights, store)
    return slopes, left


def _spread(mean: Floats, variance: Floats) -> float:
    """The variance of true effects between people, never below 0 (DerSimonian and Laird 1986)."""
    weight = 1 / variance
    centre = (weight * mean).sum() / weight.sum()
    excess = (weight * (mean - centre) ** 2).sum() - (len(mean) - 1)
    return max(0.0, float(excess / (weight.sum() - (weight**2).sum() / weight.sum())))
