"""The parts that show alerts: what happened in words, the figure within its band, where it is explained."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.metrics import METRICS
from models.reports.alerts import AlertsReport, alert_id
from pages._ui import charts, drill, empty, palette, params
from pages._ui import format as fmt
from pages._ui.i18n import localized, t, tn
from pages._ui.tables import Column, badge, column

KINDS: Final = {"alert": "red", "odd": "gray"}
_BY_GRAIN: Final = {"day": 1, "week": 7}
_ON_OTHER_PAGES = 5  # alerts


def figures(report: AlertsReport) -> list[tuple[str, str, str | None]]:
    """How many alerts, what is watched, and how often all as usual looks odd."""
    alerts, watched = report.alerts, report.watched
    expected = watched["expected_a_week"].sum()
    return [
        (t("alerts.count"), fmt.count((alerts["kind"] == "alert").sum()), t("alerts.count.help")),
        (t("alerts.odd"), fmt.count((alerts["kind"] == "odd").sum()), t("alerts.odd.help")),
        (t("alerts.series"), fmt.count(watched["series"].sum()), t("alerts.series.help")),
        (t("alerts.expected"), fmt.decimal(expected, 1), t("alerts.expected.help")),
    ]


def rows(report: AlertsReport) -> pd.DataFrame:
    """The alerts as the list shows them, with an id of their own and what happened in words."""
    alerts = localized(report.alerts, {"store": "store.name", "region": "region.name"})
    pairs: list[Any] = list(alerts.itertuples(index=False))
    return alerts.assign(
        alert=alert_id(alerts),
        figure=[t(f"alerts.figure.{row.grain}", figure=t(f"metric.{row.metric}")) for row in pairs],
        seen=[_number(row.value, row.metric, report.currency) for row in pairs],
        ordinary=[
            t(
                "alerts.between",
                low=_number(row.lo, row.metric, report.currency),
                high=_number(row.hi, row.metric, report.currency),
            )
            for row in pairs
        ],
    )


def columns() -> list[Column]:
    return [
        Column("store", "text", under="figure"), badge("kind", "alerts.kind", KINDS), Column("figure", "text"),
        Column("seen", "text"), Column("ordinary", "text"), column("change_ratio"), Column("day", "day"),
        column("region"),
    ]  # fmt: skip


def sentence(row: pd.Series) -> str:
    """What happened, in one sentence."""
    return t(
        f"alerts.told.{row['grain']}.{'above' if row['change'] > 0 else 'below'}",
        store=row["store"],
        figure=t(f"metric.{row['metric']}"),
        day=fmt.day(row["day"]),
        seen=row["seen"],
        ratio=fmt.percent(abs(row["change_ratio"]), 0),
        usual=row["ordinary"],
    )


def chosen(found: pd.DataFrame) -> pd.Series | None:
    """The alert that the URL names, or the first of the list."""
    if found.empty:
        return None
    named = found[found["alert"] == drill.asked("alert")]
    return (named if len(named) else found).iloc[0]


def choose(alert: str) -> None:
    st.query_params["alert"] = alert


def band(report: AlertsReport, row: pd.Series) -> go.Figure:
    """The figure of an alert over the weeks before, within its band; days outside it are marked. A click gives the
    day or week as "first/last"."""
    kept = report.series
    mine = kept[(kept["store_id"] == row["store_id"]) & (kept["metric"] == row["metric"])]
    mine = mine[mine["grain"] == row["grain"]].sort_values("day")
    days = pd.to_datetime(mine["day"])
    x = [day.date().isoformat() for day in days]
    unit, name = METRICS[row["metric"]].unit, t(f"metric.{row['metric']}")
    length = pd.Timedelta(days=_BY_GRAIN[row["grain"]] - 1)
    spans = [f"{(day - length).date()}/{day.date()}" for day in days]
    figure = go.Figure(layout=charts.layout(height=300, hovermode="x unified"))
    for bound, fill in (("hi", None), ("lo", "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=mine[bound].round(2).tolist(),
                mode="lines",
                line={"width": 0},
                fill=fill,
                fillcolor=palette.RULE,
                name=t("alerts.band"),
                showlegend=bound == "lo",
                legendrank=3,
                hoverinfo="skip",
            )
        )
    outside = (mine["value"] < mine["lo"]) | (mine["value"] > mine["hi"])
    for column_, label, colour, dash in (
        ("expected", t("alerts.expected_value"), palette.QUIET, "dot"),
        ("value", name, palette.OWN, "solid"),
    ):
        own = column_ == "value"
        figure.add_trace(
            go.Scatter(
                x=x,
                y=[None if fmt.is_missing(number) else round(float(number), 2) for number in mine[column_]],
                mode="lines+markers" if own else "lines",
                name=label,
                legendrank=1 if own else 2,
                line={"color": colour, "width": 2.2 if own else 1.4, "dash": dash},
                marker={
                    "size": [11 if odd else 4 for odd in outside],
                    "color": [palette.SECOND if odd else colour for odd in outside],
                },
                customdata=[
                    [span, _number(number, row["metric"], report.currency)]
                    for span, number in zip(spans, mine[column_], strict=True)
                ],
                hovertemplate="%{customdata[1]}<extra>" + label + "</extra>",
            )
        )
    highest = float(mine[["value", "hi"]].max().max())
    ticks, texts = charts.axis_ticks(unit, report.currency, highest)
    figure.update_yaxes(
        tickvals=ticks, ticktext=texts, range=[0, 1.12 * max(ticks[-1], highest)], gridcolor=palette.RULE,
        zeroline=False, ticks="", fixedrange=True, automargin=True,
    )  # fmt: skip
    marks = charts.spread(len(days), 5)
    figure.update_xaxes(
        tickvals=[x[mark] for mark in marks],
        ticktext=[fmt.day_short(days.iloc[mark]) for mark in marks],
        hoverformat=t("charts.week_hover" if row["grain"] == "week" else "charts.day_hover"),
        showgrid=False, ticks="", fixedrange=True,
    )  # fmt: skip
    if len(days):
        charts.mark_events(figure, days.iloc[0], days.iloc[-1], report.currency, max(ticks[-1], highest))
    charts.legend_above(figure)
    return figure


def keep(row: pd.Series) -> Callable[[str], None]:
    """What a click on the chart of an alert does: narrows every page to its store and to the days clicked."""

    def narrow(span: str) -> None:
        drill.keep_days(span)
        params.put(stores=str(row["store_id"]))

    return narrow


def links(row: pd.Series) -> None:
    """To the store and to what moved its sales, both in the days of the alert."""
    first = row["day"].date() - timedelta(days=_BY_GRAIN[row["grain"]] - 1)
    days = {
        **{name: value for name, value in params.carried().items() if name == "lang"},
        "period": "custom",
        "from": first.isoformat(),
        "to": row["day"].date().isoformat(),
    }
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "store.py",
            label=t("alerts.open_store"),
            icon=":material/storefront:",
            query_params={**days, "store": row["store_id"]},
        )
        st.page_link(
            "why.py",
            label=t("alerts.open_why"),
            icon=":material/compare_arrows:",
            query_params={**days, "stores": row["store_id"]},
        )


def block(report: AlertsReport, *, key: str) -> None:
    """The latest alerts in a few lines, for other pages; nothing when no batch has looked."""
    if report.until is None:
        return
    found = rows(report)
    shown = found[found["kind"] == "alert"].head(_ON_OTHER_PAGES)
    with st.container(border=True, key=key):
        st.markdown(f"**{t('page.alerts')}**", help=t("alerts.count.help"))
        odd = int((found["kind"] == "odd").sum())
        if shown.empty and odd:  # outside their bands, which no sentence here may deny
            link = drill.link("alerts")
            st.page_link("alerts.py", label=tn("alerts.only_odd", odd, n=fmt.count(odd)), query_params=link)
        elif shown.empty:
            empty.nothing(t("alerts.none"))
        for _, row in shown.iterrows():
            st.page_link(
                "alerts.py",
                label=sentence(row),
                icon=":material/notifications_active:",
                query_params=drill.link("alerts", alert=row["alert"]),
            )


def _number(value: Any, metric: str, currency: str) -> str:
    if fmt.is_missing(value):
        return fmt.MISSING
    unit = METRICS[metric].unit
    return fmt.card_value(round(float(value)) if unit == "count" else value, unit, currency)
