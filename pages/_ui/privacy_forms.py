"""What an administrator does about privacy: requests to be forgotten, one customer's data, incidents, rules.

A number or address that is typed here finds the customer and is kept nowhere; afterwards only the key is shown.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any, BinaryIO

import pandas as pd
import streamlit as st

from data_access import customer_data, live
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.settings import settings
from data_access.state import erasures, incidents, retention
from data_access.state.retention import SUBJECTS
from data_access.state.rules import Rule
from data_access.state.store import opened
from models.output import to_xlsx
from pages._gate.exports import Stamp, Written
from pages._ui import export, freshness, head, privacy, session
from pages._ui.i18n import t
from pages._ui.literal import literal

_SAID, _TAKEN = "privacy_said", "privacy_taken"
_LAST = 4  # characters of a key that confirm an erasure


def say_what_was_done() -> None:
    """Once, after the run that did it."""
    said = st.session_state.pop(_SAID, None)
    if said:
        st.success(said, icon=":material/check:")


def ask_erasure() -> None:
    """The form for a request to be forgotten."""
    with st.expander(t("privacy.ask"), icon=":material/person_remove:", key="privacy_ask_open"):
        with st.form("privacy_ask", clear_on_submit=True, border=False):
            left, right = st.columns(2)
            wanted = left.text_input(t("privacy.who"), help=t("privacy.who_help"), autocomplete="off")
            today = freshness.local(utc_now()).date()
            asked_on = right.date_input(t("privacy.asked_on"), today, max_value=today, format="YYYY-MM-DD")
            sent = st.form_submit_button(t("privacy.ask_do"), type="primary")
        if sent:

            def ask() -> str:
                customer_id, key = _one_customer(wanted)
                asked_at = min(_utc(datetime.combine(asked_on, time.min)), utc_now())
                erasures.ask(opened(), _actor(), customer_id, key, asked_at, utc_now())
                return t("privacy.asked", who=key)

            _do(ask)


def one_request(request_id: str) -> None:
    """What can be done about an open request."""
    request = next((one for one in erasures.everything(opened()) if one.request_id == request_id), None)
    if request is None or not request.is_open:
        return
    with st.container(border=True):
        head.block(t("privacy.request_of", who=request.customer_key), t("privacy.request_note"))
        with st.container(horizontal=True, gap="small"):
            with st.popover(t("privacy.erase"), icon=":material/delete_forever:", key="privacy_erase_ask"):
                st.markdown(t("privacy.erase_ask", last=_LAST))
                typed = st.text_input(t("privacy.erase_confirm"), key="privacy_erase_typed", autocomplete="off")
                if st.button(t("privacy.erase_yes"), type="primary", key="privacy_erase"):
                    _do(lambda: _erase(request, typed))
            with st.popover(t("privacy.decline"), key="privacy_decline_ask"):
                reason = st.selectbox(
                    t("column.reason"),
                    erasures.REASONS,
                    format_func=lambda one: t(f"decline.{one}"),
                    key="privacy_decline_reason",
                )
                if st.button(t("privacy.decline_yes"), type="primary", key="privacy_decline"):
                    _do(lambda: _decline(request, reason))


def _erase(request: erasures.Request, typed: str) -> str:
    if typed.strip().lower() != request.customer_key[-_LAST:]:
        raise Rule("erasure_confirm", f"type the last {_LAST} characters of the key")
    crm = crm_engine(settings().crm)
    try:
        at_once = erasures.carry_out(opened(), crm, _actor(), request.request_id, utc_now())
    finally:
        crm.dispose()
    return t("privacy.erased" if at_once else "privacy.erased_but_batch", who=request.customer_key)


def _decline(request: erasures.Request, reason: str) -> str:
    erasures.decline(opened(), _actor(), request.request_id, reason, utc_now())
    return t("privacy.declined", who=request.customer_key)


def one_customers_data(cover: export.Cover) -> None:
    """The form for what the CRM holds on one customer, and the file when somebody was found."""
    with st.expander(t("privacy.take"), icon=":material/folder_shared:", key="privacy_take_open"):
        st.caption(t("privacy.take_note"))
        with st.form("privacy_take", clear_on_submit=True, border=False):
            left, right = st.columns(2)
            wanted = left.text_input(t("privacy.who"), help=t("privacy.who_help"), autocomplete="off")
            reason = right.text_input(t("privacy.why"), max_chars=200, autocomplete="off")
            sent = st.form_submit_button(t("privacy.take_do"), type="primary")
        if sent:
            st.session_state.pop(_TAKEN, None)

            def take() -> None:
                customer_id, key = _one_customer(wanted)
                customer_data.expect_reason(reason)
                st.session_state[_TAKEN] = (customer_id, key, reason)

            _try(take)
        if _TAKEN in st.session_state:
            customer_id, key, why = st.session_state[_TAKEN]
            st.markdown(t("privacy.take_ready", who=key))
            file = export.File(t("privacy.take_file"), "customer", "xlsx", _writer(customer_id, key, why))
            export.buttons("customer_data", cover, [file])


def _writer(customer_id: str, key: str, reason: str) -> Callable[[BinaryIO, Stamp], Written]:
    actor = _actor()

    def write(file: BinaryIO, stamp: Stamp) -> Written:
        # In the log before anything is read; the file itself is noted when it is written.
        customer_data.note_taken(opened(), actor, key, reason, utc_now())
        with live.looking(Scope("chain")) as connection:
            rows = customer_data.everything(connection, customer_id) | customer_data.ours(opened(), key)
        frames = {name: pd.DataFrame(found) for name, found in rows.items()}
        file.write(to_xlsx({"customer": key, "reason": reason, "file": stamp.file_id, "at": stamp.at}, frames))
        columns = dict.fromkeys(str(column) for frame in frames.values() for column in frame)
        return Written(sum(map(len, frames.values())), tuple(columns))

    return write


def new_incident() -> None:
    """The form for an incident."""
    with st.expander(t("privacy.record"), icon=":material/add_alert:", key="privacy_record_open"):
        with st.form("privacy_record", clear_on_submit=True, border=False):
            left, middle, right = st.columns(3)
            kind = left.selectbox(t("column.kind"), incidents.KINDS, format_func=lambda one: t(f"incident_kind.{one}"))
            now = freshness.local(utc_now()).replace(second=0, microsecond=0)
            detected = middle.datetime_input(t("column.detected_at"), now, format="YYYY-MM-DD")
            records = right.number_input(t("column.records_affected"), min_value=0, value=None, step=1)
            summary = st.text_area(t("privacy.what_happened"), help=t("privacy.what_happened_help"), max_chars=2000)
            sent = st.form_submit_button(t("privacy.record_do"), type="primary")
        if sent:

            def record() -> str:
                at, count = _utc(detected), None if records is None else int(records)
                incidents.record(opened(), _actor(), kind, summary, at, count, utc_now())
                return t("privacy.recorded")

            _do(record)


def one_incident(incident_id: str) -> None:
    """One incident, and the steps that are still to come."""
    known = next((one for one in incidents.everything(opened()) if one.incident_id == incident_id), None)
    if known is None:
        return
    with st.container(border=True):
        head.block(t(f"incident_kind.{known.kind}"), freshness.instant(known.detected_at))
        st.markdown(privacy.in_words(known, utc_now()))
        if not known.is_open:
            return
        with st.container(horizontal=True, gap="small"):
            for step in incidents.STEPS:
                if known.steps[step] is None:
                    _step(incident_id, step)


def _step(incident_id: str, step: incidents.Step) -> None:
    with st.popover(t(f"incident_step.{step}"), key=f"privacy_{step}_ask"):
        st.markdown(t(f"incident_step.{step}.ask"))
        now = freshness.local(utc_now()).replace(second=0, microsecond=0)
        at = st.datetime_input(t("privacy.when"), now, format="YYYY-MM-DD", key=f"privacy_{step}_at")
        if st.button(t("privacy.note"), type="primary", key=f"privacy_{step}"):

            def note() -> str:
                incidents.note(opened(), _actor(), incident_id, step, _utc(at), utc_now())
                return t("privacy.noted")

            _do(note)


def rules() -> None:
    """The form for how long what is kept."""
    with st.expander(t("privacy.rules"), icon=":material/timer:", key="privacy_rules_open"):
        months = retention.months(opened())
        with st.form("privacy_rules", border=False):
            wanted: dict[Any, int] = {}
            for column, subject in zip(st.columns(len(SUBJECTS)), SUBJECTS, strict=True):
                wanted[subject] = int(
                    column.number_input(
                        t("privacy.months_of", what=t(f"retention.{subject}")),
                        min_value=6,
                        max_value=120,
                        value=months[subject],
                        step=1,
                    )
                )
            sent = st.form_submit_button(t("privacy.rules_do"), type="primary")
        if sent:

            def change() -> str:
                retention.change(opened(), _actor(), wanted, utc_now())
                return t("privacy.rules_done")

            _do(change)


def _one_customer(wanted: str) -> tuple[str, str]:
    """The CRM's id and the key of the one customer whom a text names. Rule when it is nobody, or several."""
    with live.looking(Scope("chain")) as connection:
        found = customer_data.find(connection, wanted)
    if len(found) != 1:
        raise Rule("several_customers" if found else "no_such_customer", "an id, number or address must name one")
    return found[0], customer_data.pseudonym(settings().home, found[0])


def _actor() -> str:
    return session.current_person().actor


def _utc(at: datetime | date) -> datetime:
    """An instant on the reader's clock as naive UTC."""
    moment = at if isinstance(at, datetime) else datetime.combine(at, time.min)
    return moment.replace(tzinfo=freshness.zone()).astimezone(UTC).replace(tzinfo=None)


def _do(work: Callable[[], str]) -> None:
    """Does what was asked and draws the page again with what ``work`` says."""
    said: list[str] = []
    if _try(lambda: said.append(work())):
        st.session_state[_SAID] = said[0]
        st.rerun()


def _try(work: Callable[[], object]) -> bool:
    """Does what was asked; what stands against it is said where the button is."""
    try:
        work()
    except Rule as rule:
        st.error(t(f"rule.{rule.key}"), icon=":material/error:")
        return False
    except Problem as problem:
        st.error(literal(str(problem)), icon=":material/error:")
        return False
    return True
