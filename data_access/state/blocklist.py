"""Whether a long password is one of those that are tried first.

Lists of leaked passwords hold few of 15 and more characters, and those are built alike: a common word twice, two words
and a year, a row of keys, a name and a phone number. So the list holds the parts, and a password is refused that three
parts or fewer make up. That covers every such combination, not only those that have been seen.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

MOST_PARTS = 3

_FILE = Path(__file__).parent / "common_passwords.txt"
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
_MOBILE = re.compile(r"1[3-9]\d{9}")
_REPEATED = re.compile(r"(.)\1+")
_ECHO = re.compile(r"(.{2,}?)\1+")
_LONGEST_NUMBER = 8  # digits of a number that is a date, a year, a door: all of them are tried


def is_guessable(password: str, words: Iterable[str] = ()) -> bool:
    """Whether ``password`` is made of at most three common parts; ``words`` are more of them (names, brands)."""
    folded = password.casefold()
    own = frozenset(part for word in words for part in _own_parts(word))
    texts = {re.sub(r"[\W_]+", "", folded), re.sub(r"[^\w@!$+]+", "", folded)}
    # What is said twice running is said once; but "facai" and "aini" joined only look like it.
    texts |= {_ECHO.sub(r"\1", text) for text in texts}
    return any(_repeats_itself(text) or _parts(text, own) <= MOST_PARTS for text in texts)


@lru_cache(maxsize=1)
def common() -> frozenset[str]:
    """The common parts: passwords and their stems, English and Chinese."""
    lines = _FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split() if _is_part(word))


def _own_parts(word: str) -> set[str]:
    """A name as a whole and its words. Of Chinese names two characters say enough."""
    folded = word.casefold()
    parts = {re.sub(r"[\W_]+", "", folded), *re.findall(r"[^\W_]+", folded)}
    return {part for part in parts if _is_part(part)}


def _is_part(word: str) -> bool:
    return len(word) >= (_LEAST if word.isascii() else 2)


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
