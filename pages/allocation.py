"""Allocation: which kind of campaign earned most per unit of cost, what moving money would change, what was decided."""

import streamlit as st

from models.reports import tables
from pages._ui import allocation_views as views
from pages._ui import cards, empty, export, head, load
from pages._ui.i18n import t

page = head.begin("allocation", choices="places")
with load.working(t("page.allocation")):
    report = load.allocation(page.scope, page.generation)
if report.kinds.empty:
    empty.state(t("allocation.none"), t("allocation.none_do"), ":material/balance:")
    st.stop()
cards.plain_row(views.figures(report, page.currency))

with st.container(border=True):
    views.kinds(report, page.currency)
with st.container(border=True):
    views.scenario(report, page.currency)
with st.container(border=True):
    views.buyers(report, page.currency)
with st.container(border=True):
    views.compared(report, page.currency)
with st.container(border=True):
    views.log(report)
export.menu("allocation", page.cover(), tables(report))
