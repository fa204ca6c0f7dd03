"""Whether a long password is one of those that are tried first.

Lists of leaked passwords hold few of 15 and more characters, and those are built alike: a common word twice, two words
and a year, a row of keys, a name and a phone number. So the list holds the parts, and a password is refused that three
parts or fewer make up. That covers every such combination, not only those that have been seen.

Beside them lie those of public lists of leaked passwords and of words that are long enough to be chosen (SecLists and
bruteforce-database, both MIT; eight of Probable-Wordlists, CC BY-SA), as digests only: what no rule foresees, such as
names and words of other languages.

What these do not know (leaked passwords, names and everyday words by how often they occur, dates, rows of keys
with turns) zxcvbn does: D. Wheeler, "zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016.
"""

import hashlib
import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from data_access.errors import Problem

SHORTEST, LONGEST = 15, 128  # characters
MOST_PARTS = 3
# Three everyday words are found with fewer guesses, four that have nothing to do with each other are not.
FEWEST_GUESSES = 10**12

_FILE = Path(__file__).parent / "common_passwords.txt"
_LISTED = Path(__file__).parent / "leaked_passwords.bin"
_SHORT = 5  # bytes kept of a digest there: some 17,000 of them, so that one in 60 million others looks like one
_LEAST = 3  # characters a part has; shorter ones make up anything

# Letters that people write as digits and signs; some stand for two.
_DISGUISES: tuple[dict[int, int], ...] = (
    {},
    str.maketrans("@4831!0$57+", "aabeiiosstt"),
    str.maketrans("@4831!0$57+", "aabelloeett"),
)
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1qazxsw23edcvfr45tgbnhy67ujm",
    "1qa2ws3ed4rf5tg6yh7uj8ik9ol0p",
    "1234qwerasdfzxcv",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8i9j0",
    "asdfghjklqwertyuiop",
    "147258369",
    "159357",
    "qweasdzxc",
    "123qweasdzxc",
    "112233445566778899",
    "111222333444555666777888999",
)
_RUNS = (*_ROWS, *(row[::-1] for row in _ROWS))
# Row and column of every key; with shift it is the same key.
_KEYS = {
    key: (row, column)
    for row, keys in enumerate(("`1234567890-=", " qwertyuiop[]\\", " asdfghjkl;'", " zxcvbnm,./"))
    for column, key in enumerate(keys)
    if key != " "
}
_UNSHIFTED = str.maketrans('~!@#$%^&*()_+{}|:"<>?', "`1234567890-=[]\\;',./")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_REPEATED = re.compile(r"(.)\1+")
_ECHO = re.compile(r"(.{2,}?)\1+")
_one_at_a_time = threading.Lock()  # zxcvbn keeps the words of the call in a place for all
_LONGEST_NUMBER = 8  # digits of a number that is a date, a year, a door: all of them are tried


