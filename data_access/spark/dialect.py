"""Spark SQL for SQLAlchemy, as far as marts need it: statements with every value written out, over Hive's thrift
protocol. ``spark://[user[:password]@]host[:port]``

The dialect that comes with the driver does not serve: it writes every decimal as DECIMAL, which is DECIMAL(10, 0) to
Spark and loses the cents, and every day as TIMESTAMP, which has a zone. To compile takes no driver.
"""

from types import ModuleType
from typing import Any

from sqlalchemy import URL, Float, Select, String
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.engine.interfaces import ConnectArgsType, Dialect
from sqlalchemy.sql.compiler import GenericTypeCompiler, IdentifierPreparer
from sqlalchemy.sql.selectable import CompoundSelect

PORT = 10_000


class _Types(GenericTypeCompiler):
    def visit_INTEGER(self, type_: Any, **kw: Any) -> str:
        return "INT"

    def visit_NUMERIC(self, type_: Any, **kw: Any) -> str:
        return f"DECIMAL({type_.precision}, {type_.scale})"

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:
        return "DOUBLE"

    def visit_VARCHAR(self, type_: Any, **kw: Any) -> str:
        return "STRING"

    visit_TEXT = visit_VARCHAR

    def visit_DATETIME(self, type_: Any, **kw: Any) -> str:
        return "TIMESTAMP_NTZ"  # TIMESTAMP is an instant, shown in the zone of the session


class _Identifiers(IdentifierPreparer):
    def __init__(self, dialect: Dialect, **kw: Any) -> None:
        super().__init__(dialect, initial_quote="`", **kw)

    def _requires_quotes(self, value: str) -> bool:
        return True


class _Text(String):
    def literal_processor(self, dialect: Any) -> Any:
        return text


class _Double(Float[Any]):
    def literal_processor(self, dialect: Any) -> Any:
        # without the D it is a decimal
        return lambda value: f"{value!r}D"


class SparkDialect(DefaultDialect):
    """Reads and writes nothing by itself: no reflection, no transactions."""

    name = "spark"
    driver = "thrift"
    type_compiler_cls = _Types
    preparer = _Identifiers  # type: ignore[assignment]
    colspecs = {String: _Text, Float: _Double}  # noqa: RUF012 - as the base class declares it
    div_is_floordiv = False
    supports_native_boolean = True
    supports_native_decimal = True
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        from pyhive import hive

        return hive

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        who: dict[str, Any] = {"username": url.username, "password": url.password}
        if url.password:
            who["auth"] = "CUSTOM"
        return [], {"host": url.host, "port": url.port or PORT, **who, **url.query}

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        # Without parameters the driver leaves a percent sign alone.
        cursor.execute(statement, parameters or None)

    def do_rollback(self, dbapi_connection: Any) -> None:
        pass


registry.register("spark", __name__, "SparkDialect")
_DIALECT = SparkDialect()


def text(value: object) -> str:
    """A text as Spark reads it: with backslashes, since two quotes in a row do not always mean one."""
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


def spark_sql(query: Select[Any] | CompoundSelect[Any]) -> str:
    """``query`` with every value written out."""
    return str(query.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def spark_type(type_: Any) -> str:
    """What a column's type is called."""
    return str(_DIALECT.type_compiler_instance.process(type_))
