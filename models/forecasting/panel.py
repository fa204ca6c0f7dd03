"""Series side by side on one calendar: what every method of this package takes."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem

Floats = NDArray[np.float64]
Frequency = Literal["D", "W", "M"]
Gaps = Literal["zero", "unknown"]

SEASONS: Mapping[str, int] = {"D": 7, "W": 52, "M": 12}
_ANCHORS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_KEYS = ("unique_id", "ds", "y")
_MOST_PERIODS = 20_000


@dataclass(frozen=True)
class Panel:
    """Grain: one series per row of ``values``, one period per column.

    Attributes:
        ids: of the series, sorted.
        dates: of the history, then of the horizon.
        values: series x periods of the history; NaN before a series begins, known from there on.
        frequency, season: a season is what repeats: 7 days, 52 weeks, 12 months.
        known: what is known of the horizon, too, by name: series x (history and horizon).
        traits: what never changes in a series, by name: one code per series.
    """

    ids: tuple[str, ...]
    dates: pd.DatetimeIndex
    values: Floats
    frequency: Frequency
    season: int
    known: Mapping[str, Floats] = field(default_factory=dict)
    traits: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Periods of history."""
        return int(self.values.shape[1])

    @property
    def horizon(self) -> int:
        return len(self.dates) - self.length

    @property
    def begins(self) -> NDArray[np.int64]:
        """The period in which each series begins."""
        return np.argmax(~np.isnan(self.values), axis=1).astype(np.int64)

    def some(self, rows: NDArray[Any]) -> "Panel":
        """The series of these rows, a mask or numbers."""
        numbers = np.flatnonzero(rows) if rows.dtype == bool else rows
        return dataclasses.replace(
            self,
            ids=tuple(self.ids[int(i)] for i in numbers),
            values=self.values[numbers],
            known={name: values[numbers] for name, values in self.known.items()},
            traits={name: values[numbers] for name, values in self.traits.items()},
        )

    def until(self, length: int, horizon: int) -> "Panel":
        """As it was known after ``length`` periods, looking ``horizon`` ahead; without series that had not begun."""
        end = length + horizon
        past = dataclasses.replace(
            self,
            dates=self.dates[:end],
            values=self.values[:, :length],
            known={name: values[:, :end] for name, values in self.known.items()},
        )
        return past.some(~np.isnan(past.values[:, -1]))


def read(
    rows: pd.DataFrame,
    horizon: int,
    frequency: Frequency | None = None,
    season: int | None = None,
    future: pd.DataFrame | None = None,
    gaps: Gaps = "zero",
) -> Panel:
    """The panel of a long frame: unique_id, ds, y and whatever else is known of a series or of a date.

    Args:
        rows: one row per series and date. Columns beside the three that never change within a series are its traits;
            the others need a ``future``.
        horizon: periods ahead.
        frequency: read from the dates if left out; of weeks, the day on which they are dated is.
        season: periods after which things repeat; that of the frequency if left out.
        future: unique_id, ds and the columns known ahead, for every series and date of the horizon.
        gaps: a date without a row between the first and the last of all sold nothing, or is unknown and filled in
            (as is a row without y). Unknown at the end of a series: nothing was sold.

    Raises:
        Problem: the frame cannot be read so.
    """
    if horizon < 1:
        raise Problem(f"the horizon is {horizon}: ask for at least one period ahead")
    rows = _checked(rows, "the series", _KEYS)
    dates, found = _calendar(rows["ds"], frequency, horizon)
    length = len(dates) - horizon
    ids, row = np.unique(rows["unique_id"].to_numpy().astype(str), return_inverse=True)
    column = dates.get_indexer(pd.DatetimeIndex(rows["ds"]))
    if (column < 0).any():
        odd = rows["ds"].iloc[int(np.argmax(column < 0))]
        raise Problem(f"{odd.date()} does not lie on the calendar {dates.freqstr}: say --freq, or correct the dates")
    if len(np.unique(row * len(dates) + column)) < len(rows):
        twice = rows[rows.duplicated(["unique_id", "ds"])].iloc[0]
        raise Problem(f"the series {twice['unique_id']} has two rows of {twice['ds'].date()}: add them up first")
    values = np.full((len(ids), length), np.nan)
    values[row, column] = rows["y"].to_numpy(dtype=np.float64)
    present = np.zeros(values.shape, dtype=bool)
    present[row, column] = True
    values = _filled(values, present, gaps, season or SEASONS[found])
    traits, known = _others(rows, future, ids, row, column, dates, length)
    return Panel(tuple(ids), dates, values, found, season or SEASONS[found], known, traits)


