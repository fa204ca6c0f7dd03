"""The CRM database: how to reach it. It is read only, except for the demo chain and imports."""

from sqlalchemy import Engine, create_engine, event, inspect, select

from data_access.errors import Problem
from data_access.schema import crm, data_source, store


def crm_engine(url: str) -> Engine:
    """An engine for the CRM database at ``url`` (SQLite, PostgreSQL or MariaDB)."""
    if not url:
        raise Problem("no CRM database is named: set MIRROR_CRM_URL to its SQLAlchemy URL")
    engine = create_engine(url, pool_pre_ping=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_settings)
    return engine


def _sqlite_settings(connection, _record) -> None:  # type: ignore[no-untyped-def]
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def prepare(engine: Engine) -> None:
    """Creates whatever canonical table is missing, so that rows can be written."""
    crm.create_all(engine)


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
            existing.has_table(table.name) and connection.execute(select(*table.primary_key).limit(1)).first() is not None
            for table in (data_source, store)
        )
