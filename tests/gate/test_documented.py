"""docs/security.md names the tests that prove what it says: each must exist."""

import re
from pathlib import Path

from tests.gate import test_data_attacks, test_exports, test_oidc, test_sign_outs
from tests.gate.test_attacks import ATTACKS
from tests.test_lints import RULES

ROOT = Path(__file__).parents[2]

WITH_TWINS = [*ATTACKS, *test_exports.ATTACKS, *test_oidc.ATTACKS, *test_sign_outs.ATTACKS, *test_data_attacks.ATTACKS]
CLASSES = 22


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
    assert f"{len(ATTACKS)} attacks" in document


def test_every_class_of_bugs_is_tried_by_something_that_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| (.+) \|$", document, re.MULTILINE))
    assert list(rows) == [str(number) for number in range(1, CLASSES + 1)]
    written = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    known = {*re.findall(r"^def (test_\w+)", written, re.MULTILINE), *WITH_TWINS, *RULES}
    named = {number: set(re.findall(r"`(\w+)`", row)) for number, row in rows.items()}
    assert {number for number, names in named.items() if not names & known} == {"7"}  # says why there is nothing to try
    assert {name for names in named.values() for name in names if "_" in name} <= known


def test_at_least_ninety_attacks_are_tried_with_and_without_their_guard() -> None:
    assert len(set(WITH_TWINS)) >= 90
