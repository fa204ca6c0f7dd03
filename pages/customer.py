"""Customer: who somebody is, when they last bought, what and how often, all that happened on one axis of time."""

import streamlit as st

from models.reports import tables
from models.reports.customer import DIMENSIONS
from pages._ui import cards, charts, contact, drill, empty, export, head, person, session, subjects
from pages._ui.choices import choice
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

KPIS = ("net_sales", "orders", "visits", "average_ticket", "recency_days", "return_rate")

session.detail("customer")
report = person.chosen(session.current_scope())
if report is None:
    head.begin("customer", choices="none")
    empty.refused("customer")
who = localized(report.header, person.NAMES).iloc[0]

title = t("customer.one", customer=who["customer_key"])
above = (*subjects.step_of(drill.asked("store")), drill.Step(t("page.segments"), "segments"), drill.Step(title))
page = head.begin("customer", title=title, above=above, choices="none")
contact.seen(who["customer_key"])

about, reach = st.columns([3, 2]) if session.current_person().role in contact.ROLES else (st.container(), None)
with about.container(border=True, height="stretch"):
    person.badges(who)
    person.strip(person.before_you_talk(report, page.currency))
    cards.facts(person.facts(who))
if reach is not None:
    with reach.container(border=True, height="stretch"):
        contact.block(page.scope, page.snapshot, who["customer_key"])
        person.agreements(report)

cards.kpi_row(report.kpis, page.currency, KPIS)

may_open_orders = session.may_open("order")
with st.container(border=True):
    head.block(t("customer.timeline"), t("charts.click_order_mark") if may_open_orders else None)
    if report.timeline.empty:
        empty.nothing(t("customer.nothing_yet"))
    else:
        figure = person.axis_of_time(report.timeline, page.currency)
        order = charts.clicked(figure, alt=t("customer.timeline"), key="customer_axis")
        if may_open_orders and person.is_order(report.timeline, order):
            drill.open_page("order", order=order, store=drill.asked("store"))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("customer.habits"), t("customer.habits_note"))
    cards.plain_row(person.habits(report, page.currency))
    st.caption(t("customer.no_expectations"))
with right.container(border=True, height="stretch"):
    head.block(t("customer.favourites"), t("customer.favourites_note"))
    liked = person.favourites(report, choice("by", DIMENSIONS, words="customer.by", width=190))
    if liked.empty:
        empty.nothing(t("customer.nothing_known"))
    else:
        bars = charts.ranked_bars(liked, label="name", value="net_sales", ids="name", currency=page.currency)
        charts.show(bars, alt=t("customer.favourites"), key="customer_favourites")

events = person.events(report.timeline)
if not events.empty:
    with st.container(border=True):
        head.block(t("customer.events"), t("charts.click_order") if may_open_orders else None)
        opens = "order_id" if may_open_orders else None
        order = listing(
            events,
            person.EVENTS,
            currency=page.currency,
            alt=t("customer.events"),
            key="customer_events",
            opens=opens,
            rows=12,
        )
        if person.is_order(report.timeline, order):
            drill.open_page("order", order=order, store=drill.asked("store"))

export.menu("customer", page.cover(), tables(report), events, customers=[who["customer_key"]])
