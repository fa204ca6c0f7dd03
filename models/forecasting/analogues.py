"""Products without a past of their own: how others began, scaled to them.

The launch curve of a new product is the median of the first twelve periods of the products most like it, each divided
by its own mean; its height is its own mean so far, blended with that of its like (weight of the own: n / (n + 4), n
periods known).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.forecasting.panel import Floats, Panel

CURVE: Final = 12
_BLEND: Final = 4.0


def launch_curve(values: Floats) -> Floats:
    """The median of the first periods of series that are known for that long, relative to their mean; all ones if none.

    values: series x periods; NaN before a series begins.
    """
    begins = np.argmax(~np.isnan(values), axis=1)
    starts = [row[first : first + CURVE] for row, first in zip(values, begins, strict=True) if first > 0]
    whole = np.array([start / start.mean() for start in starts if len(start) == CURVE and start.mean() > 0])
    return np.median(whole, axis=0) if len(whole) else np.ones(CURVE)


def like(features: Floats, new: NDArray[np.int64], known: NDArray[np.int64], count: int = 10) -> NDArray[np.int64]:
    """Of each new product the ``count`` known ones nearest by its features (codes count as same or not)."""
    differ = (features[new][:, None, :] != features[known][None, :, :]).sum(axis=2)
    return known[np.argsort(differ, axis=1, kind="stable")[:, :count]]


def expectation(own: Floats, height: float, curve: Floats, horizon: int) -> Floats:
    """The next periods of a product of which ``own`` is known, whose like sell ``height`` a period on average."""
    known = len(own)
    beginning = curve[np.minimum(np.arange(known), CURVE - 1)]
    own_height = own.sum() / beginning.sum() if known and beginning.sum() > 0 else height
    weight = known / (known + _BLEND)
    ahead = curve[np.minimum(known + np.arange(horizon), CURVE - 1)]
    return np.asarray((weight * own_height + (1 - weight) * height) * ahead)


def pooled(panel: Panel, level: Floats) -> Floats:
    """New series of which nothing else is known: their own level, drawn towards that of the others."""
    known = (panel.length - panel.begins).astype(np.float64)[:, None]
    weight = known / (known + _BLEND)
    return weight * level + (1 - weight) * level.mean(axis=0, keepdims=True)
