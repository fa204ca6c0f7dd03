"""Lines with the range around them: what a share is, and between what it lies with a certainty of 95 %."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from pages._ui import charts, load, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import t

_MARKS, _MARKS_WHEN_NARROW = 4, 3  # names along an axis of months
_NAMES = 26  # pixels above the chart for the names of events


def over_months(
    frame: pd.DataFrame, *, value: str, name: str, reach: tuple[float, float] | None = None, unit: str = "percent"
) -> go.Figure:
    """A share, or a figure of another ``unit``, over ``frame["month"]`` ('YYYY-MM') with its range (lo95, hi95).

    ``reach``: the axis, where the range of a month with few people would flatten all others. The peaks
    of the year stand above.
    """
    numbered = frame.assign(position=range(len(frame)))
    figure = _figure({name: numbered}, "position", value, [fmt.month(month) for month in frame["month"]], reach, unit)
    step = max(-(-len(frame) // (_MARKS_WHEN_NARROW if narrow() else _MARKS)), 1)
    marks = list(range((len(frame) - 1) % step, len(frame), step))
    figure.update_xaxes(tickvals=marks, ticktext=[fmt.month(frame["month"].iloc[mark]) for mark in marks])
    currency, top = load.snapshot().info.currency, float(figure.layout.yaxis.range[1])
    charts.name_months(figure, frame["month"].tolist(), currency, top, numbered=True)
    figure.update_layout(margin_t=_NAMES)
    return figure


def over_days(lines: Mapping[str, pd.DataFrame], *, value: str) -> go.Figure:
    """Shares that rise with the days, by name; the last one with its range. ``frame``: days, ``value``, lo95, hi95.

    Of more than 120 days every second, third, ... is drawn, and the last.
    """
    lines = {name: _thinned(frame) for name, frame in lines.items()}
    own = list(lines.values())[-1]
    figure = _figure(
        lines, "days", value, [t("bands.by_day", days=fmt.count(day)) for day in own["days"]], None, "percent"
    )
    figure.update_traces(line_shape="hv")
    figure.update_xaxes(title={"text": t("bands.days"), "standoff": 6}, dtick=None, nticks=8, rangemode="tozero")
    return figure


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    step = max(-(-len(frame) // charts.DAYS_DRAWN), 1)
    return frame[[row % step == 0 or row == len(frame) - 1 for row in range(len(frame))]].reset_index(drop=True)


def _figure(
    lines: Mapping[str, pd.DataFrame],
    x: str,
    value: str,
    places: list[str],
    reach: tuple[float, float] | None,
    unit: str,
) -> go.Figure:
    figure = charts.curves(lines, x=x, value=value, unit=unit, currency="")
    own = list(lines.values())[-1]
    known = own.dropna(subset=["lo95", "hi95"])
    low, high = (known[bound].astype(float).clip(*(reach or (None, None))) for bound in ("lo95", "hi95"))
    band = go.Scatter(
        x=[*known[x], *known[x][::-1]],
        y=[*high.round(4), *low[::-1].round(4)],
        fill="toself",
        fillcolor=palette.OWN,
        opacity=0.16,
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        showlegend=False,
    )
    line = figure.data[-1]
    line.customdata = [[text] for text in _hints(own, value, places, unit)]
    line.hovertemplate = "%{customdata[0]}<extra></extra>"
    line.marker.size = 4 if len(own) <= 40 else 0.1
    figure.add_trace(band)
    figure.data = (figure.data[-1], *figure.data[:-1])  # behind the lines
    ends = [*own[value].dropna().astype(float), *low, *high]
    ticks, texts = charts.axis_ticks(unit, "", max(ends, default=1.0), min([0.0, *ends]))
    figure.update_yaxes(tickvals=ticks, ticktext=texts, range=[ticks[0], ticks[-1]])
    figure.update_layout(hovermode="closest")
    return figure


def _hints(frame: pd.DataFrame, value: str, places: list[str], unit: str) -> list[str]:
    rows = zip(
        places,
        *([fmt.value(number, unit, "") for number in frame[name]] for name in (value, "lo95", "hi95")),
        strict=True,
    )
    return [t("bands.hint", place=place, value=mid, low=low, high=high) for place, mid, low, high in rows]


def bounds(low: float, high: float) -> dict[str, str]:
    """Both ends of a range as texts."""
    return {"low": fmt.percent(low), "high": fmt.percent(high)}


def ranges(frame: pd.DataFrame) -> pd.DataFrame:
    """``frame`` with its range (lo95, hi95) as one text ``likely``; missing where there is none."""
    texts = [
        None if fmt.is_missing(low) else fmt.between(fmt.percent(low), fmt.percent(high))
        for low, high in zip(frame["lo95"], frame["hi95"], strict=True)
    ]
    return frame.assign(likely=pd.Series(texts, index=frame.index, dtype=object))
