"""The event calendar a Chinese cosmetics retailer plans by: shopping festivals, gift days and public holidays."""

from collections.abc import Iterator
from datetime import date, timedelta

import pandas as pd
from lunardate import LunarDate

from data_access.demo.calendar import make_calendar
from data_access.demo.satellites._ground import Ground
from data_access.demo.world import translations

FIRST, LAST = date(2023, 1, 1), date(2027, 12, 31)
_ANNIVERSARY = ("区域周年庆", "Regional Anniversary")


def _lunar(year: int, month: int, day: int) -> date:
    found: date = LunarDate(year, month, day).toSolarDate()
    return found


def _qingming(year: int) -> date:
    # The usual formula for the solar term in this century.
    short = year - 2000
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


def _mothers_day(year: int) -> date:
    first = date(year, 5, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7)


def _public(year: int) -> Iterator[tuple[str, str, str, date, int]]:
    """Event, name, English name, first day and number of days of the holidays without a shopping peak of their own."""
    yield "new_year", "元旦", "New Year", date(year, 1, 1), 1
    yield "lantern", "元宵节", "Lantern Festival", _lunar(year, 1, 15), 1
    yield "qingming", "清明节", "Qingming Festival", _qingming(year), 1
    yield "labour_day", "劳动节", "Labour Day", date(year, 5, 1), 5
    yield "mothers_day", "母亲节", "Mother's Day", _mothers_day(year), 1
    yield "dragon_boat", "端午节", "Dragon Boat Festival", _lunar(year, 5, 5), 1
    yield "mid_autumn", "中秋节", "Mid-Autumn Festival", _lunar(year, 8, 15), 1


def holiday(g: Ground) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per day, event and region ('all' or one region), 2023 to 2027; and the English names."""
    spans = [
        (event.key, event.name, event.name_en, event.first, (event.last - event.first).days + 1, "all")
        for event in make_calendar(FIRST, (LAST - FIRST).days + 1, flat=False).events
    ]
    years = range(FIRST.year, LAST.year + 1)
    spans += [(*row, "all") for year in years for row in _public(year)]
    for number, region in enumerate(g.core["region"]["region_id"]):
        month = (4, 9, 6, 11, 3, 8)[number % 6]
        spans += [("anniversary", *_ANNIVERSARY, date(year, month, 12), 3, region) for year in years]
    rows = [
        (day, key, region, name)
        for key, name, _, first, length, region in spans
        for day in (first + timedelta(days=offset) for offset in range(length))
        if FIRST <= day <= LAST
    ]
    frame = pd.DataFrame(rows, columns=["day", "event", "region", "name"])
    frame["day"] = pd.to_datetime(frame["day"])
    # The calendar of a year is published in the November before it.
    published = pd.to_datetime((frame["day"].dt.year - 1).astype(str) + "-11-15 02:00:00")
    frame["updated_at"] = published.where(published <= pd.Timestamp(g.end), pd.Timestamp(g.end))
    return frame, translations("holiday.name", [(name, text) for _, name, text, *_ in spans])
