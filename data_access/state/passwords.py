"""Passwords: which may be chosen, how they are kept, how they are compared.

Kept as argon2id with the library's own parameters (64 MiB, 3 rounds, 4 lanes). As one comparison takes that much
memory and a seventh of a second, two run at a time. Under a flood the newest waits least, after those who come from
where they signed in last: a person who signs in while somebody guesses gets an answer, the guesses pile up behind.
"""

import secrets
import threading
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from data_access.settings import settings
from data_access.state.blocklist import LONGEST, SHORTEST, is_guessable, is_leaked
from data_access.state.rules import Rule

AT_ONCE = 2
WAITING = 16  # in each of the two lines; more than these, and whoever has waited longest is sent away

_hasher = PasswordHasher()
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 characters nobody mixes up
_GENERATED = 20  # characters: 100 bits


def check(password: str, own: Iterable[str] = (), words: Iterable[str] = ()) -> None:
    """Rule when ``password`` is too short, too long or easy to guess.

    ``own``: the person's names; ``words``: names of brands, products and stores.
    """
    length = len(_normal(password))
    if length < SHORTEST:
        raise Rule("password_short", f"a password has at least {SHORTEST} characters: this one has {length}")
    if length > LONGEST:
        raise Rule("password_long", f"a password has at most {LONGEST} characters: this one has {length}")
    leaked = settings().leaked_passwords
    if is_guessable(_normal(password), (*own, *words)) or (leaked and is_leaked(_normal(password), leaked)):
        raise Rule(
            "password_common",
            "this password is easy to guess (leaked passwords, common words, names, dates, rows of keys, "
            "repetition): take four or more words that have nothing to do with each other",
        )


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _turns.turn():
        return _hasher.hash(_normal(password))


def matches(kept: str | None, password: str, *, first: bool = False) -> bool:
    """Whether ``password`` is the one ``kept`` is of. Without one to compare (None) the work is the same.

    ``first``: before all others who wait.
    """
    decoy = _decoy()
    # Nothing longer was ever accepted; hashing it would only cost time.
    text = _normal(password) if len(password) <= 4 * LONGEST else ""
    with _turns.turn(first=first):
        try:
            return _hasher.verify(kept or decoy, text) and kept is not None
        except VerifyMismatchError:
            return False
        except (VerificationError, InvalidHashError):
            # A damaged row lets nobody in.
            return False


def is_outdated(kept: str) -> bool:
    """Whether a kept password was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def generated() -> str:
    """A first password to hand over: 100 random bits, easy to read out."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_GENERATED))
    return "-".join(text[start : start + 5] for start in range(0, _GENERATED, 5))


def _normal(password: str) -> str:
    """One form for one text, however a keyboard composes it."""
    # A lone surrogate is no text; it must fail as a wrong password does, not as an error.
    return unicodedata.normalize("NFKC", password).encode(errors="replace").decode()


@lru_cache(maxsize=1)
def _decoy() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


class _Turns:
    """``AT_ONCE`` at work; of those who wait, the newest is next, the oldest is sent away when they are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = 0
        self._waiting: deque[Future[bool]] = deque()
        self._first: deque[Future[bool]] = deque()

    @contextmanager
    def turn(self, *, first: bool = False) -> Iterator[None]:
        """A place to work in. Rule when too many newer ones came meanwhile."""
        with self._lock:
            place = self._take(self._first if first else self._waiting)
        if place is not None and not place.result():
            raise Rule("busy", "too many people sign in at this moment: try again in a few seconds")
        try:
            yield
        finally:
            with self._lock:
                self._pass_on()

    def _take(self, line: deque[Future[bool]]) -> Future[bool] | None:
        if self._working < AT_ONCE:
            self._working += 1
            return None
        place: Future[bool] = Future()
        line.append(place)
        if len(line) > WAITING:
            line.popleft().set_result(False)
        return place

    def _pass_on(self) -> None:
        line = self._first or self._waiting
        if line:
            line.pop().set_result(True)
        else:
            self._working -= 1


_turns = _Turns()
