"""The days on which a shop sells otherwise than its week and season say: an event table, and what it says of each date.

The table is a frame of one row per event and year: event, ds (its day), before, after (days around it that belong to
it), place (a region or channel, empty: everywhere). ``china`` computes the one that is shipped; a file of the same
columns replaces it. Peaks of the lunar calendar are dated by it, years 2015 to 2035.
"""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.state.event_changes import Change, stores_of
from models.calc.calendar import RULES, Rule, fixed
from models.forecasting.panel import Floats, Panel

COLUMNS: Final = ("event", "ds", "before", "after", "place")
FIRST_YEAR: Final = 2015
LAST_YEAR: Final = 2035
_LOCAL: Final = ["event", "store_id", "starts_on", "ends_on"]
_WEEK: Final = timedelta(days=7)
_YEAR: Final = 364  # the same weekday of the year before
_WEEKS: Final = 6  # on each side
_LEAST: Final = 56  # ordinary days, to tell how they vary
_ALIKE: Final = 7.0  # days apart at which what two days of an event do is alike by 1/e
_WIDTH: Final = 0.1  # the search for that of priors begins here
_ROUNDS: Final = 50
_ODDS: Final = 3.0
_EXACT: Final = 1e-6  # no variance is less


# Days before and after those that are called by the name of an event on which trade is not as usual either: people shop
# for weeks before Spring Festival and stay at home after it, sales begin on the eve of Double 11 and end late.
_MORE: Final[Mapping[str, tuple[int, int]]] = {
    "new_year": (1, 1), "spring_festival": (17, 9), "labour_day": (1, 0), "618": (0, 1), "mid_autumn": (2, 1),
    "national_day": (1, 0), "double_11": (1, 1),
}  # fmt: skip
_CHRISTMAS: Final = Rule("christmas", fixed(12, 25), 5, 0)  # no day of its own on charts


def china() -> pd.DataFrame:
    """The event table of a shop in mainland China, 2015 to 2035."""
    rows = []
    for rule in (*RULES, _CHRISTMAS):
        before, after = _MORE.get(rule.key, (0, 0))
        around = rule.before + before, rule.after + after
        rows += [(rule.key, rule.day(year), *around, "") for year in range(FIRST_YEAR, LAST_YEAR + 1)]
    return pd.DataFrame(rows, columns=list(COLUMNS)).assign(ds=lambda table: pd.to_datetime(table["ds"]))


def nothing() -> pd.DataFrame:
    """A table without events."""
    return china().iloc[:0]


def edited(table: pd.DataFrame, changes: Iterable[Change]) -> pd.DataFrame:
    """The table as people changed it everywhere."""
    rows = table.copy()
    for change in changes:
        if not change.everywhere:
            continue
        rows = rows[(rows["event"] != change.event) | (rows["ds"] != pd.Timestamp(change.about))]
        if change.day is not None:
            new = [(change.event, pd.Timestamp(change.day), change.before, change.after, "")]
            rows = pd.concat([rows, pd.DataFrame(new, columns=list(COLUMNS))], ignore_index=True)
    return rows.reset_index(drop=True)


def local(changes: Iterable[Change], stores: pd.DataFrame) -> pd.DataFrame:
    """What people added for a region or a kind of store: event, store_id, starts_on, ends_on.

    stores: store_id, region_id, kind.
    """
    shipped = _days(china())
    found = []
    for change in changes:
        # A shipped event that is on in a region is one that is no longer off there.
        if change.everywhere or change.day is None or (change.event, change.about) in shipped:
            continue
        first, last = change.day - timedelta(days=change.before), change.day + timedelta(days=change.after)
        found += [(change.event, store, first, last) for store in stores_of(change, stores)]
    return pd.DataFrame(found, columns=_LOCAL)


