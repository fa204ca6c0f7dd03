"""Who has stopped coming, judged by each customer's own rhythm.

Nobody says that they leave. A customer is overdue when the days since the last visit exceed the own usual gap: the
median of the own gaps, drawn towards how long a product of the range lasts while there are few. Beyond ``LAPSING``
such gaps a customer lapses, beyond ``LOST`` the customer counts as lost. How likely somebody in that state does not
come back is not assumed but learnt from those who were in it earlier.

The range, not the other customers, stands in for a rhythm that somebody has not shown yet: it is the same for every
store, and it does not vary by chance, so that rates of small stores vary as binomial shares do.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.stats import rankdata

from models.calc.growth import share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAPSING, LOST = 1.5, 3.0  # own gaps without a visit
FLAT_DAYS = 90  # of the rule that knows no rhythm
BASE_DAYS = 60.0  # of a product, where the range does not say how long any lasts
BASE_GAPS = 2.0  # so many gaps of that length are added to a customer's own
STEPS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # own gaps, of the calibration
MOST_RETURNING = 0.1  # of those who count as lost, where the bound is fitted
ENOUGH = 100  # customers of either kind, to learn from
_MOST_LEARNT = 200_000  # customers to learn from; more change no digit that is shown
_SMALL = 1e-3  # ridge, so that a few customers who all did the same settle something, too


class Rhythm(NamedTuple):
    """The log-odds of not coming back: constant + gap * log(usual gap) + overdue * log(1 + overdue)."""

    constant: float
    gap: float
    overdue: float


def usual_gap(visits: Any, median_gap: Any, base: float) -> Floats:
    """Of each customer the days between two visits, at least 1; ``median_gap`` is missing without a second visit."""
    gaps = np.asarray(visits, dtype="float64") - 1
    own = np.nan_to_num(np.asarray(median_gap, dtype="float64"))
    return np.maximum((gaps * own + BASE_GAPS * base) / (gaps + BASE_GAPS), 1.0)


def states(overdue: Floats) -> NDArray[Any]:
    """active | lapsing | lost, by the own gaps since the last visit."""
    return np.select([overdue <= LAPSING, overdue <= LOST], ["active", "lapsing"], "lost")


def learn(gap: Floats, overdue: Floats, gone: NDArray[np.bool_]) -> Rhythm | None:
    """How likely those who were so overdue did not come back: logistic regression; None with too few of either."""
    if min(gone.sum(), (~gone).sum()) < ENOUGH:
        return None
    step = -(-len(gone) // _MOST_LEARNT)
    x = _features(gap[::step], overdue[::step])
    y = gone[::step].astype("float64")

    def minus(b: Floats) -> tuple[float, Floats]:
        line = x @ b
        chance = 1 / (1 + np.exp(-line))
        value = (np.logaddexp(0.0, line) - y * line).mean() + _SMALL * (b[1:] @ b[1:]) / len(y)
        slopes = x.T @ (chance - y) / len(y)
        slopes[1:] += 2 * _SMALL * b[1:] / len(y)
        return float(value), slopes

    found = minimize(minus, np.zeros(x.shape[1]), jac=True, method="BFGS")
    return Rhythm(*(float(number) for number in found.x))


def probability_gone(rhythm: Rhythm, gap: Floats, overdue: Floats) -> Floats:
    """Of each customer how likely no visit follows in as many days as ``rhythm`` was learnt over."""
    chance: Floats = 1 / (1 + np.exp(-(_features(gap, overdue) @ np.asarray(rhythm))))
    return chance


def _features(gap: Floats, overdue: Floats) -> Floats:
    return np.column_stack([np.ones(len(gap)), np.log(gap), np.log1p(overdue)])


def area(score: Any, gone: NDArray[np.bool_]) -> float:
    """How often somebody who did not come back had the higher score of two, ties counting half (AUC); NaN of one kind.

    0.5 is tossing a coin, 1 never errs.
    """
    yes = int(gone.sum())
    no = len(gone) - yes
    if not yes or not no:
        return float("nan")
    ranks = rankdata(np.asarray(score, dtype="float64"))
    return float((ranks[gone].sum() - yes * (yes + 1) / 2) / (yes * no))


def area_interval(score: Any, gone: NDArray[np.bool_]) -> tuple[float, float, float]:
    """``area`` with its interval of 95 % (E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44, 1988)."""
    value = area(score, gone)
    if np.isnan(value) or min(gone.sum(), (~gone).sum()) < 2:
        return value, float("nan"), float("nan")
    scores = np.asarray(score, dtype="float64")
    ranks = rankdata(scores)
    yes, no = int(gone.sum()), int((~gone).sum())
    of_yes = (ranks[gone] - rankdata(scores[gone])) / no
    of_no = 1 - (ranks[~gone] - rankdata(scores[~gone])) / yes
    reach = 1.959963984540054 * np.sqrt(of_yes.var(ddof=1) / yes + of_no.var(ddof=1) / no)
    return value, max(value - reach, 0.0), min(value + reach, 1.0)


def bins(chance: Floats, gone: NDArray[np.bool_], many: int = 10) -> pd.DataFrame:
    """Predicted against actual: equal parts of the customers by how likely they were said to be gone.

    Returns bin (from 0, the least likely), customers, predicted, actual, lo95, hi95.
    """
    order = np.argsort(chance, kind="stable")
    parts = [part for part in np.array_split(order, many) if len(part)]
    sizes = [len(part) for part in parts]
    actual = share([int(gone[part].sum()) for part in parts], sizes)
    return pd.DataFrame(
        {
            "bin": range(len(parts)),
            "customers": sizes,
            "predicted": [float(chance[part].mean()) for part in parts],
            "actual": actual["rate"],
            "lo95": actual["lo95"],
            "hi95": actual["hi95"],
        }
    )


def returns(overdue: Floats, gone: NDArray[np.bool_]) -> pd.DataFrame:
    """How many of those who were so overdue came back all the same: the calibration of the rule.

    Returns one row per bound of ``STEPS``: own_gaps (more than so many since the last visit), customers, returned,
    rate, lo95, hi95.
    """
    beyond = [overdue > step for step in STEPS]
    customers = [int(rows.sum()) for rows in beyond]
    back = [int((~gone[rows]).sum()) for rows in beyond]
    return pd.concat(
        [pd.DataFrame({"own_gaps": STEPS, "customers": customers, "returned": back}), share(back, customers)], axis=1
    )


def fitted_bound(overdue: Floats, gone: NDArray[np.bool_]) -> float:
    """The fewest own gaps, in tenths, beyond which at most ``MOST_RETURNING`` came back; NaN of too few customers."""
    order = np.argsort(overdue, kind="stable")[::-1]
    beyond = np.arange(1, len(order) + 1)
    few_return = np.flatnonzero((np.cumsum(~gone[order]) <= MOST_RETURNING * beyond) & (beyond >= ENOUGH))
    return float(np.ceil(overdue[order[few_return[-1]]] * 10) / 10) if len(few_return) else float("nan")


def monthly(visits: pd.DataFrame, months: Ints, base: float, bound: float = LOST) -> pd.DataFrame:
    """Who was active when a month began and had not come back when their usual gap had run out ``bound`` times in it.

    Args:
        visits: one row per unit, customer and visit: unit (without the column all are of one, ''), day (a whole
            number), next_day (NaN: none yet), visits (so many up to this one), median_gap (of the gaps up to this one;
            NaN of the first).
        months: the first days of consecutive months and, last, the day after the last month.
        base: days that a product of the range lasts.

    Returns:
        One row per unit and month: unit, month (its position), active (when it began), lost.
    """
    day, following = visits["day"].to_numpy("float64"), visits["next_day"].to_numpy("float64")
    many_units = "unit" in visits
    codes, units = pd.factorize(visits["unit"], sort=True) if many_units else (np.zeros(len(visits), np.int64), [""])
    runs_out = (
        day + np.floor(bound * usual_gap(visits["visits"], visits["median_gap"], base)) + 1
    )  # the first day on which the customer is lost
    lost = ~(following < runs_out)
    until = np.where(lost, runs_out, following)
    many = len(months) - 1
    started, ended = (np.searchsorted(months, days, side="right") - 1 for days in (day, until))
    size = len(units) * (many + 1)

    def counted(rows: NDArray[np.bool_], month: Ints) -> Floats:
        found = np.bincount((codes * (many + 1) + month + 1)[rows], minlength=size)
        return found.reshape(len(units), many + 1).astype("float64")

    # Position 0 of each is all that lies before the first month.
    begun = counted(started < many, started).cumsum(axis=1)
    over = counted(ended < many, ended).cumsum(axis=1)
    active = (begun - over)[:, :-1]
    gone = counted(lost & (ended < many) & (started < ended), ended)[:, 1:]
    return pd.DataFrame(
        {
            "unit": np.repeat(np.asarray(units), many),
            "month": np.tile(np.arange(many), len(units)),
            "active": active.ravel().astype("int64"),
            "lost": gone.ravel().astype("int64"),
        }
    )
