"""What a campaign's card says besides its verdict: what that rests on, day by day, and others like the treated."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.marts.segment_rules import GRID, PROSPECT
from data_access.scope import Period
from models.calc import periods
from models.calc.adjusted import BALANCED, LEAST_COMPARABLE
from models.calc.store_difference import WEEKS
from models.reports.campaign import CampaignReport
from models.reports.campaigns import CampaignsReport
from models.reports.coupons import CouponsReport
from pages._ui import cards, charts, empty, experiments, filters, head, palette, params
from pages._ui import format as fmt
from pages._ui.i18n import t, tn, word
from pages._ui.tables import Column, badge, column, listing

_FEWEST = 20  # redemptions of which a share is told
LISTS = ("caused", "reached", "sold")  # what the list of campaigns may show
# What campaigns are chosen by, with the words of its values.
_FILTERS = {"channel": "channel", "type": "campaign_type", "objective": "objective"}
_PERIODS = ("28d", "90d", "12m")  # of ``models.calc.periods.PRESETS``
_SEGMENTS = tuple(dict.fromkeys([*(name for row in sorted(GRID, reverse=True) for name in GRID[row][::-1]), PROSPECT]))


def basis(report: CampaignReport) -> str:
    """What the judgement rests on, in one sentence."""
    return t(f"campaign.basis.{report.basis if experiments.is_valid(report) else 'invalid'}")


def curve(report: CampaignReport) -> None:
    """The extra money per customer day by day, with a range that may be looked at every day."""
    what = t(f"campaign.money.{report.money}")
    head.block(t("campaign.curve"), t("campaign.curve_note", what=what), t("campaign.curve_help"))
    charts.show(_curve(report.curve, report.currency), alt=t("campaign.curve"), key="campaign_curve")
    st.caption(_said(report))


def _said(report: CampaignReport) -> str:
    """What the curve allows to conclude today."""
    last = report.curve.iloc[-1]
    if not experiments.is_valid(report):
        return t("campaign.curve_invalid")
    if fmt.is_missing(last["lo95"]):
        return t("campaign.curve_few")
    if last["lo95"] > 0:
        return t("campaign.curve_above" if report.is_over else "campaign.curve_above_running")
    if experiments.falls(report):
        return t("campaign.curve_below" if report.is_over else "campaign.curve_below_running")
    if not report.is_over:
        return t("campaign.curve_open_running")
    return t("campaign.curve_open_sure" if experiments.is_sure(report) else "campaign.curve_open")


def _curve(rows: pd.DataFrame, currency: str) -> go.Figure:
    figure = go.Figure(layout=charts.layout(height=280, hovermode="x unified"))
    days = rows["day"].tolist()
    known = rows[rows["lo95"].notna()]
    texts = [
        fmt.money(middle, currency, digits=2)
        if fmt.is_missing(lo)
        else fmt.beside(
            fmt.money(middle, currency, digits=2),
            fmt.between(*(fmt.money(end, currency, digits=2) for end in (lo, hi))),
        )
        for middle, lo, hi in zip(rows["difference"], rows["lo95"], rows["hi95"], strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=[*known["day"], *known["day"][::-1]],
            y=[*known["hi95"].round(4), *known["lo95"][::-1].round(4)],
            mode="lines",
            fill="toself",
            fillcolor=palette.OWN,
            opacity=0.18,
            line={"width": 0 if len(known) > 1 else 8, "color": palette.OWN},  # one day alone has no area
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=days,
            y=rows["difference"].round(4).tolist(),
            mode="lines" if len(days) > 1 else "markers",
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
    comparable = fmt.percent(known["adjusted_comparable"])  # 79.6% is not the four fifths that are asked for
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
            "campaign.adjusted_money" if money["lo95"] > 0 else "campaign.adjusted_money_open",
            what=t(f"campaign.money.{report.money}"),
            each=fmt.money(money["difference"], report.currency, digits=2),
            low=fmt.money(money["lo95"], report.currency, digits=2),
            high=fmt.money(money["hi95"], report.currency, digits=2),
            total=fmt.money_compact(money["difference"] * people, report.currency),
        )
    )
    st.caption(t("campaign.naive", naive=fmt.points(bought["naive"])))


def stores(report: CampaignReport) -> None:
    """A campaign of some stores against the others: what it did, whether to run it again, and how sure that is."""
    row = report.stores.iloc[0]
    texts = {name: fmt.change(row[end]) for name, end in (("value", "difference"), ("low", "lo95"), ("high", "hi95"))}
    texts["size"] = fmt.percent(abs(row["difference"]))
    others = tn("campaign.other_stores", int(row["others"]), n=fmt.count(row["others"]))
    verdict = str(row["verdict"])
    with st.container(border=True):
        head.block(t("campaign.stores"), t("campaign.stores_note"), t("campaign.stores_help", weeks=WEEKS))
        st.markdown(f"#### {experiments.STORE_ICONS[verdict]} {t(f'campaign.{verdict}', others=others, **texts)}")
        st.markdown(f"**{t(f'campaign.advice.{_next_step(report, row)}')}**")
        before = {"value": fmt.change(row["before_difference"])}
        st.caption(t("campaign.stores_before" if verdict == "stores_apart" else "campaign.stores_parallel", **before))
        st.caption(basis(report))
        st.caption(experiments.finality(report))
    cards.plain_row(_store_cards(report, row))


def _next_step(report: CampaignReport, row: pd.Series) -> str:
    if not report.is_over:
        return "running"
    if row["verdict"] == "stores_more" and not fmt.is_missing(row["roi"]):
        return "stores_pays" if row["roi"] > 0 else "does_not_pay"
    return str(row["verdict"])


def _store_cards(report: CampaignReport, row: pd.Series) -> list[tuple[str, str, str | None]]:
    sizes: list[tuple[str, str, str | None]] = [
        (t("campaign.stores_with"), fmt.count(row["stores"]), None),
        (t("campaign.stores_without"), fmt.count(row["others"]), None),
    ]
    if fmt.is_missing(row["incremental"]):
        return sizes
    low, high = (fmt.money_compact(row[name], report.currency) for name in ("incremental_lo", "incremental_hi"))
    what = t(f"campaign.money.{row['money']}")
    returned = t("campaign.range", lo=fmt.decimal(row["roi_lo"], 1), hi=fmt.decimal(row["roi_hi"], 1))
    # As on every card of a campaign: what may as well be chance is no figure.
    is_sure, unclear = row["verdict"] in ("stores_more", "stores_less"), t("campaign.unclear")
    return [
        (
            experiments.incremental_name(row["money"]),
            fmt.money_compact(row["incremental"], report.currency) if is_sure else unclear,
            t("campaign.stores_money", what=what, range=t("campaign.range", lo=low, hi=high)),
        ),
        (
            t("campaign.roi"),
            fmt.decimal(row["roi"], 1) if is_sure else unclear,
            t("campaign.roi.help", range=returned),
        ),
        *sizes,
    ]


def coupons(report: CouponsReport, campaign: pd.Series) -> None:
    """What the coupons of a campaign brought after their discount, and how many were used on a visit due anyway.

    campaign: its row of ``CampaignsReport``, which counts redemptions also where no order names its coupon.
    """
    head.block(t("campaign.coupons"), t("campaign.coupons_note"), t("campaign.coupons_help"))
    rows = report.coupons
    if campaign["redemptions"] and not rows["redeemed"].sum():
        texts = {name: fmt.count(campaign[name]) for name in ("redemptions", "redeeming_customers")}
        st.markdown(t("campaign.redeemed_somewhere", coupons=fmt.count(len(rows)), **texts))
        return
    shares = rows["own_rhythm"] / rows["known_rhythm"].where(rows["known_rhythm"] >= _FEWEST)
    shown = rows.assign(due_anyway=shares)
    listing(
        shown,
        coupon_columns(rows),
        currency=report.currency,
        alt=t("campaign.coupons"),
        key="campaign_coupons",
        rows=10,
    )
    known, own = int(rows["known_rhythm"].sum()), int(rows["own_rhythm"].sum())
    if known >= _FEWEST:
        texts = {"share": fmt.percent(own / known, 0), "own": fmt.count(own), "known": fmt.count(known)}
        st.caption(t("campaign.due_anyway", **texts))


def coupon_columns(coupons: pd.DataFrame) -> list[Column]:
    """What the list of coupons shows; where several groups got some, the group stands in for net sales: the margin
    says more."""
    several = coupons["arm"].nunique() > 1
    names = ["coupon_code", *(["arm"] if several else []), "claimed", "redeemed", "redemption_rate", "discount_given"]
    names += [] if several else ["net_sales"]
    return [*(column(name) for name in names), Column("margin", "money"), column("due_anyway")]


def got(report: CouponsReport, arm: str) -> str:
    """The name of an arm, with the coupons that it got as far as they are known."""
    coupons = report.coupons[report.coupons["arm"] == arm]
    offers = [
        t(
            "campaign.amount_off",
            amount=fmt.money(row["face_value"], report.currency, digits=0),
            code=row["coupon_code"],
        )
        if row["kind"] == "amount_off" and not fmt.is_missing(row["face_value"])
        else t("campaign.coupon", code=row["coupon_code"])
        for _, row in coupons.iterrows()
    ]
    return t("campaign.arm_got", arm=arm, offers=t("campaign.and").join(offers)) if offers else arm


def costs(campaigns: pd.DataFrame, currency: str) -> None:
    """What each campaign cost, by parts."""
    head.block(t("campaigns.costs"), None, t("campaigns.costs_help"))
    rows = campaigns[campaigns["cost"].notna()].sort_values("cost", ascending=False, ignore_index=True)
    staff = "cost_staff" if rows["cost_staff"].notna().any() else "staff_hours"
    names = ("cost", "cost_media", "cost_message", "cost_other", "points_value", staff, "discount_given")
    shown = [column("name"), *(column(name) for name in names)]
    listing(rows, shown, currency=currency, alt=t("campaigns.costs"), key="campaigns_costs", rows=10)


def columns(kind: str) -> list[Column]:
    """What the list of campaigns shows: what each caused, whom it reached, or what was sold and what it cost."""
    first = [Column("name", "text"), badge("verdict", "verdict", experiments.TONES)]
    match kind:
        case "reached":
            # Whom it reached comes first, and is narrow: on a phone it leaves the name its month.
            counted = [Column(name, "count") for name in ("targeted", "reached", "engaged", "buyers")]
            return [
                first[0],
                *counted,
                first[1],
                Column("starts_on", "day"),
                badge("state", "campaign_state", experiments.STATES),
            ]
        case "sold":
            money = [Column(name, "money") for name in ("net_sales", "margin", "discount_given", "cost")]
            return [*first, Column("buyers", "count"), Column("units", "count"), *money]
        case _:
            earned = [Column("incremental_margin", "money"), Column("extra_range", "text")]
            returned = [Column("roi", "tenth"), Column("roi_range", "text"), Column("starts_on", "day")]
            return [*first, *earned, badge("finality", "finality", experiments.FINALITY), *returned]


def segment() -> str | None:
    """The segment that the URL asks campaigns for; None: everybody."""
    asked = st.query_params.get("by_segment")
    return asked if asked in _SEGMENTS else None


def choose(campaigns: pd.DataFrame, page: head.Opened) -> pd.DataFrame:
    """The campaigns of the channel, type and objective that the reader asks for, that ran in the days asked for; the
    URL keeps the choice. The segment is chosen here, too: ``segment`` says which."""
    found = campaigns
    with st.container(horizontal=True, gap="small", key="filters_campaigns"):
        for name, words in _FILTERS.items():
            values = sorted(found[name].dropna().unique())
            _box(name, values, partial(_choice, name, words))
        _box("segment", _SEGMENTS, partial(_choice, "segment", "segment"))
        days = _days(campaigns, page)
    for name in _FILTERS:
        if chosen := st.session_state[f"filter_campaigns_{name}"]:
            found = found[found[name] == chosen]
    if days is not None:
        found = found[running(found, days)]
    return found.reset_index(drop=True)


def running(campaigns: pd.DataFrame, days: Period) -> pd.Series:
    """Which campaigns had a day on which orders counted for them within ``days``; those without dates had none."""
    begun = campaigns["starts_on"] <= pd.Timestamp(days.last)
    last = campaigns["window_last"].fillna(campaigns["ends_on"]).fillna(campaigns["starts_on"])
    return begun & (last >= pd.Timestamp(days.first))


def none_chosen(report: CampaignsReport) -> None:
    """Why the choice leaves no campaign, and what to do."""
    why = "none_chosen" if report.is_known else "segment_unknown"
    empty.state(t(f"campaigns.{why}"), t(f"campaigns.{why}_do"), ":material/filter_alt_off:")


def of_segment(report: CampaignsReport) -> None:
    """Says whose figures these are where the reader asked for a segment."""
    if report.segment is not None:
        st.caption(t("campaigns.of_segment", segment=word("segment", report.segment)))


def _box(name: str, values: Sequence[str], words: Callable[[str], str]) -> None:
    asked = st.query_params.get(f"by_{name}")
    key = f"filter_campaigns_{name}"
    st.session_state[key] = asked if asked in values else ""
    st.selectbox(
        t(f"campaigns.any_{name}"),
        ["", *values],
        format_func=words,
        key=key,
        label_visibility="collapsed",
        width=180,  # five in a row
        on_change=_put,
        args=(name, key),
    )


def _days(campaigns: pd.DataFrame, page: head.Opened) -> Period | None:
    """The days that the reader asks for: the last weeks, a year, or own dates; None: all."""
    years = sorted(campaigns["starts_on"].dropna().dt.strftime("%Y").unique(), reverse=True)
    _box("when", [*_PERIODS, *years, filters.CUSTOM], _when)
    chosen = st.session_state["filter_campaigns_when"]
    first, last = page.period.first, page.period.last
    if chosen in _PERIODS:
        return periods.preset(chosen, first, last)
    if chosen == filters.CUSTOM:
        return _own_days(first, last)
    return Period(date(int(chosen), 1, 1), date(int(chosen), 12, 31)) if chosen else None


def _own_days(first: date, last: date) -> Period:
    said = (params.get("from"), params.get("to"))
    try:
        shown = Period(date.fromisoformat(said[0]), date.fromisoformat(said[1]))
    except ValueError:
        shown = periods.preset("90d", first, last)
    st.session_state["campaigns_dates"] = (shown.first, shown.last)
    st.date_input(
        t("filters.dates"),
        key="campaigns_dates",
        format="YYYY-MM-DD",
        label_visibility="collapsed",
        width=240,
        on_change=_put_days,
    )
    return shown


def _put_days() -> None:
    days = st.session_state["campaigns_dates"]
    if len(days) == 2:  # while only the first day is picked nothing changes yet
        params.put(**{"from": days[0].isoformat(), "to": days[1].isoformat()})


def _when(value: str) -> str:
    if not value:
        return t("campaigns.any_when")
    return value if value.isdigit() else t(f"filters.period.{value}")


def _choice(name: str, words: str, value: str) -> str:
    if not value:
        return t(f"campaigns.any_{name}")
    return word(words, value)


def _put(name: str, key: str) -> None:
    if st.session_state[key]:
        st.query_params[f"by_{name}"] = st.session_state[key]
    else:
        st.query_params.pop(f"by_{name}", None)
