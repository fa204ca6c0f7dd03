"""Single customers: what is known of one, who has a number, and forgetting somebody."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    and_,
    delete,
    exists,
    false,
    func,
    inspect,
    or_,
    select,
    update,
)

from data_access.errors import Problem
from data_access.schema import crm, customer, customer_identity, data_source
from data_access.settings import settings
from data_access.vault import normal, wipe
from data_access.vault.rows import (
    CUSTOMERS,
    SEALED,
    VAULTS,
    Vault,
    forget,
    forget_identities,
    has_vault,
    open_fields,
    open_identities,
    open_vault,
)
from data_access.vault.tables import customer_index, identity_vault

Field = Literal["name", "phone", "email", "birthday"]
Kind = Literal["phone", "email"]

FIELDS: tuple[Field, ...] = ("name", "phone", "email", "birthday")


@dataclass(frozen=True, slots=True)
class Status:
    """How the people of one CRM database are kept.

    ``sealed`` and ``plain``: rows of customers, identities and staff of which something that identifies is encrypted,
    or lies open. ``keys``: sealed rows by the id of the key that opens them. In a foreign CRM everything is plain.
    """

    is_ours: bool
    sealed: int
    plain: int
    keys: Mapping[str, int]


def is_ours(connection: Connection) -> bool:
    """Whether this is a CRM database that ``demo`` or ``import`` made, and not somebody else's."""
    there = inspect(connection)
    if not (there.has_table("alembic_version") and there.has_table(data_source.name)):
        return False
    revisions = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    return bool(revisions) and all(re.fullmatch("[0-9]{4}", revision) for revision in revisions)


def is_sealed(connection: Connection) -> bool:
    """Whether this CRM is ours and of a version that seals; its rows may still lie open."""
    return is_ours(connection) and has_vault(connection)


def contact(connection: Connection, customer_id: str, fields: Sequence[Field]) -> dict[Field, str | None]:
    """The named fields of one customer of the CRM, by the CRM's id; None where the CRM does not know the field, the
    customer, or has erased it. A birthday is an ISO day.

    Works on our own CRM, sealed or not yet, and on a foreign one. Needs to read ``customer``, and of our own CRM also
    ``alembic_version``, ``data_source``, ``vault_key`` and ``customer_vault``.

    Raises:
        Problem: the value is sealed and cannot be opened: the key is missing or another one, or the row is damaged.
    """
    there = _columns(connection, customer)
    found: dict[str, object] = dict.fromkeys(fields)
    readable = [customer.c[name] for name in fields if name in there]
    if readable:
        row = connection.execute(select(*readable).where(customer.c.customer_id == customer_id)).mappings().first()
        found |= dict(row or {})
    if is_sealed(connection) and (vault := open_vault(connection, settings().home)):
        for opened in open_fields(connection, vault, CUSTOMERS, [customer_id], fields).to_dict("records"):
            found |= {name: opened[name] for name in fields if found[name] is None}
    return {name: None if found[name] in (None, "") else str(found[name]) for name in fields}


def find(connection: Connection, kind: Kind, value: str) -> tuple[str, ...]:
    """The CRM's ids of the customers with this phone number or e-mail address, in order; more than one where people
    share it. Phone numbers are compared without blanks, dashes and the country code 86, addresses without regard to
    capitals. None for text that is no such number or address. In our own CRM also reads ``customer_index``.

    Raises:
        Problem: the index of a sealed CRM cannot be used: the key is missing or another one.
    """
    wanted = normal.KINDS[kind](value)
    if not wanted:
        return ()
    found: set[str] = set()
    if kind in _columns(connection, customer):
        found.update(connection.scalars(select(customer.c.customer_id).where(_plainly(kind, wanted))))
    if is_sealed(connection) and (vault := open_vault(connection, settings().home)):
        own = and_(customer_index.c.kind == kind, customer_index.c.digest == vault.digest(kind, wanted))
        found.update(connection.scalars(select(customer_index.c.customer_id).where(own)))
    return tuple(sorted(found))


