"""The parts of the funnel page: its choices, rates with their denominators, the steps, who stopped, where, how soon."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.marts.campaign_customer import DAYS_TO_RETURN
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports.funnel_detail import MOST_STOPPED, WINDOWS, FunnelDetailReport, Grouping
from models.reports.funnels import FunnelsReport
from pages._ui import (
    actions,
    bands,
    cards,
    charts,
    customer_lists,
    drill,
    empty,
    experiments,
    freshness,
    head,
    load,
    passport,
    session,
)
from pages._ui import format as fmt
from pages._ui.choices import asked as chosen
from pages._ui.choices import choice
from pages._ui.i18n import localized, localized_text, t, tn, word
from pages._ui.tables import badge, column, listing

_COUNTED = ("in_order", "any_order")
_WINDOWS = ("all", *map(str, WINDOWS))
_GROUPINGS: tuple[Grouping, ...] = ("segment", "store", "channel", "staff")
_LIST = ("customer_key", "net_sales", "happened_at", "last_day", "channel", "store")
_TONES: Mapping[str, str] = {"below": "red", "above": "green", "unclear": "gray"}
_CAMPAIGN = "choice_campaign"


def choose_campaign() -> None:
    """A select box with the campaigns of the scope, the latest that has begun first."""
    found = load.campaign_names(session.current_scope(), load.generation())
    names = {
        str(key): f"{localized_text('campaign.name', str(name))} · {key}"
        for key, name in zip(found["campaign_id"], found["name"], strict=True)
    }
    asked_for = drill.asked("campaign")
    if not names:
        return
    st.session_state[_CAMPAIGN] = asked_for if asked_for in names else next(iter(names))
    st.selectbox(
        t("page.campaign"),
        list(names),
        format_func=lambda key: names[key],
        key=_CAMPAIGN,
        label_visibility="collapsed",
        width=300,
        on_change=_put_campaign,
    )


def _put_campaign() -> None:
    st.query_params["campaign"] = st.session_state[_CAMPAIGN]
    st.query_params.pop("step", None)
    st.query_params.pop("arm", None)


def asked() -> tuple[str, Grouping, str, int | None, str | None] | None:
    """Which campaign, by which groups, in which order, within how many days and of which arm; None: no campaign."""
    campaign = drill.asked("campaign") or st.session_state.get(_CAMPAIGN)
    if campaign is None:
        return None
    by = next(name for name in _groupings() if name == chosen("by", _groupings()))
    window = chosen("within", _WINDOWS)
    return campaign, by, chosen("counted", _COUNTED), None if window == "all" else int(window), drill.asked("arm")


def _groupings() -> tuple[Grouping, ...]:
    """What the reader may part people by: by colleagues only who leads them."""
    return _GROUPINGS if session.may_open("staff") else _GROUPINGS[:-1]


def choose_counting(report: FunnelDetailReport) -> None:
    """How a step counts, within how many days, and of which arm where there are several."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="filters_counting"):
        choice("counted", _COUNTED, words="funnel.counted", width=200)
        choice("within", _WINDOWS, words="funnel.within", width=220)
        if len(report.arms) > 1:
            options = ["", *report.arms]
            st.session_state["choice_arm"] = report.walk.arm or ""
            st.selectbox(
                t("column.arm"),
                options,
                format_func=lambda arm: arm or t("campaign.all_arms"),
                key="choice_arm",
                label_visibility="collapsed",
                width=160,
                on_change=_put_arm,
            )
        drill_to_card(report)


def _put_arm() -> None:
    if st.session_state["choice_arm"]:
        st.query_params["arm"] = st.session_state["choice_arm"]
    else:
        st.query_params.pop("arm", None)


def drill_to_card(report: FunnelDetailReport) -> None:
    """A link to what the campaign caused: a funnel does not say that."""
    st.page_link(
        "campaign.py",
        label=t("funnel.to_card"),
        icon=":material/fact_check:",
        query_params=drill.link("campaign", campaign=report.walk.campaign_id),
    )


