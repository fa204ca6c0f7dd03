"""Data health: how fresh the data are, what is missing and what that takes away, and whether the money arrived."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, empty, export, head, load, profile_views, session, status
from pages._ui.i18n import t
from pages._ui.tables import badge, column, listing

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

if not report.reconciliation.empty:
    with st.container(border=True):
        head.block(t("data_health.money"), t("data_health.money_note"))
        shown = [column(name) for name in ("figure", "difference", "crm", "snapshot", "amount_quarantined")]
        rows = status.named_figures(report.reconciliation)
        listing(rows, shown, currency=page.currency, alt=t("data_health.money"), key="health_money")
        st.caption(status.money_verdict(report.reconciliation, page.currency))

    with st.container(border=True):
        head.block(t("data_health.quarantine"), t("data_health.quarantine_note"))
        if report.quarantined.empty:
            empty.nothing(t("data_health.nothing_refused"))
        else:
            shown = [column(name) for name in ("table", "rows", "why", "amount", "table_name")]
            refused = status.named_refusals(report.quarantined)
            listing(
                refused, shown, currency=page.currency, alt=t("data_health.quarantine"), key="health_refused", rows=8
            )
            st.caption(status.refused_verdict(report.quarantined, page.currency))
            if administrator:
                status.refused_rows_menu(page.cover(), page.scope, page.generation, report.quarantined)

if not report.loads.empty:
    with st.container(border=True):
        head.block(t("data_health.loads"), t("data_health.loads_note"))
        shown = [
            column("table"),
            column("rows_read"),
            column("lag"),
            column("seconds"),
            column("rows_per_second"),
            column("mode", words="load_mode"),
            column("rows_changed"),
            column("rows_deleted"),
        ]
        listing(
            status.named_loads(report.loads),
            shown,
            currency=page.currency,
            alt=t("data_health.loads"),
            key="health_loads",
            rows=14,
        )

refreshes = load.refreshes(page.scope)
if not refreshes.empty:
    with st.container(border=True):
        head.block(t("data_health.refreshes"), t("data_health.refreshes_note"))
        shown = [
            column("started"),
            column("outcome", words="refresh_outcome"),
            column("seconds"),
            column("rows_read"),
            column("rows_changed"),
            column("generation"),
            column("failure"),
        ]
        listing(
            refreshes, shown, currency=page.currency, alt=t("data_health.refreshes"), key="health_refreshes", rows=8
        )

if not report.sources.empty:
    with st.container(border=True):
        head.block(t("data_health.sources"))
        shown = [
            column("name"),
            column("amount_loaded"),
            column("amount_quarantined"),
            column("amount_read"),
            column("rows_loaded"),
            column("rows_quarantined"),
            column("loaded_at"),
            column("kind", words="source_kind"),
        ]
        listing(
            report.sources, shown, currency=page.currency, alt=t("data_health.sources"), key="health_sources", rows=8
        )
        st.caption(t("data_health.sources_note"))

with st.container(border=True):
    head.block(t("data_health.tables"), t("data_health.tables_note"))
    if states.empty:
        empty.nothing(t("data_health.no_tables"))
    else:
        state = badge("state", "table_state", status.STATES)
        more = ("rows", "newest", "table_name") if page.scope.kind == "chain" else ("table_name",)
        shown = [column("table"), state, *(column(name) for name in more)]
        listing(states, shown, currency=page.currency, alt=t("data_health.tables"), key="health_tables", rows=16)

export.menu("data_health", page.cover(), tables(report), states)
