"""Who is signed in. A session is a row here; the browser holds a random token, this store only its digest.

A session ends after 30 minutes without a request, after 12 hours, when it is ended, and when its account is disabled or
loses a right. What it may do is read from the account every time.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, cast

from sqlalchemy import Connection, Engine, Row, Select, and_, delete, false, insert, or_, select, update

from data_access.state import accounts, audit, keys, limits, tokens
from data_access.state.accounts import ROLES, WITH_HOMES, Account, Role
from data_access.state.identities import Proof
from data_access.state.rules import Rule
from data_access.state.schema import account, account_scope, one_time_token, session
from data_access.state.store import writing

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)  # how exactly the last request is known

# A clock that was set back would give sessions more time; beyond this they end instead.
_CLOCKS_DIFFER = timedelta(minutes=5)

Todo = Literal["password", "totp"]


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody in the demo chain without an account: a role, and the store, region or person of the staff it is for."""

    role: Role
    home: str = ""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"no such role: {self.role!r}")
        if (self.role in WITH_HOMES) != bool(self.home):
            raise ValueError(f"a {self.role} has {'no' if self.home else 'a'} home")


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in that is valid now. ``session_id`` is no secret; the token is.

    issuer: the OpenID provider it began with, empty for a password; second_factor: the provider vouches for one;
    proved_at: when the person last showed the provider who they are, where it said so.
    """

    session_id: str
    who: Account | Visitor
    begun_at: datetime
    last_seen_at: datetime
    address: str
    device: str
    issuer: str = ""
    second_factor: bool = False
    proved_at: datetime | None = None

    @property
    def account(self) -> Account | None:
        """None for one-click entry to the demo chain."""
        return self.who if isinstance(self.who, Account) else None

    @property
    def role(self) -> Role:
        return self.who.role

    @property
    def homes(self) -> tuple[str, ...]:
        """The stores of a manager, the regions of a regional head, the one person that somebody of the staff is."""
        if isinstance(self.who, Account):
            return self.who.homes
        return (self.who.home,) if self.who.home else ()

    @property
    def actor(self) -> str:
        """Who this is in the audit log."""
        if isinstance(self.who, Account):
            return self.who.account_id
        return f"demo:{self.who.role}:{self.who.home}"

    @property
    def todo(self) -> tuple[Todo, ...]:
        """What the person must do before anything else opens: choose a password of one's own, set up codes."""
        if not isinstance(self.who, Account):
            return ()
        # Whoever came in with a provider has no use for a password here.
        password: tuple[Todo, ...] = ("password",) if self.who.initial_until is not None and not self.issuer else ()
        has_factor = self.who.has_totp or self.second_factor
        return (*password, "totp") if self.who.needs_totp and not has_factor else password

    @property
    def ends_at(self) -> datetime:
        """When it ends if nobody asks for anything any more."""
        return min(self.last_seen_at + IDLE, self.begun_at + LONGEST)


def begin(
    engine: Engine,
    who: Account | Visitor,
    now: datetime,
    *,
    address: str = "",
    device: str = "",
    proof: Proof | None = None,
) -> str:
    """The token of a new session. Rule when the account is not what it was when ``who`` was read.

    proof: what the OpenID provider said, for whoever comes from there.
    """
    with writing(engine) as connection:
        _sweep(connection, now)
        if isinstance(who, Visitor):
            audit.append(connection, f"demo:{who.role}:{who.home}", "entry", detail={"address": address}, at=now)
        else:
            current = accounts.read(connection, who.account_id)
            if current.epoch != who.epoch or current.disabled:
                raise Rule("changed_meanwhile", "the account was changed at this moment: sign in again")
        return _write(connection, who, now, address, device, proof)


def find(engine: Engine, token: str, now: datetime, *, seen: bool = True) -> Session | None:
    """The session of a token; None when there is none, it has ended, or its account no longer goes along.

    ``seen``: the person has asked for something; False for a look of the program's own, which keeps nothing alive.
    """
    with engine.connect() as connection:
        found = _valid(connection, session.c.digest == tokens.digest(token), now)
    if not found:
        return None
    if seen and now - found[0].last_seen_at >= SEEN_EVERY:
        own = session.c.session_id == found[0].session_id
        with writing(engine) as connection:
            connection.execute(update(session).where(own).values(last_seen_at=now))
    return found[0]


def renew(engine: Engine, token: str, now: datetime) -> str | None:
    """A new token for the same person, with the old end; the old token is worth nothing from now on."""
    with writing(engine) as connection:
        found = _valid(connection, session.c.digest == tokens.digest(token), now)
        if not found:
            return None
        fresh = tokens.fresh()
        own = session.c.session_id == found[0].session_id
        values = {"session_id": tokens.fresh_id(), "digest": tokens.digest(fresh), "last_seen_at": now}
        connection.execute(update(session).where(own).values(**values))
        return fresh


def id_token(engine: Engine, token: str, now: datetime) -> str:
    """The provider's word that a session began with, for signing out there, too; empty where there is none."""
    with engine.connect() as connection:
        found = _valid(connection, session.c.digest == tokens.digest(token), now)
        own = session.c.session_id == found[0].session_id if found else false()
        sealed = connection.scalar(select(session.c.id_token).where(own))
    return keys.unseal(sealed, _row(found[0].actor)).decode() if sealed else ""


