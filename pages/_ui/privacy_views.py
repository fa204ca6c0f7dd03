"""The lists of the privacy page."""

import pandas as pd
import streamlit as st

from models.reports.privacy import PrivacyReport
from pages._ui import empty, head, privacy
from pages._ui.i18n import t, tn
from pages._ui.tables import Column, badge, column, listing


def contacts(report: PrivacyReport, recorded: bool, currency: str) -> None:
    """Messages that nobody had agreed to: none, as it must be, or which."""
    with st.container(border=True):
        head.block(t("privacy.contacts"), t("privacy.contacts_note"))
        st.markdown(privacy.contacts_verdict(report, recorded))
        if not report.contacts.empty:
            shown = [
                Column("campaign", "text"),
                Column("channel", "text", words="consent_channel"),
                Column("reason", "text", words="breach"),
                Column("contacts", "count"),
                Column("customers", "count"),
                Column("last_at", "instant"),
            ]
            _list(privacy.contacts(report), shown, currency, "contacts", rows=8)


def coverage(report: PrivacyReport, recorded: bool, currency: str) -> None:
    """Who agrees, by purpose and channel."""
    with st.container(border=True):
        head.block(t("privacy.coverage"), t("privacy.coverage_note"))
        if not recorded:
            empty.nothing(t("privacy.no_consents"))
            return
        shown = [
            column("purpose", words="purpose"),
            Column("channel", "text", words="consent_channel"),
            Column("coverage", "percent"),
            *(Column(name, "count") for name in ("live", "live_adults", "withdrawn")),
            Column("withdrawn_share", "percent"),
        ]
        _list(privacy.consents(report), shown, currency, "coverage")


def stores(report: PrivacyReport, recorded: bool, currency: str) -> None:
    """Whom each store may contact."""
    if not recorded or report.stores.empty:
        return
    with st.container(border=True):
        head.block(t("privacy.stores"), t("privacy.stores_note"))
        counts = [Column(name, "count") for name in ("contactable", "customers", "minors", "age_unknown")]
        _list(
            privacy.stores(report),
            [column("store"), Column("contactable_share", "percent"), *counts],
            currency,
            "stores",
            rows=12,
        )


def requests(currency: str) -> str | None:
    """The requests to be forgotten; the one that was clicked."""
    with st.container(border=True):
        asked = privacy.requests()
        head.block(t("privacy.requests"), tn("privacy.requests_count", len(asked)), t("privacy.requests_help"))
        if asked.empty:
            empty.nothing(t("privacy.no_requests"))
            return None
        shown = [
            Column("customer_key", "text"),
            badge("state", "request_state", privacy.REQUESTS),
            *(Column(name, "day") for name in ("due_at", "asked_at", "ended_at")),
            Column("declined", "text", words="decline"),
        ]
        return _list(asked, shown, currency, "requests", rows=8, opens="request_id")


def due(report: PrivacyReport, currency: str) -> None:
    """What is kept longer than its rule says."""
    with st.container(border=True):
        head.block(t("privacy.retention"), t("privacy.retention_note"))
        shown = [
            Column("subject", "text", words="retention"),
            Column("due", "count"),
            Column("due_before", "day"),
            Column("months", "count"),
        ]
        _list(privacy.due(report), shown, currency, "retention")


def register(currency: str) -> str | None:
    """The incidents that were recorded here; the one that was clicked."""
    with st.container(border=True):
        known = privacy.register()
        head.block(t("privacy.register"), tn("privacy.incidents_count", len(known)), t("privacy.register_help"))
        if known.empty:
            empty.nothing(t("privacy.no_incidents"))
            return None
        shown = [
            Column("kind", "text", words="incident_kind"),
            badge("state", "incident_state", privacy.INCIDENTS),
            Column("detected_at", "instant"),
            *(Column(name, "text") for name in ("contained", "reported", "told")),
            Column("records_affected", "count"),
        ]
        return _list(known, shown, currency, "register", rows=8, opens="incident_id")


def of_crm(report: PrivacyReport, currency: str) -> None:
    """The incidents that the CRM records."""
    with st.container(border=True):
        head.block(t("privacy.of_crm"), t("privacy.of_crm_note"))
        if report.incidents.empty:
            empty.nothing(t("privacy.none_in_crm"))
            return
        shown = [
            Column("kind", "text", words="incident_kind"),
            *(Column(name, "count") for name in ("hours_to_contain", "hours_to_notify")),
            Column("detected_at", "instant"),
            Column("records_affected", "count"),
        ]
        _list(privacy.crm_incidents(report), shown, currency, "of_crm", rows=8)


def protection() -> None:
    """What the program can check of how the data are protected."""
    with st.container(border=True):
        head.block(t("privacy.protection"), t("privacy.protection_note"))
        for line in privacy.protection():
            st.markdown(line)


def _list(
    frame: pd.DataFrame,
    shown: list[Column],
    currency: str,
    name: str,
    *,
    rows: int | None = None,
    opens: str | None = None,
) -> str | None:
    alt, key = t(f"privacy.{name}"), f"privacy_{name}"
    chosen = listing(frame, shown, currency=currency, alt=alt, key=key, opens=opens, rows=rows)
    if opens and chosen is None:
        st.caption(t("privacy.click"))
    return chosen
