"""The audit log as administrators search it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.state import accounts, audit, exports
from data_access.state.audit import ACTIONS, Entry, Filter, Found
from data_access.state.store import opened
from pages._ui import format as fmt
from pages._ui import freshness
from pages._ui.i18n import exists, t, word

ROWS = audit.PAGE
_DAYS = 7
_WAYS = ("opened", "revealed", "exported")
# What the log says of a file, in the order in which somebody asks.
_FIRST = ("rows", "customers", "filters", "file", "columns", "sha256")


def choices() -> Filter:
    """The filters: a person, an action, days on the reader's clock."""
    names = _names()
    others = [actor for actor in exports.takers(opened()) if actor not in names]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        person = st.selectbox(
            t("audit.person"),
            ["", *names, *others],
            format_func=lambda one: _who(one, names) or t("audit.everybody"),
            key="audit_person",
            width=260,
        )
        action = st.selectbox(
            t("column.action"),
            ["", *ACTIONS],
            format_func=lambda one: t(f"action.{one}") if one else t("audit.every_action"),
            key="audit_action",
            width=260,
        )
        today = freshness.local(utc_now()).date()
        days = st.date_input(
            t("audit.days"),
            (today - timedelta(days=_DAYS - 1), today),
            max_value=today,
            format="YYYY-MM-DD",
            key="audit_days",
            width=260,
        )
    first, last = (days[0], days[-1]) if isinstance(days, tuple) and days else (today, today)
    return Filter(person or "", action or "", _utc(first), _utc(last + timedelta(days=1)))


def search(wanted: Filter, page: int) -> Found:
    """One page of the entries."""
    return audit.search(opened(), wanted, page)


def frame(found: Found) -> pd.DataFrame:
    """One row per entry: at on the reader's clock, actor, action, subject and detail in words."""
    names = _names()
    return pd.DataFrame(
        {
            "at": [freshness.local(entry.at) for entry in found.entries],
            "actor": [_who(entry.actor, names) for entry in found.entries],
            "action": [word("action", entry.action) for entry in found.entries],
            "subject": [
                None if entry.subject == entry.actor else _who(entry.subject, names) for entry in found.entries
            ],
            "detail": [_in_words(entry) for entry in found.entries],
        }
    )


def unusual(wanted: Filter) -> pd.DataFrame:
    """The days of ``wanted`` on which somebody, or the person of it, took away more than usual, the latest first.

    Columns: day, actor in words, rows, files, most_rows and most_files (of one of the 28 days before), unusual: why.
    """
    names, (first, last) = _names(), _days(wanted)
    found = exports.alerts(opened(), first, last, freshness.zone())
    rows = [
        (
            alert.day.day,
            _who(alert.actor, names),
            alert.day.rows,
            alert.day.files,
            alert.most.rows,
            alert.most.files,
            fmt.enumerated(t(f"unusual.{reason}") for reason in alert.reasons),
        )
        for alert in found
        if wanted.person in ("", alert.actor)
    ]
    return pd.DataFrame(rows, columns=["day", "actor", "rows", "files", "most_rows", "most_files", "unusual"])


def seen(wanted: Filter) -> pd.DataFrame:
    """Whose data the person of ``wanted`` saw in its days, as ``exports.seen``, with last_at on the reader's clock."""
    assert wanted.since is not None
    assert wanted.until is not None
    found = exports.seen(opened(), wanted.person, wanted.since, wanted.until)
    return found.assign(last_at=freshness.locals_of(found["last_at"]))


def whose(wanted: Filter) -> str:
    """The person and the days that ``seen`` is about, in words."""
    days = fmt.period(*_days(wanted))
    return f"{_who(wanted.person, _names())} · {days}" if wanted.person else days


def seen_figures(people: pd.DataFrame) -> list[tuple[str, str, str | None]]:
    """Cards: how many customers, and how many of them were opened, revealed, exported."""
    parts = [(t(f"audit.seen_{name}"), fmt.count(int((people[name] > 0).sum())), None) for name in _WAYS]
    return [(t("audit.seen_customers"), fmt.count(len(people)), None), *parts]


def verification() -> None:
    """A button that recomputes the whole chain, and what came of it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        asked = st.button(
            t("audit.verify"), key="audit_verify", icon=":material/verified_user:", help=t("audit.verify_help")
        )
        if asked:
            broken, end = audit.verify(opened()), audit.head(opened())
            if broken is None:
                st.markdown(f":green[:material/check_circle: {t('audit.whole', entries=fmt.count(end.number))}]")
                st.caption(t("audit.head", number=end.number, hash=end.hash[:16]))
            else:
                st.markdown(f":red[:material/error: **{t('audit.broken', number=broken.number)}**]")


def _names() -> dict[str, str]:
    """Every account by account_id, as people know it."""
    """What everybody is called, with the sign-in name where that says more."""
    return {
        known.account_id: known.display_name
        if known.display_name == known.sign_in_name
        else fmt.beside(known.display_name, known.sign_in_name)
        for known in accounts.everyone(opened())
    }


def _who(actor: str, names: Mapping[str, str]) -> str | None:
    """An actor or subject in words; None for nobody."""
    kind, _, rest = actor.partition(":")
    if kind == "demo":
        role, _, home = rest.partition(":")
        said = t(f"role.{role}")
        return t("audit.demo", role=said, home=home) if home else t("audit.demo_all", role=said)
    if kind == "terminal":
        return t("audit.terminal", name=rest)
    if kind == "provider":
        return t("audit.provider")
    if exists(f"page.{actor}"):
        return t("audit.page", page=t(f"page.{actor}"))
    return names.get(actor, actor) or None


def _in_words(entry: Entry) -> str | None:
    """The particulars of an entry; before and after where something was changed."""
    changed = entry.action == "account_changed"
    said = [
        fmt.named(_label(key), " → ".join(_value(key, one) for one in value) if changed else _value(key, value))
        for key, value in sorted(entry.detail.items(), key=lambda one: _FIRST.index(one[0]) if one[0] in _FIRST else -1)
        if value is not False and value not in ("", None, [])
    ]
    return " · ".join(said) or None


def _label(key: str) -> str:
    return word("detail", key)


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return t("audit.yes") if value else t("audit.no")
    if isinstance(value, list):
        return fmt.enumerated(map(str, value)) or fmt.MISSING
    if key in ("role", "reason") and exists(f"{key}.{value}"):
        return t(f"{key}.{value}")
    return str(value)


def _days(wanted: Filter) -> tuple[date, date]:
    """The first and the last day of ``wanted`` on the reader's clock."""
    assert wanted.since is not None
    assert wanted.until is not None
    return freshness.local(wanted.since).date(), freshness.local(wanted.until - timedelta(microseconds=1)).date()


def _utc(day: date) -> datetime:
    """Midnight of a day on the reader's clock, as naive UTC."""
    zone = freshness.zone()
    return datetime.combine(day, time.min, zone).astimezone(UTC).replace(tzinfo=None)
