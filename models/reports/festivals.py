"""Festivals to come: what each added last year by category, and whether the stock lasts for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.queries import demand as queries
from data_access.queries import places
from data_access.queries import stock as stock_queries
from data_access.results.info import is_current
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.event_changes import Change, seen_from
from models.calc.calendar import IN_ORDER, Event
from models.forecasting import events
from models.reports._shape import Columns, select_columns
from models.reports.demand import JOB

AHEAD_DAYS: Final = 120
_BACK_DAYS: Final = 28  # before a festival that tell what is usual; and of today
_LEAST_DAYS: Final = 10  # of these outside other festivals
_LEAST_UNITS: Final = 5.0  # sold in a festival by which a category is compared
_YEAR: Final = 400  # days in which a festival comes again


@dataclass(frozen=True, slots=True)
class FestivalsReport:
    """Festivals that begin within ``AHEAD_DAYS`` after the last day of the data; for a chain that trades in yuan."""

    last_day: date | None
    # one row per festival to come and category that sold in the one of last year, the next festival first; its days are
    # those on which people buy for it, run-up and all. Units: festival_units (in its days last year), usual_units (the
    # same weekdays at the pace of the four weeks before it, other festivals left out), uplift (festival_units /
    # usual_units - 1), expected_units (in its days this year: the forecast where it reaches so far, else today's pace
    # with the uplift), units_before (expected from now to its eve), available (on hand - reserved + on order),
    # short_units (what is missing for both). order_until: the day from which half of the category's products would
    # come too late. standing: late (short, and that day is over), order (short), ready, unknown (no stock is known)
    festivals: Annotated[
        pd.DataFrame,
        Columns(
            "event starts_on ends_on category festival_units usual_units uplift expected_units units_before available "
            "short_units order_until standing"
        ),
    ]


def festivals(snapshot: Snapshot, scope: Scope, changes: Sequence[Change] = ()) -> FestivalsReport:
    """The festivals to come in the stores in scope, on the days that ``changes`` give them for all stores; without
    those that were taken off in every store in scope."""
    last = snapshot.info.last_day
    if last is None:
        return FestivalsReport(None, **select_columns(FestivalsReport))
    here = seen_from(changes, places.stores(scope, snapshot.engine)) if changes else ()
    every = _calendar(here) if snapshot.info.currency == "CNY" else ()
    coming = [one for one in every if last < one.first <= last + timedelta(days=AHEAD_DAYS)]
    units = _units(snapshot, scope, last)
    ahead = _ahead(snapshot, scope, last)
    week = _week(units, every)
    now = _pace(units, last + timedelta(days=1), every, week)
    stock = _stock(snapshot, scope)
    parts = [
        _one(one, before, units, ahead, now, every, week, stock, last)
        for one in coming
        if (before := _twin(one, every))
    ]
    found = [part for part in parts if len(part)]
    if not found:
        return FestivalsReport(last, **select_columns(FestivalsReport))
    rows = pd.concat(found, ignore_index=True)
    return FestivalsReport(last, **select_columns(FestivalsReport, festivals=rows))


def _calendar(changes: Sequence[Change] = ()) -> tuple[Event, ...]:
    """The festivals of all years with the days before them on which people buy for them. Spring Festival ends on its
    eve: what follows is a rest."""
    found = []
    for row in events.edited(events.china(), changes).sort_values("ds").to_dict("records"):
        day, after = row["ds"].date(), -1 if row["event"] == "spring_festival" else row["after"]
        if row["event"] in IN_ORDER:
            found.append(Event(row["event"], day - timedelta(days=row["before"]), day + timedelta(days=after)))
    return tuple(found)


def _units(snapshot: Snapshot, scope: Scope, last: date) -> pd.DataFrame:
    """Units by day (rows, every one) and category (columns) since the first festival that may be compared with."""
    first = last - timedelta(days=_YEAR + _BACK_DAYS)
    sold = queries.by_category(scope, snapshot.engine, first, last)
    wide = sold.pivot(index="day", columns="category", values="units")
    return wide.reindex(pd.date_range(first, last)).fillna(0.0)


def _ahead(snapshot: Snapshot, scope: Scope, last: date) -> pd.DataFrame:
    """The forecast of the place by day and category; without rows where there is none of these facts."""
    if snapshot.results is None or not is_current(snapshot, JOB):
        return pd.DataFrame()
    rows = queries.forecasts(scope, snapshot.results)
    return rows[rows["category"].notna()].pivot_table(index="ds", columns="category", values="mean", aggfunc="sum")


def _stock(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """By category: available units, and the median lead time of its products."""
    engine = snapshot.engine
    held = stock_queries.by_product(scope, engine)[["product_id", "available"]]
    named = held.merge(stock_queries.goods(scope, engine)[["product_id", "category"]], on="product_id", how="left")
    terms = stock_queries.terms(scope, engine).drop_duplicates("product_id")[["product_id", "lead_time_days"]]
    rows = named.merge(terms, on="product_id", how="left")
    rows = rows.assign(category=rows["category"].fillna(""), available=rows["available"].clip(lower=0))
    return rows.groupby("category").agg(available=("available", "sum"), lead_time=("lead_time_days", "median"))


def _twin(one: Event, every: tuple[Event, ...]) -> Event | None:
    """The same festival of the year before."""
    earlier = [other for other in every if other.key == one.key and other.first < one.first]
    return earlier[-1] if earlier else None


def _week(units: pd.DataFrame, every: tuple[Event, ...]) -> pd.Series:
    """By weekday what all categories together sell, over the mean of the week: a festival of four days may have a
    weekend one year and none the next."""
    total = units.sum(axis=1)
    ratio = (total / total.rolling(7, center=True).mean())[~_festive(units, every)]
    usual = ratio.groupby(pd.DatetimeIndex(ratio.index).day_of_week).median().reindex(range(7))
    return (usual / usual.mean()).fillna(1.0)


def _festive(units: pd.DataFrame, every: tuple[Event, ...]) -> NDArray[np.bool_]:
    """Which of the days are those of festivals."""
    found = np.zeros(len(units), dtype=bool)
    for one in every:
        found |= (units.index >= pd.Timestamp(one.first)) & (units.index <= pd.Timestamp(one.last))
    return found


def _usual_days(week: pd.Series, days: pd.DatetimeIndex) -> float:
    """How many days of the mean of the week these sell as much as."""
    return float(week.loc[days.day_of_week].sum())


def _pace(units: pd.DataFrame, begin: date, every: tuple[Event, ...], week: pd.Series) -> pd.Series:
    """Units by category on a day of the mean of the week, in the four weeks before ``begin``, without the days of
    festivals if enough are left."""
    first = begin - timedelta(_BACK_DAYS)
    weeks = units[(units.index < pd.Timestamp(begin)) & (units.index >= pd.Timestamp(first))]
    ordinary = weeks[~_festive(weeks, every)]
    counted = ordinary if len(ordinary) >= _LEAST_DAYS else weeks
    return counted.sum() / _usual_days(week, pd.DatetimeIndex(counted.index))


def _between(frame: pd.DataFrame, first: date, last: date) -> pd.Series | None:
    """Sums by category over these days; None where the frame does not know all of them."""
    days = pd.date_range(first, last)
    return frame.loc[days].sum() if len(frame) and days.isin(frame.index).all() else None


def _one(
    one: Event, before: Event, units: pd.DataFrame, ahead: pd.DataFrame, now: pd.Series, every: tuple[Event, ...],
    week: pd.Series, stock: pd.DataFrame, last: date,
) -> pd.DataFrame:  # fmt: skip
    """The rows of one festival."""
    sold = _between(units, before.first, before.last)
    if sold is None:
        return pd.DataFrame()
    sold = sold[sold >= _LEAST_UNITS]
    eve, tomorrow = one.first - timedelta(days=1), last + timedelta(days=1)
    spans = (before.first, before.last), (one.first, one.last), (tomorrow, eve)
    then, days, wait = (_usual_days(week, pd.date_range(first, until)) for first, until in spans)
    usual = _pace(units, before.first, every, week).reindex(sold.index) * then
    uplift = sold / usual.where(usual > 0) - 1
    pace = now.reindex(sold.index)
    expected = _between(ahead, one.first, one.last)
    expected = pace * days * (1 + uplift.fillna(0)) if expected is None else expected.reindex(sold.index)
    meanwhile = _between(ahead, tomorrow, eve) if wait else 0 * pace
    meanwhile = pace * wait if meanwhile is None else meanwhile.reindex(sold.index)
    held = stock.reindex(sold.index)
    short = (expected + meanwhile - held["available"]).clip(lower=0).round()
    until = pd.Timestamp(one.first) - pd.to_timedelta(np.ceil(held["lead_time"]), unit="D")
    standing = np.select(
        [held["available"].isna(), short < 1, until < pd.Timestamp(last)], ["unknown", "ready", "late"], "order"
    )
    frame = pd.DataFrame(
        {
            "festival_units": sold, "usual_units": usual, "uplift": uplift, "expected_units": expected,
            "units_before": meanwhile, "available": held["available"], "short_units": short, "order_until": until,
            "standing": standing,
        }
    ).rename_axis("category").reset_index()  # fmt: skip
    dated = frame.assign(event=one.key, starts_on=pd.Timestamp(one.first), ends_on=pd.Timestamp(one.last))
    return dated.sort_values("festival_units", ascending=False, ignore_index=True)
