"""Demand: what will sell in the next eight weeks, why, and how such forecasts did before."""

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from data_access.queries import demand as queries
from data_access.queries import places, run_out
from data_access.results.info import info_of
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.calendar import Shifts, events
from models.reports._shape import Columns, select_columns

JOB: Final = "forecast"
HISTORY_DAYS: Final = 371
AHEAD: Final = (7, 28, 56)
NAIVE: Final = "seasonal_naive"
_YEAR: Final = 364  # the same weekday of the year before
_PARTS: Final = 28
_LEAST_UNITS: Final = 0.5
_LEAST_EFFECT: Final = 0.005


@dataclass(frozen=True, slots=True)
class DemandReport:
    """Units sold and expected in the stores in scope, of one category or all; all tables are empty without results."""

    last_day: date | None  # the last one of the history that was forecast from; None: nothing was forecast yet
    category: str | None  # '': products without a category; None: all
    # one row per number of days ahead: units expected, those of the same weekdays last year, and growth over them
    ahead: Annotated[pd.DataFrame, Columns("days expected last_year growth")]
    # one row per day of the last year with what was sold: units
    history: Annotated[pd.DataFrame, Columns("ds units")]
    # one row per place or category (level, key) and day ahead: the scope itself, its stores and its categories
    forecast: Annotated[pd.DataFrame, Columns("level key ds mean lo80 hi80 lo95 hi95 model")]
    # one row per category, or per store when there are several: the next 28 days against the same weekdays last year
    categories: Annotated[pd.DataFrame, Columns("category expected last_year growth")]
    stores: Annotated[pd.DataFrame, Columns("store_id store expected last_year growth")]
    # one row per product of which at least a unit is expected: the same, with the next week and four weeks of the scope
    products: Annotated[pd.DataFrame, Columns("product_id product category next_week expected last_year growth")]
    # one row per day of the last year and ahead, all categories: what multiplies the trend, in units
    decomposition: Annotated[pd.DataFrame, Columns("ds trend week season event promotion")]
    # one row per event or price promotion (of the category, of everything) that touches the history shown or the days
    # ahead; effect: by how much more the place sells on its strongest day, where the forecast knows; of promotions of
    # the same days together, and null where they belong to an event
    occasions: Annotated[pd.DataFrame, Columns("kind event starts_on ends_on discount effect")]
    # one row per class of series, level and method: errors at three earlier origins over all stores. wape: sum of
    # absolute errors / units sold; rmsse: 1 = as good as yesterday's value; bias: expected too much / units sold;
    # coverage: share of days within the interval. used: this is the forecast shown. beats_naive: of the forecast used,
    # null for others
    accuracy: Annotated[
        pd.DataFrame, Columns("class level model used series wape rmsse bias coverage80 coverage95 beats_naive")
    ]


def demand(
    snapshot: Snapshot, scope: Scope, category: str | None = None, shifts: Shifts = MappingProxyType({})
) -> DemandReport:
    """The report on one category (or all) of the scope, which must be the chain, a region or a store.

    shifts: by how much people moved events of the calendar.
    """
    found = info_of(snapshot, JOB)
    results = snapshot.results
    if found is None or found.last_day is None or results is None:
        return _nothing(category)
    own = queries.forecasts(scope, results)
    if own.empty:
        return _nothing(category)
    last = found.last_day
    first = last - timedelta(days=HISTORY_DAYS - 1)
    history = queries.history(scope, snapshot.engine, first, category)
    history = _every_day(history[history["day"] <= pd.Timestamp(last)], first, last)
    # What the same weekdays as the next four weeks sold one year before.
    year_ago = last - timedelta(days=_YEAR - 1)
    before = year_ago, year_ago + timedelta(days=_PARTS - 1)
    stores = queries.forecasts_of_stores(scope, results)
    shown = own[own["category"].isna()] if category is None else own[own["category"] == category]
    components = queries.components(scope, results)
    return DemandReport(
        last_day=last,
        category=category,
        **select_columns(
            DemandReport,
            ahead=_ahead(shown, history, AHEAD),
            history=history.rename(columns={"day": "ds"}),
            forecast=_forecast(own, stores),
            categories=_categories(own, queries.sold(scope, snapshot.engine, "category", *before), last),
            stores=_stores(scope, snapshot, stores, queries.sold(scope, snapshot.engine, "store_id", *before), last),
            products=_products(scope, snapshot, category, before, last),
            decomposition=_named(components),
            occasions=_occasions(scope, snapshot, category, components, first, last, shifts),
            accuracy=accuracy_of(scope, results),
        ),
    )


