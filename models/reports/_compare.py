"""Periods to compare with: only such as the data cover in full."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from data_access.scope import Period
from data_access.snapshot import GenerationInfo

Sums = dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A period of the data, the equally long one before it and the same calendar days a year earlier.

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
        return [p for p in (self.period, self.previous, self.last_year) if p is not None]

    def sums(self, rows: pd.DataFrame) -> tuple[Sums, Sums | None, Sums | None]:
        """The rows of a query over ``covered``: of the period, of the one before, of last year (None: not covered)."""
        records = [{str(key): float(value) for key, value in row.items()} for row in rows.to_dict("records")]
        now = records.pop(0)
        previous = records.pop(0) if self.previous is not None else None
        return now, previous, records.pop(0) if self.last_year is not None else None

    def with_neighbours(self, days: pd.DataFrame) -> pd.DataFrame:
        """One row per day of the period, with the net sales of the days it is compared with.

        Args:
            days: a row per day with sales: day, net_sales and more figures, covering ``day_ranges``.

        Returns:
            The same columns, 0 (NaN for traffic) on days without a row, and previous and last_year: net sales of
            the day at the same place in the period before, and of the same calendar day a year earlier; NaN
            where that day lies outside the data, and for 29 February a year earlier.
        """
        figures = days.set_index("day")
        wanted = pd.date_range(self.period.first, self.period.last, unit="us", name="day")
        own = figures.reindex(wanted)
        sums = [str(column) for column in own if column != "traffic"]
        own[sums] = own[sums].fillna(0).astype(figures[sums].dtypes)
        every_day = pd.date_range(self.first_day, self.last_day, unit="us")
        net = figures["net_sales"].reindex(every_day, fill_value=0.0)
        earlier = wanted - pd.Timedelta(days=self.period.days)
        year_earlier = wanted - pd.DateOffset(years=1)
        leap_day = (wanted.month == 2) & (wanted.day == 29)
        own["previous"] = net.reindex(earlier).to_numpy()
        own["last_year"] = np.where(leap_day, np.nan, net.reindex(year_earlier).to_numpy())
        return own.reset_index()

    @property
    def day_ranges(self) -> list[Period]:
        """All days that ``with_neighbours`` looks at."""
        return [self.period, self.period.before(), self.period.last_year()]


def compare(info: GenerationInfo, asked: Period) -> Comparison | None:
    """The part of the ``asked`` period that the data cover, and what it compares with; None when there is none."""
    begin, end = info.first_day, info.last_day
    if begin is None or end is None or asked.first > end or asked.last < begin:
        return None
    period = Period(max(asked.first, begin), min(asked.last, end))
    previous, last_year = (
        p if begin <= p.first and p.last <= end else None for p in (period.before(), period.last_year())
    )
    return Comparison(period, previous, last_year, begin, end)
