"""Stock: what runs out and what to order, what lies too long or expires, what to move, and what empty shelves cost."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from data_access.queries import places
from data_access.queries import stock as queries
from data_access.queries.stock import Listed
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc import transfers
from models.calc.demand_rates import Floats, probability_above, quantile
from models.reports._shape import Columns, declared_tables, select_columns
from models.reports.shelves import KEY, LONG_COVER, SERVICE_LEVEL, URGENT, KeptShelves, Shelves, kept, shelves

FIRST = ("money_at_risk", "lost_sales", "overstock_value", "unsold_value")
KPIS = (*FIRST, "stock_value", "sell_through", "stock_turnover", "gmroi")
QUADRANTS = ("hot", "steady", "fresh", "slow")
AGE_BANDS = ("0-30", "31-90", "91-180", "181-365", "366+")
_AGE_ENDS = (30, 90, 180, 365)
_MOST_UNITS = 24  # of one product that a receiver may gain from a plan
_LEAST_LOST = 0.05  # units expected to be missed for which it is worth to look for help
_ROOM_DAYS = 30.0  # in which a receiver must sell what is near its expiry, where its days are not known
_SUMS = (
    "stock_value", "average_value", "cost_year", "margin_year", "net_sales_year", "overstock_value", "unsold_value",
    "lost_sales", "money_at_risk", "sold", "offered", "daily_demand", "free_units",
)  # fmt: skip
_ADDED = (*_SUMS, "on_hand", "on_order", "suggested_quantity", "month_mean", "month_variance", "quarter_mean")
ROWS = 50  # of each of these, unless told
LISTS = {
    "warnings": Listed("reason", ("money_at_risk", *KEY), ("money_at_risk",), URGENT),
    "orders": Listed("suggested_quantity", ("supplier_id", "order_value", *KEY), ("order_value",)),
    "overstock": Listed("overstock_units", ("overstock_value", *KEY), ("overstock_value",)),
    "lost": Listed("lost_units", ("lost_sales", *KEY), ("lost_sales",)),
}


_WARNING = (
    "store_id store product_id product category available days_of_cover stockout_probability reorder_point "
    "suggested_quantity money_at_risk reason supplier_id supplier order_value"
)
_ORDER = (
    "supplier_id supplier store_id store product_id product category suggested_quantity order_value available "
    "days_of_cover stockout_probability reorder_point money_at_risk reason"
)
_FORMULA = (
    "item_class z wished on_hand reserved on_order next_promised_on until_receipt daily_demand expected_demand "
    "safety_stock order_up_to lead_time_days lead_time_sd review_days order_multiple minimum_quantity sellable "
    "expiring_units"
)
_SHELF = tuple(f"{_WARNING} {_FORMULA} overstock_units overstock_value".split())


@dataclass(frozen=True, slots=True)
class StockReport:
    """Stock of the stores in scope at the end of ``as_of``. Units; money in the chain's currency, excluding tax: stock
    at cost, what is lost or at risk at the average net price. Demand is that of the last two years, recent days
    weighing more. A year is 364 days, a quarter 91."""

    as_of: date | None  # None: nothing was ever counted or ordered, or there are no sales
    currency: str
    service_level: float
    cut: frozenset[str]  # those of ``LISTS`` that have more rows than are here
    # as models.metrics.kpis; no comparisons: the past of stock is not kept. money_at_risk is that of every shelf: those
    # that warn, and the little of each of the others
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per shelf (product in a store) that is empty or will more likely than not be before its next delivery, the
    # most money at risk first; what only needs its usual order is among the orders. available: on_hand - reserved +
    # on_order; days_of_cover: (on_hand - reserved) / daily_demand; stockout_probability and money_at_risk (expected
    # lost sales) until the next delivery, in until_receipt days. order_up_to = expected_demand + safety_stock, of
    # lead_time_days + review_days, but no more than is sellable before a new delivery expires (NaN: never does).
    # reason: as ``shelves.REASONS``. wished: by what people multiply the next four weeks of the forecast (1: nobody
    # said anything), which demand has in it
    warnings: Annotated[pd.DataFrame, Columns(f"{_WARNING} {_FORMULA}")]
    # one row per shelf to order for: what fills it up again, by supplier, the largest order value first
    orders: Annotated[pd.DataFrame, Columns(f"{_ORDER} {_FORMULA}")]
    # one row per transfer, see ``models.calc.transfers``; from_name and to_name: of the stores; product: its name
    transfers: Annotated[
        pd.DataFrame,
        Columns(
            "from_store from_name to_store to_name product_id product quantity near_expiry gain lane_cost saving "
            "store_id"
        ),
    ]
    # one row per shelf with units above the P90 of a quarter's demand, the most value first
    overstock: Annotated[
        pd.DataFrame,
        Columns(
            "store_id store product_id product category on_hand overstock_units overstock_value days_of_cover "
            "daily_demand"
        ),
    ]
    # one row per age band of what is on hand (days since it came, the last to come being the last to go)
    ageing: Annotated[pd.DataFrame, Columns("age units stock_value")]
    # one row per lot that has expired or will within 180 days, the most value to be lost first; unsold_units: what the
    # median of demand will not take in time, first-expired-first-out
    expiring: Annotated[
        pd.DataFrame,
        Columns("store_id store product_id product lot_id expires_on days_left quantity unsold_units unsold_value"),
    ]
    # one row per product with its figures over the stores in scope; quadrant as ``QUADRANTS``: hot (sells through,
    # cover short), steady (sells through, cover long), fresh (neither yet), slow (little sells through, cover long)
    products: Annotated[
        pd.DataFrame,
        Columns(
            "product_id product category quadrant sell_through days_of_cover stock_value stock_turnover gmroi "
            "net_sales_year money_at_risk overstock_value unsold_value lost_sales"
        ),
    ]
    # the same per category and per store
    categories: Annotated[
        pd.DataFrame,
        Columns(
            "category warnings sell_through days_of_cover stock_value stock_turnover gmroi money_at_risk "
            "overstock_value unsold_value lost_sales"
        ),
    ]
    stores: Annotated[
        pd.DataFrame,
        Columns(
            "store_id store warnings sell_through days_of_cover stock_value stock_turnover gmroi money_at_risk "
            "overstock_value unsold_value lost_sales"
        ),
    ]
    # one row per shelf that stood empty in the last year: days, units and sales that this cost by the mean of open days
    lost: Annotated[
        pd.DataFrame, Columns("store_id store product_id product category empty_days lost_units lost_sales on_hand")
    ]
    # one row per shelf whose movements do not add up to what was counted; difference_units: on_hand - moved
    exceptions: Annotated[pd.DataFrame, Columns("store_id store product_id product moved on_hand difference_units")]
    # one row per supplier and product: what the stores have, expect to sell in four weeks (up to demand_p90 in nine of
    # ten cases) and in a quarter, and would order now
    demand: Annotated[
        pd.DataFrame,
        Columns(
            "supplier_id product_id product category on_hand on_order demand_month demand_p90 demand_quarter "
            "suggested_quantity"
        ),
    ]
    # one row per class of shelves: z, that of a normal curve, and the service its past would have attained with it
    calibration: Annotated[pd.DataFrame, Columns("item_class items z plain_z attained measure")]


def stock(
    snapshot: Snapshot,
    scope: Scope,
    service_level: float = SERVICE_LEVEL,
    category: str | None = None,
    rows: int | None = ROWS,
) -> StockReport:
    """The stock of the stores in scope: of the batch, where it has computed these very facts, else computed now; of one
    ``category`` where it is named. rows: how many of each of ``LISTS``, None: all.

    The transfers are those of the chain's plan to these stores, or, computed now, the best plan between them.
    """
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    found: Shelves | KeptShelves | None = kept(snapshot, scope) if service_level == SERVICE_LEVEL else None
    found = found or shelves(snapshot, scope, service_level)
    if found is None:
        return StockReport(None, snapshot.info.currency, service_level, frozenset(), **_nothing())
    source: _Kept | _Computed
    if isinstance(found, KeptShelves):
        assert snapshot.results is not None
        source = _Kept(scope, snapshot.results, category)
    else:
        source = _Computed(_with_sums(found.shelves), category)
    products = _with_ratios(source.sums(("product_id", "product", "category", "supplier_id")))
    of_stores = source.sums(("store_id",))

    def of_mine(rows: pd.DataFrame) -> pd.DataFrame:
        return rows if category is None else rows[rows["product_id"].isin(products["product_id"])]

    # One more tells whether there are more.
    lists = {name: _named(source.listed(name, None if rows is None else rows + 1), names) for name in LISTS}
    cut = frozenset(name for name, frame in lists.items() if rows is not None and len(frame) > rows)
    lists |= {name: lists[name].iloc[:rows] for name in cut}

    ages = of_mine(queries.ages(scope, snapshot.engine, found.as_of))
    exceptions = of_mine(queries.ledger_exceptions(scope, snapshot.engine))
    known = source.known() if len(ages) or len(exceptions) else pd.DataFrame(columns=[*KEY, "product", "unit_cost"])
    of_categories = products.groupby("category", dropna=False, as_index=False)[[*_SUMS, "warnings"]].sum()
    frames = select_columns(
        StockReport,
        kpis=_kpis(of_stores),
        **lists,
        transfers=of_mine(_transfers(snapshot, scope, found, names)),
        ageing=_ageing(known, ages),
        expiring=of_mine(found.lots.assign(store=found.lots["store_id"].map(names))),
        products=products.assign(quadrant=_quadrants(products)).sort_values("net_sales_year", ascending=False),
        categories=_with_ratios(of_categories).sort_values("stock_value", ascending=False),
        stores=_with_ratios(of_stores.assign(store=of_stores["store_id"].map(names))).sort_values(
            "money_at_risk", ascending=False
        ),
        exceptions=_exceptions(known.assign(store=known["store_id"].map(names)), exceptions),
        demand=_demand(products),
        calibration=found.calibration,
    )
    whole = {name: frame.reset_index(drop=True) for name, frame in frames.items()}
    return StockReport(found.as_of, snapshot.info.currency, service_level, cut, **whole)


def shelf(snapshot: Snapshot, scope: Scope, product_id: str) -> pd.DataFrame:
    """The shelves of a product in the stores in scope, one row for each: what a row of ``warnings`` says of a shelf,
    whatever list it is on, and how much of it is overstock."""
    if kept(snapshot, scope) is not None:
        assert snapshot.results is not None
        columns = [column for column in _SHELF if column != "store"]
        every = queries.kept_shelves(scope, snapshot.results, columns=columns, product_id=product_id)
    else:
        found = shelves(snapshot, scope)
        every = pd.DataFrame(columns=list(_SHELF)) if found is None else found.shelves
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    return _named(every[every["product_id"] == product_id], names)[list(_SHELF)].reset_index(drop=True)


def whole_list(snapshot: Snapshot, scope: Scope, name: str, category: str | None = None) -> pd.DataFrame:
    """All rows of one of ``LISTS``, as ``stock`` has them."""
    if kept(snapshot, scope) is None:
        found: pd.DataFrame = getattr(stock(snapshot, scope, category=category, rows=None), name)
        return found
    assert snapshot.results is not None
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    rows = _named(_Kept(scope, snapshot.results, category).listed(name, None), names)
    return rows[list(declared_tables(StockReport)[name])]


def _named(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    return rows.assign(store=rows["store_id"].map(names))


@dataclass(frozen=True, slots=True)
class _Kept:
    """The shelves that a batch kept, of one category or all."""

    scope: Scope
    results: Engine
    category: str | None

    def sums(self, by: tuple[str, ...]) -> pd.DataFrame:
        return queries.kept_sums(self.scope, self.results, by, _ADDED, URGENT, self.category)

    def listed(self, name: str, most: int | None) -> pd.DataFrame:
        columns = [column for column in declared_tables(StockReport)[name] if column != "store"]
        return queries.kept_shelves(self.scope, self.results, self.category, columns, LISTS[name], most)

    def known(self) -> pd.DataFrame:
        return queries.kept_shelves(self.scope, self.results, self.category, (*KEY, "product", "unit_cost"))


class _Computed:
    """The same of shelves computed now."""

    def __init__(self, every: pd.DataFrame, category: str | None) -> None:
        self._every = every if category is None else every[every["category"] == category]

    def sums(self, by: tuple[str, ...]) -> pd.DataFrame:
        counted = self._every.assign(warnings=self._every["reason"].isin(URGENT))
        return counted.groupby(list(by), dropna=False, as_index=False)[[*_ADDED, "warnings"]].sum()

    def listed(self, name: str, most: int | None) -> pd.DataFrame:
        return LISTS[name].rows(self._every).head(len(self._every) if most is None else most)

    def known(self) -> pd.DataFrame:
        return self._every


def _with_sums(every: pd.DataFrame) -> pd.DataFrame:
    """Shelves with the figures that are added up and are no column of theirs."""
    return every.assign(
        unsold_value=every["expiring_units"] * every["unit_cost"],
        free_units=(every["on_hand"] - every["reserved"]).clip(lower=0),
    )


def _nothing() -> dict[str, pd.DataFrame]:
    unknown = dict.fromkeys((part for key in KPIS for part in metrics.METRICS[key].parts), np.nan)
    return select_columns(StockReport, kpis=metrics.kpis(KPIS, unknown))


def _kpis(every: pd.DataFrame) -> pd.DataFrame:
    return metrics.kpis(KPIS, {name: float(every[name].sum()) for name in _SUMS})


def _with_ratios(found: pd.DataFrame) -> pd.DataFrame:
    """Sums of shelves with the ratios of these sums."""
    chosen = {name: metrics.METRICS[name] for name in ("sell_through", "stock_turnover", "gmroi", "days_of_cover")}
    whole = {name: found[str(metric.denominator)] for name, metric in chosen.items()}
    ratios = {name: (found[metric.numerator] / whole[name]).where(whole[name] > 0) for name, metric in chosen.items()}
    return found.assign(**ratios)


def _quadrants(products: pd.DataFrame) -> np.ndarray:
    """Which corner a product is in: its sell-through against the median of all, its cover against ``LONG_COVER``."""
    sells = products["sell_through"].fillna(0) >= products["sell_through"].median()
    long = products["days_of_cover"].fillna(np.inf) > LONG_COVER
    return np.select([sells & ~long, sells & long, ~sells & ~long], QUADRANTS[:3], QUADRANTS[3])


def _demand(products: pd.DataFrame) -> pd.DataFrame:
    """By supplier and product: what the shelves together expect; their errors are taken as independent."""
    upper = quantile(products["month_mean"].to_numpy(), products["month_variance"].to_numpy(), 0.9)
    named = products.rename(columns={"month_mean": "demand_month", "quarter_mean": "demand_quarter"})
    return named.assign(demand_p90=upper).sort_values("demand_month", ascending=False)


def _ageing(every: pd.DataFrame, ages: pd.DataFrame) -> pd.DataFrame:
    cost = every.set_index(KEY)["unit_cost"]
    valued = ages.join(cost, on=KEY)
    band = np.array(AGE_BANDS)[np.searchsorted(_AGE_ENDS, valued["days"].to_numpy(), side="left")]
    sums = valued.assign(age=band, stock_value=valued["units"] * valued["unit_cost"]).groupby("age")[
        ["units", "stock_value"]
    ]
    return sums.sum().reindex(list(AGE_BANDS), fill_value=0.0).reset_index()


def _exceptions(every: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    named = rows.merge(every[[*KEY, "store", "product"]], on=KEY, how="left")
    return named.rename(columns={"difference": "difference_units"})


# --- transfers ------------------------------------------------------------------------------------------------------


def _transfers(snapshot: Snapshot, scope: Scope, found: Shelves | KeptShelves, names: pd.Series) -> pd.DataFrame:
    if isinstance(found, KeptShelves):
        assert snapshot.results is not None
        moved = queries.kept_transfers(scope, snapshot.results)
        return moved.sort_values(["saving", "from_store", "product_id"], ascending=[False, True, True])
    return planned(found, queries.lanes(scope, snapshot.engine), names)


def planned(found: Shelves, lanes: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """The best plan of transfers between the shelves, with the names of stores and products; each is the receiving
    store's."""
    moved = transfers.plan(offers(found, lanes))
    products = found.shelves.drop_duplicates("product_id").set_index("product_id")["product"]
    return moved.assign(
        from_name=moved["from_store"].map(names),
        to_name=moved["to_store"].map(names),
        product=moved["product_id"].map(products),
        store_id=moved["to_store"],
    )


