"""From a name and a password (and a code), or from an identity at the OpenID provider, to an account.

An unknown name, a wrong password and a disabled account take the same work and get the same answer. Who asks too often
is refused before any work.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from data_access.settings import settings
from data_access.state import accounts, audit, identities, limits, passwords, tokens, totp
from data_access.state.accounts import Account
from data_access.state.identities import Identity, Proof
from data_access.state.rules import Rule
from data_access.state.schema import account, one_time_token
from data_access.state.store import writing

TICKET_LIVES = timedelta(minutes=5)

Reason = Literal["wrong", "locked", "busy", "disabled", "expired", "code_needed", "provider", "unknown"]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nobody comes in; for the log. To the outside only code_needed and busy differ from the rest.

    provider: a password where people sign in with the OpenID provider. unknown: nobody's identity there.
    ``ticket``: with code_needed, what the code goes together with.
    """

    reason: Reason
    ticket: str = ""


def attempt(engine: Engine, name: str, password: str, code: str, address: str, now: datetime) -> Account | Refused:
    """One attempt to sign in from ``address``; the code may be empty, see ``with_code``."""
    with writing(engine) as connection:
        known = accounts.by_name(connection, name)
        stored = None if known is None else _stored(connection, known)
        is_known = _is_known(stored, address)
        taken = limits.take(connection, accounts.name_key(name), address, now, known=is_known)
    if taken is None:
        return Refused("locked")
    try:
        right = passwords.matches(stored.password if stored else None, password, first=is_known)
        fresh = passwords.hashed(password) if stored and right and passwords.is_outdated(stored.password) else ""
    except Rule:  # too many at once: it was not looked at
        with writing(engine) as connection:
            limits.give_back(connection, taken, now, forgive=False)
        return Refused("busy")
    with writing(engine) as connection:
        reason = _refusal(connection, known, right, code, now)
        if known is None or reason == "wrong":
            return _refuse(connection, known, "wrong", address, now)
        if reason == "code_needed":
            limits.give_back(connection, taken, now, forgive=False)
            return Refused("code_needed", _ticket(connection, known, now))
        if reason is not None:
            return _refuse(connection, known, reason, address, now)
        if fresh:
            connection.execute(update(account).where(account.c.account_id == known.account_id).values(password=fresh))
        return _accept(connection, known, taken, address, now)


def with_code(engine: Engine, ticket: str, code: str, address: str, now: datetime) -> Account | Refused:
    """The second step: the code for a ticket from ``attempt``."""
    with writing(engine) as connection:
        awaited = one_time_token.c.digest == tokens.digest(ticket)
        row = connection.execute(
            select(one_time_token).where(awaited, one_time_token.c.purpose == "code", one_time_token.c.ends_at > now)
        ).one_or_none()
        known = None if row is None else accounts.read(connection, row.account_id)
        if row is None or known is None or known.epoch != row.epoch or known.disabled:
            return _refuse(connection, None, "wrong", address, now)
        is_known = _is_known(_stored(connection, known), address)
        taken = limits.take(connection, accounts.name_key(known.sign_in_name), address, now, known=is_known)
        if taken is None:
            return Refused("locked")
        if not totp.take(connection, known.account_id, code, now):
            return _refuse(connection, known, "wrong", address, now)
        connection.execute(delete(one_time_token).where(awaited))
        return _accept(connection, known, taken, address, now)


def with_identity(engine: Engine, who: Identity, proof: Proof, address: str, now: datetime) -> Account | Refused:
    """Somebody whom the OpenID provider has shown to be ``who``; never makes an account.

    Where the provider does not vouch for a second factor and there is one here, its code comes next, as in ``attempt``.
    """
    with writing(engine) as connection:
        known = identities.account_of(connection, who)
        if known is None:
            # Whoever keeps the accounts finds here what to link.
            detail = {"issuer": who.issuer, "subject": who.subject}
            return _refuse(connection, None, "unknown", address, now, detail)
        if known.disabled:
            return _refuse(connection, known, "disabled", address, now)
        if known.has_totp and not proof.second_factor:
            return Refused("code_needed", _ticket(connection, known, now, proof))
        return _accept(connection, known, None, address, now, {"issuer": proof.issuer})


def proof_of(engine: Engine, ticket: str) -> Proof | None:
    """What the provider said before the code of this ticket was asked for; None when it began with a password."""
    with engine.connect() as connection:
        row = connection.execute(
            select(one_time_token).where(one_time_token.c.digest == tokens.digest(ticket))
        ).one_or_none()
    return Proof.unsealed(row.proof, _proof_row(row.account_id)) if row is not None and row.proof else None


