"""Why: what moved net sales between two periods, by factor, by price, volume and mix, by store and by product.

All effects are accounting: they add up to the change to the cent, and say what moved, not what moved it.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import pandas as pd

from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import places, sales
from data_access.queries import why as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.days import totals
from models.calc.decomposition import CENT, mix_and_rate, price_volume_mix, shapley, to_the_cent
from models.reports._compare import Sums, compare
from models.reports._shape import Columns, select_columns

Against = Literal["last_year", "previous"]
AGAINST: tuple[Against, ...] = ("last_year", "previous")
# Of the orders, so many must lie on days with a door count for visitors to explain anything: what is sold online, or
# while the counter is down, has no visitors.
MOSTLY_COUNTED = 0.8


Ratio = Literal["ticket", "units_per_transaction", "price", "conversion", "return_rate"]
# Figures that are a ratio of sums, by what these are called.
RATIOS: dict[Ratio, tuple[str, str]] = {
    "ticket": ("gross_sales", "orders"),
    "units_per_transaction": ("units", "orders"),
    "price": ("gross_sales", "units"),
    "conversion": ("counted_day_orders", "traffic"),
    "return_rate": ("returns_of_sales", "gross_sales"),
}
By = Literal["store", "category", "customers", "channel", "staff"]
_RECEIPTS: tuple[Ratio, ...] = ("ticket", "units_per_transaction", "price", "return_rate")
# By what they are taken apart: a receipt has no one category, a visitor who buys nothing only a store.
BY: dict[By, tuple[Ratio, ...]] = {
    "store": (*_RECEIPTS, "conversion"),
    "category": ("price", "return_rate"),
    "customers": _RECEIPTS,
    "channel": _RECEIPTS,
    "staff": _RECEIPTS,
}
_KEYS: dict[By, queries.By] = {"store": "store_id", "customers": "customers", "channel": "channel", "staff": "staff_id"}


@dataclass(frozen=True, slots=True)
class WhyMixReport:
    """A ratio taken apart into what it did within each group and what their weights did; they add up to its change.
    Empty tables: the data do not cover the other period in full, or there is nothing to divide by."""

    period: Period | None
    other: Period | None
    currency: str
    # one row: the ratio now and then, its change, the sums of the effects over all groups
    total: Annotated[pd.DataFrame, Columns("rate rate_before change rate_effect mix_effect")]
    # one row per group, the largest effect first; key: store_id, category, new or returning, channel or staff_id ('':
    # unknown); weight: share of what the ratio is divided by
    groups: Annotated[pd.DataFrame, Columns("key rate rate_before weight weight_before rate_effect mix_effect")]


@dataclass(frozen=True, slots=True)
class WhyReport:
    """Of all goods, or of one category, which has no factors of receipts: effects and customer_effects are empty then.

    Money in the chain's currency, excluding tax. Empty tables: the data do not cover the other period in full.
    """

    period: Period | None
    other: Period | None  # what it is compared with; None when the data do not cover it
    currency: str
    # one row: net_sales, compared_with, change, change_ratio (NaN when compared_with is not positive)
    summary: Annotated[pd.DataFrame, Columns("net_sales compared_with change change_ratio")]
    # one row per factor; the effects add up to the change of net sales. before and after: the factor itself
    effects: Annotated[pd.DataFrame, Columns("factor before after effect")]
    # one row each for price, volume, mix, new_products, lost_products; they add up to the change of gross sales
    product_effects: Annotated[pd.DataFrame, Columns("factor effect")]
    # one row per factor of the gross sales of identified customers; they add up to its change
    customer_effects: Annotated[pd.DataFrame, Columns("factor before after effect")]
    # one row per store, category and product with a figure in one of the periods, the largest change first
    stores: Annotated[pd.DataFrame, Columns("store_id store region net_sales compared_with change contribution")]
    categories: Annotated[pd.DataFrame, Columns("category net_sales compared_with change contribution")]
    products: Annotated[
        pd.DataFrame, Columns("product_id product category net_sales units compared_with change contribution")
    ]


def why(
    snapshot: Snapshot, scope: Scope, period: Period, against: Against = "last_year", category: str | None = None
) -> WhyReport:
    """What moved the net sales of the stores in scope, of one ``category`` where it is named, from the other period to
    ``period``."""
    comparison = compare(snapshot.info, period)
    now = comparison.period if comparison else None
    other = getattr(comparison, against) if comparison else None
    if now is None or other is None:
        return WhyReport(now, None, snapshot.info.currency, **select_columns(WhyReport))
    engine = snapshot.engine
    products = queries.products(scope, engine, now, other)
    if category is None:
        days = sales.days(scope, engine, [now, other])
        stores = sales.stores(scope, engine, now, other, None)
    else:
        days = sales.category_days(scope, engine, [now, other], category)
        stores = sales.category_stores(scope, engine, now, other, None, category)
        products = products[products["category"] == category]
    after, before = (
        {str(key): float(value) for key, value in row.items()} for row in totals(days, [now, other]).to_dict("records")
    )
    of_receipts: dict[str, pd.DataFrame] = {}
    if category is None:
        of_receipts = {
            "effects": _effects(after, before),
            "customer_effects": customer_effects(*queries.identified(scope, engine, (other, now))),
        }
    named = places.stores(scope, engine)[["store_id", "store", "region"]].merge(stores, "inner", "store_id")
    frames = select_columns(
        WhyReport,
        summary=_summary(after, before),
        **of_receipts,
        product_effects=_product_effects(products),
        stores=_changes(
            named.assign(net_sales=named["net_sales"] / MONEY_UNIT, compared_with=named["previous"] / MONEY_UNIT)
        ),
        categories=_changes(_by_category(products)),
        products=_changes(products.rename(columns={"net_sales_before": "compared_with"})),
    )
    return WhyReport(now, other, snapshot.info.currency, **frames)


def why_mix(
    snapshot: Snapshot,
    scope: Scope,
    period: Period,
    against: Against = "last_year",
    ratio: Ratio = "ticket",
    by: By = "store",
) -> WhyMixReport:
    """What the groups of ``by`` and their weights did to a ratio from the other period to ``period``."""
    if ratio not in BY[by]:
        raise Problem(f"{ratio} cannot be taken apart by {by}: choose one of {', '.join(BY[by])}")
    comparison = compare(snapshot.info, period)
    now = comparison.period if comparison else None
    other = getattr(comparison, against) if comparison else None
    nothing = WhyMixReport(now, None, snapshot.info.currency, **select_columns(WhyMixReport))
    if now is None or other is None:
        return nothing
    found = _ratio_sums(snapshot, scope, now, other, ratio, by)
    top, bottom = RATIOS[ratio]
    if found.empty or found[bottom].sum() <= 0 or found[f"{bottom}_before"].sum() <= 0:
        return nothing
    sums = {"top": top, "bottom": bottom, "top_before": f"{top}_before", "bottom_before": f"{bottom}_before"}
    groups = mix_and_rate(found[["key"]].assign(**{name: found[column] for name, column in sums.items()}))
    whole = groups[["top", "bottom", "top_before", "bottom_before", "rate_effect", "mix_effect"]].sum()
    rate, before = whole["top"] / whole["bottom"], whole["top_before"] / whole["bottom_before"]
    total = pd.DataFrame(
        [(rate, before, rate - before, whole["rate_effect"], whole["mix_effect"])],
        columns=["rate", "rate_before", "change", "rate_effect", "mix_effect"],
    )
    strength = (groups["rate_effect"].abs() + groups["mix_effect"].abs()).sort_values(ascending=False, kind="stable")
    rows = groups.loc[strength.index].reset_index(drop=True)
    return WhyMixReport(now, other, snapshot.info.currency, **select_columns(WhyMixReport, total=total, groups=rows))


def _ratio_sums(snapshot: Snapshot, scope: Scope, now: Period, other: Period, ratio: Ratio, by: By) -> pd.DataFrame:
    """The sums that a ratio is of, by key, now and then."""
    asked = (scope, snapshot.engine, now, other)
    if ratio == "conversion":
        return queries.doors(*asked)
    found = queries.categories(*asked) if by == "category" else queries.receipts(*asked, _KEYS[by])
    if ratio != "return_rate":
        return found
    back = queries.returned(*asked, "category" if by == "category" else _KEYS[by])
    return found.merge(back, "outer", "key").fillna(0)


def _summary(after: Sums, before: Sums) -> pd.DataFrame:
    now, then = after["net_sales"], before["net_sales"]
    change = round(now - then, CENT)
    ratio = change / then if then > 0 else float("nan")
    return pd.DataFrame([(now, then, change, ratio)], columns=["net_sales", "compared_with", "change", "change_ratio"])


def _effects(after: Sums, before: Sums) -> pd.DataFrame:
    """Factors of gross sales, and what came back."""
    counted = all(s["traffic"] > 0 and s["counted_day_orders"] >= MOSTLY_COUNTED * s["orders"] for s in (after, before))
    factors = [_factors(sums, by_door=counted) for sums in (before, after)]
    effects = shapley(*factors) | {"returns": before["returns"] - after["returns"]}
    before_after = [f | {"returns": s["returns"]} for f, s in zip(factors, (before, after), strict=True)]
    exact = to_the_cent(effects, after["net_sales"] - before["net_sales"])
    return _table(exact, *before_after)


def _factors(sums: Sums, *, by_door: bool) -> dict[str, float]:
    orders, units = sums["orders"], sums["units"]
    per_order = units / orders if orders else 0.0
    price = sums["gross_sales"] / units if units else 0.0
    if not by_door:
        return {"orders": orders, "units_per_transaction": per_order, "price": price}
    conversion = sums["counted_day_orders"] / sums["traffic"]
    # Days without a count are taken to have had visitors as the others have: as many as their orders need.
    return {
        "traffic": orders / conversion if orders else sums["traffic"],
        "conversion": conversion,
        "units_per_transaction": per_order,
        "price": price,
    }


def customer_effects(before: Sums, after: Sums) -> pd.DataFrame:
    """Factors of the gross sales of identified customers, from their sums (as ``queries.identified`` gives them)."""
    factors = [
        {
            "buyers": sums["buyers"],
            "orders_per_customer": sums["orders"] / sums["buyers"] if sums["buyers"] else 0.0,
            "units_per_transaction": sums["units"] / sums["orders"] if sums["orders"] else 0.0,
            "price": sums["gross_sales"] / sums["units"] if sums["units"] else 0.0,
        }
        for sums in (before, after)
    ]
    return _table(to_the_cent(shapley(*factors), after["gross_sales"] - before["gross_sales"]), *factors)


def _product_effects(products: pd.DataFrame) -> pd.DataFrame:
    names = {"gross_sales": "sales", "gross_sales_before": "sales_before"}
    change = products["gross_sales"].sum() - products["gross_sales_before"].sum()
    effects = to_the_cent(price_volume_mix(products.rename(columns=names)), change)
    return pd.DataFrame({"factor": list(effects), "effect": list(effects.values())})


def _table(effects: dict[str, float], before: dict[str, float], after: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame(
        [(name, before[name], after[name], effect) for name, effect in effects.items()],
        columns=["factor", "before", "after", "effect"],
    )


def _by_category(products: pd.DataFrame) -> pd.DataFrame:
    sums = products.groupby("category", dropna=False)[["net_sales", "net_sales_before"]].sum().reset_index()
    return sums.rename(columns={"net_sales_before": "compared_with"})


def _changes(rows: pd.DataFrame) -> pd.DataFrame:
    change = (rows["net_sales"] - rows["compared_with"]).round(CENT)
    total = change.sum()
    found = rows.assign(change=change, contribution=change / total if total else float("nan"))
    largest = change.abs().sort_values(ascending=False, kind="stable").index
    return found.loc[largest].reset_index(drop=True)
