"""Rows of lists that people deal with: what counts, who sees and may do it, what came of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from data_access.freshness import utc_now
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.scope import Scope
from data_access.snapshot import Snapshot, current_snapshot
from data_access.state import actions, audit
from data_access.state.actions import Action, Subject, Wish, act
from data_access.state.audit import Filter
from data_access.state.rules import Rule
from data_access.state.schema import list_action
from data_access.state.store import writing
from models.reports.actions import came_of
from pages._ui.actions import Board
from pages._ui.i18n import LANGUAGES, text
from tests.small_chain import served
from tests.test_pages import PEOPLE, SHELL, words

CHAIN, S1, S2 = Scope("chain"), Scope("stores", ("S1",)), Scope("stores", ("S2",))
EAST = Scope("stores", ("S1", "S2"))
NOW = datetime(2026, 11, 22, 3)
DONE = Wish("done")


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield home


@pytest.fixture
def snapshot(chain: Path) -> Snapshot:
    return current_snapshot(chain)


@pytest.fixture
def of(chain: Path) -> Any:
    """``of("S1")``: a row of the list of the value page, about the customer of that store's order of 20 November."""
    number = {"S1": 1, "S2": 2, "S3": 3}

    def row(store_id: str, list_key: str = "value") -> Subject:
        name = f"C{date(2026, 11, 20).toordinal() * number[store_id] % 40}"
        key = customer_key(customer_number(secret_key(chain), name))
        return Subject(list_key, "customer", key, store_id)

    return row


def test_the_latest_action_counts_and_the_others_stay(state: Engine, snapshot: Snapshot, of: Any) -> None:
    row = of("S1")
    act(state, snapshot, S1, "anna", [row], Wish("snoozed", until=date(2026, 12, 1), note="on holiday"), NOW)
    act(state, snapshot, S1, "anna", [row], DONE, NOW + timedelta(days=9))
    (found,) = actions.latest(state, S1, "value")
    assert (found.subject, found.state, found.until, found.at) == (row, "done", None, NOW + timedelta(days=9))
    assert [one.state for one in actions.history(state, S1, "customer", row.key)] == ["done", "snoozed"]
    assert actions.latest(state, S1, "lapse") == ()


def test_a_snoozed_row_comes_back_on_its_day(state: Engine, snapshot: Snapshot, of: Any) -> None:
    act(state, snapshot, S1, "anna", [of("S1")], Wish("snoozed", until=date(2026, 12, 1)), NOW)
    (found,) = actions.latest(state, S1)
    assert found.hides(date(2026, 11, 30))
    assert not found.hides(date(2026, 12, 1))


def test_everybody_sees_the_actions_of_their_own_stores_only(state: Engine, snapshot: Snapshot, of: Any) -> None:
    act(state, snapshot, CHAIN, "maria", [of("S1"), of("S2"), of("S3")], DONE, NOW)
    act(state, snapshot, CHAIN, "maria", [Subject("demand", "product", "P1", None)], DONE, NOW)
    seen = {scope: sorted(str(one.subject.store_id) for one in actions.latest(state, scope)) for scope in (S1, EAST)}
    assert seen == {S1: ["S1"], EAST: ["S1", "S2"]}
    # The customers of S1 and S3 are the same one: the chain knows the latest of both.
    assert [one.subject.store_id for one in actions.latest(state, CHAIN)] == [None, "S3", "S2"]
    assert actions.latest(state, Scope("stores")) == ()


def test_of_one_customer_a_region_sees_the_latest_and_each_store_its_own(
    state: Engine, snapshot: Snapshot, of: Any
) -> None:
    # A customer of both stores, who is C0 in S1 on the days whose number is a multiple of 40, in S2 of 20.
    shared = of("S2")
    both = [replace(shared, store_id="S1"), shared]
    act(state, snapshot, S2, "bo", both[1:], DONE, NOW)
    act(state, snapshot, S1, "anna", both[:1], Wish("open"), NOW)
    assert [one.state for one in actions.latest(state, S2)] == ["done"]
    assert [one.state for one in actions.latest(state, EAST)] == ["open"]


REFUSED = [
    # scope, store of the row -> refused: another store's row; the chain's own; a store that does not know the customer
    (S1, "S2"),
    (EAST, "S3"),
    (S1, None),
    (CHAIN, "S9"),
    (Scope("stores"), "S1"),
]