def taken_off(changes: Iterable[Change], stores: pd.DataFrame) -> pd.DataFrame:
    """Where an event does not take place that does elsewhere, on the days it has there: columns as of ``local``."""
    every = tuple(changes)
    moved = {(change.event, change.about): change.day for change in every if change.everywhere}
    known = _days(edited(china(), every))
    found = []
    for change in every:
        day = moved.get((change.event, change.about), change.about)
        if change.everywhere or change.day is not None or day is None or (change.event, day) not in known:
            continue
        before, after = known[change.event, day]
        first, last = day - timedelta(days=before), day + timedelta(days=after)
        found += [(change.event, store, first, last) for store in stores_of(change, stores)]
    return pd.DataFrame(found, columns=_LOCAL)


def _days(table: pd.DataFrame) -> dict[tuple[str, date], tuple[int, int]]:
    """By event and its day, the days before and after."""
    rows = zip(table["event"], table["ds"].dt.date, table["before"], table["after"], strict=True)
    return {(event, day): (before, after) for event, day, before, after in rows}


def of_file(path: Path) -> pd.DataFrame:
    """The event table of a csv file: event and ds; before, after and place may be left out.

    Raises:
        Problem: it cannot be read so.
    """
    try:
        table = pd.read_csv(path, dtype={"event": str, "place": str})
        table["ds"] = pd.to_datetime(table["ds"])
        for name in ("before", "after"):
            table[name] = table[name].fillna(0).astype(int) if name in table else 0
        table["place"] = table["place"].fillna("") if "place" in table else ""
        return table[list(COLUMNS)]
    except KeyError as error:
        wanted = ", ".join(COLUMNS)
        raise Problem(f"the event table {path} is no csv file of {wanted}: it lacks {error.args[0]}") from None
    except OSError as error:
        raise Problem(f"the event table {path} cannot be read: {error.strerror}") from None
    except (ValueError, UnicodeDecodeError) as error:
        raise Problem(f"the event table {path} is no csv file of event, ds, before, after, place: {error}") from None


def of_place(table: pd.DataFrame, places: tuple[str, ...]) -> pd.DataFrame:
    """The rows that concern one of the places (a region, a channel), and those of everywhere."""
    return table[table["place"].isin(["", *places])]


@dataclass(frozen=True)
class Marks:
    """What the table says of each date: the event (0: none, else one more than its place in ``names``), days since it.

    ``before`` and ``after`` of an event are parts of it; where two overlap, the one whose day is nearer has the date.
    """

    names: tuple[str, ...]
    event: NDArray[np.int64]
    offset: NDArray[np.int64]
    counterpart: NDArray[np.int64]  # the column of the same moment one year before, -1 where there is none


def marks(table: pd.DataFrame, dates: pd.DatetimeIndex, span: int = 1) -> Marks:
    """The marks of consecutive dates; ``span``: days that a date stands for, which end with it (a week: 7)."""
    days = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    names = tuple(table["event"].unique())
    event, offset = np.zeros(len(days), dtype=np.int64), np.full(len(days), 999, dtype=np.int64)
    occurrence = np.full(len(days), -1, dtype=np.int64)
    anchors = table["ds"].to_numpy().astype("datetime64[D]").astype(np.int64)
    for row, (name, anchor, before, after) in enumerate(
        zip(table["event"], anchors, table["before"], table["after"], strict=True)
    ):
        since = days - anchor
        inside = (since >= -before) & (since - span + 1 <= after) & (np.abs(since) < np.abs(offset))
        event[inside], offset[inside], occurrence[inside] = names.index(name) + 1, since[inside], row
    column = {int(day): number for number, day in enumerate(days)}
    counterpart = np.full(len(days), -1, dtype=np.int64)
    by_event = {name: np.sort(anchors[(table["event"] == name).to_numpy()]) for name in names}
    for number, day in enumerate(days):
        if event[number]:
            mine = by_event[names[event[number] - 1]]
            earlier = mine[mine < anchors[occurrence[number]]]
            goal = int(earlier[-1]) + int(offset[number]) if len(earlier) else None
        else:
            goal = int(day) - _YEAR
        if goal is not None:
            counterpart[number] = _near(column, goal, span)
    return Marks(names, event, offset, counterpart)


