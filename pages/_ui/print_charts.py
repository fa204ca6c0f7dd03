"""Charts of a printed report, drawn as SVG from the tables of the report: no browser takes part.

A table over days gives a line, one over months columns, one of places, products or groups bars; other tables give none.
"""

from collections.abc import Callable, Mapping, Sequence
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
_FEWEST_DAYS, _FEWEST_MONTHS = 7, 3  # fewer say less than their figures

NAMES = (
    "store", "region", "product", "category", "segment", "stage", "campaign", "supplier", "name", "channel", "place",
    "state", "band", "reason", "direction", "quadrant", "class", "type", "age", "source", "step",
)  # fmt: skip
_FIRST = ("churn_rate", "net_sales", "customers", "orders", "units", "value", "stock_value")
_COMPARED = {"net_sales": ("last_year", "previous"), "treated": ("control",)}
_DRAWN = ("money", "count", "percent", "decimal", "ratio", "days")


Kinds = Mapping[str, tables.Kind | None]


def chart(frame: pd.DataFrame, currency: str, kinds: Kinds) -> str:
    """The chart of a table as SVG; empty when no chart suits it. kinds: of the columns that are printed."""
    measure = measure_of(frame, kinds)
    if measure is None or len(frame) < 2:
        return ""
    unit = kinds[measure] or "decimal"
    if "day" in frame and frame["day"].is_unique:
        return _line(frame, measure, unit, currency) if len(frame) >= _FEWEST_DAYS else ""
    if "month" in frame and frame["month"].is_unique and not _numeric(frame["month"]):
        return _columns(frame, measure, unit, currency) if len(frame) >= _FEWEST_MONTHS else ""
    name = next((column for column in NAMES if column in kinds and frame[column].is_unique), None)
    return _bars(frame, name, measure, unit, currency) if name else ""


def measure_of(frame: pd.DataFrame, kinds: Kinds) -> str | None:
    """The figure of a table that its chart shows: the usual ones, else the one that its rows are in the order of; None
    without any."""
    known = [column for column, kind in kinds.items() if kind in _DRAWN and _numeric(frame[column])]
    ordered = [one for one in known if frame[one].is_monotonic_decreasing and frame[one].nunique() > 1]
    return next((column for column in (*_FIRST, *ordered) if column in known), known[0] if known else None)


def _numeric(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and bool(values.notna().any())


def _bars(frame: pd.DataFrame, name: str, measure: str, unit: tables.Kind, currency: str) -> str:
    """Horizontal bars in the order of the table, at most ten, each with its value."""
    shown = frame.head(MOST_BARS)
    row, left, right = 22, 190, 90
    numbers = [0.0 if fmt.is_missing(number) else float(number) for number in shown[measure]]
    room, reach = WIDTH - left - right, max(map(abs, numbers)) or 1.0
    parts = []
    for position, (label, number) in enumerate(zip(shown[name], numbers, strict=True)):
        y, length = position * row + 4, max(abs(number) / reach * room, 0.5)
        colour = OWN if number >= 0 else QUIET
        parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="13" rx="2" fill="{colour}"/>')
        parts.append(
            _words(left - 8, y + 10.5, _short(fmt.MISSING if fmt.is_missing(label) else str(label)), "end", TEXT)
        )
        value = fmt.card_value(shown[measure].iloc[position], unit, currency)
        parts.append(_words(left + length + 6, y + 10.5, value, "start", SOFT))
    return _svg(len(shown) * row + 6, parts)


def _line(frame: pd.DataFrame, measure: str, unit: tables.Kind, currency: str) -> str:
    """A line over days, dotted what it is compared with; more than 120 days are summed by week."""
    other = next((c for c in _COMPARED.get(measure, ()) if c in frame and frame[c].notna().any()), None)
    shown = [measure, *([other] if other else [])]
    drawn = charts.by_week(frame, shown) if len(frame) > charts.DAYS_DRAWN else frame
    days = pd.to_datetime(drawn["day"])
    bounds = drawn[shown].astype(float)
    at, y, parts, bottom = _frame(unit, currency, len(drawn), bounds.max().max(), bounds.min().min(), ends=True)
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
        against = tables.label(other) if measure == "treated" else t(f"charts.{other}")
        said = f"{tables.label(measure)} · {against} ┄"
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


def _columns(frame: pd.DataFrame, measure: str, unit: tables.Kind, currency: str) -> str:
    """One column per month, the last 24; months that are not whole are paler."""
    shown = frame.tail(24)
    values = shown[measure].astype(float)
    at, y, parts, bottom = _frame(unit, currency, len(shown), values.max(), values.min(), ends=False)
    wide = min((at(1) - at(0)) * 0.66, _WIDEST) if len(shown) > 1 else _WIDEST
    whole = shown["complete"].tolist() if "complete" in shown else [True] * len(shown)
    for number, (value, is_whole) in enumerate(zip(values, whole, strict=True)):
        if not fmt.is_missing(value):
            top, foot = sorted((y(value), y(0.0)))
            parts.append(
                f'<rect x="{at(number) - wide / 2:.1f}" y="{top:.1f}" width="{wide:.1f}" '
                f'height="{max(foot - top, 0.5):.1f}" rx="1.5" fill="{OWN if is_whole else QUIET}"/>'
            )
    for mark in charts.spread(len(shown), 6):
        parts.append(_words(at(mark), bottom + 14, fmt.month(shown["month"].iloc[mark]), "middle", SOFT))
    return _svg(bottom + 20, parts)


def _frame(
    unit: tables.Kind, currency: str, count: int, highest: float, lowest: float, *, ends: bool
) -> tuple[Callable[[float], float], Callable[[float], float], list[str], float]:
    """Where the positions of a chart lie, where its values do, its grid, and its lower edge."""
    ticks, texts = charts.axis_ticks(unit, currency, float(highest), float(lowest))
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
