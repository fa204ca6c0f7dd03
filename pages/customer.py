"""Customer: what to know before talking, what to expect and to offer, and all that happened on one axis of time."""

import pandas as pd
import streamlit as st

from models.reports import tables
from models.reports.customer import DIMENSIONS
from pages._ui import advice, batch, cards, charts, contact, drill, empty, export, head, load, person, session, subjects
from pages._ui.choices import choice
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

KPIS = ("net_sales", "orders", "visits", "average_ticket", "recency_days", "return_rate")

session.detail("customer")
found = person.chosen(session.current_scope())
if found is None:
    head.begin("customer", choices="none")
    empty.refused("customer")
report = advice.without_skin(found)
who = localized(report.header, person.NAMES).iloc[0]

title = t("customer.one", customer=who["customer_key"])
above = (*subjects.step_of(drill.asked("store")), drill.Step(t("page.segments"), "segments"), drill.Step(title))
page = head.begin("customer", title=title, above=above, choices="none")
contact.seen(who["customer_key"])
today = pd.Timestamp(page.period.last)

about, reach = st.columns([3, 2]) if session.current_person().role in contact.ROLES else (st.container(), None)
with about.container(border=True, height="stretch"):
    person.badges(who)
    advice.strip(advice.before_you_talk(report, page.currency, today))
    cards.facts(person.facts(who))
if reach is not None:
    with reach.container(border=True, height="stretch"):
        contact.block(page.scope, page.snapshot, who["customer_key"])
        person.agreements(report)

with st.container(border=True):
    head.block(t("advice.expected"), t("advice.expected_note"), t("advice.expected_help"))
    cards.plain_row(advice.expectations(report, page.currency, today))
    st.caption(advice.ranges(report, page.currency, today))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("advice.run_outs"), t("advice.run_outs_note"), t("run_out.list_help"))
    things = advice.run_outs(report, today)
    if things.empty:
        empty.nothing(t("advice.no_run_outs"))
    else:
        listing(things, advice.RUN_OUTS, currency=page.currency, alt=t("advice.run_outs"), key="customer_out", rows=8)
with right.container(border=True, height="stretch"):
    head.block(t("advice.offers"), advice.where(report), t("advice.offers_help"))
    batch.note("affinity")
    advice.offers(report, page.currency, looked=load.batch_job("affinity", page.generation) is not None)

cards.kpi_row(report.kpis, page.currency, KPIS)

may_open_orders = session.may_open("order")
with st.container(border=True):
    head.block(t("customer.timeline"), t("charts.click_order_mark") if may_open_orders else None)
    if report.timeline.empty:
        empty.nothing(t("customer.nothing_yet"))
    else:
        figure = person.axis_of_time(report.timeline, page.currency, today)
        order = charts.clicked(figure, alt=t("customer.timeline"), key="customer_axis")
        if may_open_orders and person.is_order(report.timeline, order):
            drill.open_page("order", order=order, store=drill.asked("store"))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("customer.habits"), t("customer.habits_note"))
    cards.plain_row(person.habits(report, page.currency))
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
