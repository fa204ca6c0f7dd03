"""What people did about the rows of lists: done, assigned to somebody, snoozed until a day, or open again.

Rows are added, never changed: the latest one about a subject counts, the others are its history. Those about a
customer go when the customer is erased. An action belongs to
the store whose row it was, and is seen by whoever has that store in scope; one without a store is the chain's.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select

from data_access.pseudonym import number_of
from data_access.queries import actions as queries
from data_access.queries import places
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import accounts, audit
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.schema import list_action
from data_access.state.store import writing

State = Literal["done", "assigned", "snoozed", "open"]
STATES: tuple[State, ...] = get_args(State)

MOST = 200  # rows at once
LONGEST_NOTE = 140  # characters
LONGEST_SNOOZE = timedelta(days=366)
STAFF = "staff:"  # before the id of somebody who has no account

_KEY = re.compile(r"[\w.:|/ -]{1,200}")


@dataclass(frozen=True, slots=True)
class Subject:
    """A row of a list. kind: what it is about (customer, store, product, ...); key: of a customer the pseudonym.

    store_id: the store whose row it is; None: the chain's.
    """

    list_key: str
    kind: str
    key: str
    store_id: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done: ``until`` belongs to snoozed, ``assignee`` (as in ``assignees``) to assigned."""

    state: State
    until: date | None = None
    assignee: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that was done; ``at`` in UTC, ``actor`` as in the audit log."""

    number: int
    at: datetime
    actor: str
    subject: Subject
    state: State
    until: date | None
    assignee: str | None
    note: str

    def hides(self, today: date) -> bool:
        """Whether the row needs nobody now: it is done, or snoozed beyond ``today``."""
        return self.state == "done" or (self.until is not None and self.until > today)


@dataclass(frozen=True, slots=True)
class Assignee:
    """Somebody to whom a row can be assigned. key: ``staff:ID`` or an account_id, or the role of the demo chain.

    role: of the job (staff) or of the account; store_id: of somebody who works in one.
    """

    key: str
    role: str | None
    store_id: str | None
    name: str = ""


def act(
    engine: Engine,
    snapshot: Snapshot,
    scope: Scope,
    actor: str,
    subjects: Sequence[Subject],
    wish: Wish,
    now: datetime,
) -> int:
    """Does ``wish`` to each of ``subjects``, all or none, with one entry in the audit log; how many there were.

    Rule when a subject lies outside ``scope`` (a customer must be one of the very store), the note holds what it must
    not, the day or the person does not fit, or there are too many.
    """
    wanted = list(dict.fromkeys(subjects))
    if not 0 < len(wanted) <= MOST:
        raise Rule("action_many", f"choose 1 to {MOST} rows")
    _refuse_outside(snapshot, scope, wanted)
    checked = _checked(engine, snapshot, scope, actor, wanted, wish, now)
    with writing(engine) as connection:
        first = (connection.scalar(select(func.max(list_action.c.number))) or 0) + 1
        rows = [
            {
                "number": first + position,
                "at": now,
                "actor": audit.plain(actor),
                "list_key": subject.list_key,
                "subject_kind": subject.kind,
                "subject_key": subject.key,
                "store_id": subject.store_id,
                "state": checked.state,
                "until": checked.until,
                "assignee": checked.assignee,
                "note": checked.note,
            }
            for position, subject in enumerate(wanted)
        ]
        connection.execute(insert(list_action), rows)
        for list_key in dict.fromkeys(subject.list_key for subject in wanted):
            many = sum(subject.list_key == list_key for subject in wanted)
            said = {"state": checked.state, "rows": many, "assignee": checked.assignee or ""}
            audit.append(connection, actor, "list_acted", list_key, said, at=now)
    return len(wanted)


def latest(engine: Engine, scope: Scope, list_key: str | None = None) -> tuple[Action, ...]:
    """What counts of each row that the scope holds, of one list or of all, the latest action first."""
    return _newest(engine, scope, _of_list(list_key))


def assigned_to(engine: Engine, scope: Scope, staff_id: str, today: date) -> tuple[Action, ...]:
    """The rows of the scope that are assigned to somebody of the staff, the latest first."""
    found = latest(engine, scope)
    return tuple(one for one in found if one.assignee == STAFF + staff_id and not one.hides(today))


def done(engine: Engine, scope: Scope, list_key: str | None = None) -> tuple[Action, ...]:
    """The latest time that each row of the scope was done, also where it was opened again since."""
    return _newest(engine, scope, [*_of_list(list_key), list_action.c.state == "done"])


def history(engine: Engine, scope: Scope, kind: str, key: str) -> tuple[Action, ...]:
    """Everything that was done about one subject on any list, as far as the scope holds it, the latest first."""
    c = list_action.c
    query = select(list_action).where(c.subject_kind == kind, c.subject_key == key).order_by(c.number.desc())
    with engine.connect() as connection:
        return tuple(_action(row) for row in connection.execute(scope.limit(query, c.store_id)))


def assignees(
    engine: Engine, snapshot: Snapshot, scope: Scope, actor: str, stores: Collection[str]
) -> tuple[Assignee, ...]:
    """To whom rows of ``stores`` can be assigned by somebody who has ``scope``: oneself, the accounts of their managers
    and of regional heads whose whole region is in scope, marketing for the chain, the staff of the stores; without
    accounts (demo chain) the managers as roles."""
    of_rows = scope.narrow(stores)
    held = {one.account_id: one for one in accounts.everyone(engine)}
    own = held.get(actor)
    found = [Assignee(actor, own.role if own else None, None, own.display_name if own else "")]
    regions = _regions(snapshot, scope, of_rows)
    found += [
        Assignee(one.account_id, one.role, None, one.display_name)
        for one in held.values()
        if one.account_id != actor and not one.disabled and _is_responsible(one, scope, of_rows, regions)
    ]
    if actor.startswith("demo:"):
        keys = [(f"demo:manager:{store_id}", store_id) for store_id in of_rows.store_ids]
        found += [Assignee(key, "manager", store_id) for key, store_id in keys if key != actor]
    for row in queries.people_here(of_rows, snapshot.engine).itertuples(index=False):
        role = row.role if isinstance(row.role, str) else None
        found.append(Assignee(STAFF + str(row.staff_id), role, str(row.store_id)))
    return tuple(found)


def _regions(snapshot: Snapshot, scope: Scope, of_rows: Scope) -> set[str]:
    """The regions of some stores that lie in scope as a whole."""
    chain = places.stores(Scope("chain"), snapshot.engine)
    named = set(chain.loc[chain["store_id"].isin(of_rows.store_ids), "region_id"])
    outside = set(chain.loc[[not scope.allows(store_id) for store_id in chain["store_id"]], "region_id"])
    return named - outside


def _is_responsible(one: Account, scope: Scope, of_rows: Scope, regions: set[str]) -> bool:
    match one.role:
        case "manager":
            return not set(one.stores).isdisjoint(of_rows.store_ids)
        case "regional":
            return not set(one.regions).isdisjoint(regions)
        case "marketing":
            return scope.kind == "chain"
        case "administrator" | "staff":
            return False


def about(engine: Engine, key: str) -> list[dict[str, Any]]:
    """What was done about a customer on any list, the first first: to hand it to the customer, so without who did it.

    Under the key of a customer are the customer's own rows and those of a contact that several customers share.
    """
    c = list_action.c
    query = select(c.at, c.list_key, c.store_id, c.state, c.until, c.note).where(c.subject_key == key)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(query.order_by(c.number)).mappings()]


def forget(connection: Connection, key: str) -> None:
    """Removes what was done about a customer who is erased, in the caller's transaction."""
    connection.execute(delete(list_action).where(list_action.c.subject_key == key))


