"""Prophet (Taylor and Letham 2018): one model per series without its events, for the few series of upper levels.

Its own holidays of China lack Double 11, 618 and Qixi and name the same day differently from year to year, and it takes
each day of an event for what it was once in this series; what ``events`` learnt from all series replaces them. No
sampling: intervals come from ``intervals``.

Sales are taken in logarithms: days of the week and of the year multiply, as events do. Where there are none on many
days there is no logarithm, and they are fitted as they are. Both are solved for (``additive``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

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


def fits(panel: Panel) -> dict[str, Fit]:
    """The fit of each series, by its name."""
    calendar = Calendar(panel.dates)
    return {name: _fit(panel, row, calendar) for row, name in enumerate(panel.ids)}


def forecast(panel: Panel, found: Mapping[str, Fit]) -> Floats:
    """Series x horizon, from the fits of the panel's series."""
    return np.stack([found[name].expected()[panel.length :] for name in panel.ids])


def components(panel: Panel, found: Mapping[str, Fit], event: Floats) -> pd.DataFrame:
    """What the expectation of each date consists of, history and horizon. event: by what events multiply it, series x
    dates.

    Returns unique_id, ds, expected, trend (in units of the series), and by what week, season, event and known (what
    else is known ahead, as promotions) multiply it.
    """
    parts = []
    for row, name in enumerate(panel.ids):
        fit = found[name]
        trend = fit.found["trend"].to_numpy(dtype=np.float64)
        parts.append(
            pd.DataFrame(
                {
                    "unique_id": name,
                    "ds": panel.dates,
                    "expected": fit.expected() * event[row],
                    "trend": (np.exp(trend) if fit.logs else trend) * fit.factor,
                    "week": fit.part("weekly"),
                    "season": fit.part("yearly"),
                    "event": event[row],
                    "known": fit.part("known"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _is_yearly(panel: Panel, row: int) -> bool:
    return panel.frequency != "D" or panel.length - int(panel.begins[row]) >= _YEARLY_FROM


def _fit(panel: Panel, row: int, calendar: Calendar) -> Fit:
    values, known = panel.values[row], {name: of[row] for name, of in panel.known.items()}
    begin, weekly, yearly = int(panel.begins[row]), panel.frequency == "D", _is_yearly(panel, row)
    if (values[begin:] <= 0).mean() > _SELDOM:
        return Fit(False, additive.fit_shares(calendar, values, known, weekly=weekly, yearly=yearly), 1.0)
    fit = Fit(True, additive.fit(calendar, values, known, weekly=weekly, yearly=yearly), 1.0)
    return replace(fit, factor=_unbiased(values[begin:], fit.expected()[begin : panel.length]))


def _unbiased(values: Floats, expected: Floats) -> float:
    """The exponent of a mean logarithm lies below the mean (Duan 1983): by how much, in the last year."""
    return float(values[-365:].sum() / expected[-365:].sum())
