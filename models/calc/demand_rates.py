"""What items (a product in a store) will sell in the days to come, from what they sold: the small interface between
demand and stock. Whoever knows better, such as a forecast, gives the same two numbers for any number of days.

The level is a mean of the days that are known, recent ones weighing more. The error of a forecast over d days has a
variance of its own shape: it grows faster than d, because the level moves and because busy weeks come in a row. One
item's history is too short to see that, so its daily variance is measured alone, drawn half-way towards what items of
its size have, and multiplied by what d days do to it, taken from all items together.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEEK = 7  # days
HALF_LIFE = 130.0  # days after which a day weighs half
WINDOW = 364  # days of history that are looked at
_OWN_PART = 0.35
_BEGIN = 56  # days before a level is trusted enough to measure its errors
_HORIZONS = (1, 7, 14, 28, 56)
_MOST_DRIFT = 1.5  # the error of the longest horizon seen grows with days to this power beyond it
_LEAST_RATE = 1e-6
_BLOCK = 8_192  # items
_YEAR = 364  # the same weekday of the year before
_SPANS = (28, 56, 112)  # days after which a change of level is looked for
_SHIFT, _SURE_SHIFT, _LEAST_UNITS = 4.0, 5.0, 30.0  # fewer units come in bursts by chance


class Outlook(Protocol):
    """What each item will sell."""

    @property
    def rate(self) -> Floats:
        """Units a day expected of each item."""
        ...

    def over(self, days: Floats) -> tuple[Floats, Floats]:
        """Units expected of each item in its next ``days`` and the variance of the error of that, both per item."""
        ...


@dataclass(frozen=True)
class Rates:
    """An outlook from history."""

    rate: Floats
    day_variance: Floats
    horizons: Floats  # days
    growth: Floats  # at each horizon: variance of the error over these days, in days of ``day_variance``

    def over(self, days: Floats) -> tuple[Floats, Floats]:
        longest = self.horizons[-1]
        within = np.interp(np.minimum(days, longest), self.horizons, self.growth)
        beyond = np.maximum(days / longest, 1.0) ** _MOST_DRIFT
        few = np.minimum(days, self.horizons[0]) / self.horizons[0]
        return self.rate * days, self.day_variance * within * beyond * few


@dataclass(frozen=True)
class Ahead:
    """An outlook from forecasts of the next weeks, which know what history does not: season, events, offers.

    Errors are those of history, grown with what is expected: a busier time strays in proportion, a quieter one no less
    than chance has it. Beyond the weeks things go on as in history. weeks: items x weeks, units; NaN: not forecast, so
    that history speaks.
    """

    base: Rates
    weeks: Floats

    @property
    def rate(self) -> Floats:
        """Units a day expected in the next four weeks."""
        month = self.weeks[:, :4].sum(axis=1) / (4 * WEEK)
        return np.where(np.isnan(month), self.base.rate, month)

    def over(self, days: Floats) -> tuple[Floats, Floats]:
        usual, variance = self.base.over(days)
        count = self.weeks.shape[1]
        so_far = np.concatenate([np.zeros((len(self.weeks), 1)), np.cumsum(self.weeks, axis=1)], axis=1)
        at = np.minimum(days / WEEK, count)
        whole = np.minimum(np.floor(at), count - 1).astype(np.int64)
        items = np.arange(len(so_far))
        mean = so_far[items, whole] + (at - whole) * self.weeks[items, whole]
        mean = mean + self.base.rate * np.maximum(days - count * WEEK, 0)
        mean = np.where(np.isnan(mean), usual, mean)
        return mean, variance * _strays(mean, usual)

    @property
    def week_variance(self) -> Floats:
        """Of the error of each single week (items x weeks)."""
        usual, variance = self.base.over(np.full(len(self.weeks), float(WEEK)))
        return variance[:, None] * _strays(self.weeks, usual[:, None])


def _strays(mean: Floats, usual: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usual > 0, mean / usual, 1.0)
    return np.maximum(ratio, ratio**2)


def levels(sold: Floats, half_life: float = HALF_LIFE) -> Floats:
    """The level of each item before each day and after the last: one column more than ``sold``.

    sold: one row per item and one column per day; NaN where a day tells nothing (not yet on sale, nothing to sell).
    """
    keep = 0.5 ** (1 / half_life)
    items, days = sold.shape
    found = np.zeros((items, days + 1))
    total, weight = np.zeros(items), np.zeros(items)
    for day in range(days):
        known = ~np.isnan(sold[:, day])
        total = np.where(known, keep * total + np.nan_to_num(sold[:, day]), total)
        weight = np.where(known, keep * weight + 1, weight)
        found[:, day + 1] = total / np.maximum(weight, 1)
    return found


def since_shift(sold: Floats, days: int | None = None) -> Floats:
    """The last ``days`` (all, unless told) of ``sold`` (as for ``levels``) from the day on which an item began to sell
    another quantity: what it sold before tells nothing of its level (NaN).

    The last ``_SPANS`` days are set against twice as many before, the latest change counting: a change is by a factor
    of ``_SHIFT`` at least, and further than ``_SURE_SHIFT`` standard errors of counts that vary as the item's days do;
    of fewer than ``_LEAST_UNITS`` nothing is said. Where it came a year before, too, it is the season.
    """
    found = whole = sold if days is None else sold[:, -days:]
    open_ = np.ones(len(sold), dtype=bool)
    for span in _SPANS:
        if sold.shape[1] < 3 * span:
            break
        rows = np.flatnonzero(open_ & _shifted(sold[:, -3 * span : -span], sold[:, -span:]))
        rows = rows[~(_as_last_year(sold[rows], 3 * span, span) & _as_last_year(sold[rows], span, 0))]
        if len(rows):
            found = found.copy() if found is whole else found
            found[rows, :-span] = np.nan
            open_[rows] = False
    return found


def _as_last_year(sold: Floats, first: int, end: int) -> NDArray[np.bool_]:
    """Whether an item sold about as much from ``first`` to ``end`` days before the end as in these days of the year
    before, as far as they are known."""
    days = sold.shape[1]
    now, then = (sold[:, max(days - back - first, 0) : max(days - back - end, 0)] for back in (0, _YEAR))
    known, units, _ = zip(*(_moments(part) for part in (now, then)), strict=True)
    rates = [each / np.maximum(count, 1) for each, count in zip(units, known, strict=True)]
    enough = known[1] >= (first - end) / 4
    found: NDArray[np.bool_] = enough & (np.maximum(*rates) <= _SHIFT * np.minimum(*rates))
    return found


def _shifted(before: Floats, after: Floats) -> NDArray[np.bool_]:
    days, units, rest = zip(*(_moments(part) for part in (before, after)), strict=True)
    rates = [each / np.maximum(count, 1) for each, count in zip(units, days, strict=True)]
    every, total = days[0] + days[1], units[0] + units[1]
    mean = total / np.maximum(every, 1)
    # Days vary by more than chance: quasi-Poisson.
    scatter = np.maximum((rest[0] + rest[1]) / np.maximum(every - 2, 1) / np.maximum(mean, _LEAST_RATE), 1.0)
    part = days[1] / np.maximum(every, 1)
    error = np.sqrt(np.maximum(scatter * total * part * (1 - part), _LEAST_RATE))
    enough = (days[0] >= _SPANS[0]) & (days[1] >= _SPANS[0] / 2) & (total >= _LEAST_UNITS)
    far = np.maximum(*rates) >= _SHIFT * np.minimum(*rates)
    found: NDArray[np.bool_] = enough & far & (np.abs(units[1] - total * part) > _SURE_SHIFT * error)
    return found


def _moments(sold: Floats) -> tuple[Floats, Floats, Floats]:
    """Of each item the days that are known, the units of them, and the squares around their mean."""
    days, filled = (~np.isnan(sold)).sum(axis=1).astype(np.float64), np.nan_to_num(sold)
    units = filled.sum(axis=1)
    return days, units, np.einsum("ij,ij->i", filled, filled) - units**2 / np.maximum(days, 1)


def from_history(sold: Floats) -> Rates:
    """The outlook of items of whom ``sold`` (as for ``levels``) is known, of its last ``WINDOW`` days."""
    sold = since_shift(sold, WINDOW)
    level = levels(sold)
    known = np.maximum((~np.isnan(sold)).sum(axis=1), 1)
    filled = np.nan_to_num(sold)
    mean = filled.sum(axis=1) / known
    own = np.maximum(np.einsum("ij,ij->i", filled, filled) / known - mean**2, 0)
    del filled
    usual = mean + _spread(mean, own) * mean**2
    day_variance = np.maximum(own, 0.25 * usual) ** _OWN_PART * usual ** (1 - _OWN_PART)
    horizons, growth = _growth(sold, level, own)
    return Rates(level[:, -1], np.maximum(day_variance, _LEAST_RATE), horizons, growth)


def _spread(mean: Floats, variance: Floats) -> float:
    """How far beyond Poisson the items' days vary: variance = mean + spread x mean^2, the median of all."""
    regular = mean > 0.1
    if not regular.any():
        return 0.0
    return max(float(np.median((variance[regular] - mean[regular]) / mean[regular] ** 2)), 0.0)


