"""Who is signed in: a small signed cookie. The pages read it again on every run; nothing else carries identity."""

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

from itsdangerous import BadSignature, URLSafeTimedSerializer

from data_access.settings import settings

Role = Literal["manager", "regional", "marketing", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

COOKIE = "mirror_identity"
MAX_AGE = 12 * 60 * 60  # seconds: one working day

_KEY_FILE = "identity.key"
_signed_out: dict[str, float] = {}  # sign-in id -> when it may be forgotten


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in: the role and its home, a store for a manager and a region for a regional head."""

    role: Role
    home: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"no such role: {self.role!r}")
        if (self.role in ("manager", "regional")) != bool(self.home):
            raise ValueError(f"a {self.role} has {'no' if self.home else 'a'} home store or region")


def seal(person: Person) -> str:
    """The cookie's value for ``person``.

    The signature holds the moment it was issued. No two sign-ins share a value, so each can be signed out by itself.
    """
    return _serializer().dumps({"role": person.role, "home": person.home, "id": secrets.token_hex(8)})


def unseal(value: str | None) -> Person | None:
    """The person behind a cookie's value; None when it is absent, forged, signed out or older than ``MAX_AGE``."""
    content = _content(value)
    return None if content is None else Person(content["role"], content["home"])


def sign_in_id(value: str | None) -> str | None:
    """What tells this sign-in from every other; None where ``unseal`` gives None."""
    content = _content(value)
    return None if content is None else content["id"]


def revoke(value: str | None) -> None:
    """Signs a cookie's value out: open tabs lose it at their next run. Kept in memory until it would expire anyway."""
    signed_in = sign_in_id(value)
    if signed_in is None:
        return
    now = time.monotonic()
    for known in [known for known, until in _signed_out.items() if until < now]:
        del _signed_out[known]
    _signed_out[signed_in] = now + MAX_AGE


def _content(value: str | None) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        content = _serializer().loads(value, max_age=MAX_AGE)
    except BadSignature:
        return None
    # By id and not by the cookie's text, which can be written in more than one way.
    return None if content["id"] in _signed_out else content


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_key(settings().home), salt=COOKIE)


@lru_cache(maxsize=8)
def _key(home: Path) -> bytes:
    """The signing key, made on first use; only the account that runs the app can read it."""
    file = home / _KEY_FILE
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        fresh = home / f"{_KEY_FILE}.{secrets.token_hex(4)}"
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(secrets.token_bytes(32))
        # A whole file under its name or none; whoever comes second takes the first one's key.
        with contextlib.suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
    return file.read_bytes()
