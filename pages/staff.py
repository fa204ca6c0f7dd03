"""Staff: what each person sells, raw and beside what their shifts lead one to expect; how they serve; their goals."""

import streamlit as st

from models.reports import tables
from models.reports.staff import JOB
from pages._ui import batch, cards, charts, choices, drill, empty, export, head, load, staff_lists, staff_views
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, first_row, listing, pager

page = head.begin("staff")
batch.note(JOB, live=True)
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
    kind = choices.choice("list", staff_lists.KINDS, words="staff.lists", width=260)
    rows = staff_lists.chosen(kind, people, lambda: load.staff_goals(page.scope, page.period.last, page.generation))
    head.block(t("staff.list"), staff_lists.note(kind, page.period.last), staff_lists.told(kind))
    first = first_row(len(rows), key=f"staff_page_{kind}")
    opened = None
    if rows.empty:
        empty.nothing(t(f"staff.lists.{kind}.none"))
    else:
        some, shown = staff_lists.shown(kind, rows.iloc[first : first + PAGE_ROWS])
        opened = listing(
            some, shown, currency=page.currency, alt=t("staff.list"), key=f"staff_list_{kind}", opens="staff_id"
        )
    pager(len(rows), key=f"staff_page_{kind}")
if opened:
    drill.open_page("staff_member", staff=opened)

export.menu("staff", page.cover(), tables(report), rows)
