"""Single customers: what is known of one, who has a number, and forgetting somebody."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, Engine, func, inspect, select, update

from data_access.errors import Problem
from data_access.schema import customer, data_source

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


def contact(connection: Connection, customer_id: str, fields: Sequence[Field]) -> dict[Field, str | None]:
    """The named fields of one customer of the CRM, by the CRM's id; None where the CRM does not know the field, the
    customer, or has erased it. A birthday is an ISO day.

    Works on our own CRM, sealed or not yet, and on a foreign one. Needs to read ``customer``, and of our own CRM also
    ``alembic_version``, ``vault_key`` and ``customer_vault``.

    Raises:
        Problem: the value is sealed and cannot be opened: the key is missing or another one, or the row is damaged.
    """
    there = {c["name"] for c in inspect(connection).get_columns(customer.name)}
    readable = [customer.c[name] for name in fields if name in there]
    if not readable:
        return dict.fromkeys(fields)
    row = connection.execute(select(*readable).where(customer.c.customer_id == customer_id)).mappings().first()
    found = dict(row or {})
    return {name: None if found.get(name) in (None, "") else str(found[name]) for name in fields}


def find(connection: Connection, kind: Kind, value: str) -> tuple[str, ...]:
    """The CRM's ids of the customers with this phone number or e-mail address, in order; more than one where people
    share it. Phone numbers are compared without blanks, dashes and the country code 86, addresses without regard to
    capitals. None for text that is no such number or address.

    Raises:
        Problem: the index of a sealed CRM cannot be used: the key is missing or another one.
    """
    if not normal(kind, value) or kind not in {c["name"] for c in inspect(connection).get_columns(customer.name)}:
        return ()
    column, wanted = customer.c[kind], normal(kind, value)
    if kind == "email":
        condition = func.lower(func.trim(column)) == wanted
    else:
        bare = wanted.removeprefix("+86").removeprefix("+")
        condition = column.in_({value.strip(), wanted, bare, f"+86{bare}", f"86{bare}", f"0086{bare}"})
    query = select(customer.c.customer_id).where(condition).order_by(customer.c.customer_id)
    return tuple(connection.scalars(query))


def normal(kind: Kind, value: str) -> str:
    """A phone number as E.164 (without a country code: of China), an address in small letters; '' for anything else."""
    if kind == "email":
        text = value.strip().casefold()
        return text if re.fullmatch(r"[^\s@]+@[^\s@]+", text) else ""
    digits = re.sub(r"[\s().-]", "", value)
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    if not re.fullmatch(r"\+?[0-9]{5,15}", digits):
        return ""
    if digits.startswith("+"):
        return digits
    national = digits.removeprefix("86") if len(digits) == 13 and digits.startswith("86") else digits.removeprefix("0")
    return f"+86{national}"


def erase(engine: Engine, customer_id: str, *, now: datetime | None = None) -> None:
    """Forgets one customer in our own CRM: destroys the key of the sealed fields, and with it every copy of them in
    a backup; removes index rows and identities; empties the plain columns. ``now`` (naive UTC) becomes the row's
    ``updated_at``, so that the next refresh drops age and birthday. Orders stay, under an id that names nobody.

    Doing it again changes nothing. An import that still holds the person brings the values back.

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


def status(engine: Engine) -> Status:
    """How much of this CRM is sealed, and with which keys. Needs no key.

    Raises:
        DBAPIError: the database does not answer.
    """
    with engine.connect() as connection:
        plain = connection.scalar(select(func.count()).select_from(customer)) or 0
        return Status(is_ours(connection), 0, plain, {})
