"""Prophet (Taylor and Letham 2018) with our own event table: one model per series, for the few series of upper levels.

Its own holidays of China lack Double 11, 618 and Qixi and name the same day differently from year to year; the table of
``events`` replaces them. No sampling: intervals come from ``intervals``.

Sales are taken in logarithms: an event multiplies its day whatever the weekday, which a sum of shares does not. These
are solved for (``additive``). A series with many days without sales has no logarithm and is fitted as it is, by Stan.
"""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np
import pandas as pd
import stanio

from models.forecasting import additive
from models.forecasting.additive import Calendar
from models.forecasting.panel import Floats, Panel

_YEARLY_FROM: Final = 548  # days: a year and a half; with less the yearly wave is guessed
_SELDOM: Final = 0.02  # share of days without sales up to which they count as unknown


@dataclass(frozen=True)
class Fit:
    """The parts of one series' expectation by date, history and horizon: logarithms, or shares of the trend."""

    logs: bool
    found: pd.DataFrame
    factor: float

    def expected(self) -> Floats:
        yhat = self.found["yhat"].to_numpy(dtype=np.float64)
        return (np.exp(yhat) if self.logs else yhat) * self.factor

    def part(self, name: str) -> Floats:
        """By what a part multiplies the trend."""
        if name not in self.found:
            return np.ones(len(self.found))
        values = self.found[name].to_numpy(dtype=np.float64)
        return np.exp(values) if self.logs else 1 + values


def fits(panel: Panel, table: pd.DataFrame) -> dict[str, Fit]:
    """The fit of each series, by its name."""
    calendar, features = Calendar(panel.dates, table), _Features(panel.dates)
    found = {}
    for row, name in enumerate(panel.ids):
        without = (panel.values[row, panel.begins[row] :] <= 0).mean()
        found[name] = (
            _of_logarithms(panel, row, calendar) if without <= _SELDOM else _of_shares(panel, row, table, features)
        )
    return found


def forecast(panel: Panel, found: Mapping[str, Fit]) -> Floats:
    """Series x horizon, from the fits of the panel's series."""
    return np.stack([found[name].expected()[panel.length :] for name in panel.ids])


def components(panel: Panel, found: Mapping[str, Fit]) -> pd.DataFrame:
    """What the expectation of each date consists of, history and horizon.

    Returns unique_id, ds, expected, trend (in units of the series), and by what week, season, event and known (what
    else is known ahead, as promotions) multiply it.
    """
    parts = []
    for name in panel.ids:
        fit = found[name]
        known = "extra_regressors_additive" if fit.logs else "extra_regressors_multiplicative"
        trend = fit.found["trend"].to_numpy(dtype=np.float64)
        parts.append(
            pd.DataFrame(
                {
                    "unique_id": name,
                    "ds": panel.dates,
                    "expected": fit.expected(),
                    "trend": (np.exp(trend) if fit.logs else trend) * fit.factor,
                    "week": fit.part("weekly"),
                    "season": fit.part("yearly"),
                    "event": fit.part("holidays"),
                    "known": fit.part(known),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _is_yearly(panel: Panel, row: int) -> bool:
    return panel.frequency != "D" or panel.length - int(panel.begins[row]) >= _YEARLY_FROM


def _of_logarithms(panel: Panel, row: int, calendar: Calendar) -> Fit:
    values, known = panel.values[row], {name: of[row] for name, of in panel.known.items()}
    weekly, yearly = panel.frequency == "D", _is_yearly(panel, row)
    fit = Fit(True, additive.fit(calendar, values, known, weekly=weekly, yearly=yearly), 1.0)
    begin = int(panel.begins[row])
    return replace(fit, factor=_unbiased(values[begin:], fit.expected()[begin : panel.length]))


def _of_shares(panel: Panel, row: int, table: pd.DataFrame, features: "_Features") -> Fit:
    from prophet import Prophet

    for name in ("cmdstanpy", "prophet"):
        logging.getLogger(name).disabled = True  # they tell of every fit
    begin = int(panel.begins[row])
    frame = pd.DataFrame({"ds": panel.dates[begin : panel.length], "y": panel.values[row, begin:]})
    ahead = pd.DataFrame({"ds": panel.dates})
    model = Prophet(
        holidays=_holidays(table, panel.dates[begin:]),
        seasonality_mode="multiplicative",
        weekly_seasonality=panel.frequency == "D",
        yearly_seasonality=additive.WAVES if _is_yearly(panel, row) else False,
        daily_seasonality=False,
        uncertainty_samples=0,
    )
    for name, known in panel.known.items():
        model.add_regressor(name)
        frame[name], ahead[name] = known[row, begin : panel.length], known[row]
    assert model.stan_backend is not None
    model.stan_backend.model = _Written(model.stan_backend.model)
    vars(model)["make_all_seasonality_features"] = partial(features.of, model, begin)
    model.fit(frame, seed=1)
    return Fit(False, model.predict(ahead), 1.0)


class _Features:
    """What Prophet knows of each date, made once for all series that begin together: it makes them for every series
    twice, in loops over the days of events that take longer than to fit it."""

    def __init__(self, dates: pd.DatetimeIndex) -> None:
        self.dates = dates
        self.made: dict[object, Any] = {}

    def of(self, model: Any, begin: int, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[float], pd.DataFrame, Any]:
        """As ``Prophet.make_all_seasonality_features``, with the regressors of this series."""
        known = list(model.extra_regressors)
        key = begin, tuple(model.seasonalities), model.seasonality_mode
        if key not in self.made:
            whole = pd.DataFrame({"ds": self.dates} | dict.fromkeys(known, 0.0))
            self.made[key] = type(model).make_all_seasonality_features(model, whole)
        whole, priors, components, modes = self.made[key]
        rows = whole.iloc[self.dates.get_indexer(pd.DatetimeIndex(frame["ds"]))].reset_index(drop=True)
        rows[known] = frame[known].to_numpy()
        return rows, priors, components, {mode: list(names) for mode, names in modes.items()}


@dataclass(frozen=True)
class _Written:
    """The compiled model, handed its data as a file: cmdstanpy writes them number by number, which takes longer than
    to fit them."""

    compiled: Any

    def optimize(self, data: Mapping[str, Any], **options: Any) -> Any:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(stanio.dump_stan_json({name: np.asarray(values) for name, values in data.items()}))
            file.flush()
            return self.compiled.optimize(data=file.name, **options)


def _unbiased(values: Floats, expected: Floats) -> float:
    """The exponent of a mean logarithm lies below the mean (Duan 1983): by how much, in the last year."""
    return float(values[-365:].sum() / expected[-365:].sum())


def _holidays(table: pd.DataFrame, dates: pd.DatetimeIndex) -> pd.DataFrame | None:
    """The rows of the table that touch the dates, as Prophet wants them."""
    before, after = pd.to_timedelta(table["before"], unit="D"), pd.to_timedelta(table["after"], unit="D")
    near = table[(table["ds"] + after >= dates[0]) & (table["ds"] - before <= dates[-1])]
    if near.empty:
        return None
    return pd.DataFrame(
        {"holiday": near["event"], "ds": near["ds"], "lower_window": -near["before"], "upper_window": near["after"]}
    ).reset_index(drop=True)
