"""How rows leave a CRM database: one consistent, read-only transaction, memory bounded, at a limited pace.

SQLite and PostgreSQL are read by DuckDB's own scanners, MariaDB by a compiled driver, a DuckDB file directly, any
other database as a SQLAlchemy stream. Whatever the way, the same value is staged as the same value.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import duckdb
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from data_access.errors import Problem
from data_access.readers import duckdb_file, mariadb, postgresql, sqlite, stream
from data_access.readers.base import (
    APPLICATION,
    Failed,
    Reader,
    Rows,
    Unavailable,
    duckdb_type,
    exact_sum,
    first_line,
    literal,
)
from data_access.settings import settings

__all__ = ["APPLICATION", "Reader", "Rows", "duckdb_type", "exact_sum", "literal", "reading", "refuse_missing_file"]

log = logging.getLogger(__name__)

_Way = Callable[[Engine, duckdb.DuckDBPyConnection, Path, float], AbstractContextManager[Reader]]

# Tried in this order. The stream works with every database SQLAlchemy knows.
_WAYS: dict[str, tuple[_Way, ...]] = {
    "sqlite": (sqlite.scanning, stream.streaming),
    "postgresql": (postgresql.scanning, postgresql.copying, stream.streaming),
    "mysql": (mariadb.joining, stream.streaming),
    "mariadb": (mariadb.joining, stream.streaming),
    "duckdb": (duckdb_file.attached,),
}


@contextmanager
def reading(
    engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, *, seconds: float | None = None
) -> Iterator[Reader]:
    """The fastest reader that this database, its URL and the installed packages allow.

    ``scratch`` is a private folder for files in passing. No statement may take the CRM longer than ``seconds``, by
    default the setting ``read_timeout``. Problem when the CRM fails or is too slow while it is read.
    """
    allowed = settings().read_timeout if seconds is None else seconds
    with _explained(engine, allowed), ExitStack() as stack:
        yield _open(engine, work, scratch, allowed, stack)


def _open(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float, stack: ExitStack) -> Reader:
    *ways, last = _WAYS.get(engine.dialect.name, (stream.streaming,))
    for way in ways:
        try:
            return stack.enter_context(way(engine, work, scratch, seconds))
        except Unavailable as reason:
            log.warning("%s %s is not available (%s): reading more slowly", engine.dialect.name, way.__name__, reason)
    return stack.enter_context(last(engine, work, scratch, seconds))


@contextmanager
def _explained(engine: Engine, seconds: float) -> Iterator[None]:
    """Turns what the CRM does to a reader into one sentence."""
    try:
        yield
    except duckdb.InterruptException as error:
        raise Problem(_too_slow(engine, seconds)) from error
    except (DBAPIError, duckdb.Error, Failed) as error:
        if isinstance(error, duckdb.Error) and not _from_the_crm(error):
            raise
        reason = first_line(error.orig) if isinstance(error, DBAPIError) and error.orig else first_line(error)
        if "statement timeout" in reason or "max_statement_time" in reason:
            raise Problem(_too_slow(engine, seconds)) from error
        raise Problem(
            f"the CRM database {engine.url.render_as_string(hide_password=True)} failed while it was read "
            f"({_without_password(engine, reason)}): nothing of this read is kept; check the server, then run it again",
            "crm_read",
            user=engine.url.username or "",
            database=engine.url.database or "",
        ) from error


def _too_slow(engine: Engine, seconds: float) -> str:
    return (
        f"the CRM database {engine.url.render_as_string(hide_password=True)} took longer than {seconds:g} s for one "
        "statement: nothing of this read is kept; read at a quieter hour or raise MIRROR_READ_TIMEOUT"
    )


def _from_the_crm(error: duckdb.Error) -> bool:
    """Whether a scanner reports the failure of its database; those errors are of no particular class."""
    return type(error) is duckdb.Error or (isinstance(error, duckdb.IOException) and "No space" not in str(error))


def _without_password(engine: Engine, reason: str) -> str:
    password = engine.url.password
    return reason.replace(str(password), "***") if password else reason


def refuse_missing_file(engine: Engine) -> None:
    """Problem where a URL names a database file that does not exist: connecting would create an empty one."""
    path = sqlite.database_file(engine) or duckdb_file.database_file(engine)
    if path and not path.is_file():
        raise Problem(
            f"there is no CRM database at {path}: run `python -m data_access demo` or import your files first"
        )
