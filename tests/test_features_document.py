"""docs/features.md answers every number that was asked for, once, with pages that exist."""

import re
from pathlib import Path

from pages._ui.access import BY_KEY

DOCUMENT = Path(__file__).parents[1] / "docs" / "features.md"
ASKED = 163
ROW = re.compile(r"^\| (\d+) \| ([^|]+) \| ([^|]+) \| ([^|]*)\|$", re.MULTILINE)


def rows() -> list[tuple[int, str, str]]:
    found = ROW.findall(DOCUMENT.read_text(encoding="utf-8"))
    return [(int(number), state.strip(), where.strip()) for number, _, state, where in found]


def test_every_number_is_answered_once() -> None:
    assert sorted(number for number, _, _ in rows()) == list(range(1, ASKED + 1))


def test_every_answer_is_one_of_four() -> None:
    assert {state for _, state, _ in rows()} == {"yes", "partly", "planned", "OUT"}


def test_what_is_there_says_where() -> None:
    assert [number for number, state, where in rows() if state in ("yes", "partly") and not where] == []


def test_pages_that_are_named_exist() -> None:
    named = {name for _, _, where in rows() for name in re.findall(r"`(\w+)`", where)}
    assert len(named) > 20
    assert named <= set(BY_KEY)