def rates(report: FunnelDetailReport) -> None:
    """One card per rate, with its numerator, denominator and interval beneath, and the passport of all."""
    if report.rates.empty:
        return
    grid = st.grid(len(report.rates), min_column_width=cards.CARD_WIDTH, border=True, gap="small")
    for row in report.rates.itertuples(index=False):
        with grid.cell(), st.container(gap=None):
            st.metric(t(f"funnel.{row.key}"), fmt.percent(row.value), help=t(f"funnel.{row.key}.help"))
            st.caption(
                t(
                    "funnel.of",
                    n=fmt.count(row.numerator),
                    of=fmt.count(row.denominator),
                    step=t(f"step.{row.of}"),
                    low=fmt.percent(row.lo95),
                    high=fmt.percent(row.hi95),
                )
            )
    passport.button(
        [
            passport.Figure(t(f"funnel.{row.key}"), fmt.percent(row.value), t(f"funnel.{row.key}.help"))
            for row in report.rates.itertuples(index=False)
        ]
    )


def alerts(every: FunnelsReport, report: FunnelDetailReport) -> None:
    """What is unusually low in this campaign for its channel, in a sentence; nothing where all is usual."""
    rows = every.alerts[every.alerts["campaign_id"] == report.walk.campaign_id]
    for row in rows[rows["verdict"] == "below"].itertuples(index=False):
        st.markdown(
            ":orange[:material/warning:] "
            + t(
                "funnel.alert",
                rate=t(f"funnel.{row.key}"),
                value=fmt.percent(row.value),
                low=fmt.percent(row.lo95),
                high=fmt.percent(row.hi95),
                many=fmt.count(row.earlier),
                channel=word("channel", str(row.channel)),
            )
        )


def steps(report: FunnelDetailReport, scope: Scope, snapshot: Snapshot, currency: str) -> str:
    """The steps as bars and as a list with intervals; gives the step that was clicked, else the last but purchases."""
    head.block(t("funnel.steps"), t("funnel.steps_note"), t("funnel.steps_help", days=DAYS_TO_RETURN))
    labels = [
        t(f"step.{step}") + ("" if fmt.is_missing(rate) else f" · {fmt.percent(rate, 0)}")
        for step, rate in zip(report.steps["step"], report.steps["rate_step"], strict=True)
    ]
    figure = charts.ranked_bars(
        report.steps.assign(label=labels), label="label", value="customers", ids="step", unit="count", currency=currency
    )
    clicked = charts.clicked(figure, alt=t("funnel.steps"), key="funnel_steps", then=_put_step)
    if scope.kind != "chain":
        st.caption(t("funnel.own_purchases"))
    last = report.walk.last_day
    if last is not None and snapshot.info.last_day is not None:
        over = last + timedelta(days=DAYS_TO_RETURN)
        if over > snapshot.info.last_day:
            st.caption(t("funnel.again_open", day=fmt.day(over), days=DAYS_TO_RETURN))
    rows = report.steps.assign(
        overall=_interval(report.steps, "rate_overall", "overall_lo", "overall_hi"),
        of_step=_interval(report.steps, "rate_step", "lo95", "hi95"),
    )
    shown = [column("step", words="step"), *(column(name) for name in ("customers", "overall", "of_step", "stopped"))]
    with st.expander(t("funnel.numbers"), icon=":material/table_rows:"):
        listing(rows, shown, currency=currency, alt=t("funnel.numbers"), key="funnel_numbers")
    known = report.steps["step"].tolist()
    asked_for = clicked or drill.asked("step")
    return asked_for if asked_for is not None and asked_for in known else _most_stopped(report)


def _put_step(step: str) -> None:
    st.query_params["step"] = step


def _most_stopped(report: FunnelDetailReport) -> str:
    """The step with most people to talk to: among those who reacted, not those who never opened anything."""
    reacted = report.steps[report.steps["step"].isin(["opened", "clicked", "claimed", "visited"])]
    rows = reacted if reacted["stopped"].sum() else report.steps[report.steps["step"] != "bought_again"]
    return str(rows["step"].iloc[int(rows["stopped"].argmax())])


