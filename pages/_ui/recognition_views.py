"""What a person was thanked for: by the CRM and by whoever leads them here; the form that notes it."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.state import recognitions as state
from data_access.state.recognitions import Recognition
from data_access.state.store import opened
from pages._ui import empty, freshness, head, load, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, say_again, tell, writer
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, listing

_LEADERS = ("manager", "regional")


def told(praise: pd.DataFrame) -> pd.DataFrame:
    """Praise of the CRM in the language of the run, as far as it is translated."""
    return localized(praise, {"reason": "recognition.reason"})


def listed(praise: pd.DataFrame, noted: Sequence[Recognition], currency: str) -> None:
    """Both sources in one list, the latest first."""
    head.block(t("people.praise"), t("people.praise_note"))
    here = pd.DataFrame([(pd.Timestamp(one.given_on), one.reason) for one in noted], columns=["given_on", "reason"])
    parts = [frame.assign(noted_in=t(f"noted_in.{name}")) for name, frame in (("here", here), ("crm", told(praise)))]
    rows = pd.concat([part for part in parts if len(part)]) if len(here) + len(praise) else here
    if rows.empty:
        empty.nothing(t("people.no_praise"))
        return
    shown = [Column("given_on", "day"), Column("reason", "text"), Column("noted_in", "text")]
    rows = rows.sort_values("given_on", ascending=False, kind="stable")
    listing(rows, shown, currency=currency, alt=t("people.praise"), key="praise", rows=6)


def form(staff_id: str, noted: Sequence[Recognition]) -> None:
    """Notes a recognition, or takes one back; for whoever leads the person."""
    tell()
    with st.expander(t("people.thank"), icon=":material/favorite:"):
        today = freshness.local(utc_now()).date()
        with st.form("recognition", border=False, clear_on_submit=True):
            with st.container(horizontal=True, vertical_alignment="bottom"):
                day = st.date_input(
                    t("column.given_on"), today, min_value=today - state.BACK, max_value=today, format="YYYY-MM-DD",
                    width=150,
                )  # fmt: skip
                reason = st.text_input(t("column.reason"), max_chars=state.LONGEST, placeholder=t("people.thank_for"))
            sent = st.form_submit_button(t("people.thank_do"), type="primary")
        if sent:
            scope, actor = _leader()
            attempt(
                lambda: state.give(opened(), load.snapshot(), scope, actor, staff_id, day, reason, utc_now()),
                lambda _: say_again(t("people.thanked")),
            )
        if noted:
            _take_back(noted)


def _take_back(noted: Sequence[Recognition]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            t("people.noted_here"), noted, format_func=lambda one: f"{fmt.day(one.given_on)} · {one.reason}", width=320
        )
        wanted = st.button(t("people.take_back"), key="recognition_take_back")
    if wanted and chosen is not None:
        scope, actor = _leader()
        attempt(
            lambda: state.take_back(opened(), scope, actor, chosen.number, utc_now()),
            lambda _: say_again(t("people.taken_back")),
        )


def _leader() -> tuple[session.Scope, str]:
    """Rights of this moment; whoever leads nobody has no rows."""
    scope, actor = writer()
    return (scope if session.current_person().role in _LEADERS else scope.narrow(())), actor