def _plainly(kind: Kind, wanted: str) -> ColumnElement[bool]:
    column = func.replace(customer.c[kind], " ", "")
    if kind == "email":
        return func.lower(column) == wanted
    bare = wanted.removeprefix("+86").removeprefix("+")
    ways = {wanted, bare, f"86{bare}", f"0086{bare}"} if wanted.startswith("+86") else {wanted, f"00{bare}"}
    return func.replace(column, "-", "").in_(ways)


def identities(connection: Connection, customer_id: str) -> tuple[tuple[str, str], ...]:
    """The identities of one customer: channel and id in that channel, in order.

    Raises:
        Problem: one is sealed and cannot be opened.
    """
    if not inspect(connection).has_table(customer_identity.name):
        return ()
    own = customer_identity.c.customer_id == customer_id
    columns = customer_identity.c.channel, customer_identity.c.external_id
    rows = [(channel, value) for channel, value in connection.execute(select(*columns).where(own))]
    vault: Vault | None = open_vault(connection, settings().home) if is_sealed(connection) else None
    plain = open_identities(connection, vault, rows) if vault else [value for _, value in rows]
    return tuple(sorted(zip((channel for channel, _ in rows), plain, strict=True)))


def erase(engine: Engine, customer_id: str, *, now: datetime | None = None) -> None:
    """Forgets one customer in our own CRM: destroys the keys of the sealed fields, removes index rows and identities,
    empties the plain columns. ``now`` (naive UTC) becomes the row's ``updated_at``, so that the next refresh drops age
    and birthday. Orders stay, under an id that names nobody.

    Doing it again changes nothing. An import that still holds the person brings the values back. Backups from before
    hold the wrapped key, too; they open no more once the ring is rotated and the older key destroyed.

    Raises:
        Problem: the CRM is a foreign one (its owner must erase there), or has no such customer.
    """
    now = now or datetime.now(UTC).replace(tzinfo=None)
    with engine.begin() as connection:
        if not is_ours(connection):
            raise Problem(
                "this CRM belongs to another program and is only read: have the customer erased there; the next "
                "refresh takes it over"
            )
        empty = dict.fromkeys(FIELDS)
        own = customer.c.customer_id == customer_id
        if not connection.execute(update(customer).where(own).values(**empty, updated_at=now)).rowcount:
            raise Problem("the CRM has no customer of this id: look it up again, it may have been removed")
        own = customer_identity.c.customer_id == customer_id
        if has_vault(connection):
            forget(connection, CUSTOMERS, [customer_id])
            forget_identities(connection, list(connection.scalars(select(customer_identity.c.external_id).where(own))))
        connection.execute(delete(customer_identity).where(own))
    wipe.keys(engine)


def status(engine: Engine) -> Status:
    """How much of this CRM is sealed, and with which keys. Needs no key.

    Raises:
        DBAPIError: the database does not answer.
    """
    with engine.connect() as connection:
        ours = is_ours(connection)
        there = ours and has_vault(connection)
        plain = sum(
            connection.scalar(select(func.count()).where(lies_open(connection, name, there))) or 0
            for name in SEALED
            if inspect(connection).has_table(name)
        )
        keys: Counter[str] = Counter()
        for table in VAULTS.values() if there else ():
            counted = select(table.c.key_id, func.count()).group_by(table.c.key_id)
            for key_id, rows in connection.execute(counted):
                keys[key_id] += rows
        return Status(ours, keys.total(), plain, dict(keys))


def lies_open(connection: Connection, name: str, vault_there: bool) -> ColumnElement[bool]:
    """Which rows of a canonical table hold something that identifies a person, not sealed."""
    table = crm.tables[name]
    there = _columns(connection, table)
    filled = or_(false(), *(table.c[column].is_not(None) for column in SEALED[name] if column in there))
    if table is not customer_identity or not vault_there:
        return filled
    same = and_(identity_vault.c.channel == table.c.channel, identity_vault.c.external_id == table.c.external_id)
    return and_(filled, ~exists().where(same))


def _columns(connection: Connection, table: Table) -> set[str]:
    return {column["name"] for column in inspect(connection).get_columns(table.name)}
