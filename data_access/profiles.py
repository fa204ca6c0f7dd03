"""What the CRM knows of its customers without saying it: which contact fields are filled, and who shares one.

Values are compared where they are and go no further: of a field the staged copy learns whether it is filled, of a
number or address that several customers have only that they share one. A sealed CRM needs no key for either; there a
blank that was sealed counts as filled.
"""

import hashlib
import hmac
import os
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import ColumnElement, Select, and_, func, select

from data_access.readers import Reader
from data_access.schema import customer
from data_access.vault import normal
from data_access.vault.rows import CHUNK, chunks
from data_access.vault.tables import customer_index, customer_vault

FIELDS = ("name", "phone", "email")

# More customers than these are looked up all at once instead of by name.
_ALL_ABOVE = 50_000

# ``temp.shared_contact``: one row per customer of a group that shares a phone number or an address.
NO_SHARED = "CREATE OR REPLACE TEMP TABLE shared_contact (kind VARCHAR, members INTEGER, customer_id VARCHAR)"

# One row per customer of a group, which has the number of its lowest customer: the same after every refresh.
SHARED_CONTACT = """
SELECT s.kind, min(k.customer_no) OVER (PARTITION BY s.kind, s.members) AS group_no, k.customer_no
FROM temp.shared_contact s JOIN {numbers} k USING (customer_id)
ORDER BY ALL
"""


def note_filled(
    reader: Reader, work: duckdb.DuckDBPyConnection, relation: str, present: Collection[str], *, sealed: bool
) -> None:
    """Fills ``has_<field>`` of the staged customers of ``relation``: null where the CRM has no such column."""
    ids = [one for (one,) in work.execute(f"SELECT customer_id FROM {relation}").fetchall() if one is not None]
    whole = len(ids) > _ALL_ABOVE
    for field in FIELDS:
        if field not in present:
            continue
        work.execute(f"UPDATE {relation} SET has_{field} = false")
        for part in [None] if whole else chunks(ids, CHUNK):
            where = _filled(customer.c[field])
            where = where if part is None else and_(where, customer.c.customer_id.in_(part))
            for batch in reader.rows("customer", ["customer_id"], where):
                _note(work, relation, field, batch.relation)
        if not sealed:
            continue
        own = select(customer_vault.c.customer_id).where(customer_vault.c[field].is_not(None))
        for part in [None] if whole else chunks(ids, CHUNK):
            query = own if part is None else own.where(customer_vault.c.customer_id.in_(part))
            found = pa.array([one for (one,) in reader.execute(query)], pa.string())
            work.register("sealed_ids", pa.table({"customer_id": found}))
            _note(work, relation, field, "sealed_ids")
            work.unregister("sealed_ids")


def _note(work: duckdb.DuckDBPyConnection, relation: str, field: str, ids: str) -> None:
    work.execute(f"UPDATE {relation} SET has_{field} = true WHERE customer_id IN (SELECT customer_id FROM {ids})")


def _filled(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(column.is_not(None), func.trim(column) != "")


def note_shared(reader: Reader, work: duckdb.DuckDBPyConnection, present: Collection[str], *, sealed: bool) -> None:
    """Makes ``temp.shared_contact`` of all customers of the CRM."""
    work.execute(NO_SHARED)
    groups = list(_indexed(reader)) if sealed else []
    key = os.urandom(32)  # of this refresh: no digest outlives it
    for kind in normal.KINDS:
        if kind in present:
            groups += [(kind, ids) for ids in _plain(reader, work, kind, key)]
    rows = [(kind, number, one) for number, (kind, ids) in enumerate(groups) for one in ids]
    if rows:
        columns = {
            "kind": pa.array([kind for kind, _, _ in rows], pa.string()),
            "members": pa.array([number for _, number, _ in rows], pa.int32()),
            "customer_id": pa.array([one for _, _, one in rows], pa.string()),
        }
        work.register("shared_rows", pa.table(columns))
        work.execute("INSERT INTO temp.shared_contact SELECT * FROM shared_rows")
        work.unregister("shared_rows")


def _indexed(reader: Reader) -> Iterator[tuple[str, Sequence[str]]]:
    """The groups that the blind index of a sealed CRM knows."""
    c = customer_index.c
    several = select(c.kind, c.digest).group_by(c.kind, c.digest).having(func.count() > 1).subquery("several")
    query: Select[Any] = select(c.kind, c.digest, c.customer_id).join(
        several, and_(several.c.kind == c.kind, several.c.digest == c.digest)
    )
    groups: dict[tuple[str, str], list[str]] = {}
    for kind, digest, one in reader.execute(query):
        groups.setdefault((kind, digest), []).append(one)
    for (kind, _), ids in sorted(groups.items()):
        yield kind, ids


def _plain(reader: Reader, work: duckdb.DuckDBPyConnection, kind: str, key: bytes) -> Iterator[list[str]]:
    """The groups among the values that lie open. Only digests under ``key`` are held while they are looked for."""
    first: dict[bytes, str] = {}
    groups: dict[bytes, list[str]] = {}
    normalised = normal.KINDS[kind]
    for batch in reader.rows("customer", ["customer_id", kind], _filled(customer.c[kind])):
        cursor = work.execute(f"SELECT customer_id, {kind} FROM {batch.relation} WHERE customer_id IS NOT NULL")
        while rows := cursor.fetchmany(CHUNK):
            for one, value in rows:
                if not (text := normalised(value)):
                    continue
                digest = hmac.digest(key, text.encode(), hashlib.sha256)[:16]
                if digest in first:
                    groups.setdefault(digest, [first[digest]]).append(one)
                else:
                    first[digest] = one
    yield from groups.values()
