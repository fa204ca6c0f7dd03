"""The rules that part a customer base, as data: marts and queries are generated from them, and pages show them.

Recency, frequency and spend score 1 (worst) to 5 (best) by quintiles of the base itself, under one of two rules.
'keep_ties' gives equal values equal scores, so groups may differ in size: F and M are 1 + the number of quintiles
(linear interpolation) strictly below the value, R is 5 - the number strictly below the days since the last order.
'equal_size' gives groups that differ by one customer at most: by value, then the id of the CRM, position i of n scores
floor(5 i / n) + 1; R by the day of the last order. FM = floor((F + M) / 2 + .5), and R with FM names the segment.

Classes: in descending order of net sales (and id), whoever comes before the share .80 of the total is reached is A, so
the one who reaches it still is; then B up to .95, then C. U: no net sales. Quadrants: frequent above the median of
visits, high above the median of net sales; on the median is below.
"""

from dataclasses import dataclass
from typing import Literal

TieRule = Literal["equal_size", "keep_ties"]
TIE_RULES: tuple[TieRule, ...] = ("equal_size", "keep_ties")
Monetary = Literal["net_sales", "gross_sales"]
MONETARY: tuple[Monetary, ...] = ("net_sales", "gross_sales")

ABC_A, ABC_B = 0.80, 0.95
CLASSES = ("A", "B", "C", "U")
QUADRANTS = ("frequent_high", "frequent_low", "rare_high", "rare_low")

PROSPECT = "prospect"  # registered, without an order

# GRID[r][fm - 1]. No product publishes its table; this one is ours.
GRID = {
    5: ("new", "promising", "active", "champions", "champions"),
    4: ("promising", "active", "active", "loyal", "loyal"),
    3: ("needs_attention", "needs_attention", "needs_attention", "loyal", "loyal"),
    2: ("almost_lost", "almost_lost", "almost_lost", "at_risk", "at_risk"),
    1: ("dormant", "dormant", "at_risk", "previously_loyal", "previously_loyal"),
}

# From the best to the lost, as charts and tables list them.
SEGMENTS = (
    "champions", "loyal", "active", "new", "promising", "needs_attention", "at_risk", "previously_loyal",
    "almost_lost", "dormant", PROSPECT,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of life as a customer and the bounds that lead to it, all of which must hold; None: no bound."""

    stage: str
    min_orders: int | None = None
    max_orders: int | None = None
    first_order_within_days: int | None = None
    last_order_within_days: int | None = None


PRESET = "four_stage"
# Of the stages whose bounds hold, the first is taken: four orders within the first 90 days make a loyal customer, not
# a new one, and a loyal customer without an order for 180 days is a returning one again.
LIFECYCLE = (
    Stage("potential", max_orders=0),
    Stage("loyal", min_orders=4, last_order_within_days=180),
    Stage("new", min_orders=1, first_order_within_days=90),
    Stage("returning", min_orders=1),
)
STAGES = ("potential", "new", "returning", "loyal")  # as charts list them
