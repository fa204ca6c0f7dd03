"""Demand of a product: what it sold by week, what it will sell and where, and the events and offers that touch it."""

import streamlit as st

from models.reports import tables
from pages._ui import batch, drill, empty, export, head, load, product_demand_views, session, subjects
from pages._ui.i18n import t

store = subjects.chosen_store(session.current_scope()) if drill.asked("store") else None
if drill.asked("store") and store is None:
    head.begin("product_demand", choices="none")
    empty.refused("store")
facts = subjects.chosen_product(session.current_scope())
if facts is None:
    head.begin("product_demand", choices="none")
    empty.refused("product")
product = facts["product_id"]

page = head.begin(
    "product_demand",
    title=t("product_demand.of", product=facts["product"]),
    scope=store.scope if store else None,
    above=subjects.demand_steps(facts, store),
    choices="none" if store else "places",
)
with load.working(t("page.product_demand")):
    report = load.product_demand(page.scope, product, page.generation)
if report.last_day is None:
    batch.nothing("forecast", t("product_demand.nothing"), t("product_demand.nothing_do"), ":material/trending_up:")
batch.note("forecast")

product_demand_views.figures(report)
with st.container(border=True):
    product_demand_views.chart(report)
    product_demand_views.standing(report)
if len(report.stores) > 1:
    with st.container(border=True):
        picked = product_demand_views.stores(report)
    if picked:
        drill.open_page("product_demand", product=product, store=picked)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    product_demand_views.weeks(report)
with right.container(border=True, height="stretch"):
    product_demand_views.occasions(report)

ids = drill.link("product", product=product, store=store.store_id if store else None)
with st.container(horizontal=True, gap="small"):
    if session.may_open("product"):
        st.page_link("product.py", label=t("stock.open_product"), icon=":material/sell:", query_params=ids)
    if session.may_open("stock"):
        st.page_link("stock.py", label=t("product_demand.shelves"), icon=":material/shelves:", query_params=ids)
export.menu("product_demand", page.cover(), tables(report), report.stores)
