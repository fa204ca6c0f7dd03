"""Seasons that series share: what all of them do together says more than the two years of one.

The seasons of all series, one row each, are taken apart into shapes (principal components). A shape counts for as much
as it came again: the covariance of its weights in one season and in those before, divided by the variance of their
mean. What did not come again counts for nothing, so a series borrows the shape of its like and drops its own noise.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forecasting.panel import Floats
from models.forecasting.smoothing import smoothed

_FADING: Final = 0.8  # weight of a season beside the one after it
_TINY: Final = 1e-12


@dataclass(frozen=True)
class Seasons:
    """``shape``: series x season; column p belongs to the periods that lie p after the end, whole seasons aside."""

    shape: Floats
    scale: Floats

    def at(self, first: int, last: int) -> Floats:
        """Series x periods from ``first`` (0: the first after the end, negative: history) to ``last``, excluded."""
        return self.shape[:, np.arange(first, last) % self.shape.shape[1]] * self.scale[:, None]


def shared_seasons(values: Floats, season: int) -> Seasons:
    """The seasons of all series, in their units; a series that knows less than one takes the mean of the others."""
    scale = _scale(values, season)
    ratio = values / scale[:, None]
    detrended = ratio - _yearly_level(ratio, season)
    years = _years(detrended, season)
    count = years.shape[0]
    if not count:
        return Seasons(np.zeros((len(values), season)), scale)
    known: NDArray[np.bool_] = np.logical_not(np.isnan(years).any(axis=2))
    weight = _FADING ** np.arange(count)[:, None] * known
    own = (np.nan_to_num(years) * weight[:, :, None]).sum(axis=0) / np.maximum(weight.sum(axis=0), _TINY)[:, None]
    full = known.all(axis=0)
    if not full.any():
        full = known.any(axis=0)
    if not full.any():
        return Seasons(np.zeros((len(values), season)), scale)
    vectors = np.linalg.eigh(own[full].T @ own[full])[1].T
    trust = _trust(years[:, full], own[full], vectors)
    shape = (own @ vectors.T * trust) @ vectors
    # One season alone is noisier than the mean of several: it counts for less.
    seen, most = known.sum(axis=0), _seasons_known(known)
    shape *= ((seen + 1) / (most + 1))[:, None]
    shape[seen == 0] = shape[full].mean(axis=0)
    return Seasons(shape, scale)


def _seasons_known(known: NDArray[np.bool_]) -> int:
    """How many seasons the best known series knows."""
    return int(known.sum(axis=0).max())


def forecast(values: Floats, season: int, horizon: int) -> Floats:
    """The shared season on top of the smoothed rest; series x horizon."""
    found = shared_seasons(values, season)
    rest = values - found.at(-values.shape[1], 0)
    return smoothed(rest, horizon) + found.at(0, horizon)


def deseasoned(values: Floats, season: int) -> Floats:
    """The series without their shared seasons."""
    return values - shared_seasons(values, season).at(-values.shape[1], 0)


def _scale(values: Floats, season: int) -> Floats:
    last = np.abs(values[:, -season:])
    size = np.nansum(last, axis=1) / np.maximum((~np.isnan(last)).sum(axis=1), 1)
    return np.where(size > 0, size, 1.0)


def _yearly_level(ratio: Floats, season: int) -> Floats:
    """The mean of the season around each period; near the ends that of the first or last whole season."""
    length = ratio.shape[1]
    width = min(season, length)
    known = ~np.isnan(ratio)
    sums = np.cumsum(np.pad(np.nan_to_num(ratio), ((0, 0), (1, 0))), axis=1)
    counts = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=1)
    begin = np.clip(np.arange(length) - width // 2, 0, length - width)
    total, count = sums[:, begin + width] - sums[:, begin], counts[:, begin + width] - counts[:, begin]
    return total / np.maximum(count, 1)


def _years(detrended: Floats, season: int) -> Floats:
    """Season x series x position, the last season first."""
    length = detrended.shape[1]
    whole = [detrended[:, length - (k + 1) * season : length - k * season] for k in range(length // season)]
    return np.stack(whole) if whole else np.empty((0, len(detrended), season))


def _trust(years: Floats, own: Floats, vectors: Floats) -> Floats:
    """Between 0 and 1 for each shape: how far it came again."""
    size = np.maximum(((own @ vectors.T) ** 2).mean(axis=0), _TINY)
    if len(years) < 2:
        # Nothing to compare with: what stands out of the noise of the middling shape.
        return np.clip(1 - np.median(size) / size, 0, 1)
    weight = _FADING ** np.arange(1, len(years))
    before = np.tensordot(weight / weight.sum(), years[1:], axes=1) @ vectors.T
    again = (years[0] @ vectors.T * before).mean(axis=0)
    return np.clip(again / size, 0, 1)
