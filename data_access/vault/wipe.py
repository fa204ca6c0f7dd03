"""What was deleted or replaced must not be left in the database's files."""

from sqlalchemy import Engine

from data_access.schema import customer, customer_identity, staff

_TABLES = (customer, customer_identity, staff)


def log(engine: Engine) -> None:
    """After a few rows: SQLite overwrites them in its file at once (``data_access.crm`` asks it to); what stands in
    its log beside the file goes here. A server reuses the space by itself."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def tables(engine: Engine) -> None:
    """After many rows: writes the files anew without what is gone. Locks the tables while it lasts."""
    names = ", ".join(table.name for table in _TABLES)
    statements = {
        "sqlite": ["VACUUM"],
        "postgresql": [f"VACUUM FULL {names}"],
        "mysql": [f"OPTIMIZE TABLE {names}"],
        "mariadb": [f"OPTIMIZE TABLE {names}"],
    }.get(engine.dialect.name, [])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    log(engine)
