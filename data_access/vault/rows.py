"""Many rows at once: writing frames sealed, and opening what is sealed.

A ``Vault`` belongs to one of our own CRM databases and the ring that opens it.
"""

import hmac
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Select, Table, and_, delete, insert, inspect, select

from data_access import bulk
from data_access.errors import Problem
from data_access.schema import customer, customer_identity, staff
from data_access.vault import normal, seal
from data_access.vault.keys import Ring, ring, ring_or_first
from data_access.vault.tables import (
    customer_index,
    customer_vault,
    identity_vault,
    staff_vault,
    vault_key,
    vault_tables,
)

# Keys per statement: SQLite takes 32,766 values.
CHUNK = 10_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A canonical table and where its identifying columns are kept."""

    table: Table
    vault: Table
    key: str
    fields: tuple[str, ...]


CUSTOMERS = Kept(customer, customer_vault, "customer_id", ("name", "phone", "email", "birthday"))
STAFF = Kept(staff, staff_vault, "staff_id", ("name",))
KEPT: Mapping[str, Kept] = {kept.table.name: kept for kept in (CUSTOMERS, STAFF)}

# Every table of which rows are sealed, and the columns that are.
SEALED: Mapping[str, tuple[str, ...]] = {
    **{name: kept.fields for name, kept in KEPT.items()},
    customer_identity.name: ("external_id",),
}
VAULTS: Mapping[str, Table] = {
    customer.name: customer_vault,
    staff.name: staff_vault,
    "customer_identity": identity_vault,
}


@dataclass(frozen=True, slots=True)
class Vault:
    """The vault of one CRM, open."""

    ring: Ring
    index_key: bytes = field(repr=False)

    def digest(self, kind: str, value: str) -> str:
        """What stands for ``value`` where it must be found again: 16 bytes of its HMAC-SHA256, in hexadecimal."""
        return hmac.digest(self.index_key, f"{kind}|{value}".encode(), "sha256")[:16].hex()

    def open_row(self, table: str, row: str, wrapped_key: str) -> AESGCM:
        """What opens the row's values. Problem when its key does not open."""
        return AESGCM(self._own_key(table, row, wrapped_key))

    def _own_key(self, table: str, row: str, wrapped_key: str) -> bytes:
        try:
            wrapping = self.ring.wrapping.get(seal.key_id_of(wrapped_key))
            if wrapping is None:
                raise seal.Broken
            return seal.unseal(wrapping, wrapped_key, _key_of(table, row))
        except seal.Broken:
            raise damaged(table, "key") from None

    def rewrapped(self, table: str, row: str, wrapped_key: str) -> str:
        """The row's own key under the newest key of the ring. Problem when it does not open."""
        newest = self.ring.newest
        return seal.seal(
            self.ring.wrapping[newest], newest, self._own_key(table, row, wrapped_key), _key_of(table, row)
        )

    def open_value(self, own: AESGCM, table: str, column: str, row: str, sealed: str) -> str:
        """A sealed value of the row. Problem when it does not open."""
        try:
            return seal.unseal(own, sealed, f"{table}|{column}|{row}").decode()
        except seal.Broken:
            raise damaged(table, column) from None


def _key_of(table: str, row: str) -> str:
    return f"{table}|key|{row}"


def damaged(table: str, column: str) -> Problem:
    """Says nothing of the row: the sentence ends up in logs and on pages."""
    return Problem(
        f"a sealed value of {table} ({column}) does not open: it was damaged, or comes from another row or another "
        "database; restore the CRM database from a backup (`python -m data_access vault status --all` names the rows)"
    )


# --- opening --------------------------------------------------------------------------------------


def has_vault(connection: Connection) -> bool:
    """Whether the tables of the vault are there. Ask ``is_ours`` first: a foreign CRM may use the names, too."""
    return inspect(connection).has_table(vault_key.name)


def open_vault(connection: Connection, home: Path) -> Vault | None:
    """The vault of this CRM; None as long as nothing in it is sealed. Problem when a key is missing or wrong."""
    keys = _keys(connection)
    return open_keys(keys, home) if keys else None


def open_keys(keys: Mapping[str, str], home: Path) -> Vault:
    """The vault of a CRM with these rows in ``vault_key``: every key it was sealed with must be in the ring.

    Problem when one is missing, or another one.
    """
    return _opened(ring(home), keys)


