"""Which day of which series lies outside what was to be expected of it, and how often that happens by chance alone.

Each series has a band of its own: its recent level (weighted towards the latest days) times its week, the events and
promotions known ahead and, in series known by the week only, its season, drawn towards that of all series. Days can be
taken together: half of a day of ten receipts cannot be told from a quiet day, half of a week can. How far a day may lie
off is learnt from the same expectations of the year before: on a scale on which small and large series scatter alike
(by the negative binomial law: variances of counts grow with their mean, and with its square where all customers stay
away together), each series by its own spread, the shape of either tail by all of them. Over many series and figures of
one day, the false discovery rate is held by the step-up procedure of Benjamini and Hochberg (JRSS B 57, 1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.forecasting import events
from models.forecasting.panel import Floats, Panel

NOMINAL = 0.01  # the chance of lying outside the band on an ordinary day
BELOW = 0.9  # of that, the share below the band: a loss is what somebody must act on
FALSE_DISCOVERIES = 0.1  # of the alerts of a day
LEARNT = {"D": 364, "W": 52}  # one-step expectations behind the band: those of a year
_REFIT = {"D": 91, "W": 4}  # periods after which week, season, events and promotions are learnt anew
_RELEARN = {"D": 28, "W": 52}  # periods after which it is learnt anew how far off is far
_NO_ORDINARY_DAY = 0.003  # chance
_HALF_LIVES = (7.0, 14.0, 28.0, 56.0, 112.0)  # days of the level; weeks over weeks
LEAST = 56  # days of a series before anything is expected of it
_YEAR = 364  # periods behind the week and the choice of the half-life
_SHARED_DAYS = 8.0  # of each weekday: what the others say of the week of a series weighs as much
_TAIL = 0.01  # of a side: beyond it the tail is taken to fall off exponentially
_WITHIN = 4.0  # robust standard deviations: a level does not follow what lies farther off
_MOVED = 0.01  # of the logarithm: what events move by less is no day of an event
_HIGH_SEASON = 0.05  # the same of a season
_MOST_SHIFTED = (0.2, 5.0)  # factors of promotions
_RIDGE = 25.0
_OWN_SEASON = 0.7  # of what a series sold apart from the others in the same week of the years before
_FAR = 3.0  # standard deviations: what lies farther off says nothing of how far the rest scatters
_HALF = 0.5  # of a unit, which is half of the chance of the very value
_BY_ITSELF = 0.9  # of the scatter at the typical mean: it grows with the mean, the rest with its square
_STEPS = 4  # of Newton's method: to a thousandth of a unit
_NEXT_TO_NOTHING = 1e-9
_LIKE_OTHERS = 8.0  # days of events: that they scatter like others weighs as much


_Share = TypeVar("_Share", float, Floats)


@dataclass(frozen=True, slots=True)
class Bands:
    """Series x days: the value, what was expected the day before, the band of an ordinary day, the chance of a value as
    far out to either side (``BELOW`` of it below) on an ordinary day; NaN where nothing was expected or the day has no
    value."""

    value: Floats
    expected: Floats
    lo: Floats
    hi: Floats
    p: Floats


def bands(
    panel: Panel, table: pd.DataFrame, judged: int, together: Sequence[int] = (1,), nominal: float = NOMINAL
) -> dict[int, Bands]:
    """The bands of the last ``judged`` periods of a panel, and of so many of them ``together``: the sum of those up to
    each, expected from the periods before the first of them alone.

    panel: its values may have gaps (closed days), which are left out of a sum and of what is expected of it; a sum that
    knows less than half of its periods is none. ``known``: promotions and the like, by name. table: of events, as
    ``models.forecasting.events`` has it.
    """
    year = LEARNT[panel.frequency]
    first = max(panel.length - judged - year, min(LEAST, panel.length))
    # Threads of linear algebra on matrices as small as these only wait for each other.
    with threadpool_limits(1):
        expected, special = _expected(panel, table, first, together)
    every = _RELEARN[panel.frequency]
    return {
        many: _bands(_summed(panel.values, many), expected[many], special[many], judged, year, every, many, nominal)
        for many in together
    }


def _bands(
    values: Floats,
    expected: Floats,
    special: NDArray[np.bool_],
    judged: int,
    year: int,
    every: int,
    together: int,
    nominal: float,
) -> Bands:
    """The bands of the last ``judged`` values; how far is far is learnt anew for ``every`` few of them from the
    ``year`` before, for expectations become better the longer the history they are learnt from. What hardly an ordinary
    day does says nothing of ordinary days: it is left out."""
    length, ordinary = values.shape[1], values.copy()
    parts = []
    for begin in range(length - judged, length, every):
        past, end = max(begin - year, 0), min(begin + every, length)
        known = np.hstack([ordinary[:, past:begin], values[:, begin:end]])
        parts.append(_far(known, expected[:, past:end], special[past:end], begin - past, together, nominal))
        ordinary[:, begin:end][parts[-1].p < _NO_ORDINARY_DAY] = np.nan
    return Bands(*(np.hstack([getattr(part, field.name) for part in parts]) for field in fields(Bands)))


def _far(
    values: Floats, expected: Floats, special: NDArray[np.bool_], begin: int, together: int, nominal: float
) -> Bands:
    """The bands of the values from ``begin`` on, by how far those before it lay off."""
    law = _law(values[:, :begin], expected[:, :begin])
    score = law.scores(values, expected)
    wider = _wider(score[:, :begin], special[:begin])
    score = score / np.where(special, wider, 1.0)
    middle = begin // 2
    earlier, later = (_spread(score[:, part]) for part in (slice(0, middle), slice(middle, begin)))
    score = score / np.where(np.arange(values.shape[1]) < middle, earlier, later)
    below, above = (_Tail.of(side * score[:, :begin], together) for side in (-1, 1))
    now, mean = score[:, begin:], expected[:, begin:]
    width = later * np.where(special[begin:], wider, 1.0)
    chance = np.minimum(below.chance(-now) / BELOW, above.chance(now) / (1 - BELOW))
    return Bands(
        values[:, begin:],
        mean,
        law.value(mean, -below.beyond(nominal * BELOW) * width),
        law.value(mean, above.beyond(nominal * (1 - BELOW)) * width),
        np.where(np.isnan(now), np.nan, np.minimum(chance, 1.0)),
    )


def discoveries(p: Floats, share: float = FALSE_DISCOVERIES) -> NDArray[np.bool_]:
    """Which of these p-values (NaN: none) are alerts, so that at most ``share`` of alerts are false on average."""
    known = np.flatnonzero(~np.isnan(p))
    found = np.zeros(len(p), dtype=bool)
    ranked = known[np.argsort(p[known], kind="stable")]
    below = np.flatnonzero(p[ranked] <= share * np.arange(1, len(ranked) + 1) / max(len(ranked), 1))
    if len(below):
        found[ranked[: below[-1] + 1]] = True
    return found


# --- what is expected ---------------------------------------------------------------------------------------------


def _expected(
    panel: Panel, table: pd.DataFrame, first: int, together: Sequence[int]
) -> tuple[dict[int, Floats], dict[int, NDArray[np.bool_]]]:
    """What was expected of the sums of so many periods up to each from ``first`` on (NaN before), and which of them
    events move."""
    reach = max(together) - 1  # what a sum is expected from ends so many periods before its last
    expected = {many: np.full(panel.values.shape, np.nan) for many in together}
    special = {many: np.zeros(panel.length, dtype=bool) for many in together}
    calendar = events.marks(table, panel.dates[: panel.length]).event > 0
    for begin in range(first, panel.length, _REFIT[panel.frequency]):
        end = min(begin + _REFIT[panel.frequency], panel.length)
        profile, moved = _profile(panel, table, begin - reach, end)
        level = _level(panel.values[:, :end], profile, begin - reach)
        counted = ~np.isnan(panel.values[:, :end])
        for many in together:
            part = profile if many == 1 else _last(np.where(counted, profile, 0.0), many)
            expected[many][:, begin:end] = level[:, begin - many + 1 : end - many + 1] * part[:, begin:end]
            special[many][begin:end] = (
                _last((moved | calendar[:end])[None, :].astype(np.float64), many)[0, begin:end] > 0
            )
    return expected, special


def _summed(values: Floats, many: int) -> Floats:
    """The known values of so many periods up to each; NaN where less than half of them are known."""
    known = ~np.isnan(values)
    enough = _last(known.astype(np.float64), many) > many / 2
    found: Floats = np.where(enough, _last(np.where(known, values, 0.0), many), np.nan)
    return found


def _last(values: Floats, many: int) -> Floats:
    """The sum of so many periods up to each; of fewer at the beginning."""
    total = np.pad(values, ((0, 0), (many, 0))).cumsum(axis=1)
    found: Floats = total[:, many:] - total[:, :-many]
    return found


def _profile(panel: Panel, table: pd.DataFrame, begin: int, end: int) -> tuple[Floats, NDArray[np.bool_]]:
    """By what each period up to ``end`` differs from its level, learnt from those before ``begin``, and whether it is
    one that an event moves."""
    past = Panel(panel.ids, panel.dates[:end], panel.values[:, :begin], panel.frequency, panel.season)
    if panel.frequency == "D":
        factor = events.effects(past, table).factor
        profile = factor * _week(past.values / factor[:, :begin], panel.season, end)
        moved: NDArray[np.bool_] = np.any(np.abs(np.log(factor)) > _MOVED, axis=0)
    else:
        profile = _season(past.values, panel.season, end)
        moved = np.abs(np.log(profile[0])) > _HIGH_SEASON
    for values in panel.known.values():
        profile = profile * _promotion(past.values, profile, values[:, :end])
    return profile, moved


def _local(values: Floats, half: int) -> Floats:
    """The mean of the known values around each period."""
    known = ~np.isnan(values)
    sums, counts = (_window(part, half) for part in (np.nan_to_num(values), known.astype(np.float64)))
    found: Floats = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return found


def _window(values: Floats, half: int) -> Floats:
    padded = np.pad(values, ((0, 0), (half + 1, half)))
    total = padded.cumsum(axis=1)
    found: Floats = total[:, 2 * half + 1 :] - total[:, : values.shape[1]]
    return found


def _week(values: Floats, season: int, end: int) -> Floats:
    """The week of each series, drawn towards that of all, over the last year."""
    recent = slice(max(values.shape[1] - _YEAR, 0), None)
    level = _local(values, 2 * season)
    known = ~np.isnan(values) & (level > 0)
    sold, base = np.where(known, values, 0.0)[:, recent], np.where(known, level, 0.0)[:, recent]
    place = np.arange(values.shape[1])[recent] % season
    own_sold, own_base = (
        np.stack([part[:, place == day].sum(axis=1) for day in range(season)], 1) for part in (sold, base)
    )
    scaled = np.maximum(
        base.sum(axis=1, keepdims=True) / np.maximum(known[:, recent].sum(axis=1, keepdims=True), 1), 1e-9
    )
    shared = (own_sold / scaled).sum(axis=0) / np.maximum((own_base / scaled).sum(axis=0), 1e-9)
    prior = _SHARED_DAYS * scaled
    week = (own_sold + prior * shared) / (own_base + prior)
    found: Floats = week[:, np.arange(end) % season]
    return found


def _season(values: Floats, season: int, end: int) -> Floats:
    """The season of each series: what it sold in the period one and two seasons before, by its level of that season,
    drawn towards the median of all series."""
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.log(values / _local(values, season // 2))
    own = np.where(np.isfinite(own), own, np.nan)
    shared = np.array([np.median(part[~np.isnan(part)]) if np.isfinite(part).any() else 0.0 for part in own.T])
    apart = np.nan_to_num(own - shared)
    total, shared_total, seen = np.zeros((len(values), end)), np.zeros(end), np.zeros(end)
    for back in (season, 2 * season):
        past = np.arange(end) - back
        known = (past >= 0) & (past < len(shared))
        total[:, known] += apart[:, past[known]]
        shared_total[known] += shared[past[known]]
        seen[known] += 1
    times = np.maximum(seen, 1)
    found: Floats = np.exp((shared_total + _OWN_SEASON * total) / times)
    return found


def _promotion(values: Floats, profile: Floats, known: Floats) -> Floats:
    """By what something known ahead multiplies sales: one slope for all series, as far as the data show it."""
    length = values.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = values / profile[:, :length]
        ratio = rest / _local(rest, 2 * 7)
    use = np.isfinite(ratio) & (known[:, :length] == known[:, :length])
    x, y = known[:, :length][use], ratio[use]
    if len(x) < 2 or not np.ptp(x):
        return np.ones_like(known)
    centred = x - x.mean()
    slope = float(centred @ (y - y.mean()) / (centred @ centred + _RIDGE * x.var()))
    found: Floats = np.clip(1 + slope * (known - x.mean()), *_MOST_SHIFTED)
    return found


def _level(values: Floats, profile: Floats, begin: int) -> Floats:
    """The level of each series just before each period, with the half-life that did best before ``begin``."""
    many, past = len(_HALF_LIVES), slice(max(begin - _YEAR, 0), begin)
    half_lives = np.repeat(_HALF_LIVES, len(values))
    every, part = np.tile(values, (many, 1)), np.tile(profile, (many, 1))
    level = _smoothed(every, part, half_lives)
    mean = (level * part)[:, past]
    with np.errstate(invalid="ignore", divide="ignore"):
        errors = np.nanmean((every[:, past] - mean) ** 2 / np.maximum(mean, 1e-9), axis=1)
    best = np.nan_to_num(errors, nan=np.inf).reshape(many, -1).argmin(axis=0)
    found: Floats = level.reshape(many, *values.shape)[best, np.arange(len(values))]
    return found


def _smoothed(values: Floats, profile: Floats, half_lives: Floats) -> Floats:
    """The level of each series just before each period: what was sold by what its profile says, the latest first.

    A value counts only as far as it lies within reach of what was expected: a level does not follow one odd day.
    """
    keep = 0.5 ** (1 / half_lives)
    many, length = values.shape
    sold, base, spread = np.zeros(many), np.zeros(many), np.full(many, np.nan)
    level = np.full((many, length), np.nan)
    for period in range(length):
        with np.errstate(invalid="ignore", divide="ignore"):
            level[:, period] = np.where(base > 0, sold / base, np.nan)
        y, part = values[:, period], profile[:, period]
        mean = level[:, period] * part
        reach = _WITHIN * np.sqrt(spread * np.maximum(mean, 0.0))
        held = np.where(np.isnan(reach), y, np.clip(y, mean - reach, mean + reach))
        known = ~np.isnan(y)
        off = (held - mean) ** 2 / np.maximum(mean, 1e-9)
        spread = np.where(known & ~np.isnan(off), np.where(np.isnan(spread), off, 0.97 * spread + 0.03 * off), spread)
        sold = np.where(known, keep * sold + np.nan_to_num(held), sold)
        base = np.where(known, keep * base + part, base)
    return level


# --- how far off is far -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Law:
    """How each series scatters around what is expected: a negative binomial number of units.

    A unit comes or stays away by itself: one of what is counted; of money as much as makes it scatter as it does.
    """

    unit: Floats  # by series
    shape: Floats  # variance = mean + mean squared / shape, in units: all of a day come or stay away together
    spread: Floats  # robust standard deviation of the normal quantiles of past values
    centre: Floats

    def scores(self, values: Floats, expected: Floats) -> Floats:
        """The normal quantile of the chance of less, half of the chance of the very value with it.

        The tail of the negative binomial law is that of F, whose normal quantile is that of E. Paulson (Annals of
        Mathematical Statistics 13, 1942), which knows no whole numbers.
        """
        unit, whole = self.unit[:, None], 1 / (9 * self.shape[:, None])
        count = np.maximum(values, 0.0) / unit + _HALF
        own, root = 1 / (9 * count), np.cbrt(count / np.maximum(expected / unit, _NEXT_TO_NOTHING))
        quantile = ((1 - own) * root - (1 - whole)) / np.sqrt(own * root**2 + whole)
        found: Floats = (quantile - self.centre[:, None]) / self.spread[:, None]
        return found

    def value(self, expected: Floats, score: Floats) -> Floats:
        """The value of this score, by Newton's method."""
        unit, whole = self.unit[:, None], 1 / (9 * self.shape[:, None])
        mean = np.maximum(expected / unit, _NEXT_TO_NOTHING)
        goal, own = self.centre[:, None] + score * self.spread[:, None], 1 / (9 * mean)
        least = np.cbrt(_HALF / mean)  # nothing
        root = np.maximum(1 - whole + goal * np.sqrt(own + whole), least)
        for _ in range(_STEPS):
            width = np.sqrt(own / root + whole)
            off = root - own / root**2 - (1 - whole) - goal * width
            root = np.maximum(root - off / (1 + 2 * own / root**3 + goal * own / (2 * root**2 * width)), least)
        found: Floats = unit * (mean * root**3 - _HALF)
        return found


