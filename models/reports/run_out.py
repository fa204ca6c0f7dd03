"""Run-out: who is about to have used up what they bought here, and how far such expectations held."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.pseudonym import customer_key
from data_access.queries import lapse, places, reach, segments, stock
from data_access.queries import run_out as queries
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.queries.run_out import Part
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import run_out as calc
from models.calc.funnel import wilson
from models.calc.run_out import BASES, Events, Floats, Rhythm, Score
from models.reports._shape import Columns, declared_tables, select_columns
from models.reports.segments import named

AHEAD = 14  # days, unless told
MEMBERS = 50  # of the list, unless told
MOST_MEMBERS = 20_000  # of a file
MOST_AHEAD = 90
KEPT_AHEAD = 30  # what a batch keeps
JOB = "run_out"
_LINES_AT_ONCE = 1_000_000  # customers with more lines in all are looked at part by part
HOLDOUT_DAYS = 180
ALL = "all"
MEDIAN = "median"  # in the checks: the median gap of the category, which expectations are to beat
_SUMMARY = ("run_outs", "run_out_customers", "run_out_amount", "hit_days", "error_days", "median_error_days", "covered",
            "gaps")  # fmt: skip
_DUE = ["customer_no", "need", "product_id", "product", "category", "last_day", "units", "amount", "expected_on",
        "from_on", "until_on", "basis", "store_id"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is usual among the customers of a scope: ``needs`` in the order in which ``rhythm`` has them."""

    needs: tuple[str, ...]
    rhythm: Rhythm


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a batch keeps of a place: what is learnt (None: too little for that), the latest purchases that will be used
    up soon, and how far that held: judged and hits by basis, figures of the gaps behind them."""

    learnt: Learnt | None
    due: pd.DataFrame | None  # None: it stays in the results, and is read page by page
    held: pd.DataFrame
    figures: dict[str, float]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which part of the list is meant: of the days ahead or one of them, of the goods of one category, the customers of
    one segment (None: all), and those ``wanted``."""

    ahead_days: int = AHEAD
    category: str | None = None
    segment: str | None = None
    day: date | None = None
    wanted: Wanted = EVERYBODY


@dataclass(frozen=True, slots=True)
class RunOutReport:
    """What customers bought in the stores in scope by the end of ``as_of``, and when they will have used it up.

    A need is a subcategory of the range, or a product that has none: a purchase of any of its products puts the next
    one off. Money in the chain's currency, excluding tax. Without enough gaps to learn from, ``due`` is empty.
    """

    as_of: date
    ahead_days: int
    currency: str
    # run_outs, run_out_customers, run_out_amount: of the list. The others look back at the last half-year by what was
    # known before: error_days, median_error_days: mean days between expected and actual next purchase (expected by the
    # customer's rhythm, by the median gap of the category), over so many gaps; covered: share of them within the range
    # of eight of ten
    summary: Annotated[pd.DataFrame, Columns("key value")]
    # one row per basis of an expectation, all, and the median gap of the category instead: judged (expectations of the
    # last half-year whose day had passed), hits (of those, bought again within hit_days of that day), their share
    held: Annotated[pd.DataFrame, Columns("basis judged hits hit_rate lo95 hi95")]
    # one row per day ahead: what is expected to run out, of how many, and what was paid for it last
    by_day: Annotated[pd.DataFrame, Columns("day run_outs customers amount")]
    # one row per customer and need expected to run out within the days ahead, the dearest first, as many as were asked
    # for; last_day, units, amount, product, store: of the latest purchase; expected_on, from_on, until_on: days; basis:
    # own | pace | usage | usual; in_stock: on hand in that store and not reserved (NA: never counted); may_be_called:
    # agrees to calls, for service or, as an adult, for marketing; last_store: of the latest visit of all, where another
    # in scope; home_elsewhere: registered out of it
    due: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key need product_id product category last_day units amount expected_on from_on until_on basis "
            "store_id store in_stock may_be_called last_store home_elsewhere"
        ),
    ]


