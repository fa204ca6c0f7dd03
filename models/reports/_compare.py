"""Periods to compare with: only such as the data cover in full."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.scope import Period
from data_access.snapshot import GenerationInfo
from models.calc.days import sums_by

Sums = dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period of the data, the equally long one before it and the days of a year earlier it compares with.

    The last two are None where the data do not cover them in full: a comparison with a part of a period, or
    with none, is no comparison.
    """

    period: Period
    previous: Period | None
    last_year: Period | None
    first_day: date
    last_day: date

    @property
    def covered(self) -> list[Period]:
        """The period and whichever of the others exist."""
        return [p for p in self.periods if p is not None]

    @property
    def periods(self) -> tuple[Period, Period | None, Period | None]:
        """The period, the one before and last year's."""
        return self.period, self.previous, self.last_year

    @property
    def unknown(self) -> list[str]:
        """The columns of the comparisons that do not exist."""
        return [name for name in ("previous", "last_year") if getattr(self, name) is None]

    def sums(self, rows: pd.DataFrame) -> tuple[Sums, Sums | None, Sums | None]:
        """The rows of a query over ``covered``: of the period, of the one before, of last year (None: not covered)."""
        records = [{str(key): float(value) for key, value in row.items()} for row in rows.to_dict("records")]
        now = records.pop(0)
        previous = records.pop(0) if self.previous is not None else None
        return now, previous, records.pop(0) if self.last_year is not None else None

    def with_neighbours(self, days: pd.DataFrame) -> pd.DataFrame:
        """One row per day of the period, with the net sales of the days it is compared with.

        Args:
            days: the sums of days, covering ``day_ranges``.

        Returns:
            day and its sums, 0 (NaN for traffic) on days without a row, and previous and last_year: net sales of
            the day at the same place in the period before, and of the same calendar day a year earlier, or of
            the same day of its festival; NaN where that day lies outside the data, and for 29 February a year earlier.
        """
        begin = np.datetime64(self.first_day)
        known = (self.last_day - self.first_day).days + 1
        number = (days["day"].to_numpy().astype("datetime64[D]") - begin).astype(np.int64)
        inside = (number >= 0) & (number < known)
        every = sums_by(days[inside], number[inside], known)
        wanted = pd.date_range(self.period.first, self.period.last, unit="us")
        place = (self.period.first - self.first_day).days + np.arange(len(wanted))
        back = self.period.year_back
        offset = pd.DateOffset(years=1) if back is None else pd.Timedelta(days=back)
        year_earlier = (wanted - offset).to_numpy().astype("datetime64[D]") - begin
        leap_day = (wanted.month == 2) & (wanted.day == 29) & (back is None)

        def net(number: NDArray[np.int64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
            outside = missing | (number < 0) | (number >= known)
            return np.where(outside, np.nan, every["net_sales"][np.where(outside, 0, number)])

        return pd.DataFrame(
            {
                "day": wanted,
                **{name: sums[place] for name, sums in every.items()},
                "previous": net(place - self.period.days, np.zeros(len(place), dtype=bool)),
                "last_year": net(year_earlier.astype(np.int64), leap_day),
            }
        )

    @property
    def day_ranges(self) -> list[Period]:
        """All days that ``with_neighbours`` looks at."""
        return [self.period, self.period.before(), self.period.last_year()]


def compare(info: GenerationInfo, asked: Period) -> Comparison | None:
    """The part of the ``asked`` period that the data cover, and what it compares with; None when there is none."""
    begin, end = info.first_day, info.last_day
    if begin is None or end is None or asked.first > end or asked.last < begin:
        return None
    period = Period(max(asked.first, begin), min(asked.last, end), asked.year_back)
    previous, last_year = (
        p if begin <= p.first and p.last <= end else None for p in (period.before(), period.last_year())
    )
    return Comparison(period, previous, last_year, begin, end)