def stopped(report: FunnelDetailReport, step: str, page: head.Opened) -> pd.DataFrame:
    """The people who took a step and none after it, to act on; gives the whole list."""
    rows = localized(load.stopped(page.scope, report.walk, step, page.generation), {"store": "store.name"})
    rows = rows.assign(happened_at=freshness.locals_of(rows["happened_at"]))
    here = int(report.steps.set_index("step")["stopped"][step])
    many = tn("funnel.people", here, n=fmt.count(here))
    head.block(t("funnel.stopped", step=t(f"step.{step}")), many, t("funnel.stopped_help"))
    customer_lists.board(
        rows,
        [column(name, words="channel" if name == "channel" else "") for name in _LIST],
        "funnel",
        key="funnel_list",
        generation=page.generation,
        currency=page.currency,
        most=MOST_STOPPED,
    )
    return rows


def times(report: FunnelDetailReport) -> None:
    """How soon people bought: the share that had bought by each day."""
    head.block(t("funnel.times"), t("funnel.times_note"))
    known = report.steps.set_index("step")
    if report.times.empty or "bought" not in known.index:
        empty.nothing(t("funnel.times_none"))
        return
    if report.times["customers"].nunique() == 1 + (report.times["customers"].iloc[0] == 0):
        empty.nothing(t("funnel.times_one_day"))
        return
    charts.show(_curve(report.times), alt=t("funnel.times"), key="funnel_times")
    half, most = known["median_hours"], known["p90_hours"]
    st.caption(t("funnel.times_said", half=_span(half["bought"]), most=_span(most["bought"])))
    if "clicked" in known.index and not fmt.is_missing(half["clicked"]):
        st.caption(t("funnel.times_click", half=_span(half["clicked"])))


def _curve(rows: pd.DataFrame) -> go.Figure:
    figure = charts.curves(
        {t("step.bought"): rows}, x="day_number", value="share", unit="percent", currency="", height=260
    )
    figure.update_xaxes(title={"text": t("funnel.days_after"), "standoff": 6})
    return figure


def _span(hours: Any) -> str:
    """A time in hours up to two days, then in days."""
    if fmt.is_missing(hours):
        return fmt.MISSING
    return t("funnel.hours", n=fmt.decimal(hours, 0)) if hours < 48 else t("funnel.days", n=fmt.decimal(hours / 24, 1))


def gaps(report: FunnelDetailReport, currency: str) -> None:
    """Where most people are lost against the other groups: the gap times the people it concerns."""
    head.block(t("funnel.gaps"), t("funnel.gaps_note"), t("funnel.gaps_help"))
    choice("by", _groupings(), words="funnel.by", width=200)
    rows = report.gaps[report.gaps["lost"] > 0]
    clear = rows[rows["verdict"] == "below"]
    if rows.empty:
        empty.nothing(t("funnel.gaps_none"))
        return
    if len(clear):
        top = clear.iloc[0]
        st.markdown(
            t(
                "funnel.gap_said",
                part=_part(report.by, top["part"]),
                step=t(f"step.{top['step']}"),
                previous=t(f"step.{top['previous']}"),
                rate=fmt.percent(top["rate_step"]),
                rest=fmt.percent(top["rest_rate"]),
                lost=fmt.count(round(top["lost"])),
            )
        )
    else:
        st.markdown(t("funnel.gap_chance"))
    best = pd.concat([clear, rows[rows["verdict"] != "below"]]).head(15).reset_index(drop=True)
    shown_rows = best.assign(
        part=[_part(report.by, part) for part in best["part"]],
        lost_people=best["lost"].round(),
        apart=[
            t("funnel.points", value=_plus(value), low=_plus(low), high=_plus(high))
            for value, low, high in zip(best["difference"], best["lo95"], best["hi95"], strict=True)
        ],
        judged=best["verdict"],
    )
    shown = [
        column("part"),
        column("step", words="step"),
        column("lost_people"),
        badge("judged", "funnel_verdict", _TONES),
        column("rate_step"),
        column("rest_rate"),
        column("apart"),
        column("base"),
    ]
    listing(shown_rows, shown, currency=currency, alt=t("funnel.gaps"), key="funnel_gaps", rows=15)


