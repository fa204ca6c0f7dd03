"""The first administrator: made once, with a token from the machine's own command line.

The token has 192 bits, is kept as a digest, ends after 15 minutes and goes in the transaction that makes the
administrator. While somebody keeps the accounts there is no way in here.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Select, delete, insert, select

from data_access.state import accounts, audit, passwords, tokens
from data_access.state.accounts import Account, Rights
from data_access.state.rules import Rule
from data_access.state.schema import one_time_token
from data_access.state.store import writing

LIVES = timedelta(minutes=15)
BITS = 192


def make_token(engine: Engine, actor: str, now: datetime) -> str:
    """A token for the first administrator; an earlier one is worth nothing any more. Rule when there is one already."""
    token = tokens.fresh(BITS)
    with writing(engine) as connection:
        _refuse_when_over(connection)
        connection.execute(delete(one_time_token).where(one_time_token.c.purpose == "setup"))
        row = {"digest": tokens.digest(token), "purpose": "setup", "ends_at": now + LIVES}
        connection.execute(insert(one_time_token).values(**row))
        audit.append(connection, actor, "setup_link", at=now)
    return token


def is_open(engine: Engine, now: datetime) -> bool:
    """Whether there is a live token and no administrator: only then does the way exist."""
    with engine.connect() as connection:
        live = connection.execute(_live(now)).first() is not None
        return live and not accounts.administrators(connection)


def fits(engine: Engine, token: str, now: datetime) -> bool:
    """Whether this is the live token."""
    with engine.connect() as connection:
        return not accounts.administrators(connection) and _is_live(connection, token, now)


def finish(
    engine: Engine,
    token: str,
    sign_in_name: str,
    display_name: str,
    password: str,
    now: datetime,
    *,
    words: Iterable[str] = (),
) -> Account:
    """Makes the first administrator. Rule when the token is not the live one, or a name or the password will not do."""
    if not fits(engine, token, now):
        raise _wrong_link()
    name, shown = accounts.checked_names(sign_in_name, display_name)
    passwords.check(password, (name, shown), words)
    kept = passwords.hashed(password)
    with writing(engine) as connection:
        _refuse_when_over(connection)
        if not _is_live(connection, token, now):
            raise _wrong_link()
        # With an administrator every token of this kind goes. The first one comes in also without a provider.
        rights = Rights("administrator")
        return accounts.add(connection, "", (name, shown), rights, kept, now, initial=False, break_glass=True)


def _live(now: datetime) -> Select[tuple[str]]:
    return select(one_time_token.c.digest).where(one_time_token.c.purpose == "setup", one_time_token.c.ends_at > now)


def _is_live(connection: Connection, token: str, now: datetime) -> bool:
    return tokens.digest(token) in connection.scalars(_live(now)).all()


def _refuse_when_over(connection: Connection) -> None:
    if accounts.administrators(connection):
        raise Rule("setup_over", "there is an administrator already, who makes every other account")


def _wrong_link() -> Rule:
    return Rule(
        "setup_link",
        "this link is used up, too old or not right: make a new one with python -m data_access accounts setup-link",
    )
