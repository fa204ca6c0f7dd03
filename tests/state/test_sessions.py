"""Sessions: how they begin, how long they last, and everything that ends them."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, update

from data_access.state import accounts, audit, schema, sessions
from data_access.state.accounts import Rights
from data_access.state.rules import Rule
from data_access.state.sessions import Session, Visitor
from data_access.state.store import writing
from tests.state.people import ADMINISTRATOR, MANAGER, MARKETING, MINUTE, NOW, REGIONAL, person

HOUR = timedelta(hours=1)


def found(engine: Engine, token: str, now: datetime = NOW) -> Session:
    session = sessions.find(engine, token, now)
    assert session is not None
    return session


def test_a_session_knows_its_person_and_where_they_came_from(engine: Engine) -> None:
    who = person(engine, "wang", Rights("manager", ("S2", "S1")))
    token = sessions.begin(engine, who, NOW, address="10.0.0.7", device="Firefox on a till")
    session = found(engine, token)
    assert session.account == who
    assert (session.role, session.homes) == ("manager", ("S1", "S2"))
    assert (session.address, session.device) == ("10.0.0.7", "Firefox on a till")
    assert session.actor == who.account_id
    assert session.ends_at == NOW + 30 * MINUTE


def test_the_token_is_256_bits_and_only_its_digest_is_kept(engine: Engine) -> None:
    who = person(engine, "wang")
    made = [sessions.begin(engine, who, NOW) for _ in range(3)]
    assert len(set(made)) == 3
    assert {len(token) for token in made} == {43}  # 32 bytes, 6 bits a character
    with engine.connect() as connection:
        kept = str(connection.execute(select(schema.session)).all())
    assert not any(token in kept for token in made)
    for session in sessions.active(engine, NOW):
        assert sessions.find(engine, session.session_id, NOW) is None


@pytest.mark.parametrize("token", ["", "wrong", "\0", "\ud800", "x" * 100_000, "' or 1=1 --"])
def test_any_other_text_is_nobody(engine: Engine, token: str) -> None:
    sessions.begin(engine, person(engine, "wang"), NOW)
    assert sessions.find(engine, token, NOW) is None
    assert sessions.renew(engine, token, NOW) is None
    sessions.end(engine, token, NOW)
    assert len(sessions.active(engine, NOW)) == 1


def test_a_session_ends_after_30_minutes_without_a_request(engine: Engine) -> None:
    token = sessions.begin(engine, person(engine, "wang"), NOW)
    assert sessions.find(engine, token, NOW + 29 * MINUTE) is not None
    assert sessions.find(engine, token, NOW + 58 * MINUTE) is not None
    assert sessions.find(engine, token, NOW + 88 * MINUTE) is None


def test_a_look_of_the_programs_own_keeps_nothing_alive(sqlite: Engine) -> None:
    token = sessions.begin(sqlite, person(sqlite, "wang"), NOW)
    assert sessions.find(sqlite, token, NOW + 29 * MINUTE, seen=False) is not None
    assert sessions.find(sqlite, token, NOW + 30 * MINUTE) is None


def test_a_session_ends_after_12_hours_of_work(sqlite: Engine) -> None:
    token = sessions.begin(sqlite, person(sqlite, "wang"), NOW)
    for quarter in range(1, 48):
        assert sessions.find(sqlite, token, NOW + 15 * quarter * MINUTE) is not None
    assert found(sqlite, token, NOW + 12 * HOUR - MINUTE).ends_at == NOW + 12 * HOUR
    assert sessions.find(sqlite, token, NOW + 12 * HOUR) is None


def test_a_clock_that_is_set_back_ends_sessions_instead_of_giving_them_time(sqlite: Engine) -> None:
    token = sessions.begin(sqlite, person(sqlite, "wang"), NOW)
    assert sessions.find(sqlite, token, NOW - 4 * MINUTE) is not None
    assert sessions.find(sqlite, token, NOW - 24 * HOUR) is None


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(min_value=0, max_value=40), min_size=1, max_size=30))
def test_a_session_is_valid_while_every_pause_and_the_whole_are_short(sqlite: Engine, pauses: list[int]) -> None:
    token = sessions.begin(sqlite, Visitor("marketing"), NOW)
    now, alive = NOW, True
    for pause in pauses:
        now += pause * MINUTE
        alive = alive and pause < 30 and now < NOW + 12 * HOUR
        assert (sessions.find(sqlite, token, now) is not None) == alive


def test_finding_a_session_is_one_query_and_writes_once_a_minute(sqlite: Engine) -> None:
    token = sessions.begin(sqlite, person(sqlite, "wang", Rights("manager", ("S1", "S2"))), NOW)
    said: list[str] = []
    event.listen(sqlite, "before_cursor_execute", lambda _c, _cursor, statement, *_: said.append(statement))
    for second in range(59):
        found(sqlite, token, NOW + timedelta(seconds=second))
    queries = [statement for statement in said if not statement.startswith("BEGIN")]
    assert len(queries) == 59
    assert all(statement.startswith("SELECT") for statement in queries)
    found(sqlite, token, NOW + timedelta(seconds=60))
    assert said[-1].startswith("UPDATE session")
    assert found(sqlite, token, NOW + timedelta(seconds=61)).last_seen_at == NOW + timedelta(seconds=60)


def test_the_query_goes_by_the_index_of_the_digest(sqlite: Engine) -> None:
    query = sessions._query(NOW).where(schema.session.c.digest == "x")
    text = str(query.compile(sqlite, compile_kwargs={"literal_binds": True}))
    with sqlite.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")]
    assert all(step.startswith("SEARCH") for step in plan), plan


def test_signing_out_ends_this_session_and_no_other(engine: Engine) -> None:
    who = person(engine, "wang")
    mine, other = sessions.begin(engine, who, NOW), sessions.begin(engine, who, NOW)
    sessions.end(engine, mine, NOW)
    sessions.end(engine, mine, NOW)
    assert sessions.find(engine, mine, NOW) is None
    assert sessions.find(engine, other, NOW) is not None
    assert audit.search(engine, audit.Filter(action="sign_out")).total == 1


def test_a_new_token_takes_the_place_of_the_old_one_and_its_end(engine: Engine) -> None:
    who = person(engine, "wang")
    old = sessions.begin(engine, who, NOW, address="10.0.0.7", device="till")
    before = found(engine, old)
    new = sessions.renew(engine, old, NOW + 5 * MINUTE)
    assert new is not None
    assert sessions.find(engine, old, NOW + 5 * MINUTE) is None
    after = found(engine, new, NOW + 5 * MINUTE)
    assert after.session_id != before.session_id
    assert (after.who, after.begun_at, after.address, after.device) == (who, NOW, "10.0.0.7", "till")


@pytest.mark.parametrize(
    "change",
    [
        lambda engine, who: accounts.disable(engine, "a", who.account_id, NOW),
        lambda engine, who: accounts.reset_totp(engine, "a", who.account_id, NOW),
        lambda engine, who: accounts.change(engine, "a", who.account_id, NOW, rights=MARKETING),
        lambda engine, who: sessions.end_all(engine, "a", who.account_id, NOW),
    ],
    ids=["disabled", "codes reset", "another role", "ended"],
)
def test_what_an_administrator_does_ends_sessions_at_once(engine: Engine, change: Callable[..., object]) -> None:
    who, bystander = person(engine, "wang"), person(engine, "li")
    token, other = sessions.begin(engine, who, NOW), sessions.begin(engine, bystander, NOW)
    change(engine, who)
    assert sessions.find(engine, token, NOW) is None
    assert sessions.find(engine, other, NOW) is not None


def test_a_session_whose_account_changed_behind_its_back_is_worth_nothing(sqlite: Engine) -> None:
    """Also when the change was made by hand in the database."""
    who = person(sqlite, "wang")
    token = sessions.begin(sqlite, who, NOW)
    for values in ({"disabled": True}, {"disabled": False, "epoch": 99}):
        with writing(sqlite) as connection:
            connection.execute(update(schema.account).values(**values))
        assert sessions.find(sqlite, token, NOW) is None
        assert sessions.active(sqlite, NOW) == ()
        assert sessions.renew(sqlite, token, NOW) is None


def test_nobody_begins_a_session_with_rights_of_a_moment_ago(sqlite: Engine) -> None:
    who = person(sqlite, "wang")
    accounts.disable(sqlite, "a", who.account_id, NOW)
    with pytest.raises(Rule) as refused:
        sessions.begin(sqlite, who, NOW)
    assert refused.value.key == "changed_meanwhile"
    back = accounts.enable(sqlite, "a", who.account_id, NOW)
    assert found(sqlite, sessions.begin(sqlite, back, NOW)).account == back


def test_sessions_are_listed_and_ended_one_by_one(engine: Engine) -> None:
    wang, li = person(engine, "wang"), person(engine, "li")
    first = sessions.begin(engine, wang, NOW)
    second = sessions.begin(engine, wang, NOW + MINUTE)
    sessions.begin(engine, li, NOW)
    own = sessions.active(engine, NOW + MINUTE, wang.account_id)
    assert [session.begun_at for session in own] == [NOW + MINUTE, NOW]
    assert len(sessions.active(engine, NOW + MINUTE)) == 3
    assert not sessions.end_one(engine, li.account_id, own[1].session_id, NOW, account_id=li.account_id)
    assert sessions.end_one(engine, wang.account_id, own[1].session_id, NOW, account_id=wang.account_id)
    assert not sessions.end_one(engine, wang.account_id, own[1].session_id, NOW)
    assert sessions.find(engine, first, NOW) is None
    assert sessions.find(engine, second, NOW + MINUTE) is not None
    assert sessions.end_all(engine, "a", wang.account_id, NOW) == 1


def test_what_is_over_is_swept_away(engine: Engine) -> None:
    sessions.begin(engine, Visitor("marketing"), NOW)
    sessions.begin(engine, Visitor("marketing"), NOW + 29 * MINUTE)
    sessions.sweep(engine, NOW + 30 * MINUTE)
    with engine.connect() as connection:
        assert len(connection.execute(select(schema.session)).all()) == 1


@pytest.mark.parametrize(
    ("visitor", "homes"),
    [
        (Visitor("manager", "S1"), ("S1",)),
        (Visitor("regional", "R1"), ("R1",)),
        (Visitor("marketing"), ()),
        (Visitor("administrator"), ()),
        (Visitor("staff", "E1"), ("E1",)),
    ],
)
def test_one_click_entry_is_a_session_without_an_account(
    engine: Engine, visitor: Visitor, homes: tuple[str, ...]
) -> None:
    session = found(engine, sessions.begin(engine, visitor, NOW))
    assert (session.account, session.who) == (None, visitor)
    assert (session.role, session.homes, session.todo) == (visitor.role, homes, ())
    assert session.actor == f"demo:{visitor.role}:{visitor.home}"
    assert audit.search(engine, audit.Filter(person=session.actor)).entries[0].action == "entry"


@pytest.mark.parametrize(("role", "home"), [("manager", ""), ("regional", ""), ("marketing", "S1"), ("owner", "")])
def test_a_visitor_has_a_home_exactly_where_the_role_has_one(role: str, home: str) -> None:
    with pytest.raises(ValueError, match=r"role|home"):
        Visitor(role, home)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rights", "initial", "todo"),
    [
        (MANAGER, False, ()),
        (MANAGER, True, ("password",)),
        (REGIONAL, False, ()),
        (Rights("manager", ("S1",), may_reveal=True), False, ("totp",)),
        (Rights("marketing", may_export=True), False, ("totp",)),
        (ADMINISTRATOR, False, ("totp",)),
        (ADMINISTRATOR, True, ("password", "totp")),
    ],
)
def test_who_may_do_much_must_set_up_codes_first(
    sqlite: Engine, rights: Rights, initial: bool, todo: tuple[str, ...]
) -> None:
    who = person(sqlite, "wang", rights, initial=initial)
    assert found(sqlite, sessions.begin(sqlite, who, NOW)).todo == todo


def test_text_of_the_browser_cannot_break_a_list(engine: Engine) -> None:
    token = sessions.begin(engine, Visitor("marketing"), NOW, address="1\n2" * 100, device="x\x1b[2J\0" * 100)
    session = found(engine, token)
    assert session.device.isprintable()
    assert session.address.isprintable()
    assert (len(session.device), len(session.address)) == (200, 64)
