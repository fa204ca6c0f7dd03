"""Saved views: whose they are, who else sees them, what they say, and that whoever opens one sees the own rows."""

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from streamlit.testing.v1 import AppTest

from data_access.state import accounts, audit, views
from data_access.state.accounts import Rights
from data_access.state.audit import Filter
from data_access.state.rules import Rule
from data_access.state.store import opened, prepare, state_engine
from data_access.state.views import View
from pages._gate.identity import Person
from pages._ui import saved_views
from pages._ui.i18n import text
from tests.small_chain import served
from tests.state.people import person
from tests.test_pages import SHELL, words

NOW = datetime(2026, 11, 22, 3)
PLACES = frozenset({"stores", "store"})
ANNA, BO = Person("manager", ("S1",), "demo:manager:S1"), Person("manager", ("S2",), "demo:manager:S2")


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    engine = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(engine)
    yield engine
    engine.dispose()


def names(state: Engine, actor: str, role: accounts.Role = "manager") -> list[str]:
    return [one.name for one in views.of(state, actor, role)]


def save(state: Engine, actor: str, name: str = "Mornings", **more: Any) -> View:
    return views.save(state, actor, "manager", name, "value", {"period": "7d", "stores": "S1"}, NOW, **more)


def test_a_view_is_for_oneself_until_it_is_shared_with_the_role(state: Engine) -> None:
    view = save(state, "anna")
    assert names(state, "bo") == []
    views.change(state, "anna", "manager", view.view_id, "For all", NOW, shared=True, own=PLACES)
    assert names(state, "bo") == names(state, "anna") == ["For all"]
    assert names(state, "maria", "marketing") == []
    assert [entry.action for entry in audit.search(state, Filter(person="anna")).entries] == [
        "view_changed",
        "view_saved",
    ]


def test_what_is_shared_names_no_place_and_what_is_private_keeps_it(state: Engine) -> None:
    assert save(state, "anna").query == {"period": "7d", "stores": "S1"}
    assert save(state, "anna", "Shared", shared=True, own=PLACES).query == {"period": "7d"}


def test_nobody_changes_or_deletes_the_view_of_another(state: Engine) -> None:
    view = save(state, "anna", shared=True)
    with pytest.raises(Rule, match="no such view"):
        views.remove(state, "bo", view.view_id, NOW)
    with pytest.raises(Rule, match="no such view"):
        views.change(state, "bo", "manager", view.view_id, "Mine now", NOW, shared=False)
    views.remove(state, "anna", view.view_id, NOW)
    assert names(state, "anna") == []


def test_what_somebody_shared_goes_with_the_role_and_the_account(state: Engine) -> None:
    lena = person(state, "lena").account_id
    person(state, "root", Rights("administrator"))
    save(state, lena, shared=True)
    assert names(state, "bo") == ["Mornings"]
    accounts.change(state, "root", lena, NOW, rights=Rights("marketing"))
    assert names(state, "bo") == names(state, "maria", "marketing") == []
    accounts.change(state, "root", lena, NOW, rights=Rights("manager", ("S1",)))
    assert names(state, "bo") == ["Mornings"]
    accounts.disable(state, "root", lena, NOW)
    assert names(state, "bo") == []


REFUSED = {
    "view_name": [{"name": " "}, {"name": "x" * 41}, {"name": "call 138 0013 8000"}, {"name": "a\x00b"}],
    "view_taken": [{"name": "MORNINGS"}],
    "view_filters": [{"query": {"stores": "x" * 4001}}, {"query": {"<b>": "1"}}, {"query": {"period": "a\nb"}}],
}


@pytest.mark.parametrize(("rule", "wish"), [(rule, wish) for rule, wishes in REFUSED.items() for wish in wishes])
def test_a_name_and_filters_must_do(state: Engine, rule: str, wish: dict[str, Any]) -> None:
    save(state, "anna")
    with pytest.raises(Rule) as broken:
        views.save(state, "anna", "manager", wish.get("name", "New"), "value", wish.get("query", {}), NOW)
    assert broken.value.key == rule


