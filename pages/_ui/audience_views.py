"""The parts of the pages of audiences: whom to choose, who may be contacted, how many to hold back, what was saved."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.marts.segment_rules import SEGMENTS, STAGES
from data_access.pseudonym import customer_key
from data_access.queries.audience import FATIGUE_DAYS, STAGE, Bought, Conditions
from data_access.state import audiences
from data_access.state.audiences import CONTACTED, HELD_BACK, LEAST, LONGEST_NAME, Audience, Draft
from data_access.state.store import opened
from models.calc.audience_rules import REASONS, drawn, held_back, sizes, told
from models.calc.power import holdout_needed, smallest_lift
from models.reports.audience import (
    MOST_CONTACTS,
    SHARES,
    WINDOW_DAYS,
    AudienceReport,
    Wish,
    what_shares_find,
)
from pages._ui import charts, drill, empty, freshness, handover, head, load, session, tables
from pages._ui import format as fmt
from pages._ui.attempt import attempt, writer
from pages._ui.export import Unread
from pages._ui.head import Opened
from pages._ui.i18n import localized, localized_text, t, tn, word

BIRTHDAYS, RUN_OUTS, QUIET = (7, 14, 30, 60), (7, 14, 30), (30, 60, 90, 180, 365)
BOUGHT_DAYS = (30, 90, 180, 365)
CONTACTS = (1, 2, 3, 4, 6, 10)
WINDOWS = (14, 30, 60)
WANTED = 500  # customers to contact, unless told
LIFT = 5  # more buyers in a hundred, unless told
MUCH = 0.3  # held back where no share finds what is wished for
STATES: Mapping[str, str] = {"draft": "blue", "waiting": "orange", "members": "green"}
ARMS: Mapping[str, str] = {CONTACTED: "green", HELD_BACK: "gray"}


def channels(page: Opened) -> tuple[str, ...]:
    """The channels in which somebody agrees to marketing."""
    return tuple(channel for purpose, channel in load.agreements(page.scope, page.generation) if purpose == "marketing")


def wish(page: Opened, offered: Sequence[str]) -> Wish:
    """Step 1: draws the conditions and gives what is wished for."""
    head.block(t("audiences.who"), t("audiences.who_note"))
    first, second, third = st.columns(3)
    segments = first.multiselect(
        t("audiences.segments"),
        SEGMENTS,
        format_func=lambda one: t(f"segment.{one}"),
        key="audience_segments",
        placeholder=t("audiences.any"),
        select_all=False,
    )
    stages = second.multiselect(
        t("audiences.stages"),
        STAGES[STAGE],
        format_func=lambda one: t(f"stage.{one}"),
        key="audience_stages",
        placeholder=t("audiences.any"),
        select_all=False,
        help=t("audiences.stages_help"),
    )
    known = load.audience_tiers(page.scope, page.generation)
    tiers = third.multiselect(
        t("audiences.tiers"),
        known,
        format_func=lambda one: localized_text("tier.name", one),
        key="audience_tiers",
        placeholder=t("audiences.any"),
        select_all=False,
        disabled=not known,
    )
    birthday = _days(first, "birthday", BIRTHDAYS)
    runs_out = _days(second, "runs_out", RUN_OUTS)
    quiet = _days(third, "quiet", QUIET)
    conditions = Conditions(tuple(segments), tuple(stages), tuple(tiers), _bought(page), birthday, quiet)
    left, right = st.columns([2, 1])
    channel = left.segmented_control(
        t("audiences.channel"), offered, default=offered[0], format_func=channel_name, key="audience_channel",
        required=True,
    )  # fmt: skip
    most = right.selectbox(
        t("audiences.contacts"),
        CONTACTS,
        index=CONTACTS.index(MOST_CONTACTS),
        format_func=lambda n: tn("audiences.contacts_most", n, n=n),
        key="audience_contacts",
        help=t("audiences.contacts_help", days=FATIGUE_DAYS),
        filter_mode=None,
    )
    window = st.session_state.get("audience_window", WINDOW_DAYS)
    return Wish(conditions, tuple(offered), channel, runs_out, most, window)


def _days(place: Any, what: str, choices: Sequence[int]) -> int | None:
    chosen: int | None = place.selectbox(
        t(f"audiences.{what}"),
        [None, *choices],
        format_func=lambda n: t("audiences.any") if n is None else t(f"audiences.{what}_days", n=n),
        key=f"audience_{what}",
        placeholder=t("audiences.any"),
        filter_mode=None,
    )
    return chosen


def _bought(page: Opened) -> Bought | None:
    """What they bought, or did not."""
    offers = load.audience_offers(page.scope, page.generation)
    how, rest = st.columns([1, 4])
    chosen = how.selectbox(
        t("audiences.bought"),
        ("any", "bought", "not_bought"),
        format_func=lambda one: t(f"audiences.bought.{one}"),
        key="audience_bought",
        filter_mode=None,
    )
    if chosen == "any":
        return None
    with rest:
        of, product, when, least = st.columns([1.2, 1.6, 1.1, 1])
        category = of.selectbox(
            t("column.category"),
            [None, *map(str, offers["category"].unique())],
            format_func=lambda one: t("audiences.all") if one is None else _category(one),
            key="audience_category",
            placeholder=t("audiences.all"),
        )
        within = offers if category is None else offers[offers["category"] == category]
        named = localized(within, {"product": "product.name"})
        names = dict(zip(map(str, named["product_id"]), named["product"], strict=True))
        product_id = product.selectbox(
            t("column.product"),
            [None, *names],
            format_func=lambda one: t("audiences.all") if one is None else names[one],
            key="audience_product",
            placeholder=t("audiences.all"),
        )
        days = when.selectbox(
            t("audiences.bought_days"),
            [None, *BOUGHT_DAYS],
            format_func=lambda n: t("audiences.ever") if n is None else t("audiences.last_days", n=n),
            key="audience_days",
            placeholder=t("audiences.ever"),
            filter_mode=None,
        )
        amount = least.number_input(
            t("audiences.least", currency=fmt.symbol(page.currency)),
            min_value=0,
            step=100,
            key="audience_least",
            help=t("audiences.least_help"),
        )
    return Bought(category, product_id, days, float(amount), none=chosen == "not_bought")


def held_elsewhere() -> tuple[int, ...]:
    """The customers whom saved audiences still hold back."""
    today = freshness.local(utc_now()).date()
    return tuple(sorted(audiences.held_back_now(opened(), session.current_scope(), today)))


def figures(report: AudienceReport) -> list[tuple[str, str, str | None]]:
    """Cards: who fits, who may be contacted, and how many of these buy anyway."""
    reachable = len(report.reachable)
    return [
        (t("audiences.fitting"), fmt.count(report.fitting), t("audiences.fitting_help")),
        (t("audiences.reachable"), told(reachable), t("audiences.reachable_help")),
        (t("audiences.withheld"), told(report.fitting - reachable), t("audiences.withheld_help")),
    ]


def withheld(report: AudienceReport) -> None:
    """Why customers who fit are left out, each under the first reason."""
    channel = channel_name(str(st.session_state["audience_channel"]))
    head.block(t("audiences.why"), t("audiences.why_note", channel=channel), t("audiences.why_help"))
    reasons(dict(zip(report.withheld["reason"], report.withheld["customers"], strict=True)))


def reasons(counts: Mapping[str, int]) -> None:
    """Customers withheld by reason; 1 to 4 are not told."""
    if not counts:
        empty.nothing(t("audiences.nobody_withheld"))
        return
    lines = ["- " + fmt.named(_reason(reason), f"**{told(counts[reason])}**") for reason in REASONS if reason in counts]
    st.markdown("\n".join(lines))


def by_channel(report: AudienceReport) -> None:
    """How many agree in each channel, and how many of them may be contacted."""
    head.block(t("audiences.channels"), t("audiences.channels_note"))
    rows = report.channels.assign(channel=[channel_name(one) for one in report.channels["channel"]])
    bars = charts.ranked_bars(
        rows, label="channel", value="reachable", ids="channel", unit="count", currency="", compare="agreed",
        compare_name=t("audiences.agree"),
    )  # fmt: skip
    charts.show(bars, alt=t("audiences.channels"), key="audience_channels")
    st.caption(t("audiences.channels_mark"))


def draw(page: Opened, asked: Wish, report: AudienceReport) -> None:
    """Steps 2 and 3: how many, how many of them are held back, what that can find; and saves it."""
    head.block(t("audiences.how_many"), t("audiences.how_many_note"))
    reachable = len(report.reachable)
    first, second, third, fourth = st.columns(4)
    wanted = first.number_input(
        t("audiences.wanted"),
        min_value=min(LEAST, reachable),
        max_value=reachable,
        value=min(WANTED, reachable),
        step=50,
        key="audience_wanted",
    )
    window = second.selectbox(
        t("audiences.window"),
        WINDOWS,
        index=WINDOWS.index(WINDOW_DAYS),
        format_func=lambda n: t("audiences.window_days", n=n),
        key="audience_window",
        help=t("audiences.window_help"),
        filter_mode=None,
    )
    lift = third.number_input(
        t("audiences.lift"), min_value=1, max_value=50, value=LIFT, key="audience_lift", help=t("audiences.lift_help")
    )
    share = fourth.selectbox(
        t("audiences.share"),
        [None, *SHARES, 0.0],
        format_func=lambda one: (
            t("audiences.share_advised")
            if one is None
            else t("audiences.share_none")
            if one == 0
            else fmt.percent(one, 0)
        ),
        key="audience_share",
        placeholder=t("audiences.share_advised"),
        help=t("audiences.share_help"),
        filter_mode=None,
    )
    held_share = advised(report.base_share, lift / 100, wanted, reachable) if share is None else share
    contacted, held = sizes(wanted, held_share, reachable)
    st.markdown(in_words(report.base_share, contacted, held, window), width="stretch")
    needed = holdout_needed(report.base_share, lift / 100, contacted + held)
    people = fmt.count(contacted + held)
    said = t("audiences.needed", lift=lift, n=fmt.count(needed), people=people) if needed else ""
    st.caption(said or t("audiences.needed_none", lift=lift, people=people))
    with st.expander(t("audiences.table"), icon=":material/table_chart:"):
        _what_shares_find(report, contacted + held)
    name = st.text_input(t("audiences.name"), max_chars=LONGEST_NAME, key="audience_name", autocomplete="off",
                         placeholder=t("audiences.name_example"))  # fmt: skip
    too_few = contacted < LEAST
    if too_few:
        st.caption(f":material/info: {t('rule.audience_size')}")
    st.caption(t("audiences.frozen"))
    if st.button(t("audiences.save"), type="primary", icon=":material/lock:", key="audience_save", disabled=too_few):
        _save(page, asked, report, name, contacted + held, held)


def advised(base_share: float, lift: float, wanted: int, reachable: int) -> float:
    """The smallest share to hold back that finds ``lift`` if ``wanted`` are contacted; ``MUCH`` where none does."""
    for share in SHARES:
        if smallest_lift(base_share, *sizes(wanted, share, reachable)) <= lift:
            return share
    return MUCH


def in_words(base_share: float, contacted: int, held: int, window: int) -> str:
    """What such an audience can find, for somebody who knows no statistics."""
    people = {"contacted": fmt.count(contacted), "held": fmt.count(held), "days": window}
    if not held:
        return t("audiences.said_none", **people)
    found = smallest_lift(base_share, contacted, held)
    if fmt.is_missing(found):
        return t("audiences.said_nothing", **people)
    return t("audiences.said", **people, base=fmt.decimal(base_share * 100, 1), lift=fmt.decimal(found * 100, 1))


def _what_shares_find(report: AudienceReport, people: int) -> None:
    rows = what_shares_find(report.base_share, people)
    shown = pd.DataFrame(
        {
            t("audiences.share"): [fmt.percent(one, 0) for one in rows["held_share"]],
            t("column.contacted"): [fmt.count(one) for one in rows["contacted"]],
            t("column.held_back"): [fmt.count(one) for one in rows["held_back"]],
            t("audiences.smallest"): [fmt.points(one) for one in rows["smallest_lift"]],
        }
    )
    st.table(shown.set_index(t("audiences.share")), border="horizontal")
    st.caption(t("audiences.table_note"))


def _save(page: Opened, asked: Wish, report: AudienceReport, name: str, people: int, held: int) -> None:
    """Draws the two arms, freezes them and opens what was saved."""
    (scope, actor), seed = writer(), secrets.randbelow(2**31)
    sample = drawn(report.reachable, people, seed)
    draft = Draft(
        name,
        asked.channel,
        _kept_conditions(page, asked),
        dict(zip(report.withheld["reason"], report.withheld["customers"].tolist(), strict=True)),
        seed,
        len(report.reachable),
        asked.window_days,
        None if fmt.is_missing(report.base_share) else report.base_share,
        page.generation,
        report.as_of,
    )
    attempt(
        lambda: audiences.save(opened(), scope, actor, draft, sample, held_back(sample, held, seed), utc_now()),
        lambda saved: drill.open_page("audience", audience=saved),
    )


def _kept_conditions(page: Opened, asked: Wish) -> dict[str, Any]:
    """What was chosen, without what was left open."""
    chosen = asdict(asked.conditions) | {
        "runs_out_within": asked.runs_out_within,
        "most_contacts": asked.most_contacts,
        "stores": page.scope.store_ids,
    }
    return {name: value for name, value in chosen.items() if value not in (None, ())}


def saved(page: Opened) -> pd.DataFrame:
    """All saved audiences, the latest first."""
    rows = audiences.every(opened(), session.current_scope())
    known = load.campaigns(session.current_scope(), page.generation).campaigns
    members = set(known.loc[known["targeted"] + known["held_back"] > 0, "campaign_id"])
    return pd.DataFrame(
        [
            {
                "audience_id": one.audience_id,
                "name": one.draft.name,
                "audience_state": state_of(one, members),
                "contacted": one.contacted,
                "held_back": one.held_back,
                "channel": channel_name(one.draft.channel),
                "saved_at": freshness.local(one.at),
                "held_until": one.held_until,
            }
            for one in rows
        ],
        columns=[
            "audience_id", "name", "audience_state", "contacted", "held_back", "channel", "saved_at", "held_until",
        ],
    )  # fmt: skip


def listing(page: Opened) -> None:
    """The saved audiences; a click opens one."""
    rows = saved(page)
    note = tn("audiences.saved_note", len(rows), n=fmt.count(len(rows))) if len(rows) else None
    head.block(t("audiences.saved"), note)
    if rows.empty:
        empty.nothing(t("audiences.none_saved"))
        return
    shown = [
        tables.column("name"),
        tables.badge("audience_state", "audience_state", STATES),
        tables.Column("contacted", "count"),
        tables.Column("held_back", "count"),
        tables.column("channel"),
        tables.Column("saved_at", "instant"),
        tables.Column("held_until", "day"),
    ]
    opens = tables.listing(
        rows, shown, currency=page.currency, alt=t("audiences.saved"), key="audiences_list", opens="audience_id"
    )
    if opens:
        drill.open_page("audience", audience=opens)


def state_of(one: Audience, with_members: set[str]) -> str:
    """draft: of no campaign yet; waiting: its campaign gets it at the next refresh; members: it has."""
    if one.campaign_id is None:
        return "draft"
    return "members" if one.campaign_id in with_members else "waiting"


def facts(one: Audience) -> list[tuple[str, str]]:
    """What is known of a saved audience, as label and text."""
    who = session.current_person()
    return [
        (t("column.channel"), channel_name(one.draft.channel)),
        (t("column.saved_at"), fmt.instant(freshness.local(one.at))),
        (t("audiences.by"), t("audiences.you") if one.actor == who.actor else one.actor),
        (t("head.as_of"), fmt.day(one.draft.as_of)),
        (t("audiences.window"), t("audiences.window_days", n=one.draft.window_days)),
        (t("column.held_until"), fmt.day(one.held_until)),
        (t("audiences.seed"), str(one.draft.seed)),
    ]


def sizes_of(one: Audience) -> list[tuple[str, str, str | None]]:
    """Cards of a saved audience."""
    share = one.draft.base_share
    found = float("nan") if share is None else smallest_lift(share, one.contacted, one.held_back)
    return [
        (t("column.contacted"), fmt.count(one.contacted), t("audiences.contacted_help")),
        (t("column.held_back"), fmt.count(one.held_back), t("audiences.held_back_help")),
        (t("audiences.smallest"), fmt.points(found), t("audiences.smallest_help")),
        (t("audiences.reachable"), fmt.count(one.draft.reachable), t("audiences.reachable_help")),
    ]


def conditions_in_words(one: Audience, places: pd.Series, currency: str) -> str:
    """Whom a saved audience was made of, one line per condition. places: names of stores by id."""
    c = one.draft.conditions
    lines = []
    for name, words in (("segments", "segment"), ("stages", "stage")):
        if c.get(name):
            lines.append(fmt.named(t(f"audiences.{name}"), fmt.enumerated(t(f"{words}.{value}") for value in c[name])))
    if c.get("tiers"):
        tiers = fmt.enumerated(localized_text("tier.name", one) for one in c["tiers"])
        lines.append(fmt.named(t("audiences.tiers"), tiers))
    for name, key in (("birthday_within", "birthday"), ("runs_out_within", "runs_out"), ("quiet_for", "quiet")):
        if c.get(name):
            lines.append(fmt.named(t(f"audiences.{key}"), t(f"audiences.{key}_days", n=c[name])))
    if c.get("bought"):
        lines.append(_bought_in_words(c["bought"], currency))
    if c.get("stores"):
        lines.append(fmt.named(t("head.scope"), fmt.enumerated(str(places.get(store, store)) for store in c["stores"])))
    if c.get("most_contacts"):
        most = tn("audiences.contacts_most", c["most_contacts"], n=c["most_contacts"])
        lines.append(fmt.named(t("audiences.contacts"), most))
    return "\n".join(f"- {line}" for line in lines)


def _bought_in_words(bought: Mapping[str, Any], currency: str) -> str:
    what = bought["product_id"] or (t("audiences.all") if bought["category"] is None else _category(bought["category"]))
    parts = [t("audiences.bought.not_bought" if bought["none"] else "audiences.bought.bought"), what]
    parts.append(t("audiences.ever") if bought["days"] is None else t("audiences.last_days", n=bought["days"]))
    if bought["least"]:
        parts.append("≥ " + fmt.money(bought["least"], currency, digits=0))
    return " · ".join(parts)


def rows_of(one: Audience) -> pd.DataFrame:
    """The frozen rows, by pseudonym; those who are contacted first."""
    rows = audiences.members(opened(), session.current_scope(), one.audience_id)
    keys = rows["customer_no"].map(customer_key).astype(object)
    rows = rows.assign(customer_key=keys, assigned_at=freshness.local(one.at))
    return rows.sort_values(["arm", "customer_no"], ignore_index=True)


def hand_over(one: Audience) -> tuple[Unread, handover.Use]:
    """The list that leaves: those to contact who may still be at that moment, and what for."""
    rows = rows_of(one)
    contacted = rows.loc[rows["arm"] == CONTACTED, ["customer_key"]].reset_index(drop=True)
    use = handover.use_of("marketing", one.draft.channel)
    fetch = handover.for_use(lambda: contacted, session.current_scope(), use)
    return Unread(["customer_key", "customer_id"], len(contacted), fetch), use


def linking(one: Audience, page: Opened) -> None:
    """Which campaign the audience belongs to, or a choice of those that nobody was assigned to."""
    known = localized(
        load.campaigns(session.current_scope(), page.generation).campaigns, {"name": "campaign.name"}
    ).set_index("campaign_id")
    head.block(t("audiences.campaign"), t("audiences.campaign_note"))
    if one.campaign_id is not None:
        name = str(known["name"].get(one.campaign_id, one.campaign_id))
        there = one.campaign_id in known.index and known.loc[one.campaign_id, ["targeted", "held_back"]].sum() > 0
        st.markdown(t("audiences.linked" if there else "audiences.linked_waiting", name=name))
        if there:
            query = drill.link("campaign", campaign=one.campaign_id)
            label = t("audiences.to_campaign")
            st.page_link("campaign.py", label=label, icon=":material/campaign:", query_params=query)
        return
    taken = {other.campaign_id for other in audiences.every(opened(), session.current_scope())}
    free = known[(known["targeted"] + known["held_back"] == 0) & ~known.index.isin(taken)]
    free = free[free["state"] != "closed"]
    if free.empty:
        empty.nothing(t("audiences.no_campaign"))
        return
    chosen = st.selectbox(
        t("audiences.choose_campaign"), free.index, format_func=lambda key: f"{free['name'][key]} · {key}",
        key="audience_campaign",
    )  # fmt: skip
    st.caption(t("audiences.for_good"))
    if st.button(t("audiences.link"), key="audience_link", icon=":material/link:"):
        scope, actor = writer()
        attempt(
            lambda: audiences.link(opened(), scope, actor, one.audience_id, chosen, utc_now(), free.index),
            lambda _: st.rerun(),
        )


def channel_name(channel: str) -> str:
    return word("channel", channel)


def _category(category: str) -> str:
    return localized_text("product.category", category) if category else t("audiences.no_category")


def _reason(reason: str) -> str:
    return t(f"audiences.reason.{reason}")
