"""Lot: who bought of a batch, how they may be told, and where the rest of it lies."""

import streamlit as st

from models.reports import tables
from pages._ui import actions, cards, drill, empty, export, head, load, lot_views, session, subjects
from pages._ui.i18n import t

facts = subjects.chosen_product(session.current_scope())
if facts is None:
    head.begin("lot", choices="none")
    empty.refused("product")
product = facts["product_id"]
step = drill.Step(facts["product"], "product", (("product", product),))

page = head.begin("lot", title=t("lot.of", product=facts["product"]), above=(step,), choices="places")
with load.working(t("page.lot")):
    report = load.lot(page.scope, product, drill.asked("lot"), page.generation)
if report.lot_id is None:
    empty.state(t("lot.nothing"), t("lot.nothing_do"), ":material/qr_code:")
    st.stop()
lot_views.choice(report, product)
cards.plain_row(lot_views.figures(report))

with st.container(border=True):
    todo = actions.board("lot")
    people = lot_views.people(report)
    head.block(t("lot.people"), t("lot.people_note"), t("lot.people_help"))
    if people.empty:
        empty.nothing(t("lot.no_people"))
    else:
        todo.listing(
            todo.rows(people), lot_views.PEOPLE, currency=page.currency, alt=t("lot.people"), key="lot_people", rows=14
        )
with st.container(border=True):
    lot_views.stores(report)
cover = page.cover((t("column.lot_id"), report.lot_id))
export.menu("lot", cover, tables(report), actions.in_file("lot", people))
