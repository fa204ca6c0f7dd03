"""Queries of marts as SQL text for DuckDB, reading the schema they are told to."""

from typing import Any

from duckdb_sqlalchemy import Dialect
from sqlalchemy import Select
from sqlalchemy.sql.selectable import CompoundSelect

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
