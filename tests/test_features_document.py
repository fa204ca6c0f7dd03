"""docs/features.md answers every number that was asked for, once, with pages that exist; docs/complaints.md every
complaint about other dashboards, with pages and tests that exist."""

import re
from pathlib import Path

from pages._ui.access import BY_KEY

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "features.md"
COMPLAINTS = ROOT / "docs" / "complaints.md"
COMPLAINED = 19
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


def complaints() -> list[tuple[int, str, str]]:
    found = re.findall(r"^\| (\d+) \|.*\| ([^|]+) \| ([^|]+) \|$", COMPLAINTS.read_text(encoding="utf-8"), re.MULTILINE)
    return [(int(number), pages, tests) for number, pages, tests in found]


def test_every_complaint_is_answered_once() -> None:
    assert [number for number, _, _ in complaints()] == list(range(1, COMPLAINED + 1))


def test_every_answer_is_seen_on_pages_that_exist() -> None:
    for number, pages, _ in complaints():
        named = re.findall(r"`(\w+)`", pages)
        assert named or pages == "all", number
        assert set(named) <= set(BY_KEY), number


def test_every_answer_is_held_by_tests_that_exist() -> None:
    for number, _, tests in complaints():
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", tests)
        assert named, number
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8"), (number, test)
