"""Retention: how many come for the first time, who comes back and after how long, who registered and never bought."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, charts, empty, export, head, load, members
from pages._ui import format as fmt
from pages._ui import retention_views as views
from pages._ui.choices import choice
from pages._ui.i18n import t

MONTHS = {"24": 24, "12": 12, "all": None}
CARDS = ("customers", "repeat_purchase_rate", "orders_per_customer", "repeat_sales_rate")


def settings() -> None:
    """How many cohorts to show."""
    choice("months", tuple(MONTHS), words="retention.months", width=190)


page = head.begin("retention", choices="places", beside=settings)
months = MONTHS[st.session_state["choice_months"]]
with load.working(t("page.retention")):
    report = load.retention(page.scope, page.period.last, page.generation, months)
if report.cohorts.empty:
    empty.no_sales()
cards.kpi_row(report.summary, page.currency, CARDS)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.growth(report)
with right.container(border=True, height="stretch"):
    head.block(t("retention.new_returning"))
    parts = {"returning": t("metric.returning_customers"), "new": t("metric.new_customers")}
    figure = charts.columns_over_time(
        report.new_returning, month="month", parts=parts, unit="count", currency=page.currency
    )
    charts.show(figure, alt=t("retention.new_returning"), key="retention_new")
if len(report.growth_by_place) > 1:
    with st.container(border=True):
        views.places(report, page.currency)

with st.container(border=True):
    cell = views.cohorts(report)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("retention.curve"), t("retention.curve_note", cohort=fmt.month(cell.cohort)))
    one = members.cohort_rows(report.cohorts, cell.cohort)
    curves = {t("retention.all_cohorts"): members.after_first_month(report.curve), fmt.month(cell.cohort): one}
    figure = charts.curves(curves, x="month_number", value="rate", unit="percent", currency=page.currency)
    figure.update_xaxes(title={"text": t("charts.months_since"), "standoff": 6})
    charts.show(figure, alt=t("retention.curve"), key="retention_curve")
with right.container(border=True, height="stretch"):
    views.second_visit(report)
with st.container(border=True):
    people = views.members(report, cell, page.scope, page.generation, page.currency)
    export.menu("retention", page.cover(), tables(report), people)

with st.container(border=True):
    never = views.first_orders(report, page.scope, page.generation, page.currency)
    if never is not None and never.rows:
        export.menu("retention_registered", page.cover(), {}, never)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    views.members_who_bought(report, page.currency)
with right.container(border=True, height="stretch"):
    views.visits(report, page.currency)
