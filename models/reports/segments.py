"""Segments: who the customers are, by recency, frequency and spend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated

import pandas as pd

from data_access.scope import Scope
from models.reports._shape import Columns

if TYPE_CHECKING:
    from data_access.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class SegmentsReport:
    """Identified customers of the stores in scope up to the end of ``as_of``; orders elsewhere do not count.

    Money in the chain's currency, excluding tax; net_sales can be negative for a customer who returned
    what was bought before the window. Keys of segments, classes, quadrants and stages are those of
    models.calc (texts in the catalogues).
    """

    as_of: date
    window_first: date | None  # first day of the window; None: all history
    monetary: str  # net_sales | gross_sales: what M scores
    tie_rule: str  # equal_size | keep_ties: the rule behind named and members
    currency: str
    # one row per tie rule and score triple that occurs
    rfm: Annotated[pd.DataFrame, Columns("tie_rule r f m customers gross_sales net_sales")]
    # one row per named segment, all eleven, in the order of the grid; prospect: registered, no order yet
    named: Annotated[pd.DataFrame, Columns("segment customers net_sales")]
    # one row per score pair: the rule of the named segments, as shown to the reader
    named_rule: Annotated[pd.DataFrame, Columns("r fm segment")]
    # classes A, B, C and U (no net sales); shares are fractions
    abc: Annotated[pd.DataFrame, Columns("class customers net_sales customer_share net_sales_share")]
    # frequent_high, frequent_low, rare_high, rare_low
    quadrants: Annotated[pd.DataFrame, Columns("quadrant customers net_sales visits")]
    # preset 'four_stage': potential, new, returning, loyal
    lifecycle: Annotated[pd.DataFrame, Columns("preset stage customers")]
    # the rule of each stage; the first stage (by position) whose bounds all hold is taken; NA: no bound
    lifecycle_rule: Annotated[
        pd.DataFrame,
        Columns("preset position stage min_orders max_orders first_order_within_days last_order_within_days"),
    ]
    # cut points: measure recency_days | orders | <monetary> with quantile .2 .4 .6 .8 (rule keep_ties), and
    # visits | net_sales with quantile .5 (the quadrants)
    cuts: Annotated[pd.DataFrame, Columns("measure quantile value")]
    # one row per customer, highest net sales first; store: where the last order was (home store for a
    # prospect); visits: distinct days with an order; last_day: of the last order; prospects have NA scores
    members: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store segment r f m recency_days orders visits net_sales gross_sales "
            "last_day abc quadrant stage"
        ),
    ]


def segments(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    window_months: int | None = None,
    monetary: str = "net_sales",
    tie_rule: str = "keep_ties",
    abc_a: float = 0.80,
    abc_b: float = 0.95,
) -> SegmentsReport:
    """The customer base of the stores in scope at the end of ``as_of``."""
    raise NotImplementedError
