"""Alerts: which latest figures of the stores lie outside what was to be expected of them, and where to look next."""

import streamlit as st

from models.reports import tables
from pages._ui import alert_views, cards, charts, drill, empty, export, head, load
from pages._ui.i18n import t
from pages._ui.tables import listing

page = head.begin("alerts", choices="places")
report = load.alerts(page.scope, page.generation, drill.asked("alert") or "")
if report.until is None:
    empty.state(t("alerts.no_batch"), t("alerts.no_batch_do"), ":material/notifications_off:")
    st.stop()
found = alert_views.rows(report)
cards.plain_row(alert_views.figures(report))

chosen = alert_views.chosen(found)
if chosen is None:
    empty.state(t("alerts.none"), t("alerts.none_do"), ":material/check_circle:")
    st.stop()
with st.container(border=True):
    head.block(t("alerts.chosen"), alert_views.sentence(chosen))
    drawn = alert_views.band(report, chosen)
    if charts.clicked(drawn, alt=t("alerts.chosen"), key="alerts_band", then=alert_views.keep(chosen)):
        drill.open_page("why")
    alert_views.links(chosen)
    st.caption(t("alerts.read"))

with st.container(border=True):
    head.block(t("alerts.list"), t("alerts.click"))
    shown = alert_views.columns()
    opened = listing(
        found, shown, currency=page.currency, alt=t("alerts.list"), key="alerts_list", opens="alert", rows=14
    )
    if opened and opened != chosen["alert"]:
        alert_views.choose(opened)
        st.rerun()

export.menu("alerts", page.cover(), tables(report), found)
