"""Lifecycle stages by rule. A preset is data: pages show it, and the same data decide."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage and the bounds that lead to it, all of which must hold; None: no bound."""

    stage: str
    min_orders: int | None = None
    max_orders: int | None = None
    first_order_within_days: int | None = None
    last_order_within_days: int | None = None


# Of the stages whose bounds hold, the first is taken: four orders within the first 90 days make a loyal
# customer, not a new one, and a loyal customer without an order for 180 days is a returning one again.
PRESETS: dict[str, tuple[Stage, ...]] = {
    "four_stage": (
        Stage("potential", max_orders=0),
        Stage("loyal", min_orders=4, last_order_within_days=180),
        Stage("new", min_orders=1, first_order_within_days=90),
        Stage("returning", min_orders=1),
    ),
}

# As charts list them.
STAGES = {"four_stage": ("potential", "new", "returning", "loyal")}


def stage_of(
    preset: str,
    orders: NDArray[np.int64],
    days_since_first: NDArray[np.float64],
    days_since_last: NDArray[np.float64],
) -> "pd.Categorical[str]":
    """The stage of each customer under ``preset``.

    Args:
        orders: orders ever, 0 for a person registered without one.
        days_since_first, days_since_last: whole days since the first and last order; NaN without one.
    """
    stages = PRESETS[preset]
    names = STAGES[preset]
    holds = [_holds(stage, orders, days_since_first, days_since_last) for stage in stages]
    codes = np.select(holds, [names.index(stage.stage) for stage in stages], default=-1)
    return pd.Categorical.from_codes(codes, categories=pd.Index(names))


def _holds(
    stage: Stage, orders: NDArray[np.int64], first: NDArray[np.float64], last: NDArray[np.float64]
) -> NDArray[np.bool_]:
    holds = np.ones(len(orders), dtype=bool)
    if stage.min_orders is not None:
        holds &= orders >= stage.min_orders
    if stage.max_orders is not None:
        holds &= orders <= stage.max_orders
    if stage.first_order_within_days is not None:
        holds &= first <= stage.first_order_within_days
    if stage.last_order_within_days is not None:
        holds &= last <= stage.last_order_within_days
    return holds


def rule(preset: str) -> pd.DataFrame:
    """One row per stage in the order they are tried: preset, position, stage and its bounds (NA: none)."""
    rows = [{"preset": preset, "position": i, **asdict(s)} for i, s in enumerate(PRESETS[preset], start=1)]
    bounds = ["min_orders", "max_orders", "first_order_within_days", "last_order_within_days"]
    return pd.DataFrame(rows).astype(dict.fromkeys(bounds, "Int64"))
