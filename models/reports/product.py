"""Product: what one product sold, where, and its latest orders."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import affinity, orders, places, products, run_out
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc.days import by_place, totals
from models.reports._compare import Comparison, compare
from models.reports._shape import Columns, declared_tables, select_columns
from models.reports.overview import beside, best_first, no_kpis


@dataclass(frozen=True, slots=True)
class ProductReport:
    """Money in the chain's currency, excluding tax; only sales of the stores in scope."""

    period: Period | None  # the asked period, cut to the days the data cover; None when they cover none of it
    currency: str
    # one row: the product; list_price per unit including tax
    header: Annotated[
        pd.DataFrame,
        Columns("product_id product sku brand kind category subcategory pack_size list_price launched_on usage_days"),
    ]
    # net_sales, gross_sales, returns, units, returned_units, orders, buyers, average_price, return_rate
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per day of the period
    by_day: Annotated[pd.DataFrame, Columns("day net_sales gross_sales units previous last_year")]
    # one row per store that sold it in the period or the period before, best first
    by_store: Annotated[pd.DataFrame, Columns("store_id store region_id region net_sales units previous share")]
    # at most 10 products that its buyers buy too, more often than popularity and appetite explain, the largest share
    # first: both of so many buyers (over all days and the whole chain), times as many as expected, times_low at least;
    # empty before a batch has looked for them
    also_bought: Annotated[pd.DataFrame, Columns("also_id product both buyers share times times_low")]
    # the latest counted orders of the period that hold the product, newest first, at most 50; units and
    # gross_sales are those of the product
    recent_orders: Annotated[pd.DataFrame, Columns("order_id ordered_at store_id store customer_key units gross_sales")]


KPIS = (
    "net_sales",
    "gross_sales",
    "returns",
    "units",
    "returned_units",
    "orders",
    "buyers",
    "average_price",
    "return_rate",
)
RECENT_ORDERS = 50
ALSO_BOUGHT = 10


def product(snapshot: Snapshot, scope: Scope, period: Period, product_id: str) -> ProductReport:
    """One product in ``period``; Problem when the product is unknown."""
    engine = snapshot.engine
    header = products.product_facts(scope, engine, product_id)
    if header.empty:
        raise Problem(f"there is no product {product_id!r}: open one from the overview")
    also_bought = _also_bought(snapshot, scope, product_id)
    comparison = compare(snapshot.info, period)
    if comparison is None:
        empty = select_columns(ProductReport, header=header, kpis=no_kpis(KPIS), also_bought=also_bought)
        return ProductReport(None, snapshot.info.currency, **empty)
    now = comparison.period
    days = products.product_days(scope, engine, comparison.day_ranges, product_id)
    stores = products.product_stores(scope, engine, now, comparison.previous, product_id)
    buyers = products.product_buyers(scope, engine, comparison.covered, product_id).drop(columns="period")
    sums = totals(days, comparison.covered).join(buyers)
    frames = select_columns(
        ProductReport,
        header=header,
        kpis=metrics.kpis(KPIS, *comparison.sums(sums)),
        by_day=comparison.with_neighbours(days),
        by_store=selling_stores(places.stores(scope, engine), stores, comparison),
        also_bought=also_bought,
        recent_orders=orders.orders_with_product(scope, engine, now, product_id, RECENT_ORDERS),
    )
    return ProductReport(now, snapshot.info.currency, **frames)


def _also_bought(snapshot: Snapshot, scope: Scope, product_id: str) -> pd.DataFrame:
    if snapshot.results is None or snapshot.info.last_day is None:
        return pd.DataFrame(columns=declared_tables(ProductReport)["also_bought"])
    pairs = affinity.known(scope, snapshot.results, [product_id], snapshot.info.last_day.month).pairs
    names = run_out.products(scope, snapshot.engine).set_index("product_id")["product"]
    found = pairs.assign(
        product=pairs["also_id"].map(names).fillna(pairs["also_id"]),
        share=pairs["both"] / pairs["buyers"],
        times=pairs["both"] / pairs["expected"],
        times_low=pairs["lift_low"],
    )
    return found.sort_values(["share", "also_id"], ascending=[False, True], ignore_index=True).head(ALSO_BOUGHT)


def selling_stores(stores: pd.DataFrame, sums: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """The stores with sums in the period or the one before, best first."""
    sold_it = stores[stores["store_id"].isin(sums["store_id"])]
    unknown = [] if comparison.previous else ["previous"]
    figures = by_place(sums, pd.Series(sold_it["store_id"].array, sold_it["store_id"]), unknown)
    return best_first(beside(sold_it, figures), "store_id")
