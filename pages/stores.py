"""Stores: the stores in scope beside each other, what is chance, and what the best of their peers do."""

import streamlit as st

from data_access.state import targets
from data_access.state.store import opened
from models.reports import tables
from pages._ui import cards, charts, drill, empty, export, head, load, stores_views
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

page = head.begin("stores")
with load.working(t("page.stores")):
    report = load.stores(page.scope, page.period, targets.current(opened(), page.scope), page.generation)
if report.period is None or report.stores.empty:
    empty.no_sales()
cards.plain_row(stores_views.figures(report))

with st.container(border=True):
    head.block(t("stores.weeks"), t("stores.weeks_note"))
    if store := charts.clicked(stores_views.weeks(report), alt=t("stores.weeks"), key="stores_weeks"):
        drill.open_page("store", store=store)

with st.container(border=True):
    head.block(t("stores.gaps"), t("charts.click_store"), t("metric.gap_to_peers.help"))
    if report.compared_until is None:
        empty.nothing(t("stores.no_batch"))
    elif report.levers.empty:
        empty.nothing(t("stores.no_peers"))
    else:
        with st.container(height=460 if report.levers["store_id"].nunique() > 12 else "content", border=False):
            if store := charts.clicked(stores_views.gaps(report), alt=t("stores.gaps"), key="stores_gaps"):
                drill.open_page("store", store=store)
        st.caption(t("stores.gaps_note", day=fmt.day(report.compared_until)))

with st.container(border=True):
    head.block(t("stores.limits"), t("stores.limits_note"), t("stores.limits_help"))
    rate = stores_views.rate()
    limits = stores_views.funnel(report, rate)
    if limits is None:
        empty.nothing(t("stores.few_stores"))
    else:
        if store := charts.clicked(limits, alt=t("stores.limits"), key="stores_limits"):
            drill.open_page("store", store=store)
        st.caption(t("stores.limits_read"))

if len(stores_views.located(report)) > 1:
    with st.container(border=True):
        head.block(t("stores.map"), t("stores.map_note"))
        if store := charts.clicked(stores_views.places(report), alt=t("stores.map"), key="stores_map"):
            drill.open_page("store", store=store)

rows = localized(report.stores, stores_views.NAMES)
with st.container(border=True):
    head.block(t("stores.list"), t("charts.click_store"))
    shown = stores_views.columns(stores_views.measure())
    if store := listing(
        rows, shown, currency=page.currency, alt=t("stores.list"), key="stores_list", opens="store_id", rows=14
    ):
        drill.open_page("store", store=store)

export.menu("stores", page.cover(), tables(report), rows)
