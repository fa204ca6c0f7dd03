"""One saved audience: who is in it, the file for the CRM, the campaign it belongs to, its frozen rows."""

import streamlit as st

from data_access.state import audiences
from data_access.state.store import opened
from pages._ui import audience_views as views
from pages._ui import cards, drill, empty, export, head, load, session
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, Column, badge, first_row, listing, pager

found = audiences.one(opened(), session.current_scope(), drill.asked("audience") or "")
title = found.draft.name if found else None
page = head.begin("audience", title=title, choices="none", above=[drill.Step(t("page.audiences"), "audiences")])
if found is None:
    empty.state(t("audiences.unknown"), t("audiences.unknown_do"), ":material/search_off:")
    st.stop()
cards.facts(views.facts(found))
cards.plain_row(views.sizes_of(found))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("audiences.hand_over"), t("audiences.hand_over_note"))
    st.caption(t("audiences.sending"))
    if session.current_person().takes_customers:
        wanted, use = views.hand_over(found)
        cover = page.cover((t("handover.use"), use.words), (t("audiences.seed"), str(found.draft.seed)))
        export.later("audience", cover, wanted.columns, wanted.fetch, rows=wanted.rows, note=t("audiences.take"))
    else:
        empty.nothing(t("export.no_customers"))
with right.container(border=True, height="stretch"):
    views.linking(found, page)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("audiences.made_of"))
    stores = localized(load.places(page.generation), {"store": "store.name"}).set_index("store_id")["store"]
    st.markdown(views.conditions_in_words(found, stores, page.currency) or t("audiences.everybody"))
with right.container(border=True, height="stretch"):
    head.block(t("audiences.why"))
    views.reasons(found.draft.withheld)

with st.container(border=True):
    rows = views.rows_of(found)
    head.block(t("audiences.rows"), t("audiences.rows_note"))
    first = first_row(len(rows), key="audience_page")
    shown = [Column("customer_key", "text"), badge("arm", "audience_arm", views.ARMS), Column("assigned_at", "instant")]
    if customer := listing(
        rows.iloc[first : first + PAGE_ROWS],
        shown,
        currency=page.currency,
        alt=t("audiences.rows"),
        key="audience_rows",
        opens="customer_key",
    ):
        drill.open_page("customer", customer=customer)
    pager(len(rows), key="audience_page")
