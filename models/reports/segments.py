"""Segments: who the customers are, by recency, frequency and spend."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import customers, places
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import lifecycle, named_segments
from models.calc.abc import CLASSES, abc_classes
from models.calc.quadrants import QUADRANTS, medians, quadrant_of
from models.calc.rfm import QUANTILES, TIE_RULES, TieRule, cut_points, rfm_scores
from models.reports._shape import Columns, select_columns

Monetary = Literal["net_sales", "gross_sales"]
MONETARY: tuple[Monetary, ...] = ("net_sales", "gross_sales")


@dataclass(frozen=True, slots=True)
class SegmentsReport:
    """Identified customers of the stores in scope up to the end of ``as_of``; orders elsewhere do not count.

    Money in the chain's currency, excluding tax; net_sales can be negative for a customer who returned
    what was bought before the window. Keys of segments, classes, quadrants and stages are those of
    models.calc (texts in the catalogues).
    """

    as_of: date
    window_first: date | None  # first day of the window; None: all history
    monetary: Monetary  # net_sales | gross_sales: what M scores
    tie_rule: TieRule  # equal_size | keep_ties: the rule behind named and members
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


PRESET = "four_stage"


def segments(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    window_months: int | None = None,
    monetary: Monetary = "net_sales",
    tie_rule: TieRule = "keep_ties",
    abc_a: float = 0.80,
    abc_b: float = 0.95,
) -> SegmentsReport:
    """The customer base of the stores in scope at the end of ``as_of``.

    keep_ties is the default because customers with the same history then carry the same name; equal_size parts
    them by their ids to make groups of one size.
    """
    if monetary not in MONETARY:
        raise Problem(f"monetary is one of {', '.join(MONETARY)}, not {monetary!r}")
    if tie_rule not in TIE_RULES:
        raise Problem(f"tie_rule is one of {', '.join(TIE_RULES)}, not {tie_rule!r}")
    if window_months is not None and window_months < 1:
        raise Problem(f"window_months is a whole number from 1, not {window_months}")
    if not 0 < abc_a <= abc_b <= 1:
        raise Problem(f"the ABC thresholds must satisfy 0 < abc_a <= abc_b <= 1, not {abc_a} and {abc_b}")
    window_first = None
    if window_months is not None:
        window_first = (pd.Timestamp(as_of) - pd.DateOffset(months=window_months) + pd.Timedelta(days=1)).date()
    members = _members(snapshot, scope, as_of, window_first)
    buyer = (members["orders"] > 0).to_numpy()
    buyers = members[buyer]

    scores = {rule: rfm_scores(buyers, monetary, rule) for rule in TIE_RULES}
    for letter in ("r", "f", "m"):
        members[letter] = _where(buyer, scores[tie_rule][letter])
    members["segment"] = _segment(members, buyer, scores[tie_rule])
    net = members["net_sales"].to_numpy()
    members["abc"] = abc_classes(net, members["customer_no"].to_numpy(), abc_a, abc_b)
    visits_cut, spend_cut = medians(buyers["visits"].to_numpy(), buyers["net_sales"].to_numpy())
    quadrant = quadrant_of(members["visits"].to_numpy(), net, visits_cut, spend_cut)
    members["quadrant"] = pd.Series(quadrant, index=members.index).where(buyer)
    members["recency_days"] = members["recency_days"].astype("Int64")

    frames = select_columns(
        SegmentsReport,
        rfm=pd.concat([_cells(rule, scores[rule], buyers) for rule in TIE_RULES], ignore_index=True),
        named=_sums(members, "segment", named_segments.SEGMENTS),
        named_rule=named_segments.rule(),
        abc=_abc(members),
        quadrants=_sums(members, "quadrant", QUADRANTS, visits="visits"),
        lifecycle=_sums(members, "stage", lifecycle.STAGES[PRESET]).assign(preset=PRESET),
        lifecycle_rule=lifecycle.rule(PRESET),
        cuts=_cuts(buyers, monetary, visits_cut, spend_cut),
        members=members.sort_values(["net_sales", "customer_no"], ascending=[False, True], ignore_index=True),
    )
    return SegmentsReport(as_of, window_first, monetary, tie_rule, snapshot.info.currency, **frames)


def _members(snapshot: Snapshot, scope: Scope, as_of: date, window_first: date | None) -> pd.DataFrame:
    """Everybody with an order in the stores in scope, and everybody registered there without one."""
    totals = customers.customer_totals(scope, snapshot.engine, as_of, window_first)
    registered = customers.registered(scope, snapshot.engine, as_of)
    prospects = registered[~np.isin(registered["customer_no"].to_numpy(), totals["customer_no"].to_numpy())]
    members = pd.concat([totals.astype({"store_id": "str"}), prospects], ignore_index=True)
    figures = ["orders_ever", "orders", "visits", "gross_sales", "net_sales"]
    members[figures] = members[figures].fillna(0).astype(totals[figures].dtypes)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    members["store"] = members["store_id"].map(names)
    today = pd.Timestamp(as_of)
    members["recency_days"] = (today - members["last_day"]).dt.days
    members["stage"] = lifecycle.stage_of(
        PRESET,
        members["orders_ever"].to_numpy(),
        (today - members["first_day"]).dt.days.to_numpy(),
        members["recency_days"].to_numpy(),
    )
    return members


def _where(buyer: np.ndarray, scores: pd.Series) -> pd.Series:
    """The buyers' scores among all members, NA for the others."""
    values = np.zeros(len(buyer), dtype=np.int64)
    values[buyer] = scores.to_numpy()
    return pd.Series(pd.arrays.IntegerArray(values, ~buyer))


