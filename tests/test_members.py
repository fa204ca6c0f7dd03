"""What a click on a segment means; a browser can send anything."""

import pytest

from data_access.queries.segments import Choice
from pages._ui import members
from pages._ui.i18n import speaking


def test_a_click_narrows_the_list() -> None:
    with speaking("en"):
        picked = members.of_segment("loyal")
        cell = members.of_cell("5-1")
    assert picked is not None
    assert picked.choice == Choice("segment", "loyal")
    assert cell is not None
    assert cell.words == "R5 · FM1"


@pytest.mark.parametrize("forged", [None, "", "owner", "loyal.help", "5", "9-9", "1-2-3", "x-y", "' OR 1=1"])
def test_a_forged_click_narrows_nothing(forged: str | None) -> None:
    with speaking("en"):
        assert members.of_segment(forged) is None
        assert members.of_cell(forged) is None
        assert members.of_class(forged) is None
        assert members.of_quadrant(forged) is None
        assert members.of_stage("four_stage", forged) is None