def run_out(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    ahead_days: int = AHEAD,
    category: str | None = None,
    segment: str | None = None,
    members: int = MEMBERS,
) -> RunOutReport:
    """Who runs out in the ``ahead_days`` after ``as_of``; from what a batch keeps where that is the same.

    Counted are all, or the goods of one ``category`` or the customers of one ``segment``, and so many of them listed;
    what is learnt, and how far that held, is of all of them.
    """
    if not 1 <= ahead_days <= MOST_AHEAD:
        raise Problem(f"ahead_days is a whole number from 1 to {MOST_AHEAD}, not {ahead_days}")
    found = outlook_of(snapshot, scope, as_of, ahead_days)
    part = _part(snapshot, scope, as_of, Asked(ahead_days, category, segment))
    days = _days(snapshot, scope, found, part)
    figures = {
        **found.figures,
        "run_outs": float(days["run_outs"].sum()),
        "run_out_customers": float(_how_many(snapshot, scope, found, part)),
        "run_out_amount": float(days["amount"].sum()),
    }
    frames = select_columns(
        RunOutReport,
        summary=_summary(figures),
        held=_held(found.held),
        by_day=_by_day(days, as_of, ahead_days),
        due=_page(snapshot, scope, as_of, found, part, 0, members),
    )
    return RunOutReport(as_of, ahead_days, snapshot.info.currency, **frames)


def outlook_of(snapshot: Snapshot, scope: Scope, as_of: date, ahead_days: int) -> Outlook:
    """What a batch keeps, where that is the same, or ``outlook``."""
    if ahead_days <= KEPT_AHEAD and _is_kept(snapshot, scope, as_of):
        assert snapshot.results is not None
        held = queries.kept_held(scope, snapshot.results)
        return Outlook(None, None, held, _by_key(queries.kept_figures(scope, snapshot.results)))
    return outlook(snapshot, scope, as_of, ahead_days)


def members(
    snapshot: Snapshot, scope: Scope, as_of: date, asked: Asked, offset: int, limit: int, known: Outlook | None = None
) -> pd.DataFrame:
    """A page of the list of a report. ``known``: ``outlook_of`` the same day, where somebody has it already."""
    found = known or outlook_of(snapshot, scope, as_of, asked.ahead_days)
    rows = _page(snapshot, scope, as_of, found, _part(snapshot, scope, as_of, asked), offset, limit)
    return rows[list(declared_tables(RunOutReport)["due"])]


def count(snapshot: Snapshot, scope: Scope, as_of: date, asked: Asked, known: Outlook | None = None) -> int:
    """How many rows ``members`` has in all."""
    found = known or outlook_of(snapshot, scope, as_of, asked.ahead_days)
    return int(_days(snapshot, scope, found, _part(snapshot, scope, as_of, asked))["run_outs"].sum())


def customers(snapshot: Snapshot, scope: Scope, as_of: date, ahead_days: int) -> NDArray[np.int64]:
    """Who runs out of something in the ``ahead_days`` after ``as_of``, by number."""
    found = outlook_of(snapshot, scope, as_of, ahead_days)
    return _customers(snapshot, scope, found, _part(snapshot, scope, as_of, Asked(ahead_days)))


def _part(snapshot: Snapshot, scope: Scope, as_of: date, asked: Asked) -> Part:
    first, last = asked.day or as_of + timedelta(days=1), asked.day or as_of + timedelta(days=asked.ahead_days)
    among = None
    if asked.segment is not None:
        of = segments.numbers(scope, snapshot.engine, named(snapshot, scope, as_of, asked.segment))
        among = of["customer_no"].tolist()
    return Part(first, last, asked.category, among, asked.wanted)


