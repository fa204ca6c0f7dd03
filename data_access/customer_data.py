"""Everything the CRM holds on one customer: to hand it to the customer, and to forget it.

Rows that name the customer and what hangs on them, without what they say of other people: staff, and who recommended
whom. What identifies the customer comes from the vault, in full. Nothing here asks who is asking.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Inspector,
    Select,
    Table,
    delete,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from data_access import vault
from data_access.errors import Problem
from data_access.pseudonym import customer_key, customer_number, number_of, secret_key
from data_access.schema import crm, customer
from data_access.state import actions, audiences, audit
from data_access.state.rules import Rule
from data_access.state.store import writing
from data_access.vault import wipe

Rows = list[dict[str, Any]]

# What hangs on rows that name a customer: table -> the table and column that lead there.
_THROUGH = {
    "sale_line": ("sale_order", "order_id"),
    "shipment": ("sale_order", "order_id"),
    "trial_feedback": ("trial", "trial_id"),
}
# Described the person, and goes with the person; the books stay, and so does the proof of what was agreed to.
_GOES = (
    "trial_feedback",
    "trial",
    "customer_tag",
    "customer_metric",
    "customer_moment",
    "customer_event",
    "follow_up",
    "appointment",
    "survey_answer",
    "survey_invitation",
    "tier_change",
)
_REASON = range(5, 201)  # characters
_OTHERS = ("staff.staff_id", "customer.customer_id")  # whom else a row may name


def known(connection: Connection, customer_id: str) -> bool:
    """Whether the CRM has a customer of this id."""
    found = connection.execute(select(customer.c.customer_id).where(customer.c.customer_id == customer_id))
    return found.first() is not None


def find(connection: Connection, text: str) -> tuple[str, ...]:
    """The CRM's ids of the customers whom an id, a phone number or an e-mail address names; none, or several.

    Problem when the index of sealed numbers cannot be used.
    """
    wanted = text.strip()
    if known(connection, wanted):
        return (wanted,)
    return vault.find(connection, "email" if "@" in wanted else "phone", wanted)


def pseudonym(home: Path, customer_id: str) -> str:
    """The key by which people see a customer, as in the snapshots of ``home``."""
    return customer_key(customer_number(secret_key(home), customer_id))


def ours(engine: Engine, key: str) -> dict[str, Rows]:
    """The same of what the app's own store holds on a customer, by the key; only tables with a row."""
    number = number_of(key)
    found = {
        "list_action": actions.about(engine, key),
        "audience_member": [] if number is None else audiences.about(engine, number),
    }
    return {name: rows for name, rows in found.items() if rows}


def expect_reason(reason: str) -> str:
    """The reason for taking a customer's data out. Rule when it is shorter than 5 characters or longer than 200."""
    text = reason.strip()
    if len(text) not in _REASON:
        raise Rule("data_reason", f"say why in {_REASON[0]} to {_REASON[-1]} characters")
    return text


def note_taken(engine: Engine, actor: str, key: str, reason: str, now: datetime) -> None:
    """Writes down that somebody is about to take out what the CRM holds on a customer (by the key), and why.

    Rule as in ``expect_reason``.
    """
    text = expect_reason(reason)
    with writing(engine) as connection:
        audit.append(connection, actor, "customer_data_taken", key, {"reason": text}, at=now)


def everything(connection: Connection, customer_id: str) -> dict[str, Rows]:
    """The rows by table, in the order of the canonical CRM; only tables with a row.

    Problem when the CRM has no such customer, or what is sealed cannot be opened.
    """
    if not known(connection, customer_id):
        raise Problem(f"the CRM has no customer {customer_id!r}: look the id up again")
    inspector = inspect(connection)
    there = {*inspector.get_table_names(), *inspector.get_view_names()}
    found: dict[str, Rows] = {}
    for table in crm.tables.values():
        if table.name in there and (query := _rows_of(table, customer_id, inspector)) is not None:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            if rows:
                found[table.name] = rows
    fields = vault.contact(connection, customer_id, ("name", "phone", "email", "birthday"))
    found["customer"][0] |= dict(fields.items())
    linked = vault.identities(connection, customer_id)
    if linked:
        found["customer_identity"] = [{"channel": channel, "external_id": value} for channel, value in linked]
    return found


def write(file: Path, key: str, rows: Mapping[str, Rows], now: datetime) -> None:
    """Writes the rows to a new file that only its owner reads. Problem when the file is there or cannot be made."""
    told = {"customer": key, "written_at": now.isoformat(timespec="seconds"), "tables": rows}
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            json.dump(told, opened, ensure_ascii=False, indent=1, default=str)
    except OSError as error:
        raise Problem(f"{file} cannot be written ({error.strerror}): name a new file in a folder of yours") from None


def erase(engine: Engine, customer_id: str, now: datetime) -> None:
    """Forgets a customer in our own CRM: the keys of what is sealed, the customer's row and all that described the
    person. Consents end ``now`` (naive UTC). Receipts, points and messages stay, under an id that names nobody.

    Can be done again after it was cut short. Problem when the CRM is a foreign one or does not answer.
    """
    try:
        with engine.connect() as connection:
            if not vault.is_ours(connection):
                raise Problem(
                    "this CRM belongs to another program and is only read: have the customer erased there; the next "
                    "refresh takes it over"
                )
            still_there = known(connection, customer_id)
        if still_there:
            vault.erase(engine, customer_id, now=now)
        with engine.begin() as connection:
            _forget(connection, customer_id, now)
        wipe.log(engine)
    except DBAPIError as error:
        # Not the statement: it holds the id.
        raise Problem(
            f"the CRM could not be changed ({type(error.orig).__name__}): check that it answers and may be written, "
            "then do it again"
        ) from None


def _forget(connection: Connection, customer_id: str, now: datetime) -> None:
    for name in _GOES:
        table = crm.tables[name]
        connection.execute(delete(table).where(_own(table, customer_id)))
    consent, ticket = crm.tables["consent"], crm.tables["ticket"]
    live = consent.c.withdrawn_at.is_(None)
    connection.execute(
        update(consent).where(consent.c.customer_id == customer_id, live).values(withdrawn_at=now, updated_at=now)
    )
    connection.execute(update(ticket).where(ticket.c.customer_id == customer_id).values(text=None, updated_at=now))
    recommended = customer.c.referrer_customer_id == customer_id
    connection.execute(update(customer).where(recommended).values(referrer_customer_id=None, updated_at=now))
    connection.execute(delete(customer).where(customer.c.customer_id == customer_id))


def _rows_of(table: Table, customer_id: str, inspector: Inspector) -> Select[Any] | None:
    """The customer's rows with what the database has of the columns; None where no row can be the customer's."""
    if "customer_id" not in table.c and table.name not in _THROUGH:
        return None
    present = {column["name"] for column in inspector.get_columns(table.name)}
    link = _THROUGH[table.name][1] if table.name in _THROUGH else "customer_id"
    if link not in present:
        return None
    shown = [c for c in table.c if c.name in present and not c.info.get("pii") and not _names_others(c)]
    return select(*shown).where(_own(table, customer_id)).order_by(*(c for c in shown if c.primary_key))


def _own(table: Table, customer_id: str) -> ColumnElement[bool]:
    if table.name in _THROUGH:
        parent, link = _THROUGH[table.name]
        of_customer = crm.tables[parent]
        own = select(of_customer.c[link]).where(of_customer.c.customer_id == customer_id)
        return table.c[link].in_(own)
    return table.c.customer_id == customer_id


def _names_others(column: Column[Any]) -> bool:
    return column.name != "customer_id" and column.info.get("references") in _OTHERS
