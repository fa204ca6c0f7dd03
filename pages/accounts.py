"""Accounts: who may sign in, as what and where; for administrators."""

import streamlit as st

from pages._ui import cards, empty, head, people, session
from pages._ui.i18n import t
from pages._ui.tables import Column, badge, listing

page = head.begin("accounts", scope=session.system_scope(), choices="none")
actor = session.account_actor()
everyone = people.everyone()
cards.plain_row(people.figures(everyone))
people.say_what_was_done()
people.say_what_is_missing()

if actor is None:
    st.info(t("accounts.look_only"), icon=":material/visibility:")

with st.container(border=True):
    head.block(t("accounts.everyone"), t("accounts.everyone_note"))
    if everyone.empty:
        empty.nothing(t("accounts.nobody"))
        chosen = None
    else:
        shown = [
            Column("display_name", "text"),
            Column("role", "text", words="role"),
            badge("state", "account_state", people.STATES),
            Column("sign_in_name", "text"),
            Column("places", "text"),
            Column("signed_in_at", "instant"),
            Column("open_sessions", "count"),
        ]
        chosen = listing(
            everyone,
            shown,
            currency=page.currency,
            alt=t("accounts.everyone"),
            key="accounts_list",
            opens="account_id",
            rows=14,
        )

if actor is not None:
    if chosen is None:
        people.new(actor)
    else:
        people.one(chosen, actor)
