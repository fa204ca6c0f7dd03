"""One row per product in a store: what there is, what will be asked for, and what to do about it.

The stock page, its job in the batch and the suppliers' page all read these rows. Demand is what the job ``forecast``
expects of the product in the store, with season, events and offers ahead; without its rows, what history says. Where
people expect something else of a place, the job orders for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.queries import demand as forecasts
from data_access.queries import stock as queries
from data_access.results.info import is_current
from data_access.results.tables import demand_product
from data_access.scope import Scope
from data_access.snapshot import Snapshot, not_as_declared
from models.calc import demand_rates, expiry, outliers
from models.calc.demand_rates import Ahead, Floats, Ints, Outlook, Rates, quantile
from models.calc.inventory import Proposal, Stock, Supply, calibrate, classes, propose
from models.calc.wishes import Wish, applied

JOB = "stock"  # of the batch
SERVICE_LEVEL = 0.95
REVIEW_DAYS = 7  # between two looks at a shelf
HISTORY_DAYS = 728  # of demand
YEAR = 364  # days that turnover, margin and lost sales are of
MONTH = 28  # days that a supplier is told the demand of
QUARTER = 91  # days that sell-through is of and that overstock has to last
LONG_COVER = 84  # days of cover above which a product sells slowly, and half of what should sell through
LEFT_ON_ARRIVAL = 2 / 3  # of its shelf life that a delivery still has
DEFAULT_LEAD_TIME = 14.0  # days, where no supplier is known
_FEW_LINES = 5  # receipts below which the promise tells more about a supplier's lead time than they do
_LATE_DAYS = 3.0  # more that an overdue delivery is given
EXPIRING_DAYS = 180  # lots that expire later are not listed
KEY = ["store_id", "product_id"]

# What a shelf needs, the most urgent first. The last is routine: an order of today comes in time, in all likelihood.
REASONS = ("out_of_stock", "late_delivery", "before_receipt", "below_reorder_point")
URGENT = REASONS[:3]
_LIKELY = 0.5  # a stock-out before the next receipt that is more likely than not


@dataclass(frozen=True)
class Shelves:
    """shelves: one row per store in scope and product with a position. lots: those that expire within
    ``EXPIRING_DAYS``. calibration: z per class. outlook: the demand behind it all, one entry per row of shelves."""

    shelves: pd.DataFrame
    lots: pd.DataFrame
    calibration: pd.DataFrame
    outlook: Outlook
    as_of: date


def shelves(
    snapshot: Snapshot, scope: Scope, service_level: float = SERVICE_LEVEL, wishes: Sequence[Wish] = ()
) -> Shelves | None:
    """The rows of a scope at the end of the snapshot's last day, computed now; None without a position or a sale.

    wishes: what people expect instead of the forecast, of places within the scope.
    """
    engine, last = snapshot.engine, snapshot.info.last_day
    frame = queries.positions(scope, engine)
    if last is None or frame.empty:
        return None
    frame = frame.astype(dict.fromkeys(KEY, "str"))
    goods = queries.goods(scope, engine)
    frame = frame.merge(goods, on="product_id", how="left")
    frame = _with_terms(frame, snapshot, scope, last)
    year = last - timedelta(days=YEAR - 1)
    sold_rows = queries.sold_by_day(scope, engine, last - timedelta(days=HISTORY_DAYS - 1))
    spells = queries.empty_spells(scope, engine, last - timedelta(days=HISTORY_DAYS - 1), last)
    back = forecasts.taken_back(scope, engine, last - timedelta(days=HISTORY_DAYS - 1), last)
    sold, spells_of = history(frame, sold_rows, spells, last, back)
    frame = with_prices(frame, _year_of(sold_rows, year))
    outlook, wished = _outlook(snapshot, scope, frame, demand_rates.from_history(sold), last, wishes)
    item_class = classes(sold, frame["unit_price"].fillna(1).to_numpy())
    supply = Supply(
        *(frame[name].to_numpy(dtype=np.float64) for name in ("lead_time_days", "lead_time_sd", "review_days"))
    )
    calibration = calibrate(sold, supply, item_class, service_level)
    lots, wasted, expired = _lots(frame, queries.lots(scope, engine), outlook, last)
    until = _until_receipt(frame, last)
    shelf = _stock(frame, outlook, supply, wasted)
    proposal = propose(outlook, supply, shelf, calibration.z, until)
    frame = frame.assign(
        item_class=item_class,
        z=calibration.z,
        daily_demand=outlook.rate,
        wished=wished,
        until_receipt=until,
        expiring_units=wasted,
        expired_units=expired,
        late=_overdue(frame, last),
    )
    frame = _with_proposal(frame, proposal, shelf)
    frame = _with_surplus(frame, outlook, supply)
    frame = _with_flows(frame, snapshot, scope, sold, spells_of, last)
    table = calibration.table.rename(columns={"class": "item_class"})
    return Shelves(frame, lots, table, outlook, last)


@dataclass(frozen=True)
class KeptShelves:
    """What a batch kept beside the shelves, as ``Shelves``; those are read from the results as a report wants them."""

    lots: pd.DataFrame
    calibration: pd.DataFrame
    as_of: date


def kept(snapshot: Snapshot, scope: Scope) -> KeptShelves | None:
    """The rows of a scope as the batch left them for this snapshot; None where there are none of its very facts."""
    results, last = snapshot.results, snapshot.info.last_day
    if results is None or last is None or not is_current(snapshot, JOB):
        return None
    if queries.kept_shelves(scope, results, columns=("store_id",), most=1).empty:
        return None
    return KeptShelves(queries.kept_lots(scope, results), queries.kept_classes(scope, results), last)


def _outlook(
    snapshot: Snapshot, scope: Scope, frame: pd.DataFrame, rates: Rates, last: date, wishes: Sequence[Wish]
) -> tuple[Outlook, Floats]:
    """The forecast of each shelf where there is one that begins on the next day, as people want it; and by what they
    multiply the next four weeks (1: nobody said anything)."""
    nobody = np.ones(len(frame))
    if snapshot.results is None or not_as_declared(snapshot.results, [demand_product]):
        return rates, nobody
    rows = forecasts.weeks_of_products(scope, snapshot.results)
    begin = last + timedelta(days=1)
    if rows.empty or rows["ds"].min() != pd.Timestamp(begin):
        return rates, nobody
    wide = rows.astype(dict.fromkeys(KEY, "str")).pivot(index=KEY, columns="ds", values="mean")
    said = wide.reindex(pd.MultiIndex.from_frame(frame[KEY])).to_numpy(dtype=np.float64)
    stores, categories = frame["store_id"].to_numpy(dtype=np.str_), frame["category"].fillna("").to_numpy(dtype=np.str_)
    outlook = Ahead(rates, applied(said, stores, categories, begin, wishes))
    usual = Ahead(rates, said).rate
    return outlook, np.where(usual > 0, outlook.rate / np.where(usual > 0, usual, 1.0), 1.0)


def _with_terms(frame: pd.DataFrame, snapshot: Snapshot, scope: Scope, last: date) -> pd.DataFrame:
    """Who delivers each product and how long that takes: as it took, or as promised where few orders tell."""
    terms = queries.terms(scope, snapshot.engine).drop_duplicates("product_id")
    took = queries.lead_times(scope, snapshot.engine, last - timedelta(days=YEAR - 1))
    terms = terms.merge(took[took["lines"] >= _FEW_LINES], on="supplier_id", how="left")
    known = terms["mean_days"].notna()
    terms["lead_time_days"] = terms["mean_days"].where(known, terms["lead_time_days"])
    terms["lead_time_sd"] = terms["sd_days"].where(known, 0.0)
    joined = frame.merge(terms.drop(columns=["lines", "mean_days", "sd_days"]), on="product_id", how="left")
    filled = {"lead_time_days": DEFAULT_LEAD_TIME, "lead_time_sd": 0.0, "order_multiple": 1, "minimum_quantity": 1}
    return joined.fillna(filled).assign(review_days=float(REVIEW_DAYS))


def history(
    frame: pd.DataFrame, rows: pd.DataFrame, spells: pd.DataFrame, last: date, back: pd.DataFrame
) -> tuple[Floats, NDArray[np.bool_]]:
    """Units sold per shelf and day (NaN: not on sale yet, or nothing to sell), and the days it was empty.

    back: what ``demand.taken_back`` found, which was no demand. Gross outliers are brought down (``outliers``).
    """
    end = np.datetime64(last, "D")
    begin = end - np.timedelta64(HISTORY_DAYS - 1, "D")
    keys = pd.MultiIndex.from_frame(frame[KEY])
    days = HISTORY_DAYS

    def at(found: pd.DataFrame) -> NDArray[np.int64]:
        return keys.get_indexer(pd.MultiIndex.from_frame(found[KEY].astype("str")))

    sold = np.zeros((len(frame), days))
    item, day = at(rows), (rows["day"].to_numpy().astype("datetime64[D]") - begin).astype(np.int64)
    known = (item >= 0) & (day < days)
    np.add.at(sold, (item[known], day[known]), rows["units"].to_numpy(dtype=np.float64)[known])
    first = np.full(len(frame), days)
    np.minimum.at(first, item[known], day[known])
    item, day = at(back), (back["day"].to_numpy().astype("datetime64[D]") - begin).astype(np.int64)
    inside = (item >= 0) & (day >= 0) & (day < days)
    np.subtract.at(sold, (item[inside], day[inside]), back["units"].to_numpy(dtype=np.float64)[inside])
    sold = outliers.without_gross(np.maximum(sold, 0))
    empty = np.zeros(sold.shape, dtype=bool)
    from_, to = (
        (spells[name].to_numpy().astype("datetime64[D]") - begin).astype(np.int64) for name in ("begins", "ends")
    )
    for shelf, one, other in zip(at(spells), from_, to, strict=True):
        if shelf >= 0:
            empty[shelf, max(one, 0) : other + 1] = True
    before = np.arange(days)[None, :] < first[:, None]
    empty &= ~before & (sold == 0)
    sold[before | empty] = np.nan
    return sold, empty


def _year_of(rows: pd.DataFrame, since: date) -> pd.DataFrame:
    """Units and net sales of each shelf from the day ``since`` on, by ``queries.sold_by_day``: sold_year,
    net_sales_year."""
    year = rows[rows["day"] >= pd.Timestamp(since)]
    sums = year.groupby(KEY, observed=True)[["units", "net_sales"]].sum().reset_index()
    return sums.rename(columns={"units": "sold_year", "net_sales": "net_sales_year"})


def with_prices(frame: pd.DataFrame, year: pd.DataFrame) -> pd.DataFrame:
    """What a unit brought (net sales) in the last year, or else its list price; and the year's units and net sales."""
    sums = year.astype(dict.fromkeys(KEY, "str"))
    joined = frame.merge(sums, on=KEY, how="left").fillna({"sold_year": 0.0, "net_sales_year": 0.0})
    price = (joined["net_sales_year"] / joined["sold_year"]).where(joined["sold_year"] > 0, joined["list_price"])
    return joined.assign(unit_price=price.clip(lower=0), unit_cost=joined["cost"])