def _growth(sold: Floats, level: Floats, day_variance: Floats) -> tuple[Floats, Floats]:
    """The variance of the error over some days, in days of the daily variance: the median of all items."""
    parts = [_errors(sold[rows], level[rows], day_variance[rows]) for rows in blocks(len(sold))]
    horizons, growth = [1.0], [1.0]
    for horizon in _HORIZONS[1:]:
        found = np.concatenate([part.get(horizon, np.empty(0)) for part in parts]) if parts else np.empty(0)
        if not len(found):
            break
        horizons.append(float(horizon))
        growth.append(max(float(np.median(found)), growth[-1] * horizon / horizons[-2]))
    return np.array(horizons), np.array(growth)


def _errors(sold: Floats, level: Floats, day_variance: Floats) -> dict[int, Floats]:
    """Per horizon the mean squared error over so many days, in days of the daily variance, of the items that have
    enough of them."""
    days = sold.shape[1]
    unknown = np.isnan(sold)
    sums = np.concatenate([np.zeros((len(sold), 1)), np.cumsum(np.nan_to_num(sold), axis=1)], axis=1)
    gaps = np.concatenate([np.zeros((len(sold), 1)), np.cumsum(unknown, axis=1)], axis=1)
    seasoned = np.cumsum(~unknown, axis=1) >= _BEGIN  # by the end of each day
    found = {}
    for horizon in _HORIZONS[1:]:
        start = np.arange(_BEGIN, days - horizon + 1)
        if len(start) < horizon:
            break
        error = sums[:, start + horizon] - sums[:, start] - horizon * level[:, start]
        whole = (gaps[:, start + horizon] == gaps[:, start]) & seasoned[:, start - 1]
        enough = (whole.sum(axis=1) >= horizon) & (day_variance > 0.02)
        squares = np.where(whole, error**2, 0).sum(axis=1)[enough] / whole.sum(axis=1)[enough]
        found[horizon] = squares / day_variance[enough]
    return found


