"""Campaigns: all of them side by side, by what they earned beyond what would have come anyway."""

import streamlit as st

from models.reports import tables
from pages._ui import calendar_views, campaign_views, cards, choices, drill, empty, experiments, export, head, load
from pages._ui.i18n import t
from pages._ui.tables import listing

page = head.begin("campaigns", choices="places")
with load.working(t("page.campaigns")):
    report = load.campaigns(page.scope, page.generation, campaign_views.segment())
if report.campaigns.empty and report.segment is None:
    empty.state(t("campaigns.none"), t("campaigns.none_do"), ":material/campaign:")
    st.stop()
chosen = campaign_views.choose(report.campaigns, page)
if chosen.empty:
    campaign_views.none_chosen(report)
    st.stop()
cards.plain_row(experiments.sizes(chosen, page.currency))

calendar_views.unusual(load.funnels(page.scope, page.generation), set(chosen["campaign_id"]))
with st.container(border=True):
    kind = choices.choice("list", campaign_views.LISTS, words="campaigns.lists", width=260)
    head.block(t("campaigns.all"), t("campaigns.all_note"))
    campaign_views.of_segment(report)
    if campaign := listing(
        experiments.rows(chosen, page.currency),
        campaign_views.columns(kind),
        currency=page.currency,
        alt=t("campaigns.all"),
        key="campaigns_list",
        opens="campaign_id",
        rows=16,
    ):
        drill.open_page("campaign", campaign=campaign)
    st.caption(t("campaigns.rank_note"))

with st.container(border=True):
    calendar_views.calendar(chosen, page)
if chosen["cost"].notna().any():
    with st.container(border=True):
        campaign_views.costs(experiments.rows(chosen, page.currency), page.currency)

export.menu("campaigns", page.cover(), tables(report))
