"""Who writes and who reads what the app's own store keeps of stores and of the chain: by role, and at the next look
after somebody was moved, got another role or was locked out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.snapshot import Snapshot, current_snapshot
from data_access.state import accounts, actions, audiences, decisions, digests, overrides, targets
from data_access.state.accounts import Account, Rights
from data_access.state.actions import Subject, Wish
from data_access.state.audiences import Draft
from data_access.state.rules import Rule
from data_access.state.store import opened
from pages._ui import session
from pages._ui.digests import send_due
from tests.small_chain import LAST_DAY, served
from tests.state.people import person

NOW = datetime(2026, 11, 20, 9)
NEXT_WEEK = (None, LAST_DAY + timedelta(days=1), LAST_DAY + timedelta(days=7))
ROLES = {
    "S1": Rights("manager", ("S1",)),
    "S2": Rights("manager", ("S2",)),
    "east": Rights("regional", regions=("east",)),  # of S1 and S2
    "south": Rights("regional", regions=("south",)),
    "marketing": Rights("marketing"),
    "administrator": Rights("administrator"),
    "staff": Rights("staff", staff_id="E1"),
}


@dataclass(frozen=True)
class Desk:
    """Where somebody sits: the app's own store, the data, and what the role sees of it at this moment."""

    state: Engine
    data: Snapshot
    scope: Scope
    actor: str


def act(at: Desk) -> None:
    row = Subject("stock", "product", "P1", "S1")
    actions.act(at.state, at.data, at.scope, at.actor, [row], Wish("done"), NOW)


def set_target(at: Desk) -> None:
    targets.put(at.state, at.data, at.scope, at.actor, "S1", date(2026, 12, 1), 1_000, NOW)


def expect_more(at: Desk) -> None:
    overrides.put(at.state, at.data, at.scope, at.actor, NEXT_WEEK, 25.0, 40, "event", NOW)


def decide(at: Desk) -> None:
    decisions.record(at.state, at.scope, at.actor, "coupons", "twice as many", "more buyers", NOW.date(), NOW)


def save_audience(at: Desk) -> None:
    draft = Draft("Winter", "sms", {}, {}, 11, 80, 30, None, "1", LAST_DAY)
    audiences.save(at.state, at.scope, at.actor, draft, np.arange(80, dtype=np.int64), np.arange(80) < 20, NOW)


@dataclass(frozen=True)
class Kept:
    """Something about the store S1, or about the chain: how it is written and read, who may, and who then reads it."""

    write: Callable[[Desk], None]
    read: Callable[[Desk], Any]
    writers: frozenset[str]
    readers: frozenset[str]


THE_CHAIN = frozenset({"marketing"})
WHO_HAS_S1 = frozenset({"S1", "east", "marketing"})
KEPT = {
    "action": Kept(act, lambda at: actions.latest(at.state, at.scope), WHO_HAS_S1, WHO_HAS_S1),
    # That of those who have the store only regional heads set targets is the page's part (tests/test_targets.py).
    "target": Kept(set_target, lambda at: targets.current(at.state, at.scope), WHO_HAS_S1, WHO_HAS_S1),
    "decision": Kept(decide, lambda at: decisions.every(at.state, at.scope), THE_CHAIN, THE_CHAIN),
    "audience": Kept(save_audience, lambda at: audiences.every(at.state, at.scope), THE_CHAIN, THE_CHAIN),
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snapshot]:
    with served(tmp_path_factory.mktemp("chain")) as home:
        yield current_snapshot(home)


@pytest.fixture
def desk(chain: Snapshot, state: Engine) -> Callable[[Account], Desk]:
    """``desk(account)``: with the rights that the account has now."""

    def of(known: Account) -> Desk:
        now = accounts.find(state, known.account_id)
        assert now is not None
        return Desk(state, chain, session.scope_of(session.person(now)), known.account_id)

    return of


def may(work: Callable[[Desk], object], at: Desk) -> bool:
    try:
        work(at)
    except Rule:
        return False
    return True


