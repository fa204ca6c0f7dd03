"""Targets: what stores are to sell this month, how far they are, where they will end; set by regional heads."""

import streamlit as st

from data_access.state import targets as state
from data_access.state.store import opened
from models.reports import tables
from pages._ui import cards, charts, drill, empty, export, head, load, session, target_views
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

page = head.begin("targets", choices="places")
own = state.current(opened(), page.scope)
report = load.targets(page.scope, page.period.last, own, page.generation)
stores = localized(report.stores, {"store": "store.name"})
if stores.empty:
    empty.state(t("targets.nothing"), t("targets.nothing_do"), ":material/flag:")
    st.stop()
cards.plain_row(target_views.figures(report))

with st.container(border=True):
    head.block(t("targets.stores"), target_views.note(report), t("targets.help"))
    drawn = target_views.paces(stores, page.currency)
    clicked = charts.clicked(drawn, alt=t("targets.stores"), key="target_paces")
    row = listing(
        target_views.rows(stores, page.currency),
        target_views.columns(),
        currency=page.currency,
        alt=t("targets.stores"),
        key="target_stores",
        opens="store_id",
        rows=14,
    )
if store := clicked or row:
    drill.open_page("store", store=store)

if session.current_person().role == "regional":
    with st.container(border=True):
        head.block(t("targets.set"), t("targets.set_note"))
        target_views.form(stores, report.month)

with st.container(border=True):
    head.block(t("targets.months"), t("targets.months_note"))
    if report.months.empty:
        empty.nothing(t("targets.no_months"))
    else:
        charts.show(target_views.months(report.months, page.currency), alt=t("targets.months"), key="target_months")

export.menu("targets", page.cover(), tables(report), stores)
