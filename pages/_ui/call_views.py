"""Whom a store should call today: a few of those who run out in the next days or stay away longer than they use to,
each with the channels that the customer agreed to."""

from collections.abc import Iterator

import pandas as pd
import streamlit as st

from data_access.state import actions as state
from data_access.state.actions import Subject
from data_access.state.store import opened
from models.reports.run_out import Asked
from pages._ui import actions, drill, empty, head, load, reach, run_out_views, session
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.head import Opened
from pages._ui.i18n import t
from pages._ui.tables import Column, column

AHEAD = 7  # days in which somebody runs out
OF_EACH = 5  # customers of either list
_LOOKED_AT = 500  # of those who run out, the dearest


def to_call(page: Opened) -> None:
    """The list, with what can be done about its rows; each row is one of the list that it comes from."""
    head.block(t("tasks.call"), t("tasks.call_note"), t("tasks.call_help", days=AHEAD, each=OF_EACH))
    with load.working(t("tasks.call")):
        rows = pd.DataFrame([*_running_out(page), *_staying_away(page)], columns=["key", "list_key", "store_id", "why"])
    # Somebody may be on both lists: the one who runs out is a reason to call that the customer sees, too.
    rows = rows.drop_duplicates("key").reset_index(drop=True)
    channels = reach.in_words(page, rows["key"])
    if rows.empty:
        empty.nothing(t("tasks.call_nobody"))
    else:
        subjects = [
            Subject(str(row["list_key"]), "customer", str(row["key"]), str(row["store_id"]))
            for row in rows.to_dict("records")
        ]
        frame = pd.DataFrame(
            {
                "customer_key": rows["key"],
                "call_why": rows["why"],
                "may_reach": channels,
                "store": rows["store_id"].map(actions.place),
                "marked": None,
            }
        )
        who = ("customer_key", "call_why", "may_reach")
        shown: tuple[str, ...] = (*who, "store") if frame["store"].nunique() > 1 else who
        columns = [column(name) for name in shown]
        if narrow():  # who, why below, and how to reach them
            columns = [Column("customer_key", "text", under="call_why"), *columns[1:3]]
        actions.ticking(
            frame,
            columns,
            subjects,
            currency=page.currency,
            alt=t("tasks.call"),
            key="tasks_call",
            rows=None,
            then=lambda position: actions.open_subject(subjects[position]),
        )
    with st.container(horizontal=True, gap="small"):
        for name, icon in (("run_out", ":material/hourglass_bottom:"), ("lapse", ":material/person_off:")):
            if session.may_open(name):
                st.page_link(f"{name}.py", label=t(f"page.{name}"), icon=icon, query_params=drill.link(name))


def _running_out(page: Opened) -> Iterator[tuple[str, str, str, str]]:
    """Of those who run out soon and agree to be called, the dearest: key, list, store and why."""
    due = load.run_out_members(page.scope, page.period.last, Asked(AHEAD), 0, _LOOKED_AT, page.generation)
    rows = run_out_views.people(due)
    kept = rows[rows["may_be_called"] & _waits(page, "run_out", rows)].drop_duplicates("customer_key")
    for row in kept.head(OF_EACH).to_dict("records"):
        words = "tasks.runs_out_short" if narrow() else "tasks.runs_out"
        why = t(words, product=row["product"], day=fmt.day_short(row["expected_on"]))
        yield row["customer_key"], "run_out", row["store_id"], why


def _staying_away(page: Opened) -> Iterator[tuple[str, str, str, str]]:
    """Of those who have not come for longer than they use to and agree to be reached, those with most at risk."""
    rows = load.lapse(page.scope, page.period.last, page.generation).at_risk
    kept = rows[(rows["state"] == "lapsing") & rows["store_id"].notna() & _waits(page, "lapse", rows)]
    kept = kept[reach.in_words(page, kept["customer_key"]).notna()]
    for row in kept.head(OF_EACH).to_dict("records"):
        since, usual = fmt.days(row["days_since"]), fmt.days(round(row["usual_gap"]))
        words = "tasks.stays_away_short" if narrow() else "tasks.stays_away"
        yield row["customer_key"], "lapse", row["store_id"], t(words, since=since, usual=usual)


def _waits(page: Opened, list_key: str, rows: pd.DataFrame) -> pd.Series:
    """Whether nobody has dealt with a customer on this list, and nobody is to."""
    today = actions.today()
    dealt = {
        one.subject.key
        for one in state.latest(opened(), page.scope, list_key)
        if one.hides(today) or one.state == "assigned"
    }
    return ~rows["customer_key"].isin(dealt)
