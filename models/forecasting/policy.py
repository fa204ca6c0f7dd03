"""Which methods a kind of series gets. Measured once for the kind (docs/forecasting.md), never picked per series."""

from collections.abc import Mapping
from typing import Final

from models.forecasting.classes import Kind
from models.forecasting.panel import Frequency

NAIVE: Final = "seasonal_naive"
LAST_YEAR: Final = "last_year"
REFERENCES: Final = (NAIVE, LAST_YEAR)  # what a forecast has to beat
# Each is fitted by itself, at every origin; what more of them do, one model learns from all of them.
MOST_FOR_PROPHET: Final = 200

_SEASONAL: Final = ("stl", "mfles", "shared_seasons", "lightgbm")
_DAILY: Final = ("lightgbm",)
_METHODS: Final[Mapping[tuple[Frequency, Kind], tuple[str, ...]]] = {
    ("W", "regular"): _SEASONAL,
    ("M", "regular"): _SEASONAL,
    ("D", "regular"): _DAILY,
    ("W", "short"): ("shared_seasons", "lightgbm"),
    ("M", "short"): ("shared_seasons", "lightgbm"),
    ("D", "short"): _DAILY,
    ("D", "intermittent"): ("tsb",),
    ("W", "intermittent"): ("tsb", "ses"),
    ("M", "intermittent"): ("tsb", "ses"),
    ("D", "new"): ("ses",),
    ("W", "new"): ("ses",),
    ("M", "new"): ("ses",),
}


def methods(frequency: Frequency, kind: Kind, series: int, upper: bool = True) -> tuple[str, ...]:
    """The methods whose mean is the forecast of a kind of which there are so many series in a panel."""
    names = _METHODS[frequency, kind]
    if upper and frequency == "D" and kind == "regular" and series <= MOST_FOR_PROPHET:
        return ("prophet", *names)
    return names


def references(frequency: Frequency, kind: Kind, upper: bool = True) -> tuple[str, ...]:
    """What the forecasts of a kind are set against."""
    return REFERENCES if upper and frequency == "D" and kind == "regular" else (NAIVE,)
