"""Who is signed in: a small signed cookie. The pages read it again on every run; nothing else carries identity."""

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal, get_args

from itsdangerous import BadSignature, URLSafeTimedSerializer

from data_access.settings import settings

Role = Literal["manager", "regional", "marketing", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)

COOKIE = "mirror_identity"
MAX_AGE = 12 * 60 * 60  # seconds: one working day

_KEY_FILE = "identity.key"


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
    """The cookie's value for ``person``; the signature holds the moment it was issued."""
    return _serializer().dumps({"role": person.role, "home": person.home})


def unseal(value: str | None) -> Person | None:
    """The person behind a cookie's value; None when it is absent, forged, foreign or older than ``MAX_AGE``."""
    if not value:
        return None
    try:
        content = _serializer().loads(value, max_age=MAX_AGE)
    except BadSignature:
        return None
    try:
        return Person(content["role"], content["home"])
    except (KeyError, TypeError, ValueError):
        return None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_key(settings().home), salt=COOKIE)


@lru_cache(maxsize=8)
def _key(home: Path) -> bytes:
    """The signing key, made on first use; only the account that runs the app can read it."""
    file = home / _KEY_FILE
    home.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return file.read_bytes()
    with os.fdopen(handle, "wb") as opened:
        opened.write(secrets.token_bytes(32))
    return file.read_bytes()
