"""Store: one store, one level down from the overview."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import campaigns, orders, places, products, sales
from data_access.queries import stores as comparisons
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.movers import MOVERS, movers
from models.reports import overview
from models.reports._compare import compare
from models.reports._shape import Columns, select_columns
from models.reports.stores import compared_until


@dataclass(frozen=True, slots=True)
class StoreReport:
    """Money in the chain's currency, excluding tax. Customers are counted at the store's own grain: a
    customer is new when the first order in this store falls in the period."""

    period: Period | None  # the asked period, cut to the days the data cover; None when they cover none of it
    currency: str
    # one row: the store
    header: Annotated[
        pd.DataFrame, Columns("store_id store region_id region kind city city_tier area_m2 opened_on closed_on")
    ]
    # the overview's figures, then traffic and conversion (NaN without a valid door count)
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per day of the period; traffic and conversion NaN on days without a valid door count
    by_day: Annotated[pd.DataFrame, Columns("day net_sales gross_sales orders previous last_year traffic conversion")]
    # one row per campaign that ran on a day of the period, the earliest first
    campaigns: Annotated[pd.DataFrame, Columns("campaign_id name starts_on ends_on")]
    # one row per weekday (1 = Monday) and hour with an order or return; days: how many such weekdays the period has
    hours: Annotated[pd.DataFrame, Columns("weekday hour net_sales orders days")]
    # both as in the overview
    by_category: Annotated[pd.DataFrame, Columns("category net_sales units previous last_year")]
    products: Annotated[
        pd.DataFrame,
        Columns("product_id product category net_sales units compared_with change change_ratio contribution movement"),
    ]
    # one row per figure of the 13 weeks up to the snapshot: models.calc.peers.benchmark; empty until a batch has run
    benchmark: Annotated[pd.DataFrame, Columns("metric value peers q10 q25 median q75 q90 below")]
    # the latest counted orders of the period, newest first, at most 50; net_sales: after refunds linked to the order
    recent_orders: Annotated[pd.DataFrame, Columns("order_id ordered_at customer_key units gross_sales net_sales")]


KPIS = (*overview.KPIS, "traffic", "conversion")
RECENT_ORDERS = 50


def store(snapshot: Snapshot, scope: Scope, period: Period, store_id: str) -> StoreReport:
    """One store in ``period``; Problem when it is unknown or outside the scope."""
    engine = snapshot.engine
    here = scope.narrow([store_id])
    header = places.stores(here, engine)
    if header.empty:
        raise Problem(f"there is no store {store_id!r} in your scope: open one from the overview")
    comparison = compare(snapshot.info, period)
    if comparison is None:
        empty = select_columns(StoreReport, header=header, kpis=overview.no_kpis(KPIS))
        return StoreReport(None, snapshot.info.currency, **empty)
    now = comparison.period
    days = sales.days(here, engine, comparison.day_ranges)
    each_day = comparison.with_neighbours(days)
    each_day["conversion"] = (each_day["counted_day_orders"] / each_day["traffic"]).where(each_day["traffic"] > 0)
    weekdays = np.bincount([(now.first.weekday() + n) % 7 + 1 for n in range(now.days)], minlength=8)
    hours = sales.by_hour(here, engine, now)
    kept = snapshot.results if compared_until(snapshot) else None
    beside = {} if kept is None else {"benchmark": comparisons.benchmark(here, kept)}
    frames = select_columns(
        StoreReport,
        **beside,
        header=header,
        kpis=overview.sales_kpis(snapshot, here, comparison, days, KPIS),
        by_day=each_day,
        campaigns=campaigns.ran(here, engine, now),
        hours=hours.assign(days=weekdays[hours["weekday"].to_numpy()]),
        by_category=sales.categories(here, engine, *comparison.periods),
        products=movers(products.movers(here, engine, now, comparison.previous, MOVERS)),
        recent_orders=orders.recent_orders(here, engine, now, RECENT_ORDERS),
    )
    return StoreReport(now, snapshot.info.currency, **frames)
