"""Row security of PostgreSQL for look-ups in the CRM: the database itself shows a role only the scope's rows.

One role reads for the pages (``MIRROR_CRM_LIVE_URL``). Every transaction says for which stores it asks, and the
policies show it the rows of these stores, of the customers who bought or returned something there or are registered
there, and of what belongs to them; a transaction that has said nothing sees nothing. Everybody else's rights stay as
they are: the refresh, imports, and whatever else works on this database.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, inspect, text

from data_access.errors import Problem
from data_access.schema import (
    crm,
    customer,
    data_incident,
    data_source,
    return_line,
    sale_order,
    store,
    translation,
)
from data_access.vault.tables import customer_index, customer_vault, vault_key

SCOPE, OTHERS = "mirror_scope", "mirror_others"
_SEES = "mirror_sees"
# Read beside the canonical tables: what is sealed of customers, and by what version of which key.
_VAULT = (customer_vault, customer_index)
_VERSIONS = frozenset({"alembic_version", vault_key.name})
# No look-up needs them: what happened with whose data, where it came from, names of staff in other languages.
_CLOSED = frozenset({data_incident.name, data_source.name, translation.name})

# A store, or the place of somebody who has none: only who asks for the chain sees what belongs to no store.
_FUNCTION = f"""\
CREATE OR REPLACE FUNCTION {_SEES}(place text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('app.scope', true) = 'chain'
    OR place = ANY (CAST(nullif(current_setting('app.stores', true), '') AS text[])), false)"""

_CREATE_ROLE = """\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {literal}) THEN
        CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS NOINHERIT;
    END IF;