def _nothing(category: str | None) -> DemandReport:
    return DemandReport(last_day=None, category=category, **select_columns(DemandReport))


def _every_day(sold: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """A row for each day, days without a sale with 0; nothing before the first sale."""
    days = pd.date_range(first, last)
    units = sold.set_index("day")["units"].reindex(days)
    units = units[units.first_valid_index() :].fillna(0.0) if units.notna().any() else units.iloc[:0]
    return units.rename_axis("day").reset_index(name="units")


def _ahead(shown: pd.DataFrame, history: pd.DataFrame, many: tuple[int, ...]) -> pd.DataFrame:
    """Sums over so many days ahead, beside the same weekdays one year before (NaN where one of them is not known)."""
    units = history.set_index("day")["units"]
    rows = []
    for days in many:
        part = shown[shown["ds"] < shown["ds"].min() + pd.Timedelta(days=days)]
        before = units.reindex(part["ds"] - pd.Timedelta(days=_YEAR))
        last_year = float(before.sum()) if len(part) and before.notna().all() else np.nan
        rows.append((days, float(part["mean"].sum()), last_year))
    return with_growth(pd.DataFrame(rows, columns=["days", "expected", "last_year"]))


def with_growth(frame: pd.DataFrame) -> pd.DataFrame:
    """``growth`` of what is ``expected`` over ``last_year``; null where nothing was sold then."""
    return frame.assign(growth=frame["expected"] / frame["last_year"].where(frame["last_year"] > 0) - 1)


def _forecast(own: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """The scope itself, its stores if it has several, its categories."""
    whole = own[own["category"].isna()].assign(key=lambda rows: rows["place_id"])
    parts = own[own["category"].notna()].assign(level="category", key=lambda rows: rows["category"])
    others = stores[~stores["place_id"].isin(whole["place_id"])].assign(key=lambda rows: rows["place_id"])
    return pd.concat([whole, others, parts], ignore_index=True)


def _categories(own: pd.DataFrame, before: pd.DataFrame, last: date) -> pd.DataFrame:
    """The next four weeks of each category of which at least a unit is expected, most units first."""
    end = pd.Timestamp(last) + pd.Timedelta(days=_PARTS)
    ahead = own[own["category"].notna() & (own["ds"] <= end)].groupby("category")["mean"].sum()
    ahead = ahead[ahead >= _LEAST_UNITS]
    past = before.set_index("category")["units"]
    frame = pd.DataFrame({"expected": ahead, "last_year": past.reindex(ahead.index)}).reset_index(names="category")
    return with_growth(frame).sort_values("expected", ascending=False, ignore_index=True)


def _stores(scope: Scope, snapshot: Snapshot, rows: pd.DataFrame, before: pd.DataFrame, last: date) -> pd.DataFrame:
    """The next four weeks of each store in scope, most units first."""
    ahead = rows[rows["ds"] <= pd.Timestamp(last) + pd.Timedelta(days=_PARTS)].groupby("place_id")["mean"].sum()
    past = before.set_index("store_id")["units"]
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    frame = pd.DataFrame({"expected": ahead, "last_year": past.reindex(ahead.index)}).reset_index(names="store_id")
    named = with_growth(frame).assign(store=frame["store_id"].map(names))
    return named.sort_values("expected", ascending=False, ignore_index=True)


def _products(
    scope: Scope, snapshot: Snapshot, category: str | None, before: tuple[date, date], last: date
) -> pd.DataFrame:
    """The next four weeks of each product, of one category or all, most units first."""
    assert snapshot.results is not None
    week, until = last + timedelta(days=7), last + timedelta(days=_PARTS)
    rows = queries.ahead_of_products(scope, snapshot.results, category, week, until)
    rows = rows[rows["expected"] >= 2 * _LEAST_UNITS].set_index("product_id")
    past = queries.products_sold(scope, snapshot.engine, *before).set_index("product_id")["units"]
    names = run_out.products(scope, snapshot.engine).set_index("product_id")["product"]
    found = rows.assign(last_year=past.reindex(rows.index), product=names.reindex(rows.index)).reset_index()
    return with_growth(found).sort_values("expected", ascending=False, ignore_index=True)


def _named(components: pd.DataFrame) -> pd.DataFrame:
    return components.rename(columns={"known": "promotion"})


def _occasions(
    scope: Scope,
    snapshot: Snapshot,
    category: str | None,
    components: pd.DataFrame,
    first: date,
    last: date,
    shifts: Shifts,
) -> pd.DataFrame:
    """Events of the calendar, and price promotions of the category or of everything (one row whatever the number of
    stores)."""
    end = last + timedelta(days=max(AHEAD))
    offers = queries.offers(scope, snapshot.engine, first)
    offers = offers[pd.to_datetime(offers["starts_on"]) <= pd.Timestamp(end)]
    effect = components.set_index("ds")[["event", "known"]].astype(np.float64)
    raised = effect["known"] / _without(effect["known"], offers)
    if category is not None:
        offers = offers[offers["category"].isna() | (offers["category"] == category)]
    rows: list[tuple[Any, ...]] = [
        ("event", event.key, event.first, event.last, np.nan, _strongest(effect["event"], event.first, event.last))
        for event in events(first, end, snapshot.info.currency, shifts)
    ]
    for offer in offers.to_dict("records"):
        starts, ends = (pd.Timestamp(offer[name]).date() for name in ("starts_on", "ends_on"))
        rows.append(("promotion", offer["category"], starts, ends, offer["discount"], _strongest(raised, starts, ends)))
    frame = pd.DataFrame(rows, columns=["kind", "event", "starts_on", "ends_on", "discount", "effect"])
    dated = frame.assign(starts_on=pd.to_datetime(frame["starts_on"]), ends_on=pd.to_datetime(frame["ends_on"]))
    return dated.sort_values(["starts_on", "event"], ignore_index=True)


def _without(known: pd.Series, offers: pd.DataFrame) -> float:
    """What the days without an offer stand at: the part that is known ahead is set against its own mean."""
    free = pd.Series(data=True, index=known.index)
    for starts, ends in zip(offers["starts_on"], offers["ends_on"], strict=True):
        free &= (known.index < pd.Timestamp(starts)) | (known.index > pd.Timestamp(ends))
    return float(known[free].median())


def _strongest(effect: pd.Series, first: date, last: date) -> float:
    """By how much more (or less) the day of an event sells that differs most; NaN where nothing is known of it."""
    days = effect[(effect.index >= pd.Timestamp(first)) & (effect.index <= pd.Timestamp(last))] - 1
    strongest = float(days.iloc[int(days.abs().argmax())]) if len(days) else np.nan
    return strongest if abs(strongest) >= _LEAST_EFFECT else np.nan


def accuracy_of(scope: Scope, results: Engine) -> pd.DataFrame:
    """The league of the forecasts, with whether the one in use beats the naive one."""
    return _league(queries.accuracy(scope, results))


def _league(accuracy: pd.DataFrame) -> pd.DataFrame:
    naive = accuracy[accuracy["model"] == NAIVE].set_index(["class", "level"])["rmsse"]
    against = pd.Series(
        [naive.get((kind, level), np.nan) for kind, level in zip(accuracy["class"], accuracy["level"], strict=True)],
        index=accuracy.index,
        dtype=np.float64,
    )
    beats = (accuracy["rmsse"] < against).astype(object).where(accuracy["used"] & accuracy["rmsse"].notna(), None)
    return accuracy.assign(beats_naive=beats)