def _days(snapshot: Snapshot, scope: Scope, found: Outlook, part: Part) -> pd.DataFrame:
    """As ``queries.kept_days``."""
    if found.due is None:
        assert snapshot.results is not None
        return queries.kept_days(scope, snapshot.results, part)
    by_day = part.rows(found.due).groupby("expected_on", as_index=False)
    return by_day.agg(run_outs=("customer_no", "size"), customers=("customer_no", "nunique"), amount=("amount", "sum"))


def _how_many(snapshot: Snapshot, scope: Scope, found: Outlook, part: Part) -> int:
    """How many customers are in a part."""
    if found.due is None:
        assert snapshot.results is not None
        return int(queries.kept_count(scope, snapshot.results, part)["customers"].iloc[0])
    return len(_customers(snapshot, scope, found, part))


def _customers(snapshot: Snapshot, scope: Scope, found: Outlook, part: Part) -> NDArray[np.int64]:
    if found.due is None:
        assert snapshot.results is not None
        numbers = queries.kept_customers(scope, snapshot.results, part)["customer_no"]
    else:
        numbers = part.rows(found.due)["customer_no"]
    return np.unique(numbers.to_numpy(dtype=np.int64))


def _page(
    snapshot: Snapshot, scope: Scope, as_of: date, found: Outlook, part: Part, offset: int, limit: int
) -> pd.DataFrame:
    if found.due is None:
        assert snapshot.results is not None
        due = queries.kept_due(scope, snapshot.results, part, offset, limit)
        names = queries.products(scope, snapshot.engine).set_index("product_id")["product"]
        due = due.assign(product=due["product_id"].map(names).fillna(due["product_id"]))
    else:
        due = part.rows(found.due).iloc[offset : offset + limit].reset_index(drop=True)
    return _listed(snapshot, scope, due, as_of)


def outlook(snapshot: Snapshot, scope: Scope, as_of: date, ahead_days: int) -> Outlook:
    """What is learnt from the customers of a scope, what they will have used up, and how far that held.

    Of many customers a part is learnt from and looked back at, and the others are gone through part by part.
    """
    parts = _parts(snapshot, scope)
    today = _number(as_of)
    bought = _purchases(snapshot, scope, as_of, part=(0, parts))
    events = events_of(bought)
    rhythm = calc.learn(events, today)
    if rhythm is None:
        return Outlook(None, pd.DataFrame(columns=_DUE), pd.DataFrame(columns=["basis", "judged", "hits"]), {})
    learnt = Learnt(tuple(bought["need"].cat.categories), rhythm)
    due = [_due(expected_days(rhythm, events, bought), as_of, ahead_days)]
    for part in range(1, parts):
        rest = _purchases(snapshot, scope, as_of, part=(part, parts))
        due.append(_due(_by_what_is_learnt(learnt, rest), as_of, ahead_days))
    score = calc.score(events, today - HOLDOUT_DAYS, today)
    every = pd.concat(due, ignore_index=True).sort_values(["customer_no", "need"], ignore_index=True)
    return Outlook(learnt, every, *_looked_back(score))


def learn(snapshot: Snapshot, scope: Scope, as_of: date) -> Learnt | None:
    """What is usual among the customers of a scope by ``as_of``; None where there is too little to learn from."""
    if _is_kept(snapshot, scope, as_of):
        assert snapshot.results is not None
        return _learnt(*queries.kept_rhythm(scope, snapshot.results))
    parts = _parts(snapshot, scope)
    bought = _purchases(snapshot, scope, as_of, part=(0, parts))
    rhythm = calc.learn(events_of(bought), _number(as_of))
    return None if rhythm is None else Learnt(tuple(bought["need"].cat.categories), rhythm)


def of_customer(snapshot: Snapshot, scope: Scope, learnt: Learnt, as_of: date, number: int) -> pd.DataFrame:
    """One row per need of a customer, the next to run out first: need, product_id, product, last_day, units,
    expected_on, from_on, until_on, basis."""
    bought = _purchases(snapshot, scope, as_of, only=[number])
    found = _by_what_is_learnt(learnt, bought)
    return found.sort_values(["expected_on", "need"], kind="stable", ignore_index=True)


