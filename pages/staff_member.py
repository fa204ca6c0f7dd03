"""Staff member: the coaching card of one person: beside the expected, month by month, and what they sell more of."""

import streamlit as st

from data_access.state import recognitions
from data_access.state.store import opened
from models.reports import tables
from pages._ui import (
    cards,
    charts,
    drill,
    empty,
    export,
    head,
    load,
    people_views,
    recognition_views,
    session,
    staff_views,
)
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

asked = drill.asked("staff")
above = (drill.Step(t("page.staff"), "staff"), drill.Step(asked or ""))
page = head.begin("staff_member", title=asked, above=above, choices="days")
report = load.staff_member(session.current_scope(), page.period, asked or "", page.generation)
if report is None:
    empty.refused("staff_member")
person = localized(report.person, {"store": "store.name"}).iloc[0]
cards.facts(staff_views.facts(person))
with st.container(border=True):
    st.markdown(f"#### {staff_views.sentence(person)}")
    st.caption(t("staff.read_honestly"))
cards.plain_row(staff_views.person_figures(person, page.currency))
cards.plain_row(people_views.service_figures(person))
with st.container(border=True):
    people_views.talk(report, load.training(session.current_scope(), page.period.last, page.generation))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("staff.months"), t("staff.months_note"))
    charts.show(staff_views.months(report.months, page.currency), alt=t("staff.months"), key="staff_months")
with right.container(border=True, height="stretch"):
    head.block(t("staff.strengths"), t("staff.strengths_note"))
    strengths = localized(report.strengths, {"category": "product.category"})
    if strengths["share"].notna().any():
        charts.show(staff_views.strengths(strengths), alt=t("staff.strengths"), key="staff_strengths")
    else:
        empty.nothing(t("staff.sold_nothing"))

with st.container(border=True):
    head.block(t("staff.by_month"))
    shown = [
        column(name)
        for name in ("month", "gross_sales", "hours", "sales_per_hour", "target", "attainment", "commission_base")
    ]
    newest = report.months.sort_values("month", ascending=False)
    listing(newest, shown, currency=page.currency, alt=t("staff.by_month"), key="staff_by_month", rows=12)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    people_views.among(report)
with right.container(border=True, height="stretch"):
    noted = recognitions.of(opened(), session.current_scope(), str(person["staff_id"]))
    recognition_views.listed(report.praise, noted, page.currency)
    recognition_views.form(str(person["staff_id"]), noted)

export.menu("staff_member", page.cover((t("column.staff_id"), asked or "")), tables(report), report.months)