def open_for_writing(connection: Connection, home: Path) -> Vault:
    """The vault, ready to seal with the newest key of the ring; begun where nothing is sealed yet.

    Problem when a key is missing or wrong: nothing is written then.
    """
    keys = _keys(connection)
    vault = open_keys(keys, home) if keys else Vault(ring_or_first(home), os.urandom(seal.KEY_BYTES))
    newest = vault.ring.newest
    if newest not in keys:
        sealed = seal.seal(vault.ring.wrapping[newest], newest, vault.index_key, f"vault_key|index_key|{newest}")
        now = datetime.now(UTC).replace(tzinfo=None)
        connection.execute(insert(vault_key).values(key_id=newest, index_key=sealed, updated_at=now))
    return vault


def _keys(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(vault_key.c.key_id, vault_key.c.index_key))
    return {key_id: index_key for key_id, index_key in rows}  # noqa: C416 - a row is no pair for dict()


def _opened(ring_: Ring, keys: Mapping[str, str]) -> Vault:
    index_keys = set()
    for key_id, index_key in keys.items():
        wrapping = ring_.wrapping.get(key_id)
        if wrapping is None:
            raise Problem(
                f"this CRM is sealed with key {key_id}, which {ring_.source} does not have: restore it there; "
                "without it names, numbers and birthdays cannot be read"
            )
        try:
            index_keys.add(seal.unseal(wrapping, index_key, f"vault_key|index_key|{key_id}"))
        except seal.Broken:
            raise Problem(
                f"{ring_.source} has another key {key_id} than the one this CRM is sealed with: put the right one "
                "back, or name the CRM database it belongs to"
            ) from None
    if len(index_keys) != 1:
        raise Problem("the keys in vault_key belong to different databases: restore the CRM database from a backup")
    return Vault(ring_, index_keys.pop())