def _parts(snapshot: Snapshot, scope: Scope) -> int:
    """Into how many parts the customers are taken."""
    lines = int(queries.size(scope, snapshot.engine)["lines"].sum())
    return max(1, -(-lines // _LINES_AT_ONCE))


def _is_kept(snapshot: Snapshot, scope: Scope, as_of: date) -> bool:
    return as_of == snapshot.info.last_day and has_current_rows(snapshot, scope, JOB)


def _learnt(usual: pd.DataFrame, paces: pd.DataFrame, figures: pd.DataFrame) -> Learnt | None:
    """What was learnt, as a batch kept it; None where there was too little for that."""
    if usual.empty:
        return None
    known = _by_key(figures)
    rhythm = Rhythm(
        median_gap=usual["median_gap"].to_numpy(np.float64),
        by_usage=usual["by_usage"].to_numpy(bool),
        drawn=(known["drawn_customer"], known["drawn_need"]),
        residual=paces[["low", "middle", "high"]].to_numpy(np.float64),
        gaps=int(known["learnt_from"]),
    )
    return Learnt(tuple(usual["need"]), rhythm)


def _by_key(figures: pd.DataFrame) -> dict[str, float]:
    return {str(key): float(value) for key, value in zip(figures["key"], figures["value"], strict=True)}


def _by_what_is_learnt(learnt: Learnt, bought: pd.DataFrame) -> pd.DataFrame:
    """The latest purchases of other customers than those who were learnt from, with the day they will be used up."""
    new = [need for need in bought["need"].cat.categories if need not in set(learnt.needs)]
    bought = bought.assign(need=bought["need"].cat.set_categories([*learnt.needs, *new]))
    order = np.lexsort((bought["day"], bought["need"].cat.codes, bought["customer_no"]))
    bought = bought.iloc[order].reset_index(drop=True)
    return expected_days(learnt.rhythm.with_needs(len(new)), events_of(bought), bought)


def events_of(bought: pd.DataFrame) -> Events:
    """The purchases as numbers, in the order of customer, need and day."""
    return Events(
        customer=bought["customer_no"].to_numpy(np.int64),
        need=np.asarray(bought["need"].cat.codes, dtype=np.int64),
        category=np.asarray(bought["category"].cat.codes, dtype=np.int64),
        day=bought["day"].to_numpy().astype("datetime64[D]").astype(np.int64),
        quantity=bought["quantity"].to_numpy(np.float64),
        usage_days=bought["usage_days"].to_numpy(np.float64),
    )


def expected_days(rhythm: Rhythm, events: Events, bought: pd.DataFrame) -> pd.DataFrame:
    """The latest purchase of each customer and need with the day on which it will have been used up."""
    latest = np.flatnonzero(np.isnan(events.next_gap))
    expected = calc.expect(rhythm, events)
    rows = bought.iloc[latest]
    day = rows["day"].to_numpy().astype("datetime64[D]")

    def on(days: Floats) -> NDArray[np.datetime64]:
        found: NDArray[np.datetime64] = day + np.round(days[latest]).astype("timedelta64[D]")
        return found

    return rows.assign(
        **{name: rows[name].astype(object) for name in ("need", "category", "product_id", "store_id")},
        last_day=rows["day"],
        units=rows["quantity"],
        expected_on=on(expected.days),
        from_on=on(expected.low),
        until_on=on(expected.high),
        basis=np.array(BASES, dtype=object)[expected.basis[latest]],
    ).reset_index(drop=True)


def _purchases(
    snapshot: Snapshot,
    scope: Scope,
    as_of: date,
    only: Collection[int] | None = None,
    part: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """The purchases in the order of their codes, with product (name) and usage_days."""
    bought = queries.purchases(scope, snapshot.engine, as_of, only, part if part and part[1] > 1 else None)
    range_ = queries.products(scope, snapshot.engine).set_index("product_id")
    code = bought["product_id"].cat.codes.to_numpy()
    known = range_.reindex(bought["product_id"].cat.categories)
    bought = bought.assign(
        product=known["product"].fillna(pd.Series(known.index, known.index)).to_numpy(object)[code],
        usage_days=known["usage_days"].to_numpy(np.float64)[code],
    )
    # Needs come in the order of their names, their codes in that of their first row.
    order = np.lexsort((bought["day"], bought["need"].cat.codes, bought["customer_no"]))
    return bought.iloc[order].reset_index(drop=True)


def _due(found: pd.DataFrame, as_of: date, ahead_days: int) -> pd.DataFrame:
    """Those that will be used up in the days ahead."""
    first, last = pd.Timestamp(as_of), pd.Timestamp(as_of + timedelta(days=ahead_days))
    return found.loc[(found["expected_on"] > first) & (found["expected_on"] <= last), _DUE]


def _listed(snapshot: Snapshot, scope: Scope, due: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Rows of the list as a person reads them: by name, with what there is to sell and whom one may call."""
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    numbers = due["customer_no"].tolist()
    agreed = reach.channels(scope, snapshot.engine, numbers)
    callable_ = agreed.loc[agreed["channel"] == reach.PHONE, "customer_no"]
    last = lapse.last_stores(scope, snapshot.engine, as_of, numbers).set_index("customer_no")["store_id"]
    last_store = due["customer_no"].map(last)
    away = queries.at_home_elsewhere(scope, snapshot.engine, numbers)["customer_no"]
    held = stock.positions(scope, snapshot.engine, due["product_id"].unique().tolist())
    held = held.astype({"store_id": object, "product_id": object})
    held = held[held["counted_at"].notna()]
    left = (held["on_hand"] - held["reserved"]).clip(lower=0).set_axis([held["store_id"], held["product_id"]])
    place = pd.MultiIndex.from_arrays([due["store_id"], due["product_id"]])
    return due.assign(
        customer_key=[customer_key(number) for number in numbers],
        store=due["store_id"].map(names).fillna(due["store_id"]),
        in_stock=left.reindex(place).to_numpy(),
        may_be_called=due["customer_no"].isin(callable_),
        last_store=last_store.map(names).where(last_store != due["store_id"]).astype(object),
        home_elsewhere=due["customer_no"].isin(away),
    )


def _looked_back(score: Score | None) -> tuple[pd.DataFrame, dict[str, float]]:
    """basis, judged and hits of expectations, and the figures of the gaps behind them."""
    if score is None:
        return pd.DataFrame(columns=["basis", "judged", "hits"]), {}
    held = pd.DataFrame(
        {
            "basis": [ALL, *BASES, MEDIAN],
            "judged": [score.due.sum(), *score.due, score.median_due],
            "hits": [score.hits.sum(), *score.hits, score.median_hits],
        }
    )
    figures = {
        "error_days": score.error,
        "median_error_days": score.median_error,
        "covered": score.covered,
        "gaps": float(score.gaps),
    }
    return held, figures


def _summary(figures: Mapping[str, float]) -> pd.DataFrame:
    found = {"hit_days": calc.HIT_DAYS, **figures}
    return pd.DataFrame({"key": _SUMMARY, "value": [found.get(key, math.nan) for key in _SUMMARY]})


def _by_day(found: pd.DataFrame, as_of: date, ahead_days: int) -> pd.DataFrame:
    days = pd.date_range(as_of + timedelta(days=1), periods=ahead_days, name="day")
    return found.set_index("expected_on").reindex(days, fill_value=0).reset_index()


def _held(found: pd.DataFrame) -> pd.DataFrame:
    """With the share of hits and its interval."""
    lo95, hi95 = wilson(found["hits"], found["judged"])
    return found.assign(hit_rate=found["hits"] / found["judged"], lo95=lo95, hi95=hi95)


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
