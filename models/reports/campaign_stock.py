"""Campaign and stock: did the shelves of what a campaign promotes run empty, and which will before it is over."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from data_access.queries import campaign as campaign_queries
from data_access.queries import campaign_stock as queries
from data_access.queries import demand as forecasts
from data_access.queries import places, stock
from data_access.results.info import is_current
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.demand_rates import Floats, Ints, quantile
from models.reports import shelves
from models.reports._shape import Columns, select_columns
from models.reports.shelves import HISTORY_DAYS, KEY, YEAR

FORECAST_JOB = "forecast"
RECENT = 56  # days whose sales tell what a day sells where there is no forecast
LEAST_CAMPAIGNS = 3  # past campaigns that tell how much more is sold
_WEEK = 7
_TAIL = 0.025  # of what was lost, on each side of its range
_Z = float(stats.norm.isf(_TAIL))


@dataclass(frozen=True, slots=True)
class CampaignStockReport:
    """What a campaign promotes, on the shelves of the stores in scope that take part in it. Money in the chain's
    currency, excluding tax. Without counted stock or promoted products everything is empty."""

    currency: str
    campaign: str
    # the days of its window up to the last day of the data, if it has begun (shelves, days, shelf_days, empty_days,
    # lost_units, lost_sales with lost_sales_lo and _hi: 95 %), and of what is still to come: uplift as ``Uplift`` with
    # uplift_lo, uplift_hi and uplift_campaigns, needed and short_units with _lo and _hi at the ends of the uplift
    summary: Annotated[pd.DataFrame, Columns("key value")]
    # one row per store and product whose shelf was empty on at least one of these days, what cost most first:
    # lost_units and lost_sales as ``models.reports.shelves.lost_units`` estimates them, lost_units_lo and _hi: 95 %
    empty_shelves: Annotated[
        pd.DataFrame,
        Columns("store_id store product_id product empty_days days lost_units lost_units_lo lost_units_hi lost_sales"),
    ]
    # one row per store and product of a campaign that is not over and whose stock will not do, or would not at the
    # upper end of the uplift, what is missing most first: units_needed (until its end by the forecast, times uplift
    # from its first day), on_hand (free), coming (on order, promised before its end), short_units (missing; _lo and _hi
    # at the ends of the uplift), short_sales (at what a unit brings), runs_out_on (the first day that they will not do
    # for; NaT: they will)
    short_shelves: Annotated[
        pd.DataFrame,
        Columns(
            "store_id store product_id product units_needed on_hand coming short_units short_units_lo short_units_hi "
            "short_sales runs_out_on"
        ),
    ]


@dataclass(frozen=True, slots=True)
class Uplift:
    """How many times as much past campaigns sold of what they promoted, beside all sales of the same days: the median,
    between what four of five more campaigns would do (Student's t over logarithms); 1 where too few tell."""

    value: float
    lo: float
    hi: float
    campaigns: int


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
    year, lately = (known_until - timedelta(days=days - 1) for days in (YEAR, RECENT))
    sold = stock.sold(scope, engine, Period(year, known_until), lately, set(frame["product_id"]))
    frame = shelves.with_prices(frame, sold).fillna({"sold_lately": 0.0})
    if first <= known_until:
        frames["empty_shelves"], sums = _emptied(snapshot, scope, frame, first, known_until)
    if over > last:
        uplift = _uplift(queries.past(scope, engine, last))
        frames["short_shelves"], needed = _short(snapshot, scope, frame, first, over, last, uplift)
        sums |= {"uplift": uplift.value, "uplift_lo": uplift.lo, "uplift_hi": uplift.hi}
        sums |= {"uplift_campaigns": uplift.campaigns, **needed}
    frames["summary"] = pd.DataFrame({"key": list(sums), "value": [float(value) for value in sums.values()]})
    return CampaignStockReport(snapshot.info.currency, campaign, **select_columns(CampaignStockReport, **frames))


def _shelves(snapshot: Snapshot, scope: Scope, campaign: str) -> pd.DataFrame:
    """One row per shelf: a store in scope that takes part and a product that is promoted, with its position."""
    engine = snapshot.engine
    goods = queries.promoted(scope, engine, campaign)
    here = stock.positions(scope, engine, set(goods["product_id"])).astype(dict.fromkeys(KEY, "str"))
    named = places.stores(scope, engine)[["store_id", "store"]]
    taking_part = set(queries.stores(scope, engine, campaign)["store_id"])
    rows = here.merge(goods, on="product_id").merge(named, on="store_id")
    return rows[rows["store_id"].isin(taking_part)].reset_index(drop=True) if taking_part else rows


def _emptied(
    snapshot: Snapshot, scope: Scope, frame: pd.DataFrame, first: date, last: date
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The shelves that were empty, and the sums of all."""
    days = (last - first).days + 1
    spells = stock.empty_spells(scope, snapshot.engine, first, last, set(frame["product_id"]))
    # Day by day only what was empty: of the others nothing was lost.
    rows = frame.merge(spells[KEY].drop_duplicates(), on=KEY)
    by_day, empty = _history(snapshot, scope, rows, last)
    empty_days, lost = shelves.lost_units(by_day, empty, days)
    variance = _lost_variance(by_day, empty_days)
    price = rows["unit_price"].to_numpy(dtype=np.float64)
    rows = rows.assign(empty_days=empty_days, days=days, lost_units=lost, lost_sales=lost * price)
    rows = rows.assign(lost_units_lo=quantile(lost, variance, _TAIL), lost_units_hi=quantile(lost, variance, 1 - _TAIL))
    lost_sales = float(np.nansum(lost * price))
    reach = _Z * float(np.nansum(variance * price**2)) ** 0.5
    sums = {
        "shelves": len(frame),
        "days": days,
        "shelf_days": len(frame) * days,
        "empty_days": int(empty_days.sum()),
        "lost_units": float(lost.sum()),
        "lost_sales": lost_sales,
        "lost_sales_lo": max(lost_sales - reach, 0.0),
        "lost_sales_hi": lost_sales + reach,
    }
    order = ["lost_sales", "empty_days"]
    return rows[rows["empty_days"] > 0].sort_values(order, ascending=False, ignore_index=True), sums


def _history(snapshot: Snapshot, scope: Scope, rows: pd.DataFrame, last: date) -> tuple[Floats, NDArray[np.bool_]]:
    """``shelves.history`` of some shelves up to the day ``last``."""
    begin, products = last - timedelta(days=HISTORY_DAYS - 1), set(rows["product_id"])
    if rows.empty:
        return np.zeros((0, HISTORY_DAYS)), np.zeros((0, HISTORY_DAYS), dtype=bool)
    sold = stock.sold_by_day(scope, snapshot.engine, begin, products)
    spells = stock.empty_spells(scope, snapshot.engine, begin, last, products)
    back = forecasts.taken_back(scope, snapshot.engine, begin, last)
    return shelves.history(rows, sold[sold["day"] <= pd.Timestamp(last)], spells, last, back)


def _lost_variance(by_day: Floats, empty_days: Ints) -> Floats:
    """Of the units each shelf would have sold on its empty days: single days vary, and so does the mean of the others
    that they are estimated by."""
    year = by_day[:, -YEAR:]
    known = ~np.isnan(year)
    days = known.sum(axis=1)
    mean = np.nansum(year, axis=1) / np.maximum(days, 1)
    spread = np.where(known, (year - mean[:, None]) ** 2, 0.0).sum(axis=1) / np.maximum(days - 1, 1)
    found: Floats = spread * (empty_days + empty_days**2 / np.maximum(days, 1))
    return found


def _uplift(past: pd.DataFrame) -> Uplift:
    """What the rows of ``queries.past`` tell."""
    own = past["during"] / past["earlier"].where(past["earlier"] > 0)
    everything = past["all_during"] / past["all_earlier"].where(past["all_earlier"] > 0)
    ratios = (own / everything.where(everything > 0)).dropna()
    ratios = ratios[ratios > 0]
    many = len(ratios)
    if many < LEAST_CAMPAIGNS:
        return Uplift(1.0, 1.0, 1.0, many)
    median, spread = float(ratios.median()), float(np.log(ratios).std())
    reach = float(np.exp(stats.t.ppf(0.9, many - 1) * spread * (1 + 1 / many) ** 0.5))
    return Uplift(median, median / reach, median * reach, many)


def _short(
    snapshot: Snapshot,
    scope: Scope,
    frame: pd.DataFrame,
    first: date,
    over: date,
    last: date,
    uplift: Uplift,
) -> tuple[pd.DataFrame, dict[str, float]]:
    """The shelves whose stock will not do until the campaign is over, and the sums of all: units needed during it and
    missing, each with what they are at the ends of the uplift."""
    days = pd.date_range(last + timedelta(days=1), over)
    usual = _ahead(snapshot, scope, frame, days)
    during = np.asarray(days >= pd.Timestamp(first))
    price = frame["unit_price"].to_numpy(dtype=np.float64)
    free = np.maximum((frame["on_hand"] - frame["reserved"]).to_numpy(dtype=np.float64), 0)
    promised = frame["next_promised_on"]
    coming = np.where(promised.notna() & (promised <= pd.Timestamp(over)), frame["on_order"], 0).astype(np.float64)
    # What comes on a day is there for that day; what was promised for a day that is past may still come tomorrow.
    arrives = np.clip((promised - days[0]).dt.days.fillna(0).to_numpy(dtype=np.int64), 0, None)
    there = free[:, None] + np.where(np.arange(len(days))[None, :] >= arrives[:, None], coming[:, None], 0)
    rows = frame.assign(on_hand=free, coming=coming)
    sums: dict[str, float] = {}
    for end, factor in {"": uplift.value, "_lo": uplift.lo, "_hi": uplift.hi}.items():
        daily = usual * np.where(during, factor, 1.0)
        short = np.maximum(daily.sum(axis=1) - free - coming, 0).round()
        rows[f"short_units{end}"] = short
        sums |= {f"needed{end}": float(daily[:, during].sum()), f"short_units{end}": float(short.sum())}
    daily = usual * np.where(during, uplift.value, 1.0)
    missing = daily.cumsum(axis=1) - there >= 0.5  # half a unit is one
    rows = rows.assign(
        units_needed=daily.sum(axis=1).round(),
        short_sales=rows["short_units"] * price,
        runs_out_on=np.where(missing.any(axis=1), days[missing.argmax(axis=1)], np.datetime64("NaT")),
    )
    order = ["short_sales", "short_units", "short_units_hi"]
    found = rows[rows["short_units_hi"] > 0].sort_values(order, ascending=False, ignore_index=True)
    return found, sums


def _ahead(snapshot: Snapshot, scope: Scope, frame: pd.DataFrame, days: pd.DatetimeIndex) -> Floats:
    """Units that each shelf will sell on each of ``days``: by the forecast, whose last week goes on; without one as
    many as it sold a day lately, less what came back on the day of its sale."""
    results = snapshot.results
    if results is not None and is_current(snapshot, FORECAST_JOB):
        weeks = forecasts.weeks_of_products(scope, results, set(frame["product_id"])).astype(dict.fromkeys(KEY, "str"))
        wide = weeks.pivot(index=KEY, columns="ds", values="mean")
        wide = wide.reindex(pd.MultiIndex.from_frame(frame[KEY])).fillna(0.0)
        if wide.shape[1]:
            week = np.clip((days - pd.DatetimeIndex(wide.columns)[0]).days // _WEEK, 0, wide.shape[1] - 1)
            by_day: Floats = wide.to_numpy(dtype=np.float64)[:, week] / _WEEK
            return by_day
    last = (days[0] - timedelta(days=1)).date()
    back = forecasts.taken_back(scope, snapshot.engine, last - timedelta(days=RECENT - 1), last)
    units = back.astype(dict.fromkeys(KEY, "str")).groupby(KEY)["units"].sum()
    returned = units.reindex(pd.MultiIndex.from_frame(frame[KEY])).fillna(0.0).to_numpy(dtype=np.float64)
    rate = np.maximum(frame["sold_lately"].to_numpy(dtype=np.float64) - returned, 0) / RECENT
    return np.repeat(rate[:, None], len(days), axis=1)