def _lots(frame: pd.DataFrame, lots: pd.DataFrame, outlook: Outlook, last: date) -> tuple[pd.DataFrame, Floats, Floats]:
    """The lots that expire soon with the units that will not sell in time; per shelf these units, and those of them
    that have expired already."""
    keys = pd.MultiIndex.from_frame(frame[KEY])
    shelf = keys.get_indexer(pd.MultiIndex.from_frame(lots[KEY]))
    lots, shelf = lots[shelf >= 0].reset_index(drop=True), shelf[shelf >= 0].astype(np.int64)
    left = (lots["expires_on"].to_numpy().astype("datetime64[D]") - np.datetime64(last, "D")).astype(np.float64)
    left = np.where(lots["expires_on"].isna().to_numpy(), np.inf, left)
    soon = left <= EXPIRING_DAYS
    demand = np.full(len(lots), np.inf)
    demand[soon] = median_demand(outlook, shelf[soon], np.maximum(left[soon], 0))
    quantity = lots["quantity"].to_numpy(dtype=np.float64)
    unsold = expiry.unsold(shelf, left, quantity, demand)
    wasted, expired = np.zeros(len(frame)), np.zeros(len(frame))
    np.add.at(wasted, shelf, np.where(soon, unsold, 0))
    np.add.at(expired, shelf, np.where(left <= 0, quantity, 0))
    cost = frame["unit_cost"].to_numpy(dtype=np.float64)[shelf]
    listed = lots.assign(
        days_left=left, unsold_units=unsold, unsold_value=unsold * cost, product=frame["product"].to_numpy()[shelf]
    )
    listed = listed[soon & (quantity > 0)].astype({"days_left": "int64"})
    order = ["unsold_value", "days_left"]
    return listed.sort_values(order, ascending=[False, True], ignore_index=True), wasted, expired


