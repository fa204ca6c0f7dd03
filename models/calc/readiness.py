"""How many visitors a store will have on a day ahead, by its own week and the events that the demand forecast knows;
and whether those who are rostered can serve them as well as usual.

A day is the mean of the same weekday in the last eight weeks, each divided by the event of its day, times the event of
the day ahead. The check forecasts two weeks at a time from
thirteen earlier weeks, beside the same weekday of the last week known at that time; only what events do is known from
the whole past.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEKS: Final = 8  # that a weekday is learnt from
AHEAD: Final = 14  # days
_ORIGINS: Final = 13  # weeks between them
HISTORY_DAYS: Final = 7 * (_ORIGINS + WEEKS) + 2 * AHEAD


@dataclass(frozen=True, slots=True)
class Check:
    """What forecasts of store days missed by: sum of absolute errors / sum of visitors, NaN without any; days: how many
    store days were looked at; last_week: the same of the same weekday of the last week known."""

    wape: float
    last_week: float
    days: int


def ahead(visitors: Floats, event: Floats) -> Floats:
    """Visitors of the coming days (days x stores). visitors: days x stores up to now, NaN where not counted; event:
    what each of these days and of those ahead is multiplied by (1: none)."""
    known, days = len(visitors), len(event) - len(visitors)
    plain = visitors / event[:known, None]
    return np.array([_mean(_same_weekday(plain, known + day)) * event[known + day] for day in range(days)]).reshape(
        days, visitors.shape[1]
    )


def check(visitors: Floats, event: Floats) -> Check:
    """How such forecasts did; ``event`` of the known days only."""
    missed, beside, seen, many = 0.0, 0.0, 0.0, 0
    for week in range(_ORIGINS):
        end = len(visitors) - AHEAD - 7 * week
        if end < 7 * WEEKS:
            break
        true = visitors[end : end + AHEAD]
        found = ahead(visitors[:end], event[: end + AHEAD])
        naive = np.tile(visitors[end - 7 : end], (AHEAD // 7, 1))
        both = np.isfinite(true) & np.isfinite(found) & np.isfinite(naive)
        missed += float(np.abs(true - found)[both].sum())
        beside += float(np.abs(true - naive)[both].sum())
        seen += float(true[both].sum())
        many += int(both.sum())
    return Check(missed / seen, beside / seen, many) if seen > 0 else Check(math.nan, math.nan, 0)


def _same_weekday(plain: Floats, day: int) -> Floats:
    """The rows of the last eight weeks known that are of the weekday of row ``day``."""
    last = (len(plain) - 1) - ((len(plain) - 1 - day) % 7)
    return plain[list(range(last, -1, -7))[:WEEKS]]


def _mean(rows: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # never counted
        found: Floats = np.nanmean(rows, axis=0) if len(rows) else np.full(rows.shape[1], math.nan)
    return found
