"""How well alerts find shocks put into real and made-up series, beside simpler ways of looking: the protocol.

One thirtieth of the values of the last ``judged`` periods of each series is multiplied by a factor; every method then
says of each period how far out it lies. Two figures: the share of the others outside each method's own limit (nominal
1 %), and the share of shocks found where each method's limit is set so that exactly 1 % of the others lie outside.
``tests.benchmarks.alert_bounds`` says how much of that anybody could find.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from statsmodels.tsa.seasonal import STL

from data_access.demo.chain import build
from data_access.queries import stores as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import alerts, watch
from models.forecasting.events import china, marks, nothing
from models.forecasting.panel import Floats, Panel

SHOCKS = (0.5, 0.7, 1.5)
RATE = 1 / 30
_WEEKS_RATE = 1 / 10
JUDGED = {"D": 200, "W": 39}
_DRAWS = 10
_ROBUST = 1.4826  # of the median absolute deviation, of normal errors
_NOMINAL = 2.576  # standard deviations of 1 %, two-sided

Method = Callable[[Panel, int], Floats]  # how far out each of the last periods lies, in units of its own 1 % limit
Inject = Callable[[Panel, int, float, int], tuple[Panel, NDArray[np.bool_]]]  # factor, seed -> with shocks, where


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


def compare(panel: Panel, table: pd.DataFrame | None = None, shocks: Sequence[float] = SHOCKS) -> Iterator[Found]:
    """Every method on the series of a panel; ``table``: of events."""
    judged = JUDGED[panel.frequency]
    of_events = nothing() if table is None else table
    methods: dict[str, Method] = {"bands": _bands(of_events)}
    if panel.frequency == "D":
        methods |= {**_DAILY, "regression and recent level": _regression(of_events)}
    else:
        methods |= _WEEKLY
    for name, method in methods.items():
        yield found(name, panel, judged, method, inject, shocks=shocks)


def found(
    name: str,
    panel: Panel,
    judged: int,
    method: Method,
    inject: Inject,
    draws: int = _DRAWS,
    shocks: Sequence[float] = SHOCKS,
) -> Found:
    """The figures of one method."""
    clean = method(panel, judged)
    known = ~np.isnan(panel.values[:, -judged:]) & np.isfinite(clean)
    limit = float(np.quantile(clean[known], 0.99))
    at_rate, at_own = {}, {}
    for factor in shocks:
        out: list[Floats] = []
        for seed in range(draws):
            shocked, where = inject(panel, judged, factor, seed)
            out.append(method(shocked, judged)[where & known])
        every = np.concatenate(out)
        at_rate[factor], at_own[factor] = float((every > limit).mean()), float((every > 1).mean())
    return Found(name, float((clean[known] > 1).mean()), at_rate, at_own)


def by_week(panel: Panel, table: pd.DataFrame) -> Found:
    """Bands of seven days together; whole weeks are multiplied, and only weeks that follow on each other are judged."""
    return found("bands of a week", panel, JUDGED["D"], _weeks(table), inject_weeks)


def _weeks(table: pd.DataFrame) -> Method:
    def method(panel: Panel, judged: int) -> Floats:
        weeks = np.arange(judged)[::-7]
        out = np.full((len(panel.ids), judged), np.nan)
        out[:, weeks] = outness(alerts.bands(panel, table, judged, (7,))[7].p)[:, weeks]
        return out

    return method


@dataclass(frozen=True, slots=True)
class Chains:
    """Of several chains: false alarms of the bands by day and by week, of so many days and weeks; shocks of -50 % and
    -30 % that the bands and the regression find where each has 1 % false alarms, of so many."""

    days: int
    of_days: float
    weeks: int
    of_weeks: float
    shocks: int
    bands: dict[float, float]
    regression: dict[float, float]


def of_chains(seeds: Sequence[int], draws: int = 4) -> Iterator[tuple[str, Chains]]:
    """Receipts and sales a day of the stores of demo chains drawn with other seeds: one chain cannot tell a share of
    false alarms of 348 weeks, nor two of a hundred shocks apart."""
    chains = [daily_of_chain(seed) for seed in seeds]
    table, judged = china(), JUDGED["D"]
    for metric in chains[0]:
        panels = [chain[metric] for chain in chains]
        by_day, by_weeks = (
            np.concatenate([method(one, judged).ravel() for one in panels]) for method in (_bands(table), _weeks(table))
        )
        by_day, by_weeks = (out[np.isfinite(out)] for out in (by_day, by_weeks))
        told = {}
        for name, method in (("bands", _bands(table)), ("regression", _regression(table))):
            parts = [found(name, one, judged, method, inject, draws, (0.5, 0.7)) for one in panels]
            told[name] = {factor: float(np.mean([part.found[factor] for part in parts])) for factor in (0.5, 0.7)}
        shocks = sum(int(inject(one, judged, 0.5, seed)[1].sum()) for one in panels for seed in range(draws))
        yield (
            metric,
            Chains(
                len(by_day),
                float((by_day > 1).mean()),
                len(by_weeks),
                float((by_weeks > 1).mean()),
                shocks,
                told["bands"],
                told["regression"],
            ),
        )


def daily_of_chain(seed: int) -> dict[str, Panel]:
    """Receipts and sales a day of the stores of a demo chain, straight from what would be written."""
    core = build("demo", seed, date(2026, 11, 20), frozenset(), lambda _: None).core
    orders = core["sale_order"]
    orders["net"] = orders["order_id"].map(core["sale_line"].groupby("order_id")["net"].sum().astype(float))
    counted = orders[(orders["kind"] == "sale") & orders["cancelled_at"].isna() & (orders["net"] > 0)]
    day = (counted["ordered_at"] + pd.Timedelta(hours=8)).dt.floor("D").rename("day")
    days = counted.groupby(["store_id", day])["net"].agg(orders="size", gross_sales="sum").astype(float).reset_index()
    closed = core["store_closure"].assign(day=lambda rows: pd.to_datetime(rows["day"]))[["store_id", "day"]]
    found_ = {metric: watch.daily(days, closed, metric, days["day"].max()) for metric in ("orders", "gross_sales")}
    return {metric: panel for metric, panel in found_.items() if panel is not None}


def daily_series(snapshot: Snapshot) -> Iterator[tuple[str, Panel]]:
    """Each daily figure of the stores of a snapshot, with the promotions known ahead."""
    whole, last = Scope("chain"), snapshot.info.last_day
    if last is None:
        return
    rows = queries.series(whole, snapshot.engine, Period(snapshot.info.first_day or last, last))
    closed, offers = (ask(whole, snapshot.engine) for ask in (queries.closures, queries.promotions))
    for metric in watch.METRICS:
        days = watch.daily(rows, closed, metric, pd.Timestamp(last))
        if days is not None:
            yield metric, replace(days, known={"promotion": watch.promoted(offers, days)})


def of_snapshot(snapshot: Snapshot) -> Iterator[tuple[str, Found]]:
    """Every method on each daily figure of the stores of a snapshot, and the bands of a week."""
    for metric, panel in daily_series(snapshot):
        yield from ((f"{metric} a day", one) for one in compare(panel, china()))
        yield f"{metric} a week", by_week(panel, china())


def inject(panel: Panel, judged: int, factor: float, seed: int) -> tuple[Panel, NDArray[np.bool_]]:
    """The panel with shocks, and where they are among the last periods. Whole counts stay whole, rounded to either side
    by chance, so that none of them gives a shock away."""
    rng = np.random.default_rng(seed)
    values = panel.values.copy()
    last = values[:, -judged:]
    where = (rng.random(last.shape) < RATE) & ~np.isnan(last)
    last[where] = multiplied(last, factor, rng)[where]
    return replace(panel, values=values), where


def inject_weeks(panel: Panel, judged: int, factor: float, seed: int) -> tuple[Panel, NDArray[np.bool_]]:
    """As ``inject``, of whole weeks up to the last period; the mark is on the last day of each."""
    rng = np.random.default_rng(seed)
    values, where = panel.values.copy(), np.zeros((len(panel.ids), judged), dtype=bool)
    ends = np.arange(judged)[::-7]
    where[:, ends] = rng.random((len(panel.ids), len(ends))) < _WEEKS_RATE
    last = values[:, -judged:]
    within = where.copy()
    for back in range(1, 7):
        within[:, :-back] |= where[:, back:]
    last[within] = multiplied(last, factor, rng)[within]
    return replace(panel, values=values), where


def multiplied(values: Floats, factor: float, rng: np.random.Generator) -> Floats:
    known = values[~np.isnan(values)]
    whole = bool(np.all(np.mod(known, 1) == 0))
    found: Floats = np.floor(values * factor + rng.random(values.shape)) if whole else values * factor
    return found


def outness(chance: Floats) -> Floats:
    """How far out a value of this chance lies, in units of the limit of 1 %."""
    found: Floats = np.log(np.maximum(chance, 1e-300)) / np.log(alerts.NOMINAL)
    return found


def _bands(table: pd.DataFrame) -> Method:
    def method(panel: Panel, judged: int) -> Floats:
        return outness(alerts.bands(panel, table, judged)[1].p)

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
    """The remainder of a robust decomposition by season and trend, in median absolute deviations."""
    rows = []
    for rest in _remainders(panel):
        spread = _ROBUST * np.median(np.abs(rest - np.median(rest)))
        rows.append(np.abs(rest[-judged:]) / spread / _NOMINAL)
    return np.stack(rows)


def _stl_gesd(panel: Panel, judged: int) -> Floats:
    """The same remainder, by the generalised test for several outliers (B. Rosner, Technometrics 25, 1983) at 5 %."""
    return np.stack([_gesd(rest)[-judged:] for rest in _remainders(panel)])


def _remainders(panel: Panel) -> Iterator[Floats]:
    """Of the last two years of each series, all of them known."""
    for values in panel.values:
        filled = pd.Series(values[-2 * 364 :]).interpolate(limit_direction="both").to_numpy()
        yield STL(filled, period=7, robust=True).fit().resid


def _gesd(values: Floats, alpha: float = 0.05, most: float = 0.1) -> Floats:
    """The test statistic of each value by its critical value: above 1 where the test calls it an outlier."""
    left, size = np.arange(len(values)), len(values)
    removed, ratio = [], []
    for number in range(1, int(most * size) + 1):
        rest = values[left]
        off = np.abs(rest - rest.mean()) / rest.std(ddof=1)
        freedom = size - number - 1
        t = stats.t.ppf(1 - alpha / (2 * (size - number + 1)), freedom)
        critical = (size - number) * t / np.sqrt((freedom + t**2) * (size - number + 1))
        place = int(off.argmax())
        removed.append(left[place])
        ratio.append(off[place] / critical)
        left = np.delete(left, place)
    found = np.zeros(size)
    found[left] = np.abs(values[left] - values[left].mean()) / values[left].std(ddof=1) / critical
    # Whatever was taken out before one that is an outlier is one, too.
    found[removed] = np.maximum.accumulate(ratio[::-1])[::-1]
    return found


def _regression(table: pd.DataFrame) -> Method:
    """Logarithms by weekday, promotion and event, refitted every four weeks on the year before; their recent level
    (a tenth of the latest error each day); the distance in median absolute deviations of the last 150 errors."""

    def method(panel: Panel, judged: int) -> Floats:
        days = np.arange(panel.length)
        event = marks(table, panel.dates[: panel.length]).event if len(table) else np.zeros(panel.length, dtype=int)
        week = np.eye(7)[days % 7]
        events_ = np.eye(event.max() + 1)[event][:, 1:]
        rows = []
        for number, values in enumerate(np.log1p(panel.values)):
            offers = [known[number, : panel.length, None] for known in panel.known.values()]
            rows.append(_one_series(values, np.hstack([week, events_, *offers]), panel.length - judged))
        return np.stack(rows)

    return method


def _one_series(values: Floats, design: Floats, begin: int) -> Floats:
    errors: list[float] = []
    level, out = 0.0, []
    for day in range(begin - 2 * 182, len(values)):
        if (day - begin) % 28 == 0 or not errors:
            past = slice(max(day - 364, 0), day)
            known = ~np.isnan(values[past])
            x, y = design[past][known], values[past][known]
            slopes = np.linalg.solve(x.T @ x + 0.5 * np.eye(x.shape[1]), x.T @ y)
        error = values[day] - design[day] @ slopes - level
        if day >= begin:
            recent = np.array(errors[-150:])
            spread = _ROBUST * np.median(np.abs(recent - np.median(recent)))
            out.append(abs(error - np.median(recent)) / spread / _NOMINAL)
        if not np.isnan(error):
            level += 0.1 * error
            errors.append(error)
    return np.array(out)


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
    "STL and GESD": _stl_gesd,
}
_WEEKLY: Mapping[str, Method] = {"trailing 28 weeks": _trailing(28), "last year": _last_year}
