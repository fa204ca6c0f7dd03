"""Product: what one product sold, where, and its latest orders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from data_access.scope import Period, Scope
from models.reports._shape import Columns

if TYPE_CHECKING:
    from data_access.snapshot import Snapshot


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
    # the latest counted orders of the period that hold the product, newest first, at most 50; units and
    # gross_sales are those of the product
    recent_orders: Annotated[pd.DataFrame, Columns("order_id ordered_at store_id store customer_key units gross_sales")]


def product(snapshot: Snapshot, scope: Scope, period: Period, product_id: str) -> ProductReport:
    """One product in ``period``; Problem when the product is unknown."""
    raise NotImplementedError