def end(engine: Engine, token: str, now: datetime) -> None:
    """Signs out. Nothing happens when the token is worth nothing anyway."""
    with writing(engine) as connection:
        found = _valid(connection, session.c.digest == tokens.digest(token), now)
        if found:
            connection.execute(delete(session).where(session.c.session_id == found[0].session_id))
            audit.append(connection, found[0].actor, "sign_out", found[0].actor, at=now)


def end_one(engine: Engine, actor: str, session_id: str, now: datetime, *, account_id: str | None = None) -> bool:
    """Ends one session of somebody; False when there is none (or none of ``account_id``)."""
    with writing(engine) as connection:
        found = _valid(connection, session.c.session_id == session_id, now)
        if not found or (account_id is not None and found[0].actor != account_id):
            return False
        connection.execute(delete(session).where(session.c.session_id == session_id))
        audit.append(connection, actor, "session_ended", found[0].actor, {"sessions": 1}, at=now)
        return True


def end_all(engine: Engine, actor: str, account_id: str, now: datetime) -> int:
    """Ends every session of an account; how many there were."""
    with writing(engine) as connection:
        accounts.read(connection, account_id)
        ended = connection.execute(delete(session).where(session.c.account_id == account_id)).rowcount
        audit.append(connection, actor, "session_ended", account_id, {"sessions": ended}, at=now)
        return ended


def active(engine: Engine, now: datetime, account_id: str | None = None) -> tuple[Session, ...]:
    """The sessions that are valid now, of one account or of everybody; the latest first."""
    condition = session.c.account_id == account_id if account_id is not None else session.c.session_id.is_not(None)
    with engine.connect() as connection:
        return tuple(sorted(_valid(connection, condition, now), key=lambda one: one.begun_at, reverse=True))


def sweep(engine: Engine, now: datetime) -> None:
    """Removes what has ended by itself: sessions, tokens, counted attempts. ``begin`` does so, too."""
    with writing(engine) as connection:
        _sweep(connection, now)


def _sweep(connection: Connection, now: datetime) -> None:
    old = or_(session.c.last_seen_at <= now - IDLE, session.c.begun_at <= now - LONGEST)
    connection.execute(delete(session).where(old))
    connection.execute(delete(one_time_token).where(one_time_token.c.ends_at <= now))
    limits.sweep(connection, now)


def _write(
    connection: Connection, who: Account | Visitor, now: datetime, address: str, device: str, proof: Proof | None
) -> str:
    token = tokens.fresh()
    row: dict[str, Any] = {
        "session_id": tokens.fresh_id(),
        "digest": tokens.digest(token),
        "account_id": who.account_id if isinstance(who, Account) else None,
        "epoch": who.epoch if isinstance(who, Account) else None,
        "role": who.role,
        "home": who.home if isinstance(who, Visitor) else "",
        "begun_at": now,
        "last_seen_at": now,
        "address": audit.plain(address)[:64],
        "device": audit.plain(device),
    }
    if proof is not None and isinstance(who, Account):
        row |= {
            "issuer": proof.issuer,
            "id_token": keys.seal(proof.id_token.encode(), _row(who.account_id)),
            "second_factor": proof.second_factor,
            "proved_at": proof.proved_at,
            "provider_session": tokens.digest(proof.session) if proof.session else None,
        }
    connection.execute(insert(session).values(**row))
    return token


def _row(account_id: str) -> str:
    return f"session.id_token of {account_id}"


_SESSION = (
    session.c.session_id,
    session.c.account_id.label("session_account_id"),
    session.c.role.label("visitor_role"),
    session.c.home,
    session.c.begun_at,
    session.c.last_seen_at,
    session.c.address,
    session.c.device,
    session.c.issuer,
    session.c.second_factor,
    session.c.proved_at,
)


def _valid(connection: Connection, condition: Any, now: datetime) -> list[Session]:
    """The sessions that meet the condition and are valid now, each with its account, in one query."""
    rows = connection.execute(_query(now).where(condition)).all()
    known = {found.account_id: found for found in accounts.from_rows([row for row in rows if row.account_id])}
    # One row for each place of an account.
    return list({row.session_id: _session(row, known) for row in rows}.values())


def _query(now: datetime) -> Select[Any]:
    in_time = and_(
        session.c.last_seen_at > now - IDLE,
        session.c.last_seen_at <= now + _CLOCKS_DIFFER,
        session.c.begun_at > now - LONGEST,
    )
    goes_along = or_(
        session.c.account_id.is_(None),
        and_(~account.c.disabled, account.c.epoch == session.c.epoch),
    )
    return (
        select(*_SESSION, *accounts.COLUMNS)
        .select_from(session.outerjoin(account).outerjoin(account_scope))
        .where(in_time, goes_along)
    )


def _session(row: Row[Any], known: dict[str, Account]) -> Session:
    who: Account | Visitor
    if row.session_account_id is None:
        who = Visitor(cast(Role, row.visitor_role), row.home)
    else:
        who = known[row.session_account_id]
    began = (row.begun_at, row.last_seen_at, row.address, row.device)
    return Session(row.session_id, who, *began, row.issuer or "", row.second_factor, row.proved_at)
