"""How the data are protected here and now: only what the program can see for itself.

Whether the disk under it is encrypted, who has a copy, and what a proxy in front does, it cannot see and does not say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from data_access import private, vault
from data_access.errors import Problem

State = Literal["good", "weak", "unknown"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. subject: sealed | keys | crm_connection | state_connection | files. outcome: what
    was found, with its particulars in ``said``."""

    subject: str
    state: State
    outcome: str
    said: Mapping[str, str | int] = field(default_factory=dict)


def checks(home: Path, crm: Engine, state: Engine) -> tuple[Check, ...]:
    """Everything that can be checked."""
    return (*_kept(crm), _connection("crm_connection", crm), _connection("state_connection", state), _files(home))


def _kept(crm: Engine) -> Sequence[Check]:
    """Whether what identifies customers is sealed, and with which keys."""
    try:
        found = vault.status(crm)
    except (DBAPIError, Problem):
        return (Check("sealed", "unknown", "no_answer"),)
    if not found.is_ours:
        return (Check("sealed", "weak", "foreign", {"plain": found.plain}),)
    outcome = "all" if not found.plain else "some" if found.sealed else "none"
    counts = {"sealed": found.sealed, "plain": found.plain}
    kept = Check("sealed", "weak" if found.plain else "good", outcome, counts)
    keys = ", ".join(f"{key} ({rows:,})" for key, rows in sorted(found.keys.items()))
    return (kept, Check("keys", "good", "listed", {"keys": keys})) if keys else (kept,)


def _connection(subject: str, engine: Engine) -> Check:
    """Whether what goes to and from a database is encrypted on its way."""
    try:
        with engine.connect() as connection:
            cipher = _cipher(connection)
    except DBAPIError:
        return Check(subject, "unknown", "no_answer")
    if cipher is None:
        return Check(subject, "good", "local")
    return Check(subject, "good" if cipher else "weak", "tls" if cipher else "plain", {"cipher": cipher})


def _cipher(connection: Connection) -> str | None:
    """The cipher of a connection, '' without one; None for a file on this machine."""
    match connection.dialect.name:
        case "postgresql":
            query = "SELECT CASE WHEN ssl THEN version || ' ' || cipher ELSE '' END FROM pg_stat_ssl"
            return str(connection.exec_driver_sql(f"{query} WHERE pid = pg_backend_pid()").scalar_one())
        case "mysql" | "mariadb":
            return str(connection.exec_driver_sql("SHOW SESSION STATUS LIKE 'Ssl_cipher'").one()[1])
        case _:
            return None


def _files(home: Path) -> Check:
    """Whether others on this machine may read what lies in the home folder."""
    seen = [path.name for path in private.left_open(home)]
    if seen:
        return Check("files", "weak", "open", {"files": ", ".join(seen)})
    return Check("files", "good", "closed")
