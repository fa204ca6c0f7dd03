"""Birthdays of a sealed CRM, for the refresh: it turns them into ages and keeps none."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from sqlalchemy import Engine, select

from data_access.readers import Reader
from data_access.vault.people import is_sealed
from data_access.vault.rows import CHUNK, CUSTOMERS, Vault, chunks, open_keys
from data_access.vault.tables import customer_vault, vault_key

# More customers than these are read page by page instead of by name.
_PAGES_ABOVE = 50_000
_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class SealedBirthdays:
    """The birthdays of one CRM of ours, under the keys of one home."""

    home: Path

    def fill(self, reader: Reader, work: duckdb.DuckDBPyConnection, relation: str) -> None:
        """Puts birthdays into the staged customers of ``relation`` that have none.

        Problem when one is sealed and does not open: ages must not be wrong in silence.
        """
        keys = dict(reader.execute(select(vault_key.c.key_id, vault_key.c.index_key)))
        if not keys:
            return
        vault = open_keys(keys, self.home)
        lacking = f"SELECT customer_id FROM {relation} WHERE birthday IS NULL AND customer_id IS NOT NULL"
        ids = [customer_id for (customer_id,) in work.execute(lacking).fetchall()]
        for rows in _pages(reader) if len(ids) > _PAGES_ABOVE else _named(reader, ids):
            births = [_open(vault, *row) for row in rows]
            names = pa.array([row[0] for row in rows], pa.string())
            work.register("births", pa.table({"customer_id": names, "birthday": pa.array(births, pa.string())}))
            work.execute(
                f"UPDATE {relation} AS r SET birthday = CAST(b.birthday AS DATE) FROM births b "
                "WHERE r.customer_id = b.customer_id AND r.birthday IS NULL"
            )
            work.unregister("births")


_Row = tuple[str, str, str]
_ROWS = select(customer_vault.c.customer_id, customer_vault.c.wrapped_key, customer_vault.c.birthday).where(
    customer_vault.c.birthday.is_not(None)
)


def sealed_birthdays(engine: Engine, home: Path) -> SealedBirthdays | None:
    """Where this CRM has its birthdays sealed; None where it is a foreign one, or of a version that did not seal."""
    with engine.connect() as connection:
        return SealedBirthdays(home) if is_sealed(connection) else None


def _named(reader: Reader, ids: Sequence[str]) -> Iterator[list[_Row]]:
    for part in chunks(ids, CHUNK):
        yield reader.execute(_ROWS.where(customer_vault.c.customer_id.in_(part)))


def _pages(reader: Reader) -> Iterator[list[_Row]]:
    """All of them. The database itself compares the ids, in whatever order it has."""
    page = _ROWS.order_by(customer_vault.c.customer_id).limit(_PAGE)
    rows = reader.execute(page)
    while rows:
        yield rows
        rows = reader.execute(page.where(customer_vault.c.customer_id > rows[-1][0]))


def _open(vault: Vault, customer_id: str, wrapped_key: str, birthday: str) -> str:
    table = CUSTOMERS.table.name
    own = vault.open_row(table, customer_id, wrapped_key)
    return vault.open_value(own, table, "birthday", customer_id, birthday)