def _refuse_outside(snapshot: Snapshot, scope: Scope, subjects: Sequence[Subject]) -> None:
    """A row is its store's, and a customer one of that store: whatever a page says is looked up again here."""
    for one in subjects:
        held = scope.kind == "chain" if one.store_id is None else scope.allows(one.store_id)
        if not held or not _KEY.fullmatch(one.key):
            raise Rule("action_subject", "a row of this list lies outside of what this account sees")
    people = {one: number_of(one.key) for one in subjects if one.kind == "customer"}
    if not people:
        return
    numbers = {number for number in people.values() if number is not None}
    here = queries.customers_here(scope, snapshot.engine, numbers) if numbers else None
    pairs = set() if here is None else set(zip(here["customer_no"].tolist(), here["store_id"].tolist(), strict=True))
    known = {number for number, _ in pairs}
    for one, number in people.items():
        if number not in known if one.store_id is None else (number, one.store_id) not in pairs:
            raise Rule("action_subject", "a row of this list lies outside of what this account sees")


def _checked(
    engine: Engine,
    snapshot: Snapshot,
    scope: Scope,
    actor: str,
    subjects: Sequence[Subject],
    wish: Wish,
    now: datetime,
) -> Wish:
    """The wish with only what belongs to it."""
    if wish.state not in STATES:
        raise ValueError(f"no such state: {wish.state!r}")
    note = wish.note.strip()
    personal = "@" in note or re.search(r"\d{5}", re.sub(r"[\s.-]", "", note))
    if len(note) > LONGEST_NOTE or not note.isprintable() or personal:
        raise Rule("action_note", f"a note has at most {LONGEST_NOTE} characters and holds no number or address")
    until = wish.until if wish.state == "snoozed" else None
    if wish.state == "snoozed" and (until is None or not now.date() <= until <= now.date() + LONGEST_SNOOZE):
        raise Rule("action_until", "choose a day within the next year")
    assignee = wish.assignee if wish.state == "assigned" else None
    if wish.state == "assigned":
        stores = {one.store_id for one in subjects if one.store_id is not None}
        if assignee not in {one.key for one in assignees(engine, snapshot, scope, actor, stores)}:
            raise Rule("action_assignee", "choose somebody who is responsible for the store")
    return Wish(wish.state, until, assignee, note)


def _of_list(list_key: str | None) -> list[Any]:
    return [] if list_key is None else [list_action.c.list_key == list_key]


def _newest(engine: Engine, scope: Scope, conditions: Iterable[Any]) -> tuple[Action, ...]:
    c = list_action.c
    subject = (c.list_key, c.subject_kind, c.subject_key)
    newest = scope.limit(select(func.max(c.number)).where(*conditions), c.store_id).group_by(*subject)
    query: Select[Any] = select(list_action).where(c.number.in_(newest)).order_by(c.number.desc())
    with engine.connect() as connection:
        return tuple(_action(row) for row in connection.execute(query))


def _action(row: Row[Any]) -> Action:
    subject = Subject(row.list_key, row.subject_kind, row.subject_key, row.store_id)
    return Action(row.number, row.at, row.actor, subject, row.state, row.until, row.assignee, row.note)
