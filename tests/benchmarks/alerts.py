"""How well alerts find shocks put into real and made-up series, beside simpler ways of looking: the protocol.

One thirtieth of the values of the last ``judged`` periods of each series is multiplied by a factor; every method then
says of each period how far out it lies. Two figures: the share of the others outside each method's own limit (nominal
1 %), and the share of shocks found where each method's limit is set so that exactly 1 % of the others lie outside.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from statsmodels.tsa.seasonal import STL

from data_access.queries import stores as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import alerts, watch
from models.forecasting.events import china, nothing
from models.forecasting.panel import Floats, Panel

SHOCKS = (0.5, 0.7, 1.5)
RATE = 1 / 30
JUDGED = {"D": 200, "W": 39}
_SEEDS = 5
_ROBUST = 1.4826  # of the median absolute deviation, of normal errors
_NOMINAL = 2.576  # standard deviations of 1 %, two-sided

Method = Callable[[Panel, int], Floats]  # how far out each of the last periods lies, in units of its own 1 % limit


@dataclass(frozen=True, slots=True)
class Found:
    """Of one method: false alarms at its own limit, and shocks found at 1 % false alarms, by factor."""

    method: str
    false_alarms: float
    found: dict[float, float]
    found_at_own_limit: dict[float, float]


def walmart(file: Path) -> Panel:
    """Weekly sales of 45 stores."""
    rows = pd.read_csv(file, encoding="utf-8-sig")
    wide = rows.assign(ds=pd.to_datetime(rows["Date"])).pivot(index="Store", columns="ds", values="Weekly_Sales")
    return Panel(tuple(map(str, wide.index)), pd.DatetimeIndex(wide.columns), wide.to_numpy(np.float64), "W", 52)


def compare(panel: Panel, table: pd.DataFrame | None = None) -> Iterator[Found]:
    """Every method on the series of a panel; ``table``: of events."""
    judged = JUDGED[panel.frequency]
    methods: Mapping[str, Method] = {"bands": _bands(nothing() if table is None else table)} | (
        _DAILY if panel.frequency == "D" else _WEEKLY
    )
    untouched = ~np.isnan(panel.values[:, -judged:])
    for name, method in methods.items():
        clean = method(panel, judged)
        known = untouched & np.isfinite(clean)
        limit = float(np.quantile(clean[known], 0.99))
        at_rate, at_own = {}, {}
        for factor in SHOCKS:
            hits, own, shocks = 0, 0, 0
            for seed in range(_SEEDS):
                shocked, where = inject(panel, judged, factor, seed)
                out = method(shocked, judged)[where & known]
                hits, own, shocks = hits + int((out > limit).sum()), own + int((out > 1).sum()), shocks + len(out)
            at_rate[factor], at_own[factor] = hits / shocks, own / shocks
        yield Found(name, float((clean[known] > 1).mean()), at_rate, at_own)


def of_snapshot(snapshot: Snapshot) -> Iterator[tuple[str, Found]]:
    """Every method on each daily figure of the stores of a snapshot."""
    whole, last = Scope("chain"), snapshot.info.last_day
    if last is None:
        return
    rows = queries.series(whole, snapshot.engine, Period(snapshot.info.first_day or last, last))
    closed, offers = (ask(whole, snapshot.engine) for ask in (queries.closures, queries.promotions))
    for metric in watch.METRICS:
        days = watch.daily(rows, closed, metric, pd.Timestamp(last))
        if days is not None:
            promoted = replace(days, known={"promotion": watch.promoted(offers, days)})
            yield from ((metric, found) for found in compare(promoted, china()))


def inject(panel: Panel, judged: int, factor: float, seed: int) -> tuple[Panel, NDArray[np.bool_]]:
    """The panel with shocks, and where they are among the last periods. Whole counts stay whole."""
    rng = np.random.default_rng(seed)
    values = panel.values.copy()
    last = values[:, -judged:]
    where = (rng.random(last.shape) < RATE) & ~np.isnan(last)
    whole = bool(np.all(np.mod(panel.values[~np.isnan(panel.values)], 1) == 0))
    last[where] = np.round(last[where] * factor) if whole else last[where] * factor
    return replace(panel, values=values), where


def _bands(table: pd.DataFrame) -> Method:
    def method(panel: Panel, judged: int) -> Floats:
        chance = alerts.bands(panel, table, judged).p
        found: Floats = np.log(np.maximum(chance, 1e-300)) / np.log(alerts.NOMINAL)
        return found

    return method


def _trailing(length: int) -> Method:
    """The distance from the mean of the periods before, in their standard deviations."""

    def method(panel: Panel, judged: int) -> Floats:
        out = []
        for at in range(panel.length - judged, panel.length):
            before = panel.values[:, at - length : at]
            out.append(np.abs(panel.values[:, at] - np.nanmean(before, axis=1)) / np.nanstd(before, axis=1))
        return np.stack(out, axis=1) / _NOMINAL

    return method


def _same_weekday(panel: Panel, judged: int) -> Floats:
    """The distance from the median of the same weekday of the eight weeks before, in median absolute deviations."""
    out = []
    for at in range(panel.length - judged, panel.length):
        before = panel.values[:, at - 56 : at : 7]
        middle = np.nanmedian(before, axis=1)
        spread = np.maximum(_ROBUST * np.nanmedian(np.abs(before - middle[:, None]), axis=1), 1e-9)
        out.append(np.abs(panel.values[:, at] - middle) / spread)
    return np.stack(out, axis=1) / _NOMINAL


def _stl(panel: Panel, judged: int) -> Floats:
    """The remainder of a robust decomposition by season and trend of the last year, all of it known, in median absolute
    deviations."""
    rows = []
    for values in panel.values:
        filled = pd.Series(values[-2 * 364 :]).interpolate(limit_direction="both").to_numpy()
        rest = STL(filled, period=7, robust=True).fit().resid
        spread = _ROBUST * np.median(np.abs(rest - np.median(rest)))
        rows.append(np.abs(rest[-judged:]) / spread / _NOMINAL)
    return np.stack(rows)


def _last_year(panel: Panel, judged: int) -> Floats:
    """The distance of the ratio to the week a year before from its median of 26 weeks, in absolute deviations."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.log(panel.values[:, 52:] / panel.values[:, :-52])
    out = []
    for at in range(ratio.shape[1] - judged, ratio.shape[1]):
        before = ratio[:, max(at - 26, 0) : at]
        middle = np.nanmedian(before, axis=1)
        spread = _ROBUST * np.nanmedian(np.abs(before - middle[:, None]), axis=1)
        out.append(np.abs(ratio[:, at] - middle) / np.maximum(spread, 1e-9))
    return np.stack(out, axis=1) / _NOMINAL


_DAILY: Mapping[str, Method] = {
    "trailing 28 days": _trailing(28),
    "same weekday, 8 weeks": _same_weekday,
    "STL remainder": _stl,
}
_WEEKLY: Mapping[str, Method] = {"trailing 28 weeks": _trailing(28), "last year": _last_year}
