"""Queries of marts as SQL text for DuckDB, reading the schema they are told to."""

from collections.abc import Mapping, Set
from functools import cache
from typing import Any

import duckdb
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Column, Select, Table
from sqlalchemy.sql.selectable import CompoundSelect
from sqlalchemy.sql.visitors import iterate

from data_access.marts._mart import Mart

_DIALECT = Dialect()


def sql(query: Select[Any] | CompoundSelect[Any], schema: str) -> str:
    """``query`` with every value written out and every table in ``schema``."""
    compiled = query.compile(
        dialect=_DIALECT,
        schema_translate_map={None: schema},
        render_schema_translate=True,
        compile_kwargs={"literal_binds": True},
    )
    return str(compiled)


def scalar(work: duckdb.DuckDBPyConnection, query: str) -> Any:
    """The first value of the first row; None without a row."""
    found = work.execute(query).fetchone()
    return found[0] if found else None


@cache
def _query(mart: Mart) -> Select[Any] | CompoundSelect[Any]:
    """The query of a mart, put together once: a refresh asks for it a dozen times."""
    return mart.query()


@cache
def mart_sql(mart: Mart, schema: str) -> str:
    """The query of a mart, as ``sql`` writes it."""
    return sql(_query(mart), schema)


@cache
def narrow_sql(mart: Mart, schema: str) -> str:
    """The query of a mart with the types of its table: sums come wider than what they add up, and twice as slow."""
    columns = ", ".join(f"CAST({c.name} AS {c.type.compile(_DIALECT)}) AS {c.name}" for c in mart.table.c)
    return f"SELECT {columns} FROM ({mart_sql(mart, schema)})"


@cache
def tables_read(mart: Mart) -> frozenset[Table]:
    """The tables that the query of a mart reads."""
    return frozenset(part for part in iterate(_query(mart)) if isinstance(part, Table))


@cache
def columns_read(mart: Mart) -> Mapping[str, Set[str]]:
    """The columns that the query of a mart reads, by table."""
    read: dict[str, set[str]] = {}
    for part in iterate(_query(mart)):
        if isinstance(part, Column) and isinstance(part.table, Table):
            read.setdefault(part.table.name, set()).add(part.name)
    return read
