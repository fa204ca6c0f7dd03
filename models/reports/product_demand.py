"""Demand of one product: what it sold by week, what it will sell in the next eight weeks, and where."""

from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import demand as queries
from data_access.queries import places, products
from data_access.queries import stock as stock_queries
from data_access.results.info import info_of
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.calendar import Shifts, events
from models.reports._shape import Columns, select_columns
from models.reports.demand import JOB, accuracy_of, with_growth

HISTORY_WEEKS: Final = 53
AHEAD: Final = (1, 4, 8)
_WEEK: Final = 7
_YEAR: Final = 52  # weeks; the same weekdays of the year before


@dataclass(frozen=True, slots=True)
class ProductDemandReport:
    """Units of one product in the stores in scope; weeks end on the last day of the history, and begin after it. All
    tables but the first are empty where nothing was forecast of it."""

    last_day: date | None  # the last one of the history that was forecast from; None: no forecast of the product
    # one row: the product
    header: Annotated[pd.DataFrame, Columns("product_id product category")]
    # one row per number of weeks ahead: units expected, those of the same weekdays last year, and growth over them
    ahead: Annotated[pd.DataFrame, Columns("weeks expected last_year growth")]
    # one row per week of the last year (ds: its first day) from its first sale on: what was sold, and on how many days
    # the shelf was empty, all stores together
    history: Annotated[pd.DataFrame, Columns("ds units empty_days")]
    # one row per week ahead; the range is that of a store, and null over several: ranges do not add up
    weeks: Annotated[pd.DataFrame, Columns("ds mean lo80 hi80")]
    # one row per store that will sell it: the next week with its range, and the next four against last year
    stores: Annotated[pd.DataFrame, Columns("store_id store next_week lo80 hi80 expected last_year growth")]
    # one row per event or price promotion (of the product, its category, everything) that touches these weeks
    occasions: Annotated[pd.DataFrame, Columns("kind event starts_on ends_on discount")]
    # one row per class and method: how such forecasts did before, over all products and stores, as of ``demand``
    accuracy: Annotated[
        pd.DataFrame, Columns("class level model used series wape rmsse bias coverage80 coverage95 beats_naive")
    ]


def product_demand(
    snapshot: Snapshot, scope: Scope, product_id: str, shifts: Shifts = MappingProxyType({})
) -> ProductDemandReport:
    """The report on one product; Problem when it is unknown.

    shifts: by how much people moved events of the calendar.
    """
    facts = products.product_facts(scope, snapshot.engine, product_id)
    if facts.empty:
        raise Problem(f"there is no product {product_id!r}: open one from the overview")
    found, results = info_of(snapshot, JOB), snapshot.results
    last = None if found is None else found.last_day
    rows = pd.DataFrame() if last is None or results is None else queries.weeks_of_product(scope, results, product_id)
    if last is None or results is None or rows.empty:
        return ProductDemandReport(None, **select_columns(ProductDemandReport, header=facts))
    first = last - timedelta(days=HISTORY_WEEKS * _WEEK - 1)
    history = _history(scope, snapshot, product_id, first, last)
    weeks = _weeks(rows)
    category = None if pd.isna(facts["category"].iloc[0]) else str(facts["category"].iloc[0])
    return ProductDemandReport(
        last,
        **select_columns(
            ProductDemandReport,
            header=facts,
            ahead=_ahead(weeks, history),
            history=history,
            weeks=weeks,
            stores=_stores(scope, snapshot, rows, product_id, last),
            occasions=_occasions(scope, snapshot, (product_id, category), first, last, shifts),
            accuracy=accuracy_of(scope, results).query("level == 'product'").reset_index(drop=True),
        ),
    )


def _history(scope: Scope, snapshot: Snapshot, product_id: str, first: date, last: date) -> pd.DataFrame:
    """A row for each week from the one of the first sale on."""
    days = pd.date_range(first, last)
    sold = queries.product_history(scope, snapshot.engine, first, product_id).set_index("day")["units"].reindex(days)
    spells = stock_queries.empty_spells(scope, snapshot.engine, first, last, [product_id])
    empty = np.zeros(len(days))
    for begins, ends in zip(spells["begins"], spells["ends"], strict=True):
        empty += (days >= pd.Timestamp(begins)) & (days <= pd.Timestamp(ends))
    by_day = pd.DataFrame({"units": sold.fillna(0.0).to_numpy(), "empty_days": empty})
    weeks = by_day.groupby(np.arange(len(days)) // _WEEK).sum().assign(ds=days[::_WEEK])
    return weeks[(weeks["units"] > 0).cummax()].reset_index(drop=True)


def _weeks(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums over the stores; the range of one store."""
    sums = rows.groupby("ds", as_index=False)[["mean", "lo80", "hi80"]].sum()
    return sums if rows["store_id"].nunique() == 1 else sums.assign(lo80=np.nan, hi80=np.nan)


def _ahead(weeks: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Sums over so many weeks ahead, beside the same weekdays one year before (NaN where one of them is not known)."""
    units = history.set_index("ds")["units"]
    rows = []
    for many in AHEAD:
        part = weeks.head(many)
        before = units.reindex(part["ds"] - pd.Timedelta(weeks=_YEAR))
        rows.append((many, part["mean"].sum(), before.sum() if before.notna().all() else np.nan))
    return with_growth(pd.DataFrame(rows, columns=["weeks", "expected", "last_year"]))


def _stores(scope: Scope, snapshot: Snapshot, rows: pd.DataFrame, product_id: str, last: date) -> pd.DataFrame:
    """Most units first."""
    many = AHEAD[1]
    first = last + timedelta(days=1 - _YEAR * _WEEK)
    past = queries.product_sold(scope, snapshot.engine, first, first + timedelta(days=many * _WEEK - 1), product_id)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    week = rows[rows["ds"] == rows["ds"].min()].set_index("store_id")
    ahead = rows[rows["ds"] < rows["ds"].min() + pd.Timedelta(weeks=many)].groupby("store_id")["mean"].sum()
    frame = pd.DataFrame({"expected": ahead, "last_year": past.set_index("store_id")["units"].reindex(ahead.index)})
    named = frame.assign(
        next_week=week["mean"], lo80=week["lo80"], hi80=week["hi80"], store=names.reindex(frame.index)
    ).reset_index(names="store_id")
    return with_growth(named).sort_values("expected", ascending=False, ignore_index=True)


def _occasions(
    scope: Scope, snapshot: Snapshot, about: tuple[str, str | None], first: date, last: date, shifts: Shifts
) -> pd.DataFrame:
    """Events of the calendar; of a promotion ``event`` is the product, the category, or missing: everything."""
    end = last + timedelta(days=max(AHEAD) * _WEEK)
    rows: list[tuple[Any, ...]] = [
        ("event", event.key, event.first, event.last, np.nan)
        for event in events(first, end, snapshot.info.currency, shifts)
    ]
    offers = queries.product_offers(scope, snapshot.engine, first, *about)
    for offer in offers[pd.to_datetime(offers["starts_on"]) <= pd.Timestamp(end)].to_dict("records"):
        single = not pd.isna(offer["product_id"])
        kind, what = ("product_promotion", about[0]) if single else ("promotion", offer["category"])
        rows.append((kind, what, offer["starts_on"], offer["ends_on"], offer["discount"]))
    frame = pd.DataFrame(rows, columns=["kind", "event", "starts_on", "ends_on", "discount"])
    dated = frame.assign(starts_on=pd.to_datetime(frame["starts_on"]), ends_on=pd.to_datetime(frame["ends_on"]))
    return dated.sort_values(["starts_on", "event"], ignore_index=True)
