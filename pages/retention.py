"""Retention: who comes back, by month of the first order."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, charts, empty, export, grids, head, load, members
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import t
from pages._ui.tables import column, listing

MONTHS = {"24": 24, "12": 12, "all": None}
CARDS = ("customers", "repeat_purchase_rate", "orders_per_customer", "repeat_sales_rate")


def settings() -> None:
    """How many cohorts to show."""
    choice("months", tuple(MONTHS), words="retention.months", width=190)


page = head.begin("retention", choices="places", beside=settings)
months = MONTHS[st.session_state["choice_months"]]
report = load.retention(page.scope, page.period.last, page.generation, months)
if report.cohorts.empty:
    empty.no_sales()
cards.kpi_row(report.summary, page.currency, CARDS)

with st.container(border=True):
    head.block(t("retention.cohorts"), t("retention.click"), t("retention.cohorts_help"))
    clicked = charts.clicked(grids.cohorts(report.cohorts), alt=t("retention.cohorts"), key="retention_cohorts")
    st.caption(t("retention.cohorts_note"))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    cohort = clicked or members.newest_whole_cohort(report.cohorts)
    head.block(t("retention.curve"), t("retention.curve_note", cohort=fmt.month(cohort)))
    one = members.cohort_rows(report.cohorts, cohort)
    curves = {t("retention.all_cohorts"): members.after_first_month(report.curve), fmt.month(cohort): one}
    figure = charts.curves(curves, x="month_number", value="rate", unit="percent", currency=page.currency)
    charts.show(figure, alt=t("retention.curve"), key="retention_curve")
with right.container(border=True, height="stretch"):
    head.block(t("retention.new_returning"))
    parts = {"returning": t("metric.returning_customers"), "new": t("metric.new_customers")}
    figure = charts.columns_over_time(
        report.new_returning, month="month", parts=parts, unit="count", currency=page.currency
    )
    charts.show(figure, alt=t("retention.new_returning"), key="retention_new")

with st.container(border=True):
    head.block(t("retention.one", cohort=fmt.month(cohort)), t("retention.one_note"))
    shown = [column(name) for name in ("month_number", "rate", "customers", "size")]
    listing(one, shown, currency=page.currency, alt=t("retention.curve"), key="retention_list", rows=12)

export.menu("retention", page.cover(), tables(report), one)