def _near(column: dict[int, int], day: int, span: int) -> int:
    """The column of the date that the day belongs to, of those that stand for ``span`` days."""
    return next((column[day + later] for later in range(span) if day + later in column), -1)


@dataclass(frozen=True)
class Effects:
    """What the events of ``table`` do: ``logs`` (series x days of events) on the ``days`` (dates x days of events) that
    are days of the events ``names``."""

    table: pd.DataFrame
    logs: Floats
    days: NDArray[np.bool_]
    names: NDArray[np.str_]

    @cached_property
    def factor(self) -> Floats:
        """Series x dates: by what the events of a date multiply the sales of each series; 1 on other days."""
        return self.of(self.names)

    def of(self, names: str | NDArray[np.str_]) -> Floats:
        """The same of some of the events."""
        own = np.isin(self.names, names)
        return np.asarray(np.exp(self.logs[:, own] @ self.days[:, own].T))

    def left(self, absent: Mapping[str, Floats]) -> Floats:
        """What is left of ``factor`` where an event does not take place in stores that sell a share of a series.

        absent: that share by event; series x dates. An event that multiplies the sales of a store by f multiplies those
        of the series by 1 + (f - 1) (1 - share).
        """
        found = np.ones((len(self.logs), len(self.days)))
        for name, share in absent.items():
            factor = self.of(name)
            found *= (1 + (factor - 1) * (1 - share)) / factor
        return found

    def some(self, rows: NDArray[np.int64]) -> "Effects":
        return replace(self, logs=self.logs[rows])


def effects(panel: Panel, table: pd.DataFrame, absent: Mapping[str, Floats] = MappingProxyType({})) -> Effects:
    """What the events of the table did to daily series, and will do again; only those that show.

    The best guess under normal priors whose width each event tells itself (empirical Bayes; Efron and Morris 1973): an
    event that did much, on several days or in several years, counts for nearly all that it did, one that ordinary days
    might have brought about for little, and one without odds of three to one for it is left out. So the table does no
    harm elsewhere, or in another trade. Neighbouring days of an event do alike; two events that fall together are told
    apart. What an event does is learnt from all series, each counting for as much as its ordinary days are alike; a
    series' own deviation counts as far as series differ by more than chance, and where it is not known (before a series
    begins, on a day without a sale) it is that of all. A day that no series knows teaches nothing.

    absent: as of ``Effects.left``; nothing is learnt from such days of such series.
    """
    columns = np.zeros((len(panel.ids), 0)), np.zeros((len(panel.dates), 0), dtype=bool), np.array([], np.str_)
    none = Effects(table.iloc[:0], *columns)
    if panel.frequency != "D" or table.empty or panel.length < _YEAR:
        return none
    days, of_event, offset = design(table, panel.dates)
    special = np.logical_or.reduce(days[: panel.length], axis=1)
    rest = _off_the_week(panel, special)
    for share in absent.values():
        rest[share[:, : panel.length] > 0] = np.nan
    noise = _variance(rest[:, ~special])
    common = _mean(rest, np.nan_to_num(1 / noise))
    at = np.flatnonzero(special & ~np.isnan(common))
    of_common = float(_variance(common[None, ~special])[0])
    seen = days[at].any(axis=0)
    if not seen.any() or np.isnan(of_common):
        return none
    days, of_event, offset = days[:, seen], of_event[seen], offset[seen]
    past = days[at].astype(np.float64)
    prior = _prior(past.T @ past / of_common, past.T @ common[at] / of_common, of_event, offset)
    shown = prior.any(axis=0)
    if not shown.any():
        return none
    learnt = prior @ np.linalg.solve(of_common * np.eye(len(prior)) + past.T @ past @ prior, past.T)
    own = np.nan_to_num(rest[:, at] - common[at]) @ learnt.T
    error = noise[:, None] * (learnt**2).sum(axis=1)
    between = np.maximum(np.nanmean(own**2 - error, axis=0), 0.0)
    logs = learnt @ common[at] + own * np.nan_to_num(between / np.maximum(between + error, _EXACT))
    names = np.unique(of_event[shown])
    return Effects(table[table["event"].isin(names)], logs[:, shown], days[:, shown], of_event[shown])


