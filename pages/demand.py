"""Demand: what will sell in the next eight weeks, why, and how such forecasts did before."""

import streamlit as st

from models.reports import tables
from models.reports.demand import JOB
from pages._ui import (
    batch,
    demand_views,
    drill,
    empty,
    event_views,
    export,
    festival_views,
    head,
    load,
    override_views,
    params,
    session,
    subjects,
)
from pages._ui.i18n import t

store = subjects.chosen_store(session.current_scope()) if drill.asked("store") else None
if drill.asked("store") and store is None:
    head.begin("demand", choices="none")
    empty.refused("store")

page = head.begin(
    "demand",
    scope=store.scope if store else None,
    above=(drill.Step(t("page.demand"), "demand"), drill.Step(store.name)) if store else (),
    choices="none" if store else "places",
)
category = page.category
with load.working(t("page.demand")):
    report = load.demand(page.scope, category, page.generation)
if report.last_day is None:
    batch.nothing(JOB, t("demand.nothing"), t("demand.nothing_do"), ":material/trending_up:")
if category and category not in set(report.categories["category"]):
    empty.refused("category")
batch.note(JOB)

demand_views.figures(report)
with st.container(border=True):
    demand_views.chart(report)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    demand_views.reasons(report)
with right.container(border=True, height="stretch"):
    demand_views.occasions(report)

if not category:
    places = st.columns(2 if len(report.stores) > 1 else 1)
    with places[0].container(border=True, height="stretch"):
        demand_views.parts(report.categories, "categories", then=drill.keep_category)
    if len(places) > 1:
        with places[1].container(border=True, height="stretch"):
            if picked := demand_views.parts(report.stores, "stores"):
                drill.open_page("demand", store=picked)

coming = load.festivals(page.scope, page.generation)
if not category:
    with st.container(border=True):
        picked = festival_views.block(coming)
    if picked is not None:
        params.put_next(category=picked)
        where = store.store_id if store else None
        if session.may_open("stock"):
            drill.open_page("stock", list="orders", store=where)
        drill.open_page("demand", store=where)

with st.container(border=True):
    product = demand_views.products(report)
if product:
    drill.open_page("product_demand", product=product, store=store.store_id if store else None)

with st.container(border=True):
    override_views.block(report, page.scope)
if not category:
    with st.container(border=True):
        event_views.block(page.scope, report.last_day)
with st.container(border=True):
    demand_views.league(report)
export.menu("demand", page.cover(), tables(report) | tables(coming))