def lost_units(sold: Floats, empty: NDArray[np.bool_], days: int) -> tuple[NDArray[np.int64], Floats]:
    """Of each shelf its empty days among the last ``days``, and the units it would have sold on them: as many a day as
    on the other days of the year. ``sold`` and ``empty`` as ``history`` gives them."""
    year_sold = sold[:, -YEAR:]
    open_days = np.maximum((~np.isnan(year_sold)).sum(axis=1), 1)
    empty_days = empty[:, -days:].sum(axis=1)
    return empty_days, empty_days * np.nansum(year_sold, axis=1) / open_days


def median_demand(outlook: Outlook, shelf: Ints, days: Floats) -> Floats:
    """Units that ``shelf`` is as likely to sell as not within ``days``."""
    ones = np.zeros(len(outlook.rate))
    found = np.zeros(len(shelf))
    for horizon in np.unique(days):
        mean, variance = outlook.over(ones + horizon)
        mine = days == horizon
        found[mine] = quantile(mean[shelf[mine]], variance[shelf[mine]], 0.5)
    return np.where(days > 0, found, 0)


def _until_receipt(frame: pd.DataFrame, last: date) -> Floats:
    """Days until the next delivery of what is on order, else until an order of today would be there."""
    promised = frame["next_promised_on"].to_numpy().astype("datetime64[D]")
    wait = (promised - np.datetime64(last, "D")).astype(np.float64)
    lead = frame["lead_time_days"].to_numpy(dtype=np.float64)
    coming = (frame["on_order"].to_numpy() > 0) & ~np.isnat(promised)
    overdue = np.minimum(_LATE_DAYS + frame["lead_time_sd"].to_numpy(dtype=np.float64), lead)
    return np.where(coming, np.where(wait > 0, wait, overdue), lead)


