"""From staged rows to rows of the canonical tables, checked before anything is written."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, Numeric, String, Table
from sqlalchemy.types import TypeEngine

from data_access.errors import Problem
from data_access.importing.mapping import Target
from data_access.importing.staging import Staging, name, text
from data_access.schema import crm

# A quarantined row can change what the SELECTs give, so they run again; a mapping that never settles is wrong.
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows of one canonical table, in the staging table ``relation`` with the columns of the canonical one.

    Instants are naive UTC. ``columns`` are the filled ones without ``number``, which gets its values only
    when the rows meet those already in the CRM; such rows also have ``_row``.
    """

    target: Target
    table: Table
    relation: str
    columns: tuple[str, ...]
    amount: Decimal


def sql_type(type_: TypeEngine[object]) -> str:
    """The DuckDB type that holds the values of a canonical column."""
    if isinstance(type_, Boolean):
        return "BOOLEAN"
    if isinstance(type_, Integer):
        return "BIGINT"
    if isinstance(type_, Float):
        return "DOUBLE"
    if isinstance(type_, Numeric):
        return "DECIMAL(18, 4)"
    if isinstance(type_, DateTime):
        return "TIMESTAMP"
    if isinstance(type_, Date):
        return "DATE"
    return "VARCHAR"


def prepare_targets(staging: Staging) -> list[Prepared]:
    """Runs the mapping's tables; rows that do not fit go to quarantine, and the tables run again without them.

    Raises:
        Problem: a table cannot be filled, and no single row of a file is to blame.
    """
    for _ in range(_ROUNDS):
        before = staging.scalar("SELECT count(*) FROM quarantine")
        prepared = [_prepare(staging, i, target) for i, target in enumerate(staging.mapping.tables)]
        if staging.scalar("SELECT count(*) FROM quarantine") == before:
            return prepared
    raise Problem(f"the mapping {staging.mapping.name} keeps producing rows that do not fit; check its keys")


def _prepare(staging: Staging, position: int, target: Target) -> Prepared:
    table = crm.tables[target.name]
    where = f"tables.{position} ({target.name})"
    relation = f"target_{position}"
    given = [column[0] for column in staging.run(f"DESCRIBE SELECT * FROM (\n{target.query}\n)", where).fetchall()]
    columns = tuple(column for column in given if column != "_row")
    _check_columns(staging, target, table, columns, where)
    numbered = target.number is not None
    if numbered and "_row" not in given:
        raise Problem(f"the mapping {staging.mapping.name} is wrong at {where}: a table with number must select _row")
    converted = ", ".join(f"{_converted(table.c[c], staging.mapping.time_zone)} AS {name(c)}" for c in columns)
    staging.run(
        f"CREATE OR REPLACE TABLE {relation} AS SELECT {converted}"
        f"{', _row' if '_row' in given else ''} FROM (\n{target.query}\n)",
        where,
    )
    for reason, condition in _faults(table, columns):
        _blame(staging, relation, "_row" in given, condition, reason, where)
    if not numbered:
        _settle_keys(staging, target, table, relation, columns, "_row" in given, where)
    amount = Decimal(0)
    if target.amount:
        total = staging.run(f"SELECT coalesce(sum({target.amount}), 0) FROM {relation}", f"{where}.amount")
        amount = total.fetchall()[0][0]
    return Prepared(target, table, relation, columns, Decimal(amount))


def _check_columns(staging: Staging, target: Target, table: Table, columns: tuple[str, ...], where: str) -> None:
    unknown = [column for column in columns if column not in table.c or column == "updated_at"]
    if unknown:
        raise Problem(f"the mapping {staging.mapping.name} is wrong at {where}: no column {', '.join(unknown)} to fill")
    lacking = [c.name for c in table.c if not c.nullable and c.name not in columns and c.name != target.number]
    if lacking:
        raise Problem(f"the mapping {staging.mapping.name} is wrong at {where}: it leaves out {', '.join(lacking)}")


def _converted(column: Column[object], time_zone: str) -> str:
    """SQL for a value of the canonical type; instants go from the file's local time to UTC."""
    value = f"CAST({name(column.name)} AS {sql_type(column.type)})"
    if isinstance(column.type, DateTime) and time_zone != "UTC":
        return f"timezone('UTC', timezone({text(time_zone)}, {value}))"
    return value


def _faults(table: Table, columns: tuple[str, ...]) -> list[tuple[str, str]]:
    """What can be wrong with a row of ``table``: (reason, SQL condition)."""
    faults = []
    for column in (table.c[c] for c in columns):
        if not column.nullable:
            faults.append((f"{table.name}.{column.name} is empty", f"{name(column.name)} IS NULL"))
        if isinstance(column.type, String) and column.type.length:
            reason = f"{table.name}.{column.name} is longer than {column.type.length} characters"
            faults.append((reason, f"length({name(column.name)}) > {column.type.length}"))
    return faults


def _blame(staging: Staging, relation: str, has_row: bool, condition: str, reason: str, where: str) -> None:
    """Sends the rows of ``relation`` that meet ``condition`` to quarantine and takes them out."""
    count = staging.scalar(f"SELECT count(*) FROM {relation} WHERE {condition}")
    if not count:
        return
    if not has_row:
        raise Problem(
            f"the mapping {staging.mapping.name} is wrong at {where}: {count:,} rows in which {reason}; "
            "select _row too, so that such rows can be quarantined"
        )
    staging.db.execute(
        f"INSERT INTO quarantine (_row, reason) SELECT _row, {text(reason)} FROM {relation} WHERE {condition}; "
        f"DELETE FROM {relation} WHERE {condition}"
    )


def _settle_keys(
    staging: Staging, target: Target, table: Table, relation: str, columns: tuple[str, ...], has_row: bool, where: str
) -> None:
    """Leaves one row per key: the first; equal ones say nothing new, others go to quarantine.

    A row with an amount that repeats a key goes to quarantine even when it is equal, for its amount was read.
    """
    keys = ", ".join(name(column.name) for column in table.primary_key)
    content = ", ".join(name(column) for column in columns)
    order = "_row" if has_row else content
    staging.db.execute(
        "CREATE OR REPLACE TEMP TABLE ranked AS SELECT *, "
        f"row_number() OVER (PARTITION BY {keys} ORDER BY {order}) AS _nth, "
        f"row_number() OVER (PARTITION BY {content}) AS _same FROM {relation}"
    )
    if staging.scalar("SELECT coalesce(max(_nth), 0) FROM ranked") < 2:
        return
    loud = "_nth > 1" if target.amount else "_nth > 1 AND _same = 1"
    plain = ", ".join(column.name for column in table.primary_key)
    _blame(staging, "ranked", has_row, loud, f"{table.name}: repeats the {plain} of an earlier row", where)
    staging.db.execute(
        f"CREATE OR REPLACE TABLE {relation} AS "
        f"SELECT {content}{', _row' if has_row else ''} FROM ranked WHERE _nth = 1"
    )


def bridge_difference(totals: dict[str, tuple[int, Decimal]], prepared: list[Prepared]) -> Decimal:
    """What is left of the amount read after loaded, repeated and quarantined rows; zero when it reconciles."""
    loaded = sum((one.amount for one in prepared), Decimal(0))
    return totals["read"][1] - totals["repeated"][1] - totals["quarantined"][1] - loaded