def _segment(members: pd.DataFrame, buyer: np.ndarray, scores: pd.DataFrame) -> "pd.Categorical[str]":
    """The named segment; NA for somebody whose orders all lie before the window."""
    prospect = named_segments.SEGMENTS.index(named_segments.PROSPECT)
    codes = np.where(members["orders_ever"].to_numpy() == 0, prospect, -1)
    codes[buyer] = named_segments.segment_of(scores).codes
    return pd.Categorical.from_codes(codes, categories=pd.Index(named_segments.SEGMENTS))


def _cells(rule: TieRule, scores: pd.DataFrame, buyers: pd.DataFrame) -> pd.DataFrame:
    cells = scores.assign(customers=1, gross_sales=_cents(buyers["gross_sales"]), net_sales=_cents(buyers["net_sales"]))
    sums = cells.groupby(["r", "f", "m"], as_index=False)[["customers", "gross_sales", "net_sales"]].sum()
    return _money(sums, "gross_sales", "net_sales").assign(tie_rule=rule)


def _sums(members: pd.DataFrame, column: str, names: tuple[str, ...], **more: str) -> pd.DataFrame:
    """One row per name, also without members: customers, net_sales, and the sums named in ``more``."""
    sums = (
        members.assign(customers=1, net_sales=_cents(members["net_sales"]))
        .groupby(column, observed=False)[["customers", "net_sales", *more]]
        .sum()
        .reindex(list(names))
        .reset_index()
        .astype({column: "str"})
    )
    return _money(sums, "net_sales")


def _abc(members: pd.DataFrame) -> pd.DataFrame:
    table = _sums(members, "abc", CLASSES).rename(columns={"abc": "class"})
    positive = table["net_sales"].clip(lower=0)
    return table.assign(
        customer_share=table["customers"] / max(table["customers"].sum(), 1),
        net_sales_share=positive / positive.sum() if positive.sum() > 0 else np.nan,
    )


def _cuts(buyers: pd.DataFrame, monetary: str, visits_cut: float, spend_cut: float) -> pd.DataFrame:
    scored = [
        pd.DataFrame({"measure": measure, "quantile": QUANTILES, "value": cut_points(buyers[measure].to_numpy(float))})
        for measure in ("recency_days", "orders", monetary)
    ]
    halves = pd.DataFrame({"measure": ["visits", "net_sales"], "quantile": 0.5, "value": [visits_cut, spend_cut]})
    return pd.concat([*scored, halves], ignore_index=True)


def _cents(money: pd.Series) -> pd.Series:
    """Money as whole ten-thousandths, the precision of the facts, so that sums over customers stay exact."""
    return (money * 10_000).round().astype("int64")


def _money(frame: pd.DataFrame, *columns: str) -> pd.DataFrame:
    return frame.assign(**{column: frame[column] / 10_000 for column in columns})
