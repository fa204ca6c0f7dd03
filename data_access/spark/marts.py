"""Every mart of the registry, built by Spark from the facts of a draft and loaded back into it.

The facts go to Parquet files in a folder that this machine and the cluster see under the same path; Spark reads them
as views, writes each mart as sorted Parquet beside them, and the draft takes them over in that order. The queries are
those of ``data_access.marts``, unchanged. Pages never ask Spark: they read the snapshot like any other.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
from sqlalchemy import Connection, Select, Table, cast, create_engine, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError

from data_access.errors import Problem
from data_access.marts._mart import Mart
from data_access.marts._sql import tables_read
from data_access.marts.build import BuildMarts
from data_access.marts.registry import MARTS
from data_access.readers import literal
from data_access.spark.dialect import SparkDialect, spark_sql, spark_type, text
from data_access.staging import Progress

# Whatever the cluster's defaults are: what the results depend on, and how large a table may be that every worker gets
# a copy of. Sizes are those of Parquet files, of which a megabyte fills some fifty in memory.
_SESSION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.autoBroadcastJoinThreshold": "1m",
}


def marts_on_spark(url: str, exchange: Path) -> BuildMarts:
    """What fills the marts of ``facts`` in a refresh, in place of ``build_marts``.

    url: ``spark://[user[:password]@]host[:port]`` of a thrift server. exchange: the folder in which files change hands,
    of this home alone. Problem when the driver is missing or the URL is none.
    """
    if not _is_ours(url):
        raise Problem("the URL of the Spark thrift server must be written like spark://127.0.0.1:10000")
    try:
        SparkDialect.import_dbapi()
    except ModuleNotFoundError as missing:
        raise Problem(
            f"the package {missing.name} is missing: install requirements-spark.txt, or the extra beauty-mirror[spark]"
        ) from None

    def build(work: duckdb.DuckDBPyConnection, progress: Progress) -> None:
        with _folder(exchange) as place, _session(url) as spark:
            for table in facts_read():
                started = time.monotonic()
                export(work, table, place)
                view(spark, table, place)
                progress(f"{table.name} to Parquet: {time.monotonic() - started:.1f} s")
            for mart in MARTS:
                started = time.monotonic()
                build_mart(spark, mart, place)
                built = time.monotonic()
                if not mart.step:
                    _load(work, mart, place)
                loaded = time.monotonic()
                progress(f"mart {mart.name}: {built - started:.1f} s on Spark, {loaded - built:.1f} s to load")

    return build


def _is_ours(url: str) -> bool:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return False
    return parsed.get_backend_name() == SparkDialect.name and bool(parsed.host)


def facts_read() -> list[Table]:
    """The tables that marts read and that are no marts."""
    marts = {mart.table for mart in MARTS}
    return sorted({table for mart in MARTS for table in tables_read(mart)} - marts, key=lambda table: table.name)


def mart_query(mart: Mart) -> Select[Any]:
    """The query of a mart with its rows in order and its columns of their declared types."""
    rows = mart.query().subquery("rows_of_mart")
    columns = {c.name: cast(rows.c[c.name], c.type).label(c.name) for c in mart.table.c}
    return select(*columns.values()).order_by(*(columns[name].nulls_last() for name in mart.order_by))


def export(work: duckdb.DuckDBPyConnection, table: Table, place: Path) -> None:
    """Writes a table of ``facts`` as Parquet, by month where it has days."""
    columns = ", ".join(f'"{c.name}"' for c in table.c)
    (place / table.name).mkdir()
    if "day" in table.c:
        columns += ", strftime(day, '%Y-%m') AS sold_in"
        target = f"{literal(place / table.name)} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (sold_in))"
    else:
        target = f"{literal(place / table.name / 'all.parquet')} (FORMAT parquet, COMPRESSION zstd)"
    work.execute(f"COPY (SELECT {columns} FROM facts.{table.name}) TO {target}")


def build_mart(spark: Connection, mart: Mart, place: Path) -> None:
    """Writes a mart as Parquet and gives it to the marts after it. Problem when Spark cannot."""
    target = text(f"file://{place / mart.name}")
    query = spark_sql(mart_query(mart))
    _run(spark, f"INSERT OVERWRITE DIRECTORY {target} USING parquet {query}", f"build the mart {mart.name}")
    view(spark, mart.table, place)


def view(spark: Connection, table: Table, place: Path) -> None:
    """Lets Spark read the files of a table. Problem when it does not find them."""
    columns = ", ".join(f"`{c.name}` {spark_type(c.type)}" for c in table.c)
    folder = place / table.name
    _run(
        spark,
        f"CREATE TEMPORARY VIEW `{table.name}` ({columns}) USING parquet OPTIONS (path {text(f'file://{folder}')})",
        f"read {folder}; the cluster must see this folder under the same path",
    )


def _run(spark: Connection, statement: str, what: str) -> None:
    try:
        spark.exec_driver_sql(statement)
    except DBAPIError as error:
        raise Problem(f"Spark could not {what} ({_said(error)})") from error


def _load(work: duckdb.DuckDBPyConnection, mart: Mart, place: Path) -> None:
    files = literal(place / mart.name / "*.parquet")
    work.execute(f"INSERT INTO facts.{mart.name} BY NAME SELECT * FROM read_parquet({files})")


@contextmanager
def _folder(exchange: Path) -> Iterator[Path]:
    """A folder of this build's own, gone afterwards, as is what a build that died has left there."""
    for left in exchange.glob("marts_*"):
        shutil.rmtree(left, ignore_errors=True)
    place = exchange.resolve() / f"marts_{uuid4().hex}"
    place.mkdir(parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _session(url: str) -> Iterator[Connection]:
    from thrift.transport.TTransport import TTransportException

    engine = create_engine(url)
    try:
        with engine.connect() as spark:
            for name, value in _SESSION.items():
                spark.exec_driver_sql(f"SET {name}={value}")
            yield spark
    except (TTransportException, DBAPIError) as error:
        raise Problem(f"Spark at {engine.url!r} did not answer ({_said(error)}): check that it is running") from error
    finally:
        engine.dispose()


def _said(error: Exception) -> str:
    """What went wrong in one line, without Java's stack."""
    answer = getattr(error, "orig", None) or error
    status = getattr(answer.args[0], "status", None) if answer.args else None
    said = str(getattr(status, "errorMessage", None) or answer).strip()
    return said.splitlines()[0] if said else type(answer).__name__
