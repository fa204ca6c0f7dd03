"""When campaigns run, with the events of the year behind them, and which of the latest lose more people than usual."""

from collections.abc import Collection
from datetime import timedelta

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.reports.funnels import FunnelsReport
from pages._ui import charts, drill, empty, experiments, head, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.head import Opened
from pages._ui.i18n import localized, t, word

_BACK, _AHEAD = timedelta(days=180), timedelta(days=90)  # around the last day of the data
_MOST = 30  # bars
_MILLISECONDS = 86_400_000  # of a day
_LATELY = 3  # campaigns that ended last, beside those that run
# Of a rate the step that people did not take, and the one before it, where they stopped.
_FAILING = {
    "delivery_rate": "delivered", "open_rate": "opened", "click_rate": "clicked", "claim_rate": "claimed",
    "redemption_rate": "bought", "conversion_rate": "bought",
}  # fmt: skip
_STOPPED_AT = {
    "delivery_rate": "sent", "open_rate": "delivered", "click_rate": "opened", "claim_rate": "clicked",
    "redemption_rate": "claimed", "conversion_rate": "visited",
}  # fmt: skip
_COLOURS = {"planned": palette.QUIET, "running": palette.SECOND, "closed": palette.OWN}


def calendar(campaigns: pd.DataFrame, page: Opened) -> None:
    """The campaigns of the half-year before and the quarter ahead as bars over time; a click opens one.

    campaigns: of ``models.reports.campaigns``, as far as the reader chose them.
    """
    today = pd.Timestamp(page.snapshot.info.as_of).normalize()
    head.block(t("calendar.title"), t("calendar.note"), t("calendar.help"))
    rows = campaigns[campaigns["starts_on"].notna() & campaigns["state"].isin(_COLOURS)]
    rows = rows.assign(last=rows["ends_on"].fillna(rows["starts_on"]))
    rows = rows[(rows["last"] >= today - _BACK) & (rows["starts_on"] <= today + _AHEAD)]
    rows = rows.sort_values(["starts_on", "campaign_id"], ascending=False, ignore_index=True).head(_MOST)
    if rows.empty:
        empty.nothing(t("calendar.none"))
        return
    chosen = charts.clicked(_bars(rows, today, page.currency), alt=t("calendar.title"), key="campaign_calendar")
    if chosen:
        drill.open_page("campaign", campaign=chosen)


def unusual(funnels: FunnelsReport, among: Collection[str] | None = None) -> None:
    """Which of the campaigns that run or ended lately lose people at a step where their channel usually does not, with
    the way to those who stopped there; nothing where none does. among: of these campaigns only."""
    known = funnels.campaigns
    if known.empty:
        return
    known = known if among is None else known[known["campaign_id"].isin(among)]
    lately = known[known["state"] == "running"]["campaign_id"].tolist()
    lately += known[known["state"] == "closed"].nlargest(_LATELY, "starts_on")["campaign_id"].tolist()
    rows = funnels.alerts[(funnels.alerts["verdict"] == "below") & funnels.alerts["campaign_id"].isin(lately)]
    if rows.empty:
        return
    named = localized(rows, {"name": "campaign.name"})
    with st.container(border=True):
        head.block(t("funnel.alerts"), t("calendar.unusual_note"), t("calendar.unusual_help"))
        for row in named.itertuples(index=False):
            texts = {
                "name": row.name,
                "rate": t(f"funnel.{row.key}"),
                "value": fmt.percent(row.value),
                "usual": fmt.between(fmt.percent(row.lo95), fmt.percent(row.hi95)),
            }
            st.markdown(f":orange[:material/warning:] {t('calendar.unusual', **texts)}")
            query = drill.link("funnel", campaign=str(row.campaign_id), step=_STOPPED_AT[str(row.key)])
            label = t("calendar.failing", step=t(f"step.{_FAILING[str(row.key)]}"))
            st.page_link("funnel.py", label=label, icon=":material/filter_alt:", query_params=query)


def _bars(rows: pd.DataFrame, today: pd.Timestamp, currency: str) -> go.Figure:
    figure = go.Figure(layout=charts.layout(height=charts.ROW * max(len(rows), 3) + 72, barmode="overlay"))
    names = localized(rows, {"name": "campaign.name"})["name"].astype(str).tolist()
    day = pd.Timedelta(days=1)
    for state, colour in _COLOURS.items():
        some = rows[rows["state"] == state]
        lasts = ((some["last"] - some["starts_on"]).dt.days + 1) * _MILLISECONDS
        figure.add_trace(
            go.Bar(
                y=some.index.tolist(),
                base=[start.isoformat() for start in some["starts_on"]],
                x=lasts.tolist(),
                orientation="h",
                width=0.55,
                marker={"color": colour, "cornerradius": 3},
                name=t(f"campaign_state.{state}"),
                customdata=[
                    [row["campaign_id"], names[at], _hint(row)]
                    for at, (_, row) in zip(some.index.tolist(), some.iterrows(), strict=True)
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
            )
        )
    first, last = min(rows["starts_on"].min(), today), max(rows["last"].max(), today)
    months = pd.date_range(first.to_period("M").start_time, last, freq="MS")
    ticks = [month for month in months if month >= first - pd.Timedelta(days=10)]
    step = max(-(-len(ticks) // (3 if narrow() else 9)), 1)
    figure.update_xaxes(
        type="date",
        range=[(first - 3 * day).isoformat(), (last + 4 * day).isoformat()],
        tickvals=[month.isoformat() for month in ticks[::step]],
        ticktext=[fmt.month_short(month) for month in ticks[::step]],
        fixedrange=True,
    )
    charts.name_rows(figure, names)
    charts.mark_events(figure, first, last, currency, -0.6)
    figure.update_yaxes(range=[len(rows) - 0.5, -1.2])
    figure.add_vline(x=(today + day).isoformat(), line={"color": palette.SOFT_TEXT, "width": 1, "dash": "dot"})
    charts.legend_above(figure)
    return figure


def _hint(row: pd.Series) -> str:
    parts = [fmt.period(row["starts_on"], row["last"])]
    if not fmt.is_missing(row["channel"]):
        parts.append(word("channel", str(row["channel"])))
    if row["verdict"] in experiments.TONES:
        parts.append(t(f"verdict.{row['verdict']}"))
    return " · ".join(parts)
