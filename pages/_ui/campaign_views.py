"""What a campaign's card says besides its verdict: what that rests on, day by day, and others like the treated."""

from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from models.calc.adjusted import BALANCED, LEAST_COMPARABLE
from models.calc.store_difference import WEEKS
from models.reports.campaign import CampaignReport
from models.reports.coupons import CouponsReport
from pages._ui import charts, empty, experiments, head, palette
from pages._ui import format as fmt
from pages._ui.i18n import t, tn, word
from pages._ui.tables import Column, badge, column, listing

_SURE = 0.05
_FEWEST = 20  # redemptions of which a share is told
LISTS = ("caused", "reached", "sold")  # what the list of campaigns may show
# What campaigns are chosen by, with the words of its values.
_FILTERS = {"channel": "channel", "type": "campaign_type", "objective": "objective", "year": "year"}


def basis(report: CampaignReport) -> str:
    """What the judgement rests on, in one sentence."""
    return t(f"campaign.basis.{report.basis}")


def curve(report: CampaignReport) -> None:
    """The extra money per customer day by day, with a range that may be looked at every day."""
    what = t(f"campaign.money.{report.money}")
    head.block(t("campaign.curve"), t("campaign.curve_note", what=what), t("campaign.curve_help"))
    charts.show(_curve(report.curve, report.currency), alt=t("campaign.curve"), key="campaign_curve")
    st.caption(_said(report))


def _said(report: CampaignReport) -> str:
    """What the curve allows to conclude today."""
    last = report.curve.iloc[-1]
    if fmt.is_missing(last["lo95"]):
        return t("campaign.curve_few")
    if last["lo95"] > 0:
        return t("campaign.curve_above" if report.is_over else "campaign.curve_above_running")
    if last["hi95"] < 0:
        return t("campaign.curve_below" if report.is_over else "campaign.curve_below_running")
    return t("campaign.curve_open" if report.is_over else "campaign.curve_open_running")


