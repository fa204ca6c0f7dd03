"""The job ``forecast``: what every place, category and product will sell in the next eight weeks, and how such
forecasts did."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import price_promotion, product, stock_movement, store
from data_access.queries import demand as queries
from data_access.queries import places
from data_access.queries import stock as stock_queries
from data_access.results.tables import demand_accuracy, demand_component, demand_forecast, demand_product
from data_access.snapshot import Snapshot
from models.calc import demand_rates
from models.forecasting import (
    accuracy,
    analogues,
    boosting,
    candidates,
    classes,
    engine,
    events,
    intermittent,
    intervals,
    levels,
    panel,
    policy,
    products,
    prophets,
    reconcile,
    seasons,
    smoothing,
)
from models.forecasting.panel import Floats
from models.forecasting.products import WEEK, Items
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import shelves

HORIZON_DAYS = 56
_PRICE_BANDS = 4
_CODE = (
    levels, panel, accuracy, engine, candidates, boosting, prophets, events, seasons, smoothing, intermittent,
    intervals, classes, policy, reconcile, queries, products, analogues, demand_rates, shelves,
)  # fmt: skip


def _fingerprint(snapshot: Snapshot) -> str:
    inputs = store_category_day, product_store_day, price_promotion, store, product, stock_movement
    return job.fingerprint(snapshot, inputs=inputs, code=_CODE, parameters=HORIZON_DAYS)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    last = snapshot.info.last_day
    if last is None:
        return
    regions = places.stores(WHOLE, snapshot.engine).set_index("store_id")["region_id"].dropna()
    first = snapshot.info.first_day or last
    units = queries.by_store(WHOLE, snapshot.engine, first, last)
    offers = queries.promotions(WHOLE, snapshot.engine, first)
    items, empty = _items(snapshot, offers, last)
    found = levels.forecast(
        pd.concat([units, _missed(items, empty, last)], ignore_index=True),
        {str(store): str(region) for store, region in regions.items()},
        pd.Timestamp(last),
        HORIZON_DAYS,
        events.china() if snapshot.info.currency == "CNY" else events.nothing(),
        offers,
    )
    if found is not None:
        write(demand_forecast, found.forecast)
        write(demand_component, found.components)
        step(1, 2)
        ahead = products.forecast(items, weeks_of_categories(found.forecast))
        ahead["ds"] = pd.Timestamp(last) + pd.to_timedelta(WEEK * ahead["week"] + 1, unit="D")
        write(demand_product, ahead.drop(columns="week"))
        names = {name: levels.key_of(name) for at in found.past for name in at.ids}
        of_stores = {name: (key[1], key[2]) for name, key in names.items() if key[0] == "store" and key[2] is not None}
        write(demand_accuracy, found.accuracy)
        write(demand_accuracy, products.league(items, found.past, of_stores, HORIZON_DAYS))
    step(2, 2)


def weeks_of_categories(forecast: pd.DataFrame) -> pd.DataFrame:
    """What each store and category will sell: store_id, category, and a column for each week ahead."""
    rows = forecast[(forecast["level"] == "store") & forecast["category"].notna()]
    week = (rows["ds"] - rows["ds"].min()).dt.days // WEEK
    wide = rows.assign(week=week).pivot_table(
        index=["place_id", "category"], columns="week", values="mean", aggfunc="sum"
    )
    return wide.rename_axis(index=["store_id", "category"]).reset_index()


def _items(snapshot: Snapshot, offers: pd.DataFrame, last: date) -> tuple[Items, NDArray[np.bool_]]:
    """Every product that a store has sold in the last two years, and the days on which its shelf was empty."""
    facts, first = snapshot.engine, last - timedelta(days=shelves.HISTORY_DAYS - 1)
    rows = stock_queries.sold_by_day(WHOLE, facts, first).astype(dict.fromkeys(shelves.KEY, "str"))
    frame = rows[shelves.KEY].drop_duplicates(ignore_index=True)
    sold, empty = shelves.history(frame, rows, stock_queries.empty_spells(WHOLE, facts, first, last), last)
    about = queries.range_of_products(WHOLE, facts).set_index("product_id").reindex(frame["product_id"])
    band = np.ceil(_PRICE_BANDS * about["list_price"].rank(pct=True).fillna(0).to_numpy(dtype=np.float64))
    codes = [pd.factorize(about[name])[0] for name in ("category", "subcategory", "brand")]
    items = Items(
        frame["store_id"].to_numpy(dtype=np.str_),
        frame["product_id"].to_numpy(dtype=np.str_),
        about["category"].fillna("").to_numpy(dtype=np.str_),
        sold,
        _on_offer(frame, offers, first),
        np.stack([*codes, band, pd.factorize(frame["store_id"])[0]], axis=1).astype(np.float64),
    )
    return items, empty


def _on_offer(frame: pd.DataFrame, offers: pd.DataFrame, first: date) -> Floats:
    """The discount of offers on single products by item and day, history and horizon."""
    dates = pd.date_range(first, periods=shelves.HISTORY_DAYS + HORIZON_DAYS)
    found = np.zeros((len(frame), len(dates)))
    at = pd.MultiIndex.from_frame(frame[shelves.KEY])
    single = offers[offers["product_id"].notna() & offers["discount"].notna()]
    rows = at.get_indexer(pd.MultiIndex.from_frame(single[shelves.KEY].astype("str")))
    for row, starts, ends, discount in zip(
        rows, single["starts_on"], single["ends_on"], single["discount"], strict=True
    ):
        if row >= 0:
            days = (dates >= pd.Timestamp(starts)) & (dates <= pd.Timestamp(ends))
            found[row, days] = np.maximum(found[row, days], float(discount))
    return found


def _missed(items: Items, empty: NDArray[np.bool_], last: date) -> pd.DataFrame:
    """What empty shelves would have sold, by store, category and day: the history is one of demand, not of stock."""
    units = products.lost(items, empty)
    item, day = np.nonzero(units)
    first = pd.Timestamp(last) - pd.Timedelta(days=units.shape[1] - 1)
    return pd.DataFrame(
        {
            "store_id": items.store_id[item],
            "category": items.category[item],
            "day": first + pd.to_timedelta(day, unit="D"),
            "units": units[item, day],
        }
    )


JOB = Job("forecast", (demand_forecast, demand_component, demand_product, demand_accuracy), _fingerprint, _run)
