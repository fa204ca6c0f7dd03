"""The audit log: whatever was done to it shows, it only grows, and writers at once make one chain."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

from data_access.state import audit
from data_access.state.audit import Broken, Filter, Head
from data_access.state.store import prepare, state_engine, writing
from tests.state.people import MINUTE, NOW

ROOT = Path(__file__).resolve().parents[2]


def write(engine: Engine, entries: int) -> None:
    with writing(engine) as connection:
        for number in range(entries):
            audit.append(
                connection, "ada", "sign_in", f"s{number}", {"n": number, "名": "李"}, at=NOW + number * MINUTE
            )


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """What somebody can do who owns the database: first the guards go."""
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            for guard in ("audit_no_update", "audit_no_delete", "audit_head_no_delete"):
                connection.exec_driver_sql(f"DROP TRIGGER {guard}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
            connection.exec_driver_sql("ALTER TABLE audit_head DISABLE TRIGGER USER")
        yield connection


def test_a_log_that_nobody_touched_is_whole(engine: Engine) -> None:
    assert audit.verify(engine) is None
    write(engine, 3)
    assert audit.verify(engine) is None
    assert audit.head(engine).number == 3


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'somebody else' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "DELETE FROM audit",
        "DELETE FROM audit_head",
    ],
)
def test_the_database_refuses_to_change_or_remove(engine: Engine, statement: str) -> None:
    write(engine, 3)
    with pytest.raises(DBAPIError, match="append-only"), writing(engine) as connection:
        connection.exec_driver_sql(statement)
    assert audit.verify(engine) is None


@pytest.mark.database
def test_postgresql_refuses_to_empty_the_log(postgresql_url: str) -> None:
    engine = state_engine(postgresql_url)
    prepare(engine)
    write(engine, 3)
    for table in ("audit", "audit_head"):
        with pytest.raises(DBAPIError, match="append-only"), writing(engine) as connection:
            connection.exec_driver_sql(f"TRUNCATE {table}")
    engine.dispose()


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET actor = 'bo' WHERE number = 2", Broken(2, "is not what was written")),
        ("UPDATE audit SET action = 'denied' WHERE number = 2", Broken(2, "is not what was written")),
        ("UPDATE audit SET subject = '' WHERE number = 2", Broken(2, "is not what was written")),
        ("UPDATE audit SET detail = '{}' WHERE number = 2", Broken(2, "is not what was written")),
        ("UPDATE audit SET at = '2026-11-20 10:00:00.000000' WHERE number = 2", Broken(2, "is not what was written")),
        ("UPDATE audit SET hash = 'x' WHERE number = 2", Broken(2, "is not what was written")),
        ("DELETE FROM audit WHERE number = 2", Broken(2, "is missing")),
        ("DELETE FROM audit WHERE number = 1", Broken(1, "is missing")),
        ("DELETE FROM audit WHERE number = 3", Broken(3, "is missing")),
        ("DELETE FROM audit", Broken(1, "is missing")),
        ("UPDATE audit SET number = 9 WHERE number = 3", Broken(3, "is missing")),
        ("UPDATE audit_head SET number = 2", Broken(3, "is beyond the end of the log")),
        ("UPDATE audit_head SET hash = 'x'", Broken(3, "does not fit the end of the log")),
        ("DELETE FROM audit_head", Broken(3, "is beyond the end of the log")),
    ],
)
def test_without_its_guards_the_first_broken_entry_shows(engine: Engine, statement: str, broken: Broken) -> None:
    write(engine, 3)
    with unguarded(engine) as connection:
        connection.exec_driver_sql(statement)
    assert audit.verify(engine) == broken


def test_a_chain_that_was_computed_anew_shows_against_a_head_kept_elsewhere(sqlite: Engine) -> None:
    write(sqlite, 3)
    kept = audit.head(sqlite)
    with unguarded(sqlite) as connection:
        connection.exec_driver_sql("DELETE FROM audit")
        connection.exec_driver_sql(f"UPDATE audit_head SET number = 0, hash = '{'0' * 64}'")
        for number in range(4):
            audit.append(connection, "bo", "sign_in", f"s{number}", at=NOW)
    assert audit.verify(sqlite) is None
    assert audit.verify(sqlite, kept) == Broken(3, "is not the one that was kept")
    assert audit.verify(sqlite, Head(9, "x")) == Broken(5, "is missing")


def test_a_log_that_went_on_fits_a_head_kept_earlier(engine: Engine) -> None:
    write(engine, 2)
    kept = audit.head(engine)
    write(engine, 2)
    assert audit.verify(engine, kept) is None


def test_the_hash_is_of_the_one_before_and_the_canonical_row(sqlite: Engine) -> None:
    with writing(sqlite) as connection:
        audit.append(connection, "ada", "sign_in", "李", {"b": 1, "a": "é"}, at=NOW)
    row = (
        '{"action":"sign_in","actor":"ada","at":"2026-11-20T09:00:00.000000",'
        '"detail":"{\\"a\\":\\"\\\\u00e9\\",\\"b\\":1}","number":1,"subject":"\\u674e"}'
    )
    assert audit.head(sqlite) == Head(1, hashlib.sha256(("0" * 64 + row).encode()).hexdigest())


def test_what_is_undone_is_not_logged(engine: Engine) -> None:
    def fail(connection: Connection) -> None:
        audit.append(connection, "ada", "sign_in", at=NOW)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        fail(connection)
    assert audit.head(engine).number == 0
    assert audit.verify(engine) is None


def test_only_known_actions_in_a_writing_transaction(sqlite: Engine) -> None:
    with pytest.raises(ValueError, match="no such action"), writing(sqlite) as connection:
        audit.append(connection, "ada", "made_up", at=NOW)
    with pytest.raises(RuntimeError, match=r"store\.writing"), sqlite.begin() as connection:
        audit.append(connection, "ada", "sign_in", at=NOW)


def test_text_of_other_peoples_making_stays_in_its_line(engine: Engine) -> None:
    with writing(engine) as connection:
        audit.append(connection, "a\nb\0", "denied", "x" * 500, {"text": "line\r\n\u202e\ud800\0 end"}, at=NOW)
    entry = audit.search(engine, Filter()).entries[0]
    assert entry.actor == "a\ufffdb\ufffd"
    assert len(entry.subject) == 200
    assert entry.detail == {"text": "line\r\n\u202e\ud800\0 end"}
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT detail FROM audit").scalar_one().isprintable()
    assert audit.verify(engine) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actor=st.text(max_size=250), subject=st.text(max_size=250), detail=st.dictionaries(st.text(), JSON, max_size=4))
def test_anything_can_be_logged_and_is_read_back_whole(
    sqlite: Engine, actor: str, subject: str, detail: dict[str, object]
) -> None:
    with writing(sqlite) as connection:
        audit.append(connection, actor, "denied", subject, detail, at=NOW)
    entry = audit.search(sqlite, Filter()).entries[0]
    assert entry.detail == json.loads(json.dumps(detail))
    assert audit.verify(sqlite) is None


def test_threads_that_write_at_once_make_one_chain(engine: Engine) -> None:
    def work(_: int) -> None:
        for _ in range(10):
            with writing(engine) as connection:
                audit.append(connection, "ada", "sign_in", at=NOW)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert audit.head(engine).number == 4 * 10
    assert audit.verify(engine) is None


def test_processes_that_write_at_once_make_one_chain(engine: Engine, url: str) -> None:
    script = (
        "import sys; from datetime import datetime; from data_access.state import audit, store\n"
        "engine = store.state_engine(sys.argv[1])\n"
        "for _ in range(10):\n"
        "    with store.writing(engine) as connection:\n"
        "        audit.append(connection, 'ada', 'sign_in', at=datetime(2026, 11, 20))\n"
    )
    started = [subprocess.Popen([sys.executable, "-c", script, url], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=120) for process in started] == [0, 0, 0]
    assert audit.head(engine).number == 3 * 10
    assert audit.verify(engine) is None


def test_entries_are_found_by_person_action_and_time_newest_first(engine: Engine) -> None:
    with writing(engine) as connection:
        audit.append(connection, "ada", "account_created", "bo", at=NOW)
        audit.append(connection, "bo", "sign_in", "bo", at=NOW + MINUTE)
        audit.append(connection, "ada", "sign_in", "ada", at=NOW + 2 * MINUTE)

    def numbers(**wanted: object) -> list[int]:
        return [entry.number for entry in audit.search(engine, Filter(**wanted)).entries]  # type: ignore[arg-type]

    assert numbers() == [3, 2, 1]
    assert numbers(person="bo") == [2, 1]
    assert numbers(person="ada", action="sign_in") == [3]
    assert numbers(since=NOW + MINUTE, until=NOW + 2 * MINUTE) == [2]
    assert numbers(person="nobody") == []


def test_an_entry_that_was_made_unreadable_hides_no_other(sqlite: Engine) -> None:
    write(sqlite, 2)
    with unguarded(sqlite) as connection:
        connection.exec_driver_sql("UPDATE audit SET detail = '{' WHERE number = 1")
    assert [entry.detail for entry in audit.search(sqlite, Filter()).entries] == [
        {"n": 1, "名": "李"},
        {"unreadable": "{"},
    ]


def test_a_long_log_is_read_by_pages(sqlite: Engine) -> None:
    write(sqlite, 120)
    first, last = audit.search(sqlite, Filter()), audit.search(sqlite, Filter(), page=3)
    assert (first.total, first.pages, len(first.entries), first.entries[0].number) == (120, 3, 50, 120)
    assert [entry.number for entry in last.entries] == list(range(20, 0, -1))
    assert audit.search(sqlite, Filter(), page=99) == last
    assert audit.search(sqlite, Filter(), page=-1) == first
    assert audit.search(sqlite, Filter(since=NOW + timedelta(days=9))).pages == 1


def test_the_end_of_the_log_is_one_row(engine: Engine) -> None:
    write(engine, 2)
    with engine.connect() as connection:
        assert len(connection.execute(select(audit.audit_head)).all()) == 1
