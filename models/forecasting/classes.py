"""What kind of series each one is: how often it sells and how long it is known.

Regularity after Syntetos and Boylan (2005): ADI, the periods per period with demand, cut at 1.32.
"""

from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.forecasting.panel import Floats, Panel

Kind = Literal["regular", "short", "intermittent", "new"]

KINDS: Final[tuple[Kind, ...]] = ("regular", "short", "intermittent", "new")
OFTEN: Final = 1.32
# Fewer periods than these are no history yet: eight weeks, or three months.
_NEW: Final[Mapping[str, int]] = {"D": 56, "W": 8, "M": 3}
_SEASONS: Final = 2
_PRODUCTS: Final = 0.7  # share of daily series that seldom sell from which a panel is one of products


def kinds(panel: Panel) -> NDArray[np.str_]:
    """One kind per series: ``short`` is regular, but knows fewer than two seasons.

    Days of single products are seldom regular; the few that are among many that are not are of their like, and what
    learns from the panel would learn from noise: all of them are ``intermittent``.
    """
    known = panel.length - panel.begins
    found = np.full(len(panel.ids), "regular", dtype="<U12")
    found[known < _SEASONS * panel.season] = "short"
    seldom = interval(panel.values) >= OFTEN
    found[seldom | (panel.frequency == "D" and seldom.mean() >= _PRODUCTS)] = "intermittent"
    found[known < _NEW[panel.frequency]] = "new"
    return found


def interval(values: Floats) -> Floats:
    """ADI: the periods since a series began per period with demand; infinite where nothing ever sold."""
    known = (~np.isnan(values)).sum(axis=1)
    with np.errstate(divide="ignore"):
        return known / (values > 0).sum(axis=1)