def _checked(rows: pd.DataFrame, what: str, needed: tuple[str, ...]) -> pd.DataFrame:
    missing = [name for name in needed if name not in rows]
    if missing:
        raise Problem(f"{what} lack the column {missing[0]}: they need {', '.join(needed)}")
    if rows.empty:
        raise Problem(f"{what} hold no row: give at least one of {', '.join(needed)}")
    rows = rows.assign(unique_id=rows["unique_id"].astype(str))
    try:
        days = pd.to_datetime(rows["ds"], format="ISO8601")
    except (ValueError, TypeError):
        row = _first(pd.to_datetime(rows["ds"], format="ISO8601", errors="coerce").isna())
        odd = rows["ds"].iloc[row - 1]
        raise Problem(f"{what}: ds holds {odd!r} in row {row}, which is no date: write YYYY-MM-DD") from None
    rows["ds"] = days
    for name in ("unique_id", "ds"):
        if rows[name].isna().any():
            raise Problem(f"{what}: row {_first(rows[name].isna())} has no {name}: fill it in, or leave the row out")
    rows["ds"] = rows["ds"].dt.tz_localize(None).dt.normalize()
    if "y" in needed:
        y = pd.to_numeric(rows["y"], errors="coerce")
        odd = y.isna() & rows["y"].notna() | np.isinf(y)
        if odd.any():
            value = rows["y"][odd].iloc[0]
            raise Problem(
                f"{what}: y holds '{value}' in row {_first(odd)}, which is no number: write one, or leave it empty"
            )
        if y.isna().all():
            raise Problem(f"{what}: y is empty in every row")
        rows["y"] = y
    return rows


def _first(wrong: "pd.Series[bool]") -> int:
    """The first row of which it is so, the first of all being 1."""
    return int(np.argmax(wrong.to_numpy())) + 1


def _calendar(days: "pd.Series[Any]", frequency: Frequency | None, horizon: int) -> tuple[pd.DatetimeIndex, Frequency]:
    dates = pd.DatetimeIndex(np.unique(days.to_numpy()))
    found = frequency or _frequency(dates)
    step = _step(dates, found)
    ahead = pd.date_range(dates[-1], periods=horizon + 1, freq=step)
    if ahead[0] != dates[-1]:
        raise Problem(f"the last date, {dates[-1].date()}, does not lie on the calendar {step}: say --freq")
    whole = pd.date_range(dates[0], ahead[-1], freq=step)
    if len(whole) > _MOST_PERIODS:
        raise Problem(f"the dates span {len(whole)} periods from {dates[0].date()}: is one of them wrong?")
    return whole, found


def _frequency(dates: pd.DatetimeIndex) -> Frequency:
    if len(dates) < 3:
        raise Problem("there are fewer than three dates, so their frequency cannot be read: say --freq D, W or M")
    gap = int(np.median(np.diff(dates.to_numpy()).astype("timedelta64[D]").astype(np.int64)))
    for frequency, low, high in (("D", 1, 2), ("W", 7, 7), ("M", 28, 31)):
        if low <= gap <= high:
            return frequency  # type: ignore[return-value]
    raise Problem(f"the dates lie {gap} days apart, which is neither a day, a week nor a month: say --freq D, W or M")


