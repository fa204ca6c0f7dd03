"""How sure forecasts are: quantiles of the errors that the same methods made before (split conformal prediction).

Errors of all series of a kind are pooled, each divided by the spread of its series, by how far ahead they look. The
methods' own intervals are not used: those of decompositions cover 64 % where they say 80. Days of events are a pool of
their own where errors of such days are known. The wanted coverage is corrected by the coverage found before (adaptive
conformal inference, Gibbs and Candes 2021).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forecasting import seasons
from models.forecasting.panel import Floats, Panel

LEVELS: Final = (80, 95)
_STEP: Final = 0.02  # of the correction, per period
_ENOUGH: Final = 150  # errors to take a quantile of
_BUCKETS: Final = 4
_LEAST: Final = 0.005
_LEVEL: Final = 0.1  # of the mean demand: no level is known better


@dataclass(frozen=True)
class Errors:
    """Of one backtest origin. ratios: series x horizon, (actual - expected) / spread. event: whether each step is a day
    of one."""

    ratios: Floats
    event: NDArray[np.bool_]


@dataclass(frozen=True)
class Bounds:
    """Per level and step: the quantiles of errors, in spreads."""

    low: dict[int, Floats]
    high: dict[int, Floats]

    def around(self, expected: Floats, spread: Floats, level: int) -> tuple[Floats, Floats]:
        """Lower and upper bound; never below 0 and never without the expectation. All are series x horizon."""
        low = expected + self.low[level] * spread
        high = expected + self.high[level] * spread
        return np.maximum(np.minimum(low, expected), 0.0), np.maximum(high, expected)


def spread(panel: Panel, ahead: Floats) -> Floats:
    """Per series and step ahead, how far off is usual: the mean absolute change from period to period without its
    season, over the last two seasons, and beside it a tenth of the mean demand.

    The tenth stands for the level, which nobody knows better: without it the sum of many stores, whose days even out,
    would seem surer than its level is. Series that seldom sell change little from day to day, and have it, too.

    panel: without its events. ahead: by what those multiply each step (series x horizon). Changes from day to day grow
    with the root of it, as those of counts do, what a level or an effect is off by in proportion.
    """
    rest = seasons.deseasoned(panel.values, panel.season)[:, -max(2 * panel.season, 56) :]
    changes = np.abs(np.diff(rest, axis=1))
    known = ~np.isnan(changes)
    found = np.nan_to_num(changes).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    usual = np.nanmean(np.abs(panel.values), axis=1)
    level = np.where(usual > 0, _LEVEL * usual, 1.0)
    return np.asarray(np.hypot(found[:, None] * np.sqrt(ahead), level[:, None] * ahead))


def bounds(past: list[Errors], event: NDArray[np.bool_]) -> Bounds:
    """The bounds from the errors of earlier origins, the earliest first; ``event`` as in ``Errors``, of the steps
    ahead."""
    low: dict[int, Floats] = {}
    high: dict[int, Floats] = {}
    for level in LEVELS:
        miss = _corrected(past, 1 - level / 100)
        low[level], high[level] = _quantiles(past, miss, event)
    # Corrections differ by level: the wider one encloses the narrower.
    low[LEVELS[1]] = np.minimum(low[LEVELS[1]], low[LEVELS[0]])
    high[LEVELS[1]] = np.maximum(high[LEVELS[1]], high[LEVELS[0]])
    return Bounds(low, high)


def _corrected(past: list[Errors], wanted: float) -> float:
    """The share to leave out, learnt from origin to origin: missed more than wanted, leave out less."""
    miss = wanted
    for number in range(1, len(past)):
        now = past[number]
        low, high = _quantiles(past[:number], miss, now.event)
        outside = float(((now.ratios < low) | (now.ratios > high)).mean()) if now.ratios.size else wanted
        miss = float(np.clip(miss + _STEP * len(now.event) * (wanted - outside), _LEAST, 0.5))
    return miss


def _quantiles(past: list[Errors], miss: float, event: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Of each step: the errors between which all but ``miss`` lie, half of it on either side."""
    horizon = len(event)
    ratios = np.concatenate([errors.ratios for errors in past])
    of_event = np.concatenate([np.broadcast_to(errors.event, errors.ratios.shape) for errors in past])
    apart = of_event.sum() >= _ENOUGH
    low, high = np.empty(horizon), np.empty(horizon)
    buckets = max(1, min(_BUCKETS, horizon, ratios.size // _ENOUGH))
    for steps in np.array_split(np.arange(horizon), buckets):
        pool, other = ratios[:, steps], ~of_event[:, steps]
        low[steps], high[steps] = _between(pool[other] if apart and other.any() else pool.ravel(), miss)
    if apart:
        low[event], high[event] = _between(ratios[of_event], miss)
    return low, high


def _between(pool: Floats, miss: float) -> tuple[float, float]:
    # The finite-sample rule of conformal prediction: the next error is one among n + 1.
    tail = miss / 2 * (1 - 1 / (len(pool) + 1))
    return float(np.quantile(pool, tail)), float(np.quantile(pool, 1 - tail))


def guessed(horizon: int) -> Bounds:
    """Where nothing can be looked back on: errors of a random walk whose mean absolute step is the spread."""
    reach = np.sqrt(np.pi / 2) * np.sqrt(np.arange(1, horizon + 1))
    return Bounds(
        {level: -z * reach for level, z in _NORMAL.items()}, {level: z * reach for level, z in _NORMAL.items()}
    )


_NORMAL: Final = {80: 1.2816, 95: 1.96}
