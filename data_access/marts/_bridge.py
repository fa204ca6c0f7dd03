"""What SQL dialects say differently, as constructs that compile to each: DuckDB by default, and Spark."""

from hashlib import md5
from typing import Any

from sqlalchemy import Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class text_hash(FunctionElement[int]):
    """A whole number below 2**28 from the MD5 of a text: the same one on every engine, different ones may share it.

    Sorted by it, rows of one id lie together and are found by the ranges of the stored blocks. The ids themselves do
    not serve: of a text, blocks know only the first eight characters, which many ids have in common.
    """

    name = "text_hash"
    type = Integer()
    inherit_cache = True


@compiles(text_hash)
def _text_hash(element: text_hash, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST('0x' || substr(md5({compiler.process(element.clauses, **kw)}), 1, 7) AS INTEGER)"


@compiles(text_hash, "spark")
def _text_hash_in_spark(element: text_hash, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(conv(substr(md5({compiler.process(element.clauses, **kw)}), 1, 7), 16, 10) AS INT)"


def text_hash_of(text: str) -> int:
    """``text_hash`` of a text that is known here."""
    return int(md5(text.encode(), usedforsecurity=False).hexdigest()[:7], 16)


class days_between(FunctionElement[int]):
    """Whole days from one date to a later one; (earlier, later)."""

    name = "days_between"
    type = Integer()
    inherit_cache = True


@compiles(days_between)
def _days_between(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date_diff('day', {compiler.process(element.clauses, **kw)})"


@compiles(days_between, "spark")
def _days_between_in_spark(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    # as wide as in DuckDB: days are multiplied
    return f"CAST(datediff({later}, {earlier}) AS BIGINT)"
