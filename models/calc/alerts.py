"""Which day of which series lies outside what was to be expected of it, and how often that happens by chance alone.

Each series has a band of its own: its recent level (weighted towards the latest days) times its week, the events and
promotions known ahead and, in series known by the week only, its season, drawn towards that of all series. Days can be
taken together: half of a day of ten receipts cannot be told from a quiet day, half of a week can. How far a day may lie
off is learnt from the same expectations of the year before: on a scale on which small and large series scatter alike
(variances of counts grow with their mean, and with its square where all customers stay away together), each series by
its own spread, the shape of the tail by all of them. Over many series and figures of one day, the false discovery rate
is held by the step-up procedure of Benjamini and Hochberg (JRSS B 57, 1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting import events
from models.forecasting.panel import Floats, Panel

NOMINAL = 0.01  # the chance of lying outside the band on an ordinary day
FALSE_DISCOVERIES = 0.1  # of the alerts of a day
LEARNT = {"D": 364, "W": 52}  # one-step expectations behind the band: those of a year
_REFIT = {"D": 91, "W": 4}  # periods after which week, season, events and promotions are learnt anew
_RELEARN = {"D": 28, "W": 52}  # periods after which it is learnt anew how far off is far
_NO_ORDINARY_DAY = 0.003  # chance
_HALF_LIVES = (7.0, 14.0, 28.0, 56.0, 112.0)  # days of the level; weeks over weeks
LEAST = 56  # days of a series before anything is expected of it
_YEAR = 364  # periods behind the week and the choice of the half-life
_SHARED_DAYS = 8.0  # of each weekday: what the others say of the week of a series weighs as much
_TAIL = 0.02  # beyond it the tail is taken to fall off exponentially
_WITHIN = 4.0  # robust standard deviations: a level does not follow what lies farther off
_MOVED = 0.01  # of the logarithm: what events move by less is no day of an event
_HIGH_SEASON = 0.05  # the same of a season
_MOST_SHIFTED = (0.2, 5.0)  # factors of promotions
_RIDGE = 25.0
_OWN_SEASON = 0.7  # of what a series sold apart from the others in the same week of the years before
_FAR = 3.0  # standard deviations: what lies farther off says nothing of how far the rest scatters
_LIKE_OTHERS = 8.0  # days of events: that they scatter like others weighs as much


@dataclass(frozen=True, slots=True)
class Bands:
    """Series x days: the value, what was expected the day before, the band of an ordinary day, the chance of a value as
    far out (two-sided) on an ordinary day; NaN where nothing was expected or the day has no value."""

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
    expected, special = _expected(panel, table, first, together)
    every = _RELEARN[panel.frequency]
    return {
        many: _bands(_summed(panel.values, many), expected[many], special[many], judged, year, every, nominal)
        for many in together
    }


def _bands(
    values: Floats, expected: Floats, special: NDArray[np.bool_], judged: int, year: int, every: int, nominal: float
) -> Bands:
    """The bands of the last ``judged`` values; how far is far is learnt anew for ``every`` few of them from the
    ``year`` before, for expectations become better the longer the history they are learnt from. What hardly an ordinary
    day does says nothing of ordinary days: it is left out."""
    length, ordinary = values.shape[1], values.copy()
    parts = []
    for begin in range(length - judged, length, every):
        past, end = max(begin - year, 0), min(begin + every, length)
        known = np.hstack([ordinary[:, past:begin], values[:, begin:end]])
        parts.append(_far(known, expected[:, past:end], special[past:end], begin - past, nominal))
        ordinary[:, begin:end][parts[-1].p < _NO_ORDINARY_DAY] = np.nan
    return Bands(*(np.hstack([getattr(part, field.name) for part in parts]) for field in fields(Bands)))


def _far(values: Floats, expected: Floats, special: NDArray[np.bool_], begin: int, nominal: float) -> Bands:
    """The bands of the values from ``begin`` on, by how far those before it lay off."""
    scale = _scale(values[:, :begin], expected[:, :begin])
    score = scale.scores(values, expected)
    wider = _wider(score[:, :begin], special[:begin])
    score = score / np.where(special, wider, 1.0)
    middle = begin // 2
    earlier, later = (_spread(score[:, part]) for part in (slice(0, middle), slice(middle, begin)))
    score = score / np.where(np.arange(values.shape[1]) < middle, earlier, later)
    tail = _Tail.of(np.abs(score[:, :begin]))
    now, mean = score[:, begin:], expected[:, begin:]
    reach = tail.beyond(nominal) * later * np.where(special[begin:], wider, 1.0)
    return Bands(
        values[:, begin:],
        mean,
        scale.value(mean, -reach),
        scale.value(mean, reach),
        np.where(np.isnan(now), np.nan, tail.chance(np.abs(now))),
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
class _Scale:
    """The scale on which a series scatters alike whatever its mean: variance = noise x mean + shared x mean squared."""

    noise: Floats  # by series
    shared: Floats
    spread: Floats  # robust standard deviation of what is off, on that scale
    centre: Floats

    def scores(self, values: Floats, expected: Floats) -> Floats:
        off = self._even(values) - self._even(expected)
        found: Floats = (off - self.centre[:, None]) / self.spread[:, None]
        return found

    def value(self, expected: Floats, score: Floats) -> Floats:
        """The value that lies ``score`` off what was expected."""
        even = self._even(expected) + self.centre[:, None] + score * self.spread[:, None]
        root = np.sinh(np.maximum(even, 0.0) * np.sqrt(self.shared[:, None]) / 2)
        found: Floats = self.noise[:, None] / self.shared[:, None] * root**2
        return found

    def _even(self, values: Floats) -> Floats:
        """The integral of 1 / standard deviation."""
        ratio = self.shared[:, None] / self.noise[:, None]
        found: Floats = 2 / np.sqrt(self.shared[:, None]) * np.arcsinh(np.sqrt(np.maximum(values, 0.0) * ratio))
        return found


def _scale(values: Floats, expected: Floats) -> _Scale:
    """Learnt from past values and what had been expected of them."""
    off = (values - expected) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        typical = np.nanmean(expected, axis=1)
        dispersion = np.nanmean(off / expected, axis=1)
    dispersion, typical = (np.where(np.isfinite(v) & (v > 0), v, 1.0) for v in (dispersion, typical))
    # Half of what is seen at the typical mean is taken to grow with it: the rest of the scale is learnt as a spread.
    noise, shared = dispersion / 2, dispersion / (2 * typical)
    plain = _Scale(noise, shared, np.ones(len(values)), np.zeros(len(values)))
    score = plain.scores(values, expected)
    known = np.isfinite(score).sum(axis=1) > 1
    centre, spread = np.zeros(len(values)), np.ones(len(values))
    if known.any():
        centre[known] = np.nanmedian(score[known], axis=1)
        quartiles = np.nanquantile(score[known], [0.25, 0.75], axis=1)
        robust = np.maximum((quartiles[1] - quartiles[0]) / 1.349, 1e-6)
        # The quartiles say what is far off, all that is not how far the rest scatters: they alone are a rough guess.
        reach = _FAR * robust[:, None]
        spread[known] = np.nanstd(np.clip(score[known] - centre[known, None], -reach, reach), axis=1)
    return _Scale(noise, shared, spread, centre)


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
    """How far off ordinary days lie, to either side: the farthest, and how fast they become rarer beyond."""

    ordered: Floats  # distances, rising
    bound: float  # beyond it lie _TAIL of them
    decay: float  # mean excess over the bound

    @classmethod
    def of(cls, distances: Floats) -> "_Tail":
        known = np.sort(distances[np.isfinite(distances)])
        if not len(known):
            return cls(known, 0.0, 1.0)
        bound = float(np.quantile(known, 1 - _TAIL))
        beyond = known[known > bound] - bound
        return cls(known, bound, float(beyond.mean()) if len(beyond) else 1.0)

    def chance(self, distance: Floats) -> Floats:
        """The share of ordinary days that lie as far out or farther."""
        within = 1 - np.searchsorted(self.ordered, distance, side="left") / max(len(self.ordered), 1)
        far = _TAIL * np.exp(-np.maximum(distance - self.bound, 0.0) / self.decay)
        found: Floats = np.where(distance > self.bound, far, within)
        return found

    def beyond(self, chance: float) -> float:
        """The distance that so many ordinary days exceed."""
        if chance >= _TAIL:
            return float(np.quantile(self.ordered, 1 - chance)) if len(self.ordered) else 0.0
        return float(self.bound + self.decay * np.log(_TAIL / chance))
