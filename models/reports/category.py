"""Category: what one category of the range sold, where, and its products: the level between a place and a product."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import places, products, sales
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc.days import totals
from models.reports._compare import compare
from models.reports._shape import Columns, select_columns
from models.reports.overview import OF_CATEGORY, no_kpis
from models.reports.product import selling_stores


@dataclass(frozen=True, slots=True)
class CategoryReport:
    """Money in the chain's currency, excluding tax; only sales of the stores in scope."""

    period: Period | None  # the asked period, cut to the days the data cover; None when they cover none of it
    currency: str
    # ``OF_CATEGORY``
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per day of the period
    by_day: Annotated[pd.DataFrame, Columns("day net_sales gross_sales units previous last_year")]
    # one row per store that sold of it in the period or the period before, best first
    by_store: Annotated[pd.DataFrame, Columns("store_id store region_id region net_sales units previous share")]
    # one row per product with a sale or a return in one of the two, best first; compared_with: net sales of the period
    # before; change_ratio: change / compared_with, NaN when that is not positive; share of the category's net sales
    products: Annotated[
        pd.DataFrame, Columns("product_id product category net_sales units compared_with change change_ratio share")
    ]


def category(snapshot: Snapshot, scope: Scope, period: Period, category_: str) -> CategoryReport:
    """One category of the range in ``period``; Problem when no product is of it."""
    engine = snapshot.engine
    if category_ not in set(products.categories(scope, engine)["category"]):
        raise Problem(f"there is no category {category_!r}: open one from the overview or a store")
    comparison = compare(snapshot.info, period)
    if comparison is None:
        return CategoryReport(None, snapshot.info.currency, **select_columns(CategoryReport, kpis=no_kpis(OF_CATEGORY)))
    now, previous = comparison.period, comparison.previous
    days = sales.category_days(scope, engine, comparison.day_ranges, category_)
    stores = sales.category_stores(scope, engine, now, previous, None, category_)
    frames = select_columns(
        CategoryReport,
        kpis=metrics.kpis(OF_CATEGORY, *comparison.sums(totals(days, comparison.covered))),
        by_day=comparison.with_neighbours(days),
        by_store=selling_stores(places.stores(scope, engine), stores, comparison),
        products=_products(products.of_category(scope, engine, now, previous, category_)),
    )
    return CategoryReport(now, snapshot.info.currency, **frames)


def _products(found: pd.DataFrame) -> pd.DataFrame:
    rows = found.sort_values(["net_sales", "product_id"], ascending=[False, True], ignore_index=True)
    before, total = rows["compared_with"], rows["net_sales"].sum()
    change = rows["net_sales"] - before
    return rows.assign(
        change=change,
        change_ratio=change / before.where(before > 0),
        share=rows["net_sales"] / total if total > 0 else np.nan,
    )
