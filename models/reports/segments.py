"""Segments: who the customers are, by recency, frequency and spend."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import customers, places
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import lifecycle, named_segments
from models.calc.abc import abc_classes
from models.calc.quadrants import QUADRANTS, medians, quadrant_of
from models.calc.rfm import QUANTILES, TIE_RULES, TieRule, cut_points, rfm_scores
from models.reports._shape import Columns, declared_tables, select_columns

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
    buyer = members["orders"].to_numpy() > 0
    buyers = members.loc[buyer, ["id_rank", "recency_days", "orders", "visits", "gross_sales", "net_sales"]]
    number, net = members["id_rank"].to_numpy(), members["net_sales"].to_numpy()

    scores = {rule: rfm_scores(buyers, monetary, rule) for rule in TIE_RULES}
    shown = scores[tie_rule]
    prospect = named_segments.SEGMENTS.index(named_segments.PROSPECT)
    segment = np.where(members["orders_ever"].to_numpy() == 0, prospect, -1)  # -1: all orders lie before the window
    segment[buyer] = named_segments.segment_of(shown).codes
    visits_cut, spend_cut = medians(buyers["visits"].to_numpy(), buyers["net_sales"].to_numpy())
    quadrant = quadrant_of(members["visits"].to_numpy(), net, visits_cut, spend_cut).codes
    members = members.assign(
        **{letter: _only(buyer, shown[letter]) for letter in ("r", "f", "m")},
        segment=pd.Categorical.from_codes(segment, categories=pd.Index(named_segments.SEGMENTS)),
        abc=abc_classes(net, number, abc_a, abc_b),
        quadrant=pd.Categorical.from_codes(np.where(buyer, quadrant, -1), categories=pd.Index(QUADRANTS)),
    )
    frames = select_columns(
        SegmentsReport,
        rfm=pd.concat([_cells(rule, scores[rule], buyers) for rule in TIE_RULES], ignore_index=True),
        named=_sums(members, "segment"),
        named_rule=named_segments.rule(),
        abc=_abc(members),
        quadrants=_sums(members, "quadrant"),
        lifecycle=_sums(members, "stage").assign(preset=PRESET),
        lifecycle_rule=lifecycle.rule(PRESET),
        cuts=_cuts(buyers, monetary, visits_cut, spend_cut),
        members=_in_order(members, np.lexsort((number, -net))),
    )
    return SegmentsReport(as_of, window_first, monetary, tie_rule, snapshot.info.currency, **frames)


def _members(snapshot: Snapshot, scope: Scope, as_of: date, window_first: date | None) -> pd.DataFrame:
    """Everybody with an order in the stores in scope, and everybody registered there without one."""
    base = customers.customer_base(scope, snapshot.engine, as_of, window_first)
    store = base["store_id"].array
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"].reindex(store.categories)
    orders_ever = base["orders_ever"].to_numpy()
    bought = orders_ever > 0
    recency, tenure = (_days_before(as_of, base[day], bought) for day in ("last_day", "first_day"))
    return base.assign(
        store=names.array.take(store.codes, allow_fill=True),
        recency_days=_only(bought, recency[bought].astype(np.int64)),
        stage=lifecycle.stage_of(PRESET, orders_ever, tenure, recency),
    )


def _days_before(as_of: date, days: pd.Series, known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Whole days from each of the known days to ``as_of``; NaN for the others."""
    passed = (np.datetime64(as_of) - days.to_numpy().astype("datetime64[D]")).astype(np.float64)
    return np.where(known, passed, np.nan)


def _in_order(members: pd.DataFrame, order: NDArray[np.intp]) -> pd.DataFrame:
    """The declared columns of the members in the given order, each column moved once."""
    return pd.DataFrame({name: members[name].array.take(order) for name in declared_tables(SegmentsReport)["members"]})


def _only(chosen: NDArray[np.bool_], values: NDArray[np.int64] | pd.Series) -> pd.arrays.IntegerArray:
    """Whole numbers of the chosen members, NA for the others."""
    every = np.zeros(len(chosen), dtype=np.int64)
    every[chosen] = values
    return pd.arrays.IntegerArray(every, ~chosen)


def _cells(rule: TieRule, scores: pd.DataFrame, buyers: pd.DataFrame) -> pd.DataFrame:
    """One row per score triple that occurs: tie_rule, r, f, m, customers, gross_sales, net_sales."""
    cell = ((scores["r"] - 1) * 25 + (scores["f"] - 1) * 5 + scores["m"] - 1).to_numpy()
    customers_of = np.bincount(cell, minlength=125)
    used = np.flatnonzero(customers_of)
    return pd.DataFrame(
        {
            "tie_rule": rule,
            "r": used // 25 + 1,
            "f": used // 5 % 5 + 1,
            "m": used % 5 + 1,
            "customers": customers_of[used],
            "gross_sales": _money_by(cell, buyers["gross_sales"].to_numpy(), 125)[used],
            "net_sales": _money_by(cell, buyers["net_sales"].to_numpy(), 125)[used],
        }
    )


def _sums(members: pd.DataFrame, column: str) -> pd.DataFrame:
    """One row per category of ``column``, also without members: the category, customers, visits, net_sales."""
    groups = members[column].array
    counted = groups.codes >= 0
    codes, names = groups.codes[counted], list(groups.categories)
    visits, net = (members[figure].to_numpy()[counted] for figure in ("visits", "net_sales"))
    return pd.DataFrame(
        {
            column: pd.array(names, dtype="str"),
            "customers": np.bincount(codes, minlength=len(names)),
            "visits": np.bincount(codes, weights=visits, minlength=len(names)).astype(np.int64),
            "net_sales": _money_by(codes, net, len(names)),
        }
    )


def _abc(members: pd.DataFrame) -> pd.DataFrame:
    table = _sums(members, "abc").rename(columns={"abc": "class"})
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


def _money_by(codes: NDArray[np.integer], money: NDArray[np.float64], groups: int) -> NDArray[np.float64]:
    """The sum of ``money`` per code, exact: whole ten-thousandths add up without error below 2**53."""
    units = np.rint(money * MONEY_UNIT)
    return np.asarray(np.bincount(codes, weights=units, minlength=groups)) / MONEY_UNIT
