"""Numbers, money and days the way people in a shop write them, in the language of the run.

Two kinds: ``compact`` for cards and axes (three significant digits; 万 and 亿 in Chinese, k, M and B in English) and
full for tables and tooltips. A missing value is always "–". Babel writes no-break spaces; these stay, so that a
number never wraps, and tests name them.
"""

import math
from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_interval, format_skeleton, format_time
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol

from pages._ui.i18n import language, t, tn

MISSING = "–"
WITHOUT_CENTS = 10_000  # amounts from which on a list leaves the cents to its file

_YEAR = Decimal("365.25")  # days
_TOLD_IN_YEARS = 730  # days

# Numbers and days that are kept as written: Babel takes 20 to 60 microseconds for one, and the next reader of a page
# sees the same ones.
_REMEMBERED = 20_000

_IN_FULL = 10_000  # below it a card writes whole numbers, as Chinese does before its first unit
_STEPS = {
    "zh_CN": ((Decimal(10) ** 8, "亿"), (Decimal(10) ** 4, "万")),
    "en": ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k")),
}


def is_missing(value: Any) -> bool:
    """Whether ``value`` is nothing: None, NaN, NaT, NA or an infinity."""
    if value is None:
        return True
    try:
        return not math.isfinite(value)
    except (TypeError, ValueError):
        # NA is neither equal nor unequal to itself: ask for it by name first.
        return str(value) in ("NaT", "<NA>") or value != value


def money(value: Any, currency: str, *, digits: int | None = None) -> str:
    """The full amount with its sign: "¥1,234,567.89"; ``digits`` after the point (default: the currency's own)."""
    if is_missing(value):
        return MISSING
    places = get_currency_precision(currency) if digits is None else digits
    return _signed(_decimal(value), lambda amount: symbol(currency) + _fixed(amount, places))


def money_compact(value: Any, currency: str) -> str:
    """The amount for a card: "¥186万", "¥1.86M"; whole below ten thousand, three digits below a thousand."""
    if is_missing(value):
        return MISSING
    return _signed(_decimal(value), lambda amount: symbol(currency) + _compact(amount))


def money_round(value: Any, currency: str) -> str:
    """A round amount, as on an axis: "¥1万" where a card writes "¥1.00万"."""
    return _signed(_decimal(value), lambda amount: symbol(currency) + _compact(amount, _plain, 0))


def together(parts: Iterable[str]) -> str:
    """Several things in one sentence: "a, b and c"."""
    *first, last = parts
    return t("session.and").join([enumerated(first), last] if first else [last])


def unbroken(text: str) -> str:
    """A short text in whose figures no line ends before 万 or 亿."""
    return text.replace("万", "\u2060万").replace("亿", "\u2060亿")


def cells(text: str) -> int:
    """How wide a text is, in small letters: a Chinese character is as wide as two."""
    return sum(2 if ord(letter) > 0x2E80 else 1 for letter in text)


def enumerated(parts: Iterable[str]) -> str:
    """Several things of one kind: "a, b, c"."""
    return t("number.list").join(parts)


def beside(value: str, more: str) -> str:
    """What belongs to a figure in brackets after it: "8.2% (7.1% to 9.3%)"."""
    return t("number.beside", value=value, more=more)


def named(name: str, value: str) -> str:
    """A name before what it stands for: "Stores: 12"."""
    return t("number.named", name=name, value=value)


def count(value: Any) -> str:
    """A full count: "12,486"."""
    return MISSING if is_missing(value) else _signed(_decimal(value), lambda number: _fixed(number, 0))


def compact(value: Any) -> str:
    """A number for a card: "1.25万", "12.5k"."""
    return MISSING if is_missing(value) else _signed(_decimal(value), _compact)


def compact_round(value: Any) -> str:
    """A round number, as on an axis or in an estimate: "2k" where a card writes "2.00k"."""
    return _signed(_decimal(value), lambda number: _compact(number, _plain, 0))


def p_value(value: float, digits: int = 2) -> str:
    """A probability by chance, with so many decimals; none is zero, so the small ones say below what they are."""
    least = 10**-digits
    return f"< {decimal(least, digits)}" if not is_missing(value) and value < least else decimal(value, digits)


def decimal(value: Any, digits: int = 2) -> str:
    """A plain number with ``digits`` after the point: "2.31"."""
    return MISSING if is_missing(value) else _signed(_decimal(value), lambda number: _fixed(number, digits))


def percent(value: Any, digits: int = 1) -> str:
    """A share of one as percent: 0.217 is "21.7%"."""
    if is_missing(value):
        return MISSING
    return _signed(_decimal(value), lambda share: _fixed(share * 100, digits) + "%")


def change(ratio: Any) -> str:
    """A relative change with its sign: 0.082 is "+8.2%", no change "0.0%"; from eleven times on as a factor, "×91"."""
    if is_missing(ratio):
        return MISSING
    return f"×{count(1 + _decimal(ratio))}" if ratio >= 10 else _plus(ratio, 3) + percent(ratio)


