"""The tables beside the canonical ones in which our own CRM keeps what identifies a person. Foreign CRMs have none.

Sealed values are base64 text, so that every database and driver carries them alike; ``data_access.vault.seal`` has the
layout. ``key_id`` names the key of the ring that wraps the row's own key. The canonical columns are then empty, except
``customer_identity.external_id``, which is part of a key and holds the identity's digest.
"""

from typing import Any

from sqlalchemy import Column, Index, MetaData, String, Table, Text

from data_access.schema import MARIADB, Id, Instant, Name, Word

vault_tables = MetaData()

Wrapped = String(200)
Digest = String(32)


def _key(name: str, type_: Any) -> Column[Any]:
    return Column(name, type_, primary_key=True, nullable=False, autoincrement=False)


def _table(name: str, *columns: Column[Any]) -> Table:
    return Table(name, vault_tables, *columns, Column("updated_at", Instant), **MARIADB)


def _wrapped() -> tuple[Column[Any], Column[Any]]:
    return Column("key_id", Word, nullable=False), Column("wrapped_key", Wrapped, nullable=False)


# One key of the ring in use. Only the right key opens its ``index_key``, the one secret of all digests.
vault_key = _table("vault_key", _key("key_id", Word), Column("index_key", Wrapped, nullable=False))

# One customer of whom something is known.
customer_vault = _table(
    "customer_vault",
    _key("customer_id", Id),
    *_wrapped(),
    Column("name", Text),
    Column("phone", Text),
    Column("email", Text),
    Column("birthday", Text),
)

# One phone number or address of one customer, as its digest. kind: phone | email
customer_index = Table(
    "customer_index",
    vault_tables,
    _key("kind", Word),
    _key("digest", Digest),
    _key("customer_id", Id),
    **MARIADB,
)
Index("ix_customer_index_customer_id", customer_index.c.customer_id)

# One identity; ``external_id`` is the digest, as in ``customer_identity``, ``value`` the identity itself.
identity_vault = _table(
    "identity_vault", _key("channel", Word), _key("external_id", Name), *_wrapped(), Column("value", Text)
)

# One person who works or worked for the chain.
staff_vault = _table("staff_vault", _key("staff_id", Id), *_wrapped(), Column("name", Text))