def blocks(items: int) -> list[slice]:
    """Some items at a time: work over all days of all of them would need memory many times over."""
    return [slice(at, at + _BLOCK) for at in range(0, items, _BLOCK)]


# --- the negative binomial of a demand with a mean and a variance ---------------------------------------------------


def _shape(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Its size and probability; a variance at or below the mean is that of nearly a Poisson."""
    mean = np.maximum(mean, _LEAST_RATE)
    variance = np.maximum(variance, 1.02 * mean)
    return mean**2 / (variance - mean), mean / variance


def quantile(mean: Floats, variance: Floats, probability: Floats | float) -> Floats:
    """The units that demand stays at or below with this probability."""
    size, chance = _shape(mean, variance)
    found: Floats = stats.nbinom.ppf(probability, size, chance)
    return found


def probability_above(stock: Floats, mean: Floats, variance: Floats) -> Floats:
    """How likely demand is to exceed ``stock`` (whole units; below 0 it surely does)."""
    size, chance = _shape(mean, variance)
    found: Floats = special.betainc(np.maximum(np.floor(stock), 0) + 1, size, 1 - chance)
    return np.where(stock < 0, 1.0, found)


def expected_above(stock: Floats, mean: Floats, variance: Floats) -> Floats:
    """The units of demand beyond ``stock`` that are to be expected."""
    size, chance = _shape(mean, variance)
    whole = np.maximum(np.floor(stock), 0)
    at_least = np.where(whole > 0, special.betainc(np.maximum(whole, 1), size + 1, 1 - chance), 1.0)
    beyond = mean * at_least - whole * special.betainc(whole + 1, size, 1 - chance)
    return np.maximum(beyond, 0)
