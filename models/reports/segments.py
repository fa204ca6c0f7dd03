"""Segments: who the customers are, by recency, frequency and spend."""

import math
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.marts.segment_rules import (
    ABC_A,
    ABC_B,
    CLASSES,
    GRID,
    LIFECYCLES,
    MONETARY,
    PRESETS,
    QUADRANTS,
    SEGMENTS,
    STAGES,
    TIE_RULES,
    Monetary,
    Preset,
    TieRule,
)
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import places
from data_access.queries import segments as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.segments import Choice, Question
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, declared_tables, select_columns

QUANTILES = (0.2, 0.4, 0.6, 0.8)
MEMBERS = 50  # of the list, unless told: as many as a page shows
MOST_MEMBERS = 100_000  # of one answer
MOST_MOVED = 20_000  # likewise, of customers who are looked up one by one
_EPOCH = date(1970, 1, 1)
_NO_LIMITS = dict.fromkeys(queries.CUTS, math.nan)


class Rule(NamedTuple):
    """What decides the scores and classes: arguments of ``segments`` by their names."""

    window_months: int | None = None
    monetary: Monetary = "net_sales"
    tie_rule: TieRule = "keep_ties"
    abc_a: float = ABC_A
    abc_b: float = ABC_B


USUAL = Rule()  # of everything that is crossed, moves or was done


class Move(NamedTuple):
    """Who was in one group so many months ago and is in another (``models.reports.movement``)."""

    scheme: str
    months: int
    earlier: str
    later: str


class Part(NamedTuple):
    """Part of the customers under a rule: of a choice, or who moved; all without either. customers: where known."""

    rule: Rule = USUAL
    choice: Choice | None = None
    move: Move | None = None
    customers: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentsReport:
    """Identified customers of the stores in scope up to the end of ``as_of``; orders elsewhere do not count.

    Money in the chain's currency, excluding tax; net_sales can be negative for a customer who returned
    what was bought before the window. Keys of segments, classes, quadrants and stages are those of
    data_access.marts.segment_rules (texts in the catalogues).
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
    # frequent_high, frequent_low, rare_high, rare_low; historic_margin: missing where no cost is known
    quadrants: Annotated[pd.DataFrame, Columns("quadrant customers net_sales visits historic_margin")]
    # every stage of every preset
    lifecycle: Annotated[pd.DataFrame, Columns("preset stage customers net_sales historic_margin")]
    # the rule of each stage; the first (by position) whose bounds all hold is taken; NA: no bound. began_within,
    # late_up_to and late_over are in the customer's expected gaps, the rest shares (segment_rules)
    lifecycle_rule: Annotated[
        pd.DataFrame,
        Columns(
            "preset position stage min_visits max_visits began_within late_up_to late_over gaps_fall_by amounts_rise_by"
        ),
    ]
    # cut points: measure recency_days | orders | <monetary> with quantile .2 .4 .6 .8 (rule keep_ties), and
    # visits | net_sales (the quadrants) | usual_gap_days (the lifecycle) with quantile .5
    cuts: Annotated[pd.DataFrame, Columns("measure quantile value")]
    # how concentrated net sales are, the best customers first: so many of them (of those with net sales above 0)
    # bring so much together; some 120 rows at most
    pareto: Annotated[pd.DataFrame, Columns("customers net_sales")]
    # the first customers, highest net sales first, as many as asked for; store: where the last order was (home store
    # for a prospect); visits: distinct days with an order; last_day: of the last order; prospects have NA scores
    members: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key store_id store segment r f m recency_days orders visits net_sales gross_sales "
            "last_day abc quadrant stage five_phase with_maintenance"
        ),
    ]
    member_count: int  # all customers, buyers and prospects
    question: Question
    # one row per tie rule and combination of groups, with its customers, in ten-thousandths gross_sales and net_sales
    cells: pd.DataFrame
    stages: pd.DataFrame  # likewise, one row per preset and stage
    limits: dict[str, float]  # the values at which the groups part, as queries.segments.cuts names them


def segments(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    window_months: int | None = None,
    monetary: Monetary = "net_sales",
    tie_rule: TieRule = "keep_ties",
    abc_a: float = ABC_A,
    abc_b: float = ABC_B,
    members: int = MEMBERS,
) -> SegmentsReport:
    """The customer base of the stores in scope at the end of ``as_of``, with the first ``members`` of its list.

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
    if not 0 <= members <= MOST_MEMBERS:
        raise Problem(f"members is a whole number from 0 to {MOST_MEMBERS:,}, not {members}")
    window_first = None
    if window_months is not None:
        window_first = (pd.Timestamp(as_of) - pd.DateOffset(months=window_months) + pd.Timedelta(days=1)).date()
    question = Question(as_of, window_first, monetary, abc_a, abc_b)
    with queries.added_up(scope, snapshot.engine, question) as kept:
        cuts = queries.cuts(scope, snapshot.engine, question, kept)
        cells = queries.cells(scope, snapshot.engine, question, kept)
        curve = queries.curve(scope, snapshot.engine, question, kept)
        stages = queries.stages(scope, snapshot.engine, question, kept)
    limits = limits_of(cuts)
    under = cells[cells["tie_rule"] == tie_rule]
    frames = select_columns(
        SegmentsReport,
        rfm=_scored(cells),
        named=_sums(under, "segment", SEGMENTS),
        named_rule=_NAMED_RULE.copy(),
        abc=_abc(under),
        quadrants=_sums(under, "quadrant", QUADRANTS),
        lifecycle=pd.concat([_stages(stages, preset) for preset in PRESETS], ignore_index=True),
        lifecycle_rule=_LIFECYCLE_RULE.copy(),
        cuts=_cuts(limits, question),
        pareto=curve,
        **_first_members(snapshot, scope, question, limits, tie_rule, members),
    )
    return SegmentsReport(
        as_of,
        window_first,
        monetary,
        tie_rule,
        snapshot.info.currency,
        **frames,
        member_count=int(under["customers"].sum()),
        question=question,
        cells=cells,
        stages=stages,
        limits=limits,
    )


