"""Peak readiness: visitors to expect in the coming two weeks per hour that somebody is rostered, and where it is thin.

Where no roster is known yet the usual one of the weekday stands in for it, and says so.
"""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd

from data_access.queries import demand, places, stores
from data_access.queries import readiness as queries
from data_access.queries import staff as staff_queries
from data_access.results.info import info_of
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import readiness as calc
from models.reports._kept import TEAMS, kept_frames
from models.reports._shape import Columns, select_columns

FORECAST: Final = "forecast"  # the job that knows the events ahead
THIN: Final = 1.25  # so many times the usual visitors per rostered hour is too few people
YEAR: Final = 365
BAND: Final = 2  # hours
Roster = Literal["planned", "usual"]


@dataclass(frozen=True, slots=True)
class ReadinessReport:
    """The stores in scope with a door count and a roster, on the days after the last one of the data."""

    last_day: date | None  # None: no data
    rostered_until: date | None  # the last day of which any shift is known, None: none after the data
    # store_days, thin (of them), missing_hours (rostered hours that would make these as usual); wape and last_week:
    # what such forecasts of visitors missed by on earlier store days, and the same weekday a week before; checked: days
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per store and day ahead that it is open. visitors and tickets (service contacts, at the store's usual
    # number per visitor) to expect, hours rostered (roster: planned | usual, of the weekday), per_hour (visitors /
    # hours), usual_per_hour (in the last eight weeks), load (per_hour / usual_per_hour; NaN without an hour),
    # tickets_per_hour, is_thin, missing_hours, peak_hour (first hour of the band that misses most); event: what the
    # demand forecast multiplies the day by
    days: Annotated[
        pd.DataFrame,
        Columns(
            "store_id store day visitors tickets hours roster per_hour usual_per_hour load tickets_per_hour is_thin "
            "missing_hours peak_hour event"
        ),
    ]
    # the same by band of two hours (its first hour); load is to the store's usual visitors per rostered hour in it
    slots: Annotated[pd.DataFrame, Columns("store_id store day hour visitors hours load missing_hours")]


def readiness(snapshot: Snapshot, scope: Scope) -> ReadinessReport:
    """Whether the stores in scope are ready for the coming two weeks, as the batch found if it looked at them."""
    last = snapshot.info.last_day
    found = None if last is None else kept_frames(snapshot, scope, last, "readiness", job=TEAMS)
    if found is None:
        return computed(snapshot, scope)
    until = [day.date() for day in found.pop("until")["day"]]
    return ReadinessReport(last, until[0] if until else None, **found)


def computed(snapshot: Snapshot, scope: Scope) -> ReadinessReport:
    """The same, added up now."""
    last, first = snapshot.info.last_day, snapshot.info.first_day
    if last is None or first is None:
        return ReadinessReport(None, None, **select_columns(ReadinessReport))
    engine = snapshot.engine
    learnt = Period(last - timedelta(days=7 * calc.WEEKS - 1), last)
    coming = Period(last + timedelta(days=1), last + timedelta(days=calc.AHEAD))
    known = queries.by_day(scope, engine, Period(last - timedelta(days=calc.HISTORY_DAYS - 1), last))
    usual_crew = _by_hour(queries.crews(scope, engine, learnt), "weekday")
    counted = known.loc[known["visitors"].notna(), "store_id"]
    crewed = sorted(set(usual_crew["store_id"]) & set(counted))
    planned = _by_hour(queries.crews_by_day(scope, engine, coming), "day")
    until = None if planned.empty else planned["day"].max().date()
    if not crewed:
        return ReadinessReport(last, until, **select_columns(ReadinessReport))
    event = _events(snapshot, scope, last)
    counts = _counts(known, crewed, last)
    expected = pd.DataFrame(
        calc.ahead(counts.to_numpy(dtype=np.float64), event),
        index=pd.date_range(coming.first, coming.last, name="day"),
        columns=pd.Index(crewed, name="store_id"),
    )
    week = staff_queries.busy_hours(scope, engine, learnt)
    opened = _opened(known, learnt)
    hours = _hours(expected, week, usual_crew, planned, opened)
    closed = stores.closures(scope, engine)
    hours = hours.merge(closed.assign(closed=True), "left", ["store_id", "day"])
    hours = hours[hours["closed"].isna()]
    hours["store"] = hours["store_id"].map(places.stores(scope, engine).set_index("store_id")["store"])
    year = Period(last - timedelta(days=YEAR - 1), last)
    asked = queries.contacts(scope, engine, year).set_index("store_id")["tickets"]
    seen = _counts(queries.by_day(scope, engine, year), crewed, last, days=YEAR).sum()
    days = _days(hours, asked / seen.where(seen > 0), pd.Series(event[len(counts) :], index=expected.index))
    bands = _bands(hours)
    days["peak_hour"] = _peak(bands).reindex(pd.MultiIndex.from_frame(days[["store_id", "day"]])).to_numpy()
    checked = calc.check(counts.to_numpy(dtype=np.float64), event[: len(counts)])
    figures = {
        "store_days": (len(days), "count"),
        "thin": (int(days["is_thin"].sum()), "count"),
        "missing_hours": (float(days.loc[days["is_thin"], "missing_hours"].sum()), "count"),
        "wape": (checked.wape, "percent"),
        "last_week": (checked.last_week, "percent"),
        "checked": (checked.days, "count"),
    }
    summary = pd.DataFrame([(key, *figure) for key, figure in figures.items()], columns=["key", "value", "unit"])
    frames = select_columns(ReadinessReport, summary=summary, days=days, slots=bands)
    return ReadinessReport(last, until, **frames)


def _events(snapshot: Snapshot, scope: Scope, last: date) -> np.ndarray:
    """What the demand forecast multiplies each known day and each day ahead by; 1 where it says nothing."""
    days = pd.date_range(last - timedelta(days=calc.HISTORY_DAYS - 1), last + timedelta(days=calc.AHEAD))
    if snapshot.results is None or info_of(snapshot, FORECAST) is None:
        return np.ones(len(days))
    parts = demand.components(scope, snapshot.results).set_index("ds")["event"]
    found: np.ndarray = parts.reindex(days).fillna(1.0).clip(lower=0.1).to_numpy(dtype=np.float64)
    return found


def _counts(known: pd.DataFrame, crewed: list[str], last: date, days: int = calc.HISTORY_DAYS) -> pd.DataFrame:
    """Visitors by day and store; NaN on days without a valid count."""
    wide = known.pivot(index="day", columns="store_id", values="visitors")
    return wide.reindex(index=pd.date_range(last - timedelta(days=days - 1), last), columns=crewed)


def _opened(known: pd.DataFrame, learnt: Period) -> pd.DataFrame:
    """How often each weekday was open in the weeks that the usual is learnt from: store_id, weekday, days."""
    some = known[(known["day"] >= pd.Timestamp(learnt.first)) & (known["orders"] > 0)]
    weekday = some["day"].dt.day_of_week + 1
    return some.groupby(["store_id", weekday.rename("weekday")]).size().rename("days").reset_index()


def _by_hour(crews: pd.DataFrame, when: str) -> pd.DataFrame:
    """Hours that people are rostered for, by store, ``when`` and hour of the day; breaks lie evenly in a shift."""
    hours = pd.Series(np.maximum(crews["last_hour"] - crews["first_hour"], 1), index=crews.index).astype("int64")
    rows = crews.loc[crews.index.repeat(hours)]
    step = rows.groupby(level=0).cumcount()
    spread = rows.assign(hour=rows["first_hour"].astype("int64") + step, crew=rows["hours"] / hours.reindex(rows.index))
    return spread.groupby(["store_id", when, "hour"])["crew"].sum().reset_index()


def _hours(
    expected: pd.DataFrame, week: pd.DataFrame, usual: pd.DataFrame, planned: pd.DataFrame, opened: pd.DataFrame
) -> pd.DataFrame:
    """One row per store, day ahead and hour with visitors or people: visitors, crew, roster, and the usual of both in
    an hour of that weekday."""
    share = week.assign(share=week["visitors"] / week.groupby(["store_id", "weekday"])["visitors"].transform("sum"))
    usual = usual.merge(share, "outer", ["store_id", "weekday", "hour"]).merge(opened, "inner", ["store_id", "weekday"])
    usual["usual_visitors"] = usual["visitors"].fillna(0.0) / usual["days"]
    usual["usual_crew"] = usual["crew"].fillna(0.0) / usual["days"]
    days = pd.Series(expected.stack(), name="of_day").reset_index().dropna()
    days["weekday"] = days["day"].dt.day_of_week + 1
    names = ["store_id", "weekday", "hour", "share", "usual_visitors", "usual_crew"]
    rows = days.merge(usual[names], "inner", ["store_id", "weekday"]).merge(
        planned, "left", ["store_id", "day", "hour"]
    )
    rows["visitors"] = rows["of_day"] * rows["share"].fillna(0.0)
    # A day with any shift of the store is planned; the others are as usual.
    is_planned = pd.MultiIndex.from_frame(rows[["store_id", "day"]]).isin(
        pd.MultiIndex.from_frame(planned[["store_id", "day"]])
    )
    rows["roster"] = np.where(is_planned, "planned", "usual")
    rows["crew"] = np.where(is_planned, rows["crew"].fillna(0.0), rows["usual_crew"])
    return rows


def _days(hours: pd.DataFrame, per_visitor: pd.Series, event: pd.Series) -> pd.DataFrame:
    sums = (
        hours.groupby(["store_id", "store", "day", "roster"], observed=True)[["visitors", "crew"]].sum().reset_index()
    )
    week = hours.drop_duplicates(["store_id", "weekday", "hour"]).groupby("store_id")[["usual_visitors", "usual_crew"]]
    usual = week.sum()
    sums["usual_per_hour"] = sums["store_id"].map(
        usual["usual_visitors"] / usual["usual_crew"].where(usual["usual_crew"] > 0)
    )
    found = sums.rename(columns={"crew": "hours"})
    found["per_hour"] = (found["visitors"] / found["hours"]).where(found["hours"] > 0)
    found["load"] = (found["per_hour"] / found["usual_per_hour"]).where(found["hours"] > 0, math.inf)
    found["is_thin"] = found["load"] >= THIN
    found["missing_hours"] = (found["visitors"] / found["usual_per_hour"] - found["hours"]).clip(lower=0.0)
    found["tickets"] = found["visitors"] * found["store_id"].map(per_visitor).fillna(0.0)
    found["tickets_per_hour"] = (found["tickets"] / found["hours"]).where(found["hours"] > 0)
    found["event"] = found["day"].map(event)
    # Where nobody is rostered there is no load, and no day is thinner.
    found = found.sort_values(
        ["load", "missing_hours", "day", "store_id"], ascending=[False, False, True, True], ignore_index=True
    )
    return found.assign(load=found["load"].where(found["hours"] > 0))


def _bands(hours: pd.DataFrame) -> pd.DataFrame:
    band = hours.assign(hour=hours["hour"] // BAND * BAND)
    keys = ["store_id", "store", "day", "hour"]
    sums = band.groupby(keys)[["visitors", "crew"]].sum().reset_index().rename(columns={"crew": "hours"})
    once = hours.drop_duplicates(["store_id", "weekday", "hour"])
    usual = once.groupby(["store_id", once["hour"] // BAND * BAND])[["usual_visitors", "usual_crew"]].sum()
    ratio = (usual["usual_visitors"] / usual["usual_crew"].where(usual["usual_crew"] > 0)).rename("usual").reset_index()
    sums = sums.merge(ratio, "left", ["store_id", "hour"])
    sums["load"] = (sums["visitors"] / sums["hours"] / sums["usual"]).where((sums["hours"] > 0) & (sums["usual"] > 0))
    sums["missing_hours"] = (sums["visitors"] / sums["usual"] - sums["hours"]).clip(lower=0.0)
    return sums


def _peak(bands: pd.DataFrame) -> pd.Series:
    """The first hour of the band in which each store and day misses most; none where nothing is missing."""
    short = (
        bands[bands["missing_hours"] > 0].sort_values("missing_hours").drop_duplicates(["store_id", "day"], keep="last")
    )
    return short.set_index(["store_id", "day"])["hour"].astype("float64")
