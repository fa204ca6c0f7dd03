"""May these customers be used for this purpose, at this moment? Asked of the CRM itself when a list is to leave.

A snapshot is as old as the last refresh; somebody may have withdrawn since. So every customer of a list is looked up,
and whoever is not clearly allowed stays out.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args

from sqlalchemy import Connection, String, and_, cast, select

from data_access import live
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.schema import consent, customer
from data_access.scope import Scope
from data_access.settings import settings
from data_access.vault.people import is_sealed
from data_access.vault.rows import CUSTOMERS, open_fields, open_vault

Verdict = Literal["allowed", "erased", "not_registered", "never_given", "withdrawn", "age_unknown", "under_age"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

ADULT = 18  # years
_TOGETHER = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether a customer may be used, and the CRM's id of who may; of all others no id."""

    verdict: Verdict
    customer_id: str | None = None


def permitted(
    scope: Scope,
    customer_keys: Sequence[str],
    purpose: str,
    channel: str,
    now: datetime,
    *,
    home: Path,
    forgotten: Collection[str] = (),
) -> dict[str, Permission]:
    """As ``allowed`` for customers by their pseudonyms, asked of the CRM within ``scope``.

    ``home``: where the key of the pseudonyms lies. ``forgotten``: the pseudonyms of customers who were erased.
    """
    wanted, key = set(customer_keys), secret_key(home)
    with live.looking(scope) as connection:
        every = connection.scalars(select(customer.c.customer_id))
        ids = {
            pseudonym: customer_id
            for customer_id in every
            if (pseudonym := customer_key(customer_number(key, customer_id))) in wanted
        }
        erased = {ids[pseudonym] for pseudonym in forgotten if pseudonym in ids}
        verdicts = allowed(connection, list(ids.values()), purpose, channel, now, erased=erased)
    found = {pseudonym: Permission(verdicts[customer_id], customer_id) for pseudonym, customer_id in ids.items()}
    return {
        pseudonym: permission if permission.verdict == "allowed" else Permission(permission.verdict)
        for pseudonym in wanted
        for permission in (found.get(pseudonym, Permission("not_registered")),)
    }


def allowed(
    connection: Connection,
    customer_ids: Sequence[str],
    purpose: str,
    channel: str,
    now: datetime,
    *,
    erased: Collection[str] = (),
) -> dict[str, Verdict]:
    """For each id (of the CRM) whether the customer may be used: the first reason that speaks against it, else
    "allowed".

    A consent must have been given by ``now`` (UTC) for the very purpose and channel, and not been withdrawn by then;
    the customer must be known to be 18 or older. ``erased``: ids of customers who were forgotten here, whatever an
    import has brought back. Problem when a sealed birthday cannot be opened.
    """
    found: dict[str, Verdict] = {}
    every = list(dict.fromkeys(customer_ids))
    for start in range(0, len(every), _TOGETHER):
        ids = every[start : start + _TOGETHER]
        known = set(connection.scalars(select(customer.c.customer_id).where(customer.c.customer_id.in_(ids))))
        lives = _agreed(connection, ids, purpose, channel, now)
        for customer_id in ids:
            found[customer_id] = _verdict(
                "erased" if customer_id in erased else None,
                "not_registered" if customer_id not in known else None,
                "never_given" if customer_id not in lives else "withdrawn" if not lives[customer_id] else None,
            )
        agreed = [customer_id for customer_id in ids if found[customer_id] == "allowed"]
        born = _birthdays(connection, agreed)
        found |= {customer_id: _of_age(born.get(customer_id), now) for customer_id in agreed}
    return found


def _verdict(*reasons: Verdict | None) -> Verdict:
    return next((reason for reason in reasons if reason is not None), "allowed")


def _agreed(
    connection: Connection, ids: Iterable[str], purpose: str, channel: str, now: datetime
) -> Mapping[str, bool]:
    """Who has ever given the consent, and whether it lives."""
    c = consent.c
    asked = and_(c.customer_id.in_(ids), c.purpose == purpose, c.channel == channel, c.granted_at <= now)
    found: dict[str, bool] = {}
    for customer_id, withdrawn_at in connection.execute(select(c.customer_id, c.withdrawn_at).where(asked)):
        found[customer_id] = found.get(customer_id, False) or withdrawn_at is None or withdrawn_at > now
    return found


def _birthdays(connection: Connection, ids: Sequence[str]) -> dict[str, date]:
    """The birthdays that are known, sealed or not."""
    named = customer.c.customer_id, cast(customer.c.birthday, String)
    texts: dict[str, str | None] = dict(connection.execute(select(*named).where(customer.c.customer_id.in_(ids))).all())
    if is_sealed(connection) and (vault := open_vault(connection, settings().home)):
        sealed = open_fields(connection, vault, CUSTOMERS, ids, ("birthday",))
        texts |= dict(zip(sealed["customer_id"], sealed["birthday"], strict=True))
    read = {customer_id: _day(text) for customer_id, text in texts.items()}
    return {customer_id: day for customer_id, day in read.items() if day is not None}


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text[:10]) if text else None
    except ValueError:  # a foreign CRM may keep anything in that column
        return None


def _of_age(born: date | None, now: datetime) -> Verdict:
    # The day that has begun everywhere on earth: nobody turns 18 early.
    today = (now - timedelta(hours=12)).date()
    if born is None or not date(1920, 1, 1) <= born <= today:
        return "age_unknown"
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return "allowed" if years >= ADULT else "under_age"