@pytest.mark.parametrize(("scope", "store_id"), REFUSED)
def test_nobody_writes_about_rows_of_others(
    state: Engine, snapshot: Snapshot, of: Any, scope: Scope, store_id: str | None
) -> None:
    row = replace(of("S1"), store_id=store_id)
    with pytest.raises(Rule, match="outside") as refused:
        act(state, snapshot, scope, "anna", [of("S1"), row] if scope is S1 else [row], DONE, NOW)
    assert refused.value.key == "action_subject"
    assert actions.latest(state, CHAIN) == ()  # nor about the rows beside it


def test_a_key_of_nobody_is_no_customer_of_the_store(state: Engine, snapshot: Snapshot, of: Any) -> None:
    for key in ("c" + "0" * 15, "C1", "=1+1", ""):
        with pytest.raises(Rule, match="outside"):
            act(state, snapshot, S1, "anna", [replace(of("S1"), key=key)], DONE, NOW)


WRONG = [
    (Wish("done", note="call 138 0013 8000"), "action_note"),
    (Wish("done", note="li@example.com"), "action_note"),
    (Wish("done", note="two\nlines"), "action_note"),
    (Wish("done", note="x" * 141), "action_note"),
    (Wish("snoozed"), "action_until"),
    (Wish("snoozed", until=date(2026, 11, 21)), "action_until"),
    (Wish("snoozed", until=date(2027, 12, 1)), "action_until"),
    (Wish("assigned"), "action_assignee"),
    (Wish("assigned", assignee="staff:nobody"), "action_assignee"),
]


@pytest.mark.parametrize(("wish", "key"), WRONG)
def test_what_does_not_fit_is_refused(state: Engine, snapshot: Snapshot, of: Any, wish: Wish, key: str) -> None:
    with pytest.raises(Rule) as refused:
        act(state, snapshot, S1, "anna", [of("S1")], wish, NOW)
    assert refused.value.key == key


def test_too_many_rows_and_none_are_refused(state: Engine, snapshot: Snapshot, of: Any) -> None:
    rows = [Subject("stock", "product", f"P{number}", "S1") for number in range(201)]
    for wrong in ([], rows):
        with pytest.raises(Rule, match="1 to 200"):
            act(state, snapshot, S1, "anna", wrong, DONE, NOW)
    assert act(state, snapshot, S1, "anna", rows[:200], DONE, NOW) == 200


def test_the_log_says_who_did_what_to_how_many_rows(state: Engine, snapshot: Snapshot, of: Any) -> None:
    act(state, snapshot, EAST, "anna", [of("S1"), of("S2")], DONE, NOW)
    (entry,) = audit.search(state, Filter(action="list_acted")).entries
    assert (entry.actor, entry.subject, entry.detail["rows"]) == ("anna", "value", 2)


def test_a_row_is_assigned_to_oneself_and_the_demo_chain_to_its_managers(
    state: Engine, snapshot: Snapshot, of: Any
) -> None:
    offered = actions.assignees(state, snapshot, EAST, "demo:regional:east", {"S1"})
    assert [one.key for one in offered] == ["demo:regional:east", "demo:manager:S1"]
    wish = Wish("assigned", assignee="demo:manager:S1", note="please call")
    act(state, snapshot, EAST, "demo:regional:east", [of("S1")], wish, NOW)
    assert actions.latest(state, S1)[0].assignee == "demo:manager:S1"
    with pytest.raises(Rule, match="responsible"):
        act(state, snapshot, EAST, "demo:regional:east", [of("S2")], wish, NOW)


def test_what_was_done_about_somebody_is_told_and_goes_when_that_customer_is_erased(
    state: Engine, snapshot: Snapshot, of: Any
) -> None:
    act(state, snapshot, S1, "anna", [of("S1")], Wish("done", note="likes roses"), NOW)
    act(state, snapshot, S2, "bo", [of("S2")], DONE, NOW)
    (told,) = actions.about(state, of("S1").key)
    assert (told["list_key"], told["store_id"], told["state"], told["note"]) == ("value", "S1", "done", "likes roses")
    assert "anna" not in str(told)
    with writing(state) as connection:
        actions.forget(connection, of("S1").key)
    assert actions.about(state, of("S1").key) == []
    with state.connect() as connection:
        assert connection.scalars(select(list_action.c.store_id)).all() == ["S2"]