def members(
    snapshot: Snapshot,
    scope: Scope,
    report: SegmentsReport,
    choice: Choice | None = None,
    offset: int = 0,
    limit: int = 50,
    only: Collection[int] | None = None,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the list of customers behind ``report``, or of those that ``choice`` means; columns as its members.

    ``only`` and ``wanted``: of these customers.
    """
    engine = snapshot.engine
    found = queries.members(
        scope, engine, report.question, report.limits, report.tie_rule, choice, offset, limit, only, wanted
    )
    return _with_stores(found, scope, snapshot)


def chosen_count(report: SegmentsReport, choice: Choice | None) -> int:
    """How many customers a choice means, all without one."""
    if choice is not None and choice.column in PRESETS:
        stages = report.stages[(report.stages["preset"] == choice.column) & (report.stages["stage"] == choice.value)]
        return int(stages["customers"].sum())
    cells = report.cells[report.cells["tie_rule"] == report.tie_rule]
    if choice is not None and choice.column == "cell":
        fm = (cells["f"] + cells["m"] + 1) // 2
        r, wanted = choice.value.split("-")
        cells = cells[(cells["r"] == int(r)) & (fm == int(wanted))]
    elif choice is not None:
        cells = cells[cells[choice.column] == choice.value]
    return int(cells["customers"].sum())


def count(
    snapshot: Snapshot,
    scope: Scope,
    report: SegmentsReport,
    choice: Choice | None,
    wanted: Wanted = EVERYBODY,
    customers: int | None = None,
) -> int:
    """How many customers a choice means that are wanted. ``customers``: how many it means, where that is known."""
    if wanted.only is not None:
        return len(members(snapshot, scope, report, choice, limit=len(wanted.only), wanted=wanted))
    every = chosen_count(report, choice) if customers is None else customers
    if not wanted.without:
        return every
    hidden = Wanted(only=wanted.without)
    return every - len(members(snapshot, scope, report, choice, limit=len(wanted.without), wanted=hidden))


def named(snapshot: Snapshot, scope: Scope, as_of: date, segment: str) -> queries.Named:
    """The customers who are in a segment at the end of ``as_of``, as the usual report names them."""
    if segment not in SEGMENTS:
        raise Problem(f"a segment is one of {', '.join(SEGMENTS)}, not {segment!r}")
    question = Question(as_of)
    return queries.Named(question, limits_of(queries.cuts(scope, snapshot.engine, question)), segment)


def _named_rule() -> pd.DataFrame:
    """One row per pair of scores, best first: r, fm, segment."""
    return pd.DataFrame(
        [(r, fm, name) for r, names in GRID.items() for fm, name in enumerate(names, start=1)],
        columns=["r", "fm", "segment"],
    )


def _lifecycle_rule() -> pd.DataFrame:
    """One row per rule in the order they are tried: preset, position, stage and its bounds (NA: none)."""
    rows = [
        {"preset": preset, "position": i, **asdict(stage)}
        for preset, stages in LIFECYCLES.items()
        for i, stage in enumerate(stages, start=1)
    ]
    bounds = ["began_within", "late_up_to", "late_over", "gaps_fall_by", "amounts_rise_by"]
    kinds = dict.fromkeys(bounds, "float64") | dict.fromkeys(["min_visits", "max_visits"], "Int64")
    return pd.DataFrame(rows).astype(kinds)


_NAMED_RULE, _LIFECYCLE_RULE = _named_rule(), _lifecycle_rule()


def limits_of(cuts: pd.DataFrame) -> dict[str, float]:
    """The values at which the groups part, as queries.segments.cuts gives them; NaN where nobody bought."""
    return {str(name): float(value) for name, value in cuts.iloc[0].items()} if len(cuts) else _NO_LIMITS


def _first_members(
    snapshot: Snapshot, scope: Scope, question: Question, limits: dict[str, Any], tie_rule: TieRule, limit: int
) -> dict[str, pd.DataFrame]:
    """The table of members; nothing, which is an empty one, when none are wanted."""
    if not limit:
        return {}
    page = queries.members(scope, snapshot.engine, question, limits, tie_rule, limit=limit)
    return {"members": _with_stores(page, scope, snapshot)}


def _with_stores(page: pd.DataFrame, scope: Scope, snapshot: Snapshot) -> pd.DataFrame:
    """The page with the names of its stores, scores and days as whole numbers."""
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    whole = dict.fromkeys(["r", "f", "m", "recency_days"], "Int64")
    texts = dict.fromkeys(["customer_key", "store_id", "segment", "abc", "quadrant", "stage", *PRESETS[1:]], "str")
    known = page.assign(store=page["store_id"].map(names).astype(object)).astype(whole | texts)
    return known[list(declared_tables(SegmentsReport)["members"])]


def _scored(cells: pd.DataFrame) -> pd.DataFrame:
    """One row per tie rule and score triple that occurs."""
    scored = cells[cells["r"].notna()]
    rule = pd.Index(TIE_RULES).get_indexer(pd.Index(scored["tie_rule"]))
    scores = scored[["r", "f", "m"]].to_numpy(dtype=np.int64) - 1
    triple = np.ravel_multi_index((rule, *scores.T), (len(TIE_RULES), 5, 5, 5))
    sums = _added_up(scored, triple, len(TIE_RULES) * 125, ("customers", "gross_sales", "net_sales"))
    rule, r, f, m = np.unravel_index(np.arange(len(TIE_RULES) * 125), (len(TIE_RULES), 5, 5, 5))
    every = pd.DataFrame({"tie_rule": np.array(TIE_RULES)[rule], "r": r + 1, "f": f + 1, "m": m + 1, **sums})
    return every[every["customers"] > 0].reset_index(drop=True)


def _sums(cells: pd.DataFrame, column: str, names: tuple[str, ...]) -> pd.DataFrame:
    """One row per name of a group, also without customers: the group, customers, visits, net_sales, historic_margin."""
    group = pd.Index(names).get_indexer(pd.Index(cells[column]))
    figures = ("customers", "visits", "net_sales", "costed_sales", "margin")
    sums = _added_up(cells[group >= 0], group[group >= 0], len(names), figures)
    margin = np.where(sums["costed_sales"] != 0, sums["margin"], np.nan)
    return pd.DataFrame({column: pd.array(names, dtype="str"), **sums, "historic_margin": margin})


def _stages(stages: pd.DataFrame, preset: Preset) -> pd.DataFrame:
    return _sums(stages[stages["preset"] == preset], "stage", STAGES[preset]).assign(preset=preset)


def _added_up(
    cells: pd.DataFrame, group: NDArray[Any], groups: int, figures: tuple[str, ...]
) -> dict[str, NDArray[Any]]:
    """The sums of each group by its number; money comes in whole ten-thousandths, which add up exactly below 2**53."""
    sums = {name: np.bincount(group, weights=cells[name], minlength=groups) for name in figures}
    money = ("gross_sales", "net_sales", "costed_sales", "margin")
    return {n: s / MONEY_UNIT if n in money else s.astype(np.int64) for n, s in sums.items()}


def _abc(cells: pd.DataFrame) -> pd.DataFrame:
    table = _sums(cells, "abc", CLASSES).rename(columns={"abc": "class"})
    positive = table["net_sales"].clip(lower=0)
    return table.assign(
        customer_share=table["customers"] / max(table["customers"].sum(), 1),
        net_sales_share=positive / positive.sum() if positive.sum() > 0 else math.nan,
    )


def _cuts(limits: dict[str, Any], question: Question) -> pd.DataFrame:
    """The cut points as people read them: recency in days up to the day of the report, rising."""
    today = (question.as_of - _EPOCH).days
    rows: list[tuple[str, float, float]] = []
    rows += [("recency_days", q, today - limits[f"r_cut_{5 - j}"]) for j, q in enumerate(QUANTILES, start=1)]
    for measure, letter in (("orders", "f"), (question.monetary, "m")):
        rows += [(measure, q, limits[f"{letter}_cut_{j}"]) for j, q in enumerate(QUANTILES, start=1)]
    rows += [(measure, 0.5, limits[f"{measure}_median"]) for measure in ("visits", "net_sales")]
    rows.append(("usual_gap_days", 0.5, limits["usual_gap"]))
    return pd.DataFrame(rows, columns=["measure", "quantile", "value"]).astype({"value": "float64"})
