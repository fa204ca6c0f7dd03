"""From one file to another: what ``python -m models forecast`` does."""

import io
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pandas as pd

from data_access.errors import Problem
from models.forecasting import classes, engine, events, panel, policy
from models.forecasting.panel import Frequency, Gaps, Panel

FREQUENCIES: Final = ("D", "W", "M")
GAPS: Final = ("zero", "unknown")
CALENDARS: Final = ("china", "none")
_WARM: Final = 40


@dataclass(frozen=True)
class Spent:
    """CPU seconds of this process and its children: before any series was looked at, and on the forecasts."""

    starting: float
    forecasting: float
    series: int

    def sentence(self) -> str:
        each = 1000 * self.forecasting / max(self.series, 1)
        return (
            f"{self.series} series; CPU: {self.forecasting:.2f} s forecasting ({each:.1f} ms a series), "
            f"{self.starting:.2f} s imports and compilation"
        )


def run(
    rows: pd.DataFrame,
    horizon: int,
    frequency: str | None = None,
    season: int | None = None,
    future: pd.DataFrame | None = None,
    calendar: str = "china",
    gaps: str = "zero",
) -> tuple[engine.Result, list[str]]:
    """The forecasts, and what the terminal is told beside them.

    Raises:
        Problem: the frame cannot be read so, or an option is none.
    """
    if frequency is not None and frequency not in FREQUENCIES:
        raise Problem(f"there is no frequency {frequency!r}: --freq is one of {', '.join(FREQUENCIES)}")
    if gaps not in GAPS:
        raise Problem(f"there are no gaps {gaps!r}: --gaps is one of {', '.join(GAPS)}")
    if season is not None and season < 2:
        raise Problem(f"a season of {season} repeats nothing: --season is at least 2")
    table = _table(calendar)
    began = _cpu()
    read = panel.read(rows, horizon, _frequency(frequency), season, future, _gaps(gaps))
    reading = _cpu() - began
    _warm_up(read)
    started = _cpu() - reading
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the packages: series that are flat or short, which is no news here
        found = engine.forecast(read, table)
    told = [_kinds(read, found)]
    below = int((read.values < 0).sum())
    if below:
        told.append(f"{below} values of y are below 0 and taken as they are; no forecast is")
    left = panel.unused(rows, read)
    if left:
        told.append(f"not used: {', '.join(left)} (say how they go on with --future)")
    told.append(Spent(started, _cpu() - started, len(read.ids)).sentence())
    return found, told


def encoded(forecasts: pd.DataFrame, ids: "pd.Series[Any]", parquet: bool) -> bytes:
    """The rows as a file, series named as in ``ids``: numbers stay numbers."""
    rows = forecasts.assign(unique_id=forecasts["unique_id"].astype(ids.dtype))
    if parquet:
        buffer = io.BytesIO()
        rows.to_parquet(buffer, index=False)
        return buffer.getvalue()
    return rows.to_csv(index=False, date_format="%Y-%m-%d", float_format="%.6f", lineterminator="\n").encode("utf-8")


def _frequency(text: str | None) -> Frequency | None:
    return cast(Frequency, text) if text else None


def _gaps(text: str) -> Gaps:
    return "unknown" if text == "unknown" else "zero"


def _table(calendar: str) -> pd.DataFrame:
    if calendar == "china":
        return events.china()
    return events.nothing() if calendar == "none" else events.of_file(Path(calendar))


def _kinds(read: Panel, found: engine.Result) -> str:
    names = list(found.kinds.values())
    counts = ", ".join(f"{names.count(kind)} {kind}" for kind in classes.KINDS if kind in names)
    return (
        f"{read.frequency} ({read.dates.freqstr}), season {read.season}, {read.length} periods of history from "
        f"{read.dates[0].date()} to {read.dates[read.length - 1].date()}: {counts}"
    )


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _warm_up(read: Panel) -> None:
    """Imports what the kinds of these series need, and has compiled what is compiled at first use."""
    kinds = classes.kinds(read)
    needed = {
        name
        for kind in classes.KINDS
        if (kinds == kind).any()
        for name in policy.methods(read.frequency, kind, int((kinds == kind).sum()))
    }
    if "lightgbm" in needed:
        import lightgbm  # noqa: F401
    if "stl" in needed:
        import statsmodels.tsa.seasonal  # noqa: F401
    if "mfles" in needed:
        from statsforecast.models import MFLES

        wave = 10 + np.sin(np.arange(_WARM, dtype=np.float64))
        for values in (wave, np.exp(5 * np.cos(np.arange(_WARM, dtype=np.float64) ** 2))):
            MFLES(4, changepoints=False).forecast(values, 2)