def done_at(row: Subject, at: datetime) -> Action:
    return Action(1, at, "anna", row, "done", None, None, "")


def test_what_came_of_it_counts_purchases_within_the_window(snapshot: Snapshot, of: Any) -> None:
    # S1 has one order a day, so each of its 40 customers buys there every 40 days, at 14:00 in Shanghai.
    row = of("S1")  # bought on 20 November and 11 October
    cases = {
        datetime(2026, 10, 11, 7): (1, 0, 0),  # after the purchase of the day: the next one is 40 days later
        datetime(2026, 10, 11, 5): (1, 1, 0),  # an hour before it
        datetime(2026, 9, 12): (1, 1, 0),  # 29 days before it
        datetime(2026, 9, 10): (1, 0, 0),  # 31 days before it
        datetime(2026, 11, 1): (0, 0, 1),  # bought since, but its 30 days are not over
    }
    for at, expected in cases.items():
        (found,) = came_of(snapshot, S1, [done_at(row, at)]).to_dict("records")
        assert (found["watched"], found["bought_after"], found["waiting"]) == expected, at
        assert (found["done"], found["customers"]) == (1, 1)


def test_what_came_of_it_has_its_interval_and_knows_lists_apart(snapshot: Snapshot, of: Any) -> None:
    past = [done_at(of("S1"), datetime(2026, 9, 12)), done_at(of("S1", "lapse"), datetime(2026, 9, 10))]
    past += [done_at(Subject("stock", "product", "P1", "S1"), datetime(2026, 9, 12))]
    found = came_of(snapshot, S1, past).set_index("list_key")
    assert found["rate"].fillna(-1).to_dict() == {"lapse": 0, "stock": -1, "value": 1}
    # Wilson, one of one: 1 / (1 + 1.96^2) to 1
    assert found.loc["value", "lo95"] == pytest.approx(1 / (1 + 1.959964**2), abs=1e-6)
    assert found.loc["value", "hi95"] == pytest.approx(1)
    assert found.loc["stock", ["done", "customers", "watched"]].tolist() == [1, 0, 0]


Visit = Callable[..., AppTest]


