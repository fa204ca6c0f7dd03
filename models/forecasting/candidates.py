"""The methods, by name: each takes the series of one kind and returns their expectation, series x horizon."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting import boosting, events, intermittent, prophets, seasons
from models.forecasting.boosting import Boosted
from models.forecasting.events import Effects
from models.forecasting.panel import Floats, Panel
from models.forecasting.prophets import Fit
from models.forecasting.smoothing import smoothed

_TSB: Final = {"D": (0.05, 0.1), "W": (0.1, 0.1), "M": (0.1, 0.2)}
_LEVEL: Final = {"D": 0.05, "W": 0.1, "M": 0.2}
_FIRST_SEASONS: Final = 2
_YEARS: Final = {"D": 364, "W": 52, "M": 12}
_GROWTH: Final = {"D": 56, "W": 8, "M": 2}  # periods that growth is measured over


@dataclass(frozen=True)
class Ground:
    """What methods share: series of one or more kinds, the effects of their events, the model over all of them.

    ``earlier``: a model trained before; a backtest trains once and looks from several days. ``fits``: of Prophet,
    without events, by series, as far as they were asked for.
    """

    panel: Panel
    effects: Effects
    earlier: Boosted | None = None
    fits: dict[str, Fit] = field(default_factory=dict)

    @cached_property
    def level(self) -> Panel:
        """The panel without its events."""
        return replace(self.panel, values=self.panel.values / self.effects.factor[:, : self.panel.length])

    @cached_property
    def boosted(self) -> Boosted | None:
        return self.earlier or boosting.train(self.level, self.effects.table)

    @property
    def of_event(self) -> NDArray[np.bool_]:
        """Whether each step ahead is a day of an event that shows."""
        return self.of_days[self.panel.length :]

    @property
    def of_days(self) -> NDArray[np.bool_]:
        """The same of each date, history and horizon."""
        found: NDArray[np.bool_] = (self.effects.factor != 1).any(axis=0)
        return found

    @property
    def ahead(self) -> Floats:
        return self.effects.factor[:, self.panel.length :]

    def some(self, rows: NDArray[np.int64]) -> "Ground":
        return Ground(self.panel.some(rows), self.effects.some(rows), self.earlier, self.fits)


def ground(panel: Panel, table: pd.DataFrame, earlier: Boosted | None = None) -> Ground:
    """Offers of an event belong to its effect: years of the same event say nothing of what a deeper discount would add
    to it, and a regression that is asked all the same says far too much. So within its days all that is known ahead is
    taken as on other days."""
    found = Ground(panel, events.effects(panel, table), earlier)
    inside = found.of_days
    if inside.all() or not inside.any():
        return found
    usual = {name: np.median(of[:, ~inside], axis=1, keepdims=True) for name, of in panel.known.items()}
    known = {name: np.where(inside, usual[name], of) for name, of in panel.known.items()}
    return replace(found, panel=replace(panel, known=known))


Method = Callable[[Ground], Floats]


def seasonal_naive(ground: Ground) -> Floats:
    """The last season again; the last value where less than a season is known."""
    return last_season(ground.panel)


def last_season(panel: Panel) -> Floats:
    season, known = panel.season, panel.length - panel.begins
    steps = np.arange(panel.horizon)
    last = panel.values[:, -1:]
    if panel.length < season:
        return np.repeat(last, panel.horizon, axis=1)
    found = panel.values[:, panel.length - season + steps % season]
    return np.where((known >= season)[:, None], found, last)


def last_year(ground: Ground) -> Floats:
    """The same weekdays of last year, grown as the last eight weeks did; the last season again with less history."""
    panel, year = ground.panel, _YEARS[ground.panel.frequency]
    recent = _GROWTH[panel.frequency]
    ahead = panel.length - year + np.arange(panel.horizon)
    naive = last_season(panel)
    if panel.length < year + recent or panel.horizon > year:
        return naive
    before = panel.values[:, panel.length - year - recent : panel.length - year].sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = panel.values[:, -recent:].sum(axis=1) / before
    known = np.isfinite(growth)
    return np.where(known[:, None], panel.values[:, ahead] * np.where(known, growth, 1.0)[:, None], naive)


def shared(ground: Ground) -> Floats:
    panel = ground.level
    return seasons.forecast(panel.values, panel.season, panel.horizon) * ground.ahead


def loess(ground: Ground) -> Floats:
    """A season by loess (STL, Cleveland et al. 1990) that goes on as it was, on a smoothed level."""
    from statsmodels.tsa.seasonal import STL

    panel = ground.level
    rest, ahead = panel.values.copy(), np.empty((len(panel.ids), panel.horizon))
    place = np.arange(panel.horizon) % panel.season
    for row, begin in enumerate(panel.begins):
        found = STL(panel.values[row, begin:], period=panel.season, seasonal=11, seasonal_deg=0).fit()
        rest[row, begin:] -= found.seasonal
        ahead[row] = found.seasonal[-panel.season :][place]
    return (smoothed(rest, panel.horizon) + ahead) * ground.ahead


def mfles(ground: Ground) -> Floats:
    """Boosted median, Fourier season, trend and smoothing (MFLES of statsforecast)."""
    from statsforecast.models import MFLES

    panel = ground.level
    # Its change points cost as much as all the rest and gain nothing (docs/forecasting.md).
    each = [
        MFLES(panel.season, changepoints=False).forecast(panel.values[row, begin:], panel.horizon)["mean"]
        for row, begin in enumerate(panel.begins)
    ]
    return np.stack(each) * ground.ahead


def prophet(ground: Ground) -> Floats:
    ground.fits.update(prophets.fits(ground.level))
    return prophets.forecast(ground.level, ground.fits) * ground.ahead


def lightgbm(ground: Ground) -> Floats:
    trained = ground.boosted
    if trained is None:
        return shared(ground)
    return trained.forecast(ground.level, ground.effects.table) * ground.ahead


def tsb(ground: Ground) -> Floats:
    panel = ground.panel
    return _flat(panel, intermittent.tsb(panel.values, *_TSB[panel.frequency]))


def ses(ground: Ground) -> Floats:
    panel = ground.panel
    return _flat(panel, intermittent.level(panel.values, _LEVEL[panel.frequency]))


def _flat(panel: Panel, level: Floats) -> Floats:
    """A level, by days of the week as all series together have them; by weeks and months the same for each."""
    if panel.frequency != "D" or panel.length < _FIRST_SEASONS * panel.season:
        return np.repeat(level[:, None], panel.horizon, axis=1)
    profile = intermittent.day_profile(panel.values, panel.season)
    return level[:, None] * profile[np.arange(panel.horizon) % panel.season]


METHODS: Final[Mapping[str, Method]] = {
    "seasonal_naive": seasonal_naive,
    "last_year": last_year,
    "shared_seasons": shared,
    "stl": loess,
    "mfles": mfles,
    "lightgbm": lightgbm,
    "prophet": prophet,
    "tsb": tsb,
    "ses": ses,
}


# Methods that learn from all series see all of them, even where few are asked for.
_OF_ALL: Final = ("shared_seasons", "lightgbm", "tsb", "ses")


def each_of(seen: Ground, names: tuple[str, ...], rows: NDArray[np.int64]) -> dict[str, Floats]:
    """What each of the methods says of some series of the ground; never below 0."""
    part = seen.some(rows)
    said = {name: METHODS[name](seen)[rows] if name in _OF_ALL else METHODS[name](part) for name in names}
    return {name: np.maximum(np.nan_to_num(values), 0.0) for name, values in said.items()}
