"""What a reader sees while an answer is computed."""

import time

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui import load


class Line:
    """A place on a page that remembers what stood in it."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def markdown(self, text: str) -> None:
        self.said.append(text)

    def empty(self) -> None:
        self.said.append("")


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Line:
    place = Line()
    monkeypatch.setattr("pages._ui.load.st.empty", lambda: place)
    monkeypatch.setattr("pages._ui.i18n.language", lambda: "en")
    return place


def test_a_slow_answer_says_what_is_computed_and_for_how_long(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_PATIENCE", 0.01)
    with load.working("segments"):
        time.sleep(1.5)
    first, second, last = line.said
    assert "Computing segments: 0 s" in first
    assert "Computing segments: 1 s" in second
    assert last == ""


def test_a_ready_answer_says_nothing_and_a_failing_one_leaves_nothing(line: Line) -> None:
    with load.working("segments"):
        pass
    with pytest.raises(ZeroDivisionError), load.working("segments"):
        _ = 1 // 0
    assert line.said == ["", ""]


def page() -> None:
    import time

    import streamlit as st

    from pages._ui import load

    with load.working("segments"):
        time.sleep(0.8)
    st.write("the answer")


def test_the_line_is_gone_from_the_page_when_the_answer_is_there() -> None:
    at = AppTest.from_function(page, default_timeout=30).run()
    assert not at.exception
    assert [element.value for element in at.markdown] == ["the answer"]
