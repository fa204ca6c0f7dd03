"""Category: one category of the range in the chain, a region or a store: by day, by store, and its products."""

import streamlit as st

from models.reports import tables
from pages._ui import blocks, cards, drill, empty, export, head, load, session, subjects
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, column, first_row, listing, pager

FIRST = ("net_sales", "units", "average_price", "gross_sales", "returns")
NAMES = {"product": "product.name", "category": "product.category", "store": "store.name"}

chosen = subjects.chosen_category(session.current_scope())
if chosen is None:
    head.begin("category", choices="none")
    empty.refused("category")

page = head.begin(
    "category",
    title=chosen.name,
    scope=chosen.scope,
    above=(*subjects.places_to(chosen.store), drill.Step(chosen.name)),
    choices="days" if chosen.store else "all",
)
report = load.category(page.scope, page.period, chosen.category, page.generation)
if report.period is None or report.products.empty:
    empty.no_sales()
cards.kpi_row(report.kpis, page.currency, FIRST)

stores = localized(report.by_store, NAMES)
if store := blocks.sales_by_day_and_store(
    report.by_day, stores, report.period, page.currency, compare="previous", key="category"
):
    drill.open_page("category", goods=chosen.category, store=store)

products = localized(report.products, NAMES)
with st.container(border=True):
    head.block(t("category.products"), t("category.products_note"))
    first = first_row(len(products), key="category_page")
    shown = ("product", "net_sales", "share", "change", "change_ratio", "units", "compared_with")
    product = listing(
        products.iloc[first : first + PAGE_ROWS],
        [column(name) for name in shown],
        currency=page.currency,
        alt=t("category.products"),
        key="category_products",
        opens="product_id",
    )
    pager(len(products), key="category_page")
if product:
    drill.open_page("product", product=product, store=chosen.store)

export.menu("category", page.cover((t("column.category"), chosen.name)), tables(report), products)
