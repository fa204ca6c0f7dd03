"""Methods for series that mostly sell nothing: a level of expected demand, the same for every period ahead.

Croston (1972), the correction of Syntetos and Boylan (2005), Teunter, Syntetos and Babai (2011). All series at once.
"""

from typing import Final

import numpy as np

from models.forecasting.panel import Floats
from models.forecasting.smoothing import start_level

_FIRST_DEMANDS: Final = 5
_FIRST_PERIODS: Final = 28
_EXTREME: Final = 0.99


def tsb(values: Floats, demand_weight: float, chance_weight: float) -> Floats:
    """Expected demand a period: the smoothed size of demand times its smoothed chance, which fades without demand.

    Both start from several demands, not from the first: one large order at the beginning would else last for years.
    """
    sold, known = values > 0, ~np.isnan(values)
    first = sold & (np.cumsum(sold, axis=1) <= _FIRST_DEMANDS)
    size = np.where(first, values, 0.0).sum(axis=1) / np.maximum(first.sum(axis=1), 1)
    early = known & (np.cumsum(known, axis=1) <= _FIRST_PERIODS)
    chance = (sold & early).sum(axis=1) / np.maximum(early.sum(axis=1), 1)
    for column, there, demand in zip(values.T, known.T, sold.T, strict=True):
        size = np.where(demand, size + demand_weight * (column - size), size)
        chance = np.where(there, chance + chance_weight * (demand - chance), chance)
    return size * chance


def level(values: Floats, weight: float) -> Floats:
    """Simple exponential smoothing."""
    found = start_level(values)
    for column in values.T:
        found = np.where(np.isnan(column), found, found + weight * (column - found))
    return found


def day_profile(values: Floats, season: int) -> Floats:
    """How the periods of a season compare to their mean in all series together; the first is the one after the end.

    Single sales of a series that seldom sells say nothing about its own week, those of all series do.
    """
    known = values[np.nansum(values, axis=1) > 0]
    if not len(known):
        return np.ones(season)
    share = known / np.nanmean(known, axis=1, keepdims=True)
    share = np.minimum(share, np.nanquantile(share, _EXTREME))
    place = (np.arange(values.shape[1]) - values.shape[1]) % season
    profile = np.array([np.nanmean(share[:, place == each]) for each in range(season)])
    # Series that sell on one day of a hundred show no week.
    return profile / profile.mean() if profile.mean() > 0 else np.ones(season)


def croston(values: Floats, weight: float = 0.1, corrected: bool = False) -> Floats:
    """Expected demand a period: smoothed size over smoothed interval; ``corrected``: less half the weight (SBA)."""
    begun = np.zeros(len(values), dtype=bool)
    size, interval = np.zeros(len(values)), np.ones(len(values))
    waited = np.ones(len(values))
    first = _first_interval(values)
    for column in values.T:
        sold = column > 0
        starts, again = sold & ~begun, sold & begun
        size = np.where(starts, column, np.where(again, size + weight * (column - size), size))
        interval = np.where(starts, first, np.where(again, interval + weight * (waited - interval), interval))
        waited = np.where(sold, 1.0, waited + ~np.isnan(column))
        begun |= starts
    return size / interval * (1 - weight / 2 if corrected else 1)


def _first_interval(values: Floats) -> Floats:
    """Periods from the beginning of a series to its first demand, that one included."""
    known, sold = ~np.isnan(values), values > 0
    return np.maximum(np.where(sold.any(axis=1), np.argmax(sold, axis=1) - np.argmax(known, axis=1) + 1, 1), 1)
