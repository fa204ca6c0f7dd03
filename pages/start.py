"""Bringing in data: files, a CRM database or the demo chain; for administrators, and the only page before the first."""

import streamlit as st

from pages._ui import session, start_views
from pages._ui.i18n import t

session.detail("start")
st.title(t("page.start"), anchor=False)
st.caption(t("start.about"))

if start_views.at_work():
    start_views.waiting()
else:
    start_views.outcome()
    match start_views.way():
        case "files":
            start_views.files()
        case "crm":
            start_views.crm()
        case "demo":
            start_views.demo()
