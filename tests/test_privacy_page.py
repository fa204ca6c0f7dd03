"""What an administrator does on the privacy page, on the small chain: no consents, nothing recorded yet."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import insert
from streamlit.testing.v1 import AppTest

from data_access import customer_data, schema
from data_access.crm import crm_engine
from data_access.freshness import utc_now
from data_access.schema import crm
from data_access.state import audit, erasures, incidents, retention
from data_access.state.schema import list_action
from data_access.state.store import opened
from pages._gate.identity import Person
from pages._ui import load, privacy_forms
from pages._ui.i18n import text
from tests.small_chain import served
from tests.test_pages import SHELL, metric, words

WHO = Person("administrator", actor="boss", name="Boss")
Open = Any


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with served(tmp_path / "home") as home:
        yield home


@pytest.fixture
def show(home: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """``show("requests")`` opens the page with that tab."""
    monkeypatch.setattr("pages._ui.session.identity", lambda: WHO)
    monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "en")

    def run(view: str) -> AppTest:
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = "en"
        at.query_params["view"] = view
        at.switch_page("privacy.py").run()
        assert not at.exception
        return at

    return run


def press(at: AppTest, view: str, button: Any) -> None:
    """A click in a tab; the test forgets which tab is open with every run."""
    at.query_params["view"] = view
    button.click().run()


def choose(monkeypatch: pytest.MonkeyPatch, key: str, chosen: str) -> None:
    """A test cannot click into a list: the list says that its row was clicked."""
    real = load.st.dataframe

    def listing(frame: pd.DataFrame, *args: Any, key_of: str = key, **options: Any) -> str | None:
        real(frame)
        return chosen if options["key"] == key_of else None

    monkeypatch.setattr("pages._ui.privacy_views.listing", listing)


def test_without_consents_nothing_is_claimed(show: Open) -> None:
    at = show("consents")
    assert metric(at, "Consent gaps")[0] == metric(at, "Contactable")[0] == "–"
    assert metric(at, "Members")[0] == "40"
    said = words(at)
    assert "The CRM records no consents, so nobody can say." in said
    assert "missing or empty" in said


def test_an_incident_is_recorded_and_its_steps_are_noted(show: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    at = show("incidents")
    assert "No incident has been recorded." in words(at)
    at.text_area[0].input("A tablet of a store is missing.")
    press(at, "incidents", at.button[0])
    (known,) = incidents.everything(opened())
    assert (known.kind, known.summary) == ("misdirected_message", "A tablet of a store is missing.")
    assert utc_now() - known.detected_at < timedelta(minutes=10)
    choose(monkeypatch, "privacy_register", known.incident_id)
    at = show("incidents")
    assert "left to report it" in words(at)
    press(at, "incidents", at.button(key="privacy_contained"))
    assert incidents.everything(opened())[0].steps["contained"] is not None
    at = show("incidents")
    press(at, "incidents", at.button(key="privacy_authority_told"))
    assert "left to report it" not in words(show("incidents"))


def test_what_is_too_short_is_said_where_the_button_is(show: Open) -> None:
    at = show("incidents")
    at.text_area[0].input("short")
    press(at, "incidents", at.button[0])
    assert [error.value for error in at.error] == [text("en", "rule.incident_summary")]
    assert incidents.everything(opened()) == ()


def test_a_request_needs_one_customer_and_is_carried_out_with_a_confirmation(
    show: Open, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = show("requests")
    at.text_input[0].input("C404")
    press(at, "requests", at.button[0])
    assert [error.value for error in at.error] == [text("en", "rule.no_such_customer")]
    at.text_input[0].input("C7")
    press(at, "requests", at.button[0])
    (request,) = erasures.everything(opened())
    assert request.customer_key == customer_data.pseudonym(home, "C7")
    choose(monkeypatch, "privacy_requests", request.request_id)
    at = show("requests")
    assert "C7" not in words(at).replace(request.customer_key, "")
    at.text_input(key="privacy_erase_typed").input("wrong")
    press(at, "requests", at.button(key="privacy_erase"))
    assert [error.value for error in at.error] == [text("en", "rule.erasure_confirm")]
    at.text_input(key="privacy_erase_typed").input(request.customer_key[-4:])
    press(at, "requests", at.button(key="privacy_erase"))
    assert erasures.everything(opened())[0].outcome == "erased"
    with crm_engine(f"sqlite:///{home}/crm.sqlite").connect() as connection:
        assert not customer_data.known(connection, "C7")
        assert customer_data.known(connection, "C8")


def test_a_phone_number_of_two_customers_names_nobody(show: Open, home: Path) -> None:
    with crm_engine(f"sqlite:///{home}/crm.sqlite").begin() as connection:
        for customer_id in ("D1", "D2"):
            connection.execute(insert(schema.customer).values(customer_id=customer_id, phone="13800000009"))
    at = show("requests")
    at.text_input[0].input("138 0000 0009")
    press(at, "requests", at.button[0])
    assert [error.value for error in at.error] == [text("en", "rule.several_customers")]
    assert "13800000009" not in words(at)


def test_rules_change_what_is_due(show: Open) -> None:
    at = show("requests")
    at.number_input[0].set_value(6)
    press(at, "requests", next(button for button in at.button if button.label == "Save"))
    assert retention.months(opened())["customers"] == 6
    assert at.success[0].value == text("en", "privacy.rules_done")


def test_a_customers_file_needs_a_reason_and_is_noted_before_it_is_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages._ui.session.identity", lambda: WHO)
    key = customer_data.pseudonym(home, "C7")
    done = {"number": 1, "at": datetime(2026, 11, 1), "actor": "anna", "list_key": "value", "subject_kind": "customer"}
    with opened().begin() as connection:
        connection.execute(insert(list_action).values(**done, subject_key=key, state="done", note="likes roses"))
    write = privacy_forms._writer("C7", key, "asked at the counter")
    from io import BytesIO

    from pages._gate.exports import Stamp

    file = BytesIO()
    held = write(file, Stamp("f1", "now"))
    assert held.rows > 1
    assert set(held.columns) <= {c.name for table in (*crm.tables.values(), list_action) for c in table.c}
    sheets = pd.read_excel(BytesIO(file.getvalue()), sheet_name=None)
    assert set(sheets["sale_order"]["customer_id"]) == {"C7"}
    assert sheets["list_action"]["note"].tolist() == ["likes roses"]
    actions = [entry.action for entry in audit.search(opened(), audit.Filter()).entries]
    assert actions == ["customer_data_taken"]

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("data_access.state.audit.append", refuse)
    monkeypatch.setattr("data_access.customer_data.everything", lambda *_: pytest.fail("read before it was noted"))
    with pytest.raises(OSError, match="no space left"):
        write(BytesIO(), Stamp("f2", "now"))


def test_protection_says_what_was_looked_at(show: Open) -> None:
    said = words(show("protection"))
    assert "Keys in use" in said or "lie open" in said or "Encrypted in all" in said
    assert "A file on this machine: nothing travels." in said
