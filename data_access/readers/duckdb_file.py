"""A DuckDB file with the canonical tables as CRM: attached, read-only, typed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import ColumnElement, Engine, Select

from data_access.readers.base import (
    Reader,
    Rows,
    at_most,
    canonical_rows,
    literal,
    one_transaction,
    plain_sql,
    quoted,
    readable,
    selection,
)


def database_file(engine: Engine) -> Path | None:
    """The file of a DuckDB URL; None for other databases and for DuckDB in memory."""
    name = engine.url.database
    return Path(name).resolve() if engine.dialect.name == "duckdb" and name and name != ":memory:" else None


@contextmanager
def attached(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    found = work.execute("SELECT current_setting('search_path'), current_database()").fetchone()
    before, own = found if found else ("", "memory")
    work.execute(f"ATTACH {literal(database_file(engine))} AS crm (READ_ONLY)")
    try:
        work.execute(f"SET search_path = {literal(f'{own}.main,crm.main')}")
        with one_transaction(work):
            yield _Attached(engine, work, seconds)
    finally:
        work.execute(f"SET search_path = {literal(before)}")
        work.execute("DETACH crm")


class _Attached(Reader):
    def __init__(self, engine: Engine, work: duckdb.DuckDBPyConnection, seconds: float) -> None:
        self._engine = engine
        self._work = work
        self._seconds = seconds

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        whole = plain_sql(selection(name, columns, None), self._engine)
        _, typed = readable(self._work, f"({whole})", name, columns)
        wanted = [typed.get(c) or f"CAST({quoted(c)} AS VARCHAR)" for c in columns]
        named = ", ".join(f"{sql} AS {quoted(c)}" for sql, c in zip(wanted, columns, strict=True))
        chosen = plain_sql(selection(name, columns, where), self._engine)
        with at_most(self._seconds, self._work):
            yield Rows(f"(SELECT {named} FROM ({chosen}))", frozenset(typed))

    def execute(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        with at_most(self._seconds, self._work):
            return canonical_rows(query, self._work.execute(plain_sql(query, self._engine)).fetchall())
