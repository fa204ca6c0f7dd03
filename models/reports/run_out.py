"""Run-out: who is about to have used up what they bought here, and how far such expectations held."""

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.errors import Problem
from data_access.pseudonym import customer_key
from data_access.queries import places, stock
from data_access.queries import run_out as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import run_out as calc
from models.calc.funnel import wilson
from models.calc.run_out import BASES, Events, Floats, Rhythm, Score
from models.reports._shape import Columns, declared_tables, select_columns

AHEAD = 14  # days, unless told
MOST_AHEAD = 90
HOLDOUT_DAYS = 180
ALL = "all"
MEDIAN = "median"  # in the checks: the median gap of the category, which expectations are to beat
_SUMMARY = ("run_outs", "run_out_customers", "run_out_amount", "hit_days", "error_days", "median_error_days", "covered",
            "gaps")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is usual among the customers of a scope: ``needs`` in the order in which ``rhythm`` has them."""

    needs: tuple[str, ...]
    rhythm: Rhythm


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
    # one row per customer and need expected to run out within the days ahead, the dearest first; last_day, units,
    # amount, product, store: of the latest purchase; expected_on, from_on, until_on: days; basis: own | pace | usage |
    # usual; in_stock: on hand in that store and not reserved (NA: never counted); may_be_called: agrees to calls
    due: Annotated[
        pd.DataFrame,
        Columns(
            "customer_key need product_id product category last_day units amount expected_on from_on until_on basis "
            "store_id store in_stock may_be_called"
        ),
    ]


def run_out(snapshot: Snapshot, scope: Scope, as_of: date, ahead_days: int = AHEAD) -> RunOutReport:
    """Who runs out in the ``ahead_days`` after ``as_of``."""
    if not 1 <= ahead_days <= MOST_AHEAD:
        raise Problem(f"ahead_days is a whole number from 1 to {MOST_AHEAD}, not {ahead_days}")
    bought = _with_usage(snapshot, scope, queries.purchases(scope, snapshot.engine, as_of))
    events = events_of(bought)
    today = _number(as_of)
    rhythm = calc.learn(events, today)
    due = pd.DataFrame(columns=[*declared_tables(RunOutReport)["due"], "customer_no"])
    if rhythm is not None:
        due = _due(snapshot, scope, bought, expected_days(rhythm, events, bought), as_of, ahead_days)
    score = calc.score(events, today - HOLDOUT_DAYS, today) if rhythm is not None else None
    frames = select_columns(
        RunOutReport,
        summary=_summary(due, score),
        held=_held(score),
        by_day=_by_day(due, as_of, ahead_days),
        due=due,
    )
    return RunOutReport(as_of, ahead_days, snapshot.info.currency, **frames)


def learn(snapshot: Snapshot, scope: Scope, as_of: date) -> Learnt | None:
    """What is usual among the customers of a scope by ``as_of``; None where there is too little to learn from."""
    bought = _with_usage(snapshot, scope, queries.purchases(scope, snapshot.engine, as_of))
    rhythm = calc.learn(events_of(bought), _number(as_of))
    return None if rhythm is None else Learnt(tuple(bought["need"].cat.categories), rhythm)


def of_customer(snapshot: Snapshot, scope: Scope, learnt: Learnt, as_of: date, number: int) -> pd.DataFrame:
    """One row per need of a customer, the next to run out first: need, product_id, product, last_day, units,
    expected_on, from_on, until_on, basis."""
    bought = _with_usage(snapshot, scope, queries.purchases(scope, snapshot.engine, as_of, [number]))
    new = [need for need in bought["need"].cat.categories if need not in learnt.needs]
    bought["need"] = bought["need"].cat.set_categories([*learnt.needs, *new])
    bought = bought.sort_values(["need", "day"], kind="stable", ignore_index=True)
    found = expected_days(learnt.rhythm.with_needs(len(new)), events_of(bought), bought)
    return found.sort_values(["expected_on", "need"], kind="stable", ignore_index=True)


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


def _with_usage(snapshot: Snapshot, scope: Scope, bought: pd.DataFrame) -> pd.DataFrame:
    """The purchases in the order of their codes, with product (name) and usage_days."""
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


def _due(
    snapshot: Snapshot, scope: Scope, bought: pd.DataFrame, found: pd.DataFrame, as_of: date, ahead_days: int
) -> pd.DataFrame:
    first, last = pd.Timestamp(as_of), pd.Timestamp(as_of + timedelta(days=ahead_days))
    due = found[(found["expected_on"] > first) & (found["expected_on"] <= last)]
    due = due.sort_values(["amount", "customer_no", "need"], ascending=[False, True, True], ignore_index=True)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    numbers = due["customer_no"].tolist()
    callable_ = queries.may_be_called(scope, snapshot.engine, numbers)["customer_no"] if numbers else ()
    held = stock.positions(scope, snapshot.engine).astype({"store_id": object, "product_id": object})
    held = held[held["counted_at"].notna()]
    left = (held["on_hand"] - held["reserved"]).clip(lower=0).set_axis([held["store_id"], held["product_id"]])
    place = pd.MultiIndex.from_arrays([due["store_id"], due["product_id"]])
    return due.assign(
        customer_key=[customer_key(number) for number in numbers],
        store=due["store_id"].map(names).fillna(due["store_id"]),
        in_stock=left.reindex(place).to_numpy(),
        may_be_called=due["customer_no"].isin(callable_),
    )


def _summary(due: pd.DataFrame, score: Score | None) -> pd.DataFrame:
    found: dict[str, float] = {
        "run_outs": len(due),
        "run_out_customers": due["customer_key"].nunique(),
        "run_out_amount": float(due["amount"].sum()),
        "hit_days": calc.HIT_DAYS,
    }
    if score is not None:
        found |= {
            "error_days": score.error,
            "median_error_days": score.median_error,
            "covered": score.covered,
            "gaps": score.gaps,
        }
    return pd.DataFrame({"key": _SUMMARY, "value": [found.get(key, math.nan) for key in _SUMMARY]})


def _by_day(due: pd.DataFrame, as_of: date, ahead_days: int) -> pd.DataFrame:
    days = pd.date_range(as_of + timedelta(days=1), periods=ahead_days, name="day")
    found = due.groupby("expected_on").agg(
        run_outs=("customer_no", "size"), customers=("customer_no", "nunique"), amount=("amount", "sum")
    )
    return found.reindex(days, fill_value=0).reset_index()


def _held(score: Score | None) -> pd.DataFrame:
    if score is None:
        return pd.DataFrame(columns=["basis", "judged", "hits", "hit_rate", "lo95", "hi95"])
    due = pd.Series([score.due.sum(), *score.due, score.median_due])
    hits = pd.Series([score.hits.sum(), *score.hits, score.median_hits])
    lo95, hi95 = wilson(hits, due)
    return pd.DataFrame(
        {
            "basis": [ALL, *BASES, MEDIAN],
            "judged": due,
            "hits": hits,
            "hit_rate": hits / due,
            "lo95": lo95,
            "hi95": hi95,
        }
    )


def _number(day: date) -> int:
    return int(np.datetime64(day, "D").astype(np.int64))
