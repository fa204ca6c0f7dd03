"""Prophet's model, of the logarithm of sales or of sales as they are: solved for instead of searched.

Of logarithms all parts are added up. Given the noise, everything but the bends of the trend is linear with normal
priors, and these have Laplace priors: a lasso of some twenty bends once the rest is solved for. Given all of these, the
noise is a root. The two take turns until neither changes. Stan searches for the same maximum (``prophet.stan``), with a
program of its own for each series and twenty times as long, and stops beside it where a bend is exactly none. Parts,
scales and priors are Prophet's own, but that days of the year have four waves.

Of sales as they are, the other parts are shares of the trend: given the shares the trend is such a lasso, given the
trend the shares are a ridge, and these take turns as well.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting.panel import Floats

WAVES: Final = 4  # of the year; more would fit what is left of events, too
_WAVES_OF_WEEK: Final = 3
_BENDS, _UP_TO = 25, 0.8  # of the trend, in that part of the history
_SCALE: Final = 5.0  # of the priors of level and slope
_SCALE_OF_PARTS: Final = 10.0
# Of shares. Prophet's 10 leaves to chance what was seldom seen in a store that sells little (docs/forecasting.md).
_SCALE_OF_SHARES: Final = 0.3
_SCALE_OF_BENDS: Final = 0.05
_NOISE: Final = 0.5
_ROUNDS, _TURNS, _CLOSE = 100, 50, 1e-7
_TINY: Final = 1e-9


class Calendar:
    """What is known of each date, the same for all series."""

    def __init__(self, dates: pd.DatetimeIndex) -> None:
        self.day = dates.to_numpy().astype("datetime64[D]").astype(np.float64)
        self.week, self.year = _waves(self.day, 7.0, _WAVES_OF_WEEK), _waves(self.day, 365.25, WAVES)


def _waves(day: Floats, period: float, count: int) -> Floats:
    at = 2 * np.pi * day[:, None] / period * np.arange(1, count + 1)
    return np.column_stack([np.sin(at), np.cos(at)])


@dataclass(frozen=True)
class _Design:
    """What explains a series by date: level and slope, the bends of its trend, and the other parts by name."""

    trend: Floats
    bends: Floats
    parts: Mapping[str, Floats]

    @property
    def others(self) -> Floats:
        return np.column_stack(list(self.parts.values()))

    def each(self, weights: Floats) -> dict[str, Floats]:
        """What each of the other parts says, of the weights of all."""
        ends = np.cumsum([part.shape[1] for part in self.parts.values()])[:-1]
        return {name: part @ own for (name, part), own in zip(self.parts.items(), np.split(weights, ends), strict=True)}


def fit(calendar: Calendar, values: Floats, known: Mapping[str, Floats], *, weekly: bool, yearly: bool) -> pd.DataFrame:
    """The parts of the expected logarithm of each date of the calendar: trend, weekly, yearly, known, and their
    sum, yhat.

    values: of the history; NaN before the series begins, and a day without sales is unknown. known: by date, of history
    and horizon.
    """
    with np.errstate(invalid="ignore"):
        seen = np.flatnonzero(values > 0)
    y = np.log(values[seen])
    scale = float(np.abs(y).max()) or 1.0
    of = _design(calendar, seen, known, weekly, yearly)
    smooth = np.column_stack([of.trend, of.others])
    prior = _precision(of.trend.shape[1], of.others.shape[1], _SCALE_OF_PARTS)
    weights, bend, _ = _most_likely(y / scale, smooth[seen], of.bends[seen], prior)
    found = {"trend": scale * (of.trend @ weights[:2] + of.bends @ bend)}
    found |= {name: scale * part for name, part in of.each(weights[2:]).items()}
    return pd.DataFrame(found | {"yhat": np.sum(list(found.values()), axis=0)})


def fit_shares(
    calendar: Calendar, values: Floats, known: Mapping[str, Floats], *, weekly: bool, yearly: bool
) -> pd.DataFrame:
    """As ``fit``, of the sales themselves, days without any among them: the trend, the other parts as shares of it, and
    what they come to, yhat."""
    seen = np.flatnonzero(~np.isnan(values))
    scale = float(np.abs(values[seen]).max()) or 1.0
    of = _design(calendar, seen, known, weekly, yearly)
    y, trend, bends, others = values[seen] / scale, of.trend[seen], of.bends[seen], of.others[seen]
    prior = _precision(2, others.shape[1], _SCALE_OF_SHARES)
    share: Floats = np.zeros(others.shape[1])
    bend: Floats = np.zeros(bends.shape[1])
    noise: float | None = None
    for _ in range(_TURNS):
        times = (1 + others @ share)[:, None]
        weights, bend, _ = _most_likely(y, trend * times, bends * times, prior[:2], bend, noise)
        level = trend @ weights + bends @ bend
        each = others * level[:, None]
        before, noise = noise, _variance(float(((y - level * times[:, 0]) ** 2).sum()), len(y))
        solved = np.linalg.solve(each.T @ each + np.diag(noise * prior[2:]), each.T @ (y - level))
        share = np.asarray(solved, dtype=np.float64)
        if before is not None and abs(noise - before) <= _CLOSE * before:
            break
    found = {"trend": scale * (of.trend @ weights + of.bends @ bend)} | of.each(share)
    return pd.DataFrame(found | {"yhat": found["trend"] * (1 + of.others @ share)})


def _design(
    calendar: Calendar, seen: NDArray[np.int64], known: Mapping[str, Floats], weekly: bool, yearly: bool
) -> _Design:
    """seen: the days of the history that are known."""
    first, last = calendar.day[seen[0]], calendar.day[seen[-1]]
    t = (calendar.day - first) / max(last - first, 1.0)
    nothing = np.empty((len(t), 0))
    parts = {
        "weekly": calendar.week if weekly else nothing,
        "yearly": calendar.year if yearly else nothing,
        "known": np.column_stack([nothing, *(_standard(of, seen) for of in known.values())]),
    }
    bends = np.maximum(t[:, None] - t[seen[_bends_at(len(seen))]], 0.0)
    return _Design(np.column_stack([np.ones(len(t)), t]), bends, parts)


def _precision(of_trend: int, of_others: int, scale: float) -> Floats:
    """One over the variance of the prior of each weight."""
    return np.repeat([_SCALE**-2, scale**-2], [of_trend, of_others])


def _bends_at(days: int) -> NDArray[np.int64]:
    """Which of the known days the trend may bend on."""
    until = int(days * _UP_TO)
    return np.linspace(0, until - 1, max(min(_BENDS, until - 1), 0) + 1).round().astype(np.int64)[1:]


def _standard(values: Floats, seen: NDArray[np.int64]) -> Floats:
    """As multiples of the deviation from the mean of the known days, unless it only says yes or no, or always the
    same."""
    of = values[seen]
    different = np.unique(of)
    plain = len(different) < 2 or different.tolist() == [0.0, 1.0]
    return values if plain else (values - of.mean()) / of.std(ddof=1)


def _most_likely(
    y: Floats, smooth: Floats, bends: Floats, prior: Floats, start: Floats | None = None, noise: float | None = None
) -> tuple[Floats, Floats, float]:
    """The weights of ``smooth`` (``prior``: one over the variance of each) and of ``bends``, and the noise; with
    ``start`` and ``noise`` from such bends and such noise on."""
    squares, across, own = smooth.T @ smooth, smooth.T @ bends, bends.T @ bends
    of_smooth, of_bends = smooth.T @ y, bends.T @ y
    noise = float(y.var()) + _TINY if noise is None else noise
    weights, bend = np.zeros(len(prior)), np.zeros(bends.shape[1]) if start is None else start
    for _ in range(_ROUNDS):
        solved = np.linalg.solve(squares + np.diag(noise * prior), np.column_stack([across, of_smooth]))
        left = own - across.T @ solved[:, :-1] + _TINY * np.eye(len(bend))
        bend = lasso(left, of_bends - across.T @ solved[:, -1], noise / _SCALE_OF_BENDS, bend)
        weights = solved[:, -1] - solved[:, :-1] @ bend
        rest = y - smooth @ weights - bends @ bend
        before, noise = noise, _variance(float(rest @ rest), len(y))
        if abs(noise - before) <= _CLOSE * before:
            break
    return weights, bend, noise


def _variance(squares: float, days: int) -> float:
    """The most likely variance of so many errors whose squares add up to that, where the deviation is ``_NOISE`` or
    less with two in three."""
    weight = 1 / _NOISE**2
    return max((np.sqrt(days**2 + 4 * weight * squares) - days) / (2 * weight), _TINY)


def lasso(square: Floats, linear: Floats, weight: float, start: Floats) -> Floats:
    """The x that makes x'square x / 2 - linear'x + weight |x| least, from ``start`` on.

    Feature-sign search (H. Lee and others, Efficient sparse coding algorithms, NIPS 2006): given which are none and the
    signs of the others it is a system of equations, and every guess of these is better than the one before.
    """
    x, close = start.copy(), _TINY * float(np.abs(linear).max(initial=weight))

    def height(point: Floats) -> float:
        return float(point @ (square @ point / 2 - linear) + weight * np.abs(point).sum())

    for _ in range(_ROUNDS):
        slope, sign = square @ x - linear, np.sign(x)
        if (np.abs(slope + weight * sign)[x != 0] <= close).all():
            steepest = int(np.where(x == 0, np.abs(slope), 0.0).argmax())
            if x[steepest] != 0 or abs(slope[steepest]) <= weight + close:
                break
            sign[steepest] = -np.sign(slope[steepest])
        active = sign != 0
        goal = np.zeros_like(x)
        goal[active] = np.linalg.solve(square[np.ix_(active, active)], (linear - weight * sign)[active])
        x = min([goal, *_crossings(x, goal)], key=height)
    return x


def _crossings(x: Floats, goal: Floats) -> list[Floats]:
    """The points on the way from ``x`` to ``goal`` at which one of them becomes none."""
    found = []
    for at in np.flatnonzero(x * goal < 0).tolist():
        point: NDArray[np.float64] = x + (goal - x) * x[at] / (x[at] - goal[at])
        point[at] = 0.0
        found.append(point)
    return found
