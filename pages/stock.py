"""Stock: what runs out and what to order, what lies too long or expires, what to move, and what empty shelves cost."""

import streamlit as st

from models.reports import tables
from pages._ui import batch, drill, empty, export, head, load, session, stock_views, subjects
from pages._ui.i18n import t

store = subjects.chosen_store(session.current_scope()) if drill.asked("store") else None
if drill.asked("store") and store is None:
    head.begin("stock", choices="none")
    empty.refused("store")

page = head.begin(
    "stock",
    scope=store.scope if store else None,
    above=(drill.Step(t("page.stock"), "stock"), drill.Step(store.name)) if store else (),
    choices="none" if store else "places",
)
batch.note("stock", live=True)
with load.working(t("page.stock")):
    report = load.stock(page.scope, page.category, page.generation)
if report.as_of is None:
    empty.state(t("stock.nothing"), t("stock.nothing_do"), ":material/inventory_2:")
    st.stop()
stock_views.figures(report, page.currency)

with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    name = stock_views.chosen_list()
    stock_views.chips()
product = drill.asked("product")
report = stock_views.with_whole(report, name, page.scope, page.category, page.generation)
if product:
    stock_views.shelf(report, load.shelf(page.scope, product, page.generation), product, page.currency)
with st.container(border=True):
    stock_views.the_list(report, name, page.currency)
stock_views.narrowing(report, name, page.currency)

free = {key: frame for key, frame in tables(report).items() if key not in report.cut}
with st.container(horizontal=True, gap="small"):
    export.menu("stock", page.cover(), free, stock_views.rows_of(report, name))
    if len(report.orders):
        sheets = stock_views.orders_by_supplier(report, page.scope, page.category, page.generation)
        export.book("stock_orders", page.cover(), t("stock.orders_by_supplier"), sheets)
