"""Attribution: which channels reached whom and how often, what last touch credits, and what campaigns caused."""

import streamlit as st

from models.reports import tables
from pages._ui import attribution_views as views
from pages._ui import batch, cards, empty, export, head, load
from pages._ui.i18n import t

page = head.begin("attribution", choices="places", beside=views.choose_days)
with load.working(t("page.attribution")):
    report = load.attribution(page.scope, views.days(), page.generation)
if report.campaigns.empty:
    empty.state(t("campaigns.none"), t("campaigns.none_do"), ":material/hub:")
    st.stop()
batch.note("attribution", live=True)
cards.plain_row(views.figures(report))

with st.container(border=True):
    views.credit(report)
with st.container(border=True):
    views.campaigns(report, page.currency)
with st.container(border=True):
    views.channels(report, page.currency)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.overlap(report)
with right.container(border=True, height="stretch"):
    most = views.messages(report)
with st.container(border=True):
    listed = views.people(page, report, most)
with st.container(border=True):
    views.unsubscribed(report)
export.menu("attribution", page.cover(*views.in_words()), tables(report), listed)
