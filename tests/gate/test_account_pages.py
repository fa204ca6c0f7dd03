"""The pages on which administrators keep accounts and read the audit log."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data_access.freshness import utc_now
from data_access.settings import settings
from data_access.state import accounts, audit, identities, sessions
from data_access.state.accounts import Account, Rights
from data_access.state.identities import Identity
from data_access.state.store import opened
from pages._gate.identity import Person
from tests.small_chain import served

SHELL = str(Path(__file__).parents[2] / "pages" / "_shell.py")

Visit = Callable[..., AppTest]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


@pytest.fixture
def chief(chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Account:
    """An administrator in a store of this test's own."""
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{tmp_path / 'state.sqlite'}")
    settings.cache_clear()
    rights = Rights("administrator")
    return accounts.create(
        opened(), "terminal:test", "chief", "Chen Wei", rights, "purple-kettle-river-9", utc_now(), initial=False
    )


@pytest.fixture
def visit(chief: Account, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("accounts")`` opens a page as the administrator; ``name=""`` as one who came in with one click."""

    def run(page: str, name: str = "Chen Wei") -> AppTest:
        person = Person("administrator", (), chief.account_id if name else "demo:administrator:", name)
        monkeypatch.setattr("pages._ui.session.identity", lambda: person)
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: "en")
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.switch_page(f"{page}.py").run()
        assert not at.exception
        return at

    return run


def test_a_new_account_gets_a_first_password_that_is_shown_once(visit: Visit) -> None:
    at = visit("accounts")
    at.text_input(key="new0_name").set_value("Li *Na*")
    at.text_input(key="new0_sign_in").set_value("li.na")
    at.button(key="accounts_create").click().run()
    assert [error.value for error in at.error] == ["A store manager needs at least one store."]
    at.multiselect(key="new0_stores").set_value(["S1", "S2"])
    at.button(key="accounts_create").click().run()
    assert [code.value for code in at.code if re.fullmatch("[a-z2-9]{5}(-[a-z2-9]{5}){3}", code.value)]
    made = accounts.find_by_name(opened(), "li.na")
    assert made is not None
    assert made.rights == Rights("manager", ("S1", "S2"))
    assert made.initial_until is not None
    at.run()
    assert not at.code
    assert at.text_input(key="new1_name").value == ""


def test_every_button_of_an_account_does_what_it_says(visit: Visit, chief: Account) -> None:
    rights = Rights("manager", ("S1",))
    known = accounts.create(
        opened(), chief.account_id, "li.na", "Li Na", rights, "purple-kettle-river-9", utc_now(), initial=False
    )
    sessions.begin(opened(), known, utc_now())
    at = visit("accounts")
    at.session_state["accounts_list"] = {"selection": {"rows": [], "columns": [], "cells": [[1, "display_name"]]}}
    at.run()
    at.button(key="accounts_end").click().run()
    assert sessions.active(opened(), utc_now(), known.account_id) == ()
    at.multiselect(key=f"{known.account_id}_stores").set_value(["S2"])
    at.button(key="accounts_save").click().run()
    assert accounts.find(opened(), known.account_id).stores == ("S2",)  # type: ignore[union-attr]
    at.button(key="accounts_disable").click().run()
    assert accounts.find(opened(), known.account_id).disabled  # type: ignore[union-attr]
    at.button(key="accounts_enable").click().run()
    assert not accounts.find(opened(), known.account_id).disabled  # type: ignore[union-attr]
    at.button(key="accounts_password").click().run()
    assert len(at.code) == 1
    done = [entry.action for entry in audit.search(opened(), audit.Filter(person=known.account_id)).entries]
    assert done == [
        "password_changed",
        "account_enabled",
        "account_disabled",
        "account_changed",
        "session_ended",
        "account_created",
    ]


def test_the_last_administrator_stays(visit: Visit, chief: Account) -> None:
    at = visit("accounts")
    at.session_state["accounts_list"] = {"selection": {"rows": [], "columns": [], "cells": [[0, "display_name"]]}}
    at.run()
    at.button(key="accounts_disable").click().run()
    assert "This is the last administrator who can sign in" in at.error[0].value
    assert not accounts.find(opened(), chief.account_id).disabled  # type: ignore[union-attr]


def test_somebody_is_linked_to_the_provider_and_unlinked(
    visit: Visit, chief: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_OIDC_ISSUER", "https://id.example.com")
    monkeypatch.setenv("MIRROR_OIDC_CLIENT_ID", "mirror")
    settings.cache_clear()
    at = visit("accounts")
    at.session_state["accounts_list"] = {"selection": {"rows": [], "columns": [], "cells": [[0, "display_name"]]}}
    at.run()
    at.text_input(key=f"{chief.account_id}_subject").set_value("248289761001 ")
    at.button(key="accounts_link").click().run()
    assert "Issuer and subject are what the provider says" in at.error[0].value
    at.text_input(key=f"{chief.account_id}_subject").set_value("248289761001")
    at.button(key="accounts_link").click().run()
    assert identities.of_account(opened(), chief.account_id) == Identity("https://id.example.com", "248289761001")
    at.checkbox(key=f"{chief.account_id}_break_glass").check().run()
    assert accounts.find(opened(), chief.account_id).break_glass  # type: ignore[union-attr]
    at.button(key="accounts_unlink").click().run()
    assert identities.of_account(opened(), chief.account_id) is None


def test_one_click_entry_can_look_but_not_change(visit: Visit) -> None:
    at = visit("accounts", name="")
    assert "you can look, but only an account can change accounts" in at.info[0].value
    assert {button.key for button in at.button if button.key} & {"accounts_create", "accounts_save"} == set()


def test_the_log_can_be_searched_and_verified(visit: Visit, chief: Account) -> None:
    at = visit("audit")
    frame = at.dataframe[0].value
    assert frame["action"].tolist() == ["account created"]
    assert frame["subject"].tolist() == ["Chen Wei (chief)"]
    at.button(key="audit_verify").click().run()
    assert any("whole: 1" in element.value for element in at.markdown)
    at.selectbox(key="audit_action").set_value("sign_out").run()
    assert not at.dataframe
