"""The rules of the segments in numpy, customer by customer, without a look at the SQL that answers for them."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from data_access.marts.segment_rules import GRID, LIFECYCLES, PROSPECT, Stage


def groups(people: pd.DataFrame, as_of: date, monetary: str, tie_rule: str, a: float, b: float) -> pd.DataFrame:
    """r, f, m, segment, abc, quadrant and the stages of life of each customer, None where there is none.

    people: one row per customer: id_rank, first_day, last_day (NaT without an order), orders_ever, orders, visits,
    gross_sales and net_sales, gaps, median_gap, gap_trend, amount_trend.
    """
    buyers = people[people["orders"] > 0]
    recency = (pd.Timestamp(as_of) - buyers["last_day"]).dt.days
    values = {"r": -recency, "f": buyers["orders"], "m": buyers[monetary]}
    score = _fifths if tie_rule == "equal_size" else _above_cuts
    scores = {
        name: pd.Series(score(value.to_numpy(float), buyers["id_rank"], name), buyers.index, dtype=object)
        for name, value in values.items()
    }
    found = pd.DataFrame(scores).reindex(people.index).where(lambda f: f.notna(), None)
    visits_cut, spend_cut = buyers["visits"].median(), buyers["net_sales"].median()
    found["segment"] = [
        PROSPECT if ever == 0 else None if r is None else GRID[r][(f + m + 1) // 2 - 1]
        for ever, r, f, m in zip(people["orders_ever"], found["r"], found["f"], found["m"], strict=True)
    ]
    found["abc"] = _classes(people, a, b)
    found["quadrant"] = [
        None if orders == 0 else f"{'frequent' if v > visits_cut else 'rare'}_{'high' if n > spend_cut else 'low'}"
        for orders, v, n in zip(people["orders"], people["visits"], people["net_sales"], strict=True)
    ]
    for preset, rules in LIFECYCLES.items():
        name = "stage" if preset == "four_stage" else preset
        found[name] = [next(s.stage for s in rules if _holds(s, row, as_of)) for row in people.itertuples()]
    return found.astype(object).where(lambda f: f.notna(), None)


def _above_cuts(values: np.ndarray, _: pd.Series, name: str) -> list[int]:
    if name == "r":
        cuts = np.quantile(-values, [0.2, 0.4, 0.6, 0.8])
        return [5 - sum(cut < value for cut in cuts) for value in -values]
    cuts = np.quantile(values, [0.2, 0.4, 0.6, 0.8])
    return [1 + sum(cut < value for cut in cuts) for value in values]


def _fifths(values: np.ndarray, id_rank: pd.Series, _: str) -> np.ndarray:
    scores = np.empty(len(values), dtype=int)
    scores[np.lexsort((id_rank, values))] = 5 * np.arange(len(values)) // len(values) + 1
    return scores


def _classes(people: pd.DataFrame, a: float, b: float) -> list[str]:
    """Whoever comes before a share of the total is reached, highest first, and the highest id first among equals."""
    total = people["net_sales"].clip(lower=0).sum()
    found, before = {}, 0.0
    for row in people.sort_values(["net_sales", "id_rank"], ascending=False).itertuples():
        if row.net_sales <= 0:
            found[row.Index] = "U"
            continue
        share = before / total + 1e-12
        found[row.Index] = "A" if share < a else "B" if share < b else "C"
        before = round(before + row.net_sales, 2)
    return [found[index] for index in people.index]


def _holds(rule: Stage, row: Any, as_of: date) -> bool:
    visits = row.gaps + 1 if row.orders_ever else 0
    own = 0 if pd.isna(row.median_gap) else row.median_gap
    gap: float = max((row.gaps * own + 2 * 60) / (row.gaps + 2), 1)  # the chain says of no product how long it lasts
    since_first, since_last = ((pd.Timestamp(as_of) - day).days / gap for day in (row.first_day, row.last_day))
    bounds = (
        rule.min_visits is None or visits >= rule.min_visits,
        rule.max_visits is None or visits <= rule.max_visits,
        rule.began_within is None or since_first <= rule.began_within,
        rule.late_up_to is None or since_last <= rule.late_up_to,
        rule.late_over is None or since_last > rule.late_over,
        rule.gaps_fall_by is None or row.gap_trend <= -rule.gaps_fall_by,
        rule.amounts_rise_by is None or row.amount_trend >= rule.amounts_rise_by,
    )
    return all(bounds)


def rhythm(visits: list[date], amounts: list[tuple[date, float]]) -> dict[str, float | None]:
    """gaps, median_gap, gap_trend, amount_trend from the days of visits and the amounts of the days with an order."""
    gaps = [(b - a).days for a, b in pairwise(visits)]
    return {
        "gaps": len(gaps),
        "median_gap": float(np.median(gaps)) if gaps else None,
        "gap_trend": _trend(visits[1:], gaps),
        "amount_trend": _trend([day for day, _ in amounts], [amount for _, amount in amounts]),
    }


def _trend(days: list[date], values: Sequence[float]) -> float | None:
    if len(values) < 3 or len(set(days)) < 2 or sum(values) <= 0:
        return None
    x = [(day - days[0]).days for day in days]
    return float(np.polyfit(x, values, 1)[0] * (max(x) - min(x)) / np.mean(values))
