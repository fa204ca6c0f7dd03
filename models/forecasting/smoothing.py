"""Exponential smoothing of many series at once. NaN stands before a series begins and is stepped over."""

from typing import Final

import numpy as np

from models.forecasting.panel import Floats

_LEVELS: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8)
_TRENDS: Final = (0.0, 0.05, 0.1)
_DAMPING: Final = 0.95
_START: Final = 8


def smoothed(values: Floats, horizon: int, levels: tuple[float, ...] = _LEVELS) -> Floats:
    """Damped trend smoothing (Gardner 1985) with weights that suit all series together best.

    The weights are those with the least squared one-step error, each series measured by its own error in the mean of
    all weights: picking them per series fits noise.

    Returns:
        series x horizon.
    """
    choices = [(level, trend) for level in levels for trend in _TRENDS]
    runs = [_run(values, level, trend) for level, trend in choices]
    errors = np.stack([error for _, _, error in runs])
    scale = errors.mean(axis=0)
    level, slope, _ = runs[int((errors / np.where(scale > 0, scale, 1.0)).mean(axis=1).argmin())]
    return level[:, None] + slope[:, None] * np.cumsum(_DAMPING ** np.arange(1, horizon + 1))


def _run(values: Floats, level_weight: float, trend_weight: float) -> tuple[Floats, Floats, Floats]:
    """Level and slope at the end, and the mean squared one-step error."""
    level = start_level(values)
    slope, total = np.zeros(len(values)), np.zeros(len(values))
    for column in values.T:
        known = ~np.isnan(column)
        error = np.where(known, column - level - _DAMPING * slope, 0.0)
        total += error**2
        step = np.where(known, _DAMPING * slope, 0.0)
        level = level + step + level_weight * error
        slope = np.where(known, step + level_weight * trend_weight * error, slope)
    return level, slope, total / np.maximum((~np.isnan(values)).sum(axis=1), 1)


def start_level(values: Floats) -> Floats:
    """The mean of the first eight known periods of each series; 0 for one without any."""
    known = ~np.isnan(values)
    first = known & (np.cumsum(known, axis=1) <= _START)
    return np.where(first, values, 0.0).sum(axis=1) / np.maximum(first.sum(axis=1), 1)