def _step(dates: pd.DatetimeIndex, frequency: Frequency) -> str:
    if frequency == "D":
        return "D"
    if frequency == "W":
        weekdays = np.bincount(dates.day_of_week, minlength=7)
        return f"W-{_ANCHORS[int(weekdays.argmax())]}"
    return "MS" if (dates.day == 1).all() else "ME"


def _filled(values: Floats, present: NDArray[np.bool_], gaps: Gaps, season: int) -> Floats:
    """Without holes from the first row of a series on."""
    begun = np.maximum.accumulate(present & ~np.isnan(values), axis=1)
    if not begun[:, -1].all():
        never = np.logical_not(begun.any(axis=1))[:, None]
        values = np.where(never, 0.0, values)
        begun |= never
    holes = np.isnan(values) & begun
    ended = ~np.flip(np.maximum.accumulate(np.flip(present, axis=1), axis=1), axis=1)
    nothing = holes & ~present if gaps == "zero" else holes & ended
    values = np.where(nothing, 0.0, values)
    for row in np.flatnonzero((holes & ~nothing).any(axis=1)):
        values[row] = _guessed(values[row], begun[row], season)
    return values


def _guessed(values: Floats, begun: NDArray[np.bool_], season: int) -> Floats:
    """Unknown periods as one season before or after, in which else as the periods around them."""
    series = pd.Series(values[begun])
    guess = pd.concat([series.shift(season), series.shift(-season)], axis=1).mean(axis=1)
    filled = values.copy()
    filled[begun] = series.fillna(guess).interpolate(limit_direction="both").to_numpy()
    return np.asarray(filled, dtype=np.float64)


def _others(
    rows: pd.DataFrame,
    future: pd.DataFrame | None,
    ids: NDArray[Any],
    row: NDArray[np.int64],
    column: NDArray[np.int64],
    dates: pd.DatetimeIndex,
    length: int,
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    names = [str(name) for name in rows.columns if name not in _KEYS]
    ahead: list[str] = []
    if future is not None:
        future = _checked(future, "the future", ("unique_id", "ds"))
        ahead = [str(name) for name in future.columns if name not in _KEYS]
        lost = [name for name in ahead if name not in names]
        if lost:
            raise Problem(f"the future has the column {lost[0]}, of which the series say nothing")
    traits = {}
    for name in names:
        codes, _ = pd.factorize(rows[name])
        per_series = pd.Series(codes).groupby(row).agg(["min", "max"])
        if name not in ahead and (per_series["min"] == per_series["max"]).all() and codes.max() > 0:
            traits[name] = per_series["min"].to_numpy(dtype=np.float64)
    known = {}
    for name in ahead:
        assert future is not None
        values = np.full((len(ids), len(dates)), np.nan)
        values[row, column] = _numbers(rows[name], name)
        place = pd.Index(ids).get_indexer(pd.Index(future["unique_id"]))
        when = dates.get_indexer(pd.DatetimeIndex(future["ds"]))
        inside = (place >= 0) & (when >= length)
        values[place[inside], when[inside]] = _numbers(future[name], name)[inside]
        holes = np.isnan(values[:, length:])
        if holes.any():
            series, day = np.argwhere(holes)[0]
            raise Problem(f"the future lacks {name} of {ids[series]} on {dates[length + day].date()}")
        known[name] = np.nan_to_num(values)
    return traits, known


def _numbers(values: "pd.Series[Any]", name: str) -> Floats:
    try:
        return np.asarray(values.to_numpy(), dtype=np.float64)
    except (ValueError, TypeError):
        raise Problem(
            f"the column {name} holds something that is no number: write what is known ahead as numbers"
        ) from None


def unused(rows: pd.DataFrame, panel: Panel) -> list[str]:
    """The columns of the series that no method sees, because nobody says how they go on."""
    return [str(name) for name in rows.columns if name not in (*_KEYS, *panel.known, *panel.traits)]
