"""The job ``forecast``: what every place, category and product will sell in the next eight weeks, and how such
forecasts did."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.product_return import product_return
from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import market_observation, price_promotion, product, stock_movement, store
from data_access.queries import demand as queries
from data_access.queries import places
from data_access.queries import stock as stock_queries
from data_access.results.tables import demand_accuracy, demand_component, demand_forecast, demand_product
from data_access.snapshot import Snapshot
from data_access.state.event_changes import Change
from models.calc import calendar, demand_rates, outliers
from models.forecasting import (
    accuracy,
    additive,
    analogues,
    boosting,
    candidates,
    classes,
    engine,
    events,
    intermittent,
    intervals,
    levels,
    market,
    panel,
    policy,
    products,
    prophets,
    reconcile,
    seasons,
    smoothing,
)
from models.forecasting.engine import Looked
from models.forecasting.panel import Floats
from models.forecasting.products import WEEK, Items, Past
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write, of_stores
from models.reports import shelves

HORIZON_DAYS = 56
_PRICE_BANDS = 4
_AT_ONCE = 8_000  # products in stores, which is what memory has to hold
_CODE = (
    levels, market, panel, accuracy, engine, candidates, boosting, prophets, additive, events, seasons, smoothing,
    intermittent, intervals, classes, policy, reconcile, queries, products, analogues, demand_rates, shelves, calendar,
    outliers,
)  # fmt: skip


Changed = Callable[[], tuple[Change, ...]]


def job_for(changed: Changed) -> Job:
    """The job that knows the events as people changed them; ``changed``: what they did."""
    tables = demand_forecast, demand_component, demand_product, demand_accuracy

    def mark(snapshot: Snapshot) -> str:
        return _fingerprint(snapshot, changed())

    def run(snapshot: Snapshot, write: Write, step: Step) -> None:
        _run(snapshot, changed(), write, step)

    return Job("forecast", tables, mark, run)


def _fingerprint(snapshot: Snapshot, changes: tuple[Change, ...]) -> str:
    inputs = (
        store_category_day, product_store_day, product_return, price_promotion, market_observation, store, product,
        stock_movement,
    )  # fmt: skip
    return job.fingerprint(snapshot, inputs=inputs, code=_CODE, parameters=(HORIZON_DAYS, changes))


def _run(snapshot: Snapshot, changes: tuple[Change, ...], write: Write, step: Step) -> None:
    last = snapshot.info.last_day
    if last is None:
        return
    stores = places.stores(WHOLE, snapshot.engine)
    regions = stores.set_index("store_id")["region_id"].dropna()
    first = snapshot.info.first_day or last
    units = queries.by_store(WHOLE, snapshot.engine, first, last)
    back = queries.taken_back(WHOLE, snapshot.engine, first, last)
    groups = _groups(snapshot, units)
    # Items of many stores are read again when their turn comes: memory holds those of one group.
    kept = _items(snapshot, groups[0]) if len(groups) == 1 else None
    lost = [_missed(snapshot, *kept)] if kept else [rows for _, rows in job.spread(snapshot, _missed_of, groups)]
    found = levels.forecast(
        pd.concat([units, back.assign(units=-back["units"])[list(units)], *lost], ignore_index=True),
        {str(store): str(region) for store, region in regions.items()},
        pd.Timestamp(last),
        HORIZON_DAYS,
        events.edited(events.china() if snapshot.info.currency == "CNY" else events.nothing(), changes),
        queries.promotions(WHOLE, snapshot.engine, first),
        queries.market(WHOLE, snapshot.engine),
        events.local(changes, stores),
        events.taken_off(changes, stores),
    )
    if found is None:
        return
    write(demand_forecast, found.forecast)
    write(demand_component, found.components)
    write(demand_accuracy, found.accuracy)
    step(1, len(groups) + 1)
    whole = weeks_of_categories(found.forecast)
    items = kept[0] if kept else None
    tasks = [
        _Task(group, whole[whole["store_id"].isin(group)], _of_stores(found.past, group), items) for group in groups
    ]
    past: list[Past] = []
    for done, (_, (ahead, looked)) in enumerate(job.spread(snapshot, _products_of, tasks), start=2):
        write(demand_product, ahead)
        past += looked
        step(done, len(groups) + 1)
    write(demand_accuracy, products.league(past))


Stores = tuple[str, ...]


def _groups(snapshot: Snapshot, units: pd.DataFrame) -> list[Stores]:
    """The stores, as many together as have ``_AT_ONCE`` products at most."""
    stores = sorted(units["store_id"].unique())
    some = max(_AT_ONCE // max(len(queries.range_of_products(WHOLE, snapshot.engine)), 1), 1)
    return [tuple(stores[at : at + some]) for at in range(0, len(stores), some)]


def _missed_of(snapshot: Snapshot, stores: Stores) -> pd.DataFrame:
    """What empty shelves would have sold, by store, category and day: the history is one of demand, not of stock."""
    return _missed(snapshot, *_items(snapshot, stores))


def _missed(snapshot: Snapshot, items: Items, empty: NDArray[np.bool_]) -> pd.DataFrame:
    units = products.lost(items, empty)
    item, day = np.nonzero(units)
    first = _first_day(snapshot)
    return pd.DataFrame(
        {
            "store_id": items.store_id[item],
            "category": items.category[item],
            "day": pd.Timestamp(first) + pd.to_timedelta(day, unit="D"),
            "units": units[item, day],
        }
    )


@dataclass(frozen=True)
class _Task:
    """Stores, what their categories will sell by week, how that was forecast before, and what they sell, if that was
    read already."""

    stores: Stores
    weeks: pd.DataFrame
    past: list[Looked]
    items: Items | None


def _products_of(snapshot: Snapshot, task: _Task) -> tuple[pd.DataFrame, list[Past]]:
    """The rows of ``demand_product`` of some stores, and how such rows did before."""
    items = task.items or _items(snapshot, task.stores)[0]
    names = {name: levels.key_of(name) for at in task.past for name in at.ids}
    categories = {name: (key[1], key[2]) for name, key in names.items() if key[2] is not None}
    past = products.look_back(items, task.past, categories, HORIZON_DAYS)
    ahead = products.forecast(items, task.weeks, past)
    begin = pd.Timestamp(_first_day(snapshot)) + pd.Timedelta(days=shelves.HISTORY_DAYS)
    ahead["ds"] = begin + pd.to_timedelta(WEEK * ahead["week"], unit="D")
    return ahead.drop(columns="week"), past


def _of_stores(past: list[Looked], stores: Stores) -> list[Looked]:
    """Of what was looked back on the categories in these stores."""
    wanted = set(stores)
    keys = ((name, levels.key_of(name)) for at in past for name in at.ids)
    ids = {name for name, key in keys if key[0] == "store" and key[1] in wanted and key[2] is not None}
    return [some for at in past if (some := at.some(ids)).ids]


def _first_day(snapshot: Snapshot) -> date:
    """Of the history of products."""
    assert snapshot.info.last_day is not None
    return snapshot.info.last_day - timedelta(days=shelves.HISTORY_DAYS - 1)


def weeks_of_categories(forecast: pd.DataFrame) -> pd.DataFrame:
    """What each store and category will sell: store_id, category, and a column for each week ahead."""
    rows = forecast[(forecast["level"] == "store") & forecast["category"].notna()]
    week = (rows["ds"] - rows["ds"].min()).dt.days // WEEK
    wide = rows.assign(week=week).pivot_table(
        index=["place_id", "category"], columns="week", values="mean", aggfunc="sum"
    )
    return wide.rename_axis(index=["store_id", "category"]).reset_index()


def _items(snapshot: Snapshot, stores: Stores) -> tuple[Items, NDArray[np.bool_]]:
    """Every product that the stores have sold in the last two years, and the days on which its shelf was empty."""
    facts, scope, first, last = snapshot.engine, of_stores(stores), _first_day(snapshot), snapshot.info.last_day
    assert last is not None
    rows = stock_queries.sold_by_day(scope, facts, first).astype(dict.fromkeys(shelves.KEY, "str"))
    frame = rows[shelves.KEY].drop_duplicates(ignore_index=True)
    spells, back = (find(scope, facts, first, last) for find in (stock_queries.empty_spells, queries.taken_back))
    sold, empty = shelves.history(frame, rows, spells, last, back)
    about = queries.range_of_products(scope, facts).set_index("product_id").reindex(frame["product_id"])
    band = np.ceil(_PRICE_BANDS * about["list_price"].rank(pct=True).fillna(0).to_numpy(dtype=np.float64))
    codes = [pd.factorize(about[name])[0] for name in ("category", "subcategory", "brand")]
    items = Items(
        frame["store_id"].to_numpy(dtype=np.str_),
        frame["product_id"].to_numpy(dtype=np.str_),
        about["category"].fillna("").to_numpy(dtype=np.str_),
        sold,
        _on_offer(frame, queries.promotions(scope, facts, first), first),
        np.stack([*codes, band, pd.factorize(frame["store_id"])[0]], axis=1).astype(np.float64),
    )
    return items, empty


def _on_offer(frame: pd.DataFrame, offers: pd.DataFrame, first: date) -> Floats:
    """The discount of offers on single products by item and day, history and horizon."""
    found = np.zeros((len(frame), shelves.HISTORY_DAYS + HORIZON_DAYS))
    at = pd.MultiIndex.from_frame(frame[shelves.KEY])
    single = offers[offers[["product_id", "discount", "starts_on", "ends_on"]].notna().all(axis=1)]
    rows = at.get_indexer(pd.MultiIndex.from_frame(single[shelves.KEY].astype("str")))
    begin, end = ((pd.to_datetime(single[name]) - pd.Timestamp(first)).dt.days for name in ("starts_on", "ends_on"))
    for row, starts, ends, discount in zip(rows, begin, end, single["discount"].astype(float), strict=True):
        if row >= 0 and ends >= 0:
            days = slice(max(int(starts), 0), int(ends) + 1)
            found[row, days] = np.maximum(found[row, days], discount)
    return found


JOB = job_for(tuple)
