"""Customer: what to know before talking, what to expect and to offer, and all that happened on one axis of time."""

import pandas as pd
import streamlit as st

from models.reports import tables
from pages._ui import (
    advice,
    batch,
    cards,
    contact,
    drill,
    empty,
    export,
    head,
    load,
    person,
    person_blocks,
    session,
    subjects,
)
from pages._ui.i18n import localized, t

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
    if next_visit := advice.next_categories(report):
        st.caption(next_visit)

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    person_blocks.run_outs(report, page.currency, today)
with right.container(border=True, height="stretch"):
    head.block(t("advice.offers"), advice.where(report), t("advice.offers_help"))
    batch.note("affinity")
    advice.offers(report, page.currency, looked=load.batch_job("affinity", page.generation) is not None)

cards.kpi_row(report.kpis, page.currency, KPIS)

with st.container(border=True):
    person_blocks.axis_of_time(report, page.currency, today)
left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    person_blocks.habits(report, page.currency)
with right.container(border=True, height="stretch"):
    person_blocks.favourites(report, page.currency)
events = person.events(report.timeline)
if not events.empty:
    with st.container(border=True):
        person_blocks.events(report, events, page.currency)

export.menu("customer", page.cover(), tables(report), events, customers=[who["customer_key"]])
