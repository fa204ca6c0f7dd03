"""Work on a whole CRM of ours while it is in use: sealing what lies open, and wrapping keys with a newer one.

Both go in batches, each one transaction, and need no note of how far they got: what is left to do can be seen in the
rows. After a power cut they are simply started again.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Table, and_, bindparam, delete, func, select, update

from data_access.crm import prepare
from data_access.errors import Problem
from data_access.schema import customer_identity
from data_access.vault import wipe
from data_access.vault.people import is_ours, is_sealed, lies_open
from data_access.vault.rows import (
    KEPT,
    SEALED,
    VAULTS,
    Kept,
    Vault,
    append_sealed,
    identities_to_vault,
    open_fields,
    open_for_writing,
    open_vault,
)
from data_access.vault.tables import vault_key

BATCH = 5_000  # rows per transaction

Progress = Callable[[str], None]

_FOREIGN = (
    "this CRM belongs to another program and is only read: nothing is sealed in it; import its exports into a database "
    "of its own if they are to be sealed"
)


def seal_all(engine: Engine, home: Path, progress: Progress = lambda _: None) -> int:
    """Seals whatever lies open in a CRM of ours, older versions included; returns the rows. Then the files are written
    anew, so that nothing of it is left in them.

    Raises:
        Problem: the CRM is a foreign one, or a key is missing or wrong; nothing is written then.
    """
    with engine.connect() as connection:
        if not is_ours(connection):
            raise Problem(_FOREIGN)
    prepare(engine)
    rows = 0
    for name in VAULTS:
        sealed = 0
        while batch := _seal_batch(engine, home, name):
            sealed += batch
            progress(f"sealed {name}: {sealed:,} rows")
        rows += sealed
    wipe.tables(engine)
    return rows


def _seal_batch(engine: Engine, home: Path, name: str) -> int:
    with engine.begin() as connection:
        vault = open_for_writing(connection, home)
        if name in KEPT:
            return seal_kept(connection, vault, KEPT[name], BATCH)
        return seal_identities(connection, vault, BATCH)


def seal_kept(connection: Connection, vault: Vault, kept: Kept, limit: int) -> int:
    """Seals a batch of rows that lie open. A value that lies open is newer than one that was sealed of the same row."""
    columns = [kept.table.c[name] for name in (kept.key, *kept.fields, "updated_at")]
    rows = connection.execute(select(*columns).where(lies_open(connection, kept.table.name, True)).limit(limit)).all()
    if not rows:
        return 0
    frame = pd.DataFrame(rows, columns=[c.name for c in columns], dtype=object).set_index(kept.key, drop=False)
    known = open_fields(connection, vault, kept, frame[kept.key].tolist(), kept.fields).set_index(kept.key)
    frame = frame.combine_first(known)[[c.name for c in columns]]
    append_sealed(connection, vault, kept, frame)
    own = kept.table.c[kept.key] == bindparam("row_id")
    emptied = update(kept.table).where(own).values(dict.fromkeys(kept.fields))
    connection.execute(emptied, [{"row_id": row_id} for row_id in frame[kept.key]])
    return len(frame)


def seal_identities(connection: Connection, vault: Vault, limit: int | None = None) -> int:
    """Seals identities that lie open, all of them or a batch."""
    table = customer_identity
    columns = table.c.channel, table.c.external_id, table.c.updated_at
    open_rows = select(*columns).where(lies_open(connection, table.name, True)).limit(limit)
    frame = pd.DataFrame(connection.execute(open_rows).all(), columns=["channel", "external_id", "updated_at"])
    if frame.empty:
        return 0
    sealed = identities_to_vault(connection, vault, frame)
    own = and_(table.c.channel == bindparam("its_channel"), table.c.external_id == bindparam("plain"))
    rows = zip(frame["channel"], frame["external_id"], sealed["external_id"], strict=True)
    connection.execute(
        update(table).where(own).values(external_id=bindparam("digest")),
        [{"its_channel": channel, "plain": plain, "digest": digest} for channel, plain, digest in rows],
    )
    return len(frame)


def rotate(engine: Engine, home: Path, progress: Progress = lambda _: None) -> int:
    """Wraps every row's key with the newest key of the ring; returns the rows. The older keys are not needed by this
    CRM any more afterwards, though by its backups.

    Raises:
        Problem: the CRM is a foreign one, a key is missing or wrong, or a row's key does not open.
    """
    with engine.connect() as connection:
        if not is_ours(connection):
            raise Problem(_FOREIGN)
        if not is_sealed(connection):
            raise Problem("nothing in this CRM is sealed yet: run `python -m data_access vault seal` first")
    rows = 0
    for name, table in VAULTS.items():
        while batch := _rotate_batch(engine, home, name, table):
            rows += batch
            progress(f"wrapped with the newest key: {rows:,} rows")
    with engine.begin() as connection:
        vault = open_for_writing(connection, home)
        if not any(_of_older_keys(connection, vault, table) for table in VAULTS.values()):
            connection.execute(delete(vault_key).where(vault_key.c.key_id != vault.ring.newest))
    wipe.log(engine)
    return rows


def _of_older_keys(connection: Connection, vault: Vault, table: Table) -> int:
    older = select(func.count()).select_from(table).where(table.c.key_id != vault.ring.newest)
    return connection.scalar(older) or 0


def _rotate_batch(engine: Engine, home: Path, name: str, table: Table) -> int:
    keys = list(table.primary_key)
    with engine.begin() as connection:
        vault = open_for_writing(connection, home)
        newest = vault.ring.newest
        older = select(*keys, table.c.wrapped_key).where(table.c.key_id != newest).limit(BATCH)
        rows = connection.execute(older).all()
        changed: list[dict[str, Any]] = []
        for *key, wrapped_key in rows:
            fresh = vault.rewrapped(name, "|".join(key), wrapped_key)
            changed.append({f"its_{c.name}": part for c, part in zip(keys, key, strict=True)} | {"fresh": fresh})
        if changed:
            own = and_(*(c == bindparam(f"its_{c.name}") for c in keys))
            values = {"key_id": newest, "wrapped_key": bindparam("fresh")}
            connection.execute(update(table).where(own).values(values), changed)
        return len(changed)


def broken_rows(engine: Engine, home: Path) -> list[str]:
    """The rows of which something sealed does not open, as table and key; for whoever runs the program only.

    Problem when a key is missing or wrong, in which case none opens.
    """
    broken = []
    with engine.connect() as connection:
        vault = open_vault(connection, home) if is_sealed(connection) else None
        if vault is None:
            return []
        for name, table in VAULTS.items():
            keys = len(table.primary_key)
            fields = [c for c in table.c if c.name not in _ABOUT and not c.primary_key]
            for row in connection.execute(select(*table.primary_key, table.c.wrapped_key, *fields)):
                key, wrapped_key, values = "|".join(row[:keys]), row[keys], row[keys + 1 :]
                if not _opens(vault, name, key, wrapped_key, dict(zip(SEALED[name], values, strict=True))):
                    broken.append(f"{name} {key}")
    return broken


_ABOUT = ("key_id", "wrapped_key", "updated_at")


def _opens(vault: Vault, name: str, key: str, wrapped_key: str, values: dict[str, str | None]) -> bool:
    try:
        own = vault.open_row(name, key, wrapped_key)
        for column, value in values.items():
            if value is not None:
                vault.open_value(own, name, column, key, value)
    except Problem:
        return False
    return True