def _stock(frame: pd.DataFrame, outlook: Outlook, supply: Supply, wasted: Floats) -> Stock:
    """What counts as stock: without the units that will expire unsold."""
    life = frame["shelf_life_days"].to_numpy(dtype=np.float64) * LEFT_ON_ARRIVAL
    known = ~np.isnan(life)
    mean, variance = outlook.over(np.where(known, life, 0) + supply.lead_time)
    sellable = np.where(known, quantile(mean, variance, 0.5), np.inf)
    on_hand = np.maximum(frame["on_hand"].to_numpy(dtype=np.float64) - wasted, 0)
    names = ("reserved", "on_order", "order_multiple", "minimum_quantity")
    reserved, on_order, multiple, least = (frame[name].to_numpy(dtype=np.float64) for name in names)
    return Stock(on_hand, reserved, on_order, multiple, least, sellable)


def _with_proposal(frame: pd.DataFrame, proposal: Proposal, shelf: Stock) -> pd.DataFrame:
    price = frame["unit_price"].to_numpy(dtype=np.float64)
    cover = proposal.days_of_cover
    found = frame.assign(
        expected_demand=proposal.expected_demand,
        safety_stock=proposal.safety_stock,
        reorder_point=proposal.reorder_point,
        order_up_to=proposal.order_up_to,
        sellable=np.where(np.isfinite(shelf.sellable), shelf.sellable, np.nan),
        suggested_quantity=proposal.order_quantity.astype(np.int64),
        order_value=proposal.order_quantity * frame["unit_cost"].to_numpy(dtype=np.float64),
        stockout_probability=proposal.stockout_probability,
        expected_lost=proposal.expected_lost,
        money_at_risk=proposal.expected_lost * price,
        days_of_cover=np.where(np.isfinite(cover), cover, np.nan),
    )
    asked = proposal.expected_demand > 0
    low = shelf.position <= proposal.reorder_point
    conditions = [
        asked & (shelf.free <= 0),
        asked & frame["late"].to_numpy() & (proposal.stockout_probability >= 1 - _LIKELY),
        asked & (proposal.stockout_probability >= _LIKELY),
        asked & low,
    ]
    reason = pd.Series(np.select(conditions, list(REASONS), default=""), index=found.index, dtype="str")
    return found.assign(reason=reason.where(reason != ""))


