"""Whose account a person is who signs in with an OpenID provider.

The provider knows people by issuer and subject, and so does this store: an e-mail address or a name can be given to
somebody else. An account has one such identity at most, linked by somebody who keeps the accounts; nobody gets one by
signing in.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, select

from data_access.state import accounts, audit, keys
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.schema import ISSUER, SUBJECT, identity
from data_access.state.store import writing


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as a provider knows them."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a provider said of somebody who signs in. second_factor: it vouches for one; proved_at: when the person last
    showed it who they are, where it says so; id_token: its word, for signing out there; session: what it calls the
    session there, for signing out here."""

    issuer: str
    id_token: str = field(repr=False)
    second_factor: bool = False
    proved_at: datetime | None = None
    session: str = ""

    def sealed(self, row: str) -> bytes:
        """Encrypted for a row of the store."""
        proved_at = self.proved_at.isoformat() if self.proved_at else None
        said = [self.issuer, self.id_token, self.second_factor, proved_at, self.session]
        return keys.seal(json.dumps(said).encode(), row)

    @staticmethod
    def unsealed(sealed: bytes, row: str) -> "Proof":
        """What was sealed for this row."""
        issuer, id_token, second_factor, proved_at, session = json.loads(keys.unseal(sealed, row))
        proved = datetime.fromisoformat(proved_at) if proved_at else None
        return Proof(issuer, id_token, second_factor, proved, session)


def link(engine: Engine, actor: str, account_id: str, wanted: Identity, now: datetime) -> Account:
    """From now on this person signs in as this account; an identity it had before no longer does.

    Rule when the identity is none or is another account's.
    """
    _check(wanted)
    with writing(engine) as connection:
        accounts.read(connection, account_id)
        owner = account_of(connection, wanted)
        if owner is not None and owner.account_id != account_id:
            raise Rule("identity_taken", f"this identity is linked to {owner.sign_in_name}: unlink it there first")
        if owner is None:
            had = _remove(connection, account_id)
            row = {"issuer": wanted.issuer, "subject": wanted.subject, "account_id": account_id, "linked_at": now}
            connection.execute(insert(identity).values(**row))
            # Who came in as the person before is out.
            accounts.raise_epoch(connection, account_id, end_sessions=had is not None)
            detail = {"issuer": wanted.issuer, "subject": wanted.subject}
            audit.append(connection, actor, "identity_linked", account_id, detail, at=now)
        return accounts.read(connection, account_id)


def unlink(engine: Engine, actor: str, account_id: str, now: datetime) -> bool:
    """Nobody signs in as this account with the provider any more; its sessions end. False when nobody could."""
    with writing(engine) as connection:
        accounts.read(connection, account_id)
        had = _remove(connection, account_id)
        if had is None:
            return False
        accounts.raise_epoch(connection, account_id, end_sessions=True)
        detail = {"issuer": had.issuer, "subject": had.subject}
        audit.append(connection, actor, "identity_unlinked", account_id, detail, at=now)
        return True


def of_account(engine: Engine, account_id: str) -> Identity | None:
    """The identity that is linked to an account."""
    return everybodys(engine).get(account_id)


def everybodys(engine: Engine) -> dict[str, Identity]:
    """Every linked identity by account_id."""
    with engine.connect() as connection:
        rows = connection.execute(select(identity.c.account_id, identity.c.issuer, identity.c.subject)).all()
    return {row.account_id: Identity(row.issuer, row.subject) for row in rows}


def account_of(connection: Connection, wanted: Identity) -> Account | None:
    """The account an identity is linked to: both parts as they are, to the letter."""
    same = (identity.c.issuer == wanted.issuer, identity.c.subject == wanted.subject)
    account_id = connection.scalar(select(identity.c.account_id).where(*same))
    return None if account_id is None else accounts.read(connection, account_id)


def _remove(connection: Connection, account_id: str) -> Identity | None:
    row = connection.execute(delete(identity).where(identity.c.account_id == account_id).returning(identity)).first()
    return None if row is None else Identity(row.issuer, row.subject)


def _check(wanted: Identity) -> None:
    fits = all(
        0 < len(text) <= (kind.length or 0) and text.isascii() and text.isprintable() and text == text.strip()
        for text, kind in ((wanted.issuer, ISSUER), (wanted.subject, SUBJECT))
    )
    if not fits:
        raise Rule("identity", "issuer and subject are what the provider says: ASCII, up to 300 and 255 characters")
