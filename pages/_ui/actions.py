"""Doing something about the rows of a list: marking them done, assigning or snoozing them, on any page.

A list takes part with two calls in the place of ``tables.listing``:

    todo = actions.board("value")  # the name of the list: a text ``list.value`` in both catalogues
    todo.listing(todo.rows(people), shown, currency=page.currency, alt=..., key="value_members")

The frame has the columns of its kind (``customer_key`` for customers; see ``KINDS``) and ``store_id``, the store whose
row it is (missing: the chain's). A click on a cell opens the page of the kind; ticked rows get a row of choices. A list
that is read page by page leaves out by itself what is hidden, by ``todo.wanted``, as ``pages/value.py`` does, and
calls no ``rows``. ``todo.came_of(page.generation)`` says beneath what came of it all. One
of several lists of a page has a name such as ``lapse.due``. What may be done is checked where it is written
(``data_access.state.actions``), with the rights of that moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal, get_args

import pandas as pd
import streamlit as st

from data_access.freshness import utc_now
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.state import accounts
from data_access.state import actions as state
from data_access.state.actions import LONGEST_NOTE, LONGEST_SNOOZE, STAFF, Action, Assignee, State, Subject, Wish
from data_access.state.store import opened
from models.reports.actions import WINDOW
from pages._ui import drill, export, freshness, load, session
from pages._ui import format as fmt
from pages._ui.attempt import attempt, writer
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.i18n import localized_text, t, tn, word
from pages._ui.tables import MOST_COLUMNS, Column, choosing, column

Show = Literal["open", "done", "snoozed", "all"]
SHOWN: tuple[Show, ...] = get_args(Show)

# Kind of row -> the columns that make its key, and the page it opens with them.
KINDS: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "customer": (("customer_key",), "customer"),
    "store": (("store_id",), "store"),
    "product": (("product_id",), "product"),
    "stock": (("store_id", "product_id"), "product"),
    "campaign": (("campaign_id",), "campaign"),
    "order": (("order_id",), "order"),
    "staff": (("staff_id",), None),
    "supplier": (("supplier_id",), None),
    "duplicate": (("group_key",), None),
}

MARKED = "marked"  # the column of what was done
_SAID = "actions_said"
_SNOOZE = timedelta(days=7)  # unless told


@dataclass(frozen=True, slots=True)
class Board:
    """What was done on one list, as far as the reader may know, and which of its rows are wanted."""

    list_key: str
    kind: str
    show: Show
    today: date
    found: Mapping[str, Action]

    @property
    def parameter(self) -> str:
        """What the URL calls the choice of rows."""
        return _parameter(self.list_key)

    @property
    def without(self) -> tuple[str, ...]:
        """The keys that the list leaves out."""
        return self._keys(lambda one: one.hides(self.today)) if self.show == "open" else ()

    @property
    def only(self) -> tuple[str, ...] | None:
        """The keys that the list is to consist of; None: every other one."""
        match self.show:
            case "done":
                return self._keys(lambda one: one.state == "done")
            case "snoozed":
                return self._keys(lambda one: one.state == "snoozed" and one.hides(self.today))
            case _:
                return None

    @property
    def wanted(self) -> Wanted:
        """The same, for lists of customers that are read page by page."""
        return Wanted(self.only, self.without)

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a whole list that are wanted."""
        if self.wanted == EVERYBODY:
            return frame.reset_index(drop=True)
        keys = _keys(frame, self.kind)
        kept = ~keys.isin(self.without) if self.only is None else keys.isin(self.only)
        return frame[kept].reset_index(drop=True)

    def marked(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows with ``marked``: what was done about each, by whom and when, in words; missing without anything."""
        known = names()
        return _with_texts(frame, self.kind, {key: in_words(one, known) for key, one in self.found.items()})

    def for_file(self, read: Callable[[], pd.DataFrame]) -> Callable[[], pd.DataFrame]:
        """``read`` with ``marked``, its words chosen now: files are written on a thread that knows no language.

        Without the notes, which may say what is not for a file that is passed on.
        """
        known = names()
        texts = {key: said(one, known) for key, one in self.found.items()}
        return lambda: _with_texts(read(), self.kind, texts)

    def listing(
        self,
        frame: pd.DataFrame,
        columns: Sequence[Column],
        *,
        currency: str,
        alt: str,
        key: str,
        rows: int | None = None,
        then: Callable[[int], object] | None = None,
    ) -> None:
        """Draws which rows are shown and the list with what was done about each; a click opens a row, ticked rows can
        be acted on.

        then: what a click does with the position of its row, where another page is meant than that of the kind.
        """
        choice(self.parameter, SHOWN, words="actions.show", width=190)
        if frame.empty:
            st.caption(t(f"actions.nothing.{self.show}"))
            return
        keys, stores = _keys(frame, self.kind), _stores(frame)
        subjects = [Subject(self.list_key, self.kind, *row) for row in zip(keys, stores, strict=True)]
        opening = then or partial(_open, subjects)
        page = KINDS[self.kind][1]
        may_open = then is not None or (page is not None and session.may_open(page))
        ticking(
            self.marked(frame),
            columns,
            subjects,
            currency=currency,
            alt=alt,
            key=key,
            rows=rows,
            then=opening if may_open else None,
        )

    def came_of(self, generation: str) -> None:
        """What came of the rows of this list that were done, in a sentence; nothing while none was."""
        scope = session.current_scope()
        past = state.done(opened(), scope, self.list_key)
        if past:
            st.caption(outcome(load.came_of(scope, generation, past, WINDOW).iloc[0]))

    def _keys(self, wanted: Callable[[Action], bool]) -> tuple[str, ...]:
        return tuple(sorted(key for key, one in self.found.items() if wanted(one)))


def in_file(list_key: str, rows: pd.DataFrame) -> export.Unread:
    """The rows of a list of customers for a file: with what was done about each, once the file is chosen."""
    columns = [*(str(column) for column in rows if column != MARKED), MARKED]
    return export.Unread(columns, len(rows), board(list_key).for_file(lambda: rows))


def board(list_key: str, kind: str = "customer") -> Board:
    """What was done on the list ``list_key``, and which of its rows the URL asks for."""
    asked = st.query_params.get(_parameter(list_key), SHOWN[0])
    show: Show = asked if asked in SHOWN else SHOWN[0]
    found = state.latest(opened(), session.current_scope(), list_key)
    return Board(list_key, kind, show, today(), {one.subject.key: one for one in found if one.subject.kind == kind})


def _parameter(list_key: str) -> str:
    return "rows_" + list_key.partition(".")[2] if "." in list_key else "rows"


def today() -> date:
    """The day on the reader's clock."""
    return freshness.local(utc_now()).date()


def day_of(one: Action) -> date:
    """The day of an action on the reader's clock."""
    return freshness.local(one.at).date()


def name_of(list_key: str) -> str:
    """The name of a list in words."""
    return word("list", list_key)


def in_words(one: Action, known: Mapping[str, str]) -> str:
    """What was done, for whom, by whom, when, and the note."""
    return f"{said(one, known)} · {one.note}" if one.note else said(one, known)


def said(one: Action, known: Mapping[str, str]) -> str:
    """What was done, for whom, by whom and when."""
    what = t(f"actions.said.{one.state}", until=fmt.day(one.until), whom=_person(one.assignee or "", known))
    by = t("actions.by", who=_person(one.actor, known), at=fmt.day(day_of(one)))
    return f"{what} · {by}"


def outcome(row: pd.Series) -> str:
    """A row of ``models.reports.actions.came_of`` in words, with the warning that belongs to it."""
    texts = {name: fmt.count(row[name]) for name in ("done", "customers", "watched", "bought_after", "waiting")}
    if not row["watched"]:
        return t("actions.came_of_waiting" if row["customers"] else "actions.came_of_done", days=WINDOW, **texts)
    shares = {name: fmt.percent(row[name]) for name in ("rate", "lo95", "hi95")}
    return t("actions.came_of", days=WINDOW, **texts, **shares)


@st.fragment
def ticking(
    frame: pd.DataFrame,
    columns: Sequence[Column],
    subjects: Sequence[Subject],
    *,
    currency: str,
    alt: str,
    key: str,
    rows: int | None,
    then: Callable[[int], object] | None,
) -> None:
    """A list whose rows can be ticked, and what can be done about them. Ticking draws nothing else of the page again.

    frame: with ``marked``; subjects: of its rows in their order; then: what a click does with the position of its row.
    """
    told = st.session_state.pop(f"{_SAID}_{key}", None)
    if told:
        st.toast(told, icon=":material/check:")
    turn = st.session_state.get(f"{key}_turn", 0)
    position = frame.assign(position=range(len(frame)))
    opened_row, ticked = choosing(
        position,
        _with_mark(columns),
        currency=currency,
        alt=alt,
        key=f"{key}_{turn}" if turn else key,
        opens="position" if then else None,
        rows=rows,
    )
    if opened_row is not None and then is not None:
        then(int(opened_row))
    if ticked:
        _choices([subjects[row] for row in ticked], key)
    else:
        st.caption(t("actions.tick"))


def _with_mark(columns: Sequence[Column]) -> list[Column]:
    """The columns with what was done: last, or beside the name in a narrow window."""
    mark = column(MARKED)
    kept = list(columns)[:MOST_COLUMNS]
    return [kept[0], mark, *kept[1:]] if narrow() else [*kept, mark]


def _choices(subjects: Sequence[Subject], key: str) -> None:
    """What can be done about the ticked rows; the button stays in sight however long the list is."""
    many = tn("actions.ticked", len(subjects), n=fmt.count(len(subjects)))
    with (
        st.container(key=f"{key}_row_actions"),
        st.popover(many, type="primary", icon=":material/done_all:", width="stretch" if narrow() else "content"),
    ):
        what: State = st.segmented_control(
            t("actions.what"),
            state.STATES,
            default="done",
            format_func=lambda one: t(f"actions.{one}"),
            key=f"{key}_what",
            required=True,
            width="stretch",
        )
        until, assignee = None, None
        if what == "snoozed":
            until = st.date_input(
                t("actions.until"),
                today() + _SNOOZE,
                min_value=today() + timedelta(days=1),
                max_value=today() + LONGEST_SNOOZE - timedelta(days=1),
                format="YYYY-MM-DD",
                key=f"{key}_until",
            )
        elif what == "assigned":
            assignee = _assignee(subjects, key)
        note = st.text_input(
            t("actions.note"),
            max_chars=LONGEST_NOTE,
            key=f"{key}_note",
            help=t("actions.note_help"),
            autocomplete="off",
        )
        st.caption(t("actions.note_warning"))
        if st.button(
            tn(f"actions.do.{what}", len(subjects), n=fmt.count(len(subjects))),
            type="primary",
            key=f"{key}_do",
            width="stretch",
        ):
            _act(subjects, Wish(what, until, assignee, note), key)


def _assignee(subjects: Sequence[Subject], key: str) -> str | None:
    """Whom the rows go to: the people of their stores."""
    stores = {one.store_id for one in subjects if one.store_id is not None}
    scope, actor = session.current_scope(), session.current_person().actor
    found = {one.key: one for one in state.assignees(opened(), load.snapshot(), scope, actor, stores)}
    chosen: str | None = st.selectbox(
        t("actions.assignee"), list(found), format_func=lambda one: _offered(found[one]), key=f"{key}_assignee"
    )
    return chosen


def _act(subjects: Sequence[Subject], wish: Wish, key: str) -> None:
    """Writes what was chosen and draws the page again; a broken rule is said where the button is."""
    scope, actor = writer()

    def again(many: int) -> None:
        st.session_state[f"{_SAID}_{key}"] = tn(f"actions.noted.{wish.state}", many, n=fmt.count(many))
        st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1
        st.rerun()

    attempt(lambda: state.act(opened(), load.snapshot(), scope, actor, subjects, wish, utc_now()), again)


def _open(subjects: Sequence[Subject], position: int) -> None:
    """Opens the page of a row."""
    open_subject(subjects[position])


def open_subject(subject: Subject) -> None:
    """Opens what a row is about; nothing where no page is."""
    columns, page = KINDS[subject.kind]
    if page is not None:
        ids = dict(zip(columns, subject.key.split("|"), strict=False))
        drill.open_page(page, **{name.removesuffix("_id").removesuffix("_key"): value for name, value in ids.items()})


def _with_texts(frame: pd.DataFrame, kind: str, texts: Mapping[str, str]) -> pd.DataFrame:
    marks = [texts.get(key) for key in _keys(frame, kind)]
    return frame.assign(**{MARKED: pd.Series(marks, index=frame.index, dtype=object)})


def _keys(frame: pd.DataFrame, kind: str) -> pd.Series:
    """The key of each row."""
    parts = [frame[name].astype(str) for name in KINDS[kind][0]]
    return pd.Series(["|".join(row) for row in zip(*parts, strict=True)], index=frame.index, dtype=object)


def _stores(frame: pd.DataFrame) -> list[str | None]:
    """The store whose row each is."""
    if "store_id" not in frame:
        return [None] * len(frame)
    return [None if fmt.is_missing(store_id) else str(store_id) for store_id in frame["store_id"]]


def names() -> dict[str, str]:
    """Every account by its id."""
    return {known.account_id: known.display_name for known in accounts.everyone(opened())}


def _person(key: str, known: Mapping[str, str]) -> str:
    """An actor or assignee in words."""
    if key == session.current_person().actor:
        return t("actions.me")
    if key.startswith(STAFF):
        return t("actions.staff", id=key.removeprefix(STAFF))
    kind, _, rest = key.partition(":")
    if kind == "demo":
        role, _, home = rest.partition(":")
        return t("actions.role_of", role=t(f"role.{role}"), home=place(home)) if home else t(f"role.{role}")
    return known.get(key, key)


def _offered(one: Assignee) -> str:
    """Somebody in the box of those to whom a row can be assigned."""
    parts = [_person(one.key, {one.key: one.name})]
    if one.key.startswith(STAFF) and one.role:
        parts.append(word("job", one.role))
    elif one.name and one.role:
        parts.append(t(f"role.{one.role}"))
    if one.key.startswith(STAFF) and one.store_id and session.current_person().role != "manager":
        parts.append(place(one.store_id))
    return " · ".join(parts)


def place(place_id: str) -> str:
    """A store or region by its name."""
    stores = load.places(load.generation())
    for kind in ("store", "region"):
        found = stores.loc[stores[f"{kind}_id"] == place_id, kind]
        if len(found):
            return localized_text(f"{kind}.name", found.iloc[0])
    return place_id
