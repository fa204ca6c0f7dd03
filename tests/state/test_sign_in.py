"""Signing in: who comes in, that everybody else gets the same answer for the same work, and that guessing is slow."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, event, select, update

from data_access.state import accounts, audit, passwords, schema, sessions, sign_in
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.sign_in import Refused, attempt, with_code
from data_access.state.store import writing
from tests.state.people import ANOTHER, MINUTE, NOW, PASSWORD, person
from tests.state.test_totp import code, enrolled

HERE = "10.0.0.7"


@dataclass
class Work:
    """What an attempt has cost: hashes and statements."""

    hashes: int = 0
    statements: list[str] = field(default_factory=list)


@pytest.fixture
def work(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    passwords._decoy()
    done = Work()

    class Counting(PasswordHasher):
        def hash(self, password, *, salt=None):  # type: ignore[no-untyped-def]
            done.hashes += 1
            return super().hash(password, salt=salt)

        def verify(self, hash, password):  # type: ignore[no-untyped-def]
            done.hashes += 1
            return super().verify(hash, password)

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        done.statements.append(" ".join(statement.split()[:3]))

    monkeypatch.setattr(passwords, "_hasher", Counting())
    event.listen(engine, "before_cursor_execute", note)
    yield done
    event.remove(engine, "before_cursor_execute", note)


def reasons(engine: Engine) -> list[str]:
    found = audit.search(engine, audit.Filter(action="sign_in_refused")).entries
    return [entry.detail["reason"] for entry in found][::-1]


def test_the_right_password_opens_and_is_logged(engine: Engine) -> None:
    who = person(engine, "wang")
    found = attempt(engine, " WANG ", PASSWORD, "", HERE, NOW)
    assert isinstance(found, Account)
    assert (found.account_id, found.signed_in_at) == (who.account_id, NOW)
    entry = audit.search(engine, audit.Filter(action="sign_in")).entries[0]
    assert (entry.actor, entry.subject, entry.detail) == (who.account_id, who.account_id, {"address": HERE})
    assert sessions.find(engine, sessions.begin(engine, found, NOW), NOW) is not None


@pytest.mark.parametrize("name", ["wang", "nobody", "", "wang\0", "\ud800", "x" * 100_000])
def test_anything_else_is_wrong(engine: Engine, name: str) -> None:
    person(engine, "wang")
    assert attempt(engine, name, ANOTHER, "", HERE, NOW) == Refused("wrong")
    assert reasons(engine) == ["wrong"]


def test_what_was_typed_as_a_name_is_not_logged(engine: Engine) -> None:
    attempt(engine, "my-secret-password-in-the-wrong-field", "", "", HERE, NOW)
    entry = audit.search(engine, audit.Filter()).entries[0]
    assert (entry.actor, entry.subject, entry.detail) == ("", "", {"reason": "wrong", "address": HERE})


def test_a_disabled_account_and_an_old_first_password_do_not_open(engine: Engine) -> None:
    wang, li = person(engine, "wang"), person(engine, "li", initial=True)
    accounts.disable(engine, "a", wang.account_id, NOW)
    assert attempt(engine, "wang", PASSWORD, "", HERE, NOW) == Refused("disabled")
    assert attempt(engine, "wang", ANOTHER, "", HERE, NOW) == Refused("wrong")
    assert isinstance(attempt(engine, "li", PASSWORD, "", HERE, NOW + timedelta(days=7) - MINUTE), Account)
    assert attempt(engine, "li", PASSWORD, "", HERE, NOW + timedelta(days=7)) == Refused("expired")
    accounts.set_password(engine, li.account_id, li.account_id, ANOTHER, NOW, initial=False)
    assert isinstance(attempt(engine, "li", ANOTHER, "", HERE, NOW + timedelta(days=70)), Account)


def test_a_known_and_an_unknown_name_cost_the_same_work(engine: Engine, work: Work) -> None:
    """So that time does not tell which names exist."""
    person(engine, "wang")
    disabled = person(engine, "li")
    accounts.disable(engine, "a", disabled.account_id, NOW)
    costs = []
    for address, name in (("10.0.0.1", "wang"), ("10.0.0.2", "nobody"), ("10.0.0.3", "li")):
        work.hashes, work.statements = 0, []
        assert attempt(engine, name, ANOTHER, "", address, NOW) == Refused("wrong")
        writes = [statement for statement in work.statements if not statement.startswith("SELECT")]
        costs.append((work.hashes, writes))
    assert costs[0] == costs[1] == costs[2]
    assert costs[0][0] == 1


def test_without_the_decoy_the_work_would_tell(engine: Engine, work: Work, monkeypatch: pytest.MonkeyPatch) -> None:
    matches = passwords.matches

    def hasty(kept: str | None, password: str, **_: object) -> bool:
        return kept is not None and matches(kept, password)

    monkeypatch.setattr(passwords, "matches", hasty)
    person(engine, "wang")
    attempt(engine, "wang", ANOTHER, "", HERE, NOW)
    known, work.hashes = work.hashes, 0
    attempt(engine, "nobody", ANOTHER, "", HERE, NOW)
    assert (known, work.hashes) == (1, 0)


def test_the_decoy_is_made_with_the_parameters_of_today() -> None:
    assert not passwords.is_outdated(passwords._decoy())


@pytest.mark.parametrize("name", ["wang", "nobody"])
def test_after_five_wrong_ones_nothing_opens_and_nothing_is_computed(engine: Engine, work: Work, name: str) -> None:
    person(engine, "wang")
    for _ in range(5):
        assert attempt(engine, name, ANOTHER, "", HERE, NOW) == Refused("wrong")
    work.hashes = 0
    assert attempt(engine, name, PASSWORD, "", HERE, NOW) == Refused("locked")
    assert work.hashes == 0
    opened = attempt(engine, name, PASSWORD, "", HERE, NOW + MINUTE)
    assert isinstance(opened, Account) == (name == "wang")
    assert reasons(engine)[:5] == ["wrong"] * 5


def test_nobody_elsewhere_locks_a_person_out_of_the_own_place(sqlite: Engine) -> None:
    person(sqlite, "wang")
    assert isinstance(attempt(sqlite, "wang", PASSWORD, "", HERE, NOW), Account)
    for _ in range(6):
        attempt(sqlite, "wang", ANOTHER, "", "203.0.113.9", NOW)
    assert attempt(sqlite, "wang", PASSWORD, "", "203.0.113.9", NOW) == Refused("locked")
    assert isinstance(attempt(sqlite, "wang", PASSWORD, "", HERE, NOW), Account)


def test_guesses_at_the_same_moment_do_not_slip_through(sqlite: Engine) -> None:
    person(sqlite, "wang")
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: attempt(sqlite, "wang", ANOTHER, "", HERE, NOW), range(12)))
    assert sorted(answer.reason for answer in answers if isinstance(answer, Refused)) == ["locked"] * 7 + ["wrong"] * 5


@pytest.mark.parametrize("signed_in_before", [True, False])
def test_a_flood_of_guesses_leaves_room_for_one_who_belongs_here(sqlite: Engine, signed_in_before: bool) -> None:
    """Fifty guesses at fifty names from one address. Who has signed in from here before is next, whatever comes after;
    anybody else is, once the flood has arrived."""
    person(sqlite, "wang")
    if signed_in_before:
        assert isinstance(attempt(sqlite, "wang", PASSWORD, "", HERE, NOW), Account)
    with ThreadPoolExecutor(51) as pool:
        flood = [pool.submit(attempt, sqlite, f"n{number}", ANOTHER, "", HERE, NOW) for number in range(50)]
        while (
            not signed_in_before and sum(guess.done() for guess in flood) < 50 - passwords.WAITING - passwords.AT_ONCE
        ):
            time.sleep(0.001)
        mine = pool.submit(attempt, sqlite, "wang", PASSWORD, "", HERE, NOW).result(60)
        answers = [guess.result(60) for guess in flood]
    assert isinstance(mine, Account)
    assert {answer.reason for answer in answers if isinstance(answer, Refused)} <= {"wrong", "busy"}
    assert len(answers) == 50


def test_a_busy_moment_is_not_held_against_anybody(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    person(sqlite, "wang")

    def busy(*_: object, **__: object) -> bool:
        raise Rule("busy", "too many")

    with monkeypatch.context() as patched:
        patched.setattr(passwords, "matches", busy)
        for _ in range(20):
            assert attempt(sqlite, "wang", PASSWORD, "", HERE, NOW) == Refused("busy")
    assert isinstance(attempt(sqlite, "wang", PASSWORD, "", HERE, NOW), Account)


def test_a_hash_of_yesterdays_parameters_is_replaced_at_the_next_sign_in(sqlite: Engine) -> None:
    who = person(sqlite, "wang")
    old = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    with writing(sqlite) as connection:
        connection.execute(update(schema.account).values(password=old))
    found = attempt(sqlite, "wang", PASSWORD, "", HERE, NOW)
    assert isinstance(found, Account)
    assert found.epoch == who.epoch
    with sqlite.connect() as connection:
        kept = connection.scalar(select(schema.account.c.password))
    assert kept is not None
    assert not passwords.is_outdated(kept)
    assert isinstance(attempt(sqlite, "wang", PASSWORD, "", HERE, NOW), Account)


def test_with_codes_a_password_alone_opens_nothing(engine: Engine) -> None:
    who, key, _ = enrolled(engine)
    at = NOW + 10 * MINUTE
    asked = attempt(engine, "ada", PASSWORD, "", HERE, at)
    assert isinstance(asked, Refused)
    assert asked.reason == "code_needed"
    assert sessions.find(engine, asked.ticket, at) is None
    found = with_code(engine, asked.ticket, code(key, at), HERE, at)
    assert isinstance(found, Account)
    assert found.account_id == who.account_id
    assert with_code(engine, asked.ticket, code(key, at + MINUTE), HERE, at + MINUTE) == Refused("wrong")


def test_password_and_code_in_one_step(sqlite: Engine) -> None:
    _, key, recovery = enrolled(sqlite)
    at = NOW + 10 * MINUTE
    assert isinstance(attempt(sqlite, "ada", PASSWORD, code(key, at), HERE, at), Account)
    assert attempt(sqlite, "ada", PASSWORD, code(key, at), HERE, at) == Refused("wrong")
    assert isinstance(attempt(sqlite, "ada", PASSWORD, recovery[0], HERE, at), Account)
    assert attempt(sqlite, "ada", PASSWORD, recovery[0], HERE, at) == Refused("wrong")
    assert attempt(sqlite, "ada", ANOTHER, code(key, at + MINUTE), HERE, at + MINUTE) == Refused("wrong")
    assert isinstance(attempt(sqlite, "ada", PASSWORD, code(key, at + MINUTE), HERE, at + MINUTE), Account)


def test_guessing_codes_is_limited_also_with_a_new_ticket_each_time(engine: Engine) -> None:
    _, key, _ = enrolled(engine)
    at = NOW + 10 * MINUTE
    wrong = f"{(int(code(key, at)) + 500_000) % 1_000_000:06d}"
    for _ in range(5):
        asked = attempt(engine, "ada", PASSWORD, "", HERE, at)
        assert isinstance(asked, Refused)
        assert with_code(engine, asked.ticket, wrong, HERE, at) == Refused("wrong")
    assert attempt(engine, "ada", PASSWORD, "", HERE, at) == Refused("locked")
    assert with_code(engine, asked.ticket, code(key, at), HERE, at) == Refused("locked")


def test_a_ticket_ends_after_five_minutes_and_with_any_change_of_the_account(sqlite: Engine) -> None:
    who, key, _ = enrolled(sqlite)
    at = NOW + 10 * MINUTE
    late = attempt(sqlite, "ada", PASSWORD, "", HERE, at)
    assert isinstance(late, Refused)
    assert with_code(sqlite, late.ticket, code(key, at + 5 * MINUTE), HERE, at + 5 * MINUTE) == Refused("wrong")
    asked = attempt(sqlite, "ada", PASSWORD, "", HERE, at)
    assert isinstance(asked, Refused)
    accounts.set_password(sqlite, "a", who.account_id, ANOTHER, at, initial=True)
    assert with_code(sqlite, asked.ticket, code(key, at), HERE, at) == Refused("wrong")
    for ticket in ("", "wrong", "\ud800"):
        assert with_code(sqlite, ticket, code(key, at), HERE, at) == Refused("wrong")


def test_one_changes_the_own_password_with_the_present_one(sqlite: Engine) -> None:
    who = person(sqlite, "wang", initial=True)
    token, other = sessions.begin(sqlite, who, NOW), sessions.begin(sqlite, who, NOW)
    here = sessions.find(sqlite, token, NOW)
    assert here is not None

    def change(old: str, new: str) -> str:
        try:
            sign_in.change_own_password(sqlite, who.account_id, old, new, NOW, keep=here.session_id)
        except Rule as refused:
            return refused.key
        return "changed"

    assert change(ANOTHER, ANOTHER) == "password_wrong"
    assert change(PASSWORD, PASSWORD) == "password_same"
    assert change(PASSWORD, "short") == "password_short"
    assert change(PASSWORD, ANOTHER) == "changed"
    after = sessions.find(sqlite, token, NOW)
    assert after is not None
    assert after.todo == ()
    assert sessions.find(sqlite, other, NOW) is None
    assert isinstance(attempt(sqlite, "wang", ANOTHER, "", HERE, NOW), Account)
    assert [change(PASSWORD, "x") for _ in range(6)] == ["password_wrong"] * 5 + ["locked"]
