"""The CRM database: how to reach it. It is read only, except for the demo chain and imports."""

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from data_access import private
from data_access.errors import Problem
from data_access.migrations import upgrade
from data_access.readers import APPLICATION
from data_access.schema import data_source, store


def crm_engine(url: str) -> Engine:
    """An engine for the CRM database at ``url`` (SQLite, PostgreSQL, MariaDB, or a DuckDB file to read only).

    Problem when ``url`` is no SQLAlchemy URL or its driver is not installed.
    """
    if not url:
        raise Problem("no CRM database is named: set MIRROR_CRM_URL to its SQLAlchemy URL")
    try:
        # An error says which statement failed and not with which values: they may be somebody's name or number.
        engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, **_driver_options(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        # Not the URL itself: it may hold a password.
        raise Problem(
            "MIRROR_CRM_URL is not a database URL this program can open "
            f"({type(error).__name__}): write it like postgresql+psycopg://user:password@host/database"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    return engine


def _driver_options(url: str) -> dict[str, Any]:
    """What SQLAlchemy and the driver need to know beyond the URL."""
    match make_url(url).get_driver_name(), make_url(url).get_backend_name():
        case "psycopg", _:
            return {"connect_args": {"fallback_application_name": APPLICATION}}
        case "pymysql", _:
            return {"connect_args": {"program_name": APPLICATION}}
        case _, "duckdb":
            # A file that is open for writing anywhere can be read by nobody else: open it for each use, to read.
            return {"connect_args": {"read_only": True}, "poolclass": NullPool}
    return {}


def _sqlite_settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA synchronous=NORMAL")
    # What is deleted or replaced is overwritten in the file: it may have been a name, or the key to one.
    connection.execute("PRAGMA secure_delete=ON")


def prepare(engine: Engine) -> None:
    """Creates whatever canonical table is missing and brings older ones up to date, so that rows can be written.

    Problem when the database refuses.
    """
    try:
        if engine.dialect.name == "sqlite":
            if engine.url.database not in (None, "", ":memory:"):
                private.file(Path(str(engine.url.database)))
            with engine.connect() as connection:
                # Kept in the file: readers and the one writer do not wait for each other.
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        with engine.begin() as connection:
            upgrade(connection)
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Problem(
            f"the tables of {engine.url.render_as_string(hide_password=True)} cannot be created or updated ({reason}): "
            "check that the account may create tables there"
        ) from error


def is_demo(engine: Engine) -> bool:
    """Whether this database holds the demo chain and nothing else."""
    if not inspect(engine).has_table(data_source.name):
        return False
    with engine.connect() as connection:
        kinds = set(connection.scalars(select(data_source.c.kind)))
    return kinds == {"demo"}


def holds_rows(engine: Engine) -> bool:
    """Whether somebody has put rows into this database: a recorded load, or any store."""
    existing = inspect(engine)
    with engine.connect() as connection:
        return any(
            existing.has_table(table.name) and connection.execute(select(*table.primary_key).limit(1)).first()
            for table in (data_source, store)
        )
