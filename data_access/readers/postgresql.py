"""PostgreSQL: by DuckDB's scanner over one connection, in binary; where that is not possible, by COPY as text."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy import literal as sql_literal

from data_access.readers.base import (
    APPLICATION,
    LOCK_SECONDS,
    Failed,
    Reader,
    Rows,
    Unavailable,
    canonical_rows,
    duckdb_type,
    first_line,
    literal,
    load_scanner,
    one_thread,
    one_transaction,
    plain_sql,
    postgresql_settings,
    quoted,
    readable,
    selection,
)
from data_access.readers.stream import Streaming, begin
from data_access.schema import crm

# --- the scanner ----------------------------------------------------------------------------------


@contextmanager
def scanning(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    """Reads by ``postgres_query``, which keeps to one connection and one transaction; plain scans open several.

    What is asked ahead is answered over one connection more, which sees what the first one sees.
    """
    if engine.driver != "psycopg":
        raise Unavailable(f"its driver is {engine.driver}, not psycopg")
    load_scanner(work, "postgres_scanner")
    login = _conninfo(engine, seconds)
    try:
        work.execute(f"ATTACH {literal(login)} AS crm (TYPE postgres, READ_ONLY)")
    except duckdb.Error as error:
        # The scanner's message repeats the whole login.
        raise Unavailable(first_line(error).replace(login, "its login").rpartition('": ')[2]) from None
    try:
        with one_transaction(work), ExitStack() as opened:
            yield _Scanning(engine, work, seconds, opened)
    finally:
        work.execute("DETACH crm")


def _conninfo(engine: Engine, seconds: float) -> str:
    """The URL as libpq reads it, with the limits of the session."""
    _, given = engine.dialect.create_connect_args(engine.url)
    given.pop("context", None)  # of psycopg itself
    settings = {**postgresql_settings(seconds), "default_transaction_isolation": "repeatable read"}
    limits = " ".join(f"-c {key}={value.replace(' ', chr(92) + ' ')}" for key, value in settings.items())
    options = f"{given.pop('options', '')} {limits}".strip()
    return make_conninfo(**{"application_name": APPLICATION, "connect_timeout": LOCK_SECONDS, **given}, options=options)


class _Scanning(Reader):
    def __init__(self, engine: Engine, work: duckdb.DuckDBPyConnection, seconds: float, opened: ExitStack) -> None:
        self._engine = engine
        self._work = work
        self._seconds = seconds
        self._opened = opened
        self._ahead: _Ahead | None = None

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        whole = _relation(plain_sql(selection(name, columns, None), self._engine))
        as_text, typed = readable(self._work, whole, name, columns)
        table = crm.tables[name]
        decimals = [table.c[c] for c in columns if c in typed and duckdb_type(table.c[c]).startswith("DECIMAL")]
        typed |= {c.name: _unless_no_number(c.name, typed[c.name]) for c in decimals}
        query = selection(name, columns, where, as_text).add_columns(_no_numbers(decimals))
        named = ", ".join(f"{quoted(c) if c in as_text else typed[c]} AS {quoted(c)}" for c in columns)
        relation = f"(SELECT {named}, {_NO_NUMBERS} FROM {_relation(plain_sql(query, self._engine))})"
        with one_thread(self._work):
            yield Rows(relation, frozenset(typed), unreadable=_NO_NUMBERS)

    def execute(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        begun = self._ahead.answer(query) if self._ahead else None
        return canonical_rows(query, self._fetch(query) if begun is None else begun)

    def ahead(self, queries: Sequence[Select[*tuple[Any, ...]]]) -> None:
        exported = self._work.execute(f"FROM {_relation('SELECT pg_export_snapshot() AS id')}").fetchone()
        assert exported
        self._ahead = self._opened.enter_context(closing(_Ahead(self._engine, self._seconds, exported[0], queries)))

    def _fetch(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """As text: the scanner would turn sums of decimals into binary fractions."""
        inner = query.subquery("q")
        outer = select(*(cast(c, Text).label(f"c{i}") for i, c in enumerate(inner.c)))
        with one_thread(self._work):
            return self._work.execute(f"FROM {_relation(plain_sql(outer, self._engine))}").fetchall()


class _Ahead:
    """Queries that are answered one after the other in a thread of their own, at the instant of a snapshot."""

    def __init__(
        self, engine: Engine, seconds: float, snapshot: str, queries: Sequence[Select[*tuple[Any, ...]]]
    ) -> None:
        self._connection = engine.connect()
        begin(self._connection, seconds)
        self._connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT {literal(snapshot)}")
        self._thread = ThreadPoolExecutor(1)
        self._answers = {query: self._thread.submit(self._fetch, query) for query in queries}

    def _fetch(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._connection.execute(query)]

    def answer(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]] | None:
        """The rows, waited for where they are on their way; None for a query that was not named."""
        begun = self._answers.get(query)
        return begun.result() if begun else None

    def close(self) -> None:
        """Waits for nothing that nobody wants any more."""
        for answer in self._answers.values():
            answer.cancel()
        if not all(answer.done() for answer in self._answers.values()):
            driver: Any = self._connection.connection.dbapi_connection
            driver.cancel()
        self._thread.shutdown()
        self._connection.close()


# The scanner delivers 'NaN' as 0. PostgreSQL itself therefore says in each row which numbers are none.
_NO_NUMBERS = "no_numbers"


def _no_numbers(decimals: Sequence[Column[Any]]) -> ColumnElement[Any]:
    if not decimals:
        return null().label(_NO_NUMBERS)
    nan: ColumnElement[Any] = literal_column("'NaN'")
    names = func.concat_ws(sql_literal(","), *(case((c == nan, sql_literal(str(c.name)))) for c in decimals))
    # Almost every row is settled by the comparisons alone.
    return case((or_(*(c == nan for c in decimals)), names)).label(_NO_NUMBERS)


def _unless_no_number(name: str, value: str) -> str:
    here = f"list_contains(string_split({_NO_NUMBERS}, ','), {literal(name)})"
    return f"CASE WHEN {_NO_NUMBERS} IS NULL OR NOT {here} THEN {value} END"


def _relation(statement: str) -> str:
    return f"postgres_query('crm', {literal(statement)})"


# --- COPY -----------------------------------------------------------------------------------------


@contextmanager
def copying(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    if engine.driver != "psycopg":
        raise Unavailable(f"its driver is {engine.driver}, not psycopg")
    with engine.connect() as connection:
        begin(connection, seconds)
        yield _Copying(engine, connection, work, scratch)


class _Copying(Streaming):
    def __init__(self, engine: Engine, connection: Connection, work: duckdb.DuckDBPyConnection, scratch: Path) -> None:
        super().__init__(connection, work)
        self._engine = engine
        self._scratch = scratch

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        path = self._scratch / f"{name}.csv"
        query = plain_sql(selection(name, columns, where), self._engine)
        statement = f"COPY ({query}) TO STDOUT (FORMAT csv, NULL '\\N', ENCODING 'UTF8')"
        driver: Any = self._connection.connection.dbapi_connection
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                try:
                    with driver.cursor() as cursor, cursor.copy(statement) as copy:
                        for block in copy:
                            file.write(block)
                except psycopg.Error as error:
                    raise Failed(str(error)) from error
                size = file.tell()
            if size:
                yield Rows(_csv(path, columns), frozenset())
        finally:
            path.unlink()


def _csv(path: Path, columns: Sequence[str]) -> str:
    types = ", ".join(f"{literal(c)}: 'VARCHAR'" for c in columns)
    return (
        f"read_csv({literal(path)}, auto_detect = false, header = false, columns = {{{types}}}, "
        "delim = ',', quote = '\"', escape = '\"', new_line = '\\n', "
        "nullstr = '\\N', allow_quoted_nulls = false, null_padding = false, max_line_size = 16777216)"
    )
