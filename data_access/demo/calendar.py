"""The days of the demo chain: how strongly each one pulls customers into shops and online."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from lunardate import LunarDate

# How far beyond the last day events are known, so that forecasts can look ahead.
KNOWN_AHEAD_DAYS = 120
_SHOP_WEEK = np.array([0.85, 0.82, 0.84, 0.88, 1.06, 1.35, 1.20])  # Monday first
_ONLINE_WEEK = np.array([1.02, 0.99, 0.98, 1.0, 0.97, 1.0, 1.04])
# Orders by local hour: shops 10-22 on working days and at weekends, online all day.
SHOP_HOURS = np.arange(10, 22)
WORKDAY_PROFILE = np.array([3, 4, 7, 6, 5, 5, 6, 7, 11, 14, 12, 6], float)
WEEKEND_PROFILE = np.array([4, 6, 8, 9, 11, 12, 12, 11, 10, 9, 7, 4], float)
ONLINE_PROFILE = np.array([2, 1, 1, 0.5, 0.5, 0.5, 1, 2, 4, 5, 6, 6, 7, 5, 5, 5, 5, 5, 6, 7, 10, 11, 9, 5], float)


@dataclass(frozen=True)
class Event:
    """One event; ``shop`` and ``online`` multiply the orders of each day from ``first`` to ``last``."""

    key: str
    name: str
    name_en: str
    first: date
    last: date
    shop: float
    online: float


@dataclass(frozen=True)
class Calendar:
    """Day ``i`` is ``start + i``; multipliers are relative to an ordinary day."""

    start: date
    days: int
    events: tuple[Event, ...]
    shop: np.ndarray
    online: np.ndarray

    @property
    def first(self) -> np.datetime64:
        return np.datetime64(self.start, "D")

    @property
    def weekday(self) -> np.ndarray:
        """0 = Monday."""
        return (self.start.weekday() + np.arange(self.days)) % 7


def make_calendar(start: date, days: int, flat: bool) -> Calendar:
    """The calendar of ``days`` days from ``start``; ``flat`` lets every event multiply by one."""
    end = start + timedelta(days=days - 1)
    events = tuple(
        event if not flat else Event(event.key, event.name, event.name_en, event.first, event.last, 1.0, 1.0)
        for year in range(start.year, end.year + 2)
        for event in _year(year)
        if event.last >= start and event.first <= end + timedelta(days=KNOWN_AHEAD_DAYS)
    )
    number = np.arange(days)
    weekday = (start.weekday() + number) % 7
    season = 1 + 0.05 * np.cos(2 * np.pi * (start.timetuple().tm_yday + number - 340) / 365.25)
    shop, online = _SHOP_WEEK[weekday] * season, _ONLINE_WEEK[weekday] * season
    for event in events:
        window = slice(max(0, (event.first - start).days), max(0, (event.last - start).days + 1))
        shop[window] *= event.shop
        online[window] *= event.online
    return Calendar(start, days, events, shop, online)


def _year(year: int) -> list[Event]:
    spring = LunarDate(year, 1, 1).toSolarDate()
    qixi = LunarDate(year, 7, 7).toSolarDate()
    day = timedelta(days=1)
    return [
        Event(
            "spring_festival_shopping", "年货节", "New Year shopping", spring - 16 * day, spring - 2 * day, 1.45, 1.5
        ),
        Event("spring_festival", "春节", "Spring Festival", spring - day, spring + 5 * day, 0.7, 0.55),
        Event("valentines", "情人节", "Valentine's Day", date(year, 2, 11), date(year, 2, 14), 1.5, 1.35),
        Event("womens_day", "女神节", "Women's Day", date(year, 3, 4), date(year, 3, 8), 1.7, 1.9),
        Event("may_20", "520告白日", "520 Day", date(year, 5, 17), date(year, 5, 20), 1.35, 1.4),
        Event("618", "618年中大促", "618 Festival", date(year, 6, 8), date(year, 6, 18), 1.35, 2.2),
        Event("qixi", "七夕", "Qixi Festival", qixi - 3 * day, qixi, 1.5, 1.4),
        Event("national_day", "国庆节", "National Day", date(year, 10, 1), date(year, 10, 7), 1.3, 0.95),
        Event("double_11", "双11", "Double 11", date(year, 11, 1), date(year, 11, 11), 1.4, 2.5),
        Event("double_12", "双12", "Double 12", date(year, 12, 9), date(year, 12, 12), 1.15, 1.6),
        Event("christmas", "圣诞季", "Christmas", date(year, 12, 20), date(year, 12, 25), 1.3, 1.1),
    ]
