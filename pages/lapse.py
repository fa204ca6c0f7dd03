"""Lapse: which share of the customers stops coming, who is about to, and how far such judgements held."""

import streamlit as st

from models.reports import tables
from pages._ui import actions, batch, empty, export, head, load
from pages._ui import lapse_views as views
from pages._ui.i18n import t

AT_RISK = ("customer_key", "value_at_risk", "state", "days_since", "usual_gap", "probability_gone", "store")
LAPSED = ("customer_key", "net_sales", "reason", "event_day", "days_since", "visits", "store")

page = head.begin("lapse", choices="places")
with load.working(t("page.lapse")):
    report = load.lapse(page.scope, page.period.last, page.generation)
if not report.states["customers"].sum():
    empty.no_sales()
batch.note("lapse", live=True)
views.figures(report)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.rate(report)
with right.container(border=True, height="stretch"):
    views.rule(report, page.currency)
if len(report.rate_by_place):
    with st.container(border=True):
        views.places(report, page.currency)
with st.container(border=True):
    views.at_risk(report, AT_RISK, page.generation, page.currency)
    export.menu("lapse", page.cover(), tables(report), actions.in_file("lapse", report.at_risk))
with st.container(border=True), load.working(t("lapse.why")):
    why = load.reasons(page.scope, page.period.last, page.generation)
    views.why(why, page.currency)
    if len(why.lapsed):
        views.lapsed(why, LAPSED, page.generation, page.currency)
        export.menu("lapse_why", page.cover(), tables(why), actions.in_file("lapse.why", why.lapsed))
with st.container(border=True):
    views.check(report, page.currency)
