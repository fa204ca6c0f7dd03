"""Campaign and stock: did the shelves of what a campaign promotes run empty, and which will before it is over."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import campaign as campaign_queries
from data_access.queries import campaign_stock as queries
from data_access.queries import demand as forecasts
from data_access.queries import places, stock
from data_access.results.info import is_current
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.demand_rates import Floats
from models.reports import shelves
from models.reports._shape import Columns, select_columns
from models.reports.shelves import HISTORY_DAYS, KEY, YEAR

FORECAST_JOB = "forecast"
RECENT = 56  # days whose sales tell what a day sells where there is no forecast
LEAST_CAMPAIGNS = 3  # past campaigns that tell how much more is sold
_WEEK = 7


@dataclass(frozen=True, slots=True)
class CampaignStockReport:
    """What a campaign promotes, on the shelves of the stores in scope that take part in it. Money in the chain's
    currency, excluding tax. Without counted stock or promoted products everything is empty."""

    currency: str
    campaign: str
    # the days of its window up to the last day of the data, if it has begun (shelves, days, shelf_days, empty_days,
    # lost_units, lost_sales), and of what is still to come: uplift (median of what past campaigns did to the sales of
    # what they promoted, beside all other sales), uplift_campaigns (how many), needed, short_units
    summary: Annotated[pd.DataFrame, Columns("key value")]
    # one row per store and product whose shelf was empty on at least one of these days, what cost most first:
    # lost_units and lost_sales as ``models.reports.shelves.lost_units`` estimates them
    empty_shelves: Annotated[
        pd.DataFrame, Columns("store_id store product_id product empty_days days lost_units lost_sales")
    ]
    # one row per store and product of a campaign that is not over and whose stock will not do, what is missing most
    # first: units_needed (until its end by the forecast, times uplift from its first day), on_hand (free),
    # coming (on order, promised before its end), short_units (missing), short_sales (at what a unit brings),
    # runs_out_on (the first day that they will not do for)
    short_shelves: Annotated[
        pd.DataFrame,
        Columns("store_id store product_id product units_needed on_hand coming short_units short_sales runs_out_on"),
    ]


def campaign_stock(snapshot: Snapshot, scope: Scope, campaign: str) -> CampaignStockReport:
    """The shelves of a campaign; empty where it does not exist, promotes nothing or no stock is counted."""
    engine, last = snapshot.engine, snapshot.info.last_day
    nothing = CampaignStockReport(snapshot.info.currency, campaign, **select_columns(CampaignStockReport))
    about = campaign_queries.about(scope, engine, campaign)
    if about.empty or last is None or pd.isna(about["starts_on"].iloc[0]) or pd.isna(about["window_last"].iloc[0]):
        return nothing
    frame = _shelves(snapshot, scope, campaign)
    if frame.empty:
        return nothing
    first, over = (about[name].iloc[0].date() for name in ("starts_on", "window_last"))
    sums: dict[str, float] = {}
    frames: dict[str, pd.DataFrame] = {}
    known_until = min(over, last)
    begin = known_until - timedelta(days=HISTORY_DAYS - 1)
    sold = stock.sold_by_day(scope, engine, begin, set(frame["product_id"]))
    if first <= known_until:
        frames["empty_shelves"], sums = _emptied(snapshot, scope, frame, sold, first, known_until)
    if over > last:
        uplift, many = _uplift(queries.past(scope, engine, last))
        frames["short_shelves"], needed = _short(snapshot, scope, frame, sold, first, over, last, uplift)
        short = frames["short_shelves"]["short_units"].sum()
        sums |= {"uplift": uplift, "uplift_campaigns": many, "needed": needed, "short_units": short}
    frames["summary"] = pd.DataFrame({"key": list(sums), "value": [float(value) for value in sums.values()]})
    return CampaignStockReport(snapshot.info.currency, campaign, **select_columns(CampaignStockReport, **frames))


def _shelves(snapshot: Snapshot, scope: Scope, campaign: str) -> pd.DataFrame:
    """One row per shelf: a store in scope that takes part and a product that is promoted, with its position."""
    engine = snapshot.engine
    goods = queries.promoted(scope, engine, campaign)
    here = stock.positions(scope, engine).astype(dict.fromkeys(KEY, "str"))
    named = places.stores(scope, engine)[["store_id", "store"]]
    taking_part = set(queries.stores(scope, engine, campaign)["store_id"])
    rows = here.merge(goods, on="product_id").merge(named, on="store_id")
    return rows[rows["store_id"].isin(taking_part)].reset_index(drop=True) if taking_part else rows


def _emptied(
    snapshot: Snapshot, scope: Scope, frame: pd.DataFrame, sold: pd.DataFrame, first: date, last: date
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The shelves that were empty, and the sums of all; ``sold``: by day, of all the history up to ``last``."""
    begin, products = last - timedelta(days=HISTORY_DAYS - 1), set(frame["product_id"])
    sold_rows = sold[sold["day"] <= pd.Timestamp(last)]
    spells = stock.empty_spells(scope, snapshot.engine, begin, last, products)
    priced = shelves.with_prices(frame, sold_rows, last - timedelta(days=YEAR - 1))
    days = (last - first).days + 1
    empty_days, lost = shelves.lost_units(*shelves.history(priced, sold_rows, spells, last), days)
    price = priced["unit_price"].to_numpy(dtype=np.float64)
    rows = priced.assign(empty_days=empty_days, days=days, lost_units=lost, lost_sales=lost * price)
    sums = {
        "shelves": len(rows),
        "days": days,
        "shelf_days": len(rows) * days,
        "empty_days": int(empty_days.sum()),
        "lost_units": float(lost.sum()),
        "lost_sales": float(np.nansum(lost * price)),
    }
    order = ["lost_sales", "empty_days"]
    return rows[rows["empty_days"] > 0].sort_values(order, ascending=False, ignore_index=True), sums


