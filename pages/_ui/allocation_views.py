"""The parts of the page allocation: what each kind earned, what moving money would change, what was decided."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.state import decisions
from data_access.state.decisions import LONGEST, Decision
from data_access.state.store import opened
from models.calc.allocation import moved
from models.reports.allocation import AllocationReport, cost_each, earned
from pages._ui import drill, empty, freshness, head, session
from pages._ui import format as fmt
from pages._ui.actions import today
from pages._ui.attempt import attempt, writer
from pages._ui.choices import tabs
from pages._ui.i18n import localized, t, tn, word
from pages._ui.literal import literal
from pages._ui.tables import Column, listing

AMOUNT = 1_000  # moved, unless told
LOOK_AFTER = timedelta(days=60)
_LATEST = 10  # decisions at once
STATES: Mapping[str, str] = {"waiting": "blue", "due": "orange", "seen": "green"}


def figures(report: AllocationReport, currency: str) -> list[tuple[str, str, str | None]]:
    """Cards: how many campaigns can be judged at all, and what the measured ones earned per unit of cost."""
    known = report.summary.set_index("key")["value"]
    share = known["valid"] / known["ran"] if known["ran"] else None
    measured = report.kinds.dropna(subset=["earned_per_unit"])
    cost, gain = measured["cost"].sum(min_count=1), measured["incremental_margin"].sum()
    return [
        (t("allocation.ran"), fmt.count(known["ran"]), t("allocation.ran_help")),
        (t("allocation.valid"), fmt.percent(share), t("allocation.valid_help", n=fmt.count(known["valid"]))),
        (t("column.cost"), fmt.money_compact(cost, currency), t("allocation.cost_help")),
        (t("allocation.earned"), fmt.decimal(gain / cost if cost > 0 else None, 1), t("allocation.earned_help")),
    ]


def kinds(report: AllocationReport, currency: str) -> None:
    """The kinds of campaign by what each unit of cost earned, with its range."""
    head.block(t("allocation.kinds"), t("allocation.kinds_note"), t("allocation.earned_help"))
    rows = _with_names(report.kinds)
    rows = rows.assign(earned_range=_ranges(rows, "earned_lo", "earned_hi", lambda end: fmt.decimal(end, 1)))
    shown = [
        Column("kind", "text"),
        Column("earned_per_unit", "tenth"),
        Column("earned_range", "text"),
        Column("incremental_margin", "money"),
        Column("cost", "money"),
        Column("measured", "count"),
        Column("campaigns", "count"),
    ]
    kind = listing(rows, shown, currency=currency, alt=t("allocation.kinds"), key="allocation_kinds", opens="type")
    if kind:
        drill.open_page("campaigns", by_type=kind)


def scenario(report: AllocationReport, currency: str) -> None:
    """What moving an amount from one kind to another would change, by what both earned so far."""
    known = report.kinds.dropna(subset=["earned_lo", "earned_hi"])
    head.block(t("allocation.scenario"), t("allocation.scenario_note"))
    if len(known) < 2:
        empty.nothing(t("allocation.too_few"))
        return
    first, second, third = st.columns(3)
    options = known["type"].tolist()
    giver = first.selectbox(
        t("allocation.from"), options, index=len(options) - 1, format_func=kind_name, key="allocation_from"
    )
    taker = second.selectbox(t("allocation.to"), options, index=0, format_func=kind_name, key="allocation_to")
    most = most_given(known, giver)
    st.session_state["allocation_amount"] = min(st.session_state.get("allocation_amount", AMOUNT), most)
    amount = third.number_input(
        t("allocation.amount", currency=fmt.symbol(currency)),
        min_value=0,
        max_value=most,
        step=500,
        key="allocation_amount",
    )
    found = moved(amount, earned(known, giver), earned(known, taker))
    said = {
        "amount": fmt.money(amount, currency, digits=0),
        "giver": kind_name(giver),
        "taker": kind_name(taker),
        "value": fmt.money(found.value, currency, digits=0),
        "low": fmt.money(found.lo, currency, digits=0),
        "high": fmt.money(found.hi, currency, digits=0),
    }
    key = "more" if found.lo > 0 else "less" if found.hi < 0 else "unsure"
    st.markdown(t("allocation.moved", **said, so=t(f"allocation.moved_{key}")))
    st.caption(t("allocation.caution"))
    _budgets(known, giver, taker, float(amount), currency)


def most_given(kinds: pd.DataFrame, giver: str) -> int:
    """What can be taken from a kind, in whole units of money: no more than it had."""
    return int(kinds.set_index("type")["cost"][giver])


def _budgets(known: pd.DataFrame, giver: str, taker: str, amount: float, currency: str) -> None:
    """The budget of each kind before and after, with the margin it would be expected to cause."""
    change = known["type"].map({giver: -amount}).fillna(0) + known["type"].map({taker: amount}).fillna(0)
    rows = _with_names(known).assign(budget_then=known["cost"] + change)
    rows = rows.assign(
        expected_margin=rows["budget_then"] * rows["earned_per_unit"],
        margin_range=_ranges(
            rows.assign(
                low=rows["budget_then"] * rows["earned_lo"], high=rows["budget_then"] * rows["earned_hi"]
            ), "low", "high", lambda end: fmt.money(end, currency, digits=0),
        ),
    )  # fmt: skip
    shown = [
        Column("kind", "text"),
        Column("budget_then", "money"),
        Column("expected_margin", "money"),
        Column("margin_range", "text"),
        Column("cost", "money"),
        Column("incremental_margin", "money"),
    ]
    listing(rows, shown, currency=currency, alt=t("allocation.scenario"), key="allocation_budgets")


def buyers(report: AllocationReport, currency: str) -> None:
    """What a new buyer cost beside what it cost to bring an earlier customer back."""
    head.block(t("allocation.buyers"), t("allocation.buyers_note"), t("allocation.buyers_help"))
    if report.buyers.empty:
        empty.nothing(t("allocation.no_buyers"))
        return
    _said(report, currency)
    rows = _with_names(report.buyers)
    rows = rows.assign(
        caused=rows["caused"].round() + 0.0,  # no "-0"
        buyer_group=[t(f"allocation.{group}") for group in rows["buyer_group"]],
        caused_range=_ranges(rows, "caused_lo", "caused_hi", lambda end: fmt.count(round(end))),
        cost_each_range=_ranges(rows, "cost_each_lo", "cost_each_hi", lambda end: _price(end, currency)),
    )
    shown = [
        Column("kind", "text"),
        Column("buyer_group", "text"),
        Column("cost_each", "money"),
        Column("cost_each_range", "text"),
        Column("caused", "count"),
        Column("caused_range", "text"),
    ]
    listing(rows, shown, currency=currency, alt=t("allocation.buyers"), key="allocation_buyers")


def _said(report: AllocationReport, currency: str) -> None:
    """A new buyer beside a kept one, over all kinds together; nothing where either cannot be told."""
    new, kept = (cost_each(report.buyers, group) for group in ("new", "kept"))
    if fmt.is_missing(new.value) or fmt.is_missing(kept.value):
        return
    texts = {"ratio": fmt.decimal(new.value / kept.value, 1)}
    for name, one in (("new", new), ("kept", kept)):
        texts |= {name: fmt.money(one.value, currency, digits=0)}
        texts |= {f"{name}_low": _price(one.lo, currency), f"{name}_high": _price(one.hi, currency)}
    st.markdown(t("allocation.new_beside_kept", **texts))


def compared(report: AllocationReport, currency: str) -> None:
    """Offers by how long customers are known, events, clicks on recommendations, what platforms say of themselves."""
    views: dict[str, Callable[[], None]] = {
        "offers": lambda: _offers(report, currency),
        "events": lambda: _events(report, currency),
        "clicks": lambda: _clicks(report, currency),
        "platform": lambda: _platform(report, currency),
    }
    opened = tabs("compared", list(views), words="allocation")
    for tab, (name, view) in zip(opened, views.items(), strict=True):
        if tab.open:
            with tab:
                rows = getattr(report, name)
                if rows.empty:
                    empty.nothing(t(f"allocation.no_{name}"))
                else:
                    st.caption(t(f"allocation.{name}_note"))
                    view()


def _offers(report: AllocationReport, currency: str) -> None:
    rows = _with_names(report.offers)
    rows = rows.assign(tenure=[t(f"allocation.tenure.{one}") for one in rows["tenure"]], rate_range=_share_ranges(rows))
    shown = [
        Column("kind", "text"),
        Column("tenure", "text"),
        Column("redemption_rate", "percent"),
        Column("rate_range", "text"),
        Column("margin_each", "money"),
        Column("redeeming", "count"),
        Column("customers", "count"),
    ]
    listing(rows, shown, currency=currency, alt=t("allocation.offers"), key="allocation_offers")


def _events(report: AllocationReport, currency: str) -> None:
    rows = localized(report.events, {"name": "campaign.name"})
    rows = rows.assign(rate_range=_share_ranges(rows))
    shown = [
        Column("name", "text"),
        Column("invited", "count"),
        Column("attended", "count"),
        Column("attended_bought_rate", "percent"),
        Column("rate_range", "text"),
        Column("absent_rate", "percent"),
        Column("attended_new", "count"),
        Column("attended_first", "count"),
    ]
    _opening(rows, shown, currency, "events")


def _clicks(report: AllocationReport, currency: str) -> None:
    rows = _with_names(report.clicks)
    shown = [
        Column("kind", "text"),
        Column("delivered", "count"),
        Column("clicked", "count"),
        Column("recommendation_rate", "percent"),
        Column("rate_range", "text"),
    ]
    rows = rows.assign(rate_range=_share_ranges(rows))
    listing(rows, shown, currency=currency, alt=t("allocation.clicks"), key="allocation_clicks")


def _platform(report: AllocationReport, currency: str) -> None:
    rows = localized(report.platform, {"name": "campaign.name"})
    rows = rows.assign(channel=[_word("channel", one) for one in rows["channel"]])
    shown = [
        Column("name", "text"),
        Column("channel", "text"),
        Column("platform_conversions", "count"),
        Column("buyers", "count"),
        Column("reported_ratio", "decimal"),
    ]
    _opening(rows, shown, currency, "platform")


def _opening(rows: pd.DataFrame, shown: list[Column], currency: str, name: str) -> None:
    """A list of campaigns of which a click opens one."""
    campaign = listing(
        rows, shown, currency=currency, alt=t(f"allocation.{name}"), key=f"allocation_{name}", opens="campaign_id"
    )
    if campaign:
        drill.open_page("campaign", campaign=campaign)


def log(report: AllocationReport) -> None:
    """What was decided, what was expected and what was seen; those whose day has come ask for it."""
    found = decisions.every(opened(), session.current_scope())
    head.block(t("allocation.log"), tn("allocation.log_note", len(found), n=fmt.count(len(found))))
    _record(report)
    waiting = [one for one in found if one.seen is None]
    if waiting:
        _review(waiting)
    if not found:
        empty.nothing(t("allocation.none_decided"))
        return
    for one in found[:_LATEST]:
        _decision(one)
    if earlier := found[_LATEST:]:
        with st.expander(tn("allocation.earlier", len(earlier), n=fmt.count(len(earlier))), icon=":material/history:"):
            for one in earlier:
                _decision(one)


def _decision(one: Decision) -> None:
    """One decision, what was seen beside what was expected; both are sentences, which no list has room for."""
    state = state_of(one)
    with st.container(border=True):
        st.markdown(f"**{literal(one.decided)}** :{STATES[state]}-badge[{t(f'decision_state.{state}')}]")
        days = {"decided_on": freshness.local(one.at).date(), "look_on": one.look_on}
        said = [f"{t(f'column.{name}')} {fmt.day(day)}" for name, day in days.items()]
        st.caption(" · ".join([kind_name(one.about), *said]))
        left, right = st.columns(2)
        for place, name, text in ((left, "expected_text", one.expected), (right, "seen_text", one.seen)):
            place.caption(t(f"column.{name}"))
            place.markdown(literal(text) if text else fmt.MISSING)


def state_of(one: Decision) -> str:
    """seen: somebody noted what came of it; due: the day to look has come; waiting."""
    if one.seen is not None:
        return "seen"
    return "due" if one.look_on <= today() else "waiting"


def _record(report: AllocationReport) -> None:
    with st.expander(t("allocation.decide"), icon=":material/edit_note:"), st.form("decision", border=False):
        about: str = st.selectbox(t("column.about"), report.kinds["type"], format_func=kind_name, key="decision_about")
        decided = st.text_input(t("column.decided"), max_chars=LONGEST, key="decision_text", autocomplete="off")
        expected = st.text_input(t("column.expected_text"), max_chars=LONGEST, key="decision_expected",
                                 autocomplete="off")  # fmt: skip
        look_on = st.date_input(
            t("column.look_on"), today() + LOOK_AFTER, min_value=today(), format="YYYY-MM-DD", key="decision_day"
        )
        if st.form_submit_button(t("allocation.write"), type="primary"):
            _try(lambda scope, actor: decisions.record(
                opened(), scope, actor, about, decided, expected, look_on, utc_now()
            ))  # fmt: skip


def _review(waiting: list[Decision]) -> None:
    due = sorted(waiting, key=lambda one: one.look_on)
    with st.expander(t("allocation.review"), icon=":material/visibility:"), st.form("review", border=False):
        known = {one.decision_id: f"{fmt.day(one.look_on)} · {one.decided}" for one in due}
        chosen = st.selectbox(
            t("allocation.which"), list(known), format_func=lambda key: known[key], key="review_which"
        )
        seen = st.text_input(t("column.seen_text"), max_chars=LONGEST, key="review_text", autocomplete="off")
        if st.form_submit_button(t("allocation.note"), type="primary"):
            _try(lambda scope, actor: decisions.review(opened(), scope, actor, chosen, seen, utc_now()))


def _try(write: Callable[[Any, str], object]) -> None:
    """Writes with the rights of this moment and draws the page again; a broken rule is said."""
    scope, actor = writer()
    attempt(lambda: write(scope, actor), lambda _: st.rerun())


def kind_name(kind: str) -> str:
    return _word("campaign_type", kind)


def _word(words: str, value: Any) -> str:
    if fmt.is_missing(value):
        return fmt.MISSING
    return word(words, str(value))


def _with_names(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(kind=[kind_name(one) for one in rows["type"]])


def _price(end: float, currency: str) -> str:
    return "∞" if end == float("inf") else fmt.money(end, currency, digits=0)


def _share_ranges(rows: pd.DataFrame) -> list[str]:
    return _ranges(rows, "lo95", "hi95", fmt.percent)


def _ranges(rows: pd.DataFrame, low: str, high: str, said: Callable[[float], str]) -> list[str]:
    """Both ends of each row as one text."""
    return [
        fmt.MISSING if pd.isna(lo) or pd.isna(hi) else fmt.between(said(lo), said(hi))
        for lo, hi in zip(rows[low], rows[high], strict=True)
    ]
