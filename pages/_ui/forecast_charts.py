"""The chart of a forecast, of days or weeks: what was sold, what is expected with its ranges, events and promotions."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.calc.calendar import Event
from pages._ui import charts, palette
from pages._ui import format as fmt
from pages._ui.i18n import localized_text, t

_SHADES = {95: 0.12, 80: 0.22}
_TOO_WIDE = 20  # times the most that was sold or is expected: such a range says nothing and flattens the chart


def show(past: pd.DataFrame, ahead: pd.DataFrame, occasions: pd.DataFrame, *, alt: str, key: str) -> None:
    """Draws it. past: ds, units; ahead: ds, mean, and lo80, hi80 (lo95, hi95) where they are known; occasions: as a
    report has them."""
    figure = go.Figure(layout=charts.layout(height=340, hovermode="x unified"))
    known = [level for level in _SHADES if f"hi{level}" in ahead and ahead[f"hi{level}"].notna().any()]
    most = max(float(past["units"].max()), float(ahead["mean"].max()))
    levels = [level for level in known if ahead[f"hi{level}"].max() <= _TOO_WIDE * most]
    for level in levels:
        figure.add_trace(_band(ahead, level))
    figure.add_trace(_units(past["ds"], past["units"], t("demand.sold"), palette.SOFT_TEXT))
    figure.add_trace(_units(ahead["ds"], ahead["mean"], t("demand.expected"), palette.OWN))
    highest = max(float(column.max()) for column in (past["units"], ahead["mean"], *(ahead[f"hi{x}"] for x in levels)))
    days = [*past["ds"], *ahead["ds"]]
    top = charts.forecast_axes(figure, days, highest, events(occasions))
    _promotions(figure, occasions, days[0], days[-1], top)
    charts.show(figure, alt=alt, key=key)
    if len(levels) < len(known):
        left_out = t("session.and").join(t("demand.interval", level=level) for level in known if level not in levels)
        st.caption(t("demand.too_wide", ranges=left_out, times=_TOO_WIDE))


def events(occasions: pd.DataFrame) -> list[Event]:
    rows = occasions[occasions["kind"] == "event"]
    return [Event(row["event"], row["starts_on"].date(), row["ends_on"].date()) for row in rows.to_dict("records")]


def promotion_name(kind: str, what: str | None) -> str:
    """A promotion in words."""
    return t("demand.promotion", what=_what(kind, what))


def offer_name(row: Mapping[Hashable, Any]) -> str:
    """What a promotion is of, and how deep."""
    what = _what(row["kind"], row["event"])
    return what if fmt.is_missing(row["discount"]) else f"{what} −{fmt.percent(row['discount'], 0)}"


def _what(kind: str, what: str | None) -> str:
    if kind == "product_promotion":
        return t("demand.this_product")
    if fmt.is_missing(what):
        return t("demand.everything")
    return localized_text("product.category", str(what)) if what else t("demand.no_category")


def _promotions(
    figure: go.Figure, occasions: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, top: float
) -> None:
    """A rule below the axis from the first to the last day of each."""
    rows = occasions[
        (occasions["kind"] != "event") & (occasions["starts_on"] <= last) & (occasions["ends_on"] >= first)
    ]
    if rows.empty:
        return
    spans = rows.assign(name=[offer_name(row) for row in rows.to_dict("records")])
    charts.rules_below(figure, spans, pd.Series(pd.date_range(first, last)), top, t("demand.promotions"))


def _band(ahead: pd.DataFrame, level: int) -> go.Scatter:
    days = [day.date().isoformat() for day in ahead["ds"]]
    low, high = ahead[f"lo{level}"], ahead[f"hi{level}"]
    return go.Scatter(
        x=days + days[::-1],
        y=high.round(2).tolist() + low.round(2).tolist()[::-1],
        fill="toself",
        fillcolor=palette.OWN,
        opacity=_SHADES[level],
        line={"width": 0},
        mode="lines",
        name=t("demand.interval", level=level),
        hoverinfo="skip",
    )


def _units(days: pd.Series, values: pd.Series, name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[day.date().isoformat() for day in days],
        y=values.round(2).tolist(),
        name=name,
        mode="lines",
        line={"color": colour, "width": 2},
        customdata=[[fmt.count(value)] for value in values],
        hovertemplate="%{customdata[0]}<extra>" + name + "</extra>",
    )
