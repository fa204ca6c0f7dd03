"""My figures: what somebody of the staff sells, how they serve, what they learned and are to do; nobody else's."""

import streamlit as st

from data_access.state import recognitions
from data_access.state.store import opened
from models.reports import tables
from pages._ui import (
    cards,
    charts,
    empty,
    export,
    head,
    load,
    mine_views,
    people_views,
    recognition_views,
    session,
    staff_views,
)
from pages._ui.i18n import localized, t
from pages._ui.tables import column, listing

scope, staff_id = session.own_scope()
page = head.begin("mine", scope=scope, choices="days")
report = load.own(scope, page.period, staff_id, page.generation)
if report is None:
    empty.state(t("mine.nothing"), t("mine.nothing_do"), ":material/badge:")
    st.stop()
person = localized(report.person, {"store": "store.name"}).iloc[0]
cards.facts(staff_views.facts(person))
with st.container(border=True):
    st.markdown(f"#### {mine_views.sentence(person, page.currency)}")
    st.caption(t("mine.read_honestly"))
cards.plain_row(staff_views.person_figures(person, page.currency))
cards.plain_row(people_views.service_figures(person))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("staff.months"), t("staff.months_note"))
    charts.show(staff_views.months(report.months, page.currency), alt=t("staff.months"), key="mine_months")
with right.container(border=True, height="stretch"):
    mine_views.strengths(report)

with st.container(border=True):
    mine_views.assigned(scope, staff_id, page.currency)
with st.container(border=True):
    mine_views.follow_ups(report)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    mine_views.learned(report)
with right.container(border=True, height="stretch"):
    recognition_views.listed(report.praise, recognitions.of(opened(), scope, staff_id), page.currency)

with st.container(border=True):
    head.block(t("staff.by_month"))
    names = ("month", "gross_sales", "hours", "sales_per_hour", "target", "attainment", "commission_base")
    newest = report.months.sort_values("month", ascending=False)
    shown = [column(name) for name in names]
    listing(newest, shown, currency=page.currency, alt=t("staff.by_month"), key="mine_by_month", rows=12)

export.menu("mine", page.cover((t("column.staff_id"), staff_id)), tables(report), report.follow_ups)
