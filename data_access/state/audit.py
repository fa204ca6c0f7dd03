"""The audit log: who did what, when. Entries are appended, never changed, never removed.

Each entry carries the SHA-256 of the one before and of itself, so a changed, missing or added entry shows. Somebody who
can write the database and computes every later hash anew goes unnoticed here: keep ``head`` somewhere else now and
then, ``verify`` compares it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, insert, or_, select, update

from data_access.state.schema import audit, audit_head
from data_access.state.store import may_write

ACTIONS = (
    "sign_in",
    "sign_in_refused",
    "sign_out",
    "entry",
    "session_ended",
    "denied",
    "account_created",
    "account_changed",
    "account_disabled",
    "account_enabled",
    "password_changed",
    "totp_enrolled",
    "totp_reset",
    "recovery_code_used",
    "recovery_codes_made",
    "setup_link",
    "identity_linked",
    "identity_unlinked",
    "customer_seen",
    "contact_revealed",
    "reveal_refused",
    "exported",
    "incident_recorded",
    "incident_noted",
    "erasure_asked",
    "erasure_begun",
    "erased",
    "erasure_declined",
    "retention_changed",
    "customer_data_taken",
    "list_acted",
    "audience_saved",
    "audience_linked",
    "decision_recorded",
    "decision_reviewed",
    "view_saved",
    "view_changed",
    "view_removed",
    "digest_subscribed",
    "digest_removed",
    "digest_sent",
    "digest_failed",
    "target_set",
    "override_set",
    "event_changed",
    "platform_cost_set",
    "recognition_given",
    "recognition_taken_back",
    "data_brought_in",
)

PAGE = 50  # entries

_LONGEST = 200  # characters, as in the schema
_FIELDS = (audit.c.number, audit.c.at, audit.c.actor, audit.c.action, audit.c.subject, audit.c.detail, audit.c.hash)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. actor and subject: account_id, or what kind of somebody ("terminal:...", "demo:...", "": nobody)."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the log: the number of entries and the hash of the last one."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The first entry that is not what was appended, and in what way."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries: of or about a person (account_id), of one action, from ``since`` on, before ``until``."""

    person: str = ""
    action: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of entries, newest first, and how many there are in all."""

    entries: tuple[Entry, ...]
    page: int
    total: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


def append(
    connection: Connection,
    actor: str,
    action: str,
    subject: str = "",
    detail: Mapping[str, Any] | None = None,
    *,
    at: datetime,
) -> None:
    """Adds an entry in the caller's transaction, which must be one of ``store.writing``: both happen or neither."""
    if not may_write(connection):
        raise RuntimeError("the audit log is appended to inside store.writing only")
    if action not in ACTIONS:
        raise ValueError(f"no such action: {action!r}")
    end = connection.execute(select(audit_head)).one()
    row = {
        "number": end.number + 1,
        "at": at,
        "actor": plain(actor),
        "action": action,
        "subject": plain(subject),
        "detail": _canonical(detail or {}),
    }
    digest = _hash(end.hash, **row)
    connection.execute(insert(audit).values(**row, hash=digest))
    connection.execute(update(audit_head).values(number=end.number + 1, hash=digest))


def plain(text: str) -> str:
    """Text of other people's making, safe in one line of a list or log: no control characters, not endless."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)[
        :_LONGEST
    ]


def head(engine: Engine) -> Head:
    """The end of the log now."""
    with engine.connect() as connection:
        end = connection.execute(select(audit_head)).one()
    return Head(end.number, end.hash)


def verify(engine: Engine, kept: Head | None = None) -> Broken | None:
    """Recomputes every hash; None when the log is whole. ``kept``: an earlier end of it that was kept elsewhere."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            # The entries and the end as they were at one moment; SQLite does so anyway.
            connection.execution_options(isolation_level="REPEATABLE READ")
        end = connection.execute(select(audit_head)).one_or_none()
        rows = connection.execution_options(yield_per=1000).execute(select(*_FIELDS).order_by(audit.c.number))
        return _first_broken(rows, end, kept)


def _first_broken(rows: Iterable[Any], end: Row[Any] | None, kept: Head | None) -> Broken | None:
    number, digest = 0, "0" * 64
    for row in rows:
        if row.number != number + 1:
            return Broken(number + 1, "is missing")
        number, digest = row.number, _hash(digest, **{key: row._mapping[key] for key in _HASHED})
        if digest != row.hash:
            return Broken(number, "is not what was written")
        if kept is not None and kept.number == number and kept.hash != digest:
            return Broken(number, "is not the one that was kept")
    if end is None or number > end.number:
        return Broken(number, "is beyond the end of the log")
    if number < max(end.number, kept.number if kept else 0):
        return Broken(number + 1, "is missing")
    return None if digest == end.hash else Broken(number, "does not fit the end of the log")


def search(engine: Engine, wanted: Filter, page: int = 1) -> Found:
    """The entries of one page, newest first; the nearest page when there is no such one."""
    with engine.connect() as connection:
        total = connection.scalar(_where(select(func.count()).select_from(audit), wanted)) or 0
        page = min(max(1, page), max(1, -(-total // PAGE)))
        query = _where(select(*_FIELDS), wanted).order_by(audit.c.number.desc())
        rows = connection.execute(query.limit(PAGE).offset((page - 1) * PAGE)).all()
    return Found(tuple(_entry(row) for row in rows), page, total)


def _where(query: Select[Any], wanted: Filter) -> Select[Any]:
    if wanted.person:
        query = query.where(or_(audit.c.actor == wanted.person, audit.c.subject == wanted.person))
    if wanted.action:
        query = query.where(audit.c.action == wanted.action)
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    return query


def _entry(row: Row[Any]) -> Entry:
    try:
        detail = json.loads(row.detail)
    except ValueError:
        # Somebody wrote here; the entry must not hide the others.
        detail = {"unreadable": row.detail}
    return Entry(row.number, row.at, row.actor, row.action, row.subject, detail)


_HASHED = ("number", "at", "actor", "action", "subject", "detail")


def _hash(before: str, *, at: datetime, **row: Any) -> str:
    return hashlib.sha256(
        (before + _canonical({**row, "at": at.isoformat(timespec="microseconds")})).encode()
    ).hexdigest()


def _canonical(value: Mapping[str, Any]) -> str:
    """One text for one value, in ASCII: the same in every database, and no line breaks in a log."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
