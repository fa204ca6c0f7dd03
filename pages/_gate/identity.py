"""Who is signed in: a cookie with an opaque token; whose it is stands in the app's own store and is read on every
request and every run of a page. Nothing else carries identity."""

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.responses import Response

from data_access.freshness import utc_now
from data_access.state import sessions
from data_access.state.accounts import ROLES, WITH_HOMES, Role
from data_access.state.sessions import Session
from data_access.state.store import opened
from pages._gate.hosts import is_secure

__all__ = ["ROLES", "Person", "Role", "look", "person_of"]

COOKIE = "mirror"
# The browser takes a cookie of this name over TLS only, for this host only, and from no other path.
SECURE_COOKIE = "__Host-mirror"
MAX_AGE = 12 * 60 * 60  # seconds: when a session ends whatever happens

KEPT_FOR = 1.0  # seconds one look at a session is good for, unless something happens
_MOST = 2_000

_looks: OrderedDict[str, tuple[float, Session | None]] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: the role and its homes, stores for a manager, regions for a regional head, their own id for
    somebody of the staff.

    actor: in the audit log, the account_id of an account. name: as shown; empty for one-click entry to the demo chain.
    may_export: as the account says; ``takes_customers`` counts. sign_in: the session_id, no secret.
    """

    role: Role
    homes: tuple[str, ...] = ()
    actor: str = ""
    name: str = ""
    may_export: bool = False
    sign_in: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"no such role: {self.role!r}")
        if (self.role in WITH_HOMES) != bool(self.homes):
            raise ValueError(f"a {self.role} has {'no' if self.homes else 'a'} home")

    @property
    def takes_customers(self) -> bool:
        """Whether files that name customers may leave with this person; the demo chain's customers are invented."""
        return self.may_export or not self.name


def person_of(session: Session) -> Person:
    """The person a session belongs to, with the rights of this moment."""
    known = session.account
    name, may_export = (known.display_name, known.may_export) if known else ("", False)
    return Person(session.role, session.homes, session.actor, name, may_export, session.session_id)


def token(cookies: Mapping[str, str], *, secure: bool = False) -> str | None:
    """The token among the cookies of a request; over TLS only from the cookie that nobody else can have set."""
    return cookies.get(SECURE_COOKIE) or (None if secure else cookies.get(COOKIE))


def token_of(connection: HTTPConnection) -> str | None:
    """The token that came with a request or a socket."""
    return token(connection.cookies, secure=is_secure(connection))


def look(value: str | None, *, acted: bool = True) -> Session | None:
    """The session behind a token; None when there is none, it has ended, or the account has lost its rights.

    One look serves everybody who asks within ``KEPT_FOR`` seconds. ``acted``: a person has just done something, which
    keeps the session from ending for idleness.
    """
    if not value:
        return None
    kept = _looks.get(value)
    if kept is not None and time.monotonic() - kept[0] < KEPT_FOR:
        return kept[1]
    found = sessions.find(opened(), value, utc_now(), seen=acted)
    with _lock:
        _looks[value] = (time.monotonic(), found)
        _looks.move_to_end(value)
        while len(_looks) > _MOST:
            _looks.popitem(last=False)
    return found


def forget(value: str | None) -> None:
    """Makes the next look a fresh one: before whatever a click starts, and after whatever changes a session."""
    with _lock:
        _looks.pop(value or "", None)


def forget_all() -> None:
    """Makes the next look of everybody a fresh one: after sessions ended whose tokens are not at hand."""
    with _lock:
        _looks.clear()


def give(answer: Response, connection: HTTPConnection, value: str) -> None:
    """Puts a token into the cookie of this browser."""
    secure = is_secure(connection)
    answer.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        value,
        max_age=MAX_AGE,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def take_back(answer: Response, connection: HTTPConnection) -> None:
    """Removes the cookie from this browser, and what pages have kept in it."""
    answer.headers["clear-site-data"] = '"storage"'
    for name, secure in ((COOKIE, False), (SECURE_COOKIE, True)):
        if name in connection.cookies:
            answer.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
