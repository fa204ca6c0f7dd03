"""How long people take until something happens, of whom some have not been watched long enough to know."""

from typing import Any

import numpy as np
import pandas as pd

from models.calc.funnel import Z95


def waiting_curve(days: Any, people: Any, happened: Any) -> pd.DataFrame:
    """The share of people to whom it has happened within so many days: Kaplan and Meier's estimate.

    Those to whom it has not happened yet count among the people who wait up to the day until which they were watched,
    and no longer. The interval is that of Greenwood's variance on the log-log scale, which stays within 0 and 1
    (J. D. Kalbfleisch and R. L. Prentice, The Statistical Analysis of Failure Time Data, 2002, ch. 1).

    Args:
        days: until it happened, or until which nothing had, 0 or more; people: how many of them; happened: whether.

    Returns:
        One row per day on which it happened to somebody, in order: days, waiting (just before), happened (then),
        rate (by then), lo95, hi95 (missing where everybody's wait has ended).
    """
    day, at = np.unique(np.asarray(days, dtype="int64"), return_inverse=True)
    many = np.asarray(people, dtype="float64")
    of_day = np.bincount(at, many, len(day))
    events = np.bincount(at, np.where(np.asarray(happened, dtype=bool), many, 0.0), len(day))
    some = events > 0
    n, d = of_day[::-1].cumsum()[::-1][some], events[some]
    left = np.cumprod(1 - d / n)
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.sqrt(np.cumsum(d / (n * (n - d)))) / np.abs(np.log(left))
        bounds = [1 - left ** np.exp(sign * Z95 * error) for sign in (-1, 1)]
    return pd.DataFrame(
        {
            "days": day[some],
            "waiting": n.astype("int64"),
            "happened": d.astype("int64"),
            "rate": 1 - left,
            "lo95": np.where(left > 0, bounds[0], np.nan),
            "hi95": np.where(left > 0, bounds[1], np.nan),
        }
    )


def by_then(curve: pd.DataFrame, days: int) -> tuple[float, float, float]:
    """The share within ``days`` and its interval: (0, NaN, NaN) before anything happened."""
    rows = curve[curve["days"] <= days]
    if rows.empty:
        return 0.0, float("nan"), float("nan")
    last = rows.iloc[-1]
    return float(last["rate"]), float(last["lo95"]), float(last["hi95"])


def days_until(curve: pd.DataFrame, part: float) -> float:
    """The days within which it happens to ``part`` of the people; NaN where the curve does not reach it."""
    reached = curve.loc[curve["rate"] >= part, "days"]
    return float(reached.iloc[0]) if len(reached) else float("nan")
