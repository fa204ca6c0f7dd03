"""Product: what one product is, what it sold, where, and the latest receipts that hold it."""

import streamlit as st

from models.reports import tables
from pages._ui import (
    batch,
    blocks,
    cards,
    drill,
    empty,
    export,
    head,
    load,
    person,
    product_demand_views,
    session,
    subjects,
)
from pages._ui.i18n import localized, t
from pages._ui.tables import Column, column, listing

FIRST = ("net_sales", "units", "buyers", "orders", "average_price", "return_rate")
NAMES = {"product": "product.name", "category": "product.category", "brand": "product.brand", "store": "store.name"}
ALSO = (
    Column("product", "text"),
    Column("both", "count"),
    Column("share", "percent"),
    Column("times", "decimal"),
    Column("buyers", "count"),
)

facts = subjects.chosen_product(session.current_scope())
if facts is None:
    head.begin("product", choices="none")
    empty.refused("product")
store_id = drill.asked("store")
above = (
    *subjects.places_to(store_id),
    *subjects.category_step(facts["category_id"], store_id),
    drill.Step(facts["product"]),
)

page = head.begin("product", title=facts["product"], above=above)
report = load.product(page.scope, page.period, facts["product_id"], page.generation)

cards.facts(subjects.product_facts(facts, page.currency))
if session.may_open("lot"):
    ids = drill.link("lot", product=facts["product_id"])
    st.page_link("lot.py", label=t("lot.open"), icon=":material/qr_code_2:", query_params=ids)
if report.period is None:
    empty.no_sales()
cards.kpi_row(report.kpis, page.currency, FIRST)

stores = localized(report.by_store, NAMES)
if store := blocks.sales_by_day_and_store(
    report.by_day, stores, report.period, page.currency, compare="previous", key="product"
):
    drill.open_page("store", store=store)

ahead = load.product_demand(page.scope, facts["product_id"], page.generation)
if ahead.last_day is not None:
    with st.container(border=True):
        product_demand_views.chart(ahead)
        ids = drill.link("product_demand", product=facts["product_id"], store=store_id)
        label = t("product_demand.open")
        st.page_link("product_demand.py", label=label, icon=":material/trending_up:", query_params=ids)

with st.container(border=True):
    head.block(t("product.also"), t("product.also_note"), t("product.also_help"))
    batch.note("affinity")
    also = localized(report.also_bought, NAMES)
    if also.empty and load.batch_job("affinity", page.generation) is not None:
        empty.nothing(t("product.also_nothing"))
    if len(also):
        other = listing(also, ALSO, currency=page.currency, alt=t("product.also"), key="product_also", opens="also_id")
        if other:
            drill.open_page("product", product=other, store=store_id)

orders = localized(report.recent_orders, NAMES) if session.may_open("order") else None
if orders is not None:
    with st.container(border=True):
        head.block(t("product.orders"), t("customer.open_order_or_customer"))
        shown = [column(name) for name in ("ordered_at", "gross_sales", "units", "store", "customer_key", "order_id")]
        if orders.empty:
            empty.nothing(t("product.no_orders"))
        elif order := listing(
            orders,
            shown,
            currency=page.currency,
            alt=t("product.orders"),
            key="product_orders",
            opens="order_id",
            rows=10,
        ):
            about = {"product": facts["product_id"], "store": store_id}
            person.open_from(orders, order, key="product_orders", **about)

ahead_tables = {"weeks": ahead.weeks}
shown_tables = ahead_tables | {
    name: frame for name, frame in tables(report).items() if name != "recent_orders" or orders is not None
}
export.menu("product", page.cover(), shown_tables, orders)