def _overdue(frame: pd.DataFrame, last: date) -> pd.Series:
    """Whether a delivery that was promised for an earlier day is still to come."""
    return (frame["on_order"] > 0) & (frame["next_promised_on"] < pd.Timestamp(last))


def _with_surplus(frame: pd.DataFrame, outlook: Outlook, supply: Supply) -> pd.DataFrame:
    """What could be given away (above the P90 of demand until a new order is there), and what is overstock (above the
    P90 of a quarter)."""
    free = np.maximum((frame["on_hand"] - frame["reserved"] - frame["expired_units"]).to_numpy(dtype=np.float64), 0)
    mean, variance = outlook.over(supply.protection)
    variance = variance + (outlook.rate * supply.lead_time_sd) ** 2
    quarter = outlook.over(np.full(len(frame), float(QUARTER)))
    over = np.floor(np.maximum(free - quantile(*quarter, 0.9), 0))
    month_mean, month_variance = outlook.over(np.full(len(frame), float(MONTH)))
    return frame.assign(
        month_mean=month_mean,
        month_variance=month_variance,
        quarter_mean=quarter[0],
        surplus=np.floor(np.maximum(free - quantile(mean, variance, 0.9), 0)),
        overstock_units=over,
        overstock_value=over * frame["unit_cost"].to_numpy(dtype=np.float64),
    )


def _with_flows(
    frame: pd.DataFrame,
    snapshot: Snapshot,
    scope: Scope,
    sold: Floats,
    empty: NDArray[np.bool_],
    last: date,
) -> pd.DataFrame:
    """Sell-through of a quarter, average stock and margin of a year, days at zero and what they cost."""
    engine = snapshot.engine
    quarter, year = (last - timedelta(days=n - 1) for n in (QUARTER, YEAR))
    flows = queries.flows(scope, engine, quarter, last)[[*KEY, "received", "sold", "moved"]]
    held = queries.unit_days(scope, engine, year, last)
    joined = frame.merge(flows, on=KEY, how="left").merge(held, on=KEY, how="left")
    joined = joined.fillna({"received": 0, "sold": 0, "moved": 0})
    offered = joined["on_hand"] - joined["moved"] + joined["received"]
    empty_days, lost = lost_units(sold, empty, YEAR)
    cost = joined["unit_cost"].to_numpy(dtype=np.float64)
    return joined.assign(
        offered=offered,
        sell_through=(joined["sold"] / offered).where(offered > 0),
        average_stock=joined["unit_days"] / YEAR,
        cost_year=joined["sold_year"] * cost,
        margin_year=joined["net_sales_year"] - joined["sold_year"] * cost,
        stock_value=joined["on_hand"] * cost,
        average_value=joined["unit_days"] / YEAR * cost,
        empty_days=empty_days,
        lost_units=lost,
        lost_sales=lost * joined["unit_price"].to_numpy(dtype=np.float64),
    )