def test_a_person_keeps_thirty(state: Engine) -> None:
    for number in range(views.MOST):
        save(state, "anna", f"View {number}")
    with pytest.raises(Rule, match="at most 30"):
        save(state, "anna", "One more")
    assert save(state, "bo").name == "Mornings"


# --- in the menu ------------------------------------------------------------------------------------------------------


@pytest.fixture
def visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """``visit(ANNA, "overview", period="7d")``: a page as somebody."""

    def run(who: Person, page: str, language: str = "en", **query: str) -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: who)
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        at = AppTest.from_file(SHELL, default_timeout=60)
        for name, value in {"lang": language, **query}.items():
            at.query_params[name] = value
        return at.switch_page(f"{page}.py").run()

    with served(tmp_path):
        yield run


def press(at: AppTest, key: str) -> AppTest:
    (button,) = [one for one in at.button if one.key == key]
    return button.click().run()


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_view_is_saved_opened_renamed_and_deleted_in_the_menu(visit: Callable[..., AppTest], language: str) -> None:
    at = visit(ANNA, "overview", language, period="7d")
    at.text_input(key="views_name").input("A *week*")
    at = press(at, "FormSubmitter:views_save-" + text(language, "views.save"))
    (view,) = views.of(opened(), ANNA.actor, "manager")
    assert (view.name, view.page, view.query, view.shared) == ("A *week*", "overview", {"period": "7d"}, False)

    elsewhere = press(visit(ANNA, "glossary", language), f"view_{view.view_id}")
    assert not elsewhere.exception
    assert elsewhere.title[0].value == text(language, "page.overview")
    assert elsewhere.session_state["filter_period"] == "7d"

    at = visit(ANNA, "overview", language)
    at.text_input(key=f"views_name_{view.view_id}").input("Week")
    at = press(at, f"FormSubmitter:views_change_{view.view_id}-" + text(language, "views.change"))
    assert [one.name for one in views.of(opened(), ANNA.actor, "manager")] == ["Week"]
    press(at, f"views_delete_{view.view_id}")
    assert views.of(opened(), ANNA.actor, "manager") == ()


@pytest.mark.parametrize("guard", [True, False], ids=["with the guard", "without it"])
def test_whoever_opens_a_shared_view_sees_the_own_stores(
    visit: Callable[..., AppTest], guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not guard:
        monkeypatch.setattr("pages._ui.saved_views._own", lambda person: frozenset())
    at = visit(ANNA, "overview", stores="S1", period="7d")
    at.text_input(key="views_name").input("Shared week")
    at.checkbox(key="views_save_shared").check()
    press(at, "FormSubmitter:views_save-Save")
    (view,) = views.of(opened(), BO.actor, "manager")
    # Without the guard the other manager is told which store it is about; its rows stay out of sight all the same.
    assert view.query == ({"period": "7d"} if guard else {"period": "7d", "stores": "S1"})
    of_bo = press(visit(BO, "glossary"), f"view_{view.view_id}")
    assert of_bo.session_state["filter_period"] == "7d"
    assert "Hangzhou" in words(of_bo)
    assert "Nanjing" not in words(of_bo)
    assert f"views_delete_{view.view_id}" not in [one.key for one in of_bo.button]


def test_a_shared_view_keeps_the_kind_of_campaign_and_leaves_out_the_campaign() -> None:
    assert "campaign" in saved_views._own(ANNA)
    assert "by_type" not in saved_views._own(ANNA)


def test_a_view_of_a_page_that_the_role_has_lost_is_not_offered(visit: Callable[..., AppTest]) -> None:
    views.save(opened(), BO.actor, "manager", "Log", "audit", {}, NOW)
    keys = [one.key for one in visit(BO, "glossary").button]
    assert not any(str(key).startswith("view_") for key in keys)