def chunks(values: Sequence[Any], size: int = CHUNK) -> Iterator[Sequence[Any]]:
    """The values in parts that fit into one statement."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def open_fields(
    connection: Connection, vault: Vault, kept: Kept, ids: Sequence[str], fields: Sequence[str]
) -> pd.DataFrame:
    """What is sealed of these rows: the key and the named columns as text, None where nothing is; no row without."""
    found: dict[str, list[str | None]] = {name: [] for name in (kept.key, *fields)}
    columns = [kept.vault.c[name] for name in (kept.key, "wrapped_key", *fields)]
    for part in chunks(ids):
        for row in connection.execute(select(*columns).where(kept.vault.c[kept.key].in_(part))):
            row_id, wrapped_key, *sealed = row
            own = vault.open_row(kept.table.name, row_id, wrapped_key)
            found[kept.key].append(row_id)
            for name, value in zip(fields, sealed, strict=True):
                found[name].append(
                    None if value is None else vault.open_value(own, kept.table.name, name, row_id, value)
                )
    return pd.DataFrame(found, dtype=object)


# --- writing --------------------------------------------------------------------------------------


def append(connection: Connection, vault: Vault, table: Table, frame: pd.DataFrame) -> int:
    """As ``data_access.bulk.append``, with what identifies a person sealed. What was sealed of these rows before goes.

    The frame must not hold a row twice.
    """
    if frame.empty:
        return 0
    kept = KEPT.get(table.name)
    if kept:
        append_sealed(connection, vault, kept, frame)
        return bulk.append(connection, table, frame.drop(columns=[c for c in kept.fields if c in frame.columns]))
    if table is customer_identity:
        return bulk.append(connection, table, identities_to_vault(connection, vault, frame))
    return bulk.append(connection, table, frame)


def forget_all(connection: Connection) -> None:
    """Empties the vault, keys included, for a chain that replaces another one."""
    for table in vault_tables.sorted_tables:
        connection.execute(delete(table))


def forget(connection: Connection, kept: Kept, ids: Sequence[str]) -> None:
    """Destroys the keys of these rows, what they sealed and what leads to them."""
    for part in chunks(ids):
        connection.execute(delete(kept.vault).where(kept.vault.c[kept.key].in_(part)))
        if kept is CUSTOMERS:
            connection.execute(delete(customer_index).where(customer_index.c.customer_id.in_(part)))


def append_sealed(connection: Connection, vault: Vault, kept: Kept, frame: pd.DataFrame) -> None:
    """Puts what identifies these persons into the vault, instead of what was there of them."""
    there = [name for name in kept.fields if name in frame.columns]
    texts = {name: _texts(frame[name], kept.table.c[name].type) for name in there}
    ids = frame[kept.key].astype(str).tolist()
    if not _is_empty(connection, kept.vault):
        forget(connection, kept, ids)
    known = [i for i, values in enumerate(zip(*texts.values(), strict=True)) if any(v is not None for v in values)]
    if known:
        rows = [ids[i] for i in known]
        values = {name: [column[i] for i in known] for name, column in texts.items()}
        updated = frame["updated_at"].iloc[known].to_numpy() if "updated_at" in frame.columns else None
        newest = vault.ring.newest
        wrapped, sealed = seal.seal_rows(vault.ring.wrapping[newest], newest, kept.table.name, rows, values)
        content = {kept.key: rows, "key_id": newest, "wrapped_key": wrapped, **sealed, "updated_at": updated}
        bulk.append(connection, kept.vault, pd.DataFrame(content))
        if kept is CUSTOMERS:
            bulk.append(connection, customer_index, index_rows(vault, rows, values))


def index_rows(vault: Vault, ids: Sequence[str], values: Mapping[str, Sequence[str | None]]) -> pd.DataFrame:
    """The rows of ``customer_index`` for these customers."""
    kinds: list[str] = []
    digests: list[str] = []
    owners: list[str] = []
    for kind, plain in sorted(normal.KINDS.items()):
        wanted = [plain(value) if value else "" for value in values.get(kind, ())]
        found = {place: vault.digest(kind, value) for place, value in enumerate(wanted) if value}
        order = sorted(found, key=found.__getitem__)  # in the order of the index, where rows are added faster
        kinds += [kind] * len(order)
        digests += [found[place] for place in order]
        owners += [ids[place] for place in order]
    return pd.DataFrame({"kind": kinds, "digest": digests, "customer_id": owners})


def identity_digest(vault: Vault, channel: str, external_id: str) -> str:
    """What stands for an identity in ``customer_identity.external_id``."""
    return vault.digest("identity", f"{channel}|{external_id}")


def identities_to_vault(connection: Connection, vault: Vault, frame: pd.DataFrame) -> pd.DataFrame:
    """Puts identities into the vault; the frame with their digests instead."""
    channels = frame["channel"].astype(str).tolist()
    plain = frame["external_id"].astype(str).tolist()
    digests = [identity_digest(vault, channel, value) for channel, value in zip(channels, plain, strict=True)]
    if not _is_empty(connection, identity_vault):
        forget_identities(connection, digests)
    rows = [f"{channel}|{digest}" for channel, digest in zip(channels, digests, strict=True)]
    newest = vault.ring.newest
    name = customer_identity.name
    wrapped, sealed = seal.seal_rows(vault.ring.wrapping[newest], newest, name, rows, {"external_id": plain})
    content = {"channel": channels, "external_id": digests, "key_id": newest, "wrapped_key": wrapped}
    updated = frame["updated_at"].to_numpy() if "updated_at" in frame.columns else None
    more = {"value": sealed["external_id"], "updated_at": updated}
    bulk.append(connection, identity_vault, pd.DataFrame(content | more))
    return frame.assign(external_id=digests)


def forget_identities(connection: Connection, digests: Sequence[str]) -> None:
    """Destroys the keys of these identities and what they sealed."""
    for part in chunks(digests):
        connection.execute(delete(identity_vault).where(identity_vault.c.external_id.in_(part)))


def open_identities(connection: Connection, vault: Vault, rows: Iterable[tuple[str, str]]) -> list[str]:
    """The identities behind channels and digests; the text itself where it was never sealed."""
    opened = []
    for channel, digest in rows:
        own = and_(identity_vault.c.channel == channel, identity_vault.c.external_id == digest)
        found = connection.execute(select(identity_vault.c.wrapped_key, identity_vault.c.value).where(own)).first()
        if found is None:
            opened.append(digest)
            continue
        row = f"{channel}|{digest}"
        key = vault.open_row(customer_identity.name, row, found.wrapped_key)
        opened.append(vault.open_value(key, customer_identity.name, "external_id", row, found.value))
    return opened


def _texts(series: pd.Series, type_: Any) -> list[str | None]:
    return [None if value is None else str(value) for value in bulk.plain_values(series, type_)]


def _is_empty(connection: Connection, table: Table) -> bool:
    query: Select[Any] = select(next(iter(table.c))).limit(1)
    return connection.execute(query).first() is None
