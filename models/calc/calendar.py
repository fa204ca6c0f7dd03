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


@dataclass(frozen=True, slots=True)
class Rule:
    """The day of an event in a year, and the days around it that are called by its name."""

    key: str
    day: Callable[[int], date]
    before: int
    after: int

    def of(self, year: int) -> Event:
        day = self.day(year)
        return Event(self.key, day - timedelta(days=self.before), day + timedelta(days=self.after))


def fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _lunar(month: int, day: int) -> Callable[[int], date]:
    return lambda year: LunarDate(year, month, day).toSolarDate()


RULES = (
    Rule("new_year", fixed(1, 1), 0, 0),
    Rule("spring_festival", _lunar(1, 1), 1, 5),
    Rule("valentines", fixed(2, 14), 3, 0),
    Rule("womens_day", fixed(3, 8), 4, 0),
    Rule("labour_day", fixed(5, 1), 0, 4),
    Rule("may_20", fixed(5, 20), 3, 0),
    Rule("618", fixed(6, 18), 10, 0),
    Rule("qixi", _lunar(7, 7), 3, 0),
    Rule("mid_autumn", _lunar(8, 15), 2, 0),
    Rule("national_day", fixed(10, 1), 0, 6),
    Rule("double_11", fixed(11, 11), 10, 0),
    Rule("double_12", fixed(12, 12), 3, 0),
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
    every = ((year, rule.of(year)) for year in years for rule in RULES)
    by = ((event, shifts.get((event.key, year), timedelta())) for year, event in every)
    found = (Event(event.key, event.first + days, event.last + days) for event, days in by if days is not None)
    return tuple(sorted((e for e in found if e.first <= last and e.last >= first), key=lambda e: e.first))
