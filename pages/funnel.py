"""Funnel: how far people went in a campaign, where most are lost, who they are, and campaigns side by side."""

import streamlit as st

from models.reports import tables
from pages._ui import empty, export, head, load
from pages._ui import funnel_views as views
from pages._ui.i18n import t

page = head.begin("funnel", choices="places", beside=views.choose_campaign)
asked = views.asked()
if asked is None:
    empty.state(t("campaigns.none"), t("campaigns.none_do"), ":material/filter_alt:")
    st.stop()
with load.working(t("page.funnel")):
    report = load.funnel_detail(page.scope, *asked, page.generation)
    every = load.funnels(page.scope, page.generation)
if report is None:
    empty.refused("campaign")
views.choose_counting(report)
if report.steps.empty:
    empty.state(t("campaign.nobody"), t("campaign.nobody_do"), ":material/schedule:")
    views.compared(every, page.currency)
    st.stop()
views.rates(report)
views.alerts(every, report)

left, right = st.columns([3, 2])
with left.container(border=True, height="stretch"):
    step = views.steps(report, page.scope, page.snapshot, page.currency)
with right.container(border=True, height="stretch"):
    views.times(report)
with st.container(border=True):
    listed = views.stopped(report, step, page)
    export.menu("funnel", page.cover(*views.in_words(report)), tables(report), listed)
with st.container(border=True):
    views.gaps(report, page.currency)
with st.container(border=True):
    views.table(report, page.currency)
with st.container(border=True):
    views.compared(every, page.currency)
    export.menu("funnels", page.cover(), tables(every))