@pytest.mark.parametrize("what", KEPT)
def test_every_role_writes_and_reads_what_is_its_own(state: Engine, desk: Callable[[Account], Desk], what: str) -> None:
    kept = KEPT[what]
    people = {name: desk(person(state, name.lower(), rights)) for name, rights in ROLES.items()}
    refused = {name for name, at in people.items() if name not in kept.writers and not may(kept.write, at)}
    assert refused == set(ROLES) - kept.writers
    assert not any(kept.read(at) for at in people.values())  # what was refused has left nothing
    for name in sorted(kept.writers):
        kept.write(people[name])
    assert {name for name, at in people.items() if kept.read(at)} == kept.readers


def test_what_is_expected_of_a_place_is_that_places_alone(state: Engine, desk: Callable[[Account], Desk]) -> None:
    people = {name: desk(person(state, name.lower(), rights)) for name, rights in ROLES.items()}
    for name in ("S1", "east", "marketing"):
        expect_more(people[name])
    assert not may(expect_more, people["administrator"])

    def read(at: Desk) -> list[str]:
        return [one.actor for one in overrides.current(at.state, at.data, at.scope)]

    assert {name: read(at) for name, at in people.items()} == {
        name: [people[name].actor] if name in ("S1", "east", "marketing") else [] for name in ROLES
    }
    # Whoever has the region looks at one of its stores by choosing it.
    assert read(replace(people["east"], scope=people["east"].scope.narrow(["S1"]))) == [people["S1"].actor]


@pytest.mark.parametrize("rights", [ROLES["S2"], ROLES["south"]], ids=["another store", "another region"])
@pytest.mark.parametrize("what", ["action", "target"])
def test_whoever_was_moved_has_left_the_old_store_behind(
    state: Engine, desk: Callable[[Account], Desk], what: str, rights: Rights
) -> None:
    kept = KEPT[what]
    person(state, "root", ROLES["administrator"])
    anna, bo = person(state, "anna", ROLES["S1"]), person(state, "bo", ROLES["S1"])
    kept.write(desk(anna))
    accounts.change(state, "root", anna.account_id, NOW, rights=rights)
    assert not kept.read(desk(anna))
    assert not may(kept.write, desk(anna))
    assert len(kept.read(desk(bo))) == 1  # it stays with the store


@pytest.mark.parametrize("what", ["decision", "audience", "target", "action"])
def test_a_role_that_was_taken_back_takes_the_chain_with_it(
    state: Engine, desk: Callable[[Account], Desk], what: str
) -> None:
    kept = KEPT[what]
    person(state, "root", ROLES["administrator"])
    maria = person(state, "maria", ROLES["marketing"])
    kept.write(desk(maria))
    accounts.change(state, "root", maria.account_id, NOW, rights=ROLES["S2"])
    assert not kept.read(desk(maria))
    assert not may(kept.write, desk(maria))


def test_what_was_assigned_to_somebody_who_left_is_seen_by_who_has_the_store(
    state: Engine, desk: Callable[[Account], Desk]
) -> None:
    person(state, "root", ROLES["administrator"])
    anna, bo = person(state, "anna", ROLES["S1"]), person(state, "bo", ROLES["S1"])
    at = desk(bo)
    row = Subject("stock", "product", "P1", "S1")
    actions.act(state, at.data, at.scope, at.actor, [row], Wish("assigned", assignee=anna.account_id), NOW)
    accounts.disable(state, "root", anna.account_id, NOW)
    (found,) = actions.latest(state, desk(bo).scope)
    assert (found.state, found.assignee) == ("assigned", anna.account_id)
    assert not may(
        lambda at: actions.act(
            state, at.data, at.scope, at.actor, [row], Wish("assigned", assignee=anna.account_id), NOW
        ),
        desk(bo),
    )


def test_somebody_who_was_locked_out_gets_no_digest_any_more(chain: Snapshot) -> None:
    state = opened()
    person(state, "root", ROLES["administrator"])
    anna = person(state, "anna", ROLES["S1"])
    digests.subscribe(state, anna.account_id, "overview", "group", "en", digests.EVERY_DAY, 9, NOW, NOW)
    accounts.disable(state, "root", anna.account_id, NOW)
    tomorrow = NOW + timedelta(days=1)
    assert [reason for _, reason, _ in send_due(tomorrow, tomorrow)] == ["no_account"]
