"""Digests: the figures of a page as a message, each day or week, by the channels an administrator allows."""

import streamlit as st

from pages._ui import digest_views as views
from pages._ui import head, session
from pages._ui.attempt import tell
from pages._ui.i18n import t

page = head.begin("digests", scope=session.system_scope(), choices="none")
tell()
who, found = views.own_account(), views.ways()

if session.current_person().role == "administrator":
    with st.container(border=True):
        views.everybodys(page.currency)
    if found is not None:
        with st.container(border=True):
            views.allowed_ways(found, page.currency)
elif who is None:
    st.info(t("digests.no_account"), icon=":material/info:")
else:
    allowed = found.of(who.sign_in_name) if found is not None else ()
    with st.container(border=True):
        views.own(who, page.currency)
    if allowed and found is not None:
        with st.container(border=True):
            views.new(who, allowed, found.link, page.currency)
    elif found is not None:
        st.info(t("digests.no_channel"), icon=":material/info:")
