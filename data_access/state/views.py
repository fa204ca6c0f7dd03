"""Saved views: a page with its filters under a name, for oneself or for everybody of one's role.

A view holds words of an address and nothing that it showed: whoever opens it sees the page with the rights and the
rows of that moment. A shared one names no store, customer or other single thing, so that it tells nobody of another
place anything but its name.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, insert, or_, select, update

from data_access.state import audit
from data_access.state.accounts import Role
from data_access.state.rules import Rule
from data_access.state.schema import account, saved_view
from data_access.state.store import writing

MOST = 30  # views of one person
LONGEST_NAME = 40  # characters
LONGEST_QUERY = 4_000  # characters of all filters together

_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class View:
    """One saved view. actor: whose it is, as in the audit log; role: with whom a shared one is shared."""

    view_id: str
    actor: str
    role: Role
    name: str
    page: str
    query: Mapping[str, str]
    shared: bool


def of(engine: Engine, actor: str, role: Role) -> tuple[View, ...]:
    """The views of a person and those that people of the same role share, by name.

    What somebody shared counts while that person has an account of this role that is not disabled.
    """
    c = saved_view.c
    still = or_(account.c.account_id.is_(None), account.c.role == c.role)
    query = (
        select(*c)
        .join_from(saved_view, account, account.c.account_id == c.actor, isouter=True)
        .where(
            or_(c.actor == actor, c.shared & (c.role == role) & still & account.c.disabled.isnot(True)),
        )
    )
    with engine.connect() as connection:
        found = [_view(row) for row in connection.execute(query)]
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.view_id)))


def save(
    engine: Engine,
    actor: str,
    role: Role,
    name: str,
    page: str,
    query: Mapping[str, str],
    now: datetime,
    *,
    shared: bool = False,
    own: Collection[str] = (),
) -> View:
    """Saves what an address says. ``own``: the filters that name single things, which a shared view leaves out.

    Rule when the name will not do or is taken, the address is too long, or there are too many views.
    """
    kept = _checked(query, () if not shared else own)
    with writing(engine) as connection:
        view = View(uuid4().hex[:12], actor, role, _free(connection, actor, name), page, kept, shared)
        many = connection.execute(select(func.count()).where(saved_view.c.actor == actor)).scalar_one()
        if many >= MOST:
            raise Rule("view_many", f"a person keeps at most {MOST} views: delete one first")
        row = {
            "view_id": view.view_id,
            "actor": audit.plain(actor),
            "role": role,
            "name": view.name,
            "page": page,
            "query": json.dumps(kept, ensure_ascii=False, sort_keys=True),
            "shared": shared,
            "saved_at": now,
        }
        connection.execute(insert(saved_view).values(row))
        _note(connection, "view_saved", view, now)
    return view


def change(
    engine: Engine,
    actor: str,
    role: Role,
    view_id: str,
    name: str,
    now: datetime,
    *,
    shared: bool,
    own: Collection[str] = (),
) -> View:
    """Gives one's own view another name, shares it or takes it back.

    A view that is shared loses the filters in ``own``. Rule as in ``save``, and when it is nobody's of this person.
    """
    with writing(engine) as connection:
        before = _mine(connection, actor, view_id)
        kept = _checked(before.query, () if not shared else own)
        view = View(view_id, actor, role, _free(connection, actor, name, but=view_id), before.page, kept, shared)
        changed = {"name": view.name, "role": role, "shared": shared, "query": json.dumps(kept, ensure_ascii=False)}
        connection.execute(update(saved_view).where(_is(actor, view_id)).values(changed))
        _note(connection, "view_changed", view, now)
    return view


def remove(engine: Engine, actor: str, view_id: str, now: datetime) -> None:
    """Deletes one's own view. Rule when it is nobody's of this person."""
    with writing(engine) as connection:
        view = _mine(connection, actor, view_id)
        connection.execute(delete(saved_view).where(_is(actor, view_id)))
        _note(connection, "view_removed", view, now)


def _checked(query: Mapping[str, str], without: Collection[str]) -> dict[str, str]:
    kept = {name: value for name, value in query.items() if value and name not in without}
    texts = [*kept, *kept.values()]
    if not all(map(_WORD.fullmatch, kept)) or not "".join(texts).isprintable() or sum(map(len, texts)) > LONGEST_QUERY:
        raise Rule("view_filters", f"the filters of a view have at most {LONGEST_QUERY} characters: choose fewer")
    return kept


def _free(connection: Connection, actor: str, name: str, *, but: str = "") -> str:
    """The name, if it will do and no other view of the person has it."""
    wanted = " ".join(name.split())
    personal = "@" in wanted or re.search(r"\d{5}", re.sub(r"[\s.-]", "", wanted))
    if not 0 < len(wanted) <= LONGEST_NAME or not wanted.isprintable() or personal:
        raise Rule("view_name", f"a name has 1 to {LONGEST_NAME} characters and holds no number or address")
    others = select(saved_view.c.name).where(saved_view.c.actor == actor, saved_view.c.view_id != but)
    if wanted.casefold() in {other.casefold() for other in connection.scalars(others)}:
        raise Rule("view_taken", "another view of yours has this name")
    return wanted


def _mine(connection: Connection, actor: str, view_id: str) -> View:
    row = connection.execute(select(saved_view).where(_is(actor, view_id))).one_or_none()
    if row is None:
        raise Rule("no_view", "there is no such view of yours")
    return _view(row)


def _is(actor: str, view_id: str) -> ColumnElement[bool]:
    return (saved_view.c.view_id == view_id) & (saved_view.c.actor == actor)


def _note(connection: Connection, action: str, view: View, now: datetime) -> None:
    detail = {"view": view.view_id, "shared": view.shared}
    audit.append(connection, view.actor, action, view.page, detail, at=now)


def _view(row: Row[Any]) -> View:
    query: dict[str, str] = json.loads(row.query)
    return View(row.view_id, row.actor, row.role, row.name, row.page, query, row.shared)
