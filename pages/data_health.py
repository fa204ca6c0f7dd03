"""Data health: which data the pages stand on, what is missing, and whether the money arrived in full."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, empty, export, head, load, session, status
from pages._ui.i18n import t
from pages._ui.tables import column, listing

page = head.begin("data_health", scope=session.system_scope(), choices="none")
report = load.health(page.scope, page.generation)
cards.plain_row(status.figures(report, page.snapshot))

if not report.reconciliation.empty:
    with st.container(border=True):
        head.block(t("data_health.money"), t("data_health.money_note"))
        shown = [column(name) for name in ("figure", "crm", "snapshot", "difference")]
        rows = status.named_figures(report.reconciliation)
        listing(rows, shown, currency=page.currency, alt=t("data_health.money"), key="health_money")
        st.caption(status.money_verdict(report.reconciliation, page.currency))

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
    states = status.named_states(report.table_status)
    if states.empty:
        empty.nothing(t("data_health.no_tables"))
    else:
        shown = [column(name) for name in ("table_name", "state", "disables", "rows", "newest", "missing_columns")]
        listing(states, shown, currency=page.currency, alt=t("data_health.tables"), key="health_tables", rows=16)

export.menu("data_health", page.cover(), tables(report), states)
