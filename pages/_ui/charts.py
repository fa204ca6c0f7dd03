"""Figures, all with one look. graph_objects, never plotly.express: the same line costs 8 ms instead of 70.

Every chart writes its numbers and days through ``format``, so that axes, labels and tooltips speak the language of
the run, and carries the ids of what it shows in ``customdata``: ``clicked`` gives them back.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.calc.calendar import IN_ORDER, PEAKS, Event
from pages._ui import chart_data, drill, palette, passport, tables, year
from pages._ui import format as fmt
from pages._ui.device import narrow, themes_seen
from pages._ui.i18n import t

CONFIG = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
PICK = "pick"  # in the URL: the chart that was clicked and the id of the mark
ROW = 34  # pixels of one bar with its gap
_THICKEST = 28  # pixels of a bar that has more room than that
DAYS_DRAWN = 120  # longer periods are drawn by week: a line of more days is noise
RISE_AND_FALL = (palette.OWN, palette.FALL)
# Characters of a label beside a bar, in a wide window and on a phone; the tooltip has the rest.
_WIDE, _NARROW = 15, 13
_DIGIT = 8  # pixels of one sign beside a bar, a Chinese one among digits included
_FONT = {"size": 13}
NAMES = {**_FONT, "color": palette.TEXT}  # of rows, beside their marks
_PLOT, _PLOT_ON_A_PHONE = 480, 250  # pixels between the axes of a chart of time, at least
_BARS, _BARS_ON_A_PHONE = 280, 150  # of the bars of half a page, at least
_BELOW = 0.045  # of the height: where rules lie, below the axis
_EDGE = 0.06  # of a chart: names of events there run inwards
_MONTHS_13 = 396  # days
MARGIN = {"l": 4, "r": 4, "t": 8, "b": 8}  # pixels around a chart
_DIGITS = 4  # of a value in a figure: a share of one needs them


def show(figure: go.Figure, *, alt: str, key: str | None = None) -> None:
    """Draws a figure that nobody clicks, with its data table; ``alt`` says in words what it shows."""
    _draw(figure, alt=alt, key=key)
    _table(figure, alt, key or alt)


def clicked(figure: go.Figure, *, alt: str, key: str, then: Callable[[str], None] | None = None) -> str | None:
    """Draws a figure with its data table and gives the id behind the mark that was clicked, None before any click.

    ``then`` is called with the id before the next run begins, for clicks that set a filter.
    """

    widget = drill.clickable(key)

    def tell() -> None:
        if then is not None and (picked := _picked(st.session_state[widget])) is not None:
            then(picked)

    state = _draw(
        figure,
        alt=alt,
        key=widget,
        on_select="rerun" if then is None else tell,
        selection_mode="points",
    )
    _table(figure, alt, key)
    return _picked(state)


def kept(figure: go.Figure, *, alt: str, key: str) -> str | None:
    """As ``clicked``, for a click that narrows the page: what was clicked stands in the URL until the mark is clicked
    again, another chart of the page is, or Back is; so it can be sent, too. Anybody can write it."""

    def keep() -> None:
        picked = _picked(st.session_state[key])
        if picked is None:
            st.query_params.pop(PICK, None)
        else:
            st.query_params[PICK] = f"{key}.{picked}"

    _draw(figure, alt=alt, key=key, on_select=keep, selection_mode="points")
    _table(figure, alt, key)
    chart, _, picked = st.query_params.get(PICK, "").partition(".")
    return picked if chart == key and picked else None


def _draw(figure: go.Figure, **how: Any) -> Any:
    """Streamlit's chart. It puts the theme's colours in once and has none to replace when the theme changes; a figure
    that differs is a new one, with the colours of the theme in force."""
    return st.plotly_chart(figure.update_layout(meta=themes_seen()), config=CONFIG, **how)


def _table(figure: go.Figure, alt: str, key: str) -> None:
    """The figures of a chart in words, one click away; made only once it is open."""
    opened = st.popover(
        t("charts.table"), icon=":material/table_rows:", type="tertiary", key=f"{key}_table", on_change="rerun"
    )
    if opened.open:
        opened.caption(passport.short())
        opened.dataframe(chart_data.rows(figure), hide_index=True, alt=t("charts.table_of", chart=alt), width="stretch")


def _picked(state: Any) -> str | None:
    points = state["selection"]["points"]
    carried = points[0].get("customdata") if points else None
    if not carried:
        return None
    # The browser sends the list as a list or as a dict of positions, by trace type.
    return str(carried["0"] if isinstance(carried, dict) else carried[0])


def ranked_bars(
    frame: pd.DataFrame,
    *,
    label: str,
    value: str,
    ids: str,
    currency: str,
    unit: str = "money",
    compare: str | None = None,
    compare_name: str = "",
    colour: str = palette.OWN,
    height: int | None = None,
) -> go.Figure:
    """Horizontal bars in the order of ``frame``, one row each, with the value written at the end.

    A click gives the row's ``ids``. ``compare`` is a column drawn as a grey mark on each bar; ``colour`` a
    colour of the palette. Negative values run to the left. ``height`` spreads the bars over a given height.
    """
    values = frame[value].astype(float)
    names = [str(name) for name in frame[label]]
    rows = list(range(len(frame)))
    height = height or height_of(len(frame))
    full = [fmt.value(number, unit, currency) for number in values]
    bars = {
        "type": "bar",
        "y": rows,
        "x": values.round(_DIGITS).tolist(),
        "orientation": "h",
        "marker": {"color": colour, "cornerradius": 3},
        "width": bar_width(len(frame), height),
        "customdata": list(zip(frame[ids].astype(str), names, full, strict=True)),
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
        "showlegend": False,
    }
    marks = []
    falling = bool(len(values)) and float(values.max()) <= 0
    # A loss among gains is written at the zero line, where it does not hide the name of its row.
    ends = values.fillna(0.0).clip(None if falling else 0.0)
    reach = float(ends.abs().max()) if len(ends) else 0.0
    short = [fmt.card_value(number, unit, currency) for number in values]
    # The values stand in the margin beside the plot, whatever width is left for the bars.
    room = _DIGIT * max((len(text) for text in short), default=0) + 12
    if compare is not None:
        known = frame[compare].astype(float)
        marks = [_marks(rows, known, frame[ids].astype(str), names, unit, currency, compare_name)]
        # The value stands at the end of its bar, beyond the mark only where that would be in its way.
        reach = max(reach, float(known.fillna(0.0).max()) if len(known) else 0.0)
        text = reach * room / (_BARS_ON_A_PHONE if narrow() else _BARS)
        ends = ends.where((ends < 0) | (known < ends) | (known > ends + text) | known.isna(), known)
    # As rounded as the texts are placed: plotly leaves a text out that stands a hair beyond the axis.
    ends, reach = ends.round(_DIGITS), round(reach, _DIGITS)
    lowest = min(float(values.min()), 0.0) if len(values) else 0.0
    span = [-reach, 0] if falling else [1.3 * lowest, reach]
    drawn = layout(
        height=height,
        margin={**MARGIN, "r": 4 if falling else room, "l": room if falling else 4},
        xaxis={"visible": False, "range": span if reach else [0, 1], "fixedrange": True},
        yaxis=rows_axis(names, side="right" if falling else "left"),
    )
    # Beside a mark, which is grey, the value has the colour of its bar.
    written = palette.SOFT_TEXT if compare is None else colour
    return go.Figure([bars, *marks, _values_beside(rows, ends, short, written)], drawn)


def bar_width(rows: int, height: int) -> float:
    """The width of horizontal bars, of the room each has: thin where few share a height."""
    return min(0.62, _THICKEST * max(rows, 2) / height)


def whiskers(middle: pd.Series, low: pd.Series, high: pd.Series, colour: str) -> dict[str, Any]:
    """The ranges of dots as lines through them (``error_x``); none where an end is missing."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (high - middle).fillna(0),
        "arrayminus": (middle - low).fillna(0),
        "color": colour,
        "thickness": 2,
        "width": 0,
    }


