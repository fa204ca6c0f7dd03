"""The days a shop in mainland China plans for, so that a peak on a chart has its name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from lunardate import LunarDate


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one year; ``key`` names its text (``event.<key>``), both days belong to it."""

    key: str
    first: date
    last: date


def _fixed(key: str, first: tuple[int, int], last: tuple[int, int]) -> Callable[[int], Event]:
    return lambda year: Event(key, date(year, *first), date(year, *last))


def _spring_festival(year: int) -> Event:
    new_year = LunarDate(year, 1, 1).toSolarDate()
    return Event("spring_festival", new_year - timedelta(days=1), new_year + timedelta(days=5))


def _qixi(year: int) -> Event:
    day = LunarDate(year, 7, 7).toSolarDate()
    return Event("qixi", day - timedelta(days=3), day)


def _mid_autumn(year: int) -> Event:
    day = LunarDate(year, 8, 15).toSolarDate()
    return Event("mid_autumn", day - timedelta(days=2), day)


_EVENTS: tuple[Callable[[int], Event], ...] = (
    _fixed("new_year", (1, 1), (1, 1)),
    _spring_festival,
    _fixed("valentines", (2, 11), (2, 14)),
    _fixed("womens_day", (3, 4), (3, 8)),
    _fixed("labour_day", (5, 1), (5, 5)),
    _fixed("may_20", (5, 17), (5, 20)),
    _fixed("618", (6, 8), (6, 18)),
    _qixi,
    _mid_autumn,
    _fixed("national_day", (10, 1), (10, 7)),
    _fixed("double_11", (11, 1), (11, 11)),
    _fixed("double_12", (12, 9), (12, 12)),
)

# By how much a year turns on them: where a chart has no room for every name, the first ones keep theirs.
IN_ORDER = (
    *("double_11", "spring_festival", "618", "national_day", "womens_day", "qixi", "may_20", "labour_day"),
    *("double_12", "valentines", "mid_autumn", "new_year"),
)
PEAKS = IN_ORDER[:3]


Shifts = Mapping[tuple[str, int], timedelta | None]  # by event and year: moved by so many days, None: not this time


def events(first: date, last: date, currency: str, shifts: Shifts = MappingProxyType({})) -> tuple[Event, ...]:
    """The events that touch the days from ``first`` to ``last``, in order, moved by ``shifts``.

    Only for a chain that trades in yuan: these are not the days of a shop elsewhere.
    """
    if currency != "CNY":
        return ()
    years = range(first.year - 1, last.year + 2) if shifts else range(first.year, last.year + 1)
    every = ((year, event(year)) for year in years for event in _EVENTS)
    by = ((event, shifts.get((event.key, year), timedelta())) for year, event in every)
    found = (Event(event.key, event.first + days, event.last + days) for event, days in by if days is not None)
    return tuple(sorted((e for e in found if e.first <= last and e.last >= first), key=lambda e: e.first))