END $$"""


def conditions() -> dict[str, str]:
    """The rows a scope holds, by canonical table, as SQL. What has no condition belongs to no store and to nobody."""
    found: dict[str, str] = {}
    for table in crm.sorted_tables:
        condition = _condition(table)
        if condition:
            found[table.name] = condition
    # A row of what has no store and no customer of its own belongs to its parent: lines to receipts, parcels likewise.
    found.update({t.name: _row_of(customer, t.c.customer_id, customer.c.customer_id) for t in _VAULT})
    while more := {t.name: way for t in crm.sorted_tables if t.name not in found and (way := _of_parent(t, found))}:
        found.update(more)
    return found


def _condition(table: Table) -> str | None:
    if table is customer:
        bought = (_row_of(other, customer.c.customer_id, other.c.customer_id) for other in (sale_order, return_line))
        return " OR ".join((f"{_SEES}(customer.home_store_id)", *bought))
    stores = [store.c.store_id] if table is store else _referring(table, "store.store_id")
    people = [c for c in _referring(table, "customer.customer_id") if c.name == "customer_id"]
    here = " OR ".join(f"{_SEES}({table.name}.{column.name})" for column in stores)
    theirs = _row_of(customer, people[0], customer.c.customer_id) if people else ""
    if here and theirs and all(column.nullable for column in stores):
        nowhere = " AND ".join(f"{table.name}.{column.name} IS NULL" for column in stores)
        return f"{here} OR ({nowhere} AND {theirs})"
    return here or theirs or None


def _of_parent(table: Table, guarded: Collection[str]) -> str | None:
    for column in table.c:
        parent, _, key = column.info.get("references", "").partition(".")
        if parent in guarded and parent not in (store.name, customer.name):
            return _row_of(crm.tables[parent], column, crm.tables[parent].c[key])
    return None


def _referring(table: Table, target: str) -> list[Column[Any]]:
    return [column for column in table.c if column.info.get("references") == target]


def _row_of(other: Table, mine: Column[Any], theirs: Column[Any]) -> str:
    """Whether ``other`` has a row for this one that the scope sees: its own policy applies within."""
    return f"EXISTS (SELECT FROM {other.name} WHERE {theirs} = {mine})"


def statements(connection: Connection, role: str) -> Iterator[str]:
    """The SQL that guards the CRM of ``connection`` against ``role``, one statement at a time; may be run again.

    Problem when this is no PostgreSQL, ``role`` is no plain name, or a canonical table is a view, which no policy can
    guard.
    """
    if connection.dialect.name != "postgresql":
        raise Problem("row security needs a CRM on PostgreSQL: elsewhere every look-up names its stores itself")
    if not re.fullmatch("[a-z_][a-z0-9_]{0,62}", role):
        raise Problem(f"{role!r} is no name for a role: take small letters, digits and _")
    tables, views = set(inspect(connection).get_table_names()), set(inspect(connection).get_view_names())
    if seen := sorted(views & conditions().keys()):
        raise Problem(f"row security cannot guard views ({', '.join(seen)}): put tables in their place")
    quote = connection.dialect.identifier_preparer.quote
    schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
    name, literal = quote(role), f"'{role}'"
    yield _CREATE_ROLE.format(role=name, literal=literal)
    yield _FUNCTION
    yield f"GRANT EXECUTE ON FUNCTION {_SEES}(text) TO {name}"
    yield f"GRANT USAGE ON SCHEMA {schema} TO {name}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {name}"
    if readable := sorted(tables & _readable()):
        yield f"GRANT SELECT ON {', '.join(readable)} TO {name}"
    for table, condition in conditions().items():
        if table in tables:
            yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
            yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
            yield f"DROP POLICY IF EXISTS {OTHERS} ON {table}"
            other = f"current_user <> {literal}"
            yield f"CREATE POLICY {OTHERS} ON {table} USING ({other}) WITH CHECK ({other})"
            yield f"DROP POLICY IF EXISTS {SCOPE} ON {table}"
            yield f"CREATE POLICY {SCOPE} ON {table} FOR SELECT TO {name} USING ({condition})"


def _readable() -> frozenset[str]:
    return frozenset(crm.tables) - _CLOSED | {table.name for table in _VAULT} | _VERSIONS


def apply(engine: Engine, role: str) -> int:
    """Guards the CRM against ``role``, all of it or nothing; how many tables. Problem as in ``statements``."""
    with engine.begin() as connection:
        for statement in list(statements(connection, role)):
            connection.exec_driver_sql(statement)
        return len(_guarded(connection))


def check(connection: Connection) -> None:
    """Refuses a role for which the row security of this database would not hold.

    Nothing to check where the CRM is no PostgreSQL or has no policies of ours. Problem when the role of the
    connection is a superuser, passes by row security, owns or may write a table, belongs to another role or may read
    more than the canonical tables, or when a canonical table with a store or a customer is not guarded.
    """
    if connection.dialect.name != "postgresql" or not _guarded(connection):
        return
    for reason, query in _FLAWS.items():
        parameters = {"guarded": sorted(conditions()), "readable": sorted(_readable()), "policy": SCOPE}
        found = connection.scalars(text(query), parameters).all()
        if found:
            raise Problem(
                f"the row security of the CRM does not hold for the role of MIRROR_CRM_LIVE_URL: {reason} "
                f"({', '.join(map(str, found[:3]))}). Make a role with python -m data_access row-security --role NAME "
                "--apply and name it there"
            )


def _guarded(connection: Connection) -> list[str]:
    query = text("SELECT tablename FROM pg_policies WHERE policyname = :policy AND schemaname = current_schema()")
    return list(connection.scalars(query, {"policy": SCOPE}))


# What is wrong -> which roles or tables show it.
_FLAWS = {
    "it is a superuser or passes by row security": (
        "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"
    ),
    "it belongs to another role, whose rights it can take": (
        "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND pg_has_role(current_user, oid, 'MEMBER')"
    ),
    "it owns a table or may write one": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (pg_get_userbyid(c.relowner) = current_user
            OR has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')) ORDER BY 1
    """,
    "it may read more than the tables of the CRM": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'
        AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND has_schema_privilege(n.oid, 'USAGE')
        AND has_any_column_privilege(c.oid, 'SELECT')
        AND NOT (n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname = ANY (:readable)) ORDER BY 1
    """,
    "tables are not guarded": """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = current_schema() AND c.relname = ANY (:guarded)
        AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
            SELECT FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname
            AND p.policyname = :policy AND CAST(current_user AS name) = ANY (p.roles))) ORDER BY 1
    """,
}
