"""Any database through SQLAlchemy, row by row: the slow way that always works."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Engine, Select, func, select

from data_access.readers.base import (
    BATCH,
    LOCK_SECONDS,
    Reader,
    Rows,
    canonical_rows,
    postgresql_settings,
    registered,
    selection,
)
from data_access.schema import crm


@contextmanager
def streaming(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    with engine.connect() as connection:
        begin(connection, seconds)
        yield Streaming(connection, work)


def begin(connection: Connection, seconds: float) -> None:
    """Opens one consistent transaction, read-only and with limits where the database can promise that."""
    dialect = connection.dialect
    if dialect.name in ("mysql", "mariadb"):
        connection.detach()  # the session settings must not reach the pool
        for statement in (
            f"SET SESSION max_statement_time = {seconds}",
            f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}",
            "SET SESSION time_zone = '+00:00'",
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        ):
            connection.exec_driver_sql(statement)
    elif dialect.name == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for key, value in postgresql_settings(seconds).items():
            connection.exec_driver_sql(f"SET LOCAL {key} = '{value}'")
    elif dialect.name == "sqlite":
        connection.detach()
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")
    else:
        driver: Any = connection.connection.dbapi_connection
        if "REPEATABLE READ" in dialect.get_isolation_level_values(driver):
            connection.execution_options(isolation_level="REPEATABLE READ")


class Streaming(Reader):
    def __init__(self, connection: Connection, work: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._work = work

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        expected = self._expected(name, where)
        streamed = self._connection.execution_options(stream_results=True, max_row_buffer=BATCH)
        for rows in streamed.execute(selection(name, columns, where)).partitions(BATCH):
            values = zip(*rows, strict=True)
            batch = {c: pa.array(map(_text, v), pa.string()) for c, v in zip(columns, values, strict=True)}
            with registered(self._work, pa.table(batch)) as relation:
                yield Rows(relation, frozenset(), expected=expected)

    def execute(self, query: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return canonical_rows(query, [tuple(row) for row in self._connection.execute(query)])

    def _expected(self, name: str, where: ColumnElement[bool] | None) -> int:
        """The rows of a whole table, for the progress: rows one by one take far longer than to count them."""
        return 0 if where is not None else int(self.execute(select(func.count()).select_from(crm.tables[name]))[0][0])


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
