"""Writes prepared rows to the CRM: new ones inserted, changed ones replaced, equal ones left alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Table, and_, bindparam, column, delete, select

from data_access.bulk import append
from data_access.importing.staging import Staging, name, overlap
from data_access.importing.targets import Prepared, sql_type
from data_access.schema import customer_identity
from data_access.vault import rows as sealing
from data_access.vault.inplace import seal_identities
from data_access.vault.rows import KEPT, SEALED, Vault

# SQLite takes 32,766 values in one statement, PostgreSQL 65,535.
_KEYS_PER_QUERY = 10_000


@dataclass(frozen=True, slots=True)
class TableCount:
    """What the import did to one canonical table, in rows."""

    table: str
    inserted: int
    changed: int
    unchanged: int


def write(connection: Connection, staging: Staging, prepared: Prepared, now: datetime, home: Path) -> TableCount:
    """Brings one table up to the prepared rows, inside the caller's transaction.

    Rows are found by their key; of a table with ``number``, by their content and its n-th occurrence under
    the same parent. Only inserted and changed rows get ``now`` as updated_at. What identifies a person is sealed
    with the keys of ``home``.
    """
    db = staging.db
    vault = _vault(connection, prepared, home)
    if vault and prepared.table is customer_identity:
        _put_digests(connection, db, vault, prepared)
    _fetch_existing(connection, db, prepared)
    if vault and prepared.table.name in KEPT:
        _open_existing(connection, db, vault, prepared)
    if prepared.target.number:
        return _write_numbered(connection, db, prepared, now)
    return _write_keyed(connection, db, vault, prepared, now)


def _vault(connection: Connection, prepared: Prepared, home: Path) -> Vault | None:
    """The vault, where this table holds something that is or will be sealed."""
    if not set(SEALED.get(prepared.table.name, ())) & set(prepared.columns):
        is_kept = prepared.table.name in KEPT
        return sealing.open_vault(connection, home) if is_kept else None
    return sealing.open_for_writing(connection, home)


def _put_digests(connection: Connection, db: duckdb.DuckDBPyConnection, vault: Vault, prepared: Prepared) -> None:
    """Identities are known to the CRM by their digests; the temporary table ``identity`` keeps what they stand for."""
    seal_identities(connection, vault)  # of an older version, to be found by their digests
    plain = db.execute(f"SELECT DISTINCT channel, external_id FROM {prepared.relation}").fetchall()
    digests = [sealing.identity_digest(vault, channel, value) for channel, value in plain]
    columns = [*zip(*plain, strict=True)] or [(), ()]
    named = zip(("channel", "plain", "digest"), (*columns, digests), strict=True)
    db.register("digested", pa.table({name: pa.array(values, pa.string()) for name, values in named}))
    db.execute(
        "CREATE OR REPLACE TEMP TABLE identity AS SELECT * FROM digested; "
        f"UPDATE {prepared.relation} r SET external_id = i.digest FROM identity i "
        "WHERE r.channel = i.channel AND r.external_id = i.plain"
    )
    db.unregister("digested")


def _open_existing(connection: Connection, db: duckdb.DuckDBPyConnection, vault: Vault, prepared: Prepared) -> None:
    """Puts what is sealed of the existing rows beside the rest of them, to compare it with what comes."""
    kept = KEPT[prepared.table.name]
    ids = [row[0] for row in db.execute(f"SELECT {name(kept.key)} FROM existing").fetchall()]
    opened = sealing.open_fields(connection, vault, kept, ids, kept.fields)
    frame = pa.table({c: pa.array(opened[c].tolist(), pa.string()) for c in opened.columns})
    db.register("opened", frame)
    types = {c: sql_type(prepared.table.c[c].type) for c in kept.fields}
    values = ", ".join(f"{name(c)} = coalesce(e.{name(c)}, CAST(o.{name(c)} AS {types[c]}))" for c in kept.fields)
    same = f"e.{name(kept.key)} = o.{name(kept.key)}"
    db.execute(f"UPDATE existing e SET {values} FROM opened o WHERE {same}")
    db.unregister("opened")


def _fetch_existing(connection: Connection, db: duckdb.DuckDBPyConnection, prepared: Prepared) -> None:
    """The staging table ``existing``: the CRM's rows that share the first key column with a prepared row."""
    table = prepared.table
    columns = [c for c in table.c if c.name != "updated_at"]
    types = ", ".join(f"{name(c.name)} {sql_type(c.type)}" for c in columns)
    db.execute(f"CREATE OR REPLACE TEMP TABLE existing ({types})")
    if connection.execute(select(next(iter(table.c))).limit(1)).first() is None:
        return
    first = next(iter(table.primary_key))
    distinct = db.execute(f"SELECT DISTINCT {name(first.name)} FROM {prepared.relation} ORDER BY 1").fetchall()
    keys = [row[0] for row in distinct]
    casts = ", ".join(f"CAST({name(c.name)} AS {sql_type(c.type)})" for c in columns)
    for chunk in _chunks(keys):
        # Untyped columns skip SQLAlchemy's conversion of every value; DuckDB converts whole columns instead.
        untyped: list[ColumnElement[Any]] = [column(c.name) for c in columns]
        query = select(*untyped).select_from(table).where(first.in_(chunk))
        rows = connection.execute(query).fetchall()
        if not rows:
            continue
        values = zip(columns, zip(*rows, strict=True), strict=True)
        frame = pa.table({c.name: pa.array(_texts(v), pa.string()) for c, v in values})
        db.register("fetched", frame)
        db.execute(f"INSERT INTO existing SELECT {casts} FROM fetched")
        db.unregister("fetched")


