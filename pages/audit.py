"""The audit log: who did what, when; for administrators."""

import streamlit as st

from pages._ui import empty, head, log, session, tables
from pages._ui.i18n import t, tn
from pages._ui.tables import Column, listing

page = head.begin("audit", scope=session.system_scope(), choices="none")
log.verification()
wanted = log.choices()
found = log.search(wanted, int(st.session_state.get("audit_page", 1)))

with st.container(border=True):
    head.block(t("audit.entries"), tn("audit.count", found.total))
    if not found.entries:
        empty.nothing(t("audit.nothing"))
    else:
        shown = [
            Column("at", "instant", width=140),
            Column("actor", "text", width=150),
            Column("action", "text", words="action", width=150),
            Column("subject", "text", width=130),
            Column("detail", "text"),
        ]
        listing(
            log.frame(found), shown, currency=page.currency, alt=t("audit.entries"), key="audit_list", rows=log.ROWS
        )
        tables.pager(found.total, key="audit_page", size=log.ROWS)