def _prior(square: Floats, linear: Floats, of_event: NDArray[np.str_], offset: NDArray[np.int64]) -> Floats:
    """The prior covariance of what days of events do: of each event as wide as makes most likely what was seen (found
    by minorisation; Zhou and others 2019, Journal of Computational and Graphical Statistics), 0 of one that it is
    not three times as likely with as without.

    square, linear: X'X and X'y over the variance of the noise.
    """
    names, index = np.unique(of_event, return_inverse=True)
    alike = (index[:, None] == index) * np.exp(-np.abs(offset[:, None] - offset) / _ALIKE)
    of_names, one = np.eye(len(names))[index], np.eye(len(index))

    def likely(width: Floats) -> float:
        prior = alike * width[index]
        whole = one + square @ prior
        return float(linear @ prior @ np.linalg.solve(whole, linear) - np.linalg.slogdet(whole)[1]) / 2

    width = np.full(len(names), _WIDTH)
    for _ in range(_ROUNDS):
        found = np.linalg.solve(one + square @ (alike * width[index]), np.column_stack([square, linear]))
        mean, spread = found[:, -1], found[:, :-1]
        width *= np.sqrt((mean * (alike @ mean) @ of_names) / ((spread * alike).sum(axis=1) @ of_names))
    gained = likely(width) - np.array([likely(width * (1 - row)) for row in np.eye(len(names))])
    return np.asarray(alike * np.where(gained > np.log(_ODDS), width, 0.0)[index])


def design(
    table: pd.DataFrame, dates: pd.DatetimeIndex
) -> tuple[NDArray[np.bool_], NDArray[np.str_], NDArray[np.int64]]:
    """Which day of which event each date is (dates x days of events; two events may fall together), its event, and
    days since that."""
    number = dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    anchors = table["ds"].to_numpy().astype("datetime64[D]").astype(np.int64)
    columns: dict[tuple[str, int], NDArray[np.bool_]] = {}
    for name, anchor, before, after in zip(table["event"], anchors, table["before"], table["after"], strict=True):
        for offset in range(-before, after + 1):
            hit = number == anchor + offset
            columns[name, offset] = columns.get((name, offset), np.zeros(len(dates), dtype=bool)) | hit
    names, offsets = zip(*columns, strict=True)
    return np.stack(list(columns.values()), axis=1), np.array(names), np.array(offsets)


def _mean(rest: Floats, weight: Floats) -> Floats:
    """Over series; NaN where none with a weight knows the day."""
    whole = weight @ ~np.isnan(rest)
    return np.where(whole > 0, weight @ np.nan_to_num(rest) / np.maximum(whole, _EXACT), np.nan)


def _variance(rest: Floats) -> Floats:
    """Over days, of each series; NaN where too few are known to tell."""
    known = ~np.isnan(rest)
    count = np.maximum(known.sum(axis=1), 1)
    off = np.where(known, np.nan_to_num(rest) - (np.nansum(rest, axis=1) / count)[:, None], 0.0)
    return np.where(count < _LEAST, np.nan, np.maximum((off**2).sum(axis=1) / count, _EXACT))


def _off_the_week(panel: Panel, special: NDArray[np.bool_]) -> Floats:
    """The logarithm of each day over the median of the same weekday, not ``special``, in the weeks around it."""
    level = np.nanmean(panel.values, axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(panel.values > 0, np.log(panel.values / level), np.nan)
    ordinary = np.where(special, np.nan, logs)
    wide = np.pad(ordinary, ((0, 0), (7 * _WEEKS, 7 * _WEEKS)), constant_values=np.nan)
    around = np.stack([wide[:, 7 * week : 7 * week + panel.length] for week in range(2 * _WEEKS + 1) if week != _WEEKS])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # no ordinary day around
        return logs - np.nanmedian(around, axis=0)
