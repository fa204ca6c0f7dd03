"""A CRM on a server that somebody names for the first time: what it holds, and what is wrong with the way there.

Each thing that can be wrong is one sentence of its own: the host, the sign-in, the database, the rights.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from data_access.contract import ContractReport, check
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.schema import crm

# What the server or its driver says -> the key of the sentence; MariaDB by its numbers, PostgreSQL by its words.
_MARIADB: Mapping[int, str] = {
    **dict.fromkeys((2002, 2003, 2005, 2013), "crm_host"),
    **dict.fromkeys((1045, 1698), "crm_sign_in"),
    **dict.fromkeys((1044, 1049), "crm_database"),
    **dict.fromkeys((1142, 1143), "crm_may_not_read"),
}
_POSTGRESQL: Mapping[str, str] = {
    "failed to resolve host": "crm_host",
    "connection refused": "crm_host",
    "server closed the connection": "crm_host",
    "timeout expired": "crm_host",
    "no route to host": "crm_host",
    "network is unreachable": "crm_host",
    "password authentication failed": "crm_sign_in",
    "no password supplied": "crm_sign_in",
    "no pg_hba.conf entry": "crm_sign_in",
    'role "': "crm_sign_in",
    "permission denied for database": "crm_database",
    'database "': "crm_database",
    "permission denied": "crm_may_not_read",
}
# Rights beyond reading, on any of the canonical tables.
_MAY_WRITE = {
    "postgresql": """SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relname = ANY(:tables)
        AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')""",
    "mysql": """SELECT count(*) FROM (
        SELECT grantee, privilege_type FROM information_schema.user_privileges
        UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges
        WHERE DATABASE() LIKE table_schema
        UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges
        WHERE table_schema = DATABASE()) AS rights
        WHERE grantee = CONCAT(CHAR(39), REPLACE(CURRENT_USER(), '@', CONCAT(CHAR(39), '@', CHAR(39))), CHAR(39))
        AND privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'DROP', 'ALTER')""",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What a CRM holds of the canonical tables, and whether the account may also change them."""

    report: ContractReport
    may_write: bool

    @property
    def is_empty(self) -> bool:
        """Whether none of the canonical tables is there."""
        return all(one.state == "absent" for one in self.report.tables)


def try_out(url: str) -> Found:
    """Looks at the database behind ``url``. Problem, with a key of its own, when it cannot be reached or read."""
    engine = crm_engine(url)
    try:
        with engine.connect() as connection:
            may_write = _may_write(connection)
        return Found(check(engine), may_write)
    except DBAPIError as error:
        raise _problem(engine, error) from error
    except Problem as problem:
        if isinstance(problem.__cause__, DBAPIError):
            raise _problem(engine, problem.__cause__) from problem
        raise
    finally:
        engine.dispose()


def _may_write(connection: Connection) -> bool:
    query = _MAY_WRITE[connection.dialect.name]
    tables = {"tables": list(crm.tables)} if ":tables" in query else {}
    return bool(connection.scalar(text(query), tables))


def _problem(engine: Engine, error: DBAPIError) -> Problem:
    """The sentence for what the server said; its own words, without the password, where that is unknown."""
    said = str(error.orig).strip()
    number = error.orig.args[0] if error.orig is not None and error.orig.args else None
    if isinstance(number, int):
        key = _MARIADB.get(number, "")
    else:
        key = next((key for words, key in _POSTGRESQL.items() if words in said.lower()), "")
    url = engine.url
    where = {"host": url.host, "port": url.port, "database": url.database, "user": url.username}
    reason = said.splitlines()[0].replace(str(url.password), "***") if url.password else said.splitlines()[0]
    return Problem(f"the CRM database on {url.host} cannot be used ({reason})", key, **where, reason=reason)
