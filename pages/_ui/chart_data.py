"""The data table behind a chart: what its tooltips say, for whoever cannot point at a mark or would rather read."""

import re
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from pages._ui import format as fmt
from pages._ui.i18n import t

Names = Mapping[str, Mapping[Any, str]]

_FIELD = re.compile(r"%\{(\w+)(?:\[(\d+)\])?(?::[^}]*)?\}")
_EXTRA = re.compile(r"<extra>(.*?)</extra>", re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOLD = re.compile(r"^<b>(.*?)</b>(?:<br>)?(.*)$", re.DOTALL)


def rows(figure: go.Figure) -> pd.DataFrame:
    """One row per mark, all columns texts: what it is, and what its tooltip says, in one column per series.

    A series that has no name of its own stands under "figure". Marks without a tooltip are left out.
    """
    named = {side: _named(axis) for side, axis in (("x", figure.layout.xaxis), ("y", figure.layout.yaxis))}
    said: dict[str, dict[str, str]] = {}
    for trace in figure.data:
        for mark, series, text in _said(trace, named):
            said.setdefault(mark, {}).setdefault(series or t("charts.figure"), text)
    table = pd.DataFrame.from_dict(said, orient="index").fillna(fmt.MISSING)
    return table.rename_axis(t("charts.mark")).reset_index()


def _said(trace: Any, named: Names) -> list[tuple[str, str, str]]:
    """(what a mark is, its series, what is said of it) for each mark of a trace that has a tooltip."""
    template = trace.hovertemplate
    if not template or trace.hoverinfo == "skip" or trace.type not in ("bar", "scatter"):
        return []
    series = _EXTRA.search(template)
    found = []
    for number in range(max(len(values) for values in (trace.x, trace.y) if values is not None)):
        if trace.x is not None and trace.x[number] is None:
            continue  # the gap between two lines
        text = _FIELD.sub(partial(_value, trace, number), _EXTRA.sub("", template))
        bold = _BOLD.match(text)
        mark = bold[1] if bold else _place(trace, number, named)
        found.append((_bare(mark), _bare(series[1]) if series else "", _bare(bold[2] if bold else text)))
    return [one for one in found if one[2]]


def _place(trace: Any, number: int, named: Names) -> str:
    """Where a mark stands: in words on the axes all of whose marks have words, else along the axis that is not the
    value's."""
    words = [
        named[side][getattr(trace, side)[number]]
        for side in ("y", "x")
        if getattr(trace, side) is not None and all(value in named[side] for value in getattr(trace, side))
    ]
    if words:
        return " · ".join(words)
    side = "y" if getattr(trace, "orientation", None) == "h" else "x"
    place = _at(getattr(trace, side), number)
    return named[side].get(place) or _plain(place)


def _named(axis: Any) -> dict[Any, str]:
    """What the places of an axis are called, where it names them; an axis of values has a grid instead."""
    if axis.tickvals is None or axis.ticktext is None or axis.showgrid:
        return {}
    named = zip(axis.tickvals, axis.ticktext, strict=False)
    return {place: words for place, words in named if not _DAY.fullmatch(str(place))}


def _value(trace: Any, number: int, field: re.Match[str]) -> str:
    value = _at(getattr(trace, field[1], None), number)
    if field[2] is not None and isinstance(value, (list, tuple)):
        value = value[int(field[2])]
    return _plain(value)


def _at(values: Any, number: int) -> Any:
    if values is None or isinstance(values, str):
        return values
    return values[number] if number < len(values) else None


def _plain(value: Any) -> str:
    """A place or value as text: a day as pages write days."""
    if fmt.is_missing(value):
        return fmt.MISSING
    if isinstance(value, str) and _DAY.fullmatch(value):
        return fmt.day(date.fromisoformat(value))
    return str(value)


def _bare(text: str) -> str:
    return " · ".join(part for part in (_TAG.sub("", line).strip() for line in text.split("<br>")) if part)