def points(difference: Any) -> str:
    """A difference of two shares in percentage points: 0.014 is "+1.4百分点" or "+1.4 pp"."""
    if is_missing(difference):
        return MISSING
    return t("number.points", number=_plus(difference, 3) + decimal(_decimal(difference) * 100, 1))


def days_between(first: Any, last: Any, *, beside: Any = None) -> str:
    """A range of days without their year: "11月21日至12月18日", "Nov 21 – Dec 18"; with it where it is another year
    than that of the day ``beside`` it."""
    ends = [day_short(one) if beside is None else day_near(one, beside) for one in (first, last)]
    return t("number.days_between", first=ends[0], last=ends[1])


def day_near(value: Any, beside: Any) -> str:
    """A day, without its year where that is the year of the day ``beside`` it."""
    return day_short(value) if _date(value).year == _date(beside).year else day(value)


def plus(value: Any, digits: int) -> str:
    """A plain number with its sign: 12.4 is "+12.4"."""
    return MISSING if is_missing(value) else _plus(value, digits) + decimal(value, digits)


def between(low: str, high: str) -> str:
    """Both ends of a range, already written: "3.1 至 10.4", "-0.5 to 32.9"; a dash would read as a minus."""
    return t("number.between", low=low, high=high)


def days(value: Any) -> str:
    """A length of time in days: "28 天", "1 day", "2.5 days"; from two years on in years, "3.1 years"."""
    if is_missing(value):
        return MISSING
    number = _decimal(value)
    if number >= _TOLD_IN_YEARS:
        return t("number.years", n=decimal(number / _YEAR, 1))
    shown = count(number) if number == number.to_integral_value() else decimal(number, 1)
    return tn("number.days", float(number), n=shown)


def value(number: Any, unit: str, currency: str) -> str:
    """The full number of a metric by its registry unit: money, count, ratio, percent, decimal or days."""
    return _by_unit(number, unit, currency, short=False)


def signed_card(value: Any, currency: str) -> str:
    """A change of an amount for a card, with its sign: "+¥11.1万"."""
    return ("+" if not is_missing(value) and value > 0 else "") + money_compact(value, currency)


def listed(number: Any, unit: str, currency: str) -> str:
    """As ``value``, for a list of different figures: amounts from ten thousand on without cents."""
    if unit == "money" and not is_missing(number) and abs(number) >= WITHOUT_CENTS:
        return money(number, currency, digits=0)
    return value(number, unit, currency)


def card_value(number: Any, unit: str, currency: str) -> str:
    """The number of a metric for a card: three significant digits."""
    return _by_unit(number, unit, currency, short=True)


def _by_unit(number: Any, unit: str, currency: str, *, short: bool) -> str:
    match unit:
        case "money":
            return money_compact(number, currency) if short else money(number, currency)
        case "count":
            return compact(number if is_missing(number) else round(number)) if short else count(number)
        case "percent":
            return percent(number)
        case "ratio" | "decimal":
            return decimal(number, _after_the_point(number) if short else 2)
        case "days":
            return days(number)
    raise ValueError(f"no such unit: {unit!r}")


def _after_the_point(number: Any) -> int:
    """How many digits after the point leave three significant ones, at most two."""
    return 2 if is_missing(number) or abs(number) < 10 else 1 if abs(number) < 100 else 0


def symbol(currency: str) -> str:
    """The sign of a currency: "¥" for CNY, "£" for GBP; in English too, for the chain has one currency."""
    return _symbol(currency, "zh_CN" if currency == "CNY" else language())


@lru_cache
def _symbol(currency: str, name: str) -> str:
    return get_currency_symbol(currency, locale=_locale(name))


@lru_cache
def _locale(name: str) -> Locale:
    """Babel's locale of a language; finding it anew for each of the hundreds of numbers of a page costs more than
    writing them."""
    return Locale.parse(name)


def day(value: Any) -> str:
    """A day in full: "2026年11月20日", "Nov 20, 2026"."""
    return _skeleton("yMMMd", value)


def day_short(value: Any) -> str:
    """A day without its year: "11月20日", "Nov 20"."""
    return _skeleton("MMMd", value)


def month(value: Any) -> str:
    """A month: "2026年11月", "Nov 2026"; takes a day or "2026-11"."""
    return _skeleton("yMMM", value)


def month_short(value: Any) -> str:
    """A month without its year: "11月", "Nov"."""
    return _skeleton("MMM", value)


def weekday(number: int) -> str:
    """The name of a weekday, 1 = Monday: "周一", "Mon"."""
    return _skeleton("E", date(2024, 1, number))