@pytest.fixture
def visit(chain: Path, state: Engine, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """``visit("manager")`` opens the tasks of somebody; ``marks`` are written before."""

    def run(role: str, language: str = "en", **query: str) -> AppTest:
        monkeypatch.setattr("pages._ui.session.identity", lambda: replace(PEOPLE[role], actor=f"demo:{role}"))
        monkeypatch.setattr("pages._ui.i18n.preferred", lambda tags: language)
        for module in ("actions", "task_views", "call_views"):
            monkeypatch.setattr(f"pages._ui.{module}.opened", lambda: state)
        at = AppTest.from_file(SHELL, default_timeout=60)
        at.query_params["lang"] = language
        for name, value in query.items():
            at.query_params[name] = value
        at.switch_page("tasks.py").run()
        return at

    return run


def test_whom_to_call_today_comes_from_the_lists_and_goes_when_it_is_done(
    visit: Visit, state: Engine, snapshot: Snapshot, of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = of("S1").key
    due = pd.DataFrame({"customer_key": [key], "may_be_called": True, "product": "Serum", "store_id": "S1"})
    away = pd.DataFrame({"customer_key": [key, "c1", "c2"], "state": "lapsing", "days_since": 90, "usual_gap": 30.0})
    expected = due.assign(expected_on=pd.Timestamp(2026, 11, 24))
    monkeypatch.setattr("pages._ui.run_out_views.people", lambda *_: expected)
    lapse = SimpleNamespace(at_risk=away.assign(store_id="S1"))
    monkeypatch.setattr("pages._ui.load.lapse", lambda *_: lapse)
    # Of the two who stay away "c2" agreed to nothing, so nobody is asked to reach them.
    agreed = {"customer_key": [key, key, "c1"], "channel": ["phone", "sms", "wechat"]}
    purposes = {"purpose": ["marketing", "service", "marketing"]}
    monkeypatch.setattr("pages._ui.load.reach", lambda *_: pd.DataFrame(agreed | purposes))

    def calls() -> dict[str, tuple[str, str]]:
        (rows,) = [frame.value for frame in visit("manager").dataframe if "call_why" in frame.value]
        return dict(zip(rows["customer_key"], zip(rows["call_why"], rows["may_reach"], strict=True), strict=True))

    assert calls() == {
        key: ("Runs out around Nov 24: Serum", "Phone · SMS (service only)"),
        "c1": ("Not here for 90 days, usually 30 days", "WeChat"),
    }
    for list_key in ("run_out", "lapse"):
        act(state, snapshot, S1, "demo:manager", [replace(of("S1"), list_key=list_key)], DONE, utc_now())
    assert list(calls()) == ["c1"]
    assert not [frame for frame in visit("marketing").dataframe if "call_why" in frame.value]


@pytest.mark.parametrize("language", LANGUAGES)
def test_tasks_are_what_is_assigned_to_me_and_what_is_due_again(
    visit: Visit, state: Engine, snapshot: Snapshot, of: Any, language: str
) -> None:
    now = utc_now()
    mine, again, later = of("S1"), Subject("stock", "product", "P1", "S1"), Subject("stock", "product", "P2", "S1")
    act(state, snapshot, S1, "demo:manager", [mine], Wish("assigned", assignee="demo:manager", note="roses"), now)
    for row, day in ((again, now.date()), (later, now.date() + timedelta(days=9))):
        act(state, snapshot, S1, "demo:manager", [row], Wish("snoozed", until=day), now)
    at = visit("manager", language)
    assert not at.exception
    assert "⟦" not in words(at)
    assert [card.value for card in at.metric] == ["1", "1", "0", "0"]
    (rows,) = [frame.value for frame in at.dataframe if "subject" in frame.value]
    assert rows["subject"].tolist() == [text(language, "subject.product", id="P1"), mine.key]
    assert "roses" in rows["marked"].iloc[1]


def test_others_see_what_waits_in_their_stores_and_nobody_more(
    visit: Visit, state: Engine, snapshot: Snapshot, of: Any
) -> None:
    act(state, snapshot, S1, "demo:manager", [of("S1")], Wish("assigned", assignee="demo:manager"), utc_now())
    act(state, snapshot, Scope("stores", ("S3",)), "x", [of("S3")], Wish("assigned", assignee="x"), utc_now())
    at = visit("regional", whose="others")
    assert [card.value for card in at.metric] == ["0", "0", "1", "0"]
    assert "Nothing waits" in words(visit("regional"))


def test_what_came_of_it_is_said_with_its_limits(visit: Visit, state: Engine, snapshot: Snapshot, of: Any) -> None:
    act(state, snapshot, S1, "demo:manager", [of("S1")], DONE, datetime(2026, 9, 12))
    said = words(visit("manager"))
    assert "no proof of cause" in said
    assert "20.7% to 100.0%" in said  # 1 / (1 + 1.96^2) = 0.207


LIST = pd.DataFrame({"customer_key": ["c" + "0" * 15, "c" + "1" * 15], "store_id": ["S1", "S1"]})


def marked(subject: str, state_: str, until: date | None = None) -> Action:
    return Action(1, NOW, "anna", Subject("value", "customer", subject, "S1"), state_, until, None, "")  # type: ignore[arg-type]


@pytest.mark.parametrize(("show", "rows"), [("open", [1]), ("done", [0]), ("snoozed", []), ("all", [0, 1])])
def test_a_list_hides_what_is_done_unless_it_is_asked_for(show: Any, rows: list[int]) -> None:
    done, due = LIST["customer_key"]
    found = {done: marked(done, "done"), due: marked(due, "snoozed", date(2026, 11, 22))}
    todo = Board("value", "customer", show, date(2026, 11, 22), found)
    assert todo.rows(LIST)["customer_key"].tolist() == LIST["customer_key"].iloc[rows].tolist()
    numbers = np.array([0, 0x111111111111111])
    assert np.flatnonzero(todo.wanted.among(numbers)).tolist() == rows


def test_a_row_of_a_stock_list_is_a_product_in_a_store() -> None:
    stock = pd.DataFrame({"store_id": ["S1", "S2"], "product_id": ["P1", "P1"]})
    found = {"S1|P1": marked("S1|P1", "done")}
    todo = Board("stock", "stock", "open", date(2026, 11, 22), found)
    assert todo.rows(stock)["store_id"].tolist() == ["S2"]
