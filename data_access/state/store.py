"""Where the app's own store is and how to reach it: SQLite in the home folder, or PostgreSQL for several processes."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from data_access import private
from data_access.errors import Problem
from data_access.readers import APPLICATION
from data_access.settings import settings
from data_access.state.migrations import upgrade

WAIT = 30  # seconds a writer waits for another one before it gives up

_WRITER = 0x6D_6972_726F  # any number that nobody else locks in this database
_WRITES = "state_writes"
_POSTGRESQL = {
    "fallback_application_name": APPLICATION,
    # Nobody waits for ever for a writer that hangs, and a writer whose process is gone lets go.
    "options": f"-c lock_timeout={WAIT}s -c idle_in_transaction_session_timeout={2 * WAIT}s",
}

_opened: dict[str, Engine] = {}
_opening = threading.Lock()
_turns: dict[str, threading.Lock] = {}


def state_engine(url: str) -> Engine:
    """An engine for the store at ``url``. A SQLite file is made for its owner only.

    Problem when ``url`` is no URL of a SQLite file or a PostgreSQL database.
    """
    try:
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite" if parsed.database and parsed.database != ":memory:":
                _keep_private(Path(parsed.database))
                engine = create_engine(url, hide_parameters=True, connect_args={"timeout": WAIT})
                event.listen(engine, "connect", _sqlite_settings)
                event.listen(engine, "begin", _sqlite_begin)
                return engine
            case "postgresql":
                return create_engine(url, pool_pre_ping=True, hide_parameters=True, connect_args=_POSTGRESQL)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # Not the URL itself: it may hold a password.
        raise Problem(f"MIRROR_STATE_URL is not a database URL ({type(error).__name__}): {_HOW}") from error
    raise Problem(f"MIRROR_STATE_URL names neither a SQLite file nor a PostgreSQL database: {_HOW}")


_HOW = "write it like sqlite:///FILE or postgresql+psycopg://user:password@host/database"


def _keep_private(file: Path) -> None:
    """Accounts and sessions are in it; what SQLite writes beside it gets the same rights."""
    try:
        private.folder(file.parent)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        file.chmod(0o600)
    except OSError as error:
        raise Problem(
            f"{file} cannot be written ({error.strerror}): give the account that runs the app the right to, "
            "or name another place with MIRROR_STATE_URL"
        ) from error


def _sqlite_settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.isolation_level = None  # the driver starts no transactions of its own
    connection.execute("PRAGMA foreign_keys=ON")
    _keep_log_apart(connection)
    # On disk before an answer goes out: what the audit log says was done must not be lost in a power cut.
    connection.execute("PRAGMA synchronous=FULL")


def _keep_log_apart(connection: sqlite3.Connection) -> None:
    """Kept in the file: readers and the one writer do not wait for each other.

    Of several processes that open a new store at once one sets it; SQLite refuses the others instead of letting them
    wait.
    """
    last = time.monotonic() + WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > last:
                raise
            time.sleep(0.02)


def _sqlite_begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that may write: all of it or nothing, and one after the other on either database.

    So what a writer has read is still so when it writes, the audit log has one end, and no two wait for each other.
    Nothing slow belongs inside.
    """
    # Within this process writers queue here: SQLite lets them look again and again whether it is their turn, later and
    # later each time, so that under a flood of wrong passwords a right one comes last.
    turn = _turns.setdefault(str(engine.url), threading.Lock()) if engine.dialect.name == "sqlite" else nullcontext()
    with turn, engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER})")
        yield connection


def may_write(connection: Connection) -> bool:
    """Whether this connection comes from ``writing``."""
    return bool(connection.get_execution_options().get(_WRITES))


def prepare(engine: Engine) -> None:
    """Creates the tables or brings them up to date; two processes may do so at once.

    Problem when the database refuses, or holds tables of a newer version or of something else.
    """
    place = engine.url.render_as_string(hide_password=True)
    try:
        with writing(engine) as connection:
            upgrade(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Problem(
            f"the app's own store {place} cannot be created or updated ({reason}): check that the database answers, "
            "that the account may create tables there, and that nothing else keeps its tables in it"
        ) from error
    except CommandError as error:
        raise Problem(f"the app's own store {place} was made by a newer version: run that one, or newer") from error


def opened() -> Engine:
    """The store of this process, ready for use. Problem as in ``state_engine`` and ``prepare``."""
    url = settings().state
    with _opening:
        if url not in _opened:
            engine = state_engine(url)
            prepare(engine)
            _opened[url] = engine
        return _opened[url]
