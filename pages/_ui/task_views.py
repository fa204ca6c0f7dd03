"""What needs somebody today: rows that were assigned to them and rows whose day has come, across all lists."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from data_access.scope import Scope
from data_access.state import actions as state
from data_access.state.actions import Action, Subject
from data_access.state.store import opened
from models.reports.actions import WINDOW
from pages._ui import actions, empty, head, load
from pages._ui import format as fmt
from pages._ui.i18n import exists, t, tn
from pages._ui.tables import Column, column, listing

WHOSE = ("mine", "others", "all")


@dataclass(frozen=True, slots=True)
class Tasks:
    """The latest action about each row that still needs somebody, by whom it needs."""

    mine: tuple[Action, ...]
    others: tuple[Action, ...]

    def of(self, whose: str) -> tuple[Action, ...]:
        """The part that one of ``WHOSE`` means, the latest action first."""
        rows = {"mine": self.mine, "others": self.others}.get(whose, (*self.mine, *self.others))
        return tuple(sorted(rows, key=lambda one: one.number, reverse=True))


def tasks(scope: Scope, actor: str) -> Tasks:
    """What is open in the stores of a reader: assigned, or snoozed until a day that has come.

    Theirs (``mine``) is what is assigned to ``actor``, and what they snoozed themselves.
    """
    today = actions.today()
    waiting = [
        one for one in state.latest(opened(), scope) if one.state in ("assigned", "snoozed") and not one.hides(today)
    ]
    mine = [one for one in waiting if (one.assignee if one.state == "assigned" else one.actor) == actor]
    return Tasks(tuple(mine), tuple(one for one in waiting if one not in mine))


def figures(found: Tasks, scope: Scope) -> list[tuple[str, str, str | None]]:
    """Cards: assigned to me, come again, with others, done in the last days."""
    assigned = sum(one.state == "assigned" for one in found.mine)
    today = actions.today()
    done = [one for one in state.done(opened(), scope) if (today - actions.day_of(one)).days < WINDOW]
    return [
        (t("tasks.assigned"), fmt.count(assigned), t("tasks.assigned_help")),
        (t("tasks.again"), fmt.count(len(found.mine) - assigned), t("tasks.again_help")),
        (t("tasks.others"), fmt.count(len(found.others)), t("tasks.others_help")),
        (t("tasks.done", days=WINDOW), fmt.count(len(done)), t("tasks.done_help")),
    ]


def in_words(rows: Sequence[Action]) -> str:
    """How many rows a list holds."""
    return tn("tasks.rows", len(rows), n=fmt.count(len(rows)))


def to_do(rows: Sequence[Action], currency: str) -> None:
    """The list to work through, each row on the list it comes from."""
    if not rows:
        empty.nothing(t("tasks.nothing"))
        return
    frame = listed(rows)
    subjects = [one.subject for one in rows]
    shown = ("subject", "list", "store") if frame["store"].nunique() > 1 else ("subject", "list")
    actions.ticking(
        frame,
        [column(name) for name in shown],
        subjects,
        currency=currency,
        alt=t("page.tasks"),
        key="tasks_list",
        rows=None,
        then=lambda position: actions.open_subject(subjects[position]),
    )


def listed(rows: Sequence[Action]) -> pd.DataFrame:
    """One row per action: subject, marked (what was done, for whom), list and store in words; customer_key where a row
    is about a customer."""
    names = actions.names()
    frame = pd.DataFrame(
        {
            "subject": [named(one.subject) for one in rows],
            "marked": [actions.in_words(one, names) for one in rows],
            "list": [actions.name_of(one.subject.list_key) for one in rows],
            "store": [actions.place(one.subject.store_id) if one.subject.store_id else None for one in rows],
        }
    )
    people = [one.subject.key if one.subject.kind == "customer" else None for one in rows]
    return frame.assign(customer_key=pd.Series(people, dtype=object)) if any(people) else frame


def named(subject: Subject) -> str:
    """What a row is about in words: stores by name, everything else by its key."""
    kind, key = subject.kind, subject.key
    if kind == "store":
        return actions.place(key)
    return t(f"subject.{kind}", id=key.partition("|")[2] or key) if exists(f"subject.{kind}") else key


def came_of(scope: Scope, generation: str, currency: str) -> None:
    """What came of the rows of each list that were done."""
    past = state.done(opened(), scope)
    head.block(t("tasks.came_of"), t("tasks.came_of_note", days=WINDOW))
    if not past:
        empty.nothing(t("tasks.nothing_done"))
        return
    rows = load.came_of(scope, generation, past, WINDOW)
    named = rows.rename(columns={"done": "rows_done", "rate": "bought_share", "waiting": "days_not_over"}).assign(
        list=rows["list_key"].map(actions.name_of), interval=_intervals(rows)
    )
    counts = [Column(name, "count") for name in ("rows_done", "watched", "bought_after")]
    shown = [column("list"), *counts, Column("bought_share", "percent"), column("interval")]
    shown.append(Column("days_not_over", "count"))
    listing(named, shown, currency=currency, alt=t("tasks.came_of"), key="tasks_came_of")
    st.caption(t("tasks.no_proof"))


def _intervals(rows: pd.DataFrame) -> pd.Series:
    texts = [
        None if fmt.is_missing(low) else fmt.between(fmt.percent(low), fmt.percent(high))
        for low, high in zip(rows["lo95"], rows["hi95"], strict=True)
    ]
    return pd.Series(texts, index=rows.index, dtype=object)
