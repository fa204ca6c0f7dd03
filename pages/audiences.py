"""Audiences: pick customers for a campaign, leave some out to compare with, freeze both and hand the list over."""

import streamlit as st

from models.calc.audience_rules import LEAST
from models.reports import tables
from pages._ui import audience_views as views
from pages._ui import cards, empty, export, head, load
from pages._ui.i18n import t

page = head.begin("audiences", choices="places")
offered = views.channels(page)
if not offered:
    empty.state(t("audiences.nobody_agrees"), t("audiences.nobody_agrees_do"), ":material/do_not_disturb_on:")
    st.stop()

with st.container(border=True):
    asked = views.wish(page, offered)
with load.working(t("page.audiences")):
    report = load.audience(page.scope, page.period.last, asked, views.held_elsewhere(), page.generation)
cards.plain_row(views.figures(report))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.withheld(report)
with right.container(border=True, height="stretch"):
    views.by_channel(report)

with st.container(border=True):
    if len(report.reachable) < LEAST:
        head.block(t("audiences.how_many"))
        empty.nothing(t("rule.audience_size"))
    else:
        views.draw(page, asked, report)
with st.container(border=True):
    views.listing(page)
export.menu("audiences", page.cover(), tables(report))
