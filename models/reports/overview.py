"""Overview: how much the stores in scope sold, against the period before and the same days last year."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.marts.tables import UNKNOWN
from data_access.queries import campaigns, customers, places, products, sales
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models import metrics
from models.calc.days import by_month, by_place, totals
from models.calc.movers import MOVERS, movers
from models.reports._compare import Comparison, compare
from models.reports._shape import Columns, declared_tables, select_columns

KPIS = (
    "net_sales",
    "gross_sales",
    "returns",
    "orders",
    "buyers",
    "average_ticket",
    "units_per_transaction",
    "new_customers",
    "returning_customers",
    "identified_share",
    "return_rate",
)


# What the goods of one category have: a receipt, and so a buyer, has no one category.
OF_CATEGORY = ("net_sales", "gross_sales", "returns", "units", "average_price")


@dataclass(frozen=True, slots=True)
class OverviewReport:
    """Of all goods, or of one category, whose orders are then NaN everywhere.

    Money in the chain's currency, excluding tax. Comparisons are net sales and NaN where the data do not cover them;
    ``previous`` is the equally long period just before, ``last_year`` the same calendar days.
    """

    period: Period | None  # the asked period, cut to the days the data cover; None when they cover none of it
    currency: str
    # one row per key figure; unit as in models.metrics
    kpis: Annotated[pd.DataFrame, Columns("key value previous last_year unit")]
    # one row per calendar month touched; month 'YYYY-MM'; complete: every day of it lies in period
    by_month: Annotated[pd.DataFrame, Columns("month gross_sales returns net_sales orders complete")]
    # one row per day of the period, days without sales too
    by_day: Annotated[pd.DataFrame, Columns("day net_sales gross_sales orders previous last_year")]
    # one row per campaign that ran on a day of the period, the earliest first
    campaigns: Annotated[pd.DataFrame, Columns("campaign_id name starts_on ends_on")]
    # one row per store open in the period or with a figure, best first; share of net sales
    by_store: Annotated[
        pd.DataFrame,
        Columns("store_id store region_id region kind net_sales gross_sales returns orders previous last_year share"),
    ]
    # one row per region, best first; stores: how many rows of by_store it holds
    by_region: Annotated[
        pd.DataFrame, Columns("region_id region stores net_sales gross_sales returns orders previous last_year share")
    ]
    # one row per city of the stores of by_store, best first; city_id: the ids of its stores, joined by commas; empty
    # unless they lie in several cities of one region
    by_city: Annotated[
        pd.DataFrame, Columns("city_id city stores net_sales gross_sales returns orders previous last_year share")
    ]
    # one row per category of the range with a sale or a return, best first; NA: products of none
    by_category: Annotated[pd.DataFrame, Columns("category net_sales units previous last_year")]
    # ten best sellers (movement 'top', best first), then up to ten that lost most against the period before
    # ('falling', largest loss first); compared_with: net sales of the period before; change_ratio: change /
    # compared_with, NaN when that is not positive; contribution: change / change of all products
    products: Annotated[
        pd.DataFrame,
        Columns("product_id product category net_sales units compared_with change change_ratio contribution movement"),
    ]


def overview(snapshot: Snapshot, scope: Scope, period: Period, category: str | None = None) -> OverviewReport:
    """Sales of the stores in scope in ``period``, of one ``category`` where it is named."""
    comparison = compare(snapshot.info, period)
    currency = snapshot.info.currency
    if comparison is None:
        return OverviewReport(
            None, currency, **select_columns(OverviewReport, kpis=no_kpis(OF_CATEGORY if category else KPIS))
        )
    now, previous = comparison.period, comparison.previous
    engine = snapshot.engine
    unknown: dict[str, float] = {}
    if category is None:
        days = sales.days(scope, engine, comparison.day_ranges)
        sums = sales.stores(scope, engine, *comparison.periods)
        kpis = sales_kpis(snapshot, scope, comparison, days, KPIS)
    else:
        days = sales.category_days(scope, engine, comparison.day_ranges, category)
        sums = sales.category_stores(scope, engine, *comparison.periods, category)
        kpis = metrics.kpis(OF_CATEGORY, *comparison.sums(totals(days, comparison.covered)))
        unknown = {"orders": np.nan}
    stores = places.stores(scope, engine)
    by_store = _stores(stores, sums, comparison).assign(**unknown)
    by_category = sales.categories(scope, engine, *comparison.periods)
    frames = select_columns(
        OverviewReport,
        kpis=kpis,
        by_month=by_month(days, now).assign(**unknown),
        by_day=comparison.with_neighbours(days).assign(**unknown),
        campaigns=campaigns.ran(scope, engine, now),
        by_store=by_store,
        by_region=_regions(stores, sums, by_store, comparison).assign(**unknown),
        by_city=by_city(by_store).assign(**unknown),
        by_category=by_category[by_category["category"] == category] if category else by_category,
        products=movers(products.movers(scope, engine, now, previous, MOVERS, category)),
    )
    return OverviewReport(now, currency, **frames)


def no_kpis(keys: tuple[str, ...]) -> pd.DataFrame:
    """The key figures of days without data: none is known."""
    unknown = {part: np.nan for key in keys for part in metrics.METRICS[key].parts}
    return metrics.kpis(keys, unknown)


def sales_kpis(
    snapshot: Snapshot, scope: Scope, comparison: Comparison, days: pd.DataFrame, keys: tuple[str, ...]
) -> pd.DataFrame:
    """The key figures of the stores in scope: key, value, previous, last_year, unit.

    ``days``: the sums of their days, at least those of the periods compared.
    """
    periods = comparison.covered
    buyers = customers.buyers(scope, snapshot.engine, periods).drop(columns="period")
    return metrics.kpis(keys, *comparison.sums(totals(days, periods).join(buyers)))


def _stores(stores: pd.DataFrame, sums: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """The stores that were open in the period or have a figure, best first, with their share of net sales. A store
    that only receipts mention is there only with a figure.

    A store that opened after a period to compare with began has no comparison.
    """
    now = comparison.period
    figures = by_place(sums, pd.Series(stores["store_id"].array, stores["store_id"]), comparison.unknown)
    active = (np.nan_to_num(figures.to_numpy(dtype=np.float64)) != 0).any(axis=1)
    was_open = (stores["opened_on"].isna() | (stores["opened_on"] <= pd.Timestamp(now.last))) & (
        stores["closed_on"].isna() | (stores["closed_on"] >= pd.Timestamp(now.first))
    )
    every = beside(stores, figures)
    shown = every[active | (was_open & (stores["kind"] != UNKNOWN))].copy()
    for column, other in (("previous", comparison.previous), ("last_year", comparison.last_year)):
        if other is not None:
            shown[column] = shown[column].where(~(shown["opened_on"] > pd.Timestamp(other.first)))
    return best_first(shown, "store_id")


def _regions(stores: pd.DataFrame, sums: pd.DataFrame, by_store: pd.DataFrame, comparison: Comparison) -> pd.DataFrame:
    """The regions of the stores of ``by_store``, best first, with the sums of all their stores in scope."""
    figures = by_place(sums, stores.set_index("store_id")["region_id"], comparison.unknown)
    shown = by_store.groupby(["region_id", "region"]).size().rename("stores").reset_index()
    return best_first(shown.join(figures, on="region_id"), "region_id")


def by_city(by_store: pd.DataFrame) -> pd.DataFrame:
    """The cities of the stores of ``by_store`` where these lie in one region; none for one city alone."""
    known = by_store[by_store["city"].notna()]
    if by_store["region_id"].nunique() != 1 or known["city"].nunique() < 2:
        return pd.DataFrame(columns=list(declared_tables(OverviewReport)["by_city"]))
    sums = ("net_sales", "gross_sales", "returns", "orders", "previous", "last_year")
    groups = known.groupby("city")
    ids = groups["store_id"].agg(city_id=lambda ids: ",".join(ids), stores="size")
    return best_first(groups[list(sums)].sum(min_count=1).join(ids).reset_index(), "city")


def beside(places: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """The places, each named once, with their figures; these have the same places in the same order."""
    return places.assign(**{str(name): values.to_numpy() for name, values in figures.items()})


def best_first(places: pd.DataFrame, key: str) -> pd.DataFrame:
    """The places by net sales, equal ones by ``key``, with their share of it (NaN when it is not positive)."""
    ranked = places.sort_values(["net_sales", key], ascending=[False, True], ignore_index=True)
    total = ranked["net_sales"].sum()
    return ranked.assign(share=ranked["net_sales"] / total if total > 0 else np.nan)
