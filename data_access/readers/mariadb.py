"""MariaDB: one text per row, joined by the server and split by DuckDB, because the driver reads value by value.

The rows come through a server-side cursor of one transaction. (DuckDB's scanner for MySQL resets its connection
after every statement, so it cannot keep a transaction; faster drivers read ahead of us without a limit.)
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pymysql import MySQLError  # type: ignore[import-untyped]
from pymysql.cursors import SSCursor  # type: ignore[import-untyped]
from sqlalchemy import Column, ColumnElement, Connection, Engine, String, cast, func, literal, select
from sqlalchemy.dialects.mysql import CHAR

from data_access.readers.base import (
    BATCH,
    Failed,
    Reader,
    Rows,
    Unavailable,
    duckdb_type,
    plain_sql,
    quoted,
    registered,
)
from data_access.readers.base import literal as sql_literal
from data_access.readers.stream import Streaming, begin
from data_access.schema import crm

# Characters of control that ASCII keeps for this; where a text holds one itself, it is escaped.
_ESCAPE, _BETWEEN = "\x1d", "\x1f"
_NULL, _ESCAPED_ESCAPE, _ESCAPED_BETWEEN = _ESCAPE + "0", _ESCAPE + "1", _ESCAPE + "2"


@contextmanager
def joining(engine: Engine, work: duckdb.DuckDBPyConnection, scratch: Path, seconds: float) -> Iterator[Reader]:
    if engine.driver != "pymysql":
        raise Unavailable(f"its driver is {engine.driver}, not pymysql")
    with engine.connect() as connection:
        begin(connection, seconds)
        yield _Joining(engine, connection, work)


class _Joining(Streaming):
    def __init__(self, engine: Engine, connection: Connection, work: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection, work)
        self._engine = engine

    def rows(self, name: str, columns: Sequence[str], where: ColumnElement[bool] | None = None) -> Iterator[Rows]:
        table = crm.tables[name]
        query = select(func.concat_ws(_BETWEEN, *(_joinable(table.c[c]) for c in columns))).select_from(table)
        split = ", ".join(_split(place, table.c[c]) for place, c in enumerate(columns, start=1))
        relation = f"(SELECT {split} FROM (SELECT string_split(whole, {sql_literal(_BETWEEN)}) AS part FROM batch))"
        if where is not None:
            query = query.where(where)
        expected = self._expected(name, where)
        for rows in self._blocks(plain_sql(query, self._engine)):
            texts = [text for (text,) in rows]
            if any(text is None or text.count(_BETWEEN) != len(columns) - 1 for text in texts):
                raise Failed(f"a row of {name} is too long or holds control characters in a number or date")
            with registered(self._work, pa.table({"whole": pa.array(texts, pa.string())})):
                yield Rows(relation, frozenset(), expected=expected)

    def _blocks(self, statement: str) -> Iterator[Sequence[tuple[str | None]]]:
        driver: Any = self._connection.connection.dbapi_connection
        try:
            with driver.cursor(SSCursor) as cursor:
                cursor.execute(statement)
                while rows := cursor.fetchmany(BATCH):
                    yield rows
        except MySQLError as error:
            raise Failed(str(error)) from error


def _joinable(column: Column[Any]) -> ColumnElement[Any]:
    value: ColumnElement[Any] = column
    if duckdb_type(column) == "VARCHAR":
        text = cast(column, CHAR(charset="utf8mb4"))
        value = func.replace(func.replace(text, _ESCAPE, _ESCAPED_ESCAPE), _BETWEEN, _ESCAPED_BETWEEN)
    return func.coalesce(cast(value, String) if value is column else value, literal(_NULL))


def _split(place: int, column: Column[Any]) -> str:
    value = f"nullif(part[{place}], {sql_literal(_NULL)})"
    if duckdb_type(column) == "VARCHAR":
        for escaped, meant in ((_ESCAPED_BETWEEN, _BETWEEN), (_ESCAPED_ESCAPE, _ESCAPE)):
            value = f"replace({value}, {sql_literal(escaped)}, {sql_literal(meant)})"
    return f"{value} AS {quoted(column.name)}"
