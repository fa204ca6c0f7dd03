"""Staff: what each person sells, raw and beside what the shifts they were given would lead one to expect."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, charts, drill, empty, export, head, load, people_views, staff_views
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

page = head.begin("staff")
with load.working(t("page.staff")):
    report = load.staff(page.scope, page.period, page.generation)
if report.staff.empty:
    empty.state(t("staff.nobody"), t("staff.nobody_do"), ":material/badge:")
    st.stop()
people = localized(report.staff, {"store": "store.name"})
cards.plain_row(staff_views.figures(report))

with st.container(border=True):
    head.block(t("staff.compared"), staff_views.compared_note(people), t("metric.adjusted.help"))
    if staff_views.judged(people).empty:
        empty.nothing(t("staff.too_little"))
    else:
        chart = staff_views.intervals(people)
        if clicked := charts.clicked(chart, alt=t("staff.compared"), key="staff_compared"):
            drill.open_page("staff_member", staff=clicked)
        st.caption(t("staff.read_honestly"))

with st.container(border=True):
    head.block(t("staff.list"), t("staff.click"))
    shown = staff_views.columns()
    opened = listing(
        staff_views.rows(people), shown, currency=page.currency, alt=t("staff.list"), key="staff_list", opens="staff_id"
    )
if opened:
    drill.open_page("staff_member", staff=opened)

with st.container(border=True):
    head.block(t("people.service"), t("people.service_note"), t("people.service_help"))
    served = people_views.served(people)
    if served.empty:
        empty.nothing(t("people.no_service"))
    elif asked := listing(
        served,
        people_views.service_columns(),
        currency=page.currency,
        alt=t("people.service"),
        key="staff_service",
        opens="staff_id",
        rows=10,
    ):
        drill.open_page("staff_member", staff=asked)

export.menu("staff", page.cover(), tables(report), people)
