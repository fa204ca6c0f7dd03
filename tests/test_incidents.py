"""A page that fails: the person gets a sentence and a number, the log gets the rest."""

import logging
import re

import pytest
from streamlit.testing.v1 import AppTest

from pages._ui.i18n import LANGUAGES, text


def failing() -> None:
    import streamlit as st

    from pages._gate.incidents import on_script_error
    from pages._ui.i18n import use_language

    use_language(st.session_state["spoken"])
    assert on_script_error(ValueError("password=hunter2 of +86 138 0000 0000")) is True


def refused() -> None:
    from data_access.errors import Problem
    from pages._gate.incidents import on_script_error
    from pages._ui.i18n import use_language

    use_language("en")
    assert on_script_error(Problem("there is no store S9: check the address")) is True


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_failure_is_a_sentence_with_the_number_that_the_log_has(
    language: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = AppTest.from_function(failing, default_timeout=30)
    app.session_state["spoken"] = language
    with caplog.at_level(logging.ERROR, logger="mirror"):
        app.run()
    assert not app.exception
    shown = app.error[0].value
    incident = re.search(r"\b[0-9A-F]{8}\b", shown)
    assert incident is not None
    assert shown == text(language, "shell.failed", incident=incident[0])
    assert "hunter2" not in shown
    (record,) = [record for record in caplog.records if record.name == "mirror"]
    assert incident[0] in record.getMessage()
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])
    again = app.button[0]
    assert again.label == text(language, "shell.retry")
    again.click().run()
    assert app.error[0].value != shown  # the page ran again, and failed under another number


def test_what_the_person_can_mend_is_said_as_it_is() -> None:
    app = AppTest.from_function(refused, default_timeout=30).run()
    assert not app.exception
    assert [warning.value for warning in app.warning] == [
        "This cannot be shown: there is no store S9: check the address"
    ]
