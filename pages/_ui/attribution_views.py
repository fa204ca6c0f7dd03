"""The parts of the page attribution: credit beside effect, whom messages reached, how often, who left."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.queries.attribution import COUPON, DAYS, JOINED, Part
from data_access.queries.audience import FATIGUE_DAYS
from models.reports.attribution import MOST_MEMBERS, AttributionReport, over_limit, together
from models.reports.audience import MOST_CONTACTS
from pages._ui import bands, charts, customer_lists, drill, empty, experiments, freshness, head, load, palette
from pages._ui import format as fmt
from pages._ui.choices import asked, choice
from pages._ui.i18n import localized, t, tn, word
from pages._ui.tables import Column, badge, column, listing

_DAYS = tuple(map(str, DAYS))
_LIMITS = (str(MOST_CONTACTS), *(str(n) for n in (1, 2, 3, 6) if n != MOST_CONTACTS))
_DRAWN = 12  # campaigns beside each other in the chart
_PART = "part"  # of the URL: the channels of a bar, or a number of messages
_LIST = ("customer_key", "contacts", "reacted", "last_contact", "store")


def choose_days() -> None:
    """How many days up to the last one are looked at."""
    choice("days", _DAYS, words="attribution.days", width=190)


def days() -> int:
    return int(asked("days", _DAYS))


def in_words() -> tuple[tuple[str, str], ...]:
    """The reader's choice for the cover of an export."""
    return ((t("attribution.days"), t(f"attribution.days.{days()}")),)


def figures(report: AttributionReport) -> list[tuple[str, str, str | None]]:
    """Cards: who was reached, by several channels, how often, and what is credited."""
    known = report.summary.set_index("key")["value"]
    share = known["several"] / known["reached"] if known["reached"] else None
    each = known["contacts"] / known["contacted"] if known["contacted"] else None
    return [
        (t("attribution.reached"), fmt.count(known["reached"]), t("attribution.reached_help")),
        (t("attribution.several"), fmt.percent(share), t("attribution.several_help")),
        (t("attribution.each"), fmt.decimal(each, 1), t("attribution.each_help", days=FATIGUE_DAYS)),
        (t("column.credited_orders"), fmt.count(known["credited"]), t("attribution.credited_help")),
        (
            t("column.credited_sales"),
            fmt.money_compact(known["credited_sales"], report.currency),
            t("attribution.credited_help"),
        ),
    ]


def credit(report: AttributionReport) -> None:
    """What last touch credits beside what those held back prove, for the latest campaigns; a click opens one."""
    head.block(t("attribution.credit"), t("attribution.credit_note"), t("attribution.credit_help"))
    st.markdown(f":material/info: {t('attribution.not_cause')}")
    many, credited, caused = together(report.campaigns)
    if not many:
        empty.nothing(t("attribution.none_judged"))
        return
    st.markdown(
        tn(
            "attribution.said",
            many,
            many=fmt.count(many),
            credited=fmt.count(credited),
            caused=fmt.count(round(caused.value)),
            low=fmt.count(round(caused.lo)),
            high=fmt.count(round(caused.hi)),
        )
    )
    rows = report.campaigns[report.campaigns["caused"].notna()].head(_DRAWN).reset_index(drop=True)
    campaign = charts.clicked(_beside(rows), alt=t("attribution.credit"), key="attribution_credit")
    if campaign:
        drill.open_page("campaign", campaign=campaign)


def _beside(rows: pd.DataFrame) -> go.Figure:
    """One row per campaign: credited buyers as a mark, caused ones as a point with their range."""
    names = localized(rows, {"name": "campaign.name"})["name"].astype(str)
    figure = go.Figure(layout=charts.layout(height=charts.ROW * max(len(rows), 2) + 100))
    places = list(range(len(rows)))
    texts = [
        t("attribution.range", value=fmt.count(round(mid)), low=fmt.count(round(low)), high=fmt.count(round(high)))
        for mid, low, high in zip(rows["caused"], rows["caused_lo"], rows["caused_hi"], strict=True)
    ]
    points: dict[str, Any] = {
        "y": places,
        "mode": "markers",
        "hovertemplate": "<b>%{customdata[1]}</b><br>%{customdata[2]}<extra></extra>",
    }
    figure.add_trace(
        go.Scatter(
            x=rows["caused"].round(1),
            error_x=charts.whiskers(rows["caused"], rows["caused_lo"], rows["caused_hi"], palette.OWN),
            marker={"color": palette.OWN, "size": 11},
            name=t("attribution.caused"),
            customdata=list(zip(rows["campaign_id"], names, texts, strict=True)),
            **points,
        )
    )
    credits = [t("attribution.credited_buyers", n=fmt.count(many)) for many in rows["credited_buyers"]]
    figure.add_trace(
        go.Scatter(
            x=rows["credited_buyers"],
            marker={"symbol": "diamond-open", "size": 12, "color": palette.SOFT_TEXT, "line": {"width": 2}},
            name=t("attribution.credited"),
            customdata=list(zip(rows["campaign_id"], names, credits, strict=True)),
            **points,
        )
    )
    highest = float(rows[["caused_hi", "credited_buyers"]].max().max())
    lowest = min(float(rows["caused_lo"].min()), 0.0)
    ticks, ticktexts = fmt.count_ticks(highest, lowest)
    figure.add_vline(x=0, line={"color": palette.SOFT_TEXT, "width": 1})
    figure.update_xaxes(tickvals=ticks, ticktext=ticktexts, fixedrange=True, zeroline=False)
    charts.name_rows(figure, list(names))
    charts.legend_above(figure)
    return figure


