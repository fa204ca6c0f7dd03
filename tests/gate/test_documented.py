"""docs/security.md names the tests that prove what it says: each must exist."""

import re
from pathlib import Path

from tests.gate import test_exports
from tests.gate.test_attacks import ATTACKS

ROOT = Path(__file__).parents[2]


def test_every_test_and_attack_that_the_document_names_exists() -> None:
    document = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    written = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^def (test_\w+)", written, re.MULTILINE))
    named = set(re.findall(r"`(\w+)`", document))
    unknown = {name for name in named if name.startswith("test_")} - tests
    assert unknown == set()
    attacks = {name for name in named - tests if name.count("_") > 3 and not name.startswith("test_")}
    assert attacks <= {*ATTACKS, *test_exports.ATTACKS}
    assert len(named & tests) > 40
    assert f"{len(ATTACKS)} attacks" in document
