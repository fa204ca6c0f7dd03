"""The privacy report in words, and the registers that the app itself keeps: requests, incidents, rules, protection."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from data_access import live
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.protection import checks
from data_access.settings import settings
from data_access.state import erasures, incidents, recognitions, retention
from data_access.state.incidents import Incident
from data_access.state.store import opened
from models.reports.privacy import PrivacyReport
from pages._ui import format as fmt
from pages._ui import freshness
from pages._ui.i18n import localized, t, tn
from pages._ui.literal import literal

# The state of a request, an incident, a check, each with the colour of its badge.
REQUESTS: Mapping[str, str] = {"overdue": "red", "open": "blue", "erased": "green", "declined": "gray"}
INCIDENTS: Mapping[str, str] = {"overdue": "red", "report": "orange", "open": "blue", "closed": "green"}
VIEWS = ("consents", "requests", "incidents", "protection")
CHECKS: Mapping[str, str] = {"weak": "orange", "unknown": "gray", "good": "green"}


def figures(report: PrivacyReport, recorded: bool) -> list[tuple[str, str, str | None]]:
    """Cards: registered, contactable, messages without consent, requests and incidents that are open, what is due.

    recorded: whether the CRM records consents at all.
    """
    people, now = report.people.iloc[0], utc_now()
    wrong = fmt.count(people["contacts_without_consent"]) if recorded else fmt.MISSING
    requests = [one for one in erasures.everything(opened()) if one.is_open]
    unsolved = [one for one in incidents.everything(opened()) if one.is_open]
    return [
        (t("privacy.customers"), fmt.compact(people["customers"]), _ages(people)),
        (
            t("privacy.contactable"),
            fmt.percent(people["contactable_share"]) if recorded else fmt.MISSING,
            t("privacy.contactable.help", people=fmt.count(people["contactable"]), agree=fmt.count(people["live"])),
        ),
        (t("privacy.without_consent"), wrong, t("privacy.without_consent.help")),
        (
            t("privacy.requests_open"),
            fmt.count(len(requests)),
            tn("privacy.requests_late", sum(one.due_at < now for one in requests)),
        ),
        (
            t("privacy.incidents_open"),
            fmt.count(len(unsolved)),
            tn("privacy.incidents_late", sum(_state(one, now) == "overdue" for one in unsolved)),
        ),
        (t("privacy.due"), fmt.compact(report.retention["due"].sum()), t("privacy.due.help")),
    ]


def _ages(people: Any) -> str:
    return t("privacy.customers.help", minors=fmt.count(people["minors"]), unknown=fmt.count(people["age_unknown"]))


def records_consents(table_status: pd.DataFrame) -> bool:
    """Whether the CRM has a table of consents with a row in it."""
    states = table_status.set_index("table_name")["state"]
    return states.get("consent") in ("ok", "columns_missing")


def months() -> tuple[int, int]:
    """After how many months without a purchase a customer is due, and after how many a withdrawn consent."""
    rules = retention.months(opened())
    return rules["customers"], rules["consents"]


def contacts(report: PrivacyReport) -> pd.DataFrame:
    """Messages without consent, the last of each on the reader's clock."""
    return report.contacts.assign(last_at=report.contacts["last_at"].map(freshness.local))


def crm_incidents(report: PrivacyReport) -> pd.DataFrame:
    """The incidents of the CRM on the reader's clock, with whole hours."""
    found = report.incidents.assign(detected_at=report.incidents["detected_at"].map(freshness.local))
    return found.round({"hours_to_contain": 0, "hours_to_notify": 0})


def consents(report: PrivacyReport) -> pd.DataFrame:
    """Consents with purpose and channel in words; the channel '' is any."""
    return report.consents.assign(channel=report.consents["channel"].replace("", "any"))


def stores(report: PrivacyReport) -> pd.DataFrame:
    """Stores by name in the reader's language; customers of no store under a word of their own."""
    named = localized(report.stores, {"store": "store.name"})
    return named.assign(store=named["store"].astype(object).where(named["store"].notna(), t("privacy.no_store")))


def contacts_verdict(report: PrivacyReport, recorded: bool) -> str:
    """One sentence: every message had its consent, or how many did not, or why nobody knows."""
    if not recorded:
        return t("privacy.contacts_unknown")
    wrong = int(report.people["contacts_without_consent"].iloc[0])
    if not wrong:
        return f":green[:material/check_circle: {t('privacy.contacts_none')}]"
    return f":red[:material/error: **{tn('privacy.contacts_some', wrong, n=fmt.count(wrong))}**]"


