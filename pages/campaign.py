"""Campaign: one campaign on a card: what it caused, how sure that is, what it cost, how far people went in it."""

import streamlit as st

from models.reports import tables
from pages._ui import (
    campaign_stock_views,
    campaign_views,
    cards,
    charts,
    drill,
    empty,
    experiments,
    export,
    head,
    load,
    session,
)
from pages._ui.i18n import t
from pages._ui.tables import Column, listing

report = experiments.chosen(session.current_scope())
if report is None:
    head.begin("campaign", choices="none")
    empty.refused("campaign")
above = (drill.Step(t("page.campaigns"), "campaigns"), drill.Step(experiments.name(report)))
page = head.begin("campaign", title=experiments.name(report), above=above, choices="none")
cards.facts(experiments.facts(report))
on_shelves = load.campaign_stock(page.scope, report.campaign, page.generation)
if report.verdict.empty and len(report.stores):
    campaign_views.stores(report)
    campaign_stock_views.block(on_shelves)
    export.menu("campaign", page.cover(), {**tables(report), **tables(on_shelves)})
    st.stop()
if report.verdict.empty:
    empty.state(*experiments.nothing(report))
    campaign_stock_views.block(on_shelves)
    export.menu("campaign", page.cover(), {**tables(report), **tables(on_shelves)})
    st.stop()

whole = report.verdict.iloc[-1]
used = load.coupons(page.scope, report.campaign, page.generation)
with st.container(border=True):
    st.markdown(f"#### {experiments.verdict_line(report, whole)}")
    if (bought := experiments.buyers_line(report, whole)) is not None:
        st.markdown(bought)
    st.markdown(f"**{experiments.advice(report, whole)}**")
    if (larger := experiments.larger_line(report)) is not None:
        st.markdown(larger)
    for _, arm in (report.verdict.iloc[:-1] if experiments.is_valid(report) else report.verdict.iloc[:0]).iterrows():
        said = experiments.verdict_line(report, arm), experiments.buyers_line(report, arm)
        st.markdown(f"**{campaign_views.got(used, arm['arm'])}** {' '.join(filter(None, said))}")
    st.caption(campaign_views.basis(report))
    st.caption(experiments.finality(report))
cards.plain_row(experiments.cards(report, whole))
if report.basis != "holdout":
    with st.container(border=True):
        campaign_views.adjusted(report)

if not report.lift.empty:
    with st.container(border=True):
        head.block(t("campaign.effects"), t("campaign.effects_note"))
        charts.show(experiments.effects(report), alt=t("campaign.effects"), key="campaign_effects")
    with st.container(border=True):
        head.block(t("campaign.table"))
        shown = [
            Column("metric", "text"),
            Column("change_text", "text"),
            Column("interval", "text"),
            Column("treated", "text"),
            Column("control", "text"),
            Column("p_holm", "text"),
        ]
        listing(experiments.table(report), shown, currency=page.currency, alt=t("campaign.table"), key="campaign_table")
        for line in experiments.checks(report):
            st.caption(line)

if len(report.curve):
    with st.container(border=True):
        campaign_views.curve(report)

campaign_stock_views.block(on_shelves)

if len(used.coupons):
    with st.container(border=True):
        listed = load.campaigns(page.scope, page.generation).campaigns
        campaign_views.coupons(used, listed[listed["campaign_id"] == report.campaign].iloc[0])

steps = load.funnel(page.scope, report.campaign, page.generation)
with st.container(border=True):
    head.block(t("campaign.funnel"), t("campaign.funnel_note"))
    bars = charts.ranked_bars(
        experiments.steps(steps), label="label", value="customers", ids="step", unit="count", currency=page.currency
    )
    step = charts.clicked(bars, alt=t("campaign.funnel"), key="campaign_funnel")
    if session.may_open("funnel"):
        if step:
            drill.open_page("funnel", campaign=report.campaign, step=step)
        query = drill.link("funnel", campaign=report.campaign)
        st.page_link("funnel.py", label=t("campaign.to_funnel"), icon=":material/filter_alt:", query_params=query)

export.menu("campaign", page.cover(), {**tables(report), "steps": steps.steps, **tables(used), **tables(on_shelves)})
