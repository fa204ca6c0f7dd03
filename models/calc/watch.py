"""The daily and weekly figures of stores as series, and which of their latest values are alerts.

Sales, receipts and visitors of each store are looked at day by day, and by the seven days up to the latest: a small
store has quiet days for no reason, but no quiet week. All series of a day are judged together
(``models.calc.alerts.discoveries``).
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calc import alerts
from models.calc.alerts import Bands
from models.forecasting.panel import Floats, Panel

Grain = Literal["day", "week"]

METRICS: Final = ("gross_sales", "orders", "traffic")
KEPT: Final[dict[Grain, int]] = {"day": 56, "week": 13}  # values beside their bands
LATEST: Final[dict[Grain, int]] = {"day": 14, "week": 2}  # of them, those that may be alerts
GRAINS: Final[tuple[Grain, ...]] = ("day", "week")
_WEEK = 7
_YEAR = 364
_OFTEN = 1 / 3  # of the days of a year: a store that sells on fewer has no usual day, and no band of one
DAYS: Final[dict[Grain, int]] = {"day": 1, "week": _WEEK}  # taken together


@dataclass(frozen=True, slots=True)
class Watched:
    """What was looked at. bands: store_id, metric, grain, day, value, expected, lo, hi. found: those outside, with
    chance and kind (alert | odd). summary: grain, series, looked_at, outside, found, expected_a_week."""

    bands: pd.DataFrame
    found: pd.DataFrame
    summary: pd.DataFrame


def watched(
    series: pd.DataFrame, closures: pd.DataFrame, promotions: pd.DataFrame, table: pd.DataFrame, last: pd.Timestamp
) -> Watched:
    """The latest values of each series of ``series`` (store_id, day and ``METRICS``) beside their bands.

    closures: store_id, day. promotions: store_id, starts_on, ends_on, discount, products. table: of events.
    """
    parts = []
    for metric in METRICS:
        days = daily(series, closures, metric, last)
        if days is None:
            continue
        panel = replace(days, known={"promotion": promoted(promotions, days)})
        judged = max(KEPT[grain] * DAYS[grain] for grain in GRAINS)
        if panel.length > judged + alerts.LEAST:
            found = alerts.bands(panel, table, judged, tuple(DAYS.values()))
            parts += [_rows(panel, found[DAYS[grain]], metric, grain) for grain in GRAINS]
    columns = ["store_id", "metric", "grain", "day", "value", "expected", "lo", "hi", "chance"]
    every = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    every = every[every["expected"].notna()]
    latest = _latest(every)
    outside = latest[latest["chance"] < alerts.NOMINAL]
    return Watched(every.drop(columns="chance"), outside, _summary(latest, outside))


def daily(series: pd.DataFrame, closures: pd.DataFrame, metric: str, last: pd.Timestamp) -> Panel | None:
    """One figure of every store, day by day up to ``last``; NaN before a store's first day and while it is closed.

    A day without a row is one without a sale; a store whose last row is older than four weeks has ended, and one that
    seldom sells is left out. Without a single value: None.
    """
    known = series[["store_id", "day", metric]].dropna()
    if known.empty:
        return None
    wide = known.pivot(index="store_id", columns="day", values=metric)
    wide = wide.reindex(columns=pd.date_range(known["day"].min(), last)).sort_index()
    recent = wide.iloc[:, -4 * _WEEK :].notna().any(axis=1)
    wide = wide[recent]
    if wide.empty:
        return None
    begun = wide.notna().to_numpy().cumsum(axis=1) > 0
    # Nobody counted where the counter has no row; nothing was sold where there is no receipt.
    values = wide.to_numpy(np.float64)
    values = np.where(begun & np.isnan(values), np.nan if metric == "traffic" else 0.0, values)
    values[_closed(closures, wide)] = np.nan
    often = _often(values)
    if not often.any():
        return None
    return Panel(tuple(map(str, wide.index[often])), pd.DatetimeIndex(wide.columns), values[often], "D", _WEEK)


def _often(values: Floats) -> NDArray[np.bool_]:
    """Whether a series has something on enough of the days that are known of its last year."""
    year = values[:, -_YEAR:]
    found: NDArray[np.bool_] = (year > 0).sum(axis=1) >= _OFTEN * (~np.isnan(year)).sum(axis=1)
    return found


def _closed(closures: pd.DataFrame, wide: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    row = wide.index.get_indexer(pd.Index(closures["store_id"]))
    column = wide.columns.get_indexer(pd.DatetimeIndex(closures["day"]))
    inside = (row >= 0) & (column >= 0)
    return row[inside], column[inside]


def promoted(promotions: pd.DataFrame, panel: Panel) -> Floats:
    """How much is reduced in each store on each day: products times discount, in the unit of the store's mean."""
    begins = panel.dates[0]
    total = np.zeros((len(panel.ids), len(panel.dates) + 1))
    row = pd.Index(panel.ids).get_indexer(pd.Index(promotions["store_id"]))
    amount = (promotions["discount"] * promotions["products"]).to_numpy(np.float64)
    first = (promotions["starts_on"] - begins).dt.days.to_numpy()
    last = (promotions["ends_on"] - begins).dt.days.to_numpy() + 1
    inside = (row >= 0) & (last > 0) & (first < len(panel.dates))
    np.add.at(total, (row[inside], np.clip(first[inside], 0, None)), amount[inside])
    np.add.at(total, (row[inside], np.clip(last[inside], None, len(panel.dates))), -amount[inside])
    depth = total.cumsum(axis=1)[:, :-1]
    usual = depth.mean(axis=1, keepdims=True)
    found: Floats = depth / np.where(usual > 0, usual, 1.0)
    return found


def _rows(panel: Panel, found: Bands, metric: str, grain: Grain) -> pd.DataFrame:
    """The values that are kept, beside their bands: every day, or every seventh up to the last."""
    many, judged = found.expected.shape
    kept = np.arange(judged)[:: -DAYS[grain]][: KEPT[grain]][::-1]
    known = [getattr(found, name)[:, kept] for name in ("value", "expected", "lo", "hi", "p")]
    columns = dict(zip(("value", "expected", "lo", "hi", "chance"), (part.ravel() for part in known), strict=True))
    days = panel.dates[panel.length - judged : panel.length][kept]
    named = {"store_id": np.repeat(panel.ids, len(kept)), "metric": metric, "grain": grain}
    return pd.DataFrame(named | {"day": np.tile(days, many)} | columns)


def _latest(every: pd.DataFrame) -> pd.DataFrame:
    """The values that may be alerts, with their kind; those of a day and grain are judged together."""
    days = every.groupby("grain")["day"].rank(method="dense", ascending=False)
    rows = every[days <= every["grain"].map(LATEST)].copy()
    rows["kind"] = "odd"
    for _, group in rows.groupby(["grain", "day"]):
        found = alerts.discoveries(group["chance"].to_numpy(np.float64))
        rows.loc[group.index[found], "kind"] = "alert"
    return rows


def _summary(latest: pd.DataFrame, outside: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for grain in GRAINS:
        of_grain, odd = latest[latest["grain"] == grain], outside[outside["grain"] == grain]
        series = len(of_grain.drop_duplicates(["store_id", "metric"]))
        looked_at = int(of_grain["chance"].notna().sum())
        a_week = looked_at / LATEST[grain] * (_WEEK if grain == "day" else 1) * alerts.NOMINAL
        rows.append((grain, series, looked_at, len(odd), int((odd["kind"] == "alert").sum()), a_week))
    return pd.DataFrame(rows, columns=["grain", "series", "looked_at", "outside", "found", "expected_a_week"])
