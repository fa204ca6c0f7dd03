"""Programme scorecard: satisfaction, recommendation, retention, sales over time; what the platform costs and brings."""

import streamlit as st

from data_access.state import costs as state
from data_access.state.store import opened
from models.reports import tables
from pages._ui import empty, export, head, load, scorecard_views, session
from pages._ui.i18n import t

administrator = session.current_person().role == "administrator"
whole = session.system_scope() if administrator else None
page = head.begin("scorecard", scope=whole, choices="none" if administrator else "places")
costs = state.current(opened(), page.scope)
if administrator:
    scorecard_views.keep(costs, page.snapshot.info.currency)
    st.stop()
with load.working(t("page.scorecard")):
    report = load.scorecard(page.scope, page.period.last, costs, page.generation)
if report.months.empty:
    empty.no_sales()
scorecard_views.figures(report)
scorecard_views.measures(report)
with st.container(border=True):
    scorecard_views.places(report)
if report.of_chain:
    with st.container(border=True):
        scorecard_views.balance(report)
with st.container(border=True):
    head.block(t("scorecard.months"), t("scorecard.months_note"), t("scorecard.help"))
    scorecard_views.listed(report)
export.menu("scorecard", page.cover(), tables(report), report.months)