def prove_password(engine: Engine, account_id: str, password: str, now: datetime) -> None:
    """The person types the present password again. Rule when it is not right, or was wrong too often."""
    with writing(engine) as connection:
        stored = _stored(connection, accounts.read(connection, account_id))
        # Counted by itself: whoever guesses at the sign-in page cannot keep the person from changing it.
        taken = limits.take(connection, f"own {account_id}", "", now)
    if taken is None:
        raise Rule("locked", "the present password was wrong too often: wait a few minutes and try again")
    if not passwords.matches(stored.password, password):
        raise Rule("password_wrong", "the present password is not right")
    with writing(engine) as connection:
        limits.give_back(connection, taken, now, forgive=True)


def prove_code(engine: Engine, account_id: str, code: str, now: datetime) -> None:
    """The person gives a code of the second factor again. Rule when it is not right, or was wrong too often."""
    with writing(engine) as connection:
        if not accounts.read(connection, account_id).has_totp:
            raise Rule("totp_missing", "one-time codes are not set up: do that first")
        taken = limits.take(connection, f"own code {account_id}", "", now)
        right = taken is not None and totp.take(connection, account_id, code, now)
        if taken is not None and right:
            limits.give_back(connection, taken, now, forgive=True)
    if taken is None:
        raise Rule("locked", "too many wrong codes: wait a few minutes and try again")
    if not right:
        raise Rule("code_wrong", "this code is not right: check the clock of the phone and take the newest code")


def change_own_password(
    engine: Engine,
    account_id: str,
    old: str,
    new: str,
    now: datetime,
    *,
    words: Iterable[str] = (),
    keep: str = "",
) -> Account:
    """A new password by somebody who knows the present one. The account's sessions end, except ``keep``."""
    prove_password(engine, account_id, old, now)
    with engine.connect() as connection:
        stored = _stored(connection, accounts.read(connection, account_id))
    if passwords.matches(stored.password, new):
        raise Rule("password_same", "the new password is the present one: choose another")
    return accounts.set_password(engine, account_id, account_id, new, now, initial=False, words=words, keep=keep)


def _stored(connection: Connection, known: Account) -> Row[Any, Any]:
    query = select(account.c.password, account.c.signed_in_from).where(account.c.account_id == known.account_id)
    return connection.execute(query).one()


def _is_known(stored: Row[Any, Any] | None, address: str) -> bool:
    return stored is not None and bool(address) and stored.signed_in_from == audit.plain(address)[:64]


def _refusal(connection: Connection, known: Account | None, right: bool, code: str, now: datetime) -> Reason | None:
    """Why this attempt fails; None when it does not."""
    if known is None or not right:
        return "wrong"
    current = accounts.read(connection, known.account_id)
    if current.disabled:
        return "disabled"
    if current.epoch != known.epoch:  # another password meanwhile, perhaps
        return "wrong"
    if settings().with_provider and not current.break_glass:
        return "provider"
    if current.initial_until is not None and current.initial_until <= now:
        return "expired"
    if not current.has_totp:
        return None
    if not code.strip():
        return "code_needed"
    return None if totp.take(connection, known.account_id, code, now) else "wrong"


def _refuse(
    connection: Connection,
    known: Account | None,
    reason: Reason,
    address: str,
    now: datetime,
    more: Mapping[str, str] | None = None,
) -> Refused:
    # Not the name that was typed: people type their password there.
    subject = known.account_id if known else ""
    detail = {"reason": reason, "address": audit.plain(address), **(more or {})}
    audit.append(connection, "", "sign_in_refused", subject, detail, at=now)
    return Refused(reason)


def _ticket(connection: Connection, known: Account, now: datetime, proof: Proof | None = None) -> str:
    ticket = tokens.fresh()
    connection.execute(
        insert(one_time_token).values(
            digest=tokens.digest(ticket),
            purpose="code",
            account_id=known.account_id,
            epoch=known.epoch,
            proof=proof.sealed(_proof_row(known.account_id)) if proof else None,
            ends_at=now + TICKET_LIVES,
        )
    )
    return ticket


def _proof_row(account_id: str) -> str:
    return f"one_time_token.proof of {account_id}"


def _accept(
    connection: Connection,
    known: Account,
    taken: limits.Taken | None,
    address: str,
    now: datetime,
    more: Mapping[str, str] | None = None,
) -> Account:
    if taken is not None:
        limits.give_back(connection, taken, now, forgive=True)
    seen = {"signed_in_at": now, "signed_in_from": audit.plain(address)[:64]}
    connection.execute(update(account).where(account.c.account_id == known.account_id).values(**seen))
    detail = {"address": seen["signed_in_from"], **(more or {})}
    audit.append(connection, known.account_id, "sign_in", known.account_id, detail, at=now)
    return accounts.read(connection, known.account_id)
