"""What every reader shares: its shape, how conditions become SQL text, and how values become plain Python."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from importlib import metadata
from typing import Any, Protocol

import duckdb
import pyarrow as pa
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Engine,
    Float,
    Integer,
    Numeric,
    Select,
    Text,
    cast,
    select,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

from data_access.schema import crm

APPLICATION = "beauty-mirror"
LOCK_SECONDS = 10
BATCH = 50_000  # rows


class Unavailable(Exception):
    """This way of reading is not possible here; the next one may be."""


class Failed(Exception):
    """The CRM or the way to it failed while it was read; says how, in the driver's words."""


@dataclass(frozen=True)
class Rows:
    """Some rows of one table: SQL to put behind FROM.

    The columns in ``typed`` have their canonical DuckDB type already, all others are text. ``unreadable`` is SQL for
    the names, with commas, of typed columns that are null because their type does not know the value. ``expected``:
    how many rows come in all, where there are several relations and it is known.
    """

    relation: str
    typed: frozenset[str]
    unreadable: str = "NULL"
    expected: int = 0


class Reader(Protocol):
    """Rows of one CRM database as they were at one instant."""

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        """Yields the rows of one canonical table, each relation valid until the next one is taken.

        ``where`` is a condition over the tables of ``data_access.schema``; it is computed by the CRM.
        """

    def execute(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The rows of a small query: Decimal, naive UTC datetime, date, int, float, bool or str on every database.

        Each column's SQLAlchemy type decides; a column of unknown type (``func.avg``) arrives as text.
        """

    def ahead(self, queries: Sequence[Select[*tuple[Any, ...]]]) -> None:
        """Says which queries will be executed, in this order: a reader may begin with them while rows are read."""
        return  # most have one connection, which answers them when they are executed


def literal(text: object) -> str:
    """A text or path as an SQL literal of DuckDB."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def duckdb_type(column: Column[Any]) -> str:
    """The DuckDB type in which a canonical column is staged."""
    match column.type:
        case Boolean():
            return "BOOLEAN"
        case Integer():
            return "INTEGER"
        case Float():
            return "DOUBLE"
        case Numeric():
            return "DECIMAL(18,4)"
        case DateTime():
            return "TIMESTAMP"
        case Date():
            return "DATE"
        case _:
            return "VARCHAR"


# --- what is asked of the CRM ---------------------------------------------------------------------


def selection(
    name: str,
    columns: Sequence[str],
    where: ColumnElement[bool] | None,
    as_text: frozenset[str] = frozenset(),
) -> Select[*tuple[Any, ...]]:
    """The query for some columns of one table, those in ``as_text`` turned into text by the CRM."""
    table = crm.tables[name]
    chosen = [_as_text(table.c[c]) if c in as_text else _as_it_is(table.c[c]) for c in columns]
    query = select(*chosen).select_from(table)
    return query if where is None else query.where(where)


def _as_text(column: Column[Any]) -> ColumnElement[Any]:
    return cast(column, Text).label(column.name)


def _as_it_is(column: Column[Any]) -> ColumnElement[Any]:
    """Without a type, so that SQLAlchemy does not try to read what may be unreadable."""
    return type_coerce(column, NullType()).label(column.name)


class exact_sum(FunctionElement[Decimal]):
    """The sum of a money column to four decimals, in ten-thousandths; 0 without a row.

    SQLite adds decimals as binary fractions, whole numbers exactly.
    """

    name = "exact_sum"
    type = Numeric(38, 0)
    inherit_cache = True


@compiles(exact_sum)
def _exact_sum(element: exact_sum, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(sum(CAST({compiler.process(element.clauses, **kw)} AS DECIMAL(18, 4))), 0) * 10000"


@compiles(exact_sum, "sqlite")
def _exact_sum_in_sqlite(element: exact_sum, compiler: SQLCompiler, **kw: Any) -> str:
    return f"coalesce(sum(CAST(round({compiler.process(element.clauses, **kw)} * 10000) AS INTEGER)), 0)"


def plain_sql(query: Select[*tuple[Any, ...]], engine: Engine) -> str:
    """The query as one text with every value in it, safely rendered for this database."""
    known = engine.dialect
    # With named parameters SQLAlchemy leaves percent signs alone; the statement is sent without any parameter.
    kind: Any = type(known)
    dialect = kind(paramstyle="named")
    for trait in ("server_version_info", "is_mariadb", "_backslash_escapes"):
        if getattr(known, trait, None) is not None:
            setattr(dialect, trait, getattr(known, trait))
    if known.name == "postgresql":  # its readers ask for standard strings, where a backslash is a plain character
        dialect._backslash_escapes = False
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def canonical_rows(query: Select[*tuple[Any, ...]], found: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows of ``query`` with every value in the Python type of its column, whatever the driver made of it."""
    kinds = [c.type for c in query.selected_columns]
    return [tuple(canonical(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in found]


def canonical(value: Any, kind: TypeEngine[Any]) -> Any:
    """The value as Python knows it; None where it cannot be read, as in staging."""
    if value is None:
        return None
    try:
        return _plain(value, kind)
    except (ValueError, InvalidOperation):
        return None


def _plain(value: Any, kind: TypeEngine[Any]) -> Any:
    match kind:
        case Boolean():
            return str(value).lower() in ("1", "t", "true")
        case Integer():
            return int(Decimal(str(value)))
        case Float():
            return float(value)
        case Numeric():
            return _decimal(value, kind.scale)
        case DateTime():
            return _instant(value)
        case Date():
            return date.fromisoformat(str(value)[:10])
        case _:
            return str(value)


def _decimal(value: Any, scale: int | None) -> Decimal:
    exact = Decimal(str(value))
    # SQLite adds money as binary fractions, and no two servers agree on the trailing zeros.
    return exact if scale is None or not exact.is_finite() else exact.quantize(Decimal(1).scaleb(-scale))


def _instant(value: Any) -> datetime:
    instant = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return instant.astimezone(UTC).replace(tzinfo=None) if instant.tzinfo else instant


@contextmanager
def registered(work: duckdb.DuckDBPyConnection, batch: pa.Table) -> Iterator[str]:
    """The batch as a relation of DuckDB, until the block ends."""
    work.register("batch", batch)
    try:
        yield "batch"
    finally:
        work.unregister("batch")


def postgresql_settings(seconds: float) -> dict[str, str]:
    """What holds for every statement PostgreSQL gets from a reader; times in milliseconds."""
    return {
        "default_transaction_read_only": "on",
        "statement_timeout": str(round(seconds * 1000)),
        "lock_timeout": str(LOCK_SECONDS * 1000),
        "timezone": "UTC",
        "datestyle": "ISO, YMD",
        "standard_conforming_strings": "on",
    }


# --- DuckDB as the one who fetches ----------------------------------------------------------------


def load_scanner(work: duckdb.DuckDBPyConnection, name: str) -> None:
    """Loads a scanner of DuckDB from its wheel, never from the network."""
    try:
        files = metadata.files(f"duckdb-extension-{name.replace('_', '-')}") or []
        found = next(f for f in files if f.name == f"{name}.duckdb_extension")
        work.execute(f"LOAD {literal(found.locate())}")
    except (metadata.PackageNotFoundError, StopIteration, duckdb.Error) as error:
        raise Unavailable(f"{name} is not installed or does not fit this DuckDB: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextmanager
def one_transaction(work: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One DuckDB transaction around all statements: its scanners then keep one transaction of the CRM open too."""
    work.execute("BEGIN")
    try:
        yield
        work.execute("COMMIT")
    except BaseException:
        work.execute("ROLLBACK")
        raise


@contextmanager
def one_thread(work: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """No second thread while rows come through a single one: it would wait in a busy loop, which takes a core from
    the CRM on the same machine."""
    aside = work.cursor()  # in a transaction that failed nothing could be set
    (threads,) = aside.execute("SELECT current_setting('threads')").fetchone() or (1,)
    aside.execute("SET threads = 1")
    try:
        yield
    finally:
        aside.execute(f"SET threads = {threads}")
        aside.close()


@contextmanager
def at_most(seconds: float, work: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Interrupts what ``work`` is doing after ``seconds``, for databases that know no statement timeout."""
    watch = threading.Timer(seconds, work.interrupt)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def readable(
    work: duckdb.DuckDBPyConnection, relation: str, name: str, columns: Sequence[str]
) -> tuple[frozenset[str], dict[str, str]]:
    """Which columns need no text, and how: (columns to read as text, SQL that gives the others their type).

    A column whose type in the CRM differs from the canonical one is read as text unless no value can be lost.
    """
    found = {column: kind for column, kind, *_ in work.execute(f"DESCRIBE FROM {relation}").fetchall()}
    table = crm.tables[name]
    lossless = {c: _widened(quoted(c), found[c], duckdb_type(table.c[c])) for c in columns}
    typed = {column: sql for column, sql in lossless.items() if sql}
    return frozenset(set(columns) - set(typed)), typed


def _widened(name: str, found: str, wanted: str) -> str | None:
    if found == wanted and wanted != "DOUBLE":
        return name
    if wanted == "INTEGER" and found in ("TINYINT", "SMALLINT", "UTINYINT", "USMALLINT"):
        return f"CAST({name} AS INTEGER)"
    if wanted == "TIMESTAMP" and found in ("TIMESTAMP WITH TIME ZONE", "DATE"):
        return f"CAST({name} AS TIMESTAMP)"
    if wanted == "DECIMAL(18,4)" and found.startswith("DECIMAL("):
        width, scale = map(int, found[8:-1].split(","))
        return f"CAST({name} AS DECIMAL(18,4))" if scale <= 4 and width - scale <= 14 else None
    return None