def _uplift(past: pd.DataFrame) -> tuple[float, int]:
    """How many times as much past campaigns sold of what they promoted, beside all sales of the same days: the median,
    1 where fewer than ``LEAST_CAMPAIGNS`` tell; and of how many."""
    own = past["during"] / past["earlier"].where(past["earlier"] > 0)
    everything = past["all_during"] / past["all_earlier"].where(past["all_earlier"] > 0)
    ratios = (own / everything.where(everything > 0)).dropna()
    return (float(ratios.median()) if len(ratios) >= LEAST_CAMPAIGNS else 1.0), len(ratios)


def _short(
    snapshot: Snapshot,
    scope: Scope,
    frame: pd.DataFrame,
    sold: pd.DataFrame,
    first: date,
    over: date,
    last: date,
    uplift: float,
) -> tuple[pd.DataFrame, float]:
    """The shelves whose stock will not do until the campaign is over, and the units that all need during it."""
    days = pd.date_range(last + timedelta(days=1), over)
    daily = _ahead(snapshot, scope, frame, sold, days, last)
    during = np.asarray(days >= pd.Timestamp(first))
    daily = daily * np.where(during, uplift, 1.0)
    needed = daily.sum(axis=1)
    priced = shelves.with_prices(frame, sold, last - timedelta(days=YEAR - 1))
    price = priced["unit_price"].to_numpy(dtype=np.float64)
    free = np.maximum((frame["on_hand"] - frame["reserved"]).to_numpy(dtype=np.float64), 0)
    promised = frame["next_promised_on"]
    coming = np.where(promised.notna() & (promised <= pd.Timestamp(over)), frame["on_order"], 0).astype(np.float64)
    # What comes on a day is there for that day; what was promised for a day that is past may still come tomorrow.
    arrives = np.clip((promised - days[0]).dt.days.fillna(0).to_numpy(dtype=np.int64), 0, None)
    there = free[:, None] + np.where(np.arange(len(days))[None, :] >= arrives[:, None], coming[:, None], 0)
    missing = daily.cumsum(axis=1) - there >= 0.5  # half a unit is one
    short = np.maximum(needed - free - coming, 0)
    rows = frame.assign(
        units_needed=needed.round(),
        on_hand=free,
        coming=coming,
        short_units=short.round(),
        short_sales=short.round() * price,
        runs_out_on=np.where(missing.any(axis=1), days[missing.argmax(axis=1)], np.datetime64("NaT")),
    )
    order = ["short_sales", "short_units"]
    found = rows[rows["short_units"] > 0].sort_values(order, ascending=False, ignore_index=True)
    return found, float(daily[:, during].sum())


def _ahead(
    snapshot: Snapshot, scope: Scope, frame: pd.DataFrame, sold: pd.DataFrame, days: pd.DatetimeIndex, last: date
) -> Floats:
    """Units that each shelf will sell on each of ``days``: by the forecast, whose last week goes on; without one as
    many as it sold a day lately."""
    keys = pd.MultiIndex.from_frame(frame[KEY])
    results = snapshot.results
    if results is not None and is_current(snapshot, FORECAST_JOB):
        weeks = forecasts.weeks_of_products(scope, results).astype(dict.fromkeys(KEY, "str"))
        wide = weeks.pivot(index=KEY, columns="ds", values="mean").reindex(keys).fillna(0.0)
        if wide.shape[1]:
            week = np.clip((days - pd.DatetimeIndex(wide.columns)[0]).days // _WEEK, 0, wide.shape[1] - 1)
            by_day: Floats = wide.to_numpy(dtype=np.float64)[:, week] / _WEEK
            return by_day
    lately = sold[sold["day"] >= pd.Timestamp(last - timedelta(days=RECENT - 1))].astype(dict.fromkeys(KEY, "str"))
    rate = (lately.groupby(KEY)["units"].sum() / RECENT).reindex(keys).fillna(0.0).to_numpy(dtype=np.float64)
    return np.repeat(rate[:, None], len(days), axis=1)
