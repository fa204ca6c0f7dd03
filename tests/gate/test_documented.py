"""docs/security.md names the tests that prove what it says: each must exist."""

import re
from pathlib import Path

from tests.gate import test_data_attacks, test_exports, test_oidc, test_sign_outs
from tests.gate.test_attacks import ATTACKS
from tests.test_lints import RULES

ROOT = Path(__file__).parents[2]

WITH_TWINS = [*ATTACKS, *test_exports.ATTACKS, *test_oidc.ATTACKS, *test_sign_outs.ATTACKS, *test_data_attacks.ATTACKS]
CLASSES = 22
# OWASP ASVS 5.0: every requirement of level 1, and those of higher levels that were chosen for this product.
LEVEL_1 = """
1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2
3.5.1 3.5.2 3.5.3 4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7
6.2.8 6.3.1 6.3.2 6.4.1 6.4.2 7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2
9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5 11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1
14.3.1 15.1.1 15.2.1 15.3.1
"""
CHOSEN = """
1.2.10 3.3.2 3.3.3 3.3.4 3.4.3 3.4.6 5.2.3 5.2.4 6.2.9 6.2.10 6.2.11 6.2.12 6.3.3 6.3.8 7.3.1 7.3.2 7.4.5
8.1.2 8.2.3 8.3.2 11.3.3 11.4.2 14.2.2 14.2.3 14.2.6 14.2.7 14.3.2 16.2.1 16.2.2 16.2.5 16.3.1 16.3.2
16.3.3 16.4.1 16.4.2 16.5.1 16.5.2 16.5.3
"""


def test_every_test_and_attack_that_the_document_names_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    written = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    named = set(re.findall(r"`(\w+)`", document))
    unknown = {name for name in named if name.startswith("test_")} - tests
    assert unknown == set()
    attacks = {name for name in named - tests if name.count("_") > 3 and not name.startswith("test_")}
    assert attacks <= {*WITH_TWINS, *RULES}
    assert len(named & tests) > 40


def test_every_class_of_bugs_is_tried_by_something_that_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", document, re.MULTILINE))
    assert list(rows) == [str(number) for number in range(1, CLASSES + 1)]
    written = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    known = {*re.findall(r"^def (test_\w+)", written, re.MULTILINE), *WITH_TWINS, *RULES}
    named = {number: set(re.findall(r"`(\w+)`", row)) for number, row in rows.items()}
    assert {number for number, names in named.items() if not names & known} == set()
    assert {name for names in named.values() for name in names if "_" in name} <= known


def test_every_requirement_of_level_1_has_its_line() -> None:
    document = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    first = [row.split("|")[1] for row in document.splitlines() if re.match(r"\| \d+\.\d+\.\d+", row)]
    named = {one for cell in first for one in re.findall(r"\d+\.\d+\.\d+", cell)}
    for start, end in re.findall(r"(\d+\.\d+\.\d+)–(\d+\.\d+\.\d+)", "".join(first)):
        chapter, _, lowest = start.rpartition(".")
        named |= {f"{chapter}.{number}" for number in range(int(lowest), int(end.rpartition(".")[2]) + 1)}
    assert len(LEVEL_1.split()) == 70
    assert {*LEVEL_1.split(), *CHOSEN.split()} - named == set()


COUNTED = {
    "in `tests/gate/test_attacks.py`": ATTACKS,
    "on sign-in with": test_oidc.ATTACKS,
    "on sign-out by it": test_sign_outs.ATTACKS,
    "on files that leave": test_exports.ATTACKS,
    "on data": test_data_attacks.ATTACKS,
}


def test_the_document_counts_the_attacks_that_there_are() -> None:
    """Each with its guard and without it; at least 60 are asked for."""
    document = " ".join((ROOT / "docs" / "security.md").read_text(encoding="utf-8").split())
    assert len(WITH_TWINS) >= 60
    assert f"**{len(WITH_TWINS)} attacks**" in document
    for where, attacks in COUNTED.items():
        assert re.search(rf"\b{len(attacks)} {re.escape(where)}", document), where
