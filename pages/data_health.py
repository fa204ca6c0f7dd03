"""Data health: how fresh the data are, what is missing and what that takes away, and whether the money arrived."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, empty, export, head, load, profile_views, session, status
from pages._ui.i18n import t

page = head.begin("data_health", scope=session.system_scope(), choices="none")
administrator = page.detail == "full"
report = load.health(page.scope, page.generation)
status.trouble(administrator=administrator)
cards.plain_row(status.figures(report, page.snapshot))
st.caption(status.refresh_in_words(report, page.snapshot.info))

states = status.named_states(report.table_status)
with st.container(border=True):
    head.block(t("data_health.breaches"), t("data_health.breaches_note"))
    lines = status.breaches(states)
    if lines:
        st.markdown("\n".join(f"- {line}" for line in lines))
        st.caption(t("empty.needs_do"))
    else:
        empty.nothing(t("data_health.no_breach"))

profile_views.blocks(page)

status.money(page, report, administrator=administrator)
status.loads(report, page.currency)
status.refreshes(load.refreshes(page.scope), page.currency)
status.sources(report, page.currency)
status.table_states(page, states)

export.menu("data_health", page.cover(), tables(report), states)