def _chunks(keys: list[object]) -> Iterator[list[object]]:
    for start in range(0, len(keys), _KEYS_PER_QUERY):
        yield keys[start : start + _KEYS_PER_QUERY]


def _texts(values: tuple[object, ...]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


def _write_keyed(
    connection: Connection, db: duckdb.DuckDBPyConnection, vault: Vault | None, prepared: Prepared, now: datetime
) -> TableCount:
    """Insert, replace or leave alone, by key. Columns the mapping does not fill keep their value."""
    table, target = prepared.table, prepared.target
    keys = [c.name for c in table.primary_key]
    filled = [c for c in prepared.columns if c not in keys]
    values = {c: f"n.{name(c)}" for c in filled}
    for c, rule in target.keep.items():
        values[c] = f"{'least' if rule == 'earliest' else 'greatest'}(n.{name(c)}, e.{name(c)})"
    differs = " OR ".join(f"{values[c]} IS DISTINCT FROM e.{name(c)}" for c in filled) or "false"
    using = ", ".join(name(c) for c in keys)
    db.execute(
        "CREATE OR REPLACE TEMP TABLE changed AS "
        f"SELECT n.* FROM {prepared.relation} n JOIN existing e USING ({using}) "
        f"WHERE {'false' if target.if_absent else differs}"
    )
    whole = ", ".join(
        f"{values[c.name]} AS {name(c.name)}" if c.name in values else f"e.{name(c.name)}"
        for c in table.c
        if c.name != "updated_at"
    )
    changed = db.execute(f"SELECT {whole} FROM changed n JOIN existing e USING ({using})").df()
    plain = ", ".join(name(c) for c in prepared.columns)
    new = db.execute(
        f"SELECT {plain} FROM {prepared.relation} n ANTI JOIN existing e USING ({using}) ORDER BY {using}"
    ).df()
    if len(changed):
        _delete(connection, table, changed[keys])
        _append(connection, db, vault, table, changed.assign(updated_at=now))
    _append(connection, db, vault, table, new.assign(updated_at=now))
    if target.if_absent:
        return TableCount(table.name, len(new), 0, 0)
    total = db.execute(f"SELECT count(*) FROM {prepared.relation}").fetchall()[0][0]
    return TableCount(table.name, len(new), len(changed), total - len(new) - len(changed))


def _append(
    connection: Connection, db: duckdb.DuckDBPyConnection, vault: Vault | None, table: Table, frame: pd.DataFrame
) -> None:
    if vault is None:
        append(connection, table, frame)
        return
    if table is customer_identity:
        plain = dict(db.execute("SELECT digest, plain FROM identity").fetchall())
        frame = frame.assign(external_id=frame["external_id"].map(plain))
    sealing.append(connection, vault, table, frame)


def _delete(connection: Connection, table: Table, keys: pd.DataFrame) -> None:
    condition = and_(*(key == bindparam(f"key_{key.name}") for key in table.primary_key))
    names = [f"key_{key}" for key in keys]
    rows = zip(*(_python_values(keys[key]) for key in keys), strict=True)
    connection.execute(delete(table).where(condition), [dict(zip(names, row, strict=True)) for row in rows])


def _python_values(values: pd.Series) -> list[object]:
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return list(values.dt.to_pydatetime())
    return list(values.astype(object))


def _write_numbered(
    connection: Connection, db: duckdb.DuckDBPyConnection, prepared: Prepared, now: datetime
) -> TableCount:
    """Insert the occurrences that are not there yet, numbered on from the highest number of their parent.

    Equal rows in the CRM and in the file are the same event seen again, or parts of one parent; the rule of
    ``staging`` decides (see ``_find_repeats``).
    """
    number = prepared.target.number
    assert number is not None
    parent = ", ".join(name(c.name) for c in prepared.table.primary_key if c.name != number)
    content = ", ".join(name(c) for c in prepared.columns)
    place = "concat_ws(chr(31), " + ", ".join(f"CAST({part} AS VARCHAR)" for part in parent.split(", ")) + ")"
    hashed = f"SELECT {place} AS place, hash({content}) AS _hash, count(*) AS times FROM"
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE known AS {hashed} existing GROUP BY ALL; "
        f"CREATE OR REPLACE TEMP TABLE fresh AS {hashed} {prepared.relation} GROUP BY ALL"
    )
    seen_again = "coalesce(k.times, 0)" if overlap(db, "known", "fresh") else "0"
    new = db.execute(
        "WITH candidate AS ("
        f"SELECT *, {place} AS place, hash({content}) AS _hash, "
        f"row_number() OVER (PARTITION BY {place}, hash({content}) ORDER BY _row) AS _nth FROM {prepared.relation}), "
        f"new AS (SELECT c.* FROM candidate c LEFT JOIN known k USING (place, _hash) WHERE _nth > {seen_again}), "
        f"highest AS (SELECT {place} AS place, max({name(number)}) AS top FROM existing GROUP BY ALL) "
        f"SELECT {content}, coalesce(top, 0) + row_number() OVER (PARTITION BY place ORDER BY _row) AS {name(number)} "
        f"FROM new LEFT JOIN highest USING (place) ORDER BY {parent}, {name(number)}"
    ).df()
    append(connection, prepared.table, new.assign(updated_at=now))
    total = db.execute(f"SELECT count(*) FROM {prepared.relation}").fetchall()[0][0]
    return TableCount(prepared.table.name, len(new), 0, total - len(new))
