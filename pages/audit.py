"""The audit log: who did what, when, whose data somebody saw, and who took away more than usual; for administrators."""

import streamlit as st

from pages._ui import cards, empty, head, log, session
from pages._ui.choices import tabs
from pages._ui.device import narrow
from pages._ui.i18n import t, tn
from pages._ui.tables import Column, first_row, listing, pager

page = head.begin("audit", scope=session.system_scope(), choices="none")
log.verification()
wanted = log.choices()

unusual = log.unusual(wanted)
if not unusual.empty:
    with st.container(border=True, key="audit_unusual"):
        title = f":orange[:material/warning:] {t('audit.unusual')}"
        head.block(title, tn("audit.unusual_days", len(unusual)), t("audit.unusual_help"))
        shown = [
            Column("day", "day"),
            Column("actor", "text", under="unusual"),
            Column("rows", "count"),
            Column("files", "count"),
            Column("most_rows", "count"),
            Column("most_files", "count"),
            Column("unusual", "text"),
        ]
        listing(unusual, shown, currency=page.currency, alt=t("audit.unusual"), key="audit_unusual_list", rows=6)

entries, seen = tabs("log", ("entries", "seen"), words="audit")
if entries.open:
    with entries, st.container(border=True):
        found = log.search(wanted, int(st.session_state.get("audit_page", 1)))
        head.block(t("audit.entries"), tn("audit.count", found.total))
        if not found.entries:
            empty.nothing(t("audit.nothing"))
        else:
            at, actor = Column("at", "instant"), Column("actor", "text", under="action")
            shown = [
                *((actor, at) if narrow() else (at, actor)),  # on a phone first who did what, which share a cell
                Column("action", "text"),
                Column("subject", "text"),
                Column("detail", "text"),
            ]
            listing(
                log.frame(found), shown, currency=page.currency, alt=t("audit.entries"), key="audit_list", rows=log.ROWS
            )
            pager(found.total, key="audit_page", size=log.ROWS)
if seen.open:
    with seen, st.container(border=True):
        people = log.seen(wanted)
        head.block(t("audit.seen"), log.whose(wanted), t("audit.seen_help"))
        if not wanted.person:
            empty.nothing(t("audit.seen_choose"))
        elif people.empty:
            empty.nothing(t("audit.seen_nobody"))
        else:
            cards.plain_row(log.seen_figures(people))
            first = first_row(len(people), key="audit_seen_page", size=log.ROWS)
            shown = [
                Column("customer_key", "text"),
                *(Column(name, "count") for name in ("opened", "revealed", "exported")),
                Column("last_at", "instant"),
            ]
            rows = people.iloc[first : first + log.ROWS].reset_index(drop=True)
            listing(rows, shown, currency=page.currency, alt=t("audit.seen"), key="audit_seen_list", rows=20)
            pager(len(people), key="audit_seen_page", size=log.ROWS)
