"""The days people mostly ask for, so that a batch can have their answers ready."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

import pandas as pd

from data_access.scope import Period
from models.calc.calendar import IN_ORDER, Event, events


def _last(days: int) -> Callable[[date, date], Period]:
    return lambda first_day, last_day: Period(last_day - timedelta(days=days - 1), last_day)


def _last_month(first_day: date, last_day: date) -> Period:
    end = last_day.replace(day=1) - timedelta(days=1)
    return Period(end.replace(day=1), end)


def _last_year_of_months(first_day: date, last_day: date) -> Period:
    """Twelve months to the day: from the day after the same day a year ago."""
    return Period(Period(last_day, last_day).last_year().first + timedelta(days=1), last_day)


def have_ended(days: pd.Series, as_of: datetime) -> pd.Series:
    """Whether each of ``days`` is over at an instant: nothing more can happen on it from its last second on."""
    return days + pd.Timedelta(days=1, seconds=-1) <= pd.Timestamp(as_of)


# Name in the URL -> the days, given the first and last day of the data.
PRESETS: Final[dict[str, Callable[[date, date], Period]]] = {
    "7d": _last(7),
    "28d": _last(28),
    "90d": _last(90),
    "month": lambda first_day, last_day: Period(last_day.replace(day=1), last_day),
    "last_month": _last_month,
    "quarter": lambda first_day, last_day: Period(
        last_day.replace(month=(last_day.month - 1) // 3 * 3 + 1, day=1), last_day
    ),
    "year": lambda first_day, last_day: Period(last_day.replace(month=1, day=1), last_day),
    "12m": _last_year_of_months,
    "all": lambda first_day, last_day: Period(first_day, last_day),
}


# The festivals that are offered as days of their own.
FESTIVALS: Final = IN_ORDER[:6]


def preset(name: str, first_day: date, last_day: date) -> Period:
    """The days of a preset, cut to those of the data; one that ends before them (last month) starts with them."""
    return within(PRESETS[name](first_day, last_day), first_day, last_day)


def within(period: Period, first_day: date, last_day: date) -> Period:
    """``period`` cut to the days of the data."""
    last = max(min(period.last, last_day), first_day)
    return Period(min(max(period.first, first_day), last), last, period.year_back)


def possible(first_day: date, last_day: date) -> list[str]:
    """The presets whose days the data cover in full, so that none promises more days than it shows; and all."""
    return [
        name
        for name, days in PRESETS.items()
        if name == "all" or preset(name, first_day, last_day) == days(first_day, last_day)
    ]


def festivals(first_day: date, last_day: date, currency: str) -> dict[str, Period]:
    """The latest days of each festival worth a look of its own that the data cover in full, by its key; they compare
    with the same festival a year before."""
    covered = [
        event
        for event in events(first_day, last_day, currency)
        if event.key in FESTIVALS and first_day <= event.first and event.last <= last_day
    ]
    latest = {event.key: Period(event.first, event.last) for event in covered}
    return {key: like_its_festival(latest[key], currency) or latest[key] for key in FESTIVALS if key in latest}


def festival_of(period: Period, currency: str) -> Event | None:
    """The event of ``period``: the one that lies in it with most of its days, the more important one first."""

    def part(event: Event) -> float:
        inside = (min(event.last, period.last) - max(event.first, period.first)).days + 1
        return inside / ((event.last - event.first).days + 1)

    found = [event for event in events(period.first, period.last, currency) if event.key in IN_ORDER]
    return max(found, key=lambda event: (part(event), -IN_ORDER.index(event.key)), default=None)


def like_its_festival(period: Period, currency: str) -> Period | None:
    """``period``, compared with the days that lie as far from the same festival of last year; None without one."""
    event = festival_of(period, currency)
    if event is None:
        return None
    year = event.last.year - 1
    earlier = next(e for e in events(date(year, 1, 1), date(year, 12, 31), currency) if e.key == event.key)
    return replace(period, year_back=(event.last - earlier.last).days)


def every(first_day: date, last_day: date) -> tuple[Period, ...]:
    """The days of all presets, each once."""
    found = (preset(name, first_day, last_day) for name in PRESETS)
    return tuple(dict.fromkeys(found))
