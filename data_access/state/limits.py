"""How often somebody may try: a lock on a sign-in name that grows, and a rate for an address.

An attempt is counted before the password is looked at and given back when it was right: attempts at the same time
cannot all slip through. Kept in the store, so that every process counts together and a restart forgives nothing.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from data_access.state import tokens
from data_access.state.schema import sign_in_attempt

FREE = 5  # wrong attempts in a row before a name is locked
LOCKS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))  # then for each further one; the last stays
FORGOTTEN = timedelta(days=1)  # without a wrong attempt

PACE = timedelta(seconds=3)  # an address may go on trying 20 times a minute,
RESERVE = 60  # after this many at once: an office in the morning signs in from one address


@dataclass(frozen=True, slots=True)
class Taken:
    """An attempt that is counted, until it is given back."""

    name: str
    address: str


def take(connection: Connection, name: str, address: str, now: datetime, *, known: bool = False) -> Taken | None:
    """Counts an attempt; None when it may not be made. ``name``: as it is compared; need not exist.

    ``known``: the person's latest sign-in came from this address. Attempts from there are counted by themselves, so
    that nobody elsewhere can lock the person out.
    """
    place = _network(address)
    taken = Taken(
        name=tokens.digest(f"name {name} {place if known else ''}"),
        address=tokens.digest(f"address {place}"),
    )
    by_name = _row(connection, taken.name)
    if by_name is not None and by_name.free_at > now and by_name.wrong >= FREE:
        return None
    if not _draw(connection, taken.address, now):
        return None
    wrong = 1 + (by_name.wrong if by_name is not None and by_name.ends_at > now else 0)
    locked = LOCKS[min(wrong - FREE, len(LOCKS) - 1)] if wrong >= FREE else timedelta(0)
    _write(connection, taken.name, wrong, now + locked, now + FORGOTTEN)
    return taken


def pace(connection: Connection, address: str, now: datetime) -> bool:
    """Whether an address may begin one more sign-in with an OpenID provider; counted apart from passwords."""
    return _draw(connection, tokens.digest(f"visit {_network(address)}"), now)


def give_back(connection: Connection, taken: Taken, now: datetime, *, forgive: bool) -> None:
    """The attempt was right or was not looked at. ``forgive``: it was right, so earlier wrong ones no longer count."""
    by_name, by_address = _row(connection, taken.name), _row(connection, taken.address)
    if by_name is not None and (forgive or by_name.wrong <= 1):
        connection.execute(delete(sign_in_attempt).where(sign_in_attempt.c.subject == taken.name))
    elif by_name is not None:
        _write(connection, taken.name, by_name.wrong - 1, now, by_name.ends_at)
    if by_address is not None:
        full_at = by_address.free_at - PACE
        _write(connection, taken.address, 0, full_at, full_at)


def sweep(connection: Connection, now: datetime) -> None:
    """Forgets what no longer limits anybody."""
    connection.execute(delete(sign_in_attempt).where(sign_in_attempt.c.ends_at <= now))


def _draw(connection: Connection, subject: str, now: datetime) -> bool:
    """Takes one from the reserve of an address; False when it is empty."""
    row = _row(connection, subject)
    full_at = max(row.free_at, now) if row is not None else now
    if full_at - now > PACE * (RESERVE - 1):
        return False
    _write(connection, subject, 0, full_at + PACE, full_at + PACE)
    return True


def _network(address: str) -> str:
    """Who has one IPv6 address has the other 2^64 of the network, too."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def _row(connection: Connection, subject: str) -> Row[Any] | None:
    return connection.execute(select(sign_in_attempt).where(sign_in_attempt.c.subject == subject)).one_or_none()


def _write(connection: Connection, subject: str, wrong: int, free_at: datetime, ends_at: datetime) -> None:
    values = {"wrong": wrong, "free_at": free_at, "ends_at": ends_at}
    changed = connection.execute(
        update(sign_in_attempt).where(sign_in_attempt.c.subject == subject).values(**values)
    ).rowcount
    if not changed:
        connection.execute(insert(sign_in_attempt).values(subject=subject, **values))
