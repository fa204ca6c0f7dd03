"""Why: what moved net sales: by factor, by price, volume and mix, by store, category and product."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, charts, compared, drill, empty, export, head, load, session, why_views
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

page = head.begin("why")
report = load.why(page.scope, page.period, compared.column(), page.category, page.generation)
if report.other is None:
    empty.state(t("why.nothing"), t("why.nothing_do"), ":material/compare_arrows:")
    st.stop()
with st.container(border=True):
    st.markdown(f"#### {why_views.sentence(report)}")
    st.caption(why_views.periods(report))
cards.plain_row(why_views.figures(report))

if page.category:
    st.caption(t("why.of_category"))
    left = st.container()
else:
    with st.container(border=True):
        head.block(t("why.factors"), why_views.factors_note(report), t("why.accounting"))
        charts.clicked(why_views.factors(report), alt=t("why.factors"), key="why_factors", then=why_views.take_apart)
        st.caption(why_views.factors_in_words(report))

    with st.container(border=True):
        head.block(t("why.ratios"), t("why.ratios_note"), t("why.ratios_help"))
        ratio, by = why_views.ratio()
        mixed = load.why_mix(page.scope, page.period, compared.column(), ratio, by, page.generation)
        if mixed.groups.empty:
            empty.nothing(t("why.ratio_nothing"))
        else:
            st.markdown(why_views.ratio_sentence(mixed, ratio))
            groups = why_views.ratio_rows(mixed, ratio, by)
            pages = {"store": "store", "staff": "staff_member"}
            opens = "key" if by in pages and session.may_open(pages[by]) else None
            shown = why_views.ratio_columns()
            picked = listing(
                groups, shown, currency=page.currency, alt=t("why.ratios"), key="why_ratios", opens=opens, rows=10
            )
            if picked:
                drill.open_page(pages[by], **{by: picked})
    left, right = st.columns(2)
    with right.container(border=True, height="stretch"):
        head.block(t("why.customers"), t("why.customers_note"), t("why.customers_help"))
        bars = why_views.effects(report.customer_effects, page.currency)
        charts.show(bars, alt=t("why.customers"), key="why_customers")
with left.container(border=True, height="stretch"):
    head.block(t("why.products"), t("why.gross_note"), t("why.products_help"))
    charts.show(why_views.effects(report.product_effects, page.currency), alt=t("why.products"), key="why_products")

stores = localized(report.stores, {"store": "store.name"})
if len(stores) > 1:
    with st.container(border=True):
        head.block(t("why.stores"), t("why.click_store"))
        bars = why_views.changes(stores, "store", "store_id", page.currency)
        if store := charts.clicked(bars, alt=t("why.stores"), key="why_stores"):
            drill.open_page("store", store=store)

products = why_views.movers(report.products)
with st.container(border=True):
    head.block(t("why.list"), t("charts.click_product"))
    shown = [column(name) for name in ("product", "apart_from", "net_sales", "sales_then", "contribution", "category")]
    opens = "product_id" if session.may_open("product") else None
    if product := listing(
        products, shown, currency=page.currency, alt=t("why.list"), key="why_list", opens=opens, rows=12
    ):
        drill.open_page("product", product=product)

export.menu("why", page.cover(), tables(report), products)
