"""Store: one store, one level down from the overview: its figures, its week, its products, people and latest orders."""

import streamlit as st

from models.reports import tables
from pages._ui import (
    alert_views,
    blocks,
    cards,
    charts,
    compared,
    drill,
    empty,
    export,
    grids,
    head,
    load,
    person,
    session,
    staff_lists,
    stores_views,
    subjects,
    target_views,
)
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

FIRST = ("net_sales", "orders", "traffic", "conversion", "average_ticket", "units_per_transaction")
MORE = ("gross_sales", "returns", "return_rate", "buyers", "new_customers", "identified_share")
NAMES = {"store": "store.name", "city": "store.city", "product": "product.name", "category": "product.category"}

store = subjects.chosen_store(session.current_scope())
if store is None:
    head.begin("store", choices="none", beside=subjects.store_choice)
    empty.refused("store")

page = head.begin(
    "store", scope=store.scope, title=store.name, above=store.above, choices="days", beside=subjects.store_choice
)
report = load.store(page.scope, page.period, store.store_id, page.generation)
facts = localized(report.header, NAMES).iloc[0]
if subjects.opens_after(facts, page.period.last):
    empty.not_open_yet(store.name, fmt.day(facts["opened_on"]))
if report.period is None:
    empty.no_sales()

cards.kpi_row(report.kpis, page.currency, FIRST)
with st.expander(t("cards.more")):
    cards.kpi_row(report.kpis, page.currency, MORE)
    cards.facts(subjects.store_facts(facts))
why = {**drill.link("why"), "stores": store.store_id}
st.page_link("why.py", label=t("why.open"), icon=":material/compare_arrows:", query_params=why)

if session.may_open("targets"):
    target_views.block(page)
alert_views.block(load.alerts(page.scope, page.generation), key="store_alerts")

with st.container(border=True):
    blocks.sales_by_day(report.by_day, report.period, page.currency, key="store_days", campaigns=report.campaigns)

if not report.hours.empty:
    with st.container(border=True):
        head.block(t("store.hours"), t("store.hours_note"))
        charts.show(grids.hours(report.hours), alt=t("store.hours"), key="store_hours")

if category := blocks.categories(report.by_category, page.currency, compare=compared.column(), key="store_categories"):
    drill.open_page("category", goods=category, store=store.store_id)

if product := blocks.moved_products(localized(report.products, NAMES), page.currency):
    drill.open_page("product", product=product, store=store.store_id)

people, colleague = staff_lists.of_store(page) if session.may_open("staff") else (None, None)
if colleague:
    drill.open_page("staff_member", staff=colleague)

if not report.benchmark.empty:
    with st.container(border=True):
        head.block(t("stores.benchmark"), t("stores.benchmark_note"), t("stores.benchmark_help"))
        beside = stores_views.benchmark_rows(report.benchmark, page.currency)
        shown = stores_views.benchmark_columns()
        listing(beside, shown, currency=page.currency, alt=t("stores.benchmark"), key="store_benchmark")
        named = load.store_peers(session.current_scope(), store.store_id, page.generation)
        st.caption(stores_views.peers_in_words(named, report.benchmark))

orders = report.recent_orders if session.may_open("order") else None
if orders is not None:
    with st.container(border=True):
        head.block(t("store.orders"), t("customer.open_order_or_customer"))
        shown = [column(name) for name in ("ordered_at", "net_sales", "units", "customer_key", "order_id")]
        if order := listing(
            orders, shown, currency=page.currency, alt=t("store.orders"), key="store_orders", opens="order_id", rows=10
        ):
            person.open_from(orders, order, key="store_orders", store=store.store_id)

sheets = {**tables(report), "recent_orders": orders, "staff": people}
export.menu("store", page.cover(), {name: rows for name, rows in sheets.items() if rows is not None}, orders)
