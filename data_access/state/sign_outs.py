"""Sign-out that an OpenID provider asks for, without a browser (OpenID Connect Back-Channel Logout 1.0).

Whether the word is the provider's is for the gate to say; here sessions end, and each word counts once.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, insert, or_, select

from data_access.state import audit, identities, tokens
from data_access.state.identities import Identity
from data_access.state.schema import one_time_token, provider_sign_out, session
from data_access.state.store import writing


@dataclass(frozen=True, slots=True)
class SignOut:
    """What a provider asks for. subject: the person, session: its session, one of them may be empty; token_id: of this
    word, never met twice; good_until: when the word is no longer believed anyway."""

    issuer: str
    subject: str
    session: str
    token_id: str
    good_until: datetime


def end(engine: Engine, asked: SignOut, now: datetime) -> int | None:
    """Ends the sessions that began with the provider and are meant; how many. None when the word was used before.

    A session there ends what began with it; a person without a session there, everything that began with the provider
    for this person. What waits for a one-time code ends, too. Sessions of a password go on.
    """
    digest = tokens.digest(f"{asked.issuer} {asked.token_id}")
    with writing(engine) as connection:
        connection.execute(delete(provider_sign_out).where(provider_sign_out.c.ends_at <= now))
        if is_used(connection, digest):
            return None
        connection.execute(insert(provider_sign_out).values(digest=digest, ends_at=asked.good_until))
        return _end(connection, asked, now)


def is_used(connection: Connection, digest: str) -> bool:
    """Whether a word of the provider has been used already."""
    return connection.scalar(select(provider_sign_out.c.digest).where(provider_sign_out.c.digest == digest)) is not None


def _end(connection: Connection, asked: SignOut, now: datetime) -> int:
    meant = [session.c.issuer == asked.issuer]
    if asked.subject:
        owner = identities.account_of(connection, Identity(asked.issuer, asked.subject))
        if owner is None:
            return 0
        meant.append(session.c.account_id == owner.account_id)
        waiting = one_time_token.c.account_id == owner.account_id
        connection.execute(delete(one_time_token).where(waiting, one_time_token.c.proof.is_not(None)))
    if asked.session:
        same = session.c.provider_session == tokens.digest(asked.session)
        # Of a person, also what began when the provider did not say with which session.
        meant.append(or_(same, session.c.provider_session.is_(None)) if asked.subject else same)
    ended = connection.scalars(delete(session).where(*meant).returning(session.c.account_id)).all()
    for account_id in sorted(set(ended)):
        detail = {"sessions": ended.count(account_id), "issuer": asked.issuer}
        audit.append(connection, "provider", "session_ended", account_id, detail, at=now)
    return len(ended)