def _curve(rows: pd.DataFrame, currency: str) -> go.Figure:
    figure = go.Figure(layout=charts.layout(height=280, hovermode="x unified"))
    days = rows["day"].tolist()
    known = rows[rows["lo95"].notna()]
    texts = [
        fmt.money(middle, currency, digits=2)
        + (
            ""
            if fmt.is_missing(lo)
            else f" ({fmt.money(lo, currency, digits=2)} – {fmt.money(hi, currency, digits=2)})"
        )
        for middle, lo, hi in zip(rows["difference"], rows["lo95"], rows["hi95"], strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=[*known["day"], *known["day"][::-1]],
            y=[*known["hi95"].round(4), *known["lo95"][::-1].round(4)],
            fill="toself",
            fillcolor=palette.OWN,
            opacity=0.18,
            line={"width": 0},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=days,
            y=rows["difference"].round(4).tolist(),
            mode="lines",
            line={"color": palette.OWN, "width": 2.4},
            customdata=[[text] for text in texts],
            hovertemplate="%{customdata[0]}<extra></extra>",
            showlegend=False,
        )
    )
    highest = float(rows[["difference", "hi95"]].max().max())
    lowest = min(float(rows[["difference", "lo95"]].min().min()), 0.0)
    ticks, names = fmt.money_ticks(max(highest, 0.01), currency, lowest)
    figure.add_hline(y=0, line={"color": palette.SOFT_TEXT, "width": 1})
    figure.update_yaxes(tickvals=ticks, ticktext=names, fixedrange=True, zeroline=False)
    shown = days[:: max(len(days) // 5, 1)]
    figure.update_xaxes(tickvals=shown, ticktext=[fmt.day_short(day) for day in shown], fixedrange=True, showgrid=False)
    charts.mark_events(figure, pd.Timestamp(days[0]), pd.Timestamp(days[-1]), currency, max(highest, ticks[-1]))
    return figure


def adjusted(report: CampaignReport) -> None:
    """Others like the treated, where nobody was held back: an estimate with its label, or why there is none."""
    head.block(t("campaign.adjusted"), t("campaign.adjusted_note"), t("campaign.adjusted_help"))
    known = report.checks.set_index("key")["value"]
    if report.adjusted.empty:
        empty.nothing(t("campaign.adjusted_none"))
        return
    comparable = fmt.percent(known["adjusted_comparable"], 0)
    window = report.adjusted[report.adjusted["kind"] == "window"].set_index("metric")
    if report.standing == "not_alike":
        least = fmt.percent(LEAST_COMPARABLE, 0)
        st.markdown(f":material/block: {t('campaign.not_alike', comparable=comparable, least=least)}")
    elif report.standing == "placebo_differs":
        st.markdown(f":material/block: {t('campaign.placebo_differs')}")
    else:
        _estimates(report, window, int(known["adjusted_people"]))
    shown = [column("trait", words="trait"), *(column(name) for name in ("treated", "others", "weighted"))]
    shown += [Column("apart_before", "decimal"), Column("apart_after", "decimal")]
    with st.expander(t("campaign.balance"), icon=":material/balance:"):
        st.caption(t("campaign.balance_note", alike=fmt.decimal(BALANCED, 1), comparable=comparable))
        rows = report.balance.assign(
            **{
                name: [fmt.decimal(value) for value in report.balance[name]]
                for name in ("treated", "others", "weighted")
            }
        )
        listing(rows, shown, currency=report.currency, alt=t("campaign.balance"), key="campaign_balance")
        placebo = report.adjusted[report.adjusted["kind"] == "placebo"].set_index("metric")
        if "conversion" in placebo.index:
            row: Any = placebo.loc["conversion"]
            bounds = {"low": fmt.points(row["lo95"]), "high": fmt.points(row["hi95"])}
            st.caption(t("campaign.placebo", value=fmt.points(row["difference"]), **bounds))
        else:
            st.caption(t("campaign.placebo_none"))


def _estimates(report: CampaignReport, window: pd.DataFrame, people: int) -> None:
    bought: Any = window.loc["conversion"]
    money: Any = window.loc[report.money if report.money in window.index else "spend"]
    st.markdown(
        f":material/tune: **{t('campaign.not_causal')}** "
        + t(
            "campaign.adjusted_bought",
            treated=fmt.percent(bought["treated"]),
            expected=fmt.percent(bought["expected"]),
            difference=fmt.points(bought["difference"]),
            low=fmt.points(bought["lo95"]),
            high=fmt.points(bought["hi95"]),
        )
    )
    st.markdown(
        t(
            "campaign.adjusted_money",
            what=t(f"campaign.money.{report.money}"),
            each=fmt.money(money["difference"], report.currency, digits=2),
            low=fmt.money(money["lo95"], report.currency, digits=2),
            high=fmt.money(money["hi95"], report.currency, digits=2),
            total=fmt.money_compact(money["difference"] * people, report.currency),
        )
    )
    st.caption(t("campaign.naive", naive=fmt.points(bought["naive"])))


def stores(report: CampaignReport) -> None:
    """A campaign of some stores against the others, in sentences."""
    row = report.stores.iloc[0]
    with st.container(border=True):
        head.block(t("campaign.stores"), t("campaign.stores_note"), t("campaign.stores_help", weeks=WEEKS))
        texts = {
            "value": fmt.change(row["difference"]),
            "low": fmt.change(row["lo95"]),
            "high": fmt.change(row["hi95"]),
        }
        others = tn("campaign.other_stores", int(row["others"]), n=fmt.count(row["others"]))
        key = "unclear" if row["p_value"] >= _SURE else ("more" if row["difference"] > 0 else "less")
        st.markdown(f"#### {t(f'campaign.stores_{key}', others=others, **texts)}")
        if row["before_p"] < _SURE:
            st.markdown(
                f":orange[:material/warning:] {t('campaign.stores_before', value=fmt.change(row['before_difference']))}"
            )
        else:
            st.caption(t("campaign.stores_parallel"))
        st.caption(t("campaign.stores_money", money=fmt.money_compact(row["incremental"], report.currency)))
        st.caption(basis(report))


def coupons(report: CouponsReport) -> None:
    """What the coupons of a campaign brought after their discount, and how many were used on a visit due anyway."""
    head.block(t("campaign.coupons"), t("campaign.coupons_note"), t("campaign.coupons_help"))
    rows = report.coupons
    shares = rows["own_rhythm"] / rows["known_rhythm"].where(rows["known_rhythm"] >= _FEWEST)
    shown = rows.assign(due_anyway=shares)
    names = ("claimed", "redeemed", "redemption_rate", "discount_given", "net_sales")
    columns = [column("coupon_code"), *(column(name) for name in names)]
    columns += [Column("margin", "money"), column("due_anyway")]
    listing(shown, columns, currency=report.currency, alt=t("campaign.coupons"), key="campaign_coupons")
    known, own = int(rows["known_rhythm"].sum()), int(rows["own_rhythm"].sum())
    if known >= _FEWEST:
        texts = {"share": fmt.percent(own / known, 0), "own": fmt.count(own), "known": fmt.count(known)}
        st.caption(t("campaign.due_anyway", **texts))


def costs(campaigns: pd.DataFrame, currency: str) -> None:
    """What each campaign cost, by parts."""
    head.block(t("campaigns.costs"), None, t("campaigns.costs_help"))
    rows = campaigns[campaigns["cost"].notna()].sort_values("cost", ascending=False, ignore_index=True)
    names = ("cost", "cost_media", "cost_message", "cost_other", "points_value", "staff_hours")
    shown = [column("name"), *(column(name) for name in names)]
    listing(rows, shown, currency=currency, alt=t("campaigns.costs"), key="campaigns_costs", rows=10)


def columns(kind: str) -> list[Column]:
    """What the list of campaigns shows: what each caused, whom it reached, or what was sold and what it cost."""
    first = [Column("name", "text", width="medium"), badge("verdict", "verdict", experiments.TONES)]
    match kind:
        case "reached":
            counted = [Column(name, "count") for name in ("targeted", "reached", "engaged", "buyers")]
            return [*first, *counted, Column("starts_on", "day"), badge("state", "campaign_state", experiments.STATES)]
        case "sold":
            money = [Column(name, "money") for name in ("net_sales", "margin", "cost", "incremental_margin")]
            return [*first, Column("buyers", "count"), Column("units", "count"), *money]
        case _:
            earned = [Column("incremental_margin", "money"), Column("extra_range", "text")]
            returned = [Column("roi", "decimal"), Column("roi_range", "text"), Column("starts_on", "day")]
            return [*first, badge("finality", "finality", experiments.FINALITY), *earned, *returned]


def choose(campaigns: pd.DataFrame) -> pd.DataFrame:
    """The campaigns of the channel, type, objective and year that the reader asks for; the URL keeps the choice."""
    found = campaigns.assign(year=campaigns["starts_on"].dt.strftime("%Y"))
    with st.container(horizontal=True, gap="small"):
        for name, words in _FILTERS.items():
            values = sorted(found[name].dropna().unique())
            asked = st.query_params.get(f"by_{name}")
            key = f"campaigns_{name}"
            st.session_state[key] = asked if asked in values else ""
            st.selectbox(
                t(f"campaigns.any_{name}"),
                ["", *values],
                format_func=partial(_choice, name, words),
                key=key,
                label_visibility="collapsed",
                width=190,
                on_change=_put,
                args=(name, key),
            )
    for name in _FILTERS:
        if chosen := st.session_state[f"campaigns_{name}"]:
            found = found[found[name] == chosen]
    return found.drop(columns="year").reset_index(drop=True)


def _choice(name: str, words: str, value: str) -> str:
    if not value:
        return t(f"campaigns.any_{name}")
    return word(words, value)


def _put(name: str, key: str) -> None:
    if st.session_state[key]:
        st.query_params[f"by_{name}"] = st.session_state[key]
    else:
        st.query_params.pop(f"by_{name}", None)
