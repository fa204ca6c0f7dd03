"""Order: one receipt without a name on it, where every drill ends."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, drill, empty, export, head, person, session, subjects
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

NAMES = {"product": "product.name", "category": "product.category", "store": "store.name"}

session.detail("order")
report = subjects.chosen_order(session.current_scope())
if report is None:
    head.begin("order", choices="none")
    empty.refused("order")
receipt = localized(report.header, NAMES).iloc[0]

title = t("order.one", order=receipt["order_id"])
page = head.begin(
    "order",
    title=title,
    scope=session.current_scope().narrow([receipt["store_id"]]),
    above=(*subjects.step_of(receipt["store_id"]), *subjects.product_steps(report), drill.Step(title)),
    choices="places",
)

if not fmt.is_missing(receipt["exclusion"]):
    st.info(t(f"exclusion.{receipt['exclusion']}"), icon=":material/info:")
cards.facts(subjects.receipt_facts(receipt))
person.link(receipt)
cards.amounts(receipt, ("gross_sales", "returns", "net_sales", "units"), page.currency)

lines = localized(report.lines, NAMES)
with st.container(border=True):
    head.block(t("order.lines"), t("charts.click_product"))
    shown = [column(name) for name in ("product", "net", "quantity", "list_price", "discount", "tax", "coupon_code")]
    if product := listing(
        lines, shown, currency=page.currency, alt=t("order.lines"), key="order_lines", opens="product_id"
    ):
        drill.open_page("product", product=product, store=receipt["store_id"])

with st.container(border=True):
    head.block(t("order.returns"))
    returned = localized(report.returns, NAMES)
    shown = [
        column("product"),
        column("refund"),
        column("quantity"),
        column("returned_at"),
        column("store"),
        column("reason", words="return_reason"),
    ]
    if returned.empty:
        empty.nothing(t("order.no_returns"))
    else:
        listing(returned, shown, currency=page.currency, alt=t("order.returns"), key="order_returns")

export.menu("order", page.cover(), tables(report), lines)
