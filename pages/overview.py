"""Overview: how much the stores in scope sold, by day, store and product; where every drill begins."""

import streamlit as st

from models.calc.calendar import events
from models.reports import tables
from pages._ui import cards, charts, drill, empty, export, head, load
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

FIRST = ("net_sales", "orders", "buyers", "average_ticket", "units_per_transaction", "return_rate")
MORE = ("gross_sales", "returns", "new_customers", "returning_customers", "identified_share")
NAMES = {"store": "store.name", "region": "region.name", "product": "product.name", "category": "product.category"}

page = head.begin("overview")
report = load.overview(page.scope, page.period, page.generation)
if report.period is None or report.by_store.empty:
    empty.no_sales()

cards.kpi_row(report.kpis, page.currency, FIRST)
with st.expander(t("cards.more")):
    cards.kpi_row(report.kpis, page.currency, MORE)

stores = localized(report.by_store, NAMES)
days, ranking = st.columns([3, 2]) if len(stores) > 1 else (st.container(), None)
with days.container(border=True, height="stretch"):
    head.block(t("overview.by_day"), charts.grain_note(report.by_day))
    line = charts.time_line(
        report.by_day,
        value="net_sales",
        name=t("charts.this_period"),
        compare={"last_year": t("charts.last_year"), "previous": t("charts.previous")},
        events=events(report.period.first, report.period.last, page.currency),
        height=charts.height_beside(len(stores)),
        currency=page.currency,
    )
    charts.show(line, alt=t("overview.by_day"), key="overview_days")
if ranking is not None:
    with ranking.container(border=True, height="stretch"):
        note = charts.bar_note(t("charts.click_store"), stores["last_year"], t("charts.last_year"))
        head.block(t("overview.by_store"), note)
        bars = charts.ranked_bars(
            stores,
            label="store",
            value="net_sales",
            ids="store_id",
            compare="last_year",
            compare_name=t("charts.last_year"),
            height=charts.height_beside(len(stores)),
            currency=page.currency,
        )
        if store := charts.clicked(bars, alt=t("overview.by_store"), key="overview_stores"):
            drill.open_page("store", store=store)

regions, best = st.columns([2, 3]) if len(report.by_region) > 1 else (None, st.container())
if regions is not None:
    with regions.container(border=True, height="stretch"):
        note = charts.bar_note(t("charts.click_region"), report.by_region["last_year"], t("charts.last_year"))
        head.block(t("overview.by_region"), note)
        bars = charts.ranked_bars(
            localized(report.by_region, NAMES),
            label="region",
            value="net_sales",
            ids="region_id",
            compare="last_year",
            compare_name=t("charts.last_year"),
            currency=page.currency,
        )
        charts.clicked(bars, alt=t("overview.by_region"), key="overview_regions", then=drill.keep_region)

products = localized(report.products, NAMES)
with best.container(border=True, height="stretch"):
    head.block(t("overview.top_products"), t("charts.click_product"))
    top = products[products["movement"] == "top"]
    bars = charts.ranked_bars(top, label="product", value="net_sales", ids="product_id", currency=page.currency)
    if product := charts.clicked(bars, alt=t("overview.top_products"), key="overview_top"):
        drill.open_page("product", product=product)

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