def instant(value: Any) -> str:
    """A store-local instant to the minute: "2026年11月20日 18:40", "Nov 20, 2026 18:40"."""
    if is_missing(value):
        return MISSING
    return f"{day(value)} {format_time(value.time(), 'HH:mm', locale=_locale(language()))}"


def period(first: Any, last: Any, *, beside: Any = None) -> str:
    """A range of days, what both share said once: "2026年10月24日至11月20日", "Oct 24 – Nov 20, 2026"; without its year
    where that is the year of the day ``beside`` it."""
    if is_missing(first) or is_missing(last):
        return MISSING
    days = _date(first), _date(last)
    near = beside is not None and {one.year for one in days} == {_date(beside).year}
    text: str = format_interval(*days, "MMMd" if near else "yMMMd", locale=_locale(language()))
    return text.replace("\u2009", " ")


def money_ticks(highest: float, currency: str, lowest: float = 0.0) -> tuple[list[float], list[str]]:
    """Tick positions and texts for a money axis."""
    positions = tick_values(highest, lowest)
    return positions, [money_round(position, currency) for position in positions]


def count_ticks(highest: float, lowest: float = 0.0) -> tuple[list[float], list[str]]:
    """Tick positions and texts for an axis of counts."""
    positions = tick_values(highest, lowest)
    return positions, [compact_round(position) for position in positions]


def percent_ticks(highest: float, lowest: float = 0.0) -> tuple[list[float], list[str]]:
    """Tick positions and texts for an axis of shares."""
    positions = tick_values(highest, lowest)
    digits = 0 if all(abs(position * 100 - round(position * 100)) < 1e-9 for position in positions) else 1
    return positions, [percent(position, digits) for position in positions]


def tick_values(highest: float, lowest: float = 0.0) -> list[float]:
    """Four to six round positions (steps of 1, 2 or 5) from zero, or below it, to at least ``highest``."""
    highest, lowest = max(highest, 0.0), min(lowest, 0.0)
    if is_missing(highest) or is_missing(lowest) or highest == lowest:
        return [0.0]
    raw = Decimal(str(highest - lowest)) / 5
    power = Decimal(10) ** raw.adjusted()
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw)
    start = math.floor(Decimal(str(lowest)) / step)
    end = math.ceil(Decimal(str(highest)) / step)
    return [float(step * position) for position in range(start, end + 1)]


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"not a number: {value!r}") from None


def _signed(number: Decimal, write: Any) -> str:
    """The minus stands before the currency sign, and a number that rounds to zero has none."""
    text: str = write(abs(number))
    return f"-{text}" if number < 0 and any(digit in text for digit in "123456789") else text


def _plus(number: Any, places: int) -> str:
    return "+" if round(_decimal(number), places) > 0 else ""


def _fixed(number: Decimal, digits: int) -> str:
    return _written(number, digits, language())


@lru_cache(maxsize=_REMEMBERED)
def _written(number: Decimal, digits: int, name: str) -> str:
    rounded = number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    text: str = format_decimal(rounded, pattern, locale=_locale(name))
    return text


def _with_zeros(number: Decimal) -> str:
    """Digits as they are, so that figures of one row or column end alike: "1.50"."""
    return _fixed(number, max(-int(number.as_tuple().exponent), 0))


def _plain(number: Decimal) -> str:
    """Without zeros at the end: 1.50 is "1.5"."""
    return _with_zeros(number.normalize())


def _compact(number: Decimal, written: Callable[[Decimal], str] = _with_zeros, full: int = _IN_FULL) -> str:
    """Three significant digits with the unit of the language; below ``full`` whole numbers in full."""
    steps = _STEPS[language()]
    below = [size for size, _ in steps[1:]] + [Decimal(1)]
    for (size, unit), smaller in zip(steps, below, strict=True):
        # What the smaller unit would round up to the larger one is written in the larger one: never "1,000k".
        if _three_digits(number / smaller) * smaller >= max(size, Decimal(full)):
            return written(_three_digits(number / size)) + unit
    if number == number.to_integral_value():
        return _fixed(number, 0)
    return _fixed(number, 0) if number >= 1000 else written(_three_digits(number))


def _three_digits(number: Decimal) -> Decimal:
    if number == 0:
        return number
    rounded = number.quantize(Decimal(1).scaleb(min(number.adjusted() - 2, 0)), ROUND_HALF_UP)
    # What rounds up to the next power of ten has a digit too many: 9.996 is "10.0".
    return rounded if rounded.adjusted() == number.adjusted() else _three_digits(rounded)


def _skeleton(skeleton: str, value: Any) -> str:
    return MISSING if is_missing(value) else _said(skeleton, _date(value), language())


@lru_cache(maxsize=_REMEMBERED)
def _said(skeleton: str, day: date, name: str) -> str:
    text: str = format_skeleton(skeleton, day, locale=_locale(name))
    return text


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(f"{value}-01" if len(value) == 7 else value[:10])
    return value.date() if isinstance(value, datetime) else value