def campaigns(report: AttributionReport, currency: str) -> None:
    """Every campaign: credited and caused side by side; a row opens its card."""
    head.block(t("attribution.campaigns"), t("attribution.campaigns_note"), t("attribution.credit_help"))
    rows = localized(report.campaigns, {"name": "campaign.name"})
    spans = [
        None if fmt.is_missing(low) else fmt.between(fmt.count(round(low)), fmt.count(round(high)))
        for low, high in zip(rows["caused_lo"], rows["caused_hi"], strict=True)
    ]
    rows = rows.assign(
        caused=rows["caused"].round() + 0.0,
        caused_range=pd.Series(spans, dtype=object),
        incremental_margin=rows["incremental_margin"].where(experiments.is_told(rows)),  # it has no range here
    )
    shown = [
        Column("name", "text"),
        Column("credited_buyers", "count"),
        Column("caused", "count"),
        Column("caused_range", "text"),
        Column("credited_margin", "money"),
        Column("incremental_margin", "money"),
        badge("verdict", "verdict", experiments.TONES),
        column("channel", words="channel"),
    ]
    campaign = listing(
        rows, shown, currency=currency, alt=t("attribution.campaigns"), key="attribution_campaigns",
        opens="campaign_id", rows=10,
    )  # fmt: skip
    if campaign:
        drill.open_page("campaign", campaign=campaign)
    with st.expander(t("attribution.rules"), icon=":material/rule:"):
        st.caption(t("attribution.rules_note"))
        st.markdown("\n".join(f"- {_rule(row)}" for _, row in report.rules.iterrows()))


def _rule(row: pd.Series) -> str:
    if row["touch"] == COUPON:
        return t("attribution.rule_coupon")
    by = t("attribution.any_channel") if fmt.is_missing(row["channel"]) else word("channel", row["channel"])
    return t("attribution.rule", touch=word("touch", row["touch"]), channel=by, hours=fmt.count(row["credit_hours"]))


def channels(report: AttributionReport, currency: str) -> None:
    """Each channel: whom it reached, whom only it reached, what is credited to it."""
    head.block(t("attribution.channels"), t("attribution.channels_note"), t("attribution.credited_help"))
    if report.channels.empty:
        empty.nothing(t("attribution.nobody"))
        return
    shown = [
        column("channel", words="channel"),
        Column("customers", "count"),
        Column("only_here", "count"),
        Column("contacts", "count"),
        Column("credited_orders", "count"),
        Column("credited_buyers", "count"),
        Column("credited_sales", "money"),
        Column("credited_margin", "money"),
    ]
    listing(report.channels, shown, currency=currency, alt=t("attribution.channels"), key="attribution_channels")


def overlap(report: AttributionReport) -> None:
    """Sets of channels by the customers whom exactly these reached; a click lists them."""
    head.block(t("attribution.overlap"), t("attribution.overlap_note"), t("attribution.overlap_help"))
    if report.overlap.empty:
        empty.nothing(t("attribution.nobody"))
        return
    rows = report.overlap.assign(label=[set_name(one) for one in report.overlap["channel_set"]])
    bars = charts.ranked_bars(
        rows, label="label", value="customers", ids="channel_set", unit="count", currency=report.currency
    )
    charts.clicked(bars, alt=t("attribution.overlap"), key="attribution_overlap", then=_put)


