"""The parts of the page about oneself: where one stands without any place, what to do, what was learned."""

import pandas as pd
import streamlit as st

from data_access.scope import Scope
from data_access.state import actions as state
from data_access.state.store import opened
from models.reports.own import FOLLOW_UPS, LEAST_COLLEAGUES, OwnReport
from pages._ui import actions, charts, choices, empty, freshness, head, people_views, staff_views, task_views
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.literal import literal
from pages._ui.tables import Column, badge, column, listing
from pages._ui.training_views import STATES


def sentence(person: pd.Series, currency: str) -> str:
    """What the person sells an hour, as counted and beside what their shifts lead one to expect."""
    raw = fmt.card_value(person["raw_per_hour"], "money", currency)
    if fmt.is_missing(person["adjusted"]):
        kind = "too_few_colleagues" if person["standing"] == "too_few_colleagues" else "too_few"
        return t(f"mine.sentence.{kind}", raw=raw, least=LEAST_COLLEAGUES)
    texts = {"ratio": fmt.percent(person["adjusted"]), "range": staff_views.range_of(person)}
    return t(f"mine.sentence.{person['standing']}", raw=raw, **texts)


def strengths(report: OwnReport) -> None:
    """The person's categories beside the store's, where enough colleagues worked there."""
    head.block(t("staff.strengths"), t("staff.strengths_note"))
    mix = localized(report.strengths, {"category": "product.category"})
    if not mix["share"].notna().any():
        empty.nothing(t("staff.sold_nothing"))
    elif not mix["team_share"].notna().any():
        empty.nothing(t("mine.few_colleagues", least=LEAST_COLLEAGUES))
    else:
        charts.show(staff_views.strengths(mix), alt=t("staff.strengths"), key="mine_strengths")


def assigned(scope: Scope, staff_id: str, currency: str) -> None:
    """Rows of lists that whoever leads the store assigned to the person; customers are named by who assigned them."""
    head.block(t("mine.assigned"), t("mine.assigned_note"), t("mine.assigned_help"))
    rows = state.assigned_to(opened(), scope, staff_id, actions.today())
    if not rows:
        empty.nothing(t("mine.nothing_assigned"))
        return
    frame = pd.DataFrame(
        {
            "marked_on": [pd.Timestamp(actions.day_of(one)) for one in rows],
            "list": [actions.name_of(one.subject.list_key) for one in rows],
            "subject": [_about(one.subject) for one in rows],
            "note": [one.note or None for one in rows],
        }
    )
    shown = [Column("marked_on", "day"), column("list"), column("subject"), Column("note", "text")]
    listing(frame, shown, currency=currency, alt=t("mine.assigned"), key="mine_assigned", rows=8)


def _about(subject: state.Subject) -> str:
    return t("mine.a_customer") if subject.kind in ("customer", "duplicate", "order") else task_views.named(subject)


def follow_ups(report: OwnReport) -> None:
    """Contacts that were planned for the person, by their state; customers stay in the CRM."""
    head.block(t("mine.follow_ups"), t("mine.follow_ups_note"), t("mine.follow_ups_help"))
    state = choices.choice("follow_up", FOLLOW_UPS, words="follow_up")
    rows = report.follow_ups[report.follow_ups["follow_up"] == state]
    if rows.empty:
        empty.nothing(t(f"mine.no_follow_ups.{state}"))
        return
    done = [None if fmt.is_missing(at) else freshness.local(at) for at in rows["done_at"]]
    shown = [
        Column("due_on", "day"),
        Column("rule", "text", words="customer.rule"),
        Column("channel", "text", words="consent_channel"),
        Column("done_at", "instant"),
        Column("outcome", "text", words="customer.outcome"),
    ]
    listing(
        rows.assign(done_at=pd.to_datetime(pd.Series(done, index=rows.index))),
        shown,
        currency=report.currency,
        alt=t("mine.follow_ups"),
        key="mine_follow_ups",
        rows=8,
    )


def learned(report: OwnReport) -> None:
    """Courses with their ends; and which course addresses what lies below the colleagues' mean."""
    words = {"course_name": "course.name"}
    head.block(t("mine.training"), t("mine.training_note"))
    for line in people_views.needs(localized(report.needs, words), report.currency):
        st.markdown(f"- {literal(line)}")
    records = localized(report.records, words)
    if records.empty:
        empty.nothing(t("mine.no_training"))
        return
    shown = [
        Column("course_name", "text"),
        badge("state", "certificate", STATES),
        Column("expires_on", "day"),
        Column("score", "tenth"),
    ]
    listing(records, shown, currency=report.currency, alt=t("mine.training"), key="mine_training", rows=8, half=True)