def _law(values: Floats, expected: Floats) -> _Law:
    """Learnt from past values and what had been expected of them."""
    off = (values - expected) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        typical = np.nanmean(expected, axis=1)
        dispersion = np.nanmean(off / expected, axis=1)
    dispersion, typical = (np.where(np.isfinite(v) & (v > 0), v, 1.0) for v in (dispersion, typical))
    counted = (np.mod(np.nan_to_num(values), 1) == 0).all(axis=1)
    unit = np.minimum(_BY_ITSELF * dispersion, np.where(counted, 1.0, np.inf))  # what is counted comes one by one
    shape = typical / (dispersion - unit)
    score = _Law(unit, shape, np.ones(len(values)), np.zeros(len(values))).scores(values, expected)
    known = np.isfinite(score).sum(axis=1) > 1
    centre, spread = np.zeros(len(values)), np.ones(len(values))
    if known.any():
        centre[known] = np.nanmedian(score[known], axis=1)
        quartiles = np.nanquantile(score[known], [0.25, 0.75], axis=1)
        robust = np.maximum((quartiles[1] - quartiles[0]) / 1.349, 1e-6)
        # The quartiles say what is far off, all that is not how far the rest scatters: they alone are a rough guess.
        reach = _FAR * robust[:, None]
        spread[known] = np.nanstd(np.clip(score[known] - centre[known, None], -reach, reach), axis=1)
    return _Law(unit, shape, spread, centre)


