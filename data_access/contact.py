"""How to reach one customer: masked for whoever may open the customer, in full one field at a time and for a reason.

Plain values come from the CRM at the moment they are asked for and are kept nowhere. What was revealed to whom is in
the audit log before it is opened: where the log cannot be written, nothing is shown.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Engine, func, select

from data_access import live, vault
from data_access.pseudonym import customer_number, number_of, secret_key
from data_access.queries import customer as queries
from data_access.schema import customer, return_line, sale_order
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot
from data_access.state import accounts, audit
from data_access.state.accounts import Role
from data_access.state.rules import Rule
from data_access.state.schema import audit as log
from data_access.state.sessions import Session
from data_access.state.store import writing

Field = Literal["name", "phone", "email"]
FIELDS: tuple[Field, ...] = get_args(Field)
REASONS = ("order", "appointment", "service", "complaint", "correction", "other")
OTHER = "other"  # needs words of its own

MOST = 30  # fields that one account may reveal within ``WITHIN``
WITHIN = timedelta(hours=1)
SHOWN = timedelta(seconds=30)
SEEN_AGAIN = timedelta(minutes=10)

_HIDDEN = "****"
_NOTE = range(5, 201)  # characters
_RECEIPTS = 5  # of each kind, by which a customer is found again
_SEES_CONTACTS: tuple[Role, ...] = ("manager", "regional")


@dataclass(frozen=True, slots=True)
class Masked:
    """What may stand on the screen; None: not on file. birthday: 'MM-DD' for the customer's store, 'MM' for a region.

    adult: known to be 18 or older; of anybody else nothing is revealed.
    """

    name: str | None
    phone: str | None
    email: str | None
    birthday: str | None
    adult: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """Which field somebody needs, and why; ``note``: the reason in words, needed for ``other``."""

    field: str
    reason: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Revealed:
    """A field in full (None: not on file), to be shown ``until`` then (UTC)."""

    field: Field
    value: str | None
    until: datetime


def masked(scope: Scope, snapshot: Snapshot, role: Role, customer_key: str) -> Masked | None:
    """The contact data of a customer of the stores in scope, masked here; None when the CRM has the customer no more.

    Rule when the role sees no contacts or the scope has no such customer; Problem when the CRM does not answer, or
    what it holds cannot be opened.
    """
    if role not in _SEES_CONTACTS:
        raise Rule("reveal_permission", f"the role {role} sees no contact data")
    known = _origin(scope, snapshot, customer_key)
    if known is None:
        raise Rule("no_customer", "there is no such customer in the scope")
    with live.looking(scope) as connection:
        customer_id = _customer_id(connection, scope, known)
        if customer_id is None:
            return None
        plain = vault.contact(connection, customer_id, FIELDS)
    return Masked(
        name=_masked(plain["name"], mask_name),
        phone=_masked(plain["phone"], mask_phone),
        email=_masked(plain["email"], mask_email),
        birthday=known.birthday if role == "manager" or known.birthday is None else known.birthday[:2],
        adult=known.adult,
    )


def reveal(
    scope: Scope, snapshot: Snapshot, state: Engine, session: Session, customer_key: str, wish: Wish, now: datetime
) -> Revealed:
    """One field in full, written into the audit log before it is opened.

    Rule when it may not be: for want of permission, second factor or reason, beyond the scope, of somebody who is not
    known to be an adult, or after ``MOST`` within the hour; that is logged, too. Whatever stops the log stops this.
    """
    field = _checked(wish)
    actor = session.actor
    known = _origin(scope, snapshot, customer_key)
    try:
        with writing(state) as connection:
            _refuse_without_right(connection, session)
            if known is None:
                raise Rule("no_customer", "there is no such customer in the scope")
            if not known.adult:
                raise Rule("reveal_age", "nothing is revealed of somebody under 18 or of unknown age")
            _refuse_too_many(connection, actor, now)
            said = {"field": field, "reason": wish.reason, "note": wish.note.strip()}
            audit.append(connection, actor, "contact_revealed", customer_key, said, at=now)
    except Rule as rule:
        with writing(state) as connection:
            refused = {"field": field, "reason": rule.key}
            audit.append(connection, actor, "reveal_refused", audit.plain(customer_key), refused, at=now)
        raise
    # The entry is on disk. Nothing of the person has been read so far.
    with live.looking(scope) as connection:
        customer_id = _customer_id(connection, scope, known)
        value = vault.contact(connection, customer_id, [field])[field] if customer_id is not None else None
    return Revealed(field, value, now + SHOWN)


def seen(state: Engine, actor: str, customer_key: str, now: datetime) -> None:
    """Notes that somebody has opened a customer: at most one entry for both within ``SEEN_AGAIN``."""
    lately = select(log.c.number).where(
        log.c.subject == customer_key,
        log.c.actor == actor,
        log.c.action == "customer_seen",
        log.c.at > now - SEEN_AGAIN,
    )
    with state.connect() as connection:
        if connection.scalar(lately.limit(1)) is not None:
            return
    with writing(state) as connection:
        audit.append(connection, actor, "customer_seen", customer_key, at=now)


def mask_name(name: str) -> str:
    """The first character, of a family name written in Chinese the name itself: '张*'."""
    return name[:1] + "*"


def mask_phone(phone: str) -> str:
    """The first three and the last four digits of a number of eleven or more ('138****8000'), without its country code
    for China; of a shorter one the last two, of a very short one none."""
    digits = re.sub(r"\D", "", phone)
    if len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if len(digits) >= 11:
        return digits[:3] + _HIDDEN + digits[-4:]
    return _HIDDEN + (digits[-2:] if len(digits) >= 7 else "")


def mask_email(email: str) -> str:
    """The first character: 'z***@…'. A domain may name a person as well."""
    return email[:1] + "***@…"


def _masked(value: str | None, mask: Callable[[str], str]) -> str | None:
    text = (value or "").strip()
    return mask(text) if text else None


def _checked(wish: Wish) -> Field:
    """The field that is wished for. Rule when there is none such, or no reason."""
    if wish.field not in FIELDS:
        raise Rule("reveal_field", f"there is no field {wish.field!r} to reveal")
    if wish.reason not in REASONS:
        raise Rule("reveal_reason", "a reason is needed to reveal a contact")
    note = wish.note.strip()
    personal = "@" in note or re.search(r"\d{5}", re.sub(r"[\s.-]", "", note))
    if (note or wish.reason == OTHER) and (len(note) not in _NOTE or not note.isprintable() or personal):
        raise Rule("reveal_note", "the reason in words has 5 to 200 characters and holds no number or address")
    return wish.field


def _refuse_without_right(connection: Connection, session: Session) -> None:
    """By the account as it is in this transaction; one-click entry has none, and so no right."""
    account = accounts.read(connection, session.account.account_id) if session.account else None
    if account is None or account.disabled or not account.may_reveal or account.role not in _SEES_CONTACTS:
        raise Rule("reveal_permission", "this account may not reveal contacts")
    if not (account.has_totp or session.second_factor):
        raise Rule("reveal_factor", "revealing needs a second factor")


def _refuse_too_many(connection: Connection, actor: str, now: datetime) -> None:
    """Counted in the transaction that adds the next one: two at the same time cannot both be the last."""
    mine = (log.c.actor == actor, log.c.action == "contact_revealed", log.c.at > now - WITHIN)
    if (connection.scalar(select(func.count()).select_from(log).where(*mine)) or 0) >= MOST:
        raise Rule("reveal_limit", f"{MOST} fields have been revealed within an hour: wait a while")


@dataclass(frozen=True, slots=True)
class _Origin:
    """What the snapshot knows of a registered customer that leads back to the CRM, and may be done with a contact."""

    number: int
    adult: bool
    birthday: str | None  # 'MM-DD'
    orders: tuple[str, ...]  # some receipts in scope
    returns: tuple[str, ...]  # some returns in scope
    home: tuple[str | None, date | None]  # store and day of joining; of somebody at home outside the scope neither


def _origin(scope: Scope, snapshot: Snapshot, customer_key: str) -> _Origin | None:
    """None when the stores in scope have no such registered customer."""
    found, number = queries.origin(scope, snapshot.engine, customer_key), number_of(customer_key)
    if found.empty or number is None:
        return None
    timeline = queries.timeline(scope, snapshot.engine, customer_key)
    orders = timeline.loc[timeline["kind"] == "purchase", "order_id"].head(_RECEIPTS)
    returns = timeline.loc[timeline["kind"] == "return", "return_id"].head(_RECEIPTS)
    store_id, joined_on, adult, birthday = (None if pd.isna(value) else value for value in found.iloc[0])
    return _Origin(
        number,
        bool(adult),
        birthday,
        tuple(orders),
        tuple(returns),
        (store_id, joined_on.date() if joined_on else None),
    )


def _customer_id(connection: Connection, scope: Scope, known: _Origin) -> str | None:
    """The CRM's id behind a pseudonym, which cannot be computed back: of the customers of some of its receipts, or of
    those who joined that day in that store, the one whose keyed hash it is. None when the CRM has none."""
    key = secret_key(settings().home)
    return next(
        (one for one in _candidates(connection, scope, known) if customer_number(key, one) == known.number), None
    )


def _candidates(connection: Connection, scope: Scope, known: _Origin) -> Iterator[str]:
    o, r, c = sale_order.c, return_line.c, customer.c
    bought = select(o.customer_id).distinct().where(o.order_id.in_(known.orders), o.customer_id.is_not(None))
    yield from connection.scalars(scope.limit(bought, o.store_id)).all()
    # A return without a customer of its own is that of the receipt's.
    back = select(func.coalesce(r.customer_id, o.customer_id)).distinct().where(r.return_id.in_(known.returns))
    by_return = back.select_from(return_line.outerjoin(sale_order, o.order_id == r.order_id))
    yield from (one for one in connection.scalars(scope.limit(by_return, r.store_id)).all() if one is not None)
    store_id, joined_on = known.home
    joined = select(c.customer_id).where(_is(c.home_store_id, store_id), _is(c.joined_on, joined_on))
    yield from connection.scalars(scope.limit(joined, c.home_store_id)).all()


def _is(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return column.is_(None) if value is None else column == value