def table(report: FunnelDetailReport, currency: str) -> None:
    """Every group with the share of its first step that took each later one."""
    head.block(t("funnel.parts", by=t(f"funnel.by.{report.by}").lower()), t("funnel.parts_note"))
    first = report.steps["step"].iloc[0]
    people = report.parts[report.parts["step"] == first].set_index("part")["customers"].rename("targeted")
    counts = report.parts.pivot(index="part", columns="step", values="customers")
    later = [step for step in report.steps["step"].tolist()[1:] if step != "sent"][:6]
    shares = counts[later].div(people.where(people > 0), axis=0)
    rows = shares.add_prefix("share_").join(people).sort_values("targeted", ascending=False).reset_index()
    rows["part"] = [_part(report.by, part) for part in rows["part"]]
    shown = [column("part"), column("targeted"), *(column(f"share_{step}") for step in later)]
    listing(
        rows,
        shown,
        currency=currency,
        alt=t("funnel.parts", by=t(f"funnel.by.{report.by}").lower()),
        key="funnel_parts",
        rows=14,
    )


def compared(every: FunnelsReport, currency: str) -> None:
    """Campaigns side by side; a row opens its funnel. Unusual rates are named."""
    head.block(t("funnel.compared"), t("funnel.compared_note"), t("funnel.compared_help"))
    rows = localized(every.campaigns, {"name": "campaign.name"})
    names = ["name", *(f"share_{step}" for step in ("bought", "opened", "clicked", "claimed", "visited")), "targeted"]
    shown = [*(column(name) for name in names), column("failing", words="funnel")]
    if campaign := listing(
        rows, shown, currency=currency, alt=t("funnel.compared"), key="funnel_compared", opens="campaign_id", rows=16
    ):
        drill.open_page("funnel", campaign=campaign)
    low = every.alerts[every.alerts["verdict"] == "below"]
    if low.empty:
        st.caption(t("funnel.no_alerts"))
        return
    st.markdown(f"**{t('funnel.alerts')}**", help=t("funnel.alerts_help"))
    said = bands.ranges(localized(low, {"name": "campaign.name"}).reset_index(drop=True))
    shown = [
        column("name"),
        column("key", words="funnel"),
        column("rate_value"),
        column("usual"),
        column("numerator"),
        column("denominator"),
    ]
    usual = [
        fmt.between(fmt.percent(low_end), fmt.percent(high_end))
        for low_end, high_end in zip(said["lo95"], said["hi95"], strict=True)
    ]
    listing(
        said.assign(rate_value=said["value"], usual=usual),
        shown,
        currency=currency,
        alt=t("funnel.alerts"),
        key="funnel_alerts",
        rows=10,
    )


def in_words(report: FunnelDetailReport) -> tuple[tuple[str, str], ...]:
    """The reader's choices for the cover of an export."""
    walk = report.walk
    window = "all" if walk.within_days is None else str(walk.within_days)
    return (
        (t("page.campaign"), f"{localized_text('campaign.name', report.name)} · {walk.campaign_id}"),
        (t("funnel.counted"), t(f"funnel.counted.{'in_order' if walk.in_order else 'any_order'}")),
        (t("funnel.within"), t(f"funnel.within.{window}")),
        (t("funnel.by"), t(f"funnel.by.{report.by}")),
        (t("column.arm"), experiments.arm_name(walk.arm) if walk.arm else t("campaign.all_arms")),
    )


def _plus(share: float) -> str:
    """A difference of shares in points; the heading has the unit."""
    return fmt.plus(100 * share, 1)


def _interval(rows: pd.DataFrame, value: str, low: str, high: str) -> pd.Series:
    texts = [
        None
        if fmt.is_missing(middle)
        else fmt.beside(fmt.percent(middle), fmt.between(fmt.percent(lo), fmt.percent(hi)))
        for middle, lo, hi in zip(rows[value], rows[low], rows[high], strict=True)
    ]
    return pd.Series(texts, index=rows.index, dtype=object)


def _part(by: Grouping, part: str) -> str:
    """The name of a group."""
    if part in ("others", "not_known"):
        return t(f"funnel.{part}")
    match by:
        case "segment":
            return word("segment", part)
        case "store":
            return actions.place(part)
        case "channel":
            return word("channel", part)
        case _:
            return part
