"""What was deleted or replaced must not be left in the database's files."""

from collections.abc import Iterable

from sqlalchemy import Engine, inspect

from data_access.schema import customer, customer_identity, staff
from data_access.vault.tables import customer_index, customer_vault, identity_vault

_PLAIN = (customer, customer_identity, staff)
_SEALED = (customer_vault, identity_vault, customer_index)
_WAITS = 20  # seconds for others who are reading what is to be written anew


def log(engine: Engine) -> None:
    """After a few rows: SQLite overwrites them in its file at once (``data_access.crm`` asks it to); what stands in
    its log beside the file goes here. A server reuses the space by itself."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def keys(engine: Engine) -> None:
    """After an erasure: no file of the tables holds the destroyed key any more. SQLite has overwritten it; a server
    only marks a row as deleted and writes the tables of the vault anew here. Its own logs keep the row for a while.

    DBAPIError when others read the tables for too long: what is deleted stays deleted, this can be done again.
    """
    there = inspect(engine).get_table_names()
    _write_anew(engine, [table.name for table in _SEALED if table.name in there])
    log(engine)


def tables(engine: Engine) -> None:
    """After many rows: writes the files anew without what is gone. Locks the tables while it lasts."""
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
    _write_anew(engine, [table.name for table in _PLAIN])
    log(engine)


def _write_anew(engine: Engine, names: Iterable[str]) -> None:
    """Tables of a server without the rows that are gone."""
    statements = {
        "postgresql": ("SET lock_timeout = '{seconds}s'", "VACUUM FULL {name}"),
        "mysql": ("SET lock_wait_timeout = {seconds}", "OPTIMIZE TABLE {name}"),
        "mariadb": ("SET lock_wait_timeout = {seconds}", "OPTIMIZE TABLE {name}"),
    }.get(engine.dialect.name)
    if statements is None:
        return
    patience, anew = statements
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(patience.format(seconds=_WAITS))
        for name in names:
            connection.exec_driver_sql(anew.format(name=name))
        # The connection goes back to others, who wait as they always did.
        connection.invalidate()
