"""One gradient-boosted model over all series (LightGBM): what one series shows, the others learn.

Each training row is one series seen from one past day, asked for one step ahead; amounts are divided by the level of
the series at that day, so that large and small, growing and shrinking series teach the same lesson. What is known ahead
(calendar, events, promotions) is taken at the day asked for.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting import seasons
from models.forecasting.events import Marks, marks
from models.forecasting.panel import Floats, Panel

Places = NDArray[np.int64]

_ROUNDS: Final = 100
_MOST_ROWS: Final = 60_000
_FEWEST_ORIGINS: Final = 8
_SEED: Final = 1
_LEAF: Final = 40
_PARAMETERS: Final = {
    "objective": "l1", "learning_rate": 0.1, "num_leaves": 31, "min_data_in_leaf": _LEAF, "feature_fraction": 0.7,
    "bagging_fraction": 0.7, "bagging_freq": 1, "max_bin": 127, "verbose": -1, "seed": _SEED, "num_threads": 1,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip
_RECENT: Final = {"D": (0, 1, 2, 3, 6, 13), "W": (0, 1, 2, 3, 4, 5, 7), "M": (0, 1, 2, 3, 5)}
_MEANS: Final = {"D": (7, 28, 56, 182, 364), "W": (4, 8, 13, 26, 52), "M": (3, 6, 12, 24)}
_LEVEL: Final = {"D": 56, "W": 52, "M": 12}
_SPAN: Final = {"D": 1, "W": 7, "M": 31}
_WEEKDAY_MEANS: Final = (2, 4, 8)


@dataclass(frozen=True)
class Boosted:
    """A trained model; it can look from any later day."""

    booster: Any
    horizon: int

    def forecast(self, panel: Panel, table: pd.DataFrame) -> Floats:
        """Series x horizon from the end of the panel's history."""
        view = _View(panel, table)
        rows, scale = view.rows(panel.length, np.arange(1, panel.horizon + 1))
        return (self.booster.predict(rows, num_threads=1) * scale).reshape(panel.horizon, -1).T


def train(panel: Panel, table: pd.DataFrame) -> Boosted | None:
    """The model of a panel's history; None where it is too short to learn from."""
    import lightgbm

    view = _View(panel, table)
    horizon, season = panel.horizon, panel.season
    begin = min(season, panel.length // 3) + 4
    origins = np.arange(panel.length - 1, begin, -1)
    if len(origins) < 2:
        return None
    per_origin = len(panel.ids) * horizon
    stride = -(-len(origins) * per_origin // _MOST_ROWS)
    origins = origins[:: max(1, min(stride, len(origins) // _FEWEST_ORIGINS))]
    share = min(1.0, _MOST_ROWS / (len(origins) * per_origin))
    random = np.random.default_rng(_SEED)
    features, targets = [], []
    for origin in origins.tolist():
        steps = np.arange(1, min(horizon, panel.length - origin) + 1)
        rows, scale = view.rows(origin, steps)
        goal = panel.values[:, origin : origin + len(steps)].T.ravel() / scale
        use = np.isfinite(goal) & np.isfinite(rows[:, 0]) & (random.random(len(goal)) < share)
        features.append(rows[use])
        targets.append(goal[use])
    x, y = np.concatenate(features), np.concatenate(targets)
    if len(y) < 2 * _LEAF:
        return None
    data = lightgbm.Dataset(x, y, free_raw_data=True)
    return Boosted(lightgbm.train(dict(_PARAMETERS), data, _ROUNDS), horizon)


class _View:
    """What the model sees of a panel from a day in it."""

    def __init__(self, panel: Panel, table: pd.DataFrame) -> None:
        self.panel = panel
        self.marks: Marks = marks(table, panel.dates, _SPAN[panel.frequency])
        self.calendar = _calendar(panel)
        self.weekly = panel.frequency == "D" and panel.season == 7

    def rows(self, origin: int, steps: Places) -> tuple[Floats, Floats]:
        """Features (steps x series, one row each, steps outermost) and what the target is divided by."""
        panel, past = self.panel, self.panel.values[:, :origin]
        window = past[:, -_LEVEL[panel.frequency] :]
        scale = np.nan_to_num(_mean(window))
        scale = np.where(scale > 0, scale, 1.0)
        unit = past / scale[:, None]
        fixed = [unit[:, origin - 1 - lag] if lag < origin else _unknown(unit) for lag in _RECENT[panel.frequency]]
        fixed += [_mean(unit[:, -width:]) for width in _MEANS[panel.frequency]]
        fixed += list(panel.traits.values())
        shared = None if self.weekly else seasons.shared_seasons(unit, panel.season)
        level = _unknown(unit)
        if shared is not None:
            rest = unit - shared.at(-origin, 0)
            level = _mean(rest[:, -8:])
            fixed += [_mean(rest[:, -3:]), level, _mean(rest[:, -26:])]
        common = np.stack(fixed, axis=1)
        ahead = self._ahead(unit, origin + steps - 1, steps, shared, level)
        common = np.broadcast_to(common, (len(steps), *common.shape))
        return np.concatenate([common, ahead], axis=2).reshape(len(steps) * len(unit), -1), np.tile(scale, len(steps))

    def _ahead(
        self, unit: Floats, goal: Places, steps: Places, shared: seasons.Seasons | None, level: Floats
    ) -> Floats:
        """What is known of each step (steps x series x features): the calendar, events, the same moment one year
        before, promotions."""
        season = self.panel.season
        columns = [_columns(unit, goal - back) for back in (season, season - 1, season + 1, 2 * season)]
        if shared is not None:
            season_of_step = shared.at(0, int(steps[-1]))[:, steps - 1].T
            columns += [season_of_step, level + season_of_step]
        if self.weekly:
            columns += [_same_weekday(unit, count)[goal % 7] for count in _WEEKDAY_MEANS]
        twin = self.marks.counterpart[goal]
        ends = np.where(twin > 28, twin - steps, 0).tolist()
        around = np.stack([_mean(unit[:, max(0, end - 28) : max(0, end)]) for end in ends])
        columns += [_columns(unit, twin), around]
        ahead = [steps, self.marks.event[goal], self.marks.offset[goal], *self.calendar[:, goal]]
        columns += [np.broadcast_to(np.asarray(each, dtype=np.float64)[:, None], columns[0].shape) for each in ahead]
        columns += [values[:, goal].T for values in self.panel.known.values()]
        return np.stack(columns, axis=2)


def _calendar(panel: Panel) -> Floats:
    dates = panel.dates
    if panel.frequency == "D":
        return np.stack([dates.day_of_week, dates.day, dates.day_of_year]).astype(np.float64)
    if panel.frequency == "W":
        return np.asarray(dates.isocalendar().week, dtype=np.float64)[None, :]
    return np.asarray(dates.month, dtype=np.float64)[None, :]


def _unknown(unit: Floats) -> Floats:
    return np.full(len(unit), np.nan)


def _columns(unit: Floats, places: Places) -> Floats:
    """Places x series; NaN where nothing is known."""
    known = (places >= 0) & (places < unit.shape[1])
    return np.where(known[:, None], unit.T[np.where(known, places, 0)], np.nan)


def _mean(values: Floats) -> Floats:
    known = ~np.isnan(values)
    count = known.sum(axis=1)
    return np.where(count > 0, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)


def _same_weekday(unit: Floats, count: int) -> Floats:
    """The mean of the last known ``count`` of the same weekday, for each of seven."""
    return np.stack([_mean(unit[:, list(range(day, unit.shape[1], 7))[-count:]]) for day in range(7)])
