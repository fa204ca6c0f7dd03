"""The app's own store: its tables on both databases, its file's rights, several processes at once."""

import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, select

from data_access.errors import Problem
from data_access.settings import Settings, settings
from data_access.state import store
from data_access.state.migrations import VERSION_TABLE
from data_access.state.schema import audit_head, state

ROOT = Path(__file__).resolve().parents[2]


def test_the_migrations_make_what_the_schema_says_and_nothing_else(engine: Engine) -> None:
    assert set(inspect(engine).get_table_names()) == set(state.tables) | {VERSION_TABLE}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, state) == []


def test_preparing_again_changes_nothing(engine: Engine) -> None:
    store.prepare(engine)
    with engine.connect() as connection:
        assert connection.execute(select(audit_head)).all() == [(1, 0, "0" * 64)]


def test_who_opens_a_new_store_waits_for_who_makes_it(tmp_path: Path) -> None:
    maker = sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN EXCLUSIVE")
    made = threading.Timer(0.2, maker.execute, ("COMMIT",))
    made.start()
    other = sqlite3.connect(tmp_path / "state.sqlite", timeout=0)
    store._keep_log_apart(other)
    made.join()
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    maker.close()


def test_processes_that_start_at_once_make_one_store(url: str) -> None:
    script = "import sys; from data_access.state.store import prepare, state_engine; prepare(state_engine(sys.argv[1]))"
    started = [
        subprocess.Popen([sys.executable, "-c", script, url], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in started:
        _, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    engine = store.state_engine(url)
    with engine.connect() as connection:
        assert connection.execute(select(audit_head)).all() == [(1, 0, "0" * 64)]
    engine.dispose()


def test_only_the_owner_reads_the_file_and_what_lies_beside_it(sqlite: Engine, tmp_path: Path) -> None:
    with store.writing(sqlite) as connection:
        connection.execute(audit_head.update().values(number=0))
        files = sorted(tmp_path.glob("state.sqlite*"))
        assert [file.name for file in files] == ["state.sqlite", "state.sqlite-shm", "state.sqlite-wal"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.touch(mode=0o644)
    store.state_engine(f"sqlite:///{file}")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_fails_half_way_leaves_nothing_behind(engine: Engine) -> None:
    def fail(connection: Connection) -> None:
        connection.execute(audit_head.update().values(number=7))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.writing(engine) as connection:
        fail(connection)
    with engine.connect() as connection:
        assert connection.scalar(select(audit_head.c.number)) == 0


@pytest.mark.parametrize(
    "url", ["", "no url", "sqlite://", "sqlite:///:memory:", "mysql+pymysql://u:secret@h/d", "nosuch://u:secret@h/d"]
)
def test_any_other_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Problem, match="MIRROR_STATE_URL") as refused:
        store.state_engine(url)
    assert "secret" not in str(refused.value)


def test_a_store_of_a_newer_version_is_refused(engine: Engine) -> None:
    with store.writing(engine) as connection:
        connection.exec_driver_sql(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(Problem, match="newer version"):
        store.prepare(engine)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match="MIRROR_STATE_URL"):
        store.state_engine(f"sqlite:///{tmp_path}/file/state.sqlite")


def test_a_process_opens_its_store_once(tmp_path: Path) -> None:
    assert store.opened() is store.opened()
    assert settings().state == f"sqlite:///{tmp_path}/state.sqlite"


def test_host_names_are_a_list_without_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HOSTS", "CRM.Example.com., 10.1.2.3,[::1]")
    assert Settings().hosts == ("crm.example.com", "10.1.2.3", "[::1]")
    for wrong in ("https://crm.example.com", "crm.example.com:8501", "*.example.com", "a b"):
        monkeypatch.setenv("MIRROR_HOSTS", wrong)
        with pytest.raises(Problem, match="MIRROR_HOSTS"):
            Settings()