def messages(report: AttributionReport) -> int:
    """How often people were written to in 30 days, and how many above a limit; gives the limit. A click lists them."""
    head.block(
        t("attribution.messages", days=FATIGUE_DAYS),
        t("attribution.messages_note"),
        t("attribution.messages_help", days=FATIGUE_DAYS),
    )
    most = int(choice("limit", _LIMITS, words="attribution.limit", width=220))
    if report.messages.empty:
        empty.nothing(t("attribution.nobody_lately", days=FATIGUE_DAYS))
        return most
    rows = report.messages.assign(
        label=[tn("attribution.times", n, n=fmt.count(n)) for n in report.messages["contacts"]]
    )
    bars = charts.ranked_bars(
        rows, label="label", value="customers", ids="contacts", unit="count", currency=report.currency
    )
    charts.clicked(bars, alt=t("attribution.messages", days=FATIGUE_DAYS), key="attribution_messages", then=_put)
    over, everybody = over_limit(report.messages, most), int(report.messages["customers"].sum())
    share = fmt.percent(over / everybody)
    st.caption(t("attribution.over", n=fmt.count(over), of=fmt.count(everybody), share=share, most=fmt.count(most)))
    return most


def people(page: head.Opened, report: AttributionReport, most: int) -> pd.DataFrame:
    """The customers behind the bar that was clicked, else those above the limit or all; gives the whole list."""
    part, span = _asked(report, most)
    rows = load.reached(page.scope, span, part, page.generation)
    names = localized(load.places(page.generation), {"store": "store.name"}).set_index("store_id")["store"]
    rows = rows.assign(store=rows["store_id"].map(names), last_contact=freshness.locals_of(rows["last_contact"]))
    many = tn("attribution.people", len(rows), n=fmt.count(len(rows)))
    head.block(_heading(part, span), many, t("attribution.people_help"))
    if rows.empty:
        empty.nothing(t("attribution.nobody"))
        return rows
    customer_lists.board(
        rows,
        [column(name) for name in _LIST],
        "attribution",
        key="attribution_list",
        generation=page.generation,
        currency=page.currency,
        most=MOST_MEMBERS,
    )
    return rows


def unsubscribed(report: AttributionReport) -> None:
    """Who left, by channel and by campaign, of those whom a message reached."""
    head.block(t("attribution.left"), t("attribution.left_note"), t("attribution.left_help"))
    if report.unsubscribed.empty:
        empty.nothing(t("attribution.left_none"))
        return
    if not report.campaigns["unsubscribed"].sum():
        empty.nothing(t("attribution.left_unknown"))
        return
    shown = [column("channel", words="channel"), *_LEFT, Column("campaigns", "count")]
    listing(
        bands.ranges(report.unsubscribed), shown, currency="", alt=t("attribution.left"), key="attribution_left"
    )  # fmt: skip
    with st.expander(t("attribution.left_campaigns"), icon=":material/campaign:"):
        rows = localized(report.campaigns[report.campaigns["delivered"] > 0], {"name": "campaign.name"})
        rows = bands.ranges(rows).sort_values("unsubscribe_rate", ascending=False, ignore_index=True)
        shown = [Column("name", "text"), *_LEFT, column("channel", words="channel")]
        campaign = listing(
            rows, shown, currency="", alt=t("attribution.left_campaigns"), key="attribution_left_campaigns",
            opens="campaign_id", rows=10,
        )  # fmt: skip
        if campaign:
            drill.open_page("campaign", campaign=campaign)


_LEFT = (
    Column("unsubscribe_rate", "percent"),
    Column("likely", "text"),
    Column("unsubscribed", "count"),
    Column("delivered", "count"),
)


def set_name(channel_set: str) -> str:
    """Channels that are joined by '+', in words."""
    return t("attribution.and").join(word("channel", one) for one in channel_set.split(JOINED))


def _put(part: str) -> None:
    st.query_params[_PART] = part


def _asked(report: AttributionReport, most: int) -> tuple[Part, int]:
    """Which customers the URL asks for, and of how many days."""
    asked_for = st.query_params.get(_PART, "")
    if asked_for.isdecimal():
        return Part(least=int(asked_for)), FATIGUE_DAYS
    if asked_for in report.overlap["channel_set"].tolist():
        return Part(tuple(asked_for.split(JOINED))), days()
    over = over_limit(report.messages, most)
    return (Part(least=most + 1), FATIGUE_DAYS) if over else (Part(), days())


def _heading(part: Part, span: int) -> str:
    if part.channels:
        return t("attribution.only_by", channels=set_name(JOINED.join(part.channels)), days=span)
    return tn("attribution.at_least", part.least, n=fmt.count(part.least), days=span)
