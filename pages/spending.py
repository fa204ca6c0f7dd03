"""Spending power: in which part of the range customers buy, who trades up, and whom nobody looks after."""

import streamlit as st

from models.reports import tables
from pages._ui import actions, empty, export, head, load
from pages._ui import spending_views as views
from pages._ui.i18n import t

READY = ("customer_key", "ready_category", "gross_sales", "ready_band", "category", "band", "store")
UNASSIGNED = ("customer_key", "net_sales", "orders", "last_day", "has_left", "store")

page = head.begin("spending", choices="places")
with load.working(t("page.spending")):
    report = load.spending(page.scope, page.period.last, page.segment, page.generation)
if not report.bands["customers"].sum() and report.unassigned.empty:
    empty.state(t("spending.none"), t("spending.none_do"), ":material/sell:")
    st.stop()
views.figures(report)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.migration(report)
with right.container(border=True, height="stretch"):
    views.power(report, page.currency)
with st.container(border=True):
    views.by_category(report, page.currency)
with st.container(border=True):
    head.block(t("spending.ready"), t("spending.ready_note"), t("spending.ready_help"))
    views.people(report.ready, READY, "spending.ready", "spending_ready", page.generation, page.currency)
    export.menu("spending", page.cover(), tables(report), actions.in_file("spending.ready", report.ready))
with st.container(border=True):
    views.advisers(report, page.currency)
if not views.has_advisers(report):
    st.stop()
with st.container(border=True):
    head.block(t("spending.unassigned"), t("spending.unassigned_note"), t("spending.unassigned_help"))
    views.people(
        report.unassigned, UNASSIGNED, "spending.unassigned", "spending_unassigned", page.generation, page.currency
    )
    export.menu("spending_unassigned", page.cover(), {}, actions.in_file("spending.unassigned", report.unassigned))