def _spread(score: Floats) -> float:
    """By what all series together scatter: expectations become better the longer the history they are learnt from."""
    known = score[np.isfinite(score)]
    return float(np.sqrt((np.clip(known, -_FAR, _FAR) ** 2).mean())) or 1.0 if len(known) else 1.0


def _wider(score: Floats, special: NDArray[np.bool_]) -> float:
    """How much more the days of events scatter than others: at least as much, and hardly more where they are few."""
    parts = [score[:, mask] for mask in (special, ~special)]
    quartiles = [np.nanquantile(part, [0.25, 0.75]) for part in parts if np.isfinite(part).any()]
    if len(quartiles) < 2:
        return 1.0
    (low, high), (usual_low, usual_high) = quartiles
    ratio = max(float((high - low) / max(usual_high - usual_low, 1e-9)), 1.0)
    days = int(special.sum())
    found: float = ratio ** (days / (days + _LIKE_OTHERS))
    return found


@dataclass(frozen=True, slots=True)
class _Tail:
    """How far off ordinary days lie to one side: the farthest, and how fast they become rarer beyond."""

    ordered: Floats  # distances, rising
    number: float  # of values that know nothing of each other
    bound: float  # beyond it lie _TAIL of them
    decay: float  # mean excess over the bound

    @classmethod
    def of(cls, distances: Floats, together: int) -> "_Tail":
        """Of sums of so many days ``together`` those that share days say as much as one."""
        known = np.sort(distances[np.isfinite(distances)])
        if not len(known):
            return cls(known, 0.0, 0.0, 1.0)
        bound = float(np.quantile(known, 1 - _TAIL))
        beyond = known[known > bound] - bound
        return cls(known, len(known) / together, bound, float(beyond.mean()) if len(beyond) else 1.0)

    def chance(self, distance: Floats) -> Floats:
        """The share of ordinary days that lie as far out or farther."""
        within = self._with_itself(1 - np.searchsorted(self.ordered, distance, side="left") / max(len(self.ordered), 1))
        far = self._with_itself(_TAIL) * np.exp(-np.maximum(distance - self.bound, 0.0) / self.decay)
        found: Floats = np.where(distance > self.bound, far, within)
        return found

    def beyond(self, chance: float) -> float:
        """The distance that so many ordinary days exceed."""
        if chance >= self._with_itself(_TAIL):
            share = (chance * (self.number + 1) - 1) / self.number
            return float(np.quantile(self.ordered, 1 - share))
        return float(self.bound + self.decay * np.log(self._with_itself(_TAIL) / chance))

    def _with_itself(self, share: _Share) -> _Share:
        """The share among past values, the judged one counted with them as one as far out: of few, the farthest is no
        rarity (V. Vovk, A. Gammerman, G. Shafer, Algorithmic learning in a random world, 2005)."""
        return (share * self.number + 1) / (self.number + 1)
