"""The parts of the targets page: how far each store is and where it will end, the form that sets a target."""

from datetime import date

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.freshness import utc_now
from data_access.state import targets as state
from data_access.state.store import opened
from models.reports.targets import TargetsReport
from pages._ui import cards, charts, head, load, palette, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again, tell, writer
from pages._ui.device import narrow
from pages._ui.head import Opened
from pages._ui.i18n import t
from pages._ui.tables import Column, badge, column

_TONES = {"reached": "green", "ahead": "green", "open": "gray", "behind": "orange", "no_target": "gray"}
_MOST_DRAWN = 20  # stores: those furthest behind
_MARGIN = {**charts.MARGIN, "r": 24}  # half of the last label of the axis
_MONTHS = 4  # offered: this one and those after it


def figures(report: TargetsReport) -> list[tuple[str, str, str | None]]:
    """The target of all stores, what was sold of it, and where the month will end."""
    known = report.summary.set_index("key")
    return [
        (
            t(f"targets.{key}"),
            fmt.card_value(known.loc[key, "value"], str(known.loc[key, "unit"]), report.currency),
            t(f"targets.{key}.help"),
        )
        for key in ("target", "sold", "attained", "expected", "expected_share")
    ]


def note(report: TargetsReport) -> str:
    """Which month, up to which day."""
    return t("targets.note", month=fmt.month(report.month), day=fmt.day(report.as_of))


def block(page: Opened) -> None:
    """How far the month is in the store of ``page``, and where it will end; nothing without a target."""
    report = load.targets(page.scope, page.period.last, state.current(opened(), page.scope), page.generation)
    if not (report.stores["target"] > 0).any():
        return
    with st.container(border=True):
        head.block(t("targets.here"), note(report), t("targets.help"))
        cards.plain_row(figures(report))


def paces(stores: pd.DataFrame, currency: str) -> go.Figure:
    """For each store with a target what was sold of it (bar) and where the month will end (dot with its range)."""
    drawn = stores[stores["target"] > 0].head(_MOST_DRAWN).iloc[::-1].reset_index(drop=True)
    figure = go.Figure(
        layout=charts.layout(height=charts.height_beside(max(len(drawn), 2)), barmode="overlay", margin=_MARGIN)
    )
    figure.add_trace(
        go.Bar(
            y=drawn.index,
            x=drawn["attainment"],
            orientation="h",
            width=0.5,
            name=t("targets.sold"),
            marker={"color": palette.OWN, "cornerradius": 3},
            customdata=[
                [
                    store_id,
                    t(
                        "targets.sold_hover",
                        store=store,
                        sold=fmt.money(sold, currency),
                        target=fmt.money(target, currency),
                    ),
                ]
                for store_id, store, sold, target in zip(
                    drawn["store_id"], drawn["store"], drawn["sold"], drawn["target"], strict=True
                )
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    low, high = drawn["lo80"] / drawn["target"], drawn["hi80"] / drawn["target"]
    figure.add_trace(
        go.Scatter(
            y=drawn.index,
            x=drawn["expected_share"],
            mode="markers",
            name=t("targets.expected"),
            marker={"color": palette.SECOND, "size": 9},
            error_x=charts.whiskers(drawn["expected_share"], low, high, palette.SECOND),
            customdata=[
                [
                    store_id,
                    t("targets.expected_hover", store=store, expected=fmt.percent(share), range=_range(one, two)),
                ]
                for store_id, store, share, one, two in zip(
                    drawn["store_id"], drawn["store"], drawn["expected_share"], low, high, strict=True
                )
            ],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
    )
    figure.add_vline(x=1, line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    figure.update_yaxes(
        tickvals=list(drawn.index), ticktext=[charts.short(name) for name in drawn["store"]],
        showgrid=False, zeroline=False, range=[-0.6, len(drawn) - 0.4], fixedrange=True, automargin=True,
        tickfont=charts.NAMES,
    )  # fmt: skip
    figure.update_xaxes(
        tickformat=".0%", showgrid=True, gridcolor=palette.RULE, zeroline=False, rangemode="tozero", fixedrange=True
    )
    charts.legend_above(figure)
    return figure


def _range(low: float, high: float) -> str:
    if fmt.is_missing(low) or fmt.is_missing(high):
        return t("targets.no_range")
    return fmt.between(fmt.percent(low), fmt.percent(high))


def rows(stores: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Stores as the list shows them: the range and the source in words."""
    texts = [
        fmt.MISSING
        if fmt.is_missing(low)
        else fmt.between(*(fmt.money(end, currency, digits=0) for end in (low, high)))
        for low, high in zip(stores["lo80"], stores["hi80"], strict=True)
    ]
    return stores.assign(
        sold_so_far=stores["sold"],
        between80=texts,
        source=[t(f"target_source.{source}") for source in stores["source"]],
    )


def columns() -> list[Column]:
    """What the list of stores shows."""
    return [
        column("store"),
        badge("pace", "pace", _TONES),
        column("attainment"),
        column("target"),
        Column("sold_so_far", "money"),
        Column("expected", "money"),
        column("between80"),
        column("source"),
    ]


def form(stores: pd.DataFrame, month: date) -> None:
    """Sets what a store is to sell in a month."""
    tell()
    names = dict(zip(stores["store_id"], stores["store"], strict=True))
    months = [(pd.Timestamp(month) + pd.DateOffset(months=ahead)).date() for ahead in range(_MONTHS)]
    with st.form("target_form", border=False):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            store_id = st.selectbox(t("column.store"), list(names), format_func=lambda one: names[one], width=280)
            chosen = st.selectbox(t("column.month"), months, format_func=fmt.month, width=160)
            amount = st.number_input(
                t("targets.amount"), min_value=1, max_value=state.MOST, value=None, step=1_000, width=200
            )
        with st.container(horizontal=True):
            sent = st.form_submit_button(t("targets.save"), type="primary")
            taken_back = st.form_submit_button(t("targets.take_back"), help=t("targets.take_back_help"))
    if sent or taken_back:
        _put(store_id, names[store_id], chosen, amount if sent else None, taken_back)


def _put(store_id: str, name: str, month: date, amount: int | None, taken_back: bool) -> None:
    scope, actor = writer()
    if session.current_person().role != "regional" or (amount is None and not taken_back):
        st.error(t("rule.target_amount"), icon=":material/error:")
        return

    attempt(
        lambda: state.put(opened(), load.snapshot(), scope, actor, store_id, month, amount, utc_now()),
        lambda _: say_again(t("targets.saved", store=name, month=fmt.month(month))),
    )


def months(frame: pd.DataFrame, currency: str) -> go.Figure:
    """What was to be sold beside what was, month by month."""
    parts = {"gross_sales": t("metric.gross_sales")}
    reach = float(frame["target"].fillna(0).max()) if len(frame) else 0.0
    figure = charts.columns_over_time(frame, month="month", parts=parts, unit="money", currency=currency, reach=reach)
    figure.add_trace(
        go.Scatter(
            x=figure.data[0].x,
            y=frame["target"].tolist(),
            mode="markers",
            name=t("column.target"),
            marker={"symbol": "line-ew", "size": 7 if narrow() else 18, "line": {"width": 3, "color": palette.SECOND}},
            customdata=[[fmt.money(value, currency)] for value in frame["target"]],
            hovertemplate="%{customdata[0]}<extra>%{fullData.name}</extra>",
        )
    )
    figure.update_layout(showlegend=True)
    return figure
