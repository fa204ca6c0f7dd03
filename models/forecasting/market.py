"""What is observed of the market (search interest, growth of a category, mentions) as something known ahead of sales.

Observations come by the month and late, so that of three months before is taken: it is known for every day of the
horizon, in a backtest, too. What counts is how far it lies from its own mean of the year before. A metric is used where
it shows: where, over all categories, months sold more than a year before by more than chance as it was higher. Others
are left out, so that they do no harm.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting.panel import Floats

_LAG: Final = 3  # months: a horizon of 56 days and the delay of whoever publishes
_YEAR: Final = 12  # months
_LEAST: Final = 24  # months of all categories together from which a metric is judged
_NOTICED: Final = 4.0  # standard errors
_MOST: Final = 1.0


def known(
    observed: pd.DataFrame, sold: Floats, categories: Sequence[str], dates: pd.DatetimeIndex
) -> dict[str, Floats]:
    """The metrics that show, by name: series x dates (history and horizon), 0 where nothing is known.

    Args:
        observed: metric, category (missing: of no category), observed_on, value.
        sold: series x days of the history, units.
        categories: of each series.
    """
    names = np.array(categories, dtype=object)
    months = dates.to_period("M")
    found: dict[str, Floats] = {}
    for metric, rows in observed.groupby("metric"):
        signal = _signal(rows, sorted(set(categories)), months)
        if _shows(signal, _monthly(sold, names, months)):
            by_day = signal.reindex(columns=months).to_numpy(dtype=np.float64)
            place = pd.Index(signal.index).get_indexer(pd.Index(names))
            found[f"market {metric}"] = np.nan_to_num(by_day[place])
    return found


def _signal(rows: pd.DataFrame, categories: list[str], months: pd.PeriodIndex) -> pd.DataFrame:
    """Category x month: the share by which the observation of ``_LAG`` months before lay off its mean of the year
    before; NaN where one of them is unknown."""
    span = pd.period_range(months[0] - _LAG - _YEAR, months[-1], freq="M")
    month = pd.to_datetime(rows["observed_on"]).dt.to_period("M")
    by_month = rows.assign(month=month).pivot_table(
        index=rows["category"].fillna(""), columns="month", values="value", aggfunc="mean"
    )
    of_each = by_month.reindex(index=categories, columns=span)
    if "" in by_month.index:
        of_each = of_each.fillna(by_month.reindex(columns=span).loc[""])
    usual = of_each.T.rolling(_YEAR).mean().shift(1).T
    off = (of_each - usual) / usual.abs().where(usual != 0)
    return off.clip(-_MOST, _MOST).shift(_LAG, axis=1).loc[:, months[0] :]


def _monthly(sold: Floats, categories: NDArray[np.object_], months: pd.PeriodIndex) -> pd.DataFrame:
    """Units of each category by whole month."""
    past = months[: sold.shape[1]]
    frame = pd.DataFrame(sold.T, index=past, columns=categories).T.groupby(level=0).sum().T.groupby(level=0).sum()
    months_sold = pd.PeriodIndex(frame.index)
    seen = past.value_counts().reindex(months_sold).to_numpy()
    return frame[seen == months_sold.days_in_month].T


def _shows(signal: pd.DataFrame, units: pd.DataFrame) -> bool:
    """Whether growth over the same month a year before rises or falls with the signal by more than chance."""
    positive = units.where(units > 0)
    growth = np.log(positive) - np.log(positive.shift(_YEAR, axis=1))
    y = np.asarray(growth, dtype=np.float64)
    x = signal.reindex(index=units.index, columns=units.columns).to_numpy(dtype=np.float64)
    both = np.isfinite(x) & np.isfinite(y)
    if both.sum() < _LEAST or np.ptp(x[both]) == 0:
        return False
    x, y = x[both] - x[both].mean(), y[both] - y[both].mean()
    slope = (x @ y) / (x @ x)
    error = np.sqrt(((y - slope * x) ** 2).sum() / (len(y) - 2) / (x @ x))
    return bool(abs(slope) > _NOTICED * error)
