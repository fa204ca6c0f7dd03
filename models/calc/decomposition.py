"""Why a figure moved: its change taken apart into effects that add up to it exactly. Accounting, not cause.

A figure that is a product of factors (visitors x conversion x units x price) is taken apart by Shapley's rule: each
factor's effect is its mean over all orders in which the factors could have changed one after another, so that no
order is preferred and zeros are no trouble. Sales of a range are taken apart into price, volume and mix with the
products that came and went apart, at midpoint quantities (Marshall and Edgeworth): at those of the beginning or the
end the effect of prices can change its sign.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial, prod

import pandas as pd

CENT = 2  # decimals of money


def shapley(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """The effect of each factor on their product: from ``before`` to ``after``, of the same factors."""
    names = list(before)
    if names != list(after):
        raise ValueError(f"the factors differ: {names} before, {list(after)} after")
    many = len(names)

    def product(changed: Sequence[str]) -> float:
        return prod(after[name] if name in changed else before[name] for name in names)

    effects: dict[str, float] = {}
    for name in names:
        others = [other for other in names if other != name]
        effects[name] = sum(
            factorial(size) * factorial(many - size - 1) / factorial(many) * (product((*some, name)) - product(some))
            for size in range(many)
            for some in combinations(others, size)
        )
    return effects


def price_volume_mix(products: pd.DataFrame) -> dict[str, float]:
    """The change of sales by its effects: price, volume, mix, new_products and lost_products.

    Args:
        products: one row per product: units and sales of the period, units_before and sales_before. New is what had
            neither units nor sales before, lost what has none now; a product with sales but no units in one of the
            periods has no price, and its change counts as mix.
    """
    now, then = _there(products, "units", "sales"), _there(products, "units_before", "sales_before")
    new, lost, kept = products[now & ~then], products[then & ~now], products[now & then]
    priced = kept[(kept["units"] > 0) & (kept["units_before"] > 0)]
    price = (
        (priced["sales"] / priced["units"] - priced["sales_before"] / priced["units_before"])
        * (priced["units"] + priced["units_before"])
        / 2
    ).sum()
    units, before = priced["units"].sum(), priced["units_before"].sum()
    mean_price = (priced["sales"].sum() / units + priced["sales_before"].sum() / before) / 2 if len(priced) else 0.0
    volume = (units - before) * mean_price
    change = kept["sales"].sum() - kept["sales_before"].sum()
    return {
        "price": float(price),
        "volume": float(volume),
        "mix": float(change - price - volume),
        "new_products": float(new["sales"].sum()),
        "lost_products": float(-lost["sales_before"].sum()),
    }


def mix_and_rate(groups: pd.DataFrame) -> pd.DataFrame:
    """The change of a ratio of sums by what the ratios of the groups did and what their weights did.

    Args:
        groups: one row per group: top and bottom (the sums whose ratio it is) of the period, top_before and
            bottom_before.

    Returns:
        the rows with rate and rate_before (NaN without a bottom), weight and weight_before (shares of the bottom),
        rate_effect and mix_effect, whose sum over all groups is the change of the ratio. Weights and rates count at
        their mean of both periods; a group without a bottom in one of them has no rate to compare with: it is mix.
    """
    whole, before = groups["bottom"].sum(), groups["bottom_before"].sum()
    weight, weight_before = groups["bottom"] / whole, groups["bottom_before"] / before
    rate = groups["top"] / groups["bottom"].where(groups["bottom"] != 0)
    rate_before = groups["top_before"] / groups["bottom_before"].where(groups["bottom_before"] != 0)
    now, then = rate.fillna(rate_before).fillna(0.0), rate_before.fillna(rate).fillna(0.0)
    usual = (groups["top"].sum() / whole + groups["top_before"].sum() / before) / 2
    within = (weight + weight_before) / 2 * (now - then)
    return groups.assign(
        rate=rate,
        rate_before=rate_before,
        weight=weight,
        weight_before=weight_before,
        rate_effect=within,
        mix_effect=groups["top"] / whole - groups["top_before"] / before - usual * (weight - weight_before) - within,
    )


def _there(products: pd.DataFrame, units: str, sales: str) -> "pd.Series[bool]":
    return (products[units] != 0) | (products[sales] != 0)


def to_the_cent(effects: Mapping[str, float], change: float) -> dict[str, float]:
    """The effects rounded to cents so that they still add up to ``change``: the largest takes what rounding leaves."""
    rounded = {name: round(effect, CENT) for name, effect in effects.items()}
    if rounded:
        largest = max(rounded, key=lambda name: abs(rounded[name]))
        rest = round(change, CENT) - sum(effect for name, effect in rounded.items() if name != largest)
        rounded[largest] = round(rest, CENT)
    return rounded
