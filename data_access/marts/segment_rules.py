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
from datetime import date
from hashlib import sha256
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


# --- stages of life -------------------------------------------------------------------------------
#
# Judged against each customer's own rhythm. The expected gap is the median of the days between the customer's visits,
# drawn towards how long a product of the range lasts (the median of usage_days) as if such a gap had been seen
# PRIOR_GAPS times more: (gaps x own median + PRIOR_GAPS x usual) / (gaps + PRIOR_GAPS). How late somebody is counts in
# expected gaps since the last visit. A trend is how much a straight line through the gaps, or through the amounts of
# the visits, rises over the time as a customer, as a share of their mean; it takes three of them.

PRIOR_GAPS = 2
ASSUMED_GAP = 60  # days: how long a product lasts, where the range does not say it of any
TREND_POINTS = 3
LAPSING, LOST = 1.5, 3.0  # expected gaps since the last visit
TREND = 0.2  # a rise or fall by this share of the mean counts as one


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of life as a customer and the bounds that lead to it, all of which must hold; None: no bound."""

    stage: str
    min_visits: int | None = None
    max_visits: int | None = None
    began_within: float | None = None  # expected gaps since the first visit
    late_up_to: float | None = None  # expected gaps since the last visit
    late_over: float | None = None
    gaps_fall_by: float | None = None
    amounts_rise_by: float | None = None


Preset = Literal["four_stage", "five_phase", "with_maintenance"]
PRESET: Preset = "four_stage"
_SILENT = (Stage("churned", late_over=LOST), Stage("decline", late_over=LAPSING))
_GROWING = (Stage("growth", max_visits=3), Stage("growth", gaps_fall_by=TREND))
# Of the stages whose bounds hold, the first is taken; the last of each preset is for everybody else.
LIFECYCLES: dict[Preset, tuple[Stage, ...]] = {
    "four_stage": (
        Stage("potential", max_visits=0),
        Stage("loyal", min_visits=4, late_up_to=LAPSING),
        Stage("new", began_within=2.0),
        Stage("returning"),
    ),
    "five_phase": (Stage("introduction", max_visits=0), *_SILENT, *_GROWING, Stage("maturity")),
    "with_maintenance": (
        Stage("introduction", max_visits=0),
        *_SILENT,
        *_GROWING,
        Stage("maturity", amounts_rise_by=TREND),
        Stage("maintenance"),
    ),
}
PRESETS: tuple[Preset, ...] = ("four_stage", "five_phase", "with_maintenance")
# As charts list them.
STAGES: dict[Preset, tuple[str, ...]] = {
    "four_stage": ("potential", "new", "returning", "loyal"),
    "five_phase": ("introduction", "growth", "maturity", "decline", "churned"),
    "with_maintenance": ("introduction", "growth", "maturity", "maintenance", "decline", "churned"),
}

# The day on which a rule above last changed, and what the rules were then: a test asks for both when one changes.
RULES_CHANGED_ON = date(2026, 11, 22)
RULES_FINGERPRINT = "867a3bb3dba9"


def fingerprint() -> str:
    """Of all rules above: another one when any of them changes."""
    rules = (GRID, ABC_A, ABC_B, LIFECYCLES, PRIOR_GAPS, ASSUMED_GAP, TREND_POINTS)
    return sha256(repr(rules).encode()).hexdigest()[:12]
