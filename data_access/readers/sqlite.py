"""SQLite through DuckDB's scanner: every value as text, because SQLite stores any type in any column."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import ColumnElement, Engine, Select

from data_access.readers.base import (
    LOCK_SECONDS,
    Reader,
    Rows,
    Unavailable,
    at_most,
    canonical_rows,
    literal,
    load_scanner,
    one_thread,
    one_transaction,
    plain_sql,
    selection,
)


def database_file(engine: Engine) -> Path | None:
    """The database file of a plain SQLite URL; None for other databases and for SQLite in memory."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or name.startswith("file:"):
        return None
    return Path(name).resolve()


@contextmanager
def scanning(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    path = database_file(engine)
    if not path:
        raise Unavailable("the database is no plain file")
    load_scanner(work, "sqlite_scanner")
    work.execute("SET sqlite_all_varchar = true")
    work.execute(f"ATTACH {literal(path)} AS crm (TYPE sqlite, READ_ONLY, BUSY_TIMEOUT {LOCK_SECONDS * 1000})")
    try:
        # Within one transaction sqlite_query() uses one SQLite connection, so all tables are seen at one
        # instant. A plain scan of crm.<table> opens connections of its own and does not.
        with one_transaction(work):
            yield _Scanning(engine, work, seconds)
    finally:
        work.execute("DETACH crm")


class _Scanning(Reader):
    def __init__(self, engine: Engine, work: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._engine = engine
        self._work = work
        self._seconds = seconds

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        with at_most(self._seconds, self._work), one_thread(self._work):
            yield Rows(_relation(plain_sql(selection(name, columns, where), self._engine)), frozenset())

    def execute(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return canonical_rows(query, self._fetch(plain_sql(query, self._engine)))

    def _fetch(self, statement: str) -> list[Any]:
        with at_most(self._seconds, self._work):
            return self._work.execute(f"FROM {_relation(statement)}").fetchall()


def _relation(statement: str) -> str:
    return f"sqlite_query('crm', {literal(statement)})"
