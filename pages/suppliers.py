"""Suppliers: what they promise and what they do, what is late, and a pack to hand over to one of them."""

import streamlit as st

from models.reports import tables
from models.reports.shelves import YEAR
from models.reports.suppliers import KPIS
from pages._ui import cards, drill, empty, export, head, load, session, supplier_views
from pages._ui.i18n import localized_text, t

page = head.begin("suppliers", choices="places")
with load.working(t("page.suppliers")):
    report = load.suppliers(page.scope, page.generation)
if report.as_of is None:
    empty.state(t("suppliers.nothing"), t("suppliers.nothing_do"), ":material/local_shipping:")
    st.stop()
cards.kpi_row(report.kpis[["key", "value", "unit"]], page.currency, KPIS)

names = report.suppliers.set_index("supplier_id")["supplier"]
chosen = drill.asked("supplier") if drill.asked("supplier") in names.index else None
with st.container(border=True):
    clicked = supplier_views.league(report, page.currency)
with st.container(border=True):
    clicked = supplier_views.lead_times(report) or clicked
if clicked and clicked != chosen:
    drill.open_page("suppliers", supplier=clicked)

if chosen:
    name = localized_text("supplier.name", names[chosen])
    with load.working(t("suppliers.products")):
        pack = supplier_views.pack(report, load.stock(page.scope, None, page.generation), chosen)
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.subheader(name, anchor=False, width="content")
            about = (t("suppliers.pack_about"), t("suppliers.pack_about_it", days=YEAR))
            export.menu("supplier_pack", page.cover((t("column.supplier"), name), about), pack)
        product = supplier_views.products(pack["delivered"], page.currency)
    if product and session.may_open("product"):
        drill.open_page("product", product=product)
with st.container(border=True):
    supplier_views.late_orders(report, chosen, page.currency)
export.menu("suppliers", page.cover(), tables(report))