def offers(found: Shelves, lanes: pd.DataFrame) -> transfers.Offers:
    """What each shelf could give and what each would gain from more units, by the time they could be there.

    A unit gains its margin with the probability that somebody asks for it before the receiver's next delivery.
    """
    every, outlook = found.shelves, found.outlook
    travel = every["store_id"].map(lanes.groupby("to_store")["days"].max()).fillna(0).to_numpy(dtype=np.float64)
    free = (every["on_hand"] - every["reserved"] - every["expired_units"]).clip(lower=0).to_numpy(dtype=np.float64)
    left = np.maximum(free - outlook.rate * travel, 0)
    wait = np.maximum(every["until_receipt"].to_numpy(dtype=np.float64) - travel, 0)
    mean, variance = outlook.over(wait)
    margin = np.maximum((every["unit_price"] - every["unit_cost"].fillna(0)).to_numpy(dtype=np.float64), 0)
    needs = (every["expected_lost"].to_numpy() >= _LEAST_LOST) & (every["surplus"].to_numpy() < 1) & (wait > 0)
    gains = _gains(every[needs], *(part[needs] for part in (left, mean, variance, margin)))
    near = np.minimum(np.maximum(every["expiring_units"] - every["expired_units"], 0), every["surplus"])
    donors = every[KEY].assign(
        surplus=every["surplus"], near_expiry=np.floor(near), unit_cost=every["unit_cost"].fillna(0)
    )
    room_mean, room_variance = outlook.over(np.full(len(every), _ROOM_DAYS))
    room = np.maximum(quantile(room_mean, room_variance, 0.5) - free, 0)
    return transfers.Offers(donors, gains, every[KEY].assign(room=room), lanes)


def _gains(needy: pd.DataFrame, left: Floats, mean: Floats, variance: Floats, margin: Floats) -> pd.DataFrame:
    """The money that each further unit of each needy shelf brings."""
    parts = [
        needy[KEY].assign(nth=nth, gain=margin * probability_above(left + nth - 1, mean, variance))
        for nth in range(1, _MOST_UNITS + 1)
    ]
    every = pd.concat(parts, ignore_index=True)
    return every[every["gain"] > 0.01].reset_index(drop=True)