def requests() -> pd.DataFrame:
    """One row per request: request_id, customer_key, state, asked_at and due_at on the reader's clock, what came of
    it."""
    now = utc_now()
    rows = [
        {
            "request_id": one.request_id,
            "customer_key": one.customer_key,
            "state": ("overdue" if one.due_at < now else "open")
            if one.is_open
            else "erased"
            if one.outcome == "erased"
            else "declined",
            "asked_at": freshness.local(one.asked_at),
            "due_at": freshness.local(one.due_at) if one.is_open else None,
            "ended_at": freshness.local(one.ended_at) if one.ended_at else None,
            "declined": one.outcome if one.outcome != "erased" else None,
        }
        for one in erasures.everything(opened())
    ]
    columns = ["request_id", "customer_key", "state", "asked_at", "due_at", "ended_at", "declined"]
    return pd.DataFrame(rows, columns=columns)


def due(report: PrivacyReport) -> pd.DataFrame:
    """What is due to be forgotten: the report's rows, the entries of the audit log, and recognitions."""
    rules, today, engine = retention.months(opened()), freshness.local(utc_now()).date(), opened()
    counts: dict[retention.Subject, Callable[[Any, datetime], int]] = {
        "audit": retention.entries_before,
        "recognitions": recognitions.given_before,
    }
    rows = []
    for subject, count in counts.items():
        before = retention.cut_off(rules[subject], today)
        many = count(engine, datetime(before.year, before.month, before.day))
        rows.append({"subject": subject, "months": rules[subject], "due_before": pd.Timestamp(before), "due": many})
    return pd.concat([report.retention, pd.DataFrame(rows)], ignore_index=True)


def register() -> pd.DataFrame:
    """One row per incident of the register: incident_id, kind, state, detected_at on the reader's clock, elapsed until
    it was contained, reported and told (so far, where it was not), records_affected."""
    now = utc_now()
    rows = [
        {
            "incident_id": one.incident_id,
            "kind": one.kind,
            "state": _state(one, now),
            "detected_at": freshness.local(one.detected_at),
            "contained": _elapsed(one, "contained", now),
            "reported": _elapsed(one, "authority_told", now),
            "told": _elapsed(one, "people_told", now),
            "records_affected": one.records_affected,
        }
        for one in incidents.everything(opened())
    ]
    columns = ["incident_id", "kind", "state", "detected_at", "contained", "reported", "told", "records_affected"]
    return pd.DataFrame(rows, columns=columns)


def _state(one: Incident, now: datetime) -> str:
    left = one.left(now)
    if left is None:
        return "open" if one.is_open else "closed"
    return "overdue" if left < timedelta(0) else "report"


def _elapsed(one: Incident, step: incidents.Step, now: datetime) -> str:
    time = freshness.length(one.elapsed(step, now), short=True)
    if one.steps[step] is not None:
        return time
    return t("privacy.not_yet", time=time) if one.is_open else fmt.MISSING


def in_words(one: Incident, now: datetime) -> str:
    """One incident as a text: what it was, and how long is left to report it."""
    left = one.left(now)
    lines = [literal(one.summary)]
    if left is not None and left < timedelta(0):
        lines.append(f":red[:material/alarm: {t('privacy.report_late', time=freshness.length(-left))}]")
    elif left is not None:
        lines.append(f":orange[:material/alarm: {t('privacy.report_in', time=freshness.length(left))}]")
    return "  \n".join(lines)


def protection() -> list[str]:
    """One line of Markdown for each thing the program can check of how the data are protected."""
    try:
        found = checks(settings().home, live.opened(), opened())
    except Problem as problem:
        return [f":gray[:material/help:] {literal(str(problem))}"]
    return [
        f":{CHECKS[check.state]}-badge[{t(f'check_state.{check.state}')}] **{t(f'check.{check.subject}')}**  \n"
        + t(f"check_outcome.{check.subject}.{check.outcome}", **_particulars(check.said))
        for check in found
    ]


def _particulars(said: Mapping[str, str | int]) -> dict[str, str]:
    return {name: fmt.count(value) if isinstance(value, int) else literal(value) for name, value in said.items()}
