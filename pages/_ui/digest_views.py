"""The blocks of the digests page: choose a digest, those one has, and what became of everybody's."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import pandas as pd
import streamlit as st

from data_access.channels import Channel, Channels, channels
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, digests
from data_access.state.accounts import Account
from data_access.state.digests import AT_ONCE, BY_DAY, EVERY_DAY, TRIES, Digest, Limit
from data_access.state.store import opened
from pages._ui import digests as written
from pages._ui import empty, freshness, head, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again
from pages._ui.i18n import LANGUAGES, language, t, text
from pages._ui.tables import Column, badge, listing

# How a digest stands, in its colour.
STATES: Mapping[str, str] = {
    "again": "orange",
    "given_up": "red",
    "sent": "green",
    "waiting": "blue",
    "watching": "gray",
}
_HOURS = range(6, 23)
_WHEN = ("always", "above", "below")


def own_account() -> Account | None:
    """The account of whoever looks; None for one-click entry, which has none."""
    person = session.current_person()
    return accounts.find(opened(), person.actor) if person.name else None


def ways() -> Channels | None:
    """The channels of this server; None, with the reason on the page, when their file is wrong."""
    try:
        return channels(settings().home)
    except Problem as problem:
        if session.current_person().role == "administrator":
            st.error(str(problem), icon=":material/error:")
        else:
            st.warning(t("digests.broken"), icon=":material/error:")
        return None


def new(who: Account, allowed: Sequence[Channel], link: str, currency: str) -> None:
    """Chooses a digest and shows what it would say now."""
    head.block(t("digests.new"), t("digests.new_note"))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        page = st.selectbox(
            t("digests.page"), written.offered(who.role), format_func=lambda key: t(f"page.{key}"), key="digest_page"
        )
        way = st.selectbox(t("digests.channel"), allowed, format_func=_way, key="digest_channel")
        weekday, hour = (AT_ONCE, BY_DAY[0]) if page == written.ALERTS else _when_chosen()
        chosen = st.selectbox(
            t("digests.language"),
            LANGUAGES,
            index=LANGUAGES.index(language()),
            format_func=lambda name: text(name, "language.name"),
            key="digest_language",
        )
    limit = None if weekday == AT_ONCE else _limit(page, currency)
    told = _preview(who, page, chosen, weekday, link, limit)
    if st.button(t("digests.subscribe"), type="primary", icon=":material/mark_email_unread:", key="digest_subscribe"):
        about = (who.account_id, page, way.name, chosen, weekday, hour, utc_now(), datetime.now(), limit, told)
        said = _noted(weekday, hour, limit)
        attempt(lambda: digests.subscribe(opened(), *about), lambda _: say_again(said))


def _when_chosen() -> tuple[int, int]:
    weekday = st.selectbox(t("digests.days"), range(8), format_func=_days, key="digest_weekday")
    return weekday, st.selectbox(t("digests.hour"), _HOURS, index=3, format_func=_hour, key="digest_hour")


def _noted(weekday: int, hour: int, limit: Limit | None) -> str:
    """What is said once a digest is chosen: when it will leave."""
    if weekday == AT_ONCE:
        first, last = BY_DAY
        return t("digests.noted_at_once", first=_hour(first), last=_hour(last))
    return t("digests.limited" if limit else "digests.subscribed", when=_when(weekday, hour))


def _limit(page: str, currency: str) -> Limit | None:
    """When it is to leave: each time, or only when a figure has passed a limit."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        when = st.selectbox(
            t("digests.send"), _WHEN, format_func=lambda one: t(f"digests.send.{one}"), key="digest_send"
        )
        if when == "always":
            return None
        try:
            known = written.figures(page, session.current_scope())
        except written.NotSent:
            known = pd.DataFrame()
        if known.empty:
            st.caption(t("digests.nothing_now", reason=t("digest.failure.no_data")))
            return None
        metric = st.selectbox(
            t("digests.figure"), list(known["key"]), format_func=lambda key: t(f"metric.{key}"), key="digest_metric"
        )
        now, unit = written.figure(known, metric)
        # People write a share of one as percent.
        per = 100 if unit == "percent" else 1
        entered = st.number_input(
            t("digests.threshold", unit=_unit(unit, currency)),
            value=round(now * per, 1 if unit in ("percent", "decimal", "ratio") else 0),
            format="%.1f" if unit in ("percent", "decimal", "ratio") else "%.0f",
            key=f"digest_threshold_{page}_{metric}",
        )
    return Limit(metric, when == "below", entered / per)


def _unit(unit: str, currency: str) -> str:
    match unit:
        case "money":
            return fmt.symbol(currency)
        case "percent":
            return "%"
        case "days":
            return t("digests.unit.days")
    return t("digests.unit.number")


def _preview(who: Account, page: str, chosen: str, weekday: int, link: str, limit: Limit | None) -> frozenset[str]:
    """Shows what would be sent now; gives the keys of what whoever has read it knows already."""
    try:
        said = written.message(who, page, chosen, weekday, link, limit)
    except written.NotSent as reason:
        st.caption(t("digests.nothing_now", reason=t(f"digest.failure.{reason}")))
        return frozenset()
    if not said.news:
        st.caption(t("digests.no_alerts"))
        return said.told
    if said.passed is False:
        st.caption(t("digests.not_passed"))
    with st.expander(t("digests.preview")):
        st.text(f"{said.title}\n\n{said.text}")
    return said.told


