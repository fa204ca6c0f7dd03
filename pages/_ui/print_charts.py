"""Charts of a printed report, drawn as SVG from the tables of the report: no browser takes part.

A table over days gives a line, one over months columns, one of places, products or groups bars; other tables give none.
"""

from collections.abc import Callable, Sequence
from datetime import date
from html import escape

import pandas as pd

from models.calc.calendar import PEAKS
from pages._ui import charts, tables, year
from pages._ui import format as fmt
from pages._ui.i18n import t

WIDTH = 660  # of the drawing, in its own units: a point of a sheet of A4 is one
_WIDEST = 48.0  # a column of a month
OWN, QUIET, RULE, TEXT, SOFT, WARM = "#8C3B5E", "#A79FAE", "#E8E1E5", "#24212B", "#6E6783", "#F6EEDC"
MOST_BARS = 10

NAMES = ("store", "region", "product", "category", "segment", "stage", "campaign", "supplier", "name", "channel")
_FIRST = ("net_sales", "customers", "orders", "units", "value", "stock_value")
_COMPARED = ("last_year", "previous")
_DRAWN = ("money", "count", "percent", "decimal", "ratio", "days")


def chart(frame: pd.DataFrame, currency: str) -> str:
    """The chart of a table as SVG; empty when no chart suits it."""
    measure = measure_of(frame)
    if measure is None or len(frame) < 2:
        return ""
    if "day" in frame and frame["day"].is_unique:
        return _line(frame, measure, currency)
    if "month" in frame and frame["month"].is_unique:
        return _columns(frame, measure, currency)
    name = next((column for column in NAMES if column in frame and frame[column].is_unique), None)
    return _bars(frame, name, measure, currency) if name else ""


def measure_of(frame: pd.DataFrame) -> str | None:
    """The figure of a table that its chart shows: the usual ones before others; None without any."""
    known = [str(c) for c in frame if tables.kind_of(str(c)) in _DRAWN and _numeric(frame[c])]
    return next((column for column in _FIRST if column in known), known[0] if known else None)


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and bool(values.notna().any())


def _bars(frame: pd.DataFrame, name: str, measure: str, currency: str) -> str:
    """Horizontal bars in the order of the table, at most ten, each with its value."""
    shown = frame.head(MOST_BARS)
    unit, row, left, right = tables.kind_of(measure), 22, 190, 90
    numbers = [0.0 if fmt.is_missing(number) else float(number) for number in shown[measure]]
    room, reach = WIDTH - left - right, max(map(abs, numbers)) or 1.0
    parts = []
    for position, (label, number) in enumerate(zip(shown[name], numbers, strict=True)):
        y, length = position * row + 4, max(abs(number) / reach * room, 0.5)
        colour = OWN if number >= 0 else QUIET
        parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="13" rx="2" fill="{colour}"/>')
        parts.append(_words(left - 8, y + 10.5, _short(str(label)), "end", TEXT))
        value = fmt.card_value(shown[measure].iloc[position], unit, currency)
        parts.append(_words(left + length + 6, y + 10.5, value, "start", SOFT))
    return _svg(len(shown) * row + 6, parts)


def _line(frame: pd.DataFrame, measure: str, currency: str) -> str:
    """A line over days, dotted what it is compared with; more than 120 days are summed by week."""
    other = next((c for c in _COMPARED if c in frame and measure == "net_sales" and frame[c].notna().any()), None)
    shown = [measure, *([other] if other else [])]
    drawn = charts.by_week(frame, shown) if len(frame) > charts.DAYS_DRAWN else frame
    days = pd.to_datetime(drawn["day"])
    bounds = drawn[shown].astype(float)
    at, y, parts, bottom = _frame(measure, currency, len(drawn), bounds.max().max(), bounds.min().min(), ends=True)
    first, last = days.iloc[0].date(), days.iloc[-1].date()
    parts = [*_bands(first, last, currency, at, bottom), *parts]
    for column, colour, more in ((other, QUIET, ' stroke-dasharray="2 3"'), (measure, OWN, "")):
        if column:
            path = _path([(at(number), y(value)) for number, value in enumerate(drawn[column])])
            width = 2 if column == measure else 1.2
            parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"{more}/>')
    for mark in charts.spread(len(days), 7):
        parts.append(_words(at(mark), bottom + 14, fmt.day_short(days.iloc[mark]), "middle", SOFT))
    if other:
        said = f"{tables.label(measure)} · {t(f'charts.{other}')} ┄"
        parts.append(_words(WIDTH - 4, 10, said, "end", SOFT))
    return _svg(bottom + 20, parts)


