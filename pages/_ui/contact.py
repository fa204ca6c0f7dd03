"""Contact data on the page of a customer: masked, and one field in full for half a minute, for who may and says why."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from data_access import contact
from data_access.contact import FIELDS, OTHER, REASONS, Masked, Revealed, Wish
from data_access.errors import Problem
from data_access.freshness import utc_now
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.rules import Rule
from data_access.state.sessions import Session
from data_access.state.store import opened
from pages._gate import identity
from pages._ui import format as fmt
from pages._ui import head, session
from pages._ui.i18n import t
from pages._ui.literal import literal

ROLES = ("manager", "regional")


def seen(customer_key: str) -> None:
    """Notes in the audit log that the signed-in person has opened this customer."""
    contact.seen(opened(), session.current_person().actor, customer_key, utc_now())


def block(scope: Scope, snapshot: Snapshot, customer_key: str) -> None:
    """The masked contact data with a way to reveal; only for roles that talk to customers."""
    head.block(t("contact.title"), t("contact.masked"), t("contact.masked_help"))
    try:
        found = contact.masked(scope, snapshot, session.current_person().role, customer_key)
    except Problem:
        st.markdown(f":orange[:material/cloud_off: {t('contact.unavailable')}]")
        return
    if found is None:
        st.markdown(f":gray[{t('contact.gone')}]")
        return
    _rows(found)
    _reveal(found, partial(_revealed, scope, snapshot, customer_key))


def _rows(found: Masked) -> None:
    plain = {"name": found.name, "phone": found.phone, "email": found.email}
    values = {**plain, "birthday": _birthday(found.birthday)}
    with st.container(horizontal=True, gap="medium"):
        for field, value in values.items():
            shown = literal(value) if value else f":gray[{t('contact.none')}]"
            st.markdown(f":small[:gray[{t(f'contact.{field}')}]]  \n{shown}", width="content")


def _birthday(value: str | None) -> str | None:
    """'05-06' as a day of any year, '05' as a month."""
    if value is None:
        return None
    month, _, day = value.partition("-")
    return fmt.day_short(f"2024-{month}-{day}") if day else fmt.month_short(f"2024-{month}-01")


def _reveal(found: Masked, ask: Callable[[Wish], Revealed]) -> None:
    signed_in = _sign_in()
    if signed_in is None or signed_in.account is None or not signed_in.account.may_reveal:
        st.caption(f":material/lock: {t('contact.not_allowed')}")
        return
    if not found.adult:
        st.caption(f":material/child_care: {t('rule.reveal_age')}")
        return
    wish = None
    with st.popover(t("contact.reveal"), icon=":material/visibility:", key="contact_ask"):
        field = st.segmented_control(
            t("contact.field"),
            FIELDS,
            default="phone",
            format_func=lambda one: t(f"contact.{one}"),
            key="contact_field",
        )
        reason = st.selectbox(
            t("contact.reason"),
            REASONS,
            index=None,
            format_func=lambda one: t(f"contact.reason.{one}"),
            placeholder=t("contact.choose_reason"),
            key="contact_reason",
        )
        note = st.text_input(
            t("contact.note_needed" if reason == OTHER else "contact.note"), max_chars=200, key="contact_note"
        )
        st.caption(t("contact.logged", most=contact.MOST))
        if st.button(t("contact.reveal_now"), type="primary", key="contact_reveal"):
            wish = Wish(field or "", reason or "", note)
    if wish is not None:
        try:
            revealed = ask(wish)
        except Rule as rule:
            st.error(t(f"rule.{rule.key}"), icon=":material/error:")
        except Problem:
            st.error(t("contact.unavailable"), icon=":material/cloud_off:")
        else:
            _show(revealed)


def _revealed(scope: Scope, snapshot: Snapshot, customer_key: str, wish: Wish) -> Revealed:
    signed_in = _sign_in()
    if signed_in is None:
        raise Rule("reveal_permission", "nobody is signed in")
    return contact.reveal(scope, snapshot, opened(), signed_in, customer_key, wish, utc_now())


def _sign_in() -> Session | None:
    """The sign-in behind this run, with the rights of this moment; None for one-click entry, which has no account."""
    if not session.current_person().name:
        return None
    return identity.look(identity.token(st.context.cookies))


def _show(revealed: Revealed) -> None:
    """The value with the seconds left; after the last one the page is drawn again, without it. It is kept nowhere."""

    @st.fragment(run_every=1)
    def counted_down() -> None:
        left = (revealed.until - utc_now()).total_seconds()
        if left <= 0:
            st.rerun()
        with st.container(border=True, key="contact_revealed"):
            label = t(f"contact.{revealed.field}")
            value = literal(revealed.value) if revealed.value else t("contact.none")
            st.markdown(f":small[:gray[{label}]]  \n**{value}**")
            st.caption(t("contact.seconds", seconds=round(left)))

    counted_down()