def is_guessable(password: str, words: Iterable[str] = ()) -> bool:
    """Whether ``password`` is made of at most three common parts, or found soon by somebody who tries the likely ones.

    ``words`` are more parts (names, brands).
    """
    folded = password.casefold()
    own = frozenset(part for word in words for part in _own_parts(word))
    texts = {re.sub(r"[\W_]+", "", folded), re.sub(r"[^\w@!$+]+", "", folded)}
    # What is said twice running is said once; but "facai" and "aini" joined only look like it.
    texts |= {_ECHO.sub(r"\1", text) for text in texts}
    if (
        is_listed(folded)
        or _is_walk(folded)
        or any(_repeats_itself(text) or _parts(text, own) <= MOST_PARTS for text in texts)
    ):
        return True
    # Capitals, blanks and signs between words hold up nobody who guesses.
    return any(_guesses(text, own) < FEWEST_GUESSES for text in {folded, re.sub(r"[\W_]+", "", folded)})


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """The common parts: passwords and their stems, English and Chinese."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split() if _is_part(word))


def _guesses(text: str, own: frozenset[str]) -> int:
    """How many passwords somebody tries before this one, the likely ones first."""
    # Its lists take a moment to load, and only who chooses a password needs them.
    from zxcvbn import zxcvbn

    with _one_at_a_time:
        return int(zxcvbn(text, user_inputs=sorted(own), max_length=max(len(text), 1))["guesses"])


def is_listed(password: str) -> bool:
    """Whether this is one of the long passwords and words of public lists, also with figures and signs behind it."""
    folded = password.casefold()
    return any(_digest(text)[:_SHORT] in _listed() for text in (folded, re.sub(r"[\d\W_]+$", "", folded)))


@lru_cache(maxsize=1)
def _listed() -> frozenset[bytes]:
    content = _LISTED.read_bytes()
    return frozenset(content[start : start + _SHORT] for start in range(0, len(content), _SHORT))


def is_leaked(password: str, file: Path) -> bool:
    """Whether a file of leaked passwords, one a line, has this one, in capitals or not. Problem when there is none."""
    try:
        return _digest(password) in _leaked(file, file.stat().st_mtime_ns)
    except OSError as error:
        raise Problem(
            f"{file} in MIRROR_LEAKED_PASSWORDS cannot be read ({error.strerror}): name a text file"
        ) from None


@lru_cache(maxsize=1)
def _leaked(file: Path, _changed: int) -> frozenset[bytes]:
    """Digests of the lines that are long enough to be chosen at all; of lists of millions these are few."""
    with file.open(encoding="utf-8", errors="ignore") as lines:
        texts = (line.rstrip("\r\n") for line in lines)
        return frozenset(_digest(text) for text in texts if len(text) >= SHORTEST)


def _digest(password: str) -> bytes:
    return hashlib.blake2b(password.casefold().encode(errors="replace"), digest_size=12).digest()


def _own_parts(word: str) -> set[str]:
    """A name as a whole and its words. Of Chinese names two characters say enough."""
    folded = word.casefold()
    parts = {re.sub(r"[\W_]+", "", folded), *re.findall(r"[^\W_]+", folded)}
    return {part for part in parts if _is_part(part)}


def _is_part(word: str) -> bool:
    return len(word) >= (_LEAST if word.isascii() else 2)


def _is_walk(text: str) -> bool:
    """Whether fingers find it: at most three walks from key to key beside, or one figure moved over the keys."""
    keys = [_KEYS.get(sign) for sign in text.translate(_UNSHIFTED)]
    known = [key for key in keys if key is not None]
    if len(known) < len(keys):
        return False
    jumps = sum(max(abs(a[0] - b[0]), abs(a[1] - b[1])) > 1 for a, b in pairwise(known))
    return jumps < MOST_PARTS or any(
        len({(b[0] - a[0], b[1] - a[1]) for a, b in zip(known, known[size:], strict=False)}) == 1
        for size in range(2, len(known) // 2 + 1)
    )


def _repeats_itself(text: str) -> bool:
    """Whether the text is one shorter text over and over, the last time perhaps cut off."""
    return any(text == (text[:size] * (len(text) // size + 1))[: len(text)] for size in range(1, len(text) // 2 + 1))


def _parts(text: str, own: frozenset[str]) -> int:
    """The least number of parts that make up ``text``; a character that fits nowhere is one, too, a sign is none."""
    words = common() | own
    longest = max(map(len, words))
    readings = {text.translate(disguise) for disguise in _DISGUISES}
    fewest = [0]
    for end in range(1, len(text) + 1):
        starts = [
            start
            for start in range(end)
            if start == end - 1
            or (end - start <= longest and any(reading[start:end] in words for reading in readings))
            or _is_run(text[start:end])
        ]
        sign = [fewest[-1]] if not text[end - 1].isalnum() else []
        fewest.append(min(sign + [1 + fewest[start] for start in starts]))
    return fewest[-1]


def _is_run(text: str) -> bool:
    """Whether this is a row of keys or letters, one character many times, or a number people know by heart."""
    if text.isdecimal() and (len(text) <= _LONGEST_NUMBER or _MOBILE.fullmatch(text)):
        return True
    if len(text) < _LEAST:
        return False
    return _REPEATED.fullmatch(text) is not None or any(text in run for run in _RUNS)
