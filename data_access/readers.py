"""How rows leave a CRM database: one consistent, read-only transaction, memory bounded, every value as text.

SQLite is read by DuckDB's own scanner, PostgreSQL by COPY, any other database as a SQLAlchemy stream. All three
deliver the same text for the same value.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, Engine, Numeric, cast, column, func, select, table

from data_access.errors import Problem

log = logging.getLogger(__name__)

_BATCH = 50_000
_LOCK_SECONDS = 10


class Reader(Protocol):
    """Rows of one CRM database as they were at one instant."""

    def text_rows(self, work: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> Iterator[str]:
        """Yields relations, as SQL to put behind FROM, whose columns are ``columns`` as text."""

    def total(self, name: str, amount: str) -> Decimal:
        """The sum of one money column, to four decimals, as the CRM itself computes it."""


@contextmanager
def reading(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path) -> Iterator[Reader]:
    """The reader for this kind of database; ``scratch`` is a private folder for files in passing."""
    path = _sqlite_file(engine)
    if path and _scanner_loaded(work):
        with _scanning(work, path) as reader:
            yield reader
    elif engine.dialect.name == "postgresql" and engine.driver == "psycopg":
        with engine.connect() as connection:
            yield _Copying(connection, scratch)
    else:
        with engine.connect() as connection:
            yield _Streaming(connection)


def _sqlite_file(engine: Engine) -> Path | None:
    """The database file of a plain SQLite URL; None for other databases and for SQLite in memory."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name).resolve()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: object) -> str:
    """A text or path as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


# --- SQLite through DuckDB's scanner --------------------------------------------------------------


def _scanner_loaded(work: duckdb.DuckDBPyConnection) -> bool:
    """Loads the scanner from its wheel (never from the network); False where it does not fit this DuckDB."""
    try:
        files = metadata.files("duckdb-extension-sqlite-scanner") or []
        found = next(f for f in files if f.name == "sqlite_scanner.duckdb_extension")
        work.execute(f"LOAD {literal(found.locate())}")
    except (metadata.PackageNotFoundError, StopIteration, duckdb.Error) as error:
        log.warning("the fast SQLite reader is not available (%s): reading row by row", error)
        return False
    return True


@contextmanager
def _scanning(work: duckdb.DuckDBPyConnection, path: Path) -> Iterator[Reader]:
    # As text: SQLite stores any type in any column, and the scanner would fail on the first surprise.
    work.execute("SET sqlite_all_varchar = true")
    work.execute(f"ATTACH {literal(path)} AS crm (TYPE sqlite, READ_ONLY)")
    try:
        # Within one transaction sqlite_query() uses one SQLite connection, so all tables are seen at one
        # instant. A plain scan of crm.<table> opens connections of its own and does not.
        work.execute("BEGIN")
        yield _Scanning(work)
        work.execute("COMMIT")
    except BaseException:
        work.execute("ROLLBACK")
        raise
    finally:
        work.execute("DETACH crm")


class _Scanning:
    def __init__(self, work: duckdb.DuckDBPyConnection) -> None:
        self._work = work

    def text_rows(self, work: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> Iterator[str]:
        yield _sqlite_query(f"SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(name)}")

    def total(self, name: str, amount: str) -> Decimal:
        found = self._work.execute(f"SELECT * FROM {_sqlite_query(_sqlite_total(name, amount))}").fetchone()
        return Decimal(found[0] if found else 0).scaleb(-4)


def _sqlite_query(statement: str) -> str:
    return f"sqlite_query('crm', {literal(statement)})"


def _sqlite_total(name: str, amount: str) -> str:
    # SQLite adds decimals as binary fractions; whole ten-thousandths add up exactly.
    return f"SELECT coalesce(sum(CAST(round({_quoted(amount)} * 10000) AS INTEGER)), 0) FROM {_quoted(name)}"


# --- PostgreSQL through COPY ----------------------------------------------------------------------


class _Copying:
    def __init__(self, connection: Connection, scratch: Path) -> None:
        self._connection = connection
        self._scratch = scratch
        for statement in (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            "SET LOCAL TIME ZONE 'UTC'",
            "SET LOCAL DateStyle = 'ISO, YMD'",
            f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'",
        ):
            connection.exec_driver_sql(statement)

    def text_rows(self, work: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> Iterator[str]:
        path = self._scratch / f"{name}.csv"
        statement = (
            f"COPY (SELECT {', '.join(map(_quoted, columns))} FROM {_quoted(name)}) "
            "TO STDOUT (FORMAT csv, NULL '\\N', ENCODING 'UTF8')"
        )
        driver: Any = self._connection.connection.driver_connection
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with driver.cursor() as cursor, cursor.copy(statement) as copy:
                for block in copy:
                    file.write(block)
            size = file.tell()
        if size:
            types = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
            yield (
                f"read_csv({literal(path)}, auto_detect = false, header = false, columns = {{{types}}}, "
                "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
                "nullstr = '\\N', allow_quoted_nulls = false, null_padding = false, max_line_size = 16777216)"
            )
        path.unlink()

    def total(self, name: str, amount: str) -> Decimal:
        return _total(self._connection, name, amount)


# --- any database through SQLAlchemy --------------------------------------------------------------


class _Streaming:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        if connection.dialect.name in ("mysql", "mariadb"):
            connection.detach()  # the session settings below must not reach the pool
            connection.exec_driver_sql(f"SET SESSION lock_wait_timeout = {_LOCK_SECONDS}")
            connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
            connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        elif connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")
        else:
            driver: Any = connection.connection.dbapi_connection
            if "REPEATABLE READ" in connection.dialect.get_isolation_level_values(driver):
                connection.execution_options(isolation_level="REPEATABLE READ")

    def text_rows(self, work: duckdb.DuckDBPyConnection, name: str, columns: Sequence[str]) -> Iterator[str]:
        source = table(name, *(column(c) for c in columns))
        streaming = self._connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
        for rows in streaming.execute(select(source)).partitions(_BATCH):
            values = zip(*rows, strict=True)
            batch = pa.table({c: pa.array(map(_text, v), pa.string()) for c, v in zip(columns, values, strict=True)})
            work.register("batch", batch)
            yield "batch"
            work.unregister("batch")

    def total(self, name: str, amount: str) -> Decimal:
        return _total(self._connection, name, amount)


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)


def _total(connection: Connection, name: str, amount: str) -> Decimal:
    if connection.dialect.name == "sqlite":
        return Decimal(connection.exec_driver_sql(_sqlite_total(name, amount)).scalar_one()).scaleb(-4)
    figure = func.coalesce(func.sum(cast(column(amount), Numeric(18, 4))), 0)
    return Decimal(connection.execute(select(figure).select_from(table(name))).scalar_one())


def refuse_missing_file(engine: Engine) -> None:
    """Problem where a SQLite URL names no file: connecting would silently create an empty one."""
    path = _sqlite_file(engine)
    if path and not path.is_file():
        raise Problem(
            f"there is no CRM database at {path}: run `python -m data_access demo` or import your files first"
        )
