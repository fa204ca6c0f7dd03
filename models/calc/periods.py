"""The days people mostly ask for, so that a batch can have their answers ready."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from data_access.scope import Period


def _last(days: int) -> Callable[[date, date], Period]:
    return lambda first_day, last_day: Period(last_day - timedelta(days=days - 1), last_day)


def _last_month(first_day: date, last_day: date) -> Period:
    end = last_day.replace(day=1) - timedelta(days=1)
    return Period(end.replace(day=1), end)


def _last_year_of_months(first_day: date, last_day: date) -> Period:
    """Twelve months to the day: from the day after the same day a year ago."""
    return Period(Period(last_day, last_day).last_year().first + timedelta(days=1), last_day)


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


def preset(name: str, first_day: date, last_day: date) -> Period:
    """The days of a preset, cut to those of the data; one that ends before them (last month) starts with them."""
    return within(PRESETS[name](first_day, last_day), first_day, last_day)


def within(period: Period, first_day: date, last_day: date) -> Period:
    """``period`` cut to the days of the data."""
    last = max(min(period.last, last_day), first_day)
    return Period(min(max(period.first, first_day), last), last)


def every(first_day: date, last_day: date) -> tuple[Period, ...]:
    """The days of all presets, each once."""
    found = (preset(name, first_day, last_day) for name in PRESETS)
    return tuple(dict.fromkeys(found))