def _bands(first: date, last: date, currency: str, at: Callable[[float], float], bottom: float) -> list[str]:
    """The peaks of the year behind a line, with their names above the axis as far as there is room."""
    span, parts = max((last - first).days, 1), []
    left, right = at(0), at(1e9)

    def place(day: date) -> float:
        return min(max((day - first).days / span, 0), 1)

    found = [event for event in year.events(first, last, currency) if event.key in PEAKS]
    for event in found:
        x0, x1 = (left + (right - left) * place(day) for day in (event.first, event.last))
        wide = max(x1 - x0, 2)
        parts.append(f'<rect x="{x0:.1f}" y="16" width="{wide:.1f}" height="{bottom - 16}" fill="{WARM}"/>')
    middles = {event: (place(event.first) + place(event.last)) / 2 for event in found}
    for event in charts.named(middles, right - left):
        x = min(max(left + (right - left) * middles[event], left + 30), right - 30)
        parts.append(_words(x, bottom - 5, t(f"event.{event.key}"), "middle", SOFT))
    return parts


def _columns(frame: pd.DataFrame, measure: str, currency: str) -> str:
    """One column per month, the last 24."""
    shown = frame.tail(24)
    values = shown[measure].astype(float)
    at, y, parts, bottom = _frame(measure, currency, len(shown), values.max(), values.min(), ends=False)
    wide = min((at(1) - at(0)) * 0.66, _WIDEST) if len(shown) > 1 else _WIDEST
    for number, value in enumerate(values):
        if not fmt.is_missing(value):
            top, foot = sorted((y(value), y(0.0)))
            parts.append(
                f'<rect x="{at(number) - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" '
                f'height="{max(foot - top, 0.5):.1f}" rx="1.5" fill="{OWN}"/>'
            )
    for mark in charts.spread(len(shown), 6):
        parts.append(_words(at(mark), bottom + 14, fmt.month(shown["month"].iloc[mark]), "middle", SOFT))
    return _svg(bottom + 20, parts)


def _frame(
    measure: str, currency: str, count: int, highest: float, lowest: float, *, ends: bool
) -> tuple[Callable[[float], float], Callable[[float], float], list[str], float]:
    """Where the positions of a chart lie, where its values do, its grid, and its lower edge."""
    ticks, texts = charts.axis_ticks(tables.kind_of(measure), currency, float(highest), float(lowest))
    top, bottom, left, right = 22.0, 170.0, 62.0, WIDTH - 28.0  # half of the last date stands right of it
    span = (ticks[-1] - ticks[0]) or 1.0

    def at(number: float) -> float:
        places = max(count - 1, 1) if ends else count
        return left + (right - left) * min((number if ends else number + 0.5) / places, 1.0)

    def y(value: float) -> float:
        return bottom - (value - ticks[0]) / span * (bottom - top)

    grid = []
    for tick, text in zip(ticks, texts, strict=True):
        grid.append(f'<path d="M{left} {y(tick):.1f}H{right}" stroke="{RULE}" stroke-width="0.8"/>')
        grid.append(_words(left - 8, y(tick) + 3, text, "end", SOFT))
    return at, y, grid, bottom


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A line with a gap where a value is unknown."""
    drawn, open_ = [], False
    for x, y in points:
        if fmt.is_missing(y):
            open_ = False
            continue
        drawn.append(f"{'L' if open_ else 'M'}{x:.1f} {y:.1f}")
        open_ = True
    return " ".join(drawn)


def _words(x: float, y: float, words: str, anchor: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="10" fill="{colour}">{escape(words)}</text>'


def _svg(height: float, parts: Sequence[str]) -> str:
    view = f'viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" height="{height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {view}>{"".join(parts)}</svg>'


def _short(name: str) -> str:
    wide = 0
    for position, letter in enumerate(name):
        wide += 2 if ord(letter) > 0x2E80 else 1
        if wide > 34:
            return name[:position].rstrip() + "…"
    return name
