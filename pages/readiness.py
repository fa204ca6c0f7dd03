"""Peak readiness: visitors to expect in the coming two weeks per rostered hour, and the days that are too thin."""

import streamlit as st

from models.reports import tables
from models.reports.readiness import FORECAST
from pages._ui import batch, cards, charts, drill, empty, export, head, load, readiness_views
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, first_row, listing, pager

page = head.begin("readiness", choices="places")
batch.note(FORECAST, live=True)
with load.working(t("page.readiness")):
    report = load.readiness(page.scope, page.generation)
if report.days.empty:
    empty.state(t("readiness.nothing"), t("readiness.nothing_do"), ":material/door_open:")
    st.stop()
days, bands = (localized(frame, {"store": "store.name"}) for frame in (report.days, report.slots))
cards.plain_row(readiness_views.figures(report))
readiness_views.roster_note(report)

with st.container(border=True):
    head.block(t("readiness.loads"), readiness_views.loads_note(days), t("readiness.loads_help"))
    if store := charts.clicked(readiness_views.loads(days, bands), alt=t("readiness.loads"), key="readiness_loads"):
        drill.open_page("store", store=store)
    if readiness_views.shows_nobody(days, bands):
        st.caption(t("readiness.nobody_note"))

with st.container(border=True):
    head.block(t("readiness.days"), t("readiness.days_note"), t("readiness.days_help"))
    first = first_row(len(days), key="readiness_page")
    opened = listing(
        readiness_views.rows(days.iloc[first : first + PAGE_ROWS]),
        readiness_views.columns(),
        currency=page.currency,
        alt=t("readiness.days"),
        key="readiness_days",
        opens="store_id",
    )
    pager(len(days), key="readiness_page")
if opened:
    drill.open_page("store", store=opened)

export.menu("readiness", page.cover(), tables(report), days)