def name_rows(figure: go.Figure, names: Sequence[str], *, side: Literal["left", "right"] = "left") -> None:
    """The names of rows 0, 1, ... from the top, beside the marks of each."""
    figure.update_yaxes(**rows_axis(names, side=side))


def rows_axis(names: Sequence[str], *, side: Literal["left", "right"] = "left") -> dict[str, Any]:
    """The axis of rows 0, 1, ... from the top with their names."""
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [short(name) for name in names],
        "range": [max(len(names), 2) - 0.5, -0.5],
        "tickfont": NAMES,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
        "side": side,
    }


def legend_above(figure: go.Figure, *, order: Literal["normal", "reversed"] = "normal") -> None:
    """Says above the chart what its marks are; ``order``: as they were added, or the other way round."""
    figure.update_layout(legend={**_LEGEND, "traceorder": order}, showlegend=True)


def _values_beside(rows: list[int], ends: pd.Series, texts: list[str], colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "y": rows,
        "x": ends.tolist(),
        "mode": "text",
        "text": [f" {text} " for text in texts],
        "textposition": ["middle left" if end < 0 else "middle right" for end in ends],
        "textfont": {**_FONT, "color": colour},
        "cliponaxis": False,
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _marks(
    rows: list[int], values: pd.Series, ids: pd.Series, names: list[str], unit: str, currency: str, name: str
) -> dict[str, Any]:
    texts = [f"{name} {fmt.value(number, unit, currency)}" for number in values]
    return {
        "type": "scatter",
        "y": rows,
        "x": [round(number, 2) if number > 0 else None for number in values],
        "mode": "markers",
        "marker": {"symbol": "line-ns", "size": 17, "line": {"width": 2.5, "color": palette.SOFT_TEXT}},
        "customdata": list(zip(ids, names, texts, strict=True)),
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
        "showlegend": False,
    }


def time_line(
    frame: pd.DataFrame,
    *,
    value: str,
    name: str,
    currency: str,
    unit: str = "money",
    compare: Mapping[str, str] = MappingProxyType({}),
    events: Sequence[Event] = (),
    height: int = 320,
) -> go.Figure:
    """One line over ``frame["day"]``: the value solid, what it is compared with dotted grey.

    ``compare`` (column -> name) is in order of preference: the first with a known value is drawn. Zero-based.
    Events stand behind the line as bands with their names. Periods of more than 120 days are summed by week.
    A click gives the day or week as "first/last".
    """
    other = next((column for column in compare if frame[column].notna().any()), None)
    shown = [value] if other is None else [value, other]
    weekly = len(frame) > DAYS_DRAWN
    drawn = by_week(frame, shown) if weekly else frame
    days = pd.to_datetime(drawn["day"])
    lines = [_line(days, drawn[value], name, unit, currency, own=True, weekly=weekly)]
    if other is not None:
        lines.insert(0, _line(days, drawn[other], compare[other], unit, currency, own=False, weekly=weekly))
    bounds = drawn[shown].astype(float)
    ticks, texts = axis_ticks(unit, currency, float(bounds.max().max()), float(bounds.min().min()))
    marks = spread(len(days), 4 if narrow() else 7)
    time = {
        "tickvals": [days.iloc[mark].date().isoformat() for mark in marks],
        "ticktext": [fmt.day_short(days.iloc[mark]) for mark in marks],
        "hoverformat": t("charts.week_hover" if weekly else "charts.day_hover"),
        **_time_axis(),
    }
    axes = {"xaxis": time, "yaxis": _value_axis(ticks, texts), "legend": _LEGEND, "showlegend": len(lines) > 1}
    figure = go.Figure(lines, layout(height=height, hovermode="x unified", **axes))
    if len(days):
        _bands(figure, events, days.iloc[0], days.iloc[-1], ticks[-1])
    return figure


def rules_below(
    figure: go.Figure, spans: pd.DataFrame, days: pd.Series, top: float, name: str, *, each: int = 1
) -> None:
    """A rule below the axis over the days of each of ``spans`` (name, starts_on, ends_on), which no colour has to tell
    from the bands of events; the tooltip of a day says which it has, a click gives the days of the one that began last.

    days: where the chart has marks, each of so many days.
    """
    length = pd.Timedelta(days=each - 1)
    x: list[str | None] = []
    said: list[list[str]] = []
    for day in pd.to_datetime(days):
        here = spans[(spans["starts_on"] <= day + length) & (spans["ends_on"] >= day)]
        if here.empty:
            if x and x[-1] is not None:
                x, said = [*x, None], [*said, ["", ""]]
            continue
        latest = here.sort_values("starts_on").iloc[-1]
        x.append(day.date().isoformat())
        said.append([f"{latest['starts_on'].date()}/{latest['ends_on'].date()}", "<br>".join(here["name"])])
    if not any(x):
        return
    low, high = figure.layout.yaxis.range
    figure.add_trace(
        go.Scatter(
            x=x,
            y=[None if day is None else low - _BELOW * top for day in x],
            name=name,
            mode="lines+markers",
            line={"color": palette.TEXT, "width": 3},
            marker={"symbol": "line-ns-open", "size": _caps(x), "color": palette.TEXT, "line": {"width": 2}},
            customdata=said,
            hovertemplate="%{customdata[1]}<extra>" + name + "</extra>",
        )
    )
    figure.update_yaxes(range=[low - 2 * _BELOW * top, high])
    figure.update_layout(showlegend=True)


def _caps(x: Sequence[str | None]) -> list[float]:
    """A stroke across at both ends of a rule."""
    return [9 if at in (0, len(x) - 1) or None in (x[at - 1], x[at + 1]) else 0.1 for at in range(len(x))]


def forecast_axes(figure: go.Figure, days: Sequence[pd.Timestamp], highest: float, events: Sequence[Event]) -> float:
    """Axes of counts from 0 over days, past and ahead, with the events behind; gives the highest mark."""
    ticks, texts = axis_ticks("count", "", highest)
    figure.update_yaxes(**_value_axis(ticks, texts))
    marks = spread(len(days), 4 if narrow() else 7)
    figure.update_xaxes(
        tickvals=[days[mark].date().isoformat() for mark in marks],
        ticktext=[fmt.day_short(days[mark]) for mark in marks],
        hoverformat=t("charts.day_hover"),
        **_time_axis(),
    )
    _bands(figure, events, days[0], days[-1], ticks[-1])
    legend_above(figure)
    return ticks[-1]


def bar_note(does: str, compared: pd.Series, name: str) -> str:
    """What a click on a bar ``does``, and what the mark on it is, where there is one to compare with."""
    return t("charts.with_mark", does=does, name=name[:1].lower() + name[1:]) if compared.notna().any() else does


def height_of(bars: int) -> int:
    """The height of a chart of so many bars."""
    return ROW * max(bars, 2) + 16


def height_beside(bars: int) -> int:
    """The height of a chart that stands beside so many bars."""
    return max(ROW * bars + 16, 320)


def spread_beside(bars: int) -> int | None:
    """The height of bars that stand beside a chart of so many; on a phone nothing stands beside them."""
    return None if narrow() else height_beside(bars)


def by_week(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Sums of whole weeks that end on the last day of ``frame``: day (the first of the week) and ``columns``.

    Days before the first whole week are left out, and a week with an unknown day is unknown.
    """
    weeks = len(frame) // 7
    tail = frame.iloc[len(frame) - weeks * 7 :]
    position = np.repeat(np.arange(weeks), 7)
    sums = tail[list(columns)].astype(float).groupby(position).sum(min_count=7)
    return sums.assign(day=pd.to_datetime(tail["day"]).iloc[::7].to_numpy())


def _line(
    days: pd.Series, values: pd.Series, name: str, unit: str, currency: str, *, own: bool, weekly: bool
) -> dict[str, Any]:
    numbers = values.astype(float)
    length = pd.Timedelta(days=6 if weekly else 0)
    point = 10 if len(days) == 1 else 4 if own and len(days) <= 45 else 0.1  # one day is no line
    return {
        "type": "scatter",
        "x": [day.date().isoformat() for day in days],
        "y": [None if fmt.is_missing(number) else round(number, 4) for number in numbers],
        "name": name,
        "legendrank": 1 if own else 2,
        "mode": "lines+markers",
        "line": {"color": palette.OWN if own else palette.QUIET, "width": 2.4 if own else 1.4}
        | ({} if own else {"dash": "dot"}),
        "marker": {"size": point},
        "customdata": [
            [f"{day.date()}/{(day + length).date()}", fmt.value(number, unit, currency)]
            for day, number in zip(days, numbers, strict=True)
        ],
        "hovertemplate": "%{customdata[1]}<extra>" + name + "</extra>",
    }


def _bands(figure: go.Figure, events: Sequence[Event], first: Any, last: Any, top: float) -> None:
    """Events as bands behind a chart of days, named as far as there is room: no name lies on another.

    Over more than 13 months only the peaks of the year.
    """
    half, days = pd.Timedelta(hours=12), max((last - first).days, 1)
    bands = []
    shown = [e for e in events if days <= _MONTHS_13 or e.key in PEAKS]
    middles: dict[Event, pd.Timestamp] = {}
    for event in shown:
        start, end = pd.Timestamp(event.first), pd.Timestamp(event.last)
        if end < first or start > last:
            continue
        start, end = max(start, first) - half, min(end, last) + half
        bands.append(_band(start.isoformat(), end.isoformat()))
        middles[event] = start + (end - start) / 2
    if bands:
        # At once: with each that is added to a figure, Plotly looks at all it has.
        figure.layout.shapes = [*figure.layout.shapes, *bands]
    for event in named({event: (middle - first).days / days for event, middle in middles.items()}, _room()):
        _name(figure, event, middles[event].isoformat(), (middles[event] - first).days / days, top)


def _band(start: str | float, end: str | float) -> dict[str, Any]:
    return {
        "type": "rect", "x0": start, "x1": end, "yref": "y domain", "y0": 0, "y1": 1,
        "fillcolor": palette.WARM, "opacity": 0.12, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def mark_events(figure: go.Figure, first: pd.Timestamp, last: pd.Timestamp, currency: str, top: float) -> None:
    """The events between two days behind any chart with an axis of days, their names at the height ``top``."""
    _bands(figure, year.events(first.date(), last.date(), currency), first, last, top)


def named(places: Mapping[Event, float], room: float) -> list[Event]:
    """The events whose names fit beside each other in ``room`` pixels, those the year turns on before others.

    ``places``: where in the chart each stands, from 0 to 1.
    """
    taken: list[tuple[float, float]] = []
    kept: list[Event] = []
    for event in sorted(places, key=lambda event: IN_ORDER.index(event.key) if event.key in IN_ORDER else 99):
        width = _DIGIT * fmt.cells(t(f"event.{event.key}"))
        left = min(max(places[event] * room - width / 2, 0), room - width)
        if all(left + width + _DIGIT <= start or left >= end + _DIGIT for start, end in taken):
            taken.append((left, left + width))
            kept.append(event)
    return kept


def _room() -> int:
    return _PLOT_ON_A_PHONE if narrow() else _PLOT


def _name(figure: go.Figure, event: Event, x: str | int, place: float, top: float) -> None:
    figure.add_annotation(
        x=x,
        y=top,
        yanchor="bottom",
        xanchor="left" if place < _EDGE else "right" if place > 1 - _EDGE else "center",
        text=t(f"event.{event.key}"),
        showarrow=False,
        font={"size": 12, "color": palette.SOFT_TEXT},
    )


def name_months(figure: go.Figure, months: Sequence[str], currency: str, top: float, *, numbered: bool = False) -> None:
    """The peaks of the year above the months ('YYYY-MM') they fall into, each behind its band; ``numbered``: the axis
    counts them from 0."""
    if not months:
        return
    first, last = pd.Period(months[0], "M"), pd.Period(months[-1], "M")
    column = {month: number for number, month in enumerate(months)}
    at = {
        event: event.last.strftime("%Y-%m")
        for event in year.events(first.start_time.date(), last.end_time.date(), currency)
        if event.key in PEAKS and event.last.strftime("%Y-%m") in column
    }
    places = {event: (column[month] + 0.5) / len(months) for event, month in at.items()}
    bands = [_band(column[month] - 0.5, column[month] + 0.5) for month in sorted(set(at.values()))]
    figure.layout.shapes = [*figure.layout.shapes, *bands]
    for event in named(places, _room()):
        _name(figure, event, column[at[event]] if numbered else at[event], places[event], top)


def columns_over_time(
    frame: pd.DataFrame,
    *,
    month: str,
    parts: Mapping[str, str],
    unit: str,
    currency: str,
    height: int = 300,
    reach: float = 0.0,
) -> go.Figure:
    """Stacked columns, one per month ('YYYY-MM'), ``parts`` (column -> name) from the ground up.

    reach: a value that the axis holds besides.
    """
    months = frame[month].tolist()
    columns = []
    for colour, (column, name) in zip((palette.OWN, palette.SECOND), parts.items(), strict=False):
        numbers = frame[column].astype(float)
        columns.append(
            {
                "type": "bar",
                "x": months,
                "y": numbers.round(2).tolist(),
                "name": name,
                "marker": {"color": colour},
                "customdata": [[fmt.value(number, unit, currency)] for number in numbers],
                "hovertemplate": "%{customdata[0]}<extra>" + name + "</extra>",
            }
        )
    highest = float(frame[list(parts)].astype(float).sum(axis=1).max()) if len(frame) else 0.0
    ticks, texts = axis_ticks(unit, currency, max(highest, reach))
    marks = spread(len(months), 3 if narrow() else 5)
    time = {
        "type": "category",
        "tickvals": [months[mark] for mark in marks],
        "ticktext": [fmt.month(months[mark]) for mark in marks],
        **_time_axis(),
    }
    more = {"barmode": "stack", "bargap": 0.28, "legend": {**_LEGEND, "traceorder": "normal"}}
    axes = {"xaxis": time, "yaxis": _value_axis(ticks, texts)}
    figure = go.Figure(columns, layout(height=height, hovermode="x unified", **more, **axes))
    name_months(figure, months, currency, ticks[-1])
    return figure


def curves(
    lines: Mapping[str, pd.DataFrame], *, x: str, value: str, unit: str, currency: str, height: int = 300
) -> go.Figure:
    """Lines (name -> frame) over whole numbers, such as months since the first order; zero-based.

    The last one is what the chart is about, those before it what it is compared with.
    """
    drawn: list[dict[str, Any]] = []
    highest, longest = 0.0, 0
    for position, (name, frame) in enumerate(lines.items(), start=1):
        own = position == len(lines)
        numbers = frame[value].astype(float)
        highest, longest = max(highest, numbers.max() if len(numbers) else 0.0), max(longest, len(frame))
        drawn.append(
            {
                "type": "scatter",
                "x": frame[x].tolist(),
                "y": numbers.round(4).tolist(),
                "name": name,
                "legendrank": 1 if own else 2,
                "mode": "lines+markers",
                "line": {"color": palette.OWN if own else palette.QUIET, "width": 2.4 if own else 1.6}
                | ({} if own else {"dash": "dot"}),
                "marker": {"size": 5 if own else 0.1},
                "customdata": [[fmt.value(number, unit, currency)] for number in numbers],
                "hovertemplate": "%{customdata[0]}<extra>" + name + "</extra>",
            }
        )
    axes = {
        "xaxis": {"dtick": max(longest // 8, 1), **_time_axis()},
        "yaxis": _value_axis(*axis_ticks(unit, currency, float(highest))),
    }
    more = {"legend": _LEGEND, "showlegend": len(lines) > 1, **axes}
    return go.Figure(drawn, layout(height=height, hovermode="x unified", **more))


def axis_ticks(unit: str, currency: str, highest: float, lowest: float = 0.0) -> tuple[list[float], list[str]]:
    """Round positions and their texts for a value axis of a unit."""
    if unit == "money":
        return fmt.money_ticks(highest, currency, lowest)
    if unit == "percent":
        return fmt.percent_ticks(highest, lowest)
    return fmt.count_ticks(highest, lowest)


def layout(*, height: int, **more: Any) -> dict[str, Any]:
    """The layout every figure begins with. Not a ``go.Layout``: a figure would look at all of it a second time."""
    return {
        "height": height,
        "margin": MARGIN,
        "dragmode": False,
        "clickmode": "event+select",
        "hoverlabel": {"align": "left"},
        "hovermode": "closest",
        "bargap": 0.3,
        "xaxis": {"automargin": True},  # the title of an axis stands below its labels
        **more,
    }


_LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left", "title": None}


def _value_axis(ticks: list[float], texts: list[str]) -> dict[str, Any]:
    return {
        "tickvals": ticks,
        "ticktext": texts,
        # Room above the highest tick for the names of events.
        "range": [ticks[0], ticks[-1] + (ticks[-1] - ticks[0]) * 0.09] if len(ticks) > 1 else [0, 1],
        "zeroline": False,
        "showgrid": True,
        "gridcolor": palette.RULE,
        "ticks": "",
        "fixedrange": True,
        "automargin": True,
        "title": None,
    }


def _time_axis() -> dict[str, Any]:
    return {
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "fixedrange": True,
        "title": None,
        "automargin": True,
        "tickangle": 0,
    }


def spread(length: int, most: int) -> list[int]:
    """At most ``most`` evenly spread positions of a list, the last one included."""
    if length <= most:
        return list(range(length))
    step = -(-length // most)
    return list(range((length - 1) % step, length, step))


def short(name: str) -> str:
    """A name as far as there is room for it beside a mark; the month or size it ends in stays."""
    return str(tables.shortened(name, room=2 * (_NARROW if narrow() else _WIDE) + 1, measured=_letters))


def _letters(text: str) -> int:
    """How wide a text is, in small letters: a Chinese character is as wide as two, a capital a third wider."""
    return round(sum(2 if ord(letter) > 0x2E80 else 1.3 if letter.isupper() else 1 for letter in text))
