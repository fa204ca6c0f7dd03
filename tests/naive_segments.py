"""The rules of the segments in numpy, customer by customer, without a look at the SQL that answers for them."""

from datetime import date

import numpy as np
import pandas as pd

from data_access.marts.segment_rules import GRID, LIFECYCLE, PROSPECT, Stage


def groups(people: pd.DataFrame, as_of: date, monetary: str, tie_rule: str, a: float, b: float) -> pd.DataFrame:
    """r, f, m, segment, abc, quadrant and stage of each customer, None where there is none.

    people: one row per customer: id_rank, first_day, last_day (NaT without an order), orders_ever, orders, visits,
    gross_sales and net_sales.
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
    found["stage"] = [next(s.stage for s in LIFECYCLE if _holds(s, row, as_of)) for row in people.itertuples()]
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


def _holds(rule: Stage, row: object, as_of: date) -> bool:
    orders, first, last = (getattr(row, name) for name in ("orders_ever", "first_day", "last_day"))
    since = [None if pd.isna(day) else (pd.Timestamp(as_of) - day).days for day in (first, last)]
    bounds = (
        rule.min_orders is None or orders >= rule.min_orders,
        rule.max_orders is None or orders <= rule.max_orders,
        rule.first_order_within_days is None or (since[0] is not None and since[0] <= rule.first_order_within_days),
        rule.last_order_within_days is None or (since[1] is not None and since[1] <= rule.last_order_within_days),
    )
    return all(bounds)
