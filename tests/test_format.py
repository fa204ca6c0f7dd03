"""Numbers, money and days, to the last character. "\\u00a0" is Babel's no-break space."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from pages._ui import format as fmt
from pages._ui import i18n


@pytest.fixture(params=["zh_CN", "en"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(fmt, "language", lambda: request.param)
    monkeypatch.setattr(i18n, "language", lambda: request.param)
    return str(request.param)


def both(language: str, chinese: str, english: str) -> str:
    return chinese if language == "zh_CN" else english


def test_several_things_are_one_list(language: str) -> None:
    assert fmt.together("abc") == both(language, "a、b、c", "a, b and c")
    assert fmt.together("a") == "a"


@pytest.mark.parametrize(
    ("value", "currency", "shown"),
    [
        (1234567.891, "CNY", "¥1,234,567.89"),
        (0, "CNY", "¥0.00"),
        (-12.5, "GBP", "-£12.50"),
        (-0.001, "GBP", "£0.00"),  # no minus before a zero
        (Decimal("2.345"), "CNY", "¥2.35"),
        (1000, "JPY", None),  # a currency without minor units
    ],
)
def test_money_in_full(language: str, value: float, currency: str, shown: str | None) -> None:
    assert fmt.money(value, currency) == (shown or both(language, "JP¥1,000", "¥1,000"))


@pytest.mark.parametrize(
    ("value", "chinese", "english"),
    [
        (0, "¥0", "¥0"),
        (4.2, "¥4.20", "¥4.20"),
        (149.3, "¥149", "¥149"),
        (999.6, "¥1,000", "¥1,000"),
        (1234, "¥1,234", "¥1,234"),
        (9_999, "¥9,999", "¥9,999"),
        (9_999.6, "¥1.00万", "¥10.0k"),
        (42_000, "¥4.20万", "¥42.0k"),
        (1_864_000, "¥186万", "¥1.86M"),
        (99_996_000, "¥1.00亿", "¥100M"),
        (10_666_684.54, "¥1,067万", "¥10.7M"),
        (1_234_567_890, "¥12.3亿", "¥1.23B"),
        (-42_000, "-¥4.20万", "-¥42.0k"),
    ],
)
def test_money_on_a_card(language: str, value: float, chinese: str, english: str) -> None:
    assert fmt.money_compact(value, "CNY") == both(language, chinese, english)


def test_counts(language: str) -> None:
    assert fmt.count(12486) == "12,486"
    assert fmt.count(np.int64(3)) == "3"
    assert fmt.compact(12486) == both(language, "1.25万", "12.5k")
    assert fmt.compact(9996) == "9,996"
    assert fmt.compact(2.314) == "2.31"


def test_decimals_and_shares(language: str) -> None:
    assert fmt.decimal(2.305) == "2.31"
    assert fmt.percent(0.2168) == "21.7%"
    assert fmt.percent(12.3456) == "1,234.6%"
    assert fmt.percent(0.5, 0) == "50%"
    assert fmt.change(0.0821) == "+8.2%"
    assert fmt.change(-0.0821) == "-8.2%"
    assert fmt.change(0) == "0.0%"
    assert fmt.change(0.0004) == "0.0%"
    assert fmt.change(9.99) == "+999.0%"
    assert fmt.change(90.05) == "×91"
    assert fmt.points(0.0141) == both(language, "+1.4百分点", "+1.4 pp")
    assert fmt.points(-0.02) == both(language, "-2.0百分点", "-2.0 pp")


def test_lengths_of_time(language: str) -> None:
    assert fmt.days(1) == both(language, "1 天", "1 day")
    assert fmt.days(28) == both(language, "28 天", "28 days")
    assert fmt.days(2.5) == both(language, "2.5 天", "2.5 days")
    assert fmt.days(729) == both(language, "729 天", "729 days")
    assert fmt.days(1096) == both(language, "3.0 年", "3.0 years")


def test_days_and_months(language: str) -> None:
    assert fmt.day(date(2026, 11, 20)) == both(language, "2026年11月20日", "Nov 20, 2026")
    assert fmt.day("2026-11-20") == both(language, "2026年11月20日", "Nov 20, 2026")
    assert fmt.day_short(pd.Timestamp("2026-03-05")) == both(language, "3月5日", "Mar 5")
    assert fmt.month("2026-11") == both(language, "2026年11月", "Nov 2026")
    assert fmt.month_short(date(2026, 1, 1)) == both(language, "1月", "Jan")
    assert [fmt.weekday(1), fmt.weekday(7)] == both(language, "周一 周日", "Mon Sun").split()
    assert fmt.instant(datetime(2026, 11, 20, 8, 4)) == both(language, "2026年11月20日 08:04", "Nov 20, 2026 08:04")


def test_ranges(language: str) -> None:
    assert fmt.between("-0.5", "32.9") == both(language, "-0.5 至 32.9", "-0.5 to 32.9")
    dec, jan = date(2026, 12, 1), date(2027, 1, 5)
    assert fmt.days_between(dec, jan) == both(language, "12月1日至1月5日", "Dec 1 – Jan 5")
    assert fmt.days_between(dec, jan, beside=dec) == both(language, "12月1日至2027年1月5日", "Dec 1 – Jan 5, 2027")
    assert [fmt.plus(12.44, 1), fmt.plus(-0.8, 1)] == ["+12.4", "-0.8"]
    assert [fmt.listed(9_999.5, "money", "CNY"), fmt.listed(667_965.01, "money", "CNY")] == ["¥9,999.50", "¥667,965"]


def test_periods(language: str) -> None:
    assert fmt.period(date(2026, 10, 24), date(2026, 11, 20)) == both(
        language, "2026年10月24日至11月20日", "Oct 24 – Nov 20, 2026"
    )
    assert fmt.period(date(2025, 12, 1), date(2026, 1, 31)) == both(
        language, "2025年12月1日至2026年1月31日", "Dec 1, 2025 – Jan 31, 2026"
    )
    assert fmt.period(date(2026, 11, 20), date(2026, 11, 20)) == both(language, "2026年11月20日", "Nov 20, 2026")
    near = fmt.period(date(2026, 12, 9), date(2026, 12, 12), beside=date(2026, 11, 20))
    assert near == both(language, "12月9日至12日", "Dec 9 – 12")
    over = fmt.period(date(2026, 12, 31), date(2027, 1, 1), beside=date(2026, 11, 20))
    assert over == fmt.period(date(2026, 12, 31), date(2027, 1, 1))


@pytest.mark.parametrize("nothing", [None, float("nan"), np.nan, pd.NA, pd.NaT, float("inf")], ids=str)
def test_what_is_missing_is_a_dash(language: str, nothing: object) -> None:
    shown = [write(nothing) for write in (fmt.count, fmt.compact, fmt.decimal, fmt.percent, fmt.change, fmt.points)]
    shown += [write(nothing) for write in (fmt.days, fmt.day, fmt.day_short, fmt.month, fmt.instant)]
    shown += [fmt.money(nothing, "CNY"), fmt.money_compact(nothing, "CNY"), fmt.value(nothing, "money", "CNY")]
    shown += [fmt.period(nothing, date(2026, 1, 1))]
    assert set(shown) == {"–"}


@pytest.mark.parametrize(
    ("unit", "number", "full", "card"),
    [
        ("money", 42_000, "¥42,000.00", ("¥4.20万", "¥42.0k")),
        ("count", 12_486, "12,486", ("1.25万", "12.5k")),
        ("percent", 0.217, "21.7%", ("21.7%", "21.7%")),
        ("decimal", 2.31, "2.31", ("2.31", "2.31")),
        ("ratio", 1, "1.00", ("1.00", "1.00")),
        ("ratio", 29.818, "29.82", ("29.8", "29.8")),
        ("ratio", 298.18, "298.18", ("298", "298")),
    ],
)
def test_a_metric_by_its_unit(language: str, unit: str, number: float, full: str, card: tuple[str, str]) -> None:
    assert fmt.value(number, unit, "CNY") == full
    assert fmt.card_value(number, unit, "CNY") == both(language, *card)


def test_an_unknown_unit_is_an_error(language: str) -> None:
    with pytest.raises(ValueError, match="no such unit: 'stones'"):
        fmt.value(1, "stones", "CNY")
    with pytest.raises(ValueError, match="not a number: 'many'"):
        fmt.count("many")


@pytest.mark.parametrize(
    ("highest", "lowest", "positions"),
    [
        (146_000, 0, [0, 50_000, 100_000, 150_000]),
        (9, 0, [0, 2, 4, 6, 8, 10]),
        (0.4, 0, [0, 0.1, 0.2, 0.3, 0.4]),
        (100, 0, [0, 20, 40, 60, 80, 100]),
        (30, -25, [-40, -20, 0, 20, 40]),
        (0, 0, [0]),
        (float("nan"), 0, [0]),
    ],
)
def test_ticks_are_round_and_reach_the_highest(highest: float, lowest: float, positions: list[float]) -> None:
    assert fmt.tick_values(highest, lowest) == positions


def test_tick_texts(language: str) -> None:
    assert fmt.money_ticks(146_000, "CNY")[1] == (
        ["¥0", "¥5万", "¥10万", "¥15万"] if language == "zh_CN" else ["¥0", "¥50k", "¥100k", "¥150k"]
    )
    assert fmt.count_ticks(9)[1] == ["0", "2", "4", "6", "8", "10"]
    assert fmt.percent_ticks(0.4)[1] == ["0%", "10%", "20%", "30%", "40%"]
    assert fmt.percent_ticks(0.012)[1] == ["0.0%", "0.5%", "1.0%", "1.5%"]


@pytest.mark.parametrize(("value", "text"), [(0.0004, "< 0.01"), (0.01, "0.01"), (0.2345, "0.23"), (float("nan"), "–")])
def test_a_p_value_is_never_zero(value: float, text: str) -> None:
    assert fmt.p_value(value) == text
