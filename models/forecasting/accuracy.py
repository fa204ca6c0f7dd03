"""How far forecasts were off. Every measure says over what; None of them hides a series that sold nothing."""

import numpy as np

from models.forecasting.panel import Floats


def step_scale(values: Floats) -> Floats:
    """Per series the mean squared change from one period to the next in the history: the scale of RMSSE (M5)."""
    changes = np.diff(values, axis=1) ** 2
    known = ~np.isnan(changes)
    return np.nan_to_num(changes).sum(axis=1) / np.maximum(known.sum(axis=1), 1)


def rmsse(actual: Floats, expected: Floats, scale: Floats) -> Floats:
    """Per series: the root of the mean squared error over that of guessing the value before; NaN for a flat history."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(scale > 0, np.sqrt(((actual - expected) ** 2).mean(axis=1) / scale), np.nan)


def mean(errors: Floats) -> float:
    """Of the series whose error is known; NaN where none is, for all histories were flat."""
    known = errors[~np.isnan(errors)]
    return float(known.mean()) if known.size else float("nan")


def wape(actual: Floats, expected: Floats) -> float:
    """The sum of absolute errors over the sum of what was sold; NaN where nothing was."""
    sold = float(np.abs(actual).sum())
    return float(np.abs(actual - expected).sum()) / sold if sold else float("nan")


def bias(actual: Floats, expected: Floats) -> float:
    """What was expected too much, over what was sold; NaN where nothing was."""
    sold = float(np.abs(actual).sum())
    return float((expected - actual).sum()) / sold if sold else float("nan")


def coverage(actual: Floats, low: Floats, high: Floats) -> float:
    """The share of periods within the interval."""
    return float(((actual >= low) & (actual <= high)).mean()) if actual.size else float("nan")
