"""Overview: how much the stores in scope sold, by day, store and product; where every drill begins."""

from typing import Literal

import streamlit as st

from models.reports import tables
from pages._ui import alert_views, blocks, cards, charts, compared, drill, empty, export, head, load, subjects
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

OF_CATEGORY = ("net_sales", "units", "average_price", "gross_sales", "returns")
FIRST = ("net_sales", "orders", "buyers", "average_ticket", "units_per_transaction", "return_rate")
MORE = ("gross_sales", "returns", "new_customers", "returning_customers", "identified_share")
NAMES = {
    "store": "store.name", "city": "store.city", "region": "region.name", "product": "product.name",
    "category": "product.category",
}  # fmt: skip

page = head.begin("overview", above=subjects.narrowed_to())
report = load.overview(page.scope, page.period, page.category, page.generation)
if report.period is None or report.by_store.empty:
    empty.no_sales()

if page.category:
    cards.kpi_row(report.kpis, page.currency, OF_CATEGORY)
else:
    cards.kpi_row(report.kpis, page.currency, FIRST)
    with st.expander(t("cards.more")):
        cards.kpi_row(report.kpis, page.currency, MORE)
    st.page_link("why.py", label=t("why.open"), icon=":material/compare_arrows:", query_params=drill.link("why"))
    alert_views.block(load.alerts(page.scope, page.generation), key="overview_alerts")

stores = localized(report.by_store, NAMES)
if store := blocks.sales_by_day_and_store(
    report.by_day,
    stores,
    report.period,
    page.currency,
    compare=compared.column(),
    key="overview",
    campaigns=report.campaigns,
):
    drill.open_page("store", store=store)

level: Literal["region", "city"]
level, places, narrow = (
    ("region", report.by_region, drill.keep_region)
    if len(report.by_region) > 1
    else ("city", report.by_city, drill.keep_stores)
)
products = localized(report.products, NAMES)
top = products[products["movement"] == "top"]
regions, best = st.columns([2, 3]) if len(places) > 1 else (None, st.container())
if regions is not None:
    with regions.container(border=True, height="stretch"):
        blocks.ranked_places(
            localized(places, NAMES),
            level,
            page.currency,
            compare=compared.column(),
            key="overview_regions",
            height=charts.spread_beside(len(top)) if len(places) <= len(top) else None,
            then=narrow,
        )

with best.container(border=True, height="stretch"):
    head.block(t("overview.top_products"), t("charts.click_product"))
    bars = charts.ranked_bars(top, label="product", value="net_sales", ids="product_id", currency=page.currency)
    if product := charts.clicked(bars, alt=t("overview.top_products"), key="overview_top"):
        drill.open_page("product", product=product)

if category := blocks.categories(
    report.by_category, page.currency, compare=compared.column(), key="overview_categories"
):
    drill.open_page("category", goods=category)

falling = products[products["movement"] == "falling"]
with st.container(border=True):
    head.block(t("overview.falling"), t("overview.falling_note"))
    shown = [column(name) for name in ("product", "change", "change_ratio", "net_sales", "compared_with", "category")]
    if falling.empty:
        empty.nothing(t("overview.nothing_falls"))
    elif product := listing(
        falling, shown, currency=page.currency, alt=t("overview.falling"), key="overview_falling", opens="product_id"
    ):
        drill.open_page("product", product=product)

export.menu("overview", page.cover(), tables(report), falling)