def own(who: Account, currency: str) -> None:
    """The digests of a person, the one that is clicked to be removed."""
    mine = digests.of(opened(), who.account_id)
    head.block(t("digests.own"), t("digests.own_note"))
    if not mine:
        empty.nothing(t("digests.none"))
        return
    shown = ("page", "when", "only_if", "state", "channel", "sent_at")
    chosen = _listed(mine, shown, currency, "digests_own")
    for one in mine:
        if one.failure is not None:  # in words below, because a phone shows the first columns only
            st.caption(f":material/error: {_not_arrived(one)}")
    if chosen is None:
        return
    one = next(one for one in mine if one.digest_id == chosen)
    label = t("digests.remove", page=t(f"page.{one.page}"), when=_when(one.weekday, one.hour))
    if st.button(label, icon=":material/delete:", key="digest_remove"):
        attempt(
            lambda: digests.remove(opened(), who.account_id, chosen, utc_now()),
            lambda _: say_again(t("digests.removed")),
        )


def everybodys(currency: str) -> None:
    """What became of everybody's digests, for administrators: no figures, but what did not arrive."""
    found = digests.of(opened())
    head.block(t("digests.everybody"), t("digests.everybody_note"))
    if not found:
        empty.nothing(t("digests.nobody"))
        return
    shown = ("person", "page", "state", "when", "only_if", "channel", "sent_at", "failure")
    _listed(found, shown, currency, "digests_all")


def allowed_ways(found: Channels, currency: str) -> None:
    """The channels and whom they are for, without their addresses, for administrators."""
    head.block(t("digests.channels"), t("digests.channels_note"))
    if not found.named:
        empty.nothing(t("digests.no_channels"))
        return
    ways = found.named.values()
    rows = [(one.name, t(f"digests.kind.{one.kind}"), fmt.enumerated(sorted(one.people))) for one in ways]
    names = ["channel", "messenger", "allowed_people"]
    frame = pd.DataFrame(rows, columns=names)
    shown = [Column(name, "text") for name in names]
    listing(frame, shown, currency=currency, alt=t("digests.channels"), key="digests_channels", rows=8)


def _listed(found: Sequence[Digest], names: Sequence[str], currency: str, key: str) -> str | None:
    shown: list[Column] = []
    for name in names:
        if name == "state":
            shown.append(badge("state", "digest_state", STATES))
        else:
            shown.append(Column(name, "instant" if name == "sent_at" else "text"))
    opens = "digest_id" if key == "digests_own" else None
    rows = frame(found, currency)
    return listing(rows, shown, currency=currency, alt=t("digests.own"), key=key, opens=opens, rows=10)


def frame(found: Sequence[Digest], currency: str) -> pd.DataFrame:
    """One row per digest: digest_id, person, page, when, only_if (its limit) and channel in words, state, sent_at on
    the reader's clock, failure in words."""
    names = {one.account_id: one.display_name for one in accounts.everyone(opened())}
    rows = [
        {
            "digest_id": one.digest_id,
            "person": names.get(one.account_id),
            "page": t(f"page.{one.page}"),
            "when": _when(one.weekday, one.hour),
            "only_if": written.in_words(one.limit, currency) if one.limit else None,
            "channel": one.channel,
            "state": state(one),
            "sent_at": freshness.local(one.sent_at) if one.sent_at else None,
            "failure": t(f"digest.failure.{one.failure}") if one.failure else None,
        }
        for one in found
    ]
    return pd.DataFrame(rows).assign(sent_at=lambda table: pd.to_datetime(table["sent_at"]))


def state(one: Digest) -> str:
    """The key of ``STATES`` for a digest."""
    if one.failure is not None:
        return "given_up" if one.tries >= TRIES else "again"
    if one.passed is False:
        return "watching"
    return "waiting" if one.sent_at is None else "sent"


def _not_arrived(one: Digest) -> str:
    """Why a digest did not arrive, and when it is tried again."""
    about = {
        "page": t(f"page.{one.page}"),
        "when": _when(one.weekday, one.hour),
        "reason": t(f"digest.failure.{one.failure}"),
    }
    if one.next_try_at is None:
        return t("digests.given_up", **about)
    return t("digests.again", **about, at=fmt.instant(freshness.local(one.next_try_at)))


def _way(one: Channel) -> str:
    return f"{one.name} · {t(f'digests.kind.{one.kind}')}"


def _days(weekday: int) -> str:
    return t("digests.every_day") if weekday == EVERY_DAY else fmt.weekday(weekday)


def _hour(hour: int) -> str:
    return f"{hour:02}:00"


def _when(weekday: int, hour: int) -> str:
    if weekday == AT_ONCE:
        return t("digests.at_once")
    return f"{_days(weekday)} {_hour(hour)}"
