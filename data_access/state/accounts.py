"""Who may sign in, as what, and for which stores.

Every change raises the account's epoch, ends its sessions where it takes something away, and writes the audit log, all
in one transaction.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Engine, Row, Select, delete, exists, insert, select, update

from data_access.state import audit, passwords, tokens
from data_access.state.rules import Rule
from data_access.state.schema import account, account_scope, one_time_token, recovery_code, session
from data_access.state.store import writing

Role = Literal["manager", "regional", "marketing", "administrator", "staff"]
ROLES: tuple[Role, ...] = get_args(Role)
WITH_HOMES: tuple[Role, ...] = ("manager", "regional", "staff")  # for stores, regions, one person of the staff

INITIAL_LIVES = timedelta(days=7)  # a password chosen by somebody else

_SIGN_IN_NAME = re.compile(r"[\w.@+-]{2,64}")
_LONGEST_NAME = 100  # characters
_LONGEST_ID = 64

# Who may be given what: who sees no customers has none to reveal or to take away.
_MAY_REVEAL: tuple[Role, ...] = ("manager", "regional")
_MAY_EXPORT: tuple[Role, ...] = ("manager", "regional", "marketing")


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do, and where. Rule when role and places do not go together.

    staff_id: whom of the CRM's staff somebody is who sees their own figures alone.
    """

    role: Role
    stores: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    may_reveal: bool = False
    may_export: bool = False
    staff_id: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stores", tuple(sorted(set(self.stores))))
        object.__setattr__(self, "regions", tuple(sorted(set(self.regions))))
        if self.role not in ROLES:
            raise Rule("role", f"there is no role {self.role!r}: take one of {', '.join(ROLES)}")
        if self.role == "manager" and not self.stores:
            raise Rule("needs_store", "a store manager needs at least one store")
        if self.role == "regional" and not self.regions:
            raise Rule("needs_region", "a regional head needs at least one region")
        if (self.role == "staff") != bool(self.staff_id):
            raise Rule("needs_staff", "store staff, and nobody else, are linked to one person of the CRM by their id")
        idle = (self.role != "manager" and self.stores) or (self.role != "regional" and self.regions)
        places = (*self.stores, *self.regions, *((self.staff_id,) if self.staff_id else ()))
        if idle or not all(0 < len(place) <= _LONGEST_ID and place.isprintable() for place in places):
            raise Rule("no_places", "only a manager has stores and only a regional head has regions, each by its id")
        if self.may_reveal and self.role not in _MAY_REVEAL:
            raise Rule("no_reveal", "only managers and regional heads can be allowed to reveal contacts")
        if self.may_export and self.role not in _MAY_EXPORT:
            raise Rule("no_export", "administrators and store staff see no customers and cannot export them")

    def covers(self, other: "Rights") -> bool:
        """Whether nothing that ``other`` gives is missing here."""
        return (
            self.role == other.role
            and set(self.stores) >= set(other.stores)
            and set(self.regions) >= set(other.regions)
            and self.staff_id == other.staff_id
            and self.may_reveal >= other.may_reveal
            and self.may_export >= other.may_export
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A person who may sign in. ``account_id`` never changes; ``epoch`` grows with every change of anything else."""

    account_id: str
    sign_in_name: str
    display_name: str
    role: Role
    stores: tuple[str, ...]
    regions: tuple[str, ...]
    staff_id: str
    may_reveal: bool
    may_export: bool
    has_totp: bool
    disabled: bool
    break_glass: bool  # an administrator who may use the password also where people sign in with an OpenID provider
    epoch: int
    initial_until: datetime | None  # until when a password chosen by somebody else opens; None: the person's own
    created_at: datetime
    signed_in_at: datetime | None

    @property
    def rights(self) -> Rights:
        return Rights(self.role, self.stores, self.regions, self.may_reveal, self.may_export, self.staff_id)

    @property
    def homes(self) -> tuple[str, ...]:
        """What the role is for: stores, regions, or the one person of the staff."""
        return self.stores or self.regions or ((self.staff_id,) if self.staff_id else ())

    @property
    def needs_totp(self) -> bool:
        """Whether a password alone is not enough for what this person may do."""
        return self.role == "administrator" or self.may_reveal or self.may_export


def create(
    engine: Engine,
    actor: str,
    sign_in_name: str,
    display_name: str,
    rights: Rights,
    password: str,
    now: datetime,
    *,
    initial: bool,
    words: Iterable[str] = (),
) -> Account:
    """A new account. ``initial``: the password is not the person's own choice, see ``INITIAL_LIVES``."""
    name, shown = checked_names(sign_in_name, display_name)
    passwords.check(password, (name, shown), words)
    kept = passwords.hashed(password)
    with writing(engine) as connection:
        return add(connection, actor, (name, shown), rights, kept, now, initial=initial)


def add(
    connection: Connection,
    actor: str,
    names: tuple[str, str],
    rights: Rights,
    kept_password: str,
    now: datetime,
    *,
    initial: bool,
    break_glass: bool = False,
) -> Account:
    """As ``create``, with names and password already checked, in the caller's transaction.

    An empty ``actor`` is the person, who had no account before.
    """
    name, shown = names
    _refuse_taken(connection, name)
    account_id = tokens.fresh_id()
    row = {
        "account_id": account_id,
        "sign_in_name": name,
        "sign_in_key": name_key(name),
        "display_name": shown,
        "role": rights.role,
        "may_reveal": rights.may_reveal,
        "may_export": rights.may_export,
        "password": kept_password,
        "initial_until": now + INITIAL_LIVES if initial else None,
        "disabled": False,
        "break_glass": break_glass,
        "epoch": 1,
        "created_at": now,
    }
    connection.execute(insert(account).values(**row))
    _write_places(connection, account_id, rights)
    if rights.role == "administrator":
        # From here on accounts are made by people with accounts.
        connection.execute(delete(one_time_token).where(one_time_token.c.purpose == "setup"))
    detail = {"sign_in_name": name, **_in_words(rights)}
    audit.append(connection, actor or account_id, "account_created", account_id, detail, at=now)
    return read(connection, account_id)


def find(engine: Engine, account_id: str) -> Account | None:
    """The account of this id."""
    with engine.connect() as connection:
        return _one(connection, account.c.account_id == account_id)


def find_by_name(engine: Engine, sign_in_name: str) -> Account | None:
    """The account of this sign-in name, however it is written (case, full width)."""
    with engine.connect() as connection:
        return by_name(connection, sign_in_name)


def by_name(connection: Connection, sign_in_name: str) -> Account | None:
    """As ``find_by_name``, in the caller's transaction."""
    return _one(connection, account.c.sign_in_key == name_key(sign_in_name))


def read(connection: Connection, account_id: str) -> Account:
    """The account of this id, in the caller's transaction. Rule when there is none."""
    found = _one(connection, account.c.account_id == account_id)
    if found is None:
        raise Rule("no_account", "there is no such account")
    return found


def everyone(engine: Engine) -> tuple[Account, ...]:
    """All accounts by sign-in name."""
    with engine.connect() as connection:
        return from_rows(connection.execute(_query().order_by(account.c.sign_in_key)).all())


def any_account(engine: Engine) -> bool:
    """Whether anybody could sign in with a password."""
    with engine.connect() as connection:
        return bool(connection.scalar(select(exists().where(~account.c.disabled))))


def has_administrator(engine: Engine) -> bool:
    """Whether somebody keeps the accounts."""
    with engine.connect() as connection:
        return bool(administrators(connection))


def administrators(connection: Connection) -> frozenset[str]:
    """account_id of every administrator who can sign in."""
    query = select(account.c.account_id).where(account.c.role == "administrator", ~account.c.disabled)
    return frozenset(connection.scalars(query))


def change(
    engine: Engine,
    actor: str,
    account_id: str,
    now: datetime,
    *,
    sign_in_name: str | None = None,
    display_name: str | None = None,
    rights: Rights | None = None,
) -> Account:
    """Another name, other rights or both; None keeps what is. A change that takes rights away ends the sessions."""
    with writing(engine) as connection:
        before = read(connection, account_id)
        name, shown = checked_names(
            before.sign_in_name if sign_in_name is None else sign_in_name,
            before.display_name if display_name is None else display_name,
        )
        after = before.rights if rights is None else rights
        differences = _differences(before, name, shown, after)
        if not differences:
            return before
        if name_key(name) != name_key(before.sign_in_name):
            _refuse_taken(connection, name)
        if after.role != "administrator":
            _keep_an_administrator(connection, account_id)
        values = {
            "sign_in_name": name,
            "sign_in_key": name_key(name),
            "display_name": shown,
            "role": after.role,
            "may_reveal": after.may_reveal,
            "may_export": after.may_export,
            "break_glass": before.break_glass and after.role == "administrator",
        }
        connection.execute(update(account).where(account.c.account_id == account_id).values(**values))
        connection.execute(delete(account_scope).where(account_scope.c.account_id == account_id))
        _write_places(connection, account_id, after)
        raise_epoch(connection, account_id, end_sessions=not after.covers(before.rights))
        audit.append(connection, actor, "account_changed", account_id, differences, at=now)
        return read(connection, account_id)


def set_password(
    engine: Engine,
    actor: str,
    account_id: str,
    password: str,
    now: datetime,
    *,
    initial: bool,
    words: Iterable[str] = (),
    keep: str = "",
) -> Account:
    """A new password; the account's sessions end, except the one with the id ``keep``."""
    known = find(engine, account_id)
    if known is None:
        raise Rule("no_account", "there is no such account")
    passwords.check(password, (known.sign_in_name, known.display_name), words)
    kept = passwords.hashed(password)
    values = {"password": kept, "initial_until": now + INITIAL_LIVES if initial else None}
    with writing(engine) as connection:
        read(connection, account_id)
        connection.execute(update(account).where(account.c.account_id == account_id).values(**values))
        raise_epoch(connection, account_id, end_sessions=True, keep=keep)
        audit.append(connection, actor, "password_changed", account_id, {"initial": initial}, at=now)
        return read(connection, account_id)


def set_break_glass(engine: Engine, actor: str, account_id: str, now: datetime, *, on: bool) -> Account:
    """Whether an administrator may sign in with the password where others need the OpenID provider: the way in when the
    provider is away. Rule for anybody else."""
    with writing(engine) as connection:
        before = read(connection, account_id)
        if on and before.role != "administrator":
            raise Rule("break_glass", "only an administrator can be the one who gets in when the provider is away")
        if before.break_glass == on:
            return before
        connection.execute(update(account).where(account.c.account_id == account_id).values(break_glass=on))
        raise_epoch(connection, account_id, end_sessions=not on)
        audit.append(connection, actor, "account_changed", account_id, {"break_glass": [not on, on]}, at=now)
        return read(connection, account_id)


def disable(engine: Engine, actor: str, account_id: str, now: datetime) -> Account:
    """Nobody signs in with this account any more, and who is signed in with it is out at once."""
    with writing(engine) as connection:
        _keep_an_administrator(connection, account_id)
        return _set_disabled(connection, actor, account_id, now, disabled=True)


def enable(engine: Engine, actor: str, account_id: str, now: datetime) -> Account:
    """Takes ``disable`` back."""
    with writing(engine) as connection:
        return _set_disabled(connection, actor, account_id, now, disabled=False)


def reset_totp(engine: Engine, actor: str, account_id: str, now: datetime) -> Account:
    """Forgets the key of the one-time codes and the recovery codes, for somebody who has lost both."""
    with writing(engine) as connection:
        read(connection, account_id)
        values = {"totp_key": None, "totp_offered": None, "totp_step": None}
        connection.execute(update(account).where(account.c.account_id == account_id).values(**values))
        connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
        raise_epoch(connection, account_id, end_sessions=True)
        audit.append(connection, actor, "totp_reset", account_id, at=now)
        return read(connection, account_id)


def raise_epoch(connection: Connection, account_id: str, *, end_sessions: bool, keep: str = "") -> None:
    """To be called for every change of an account, in its transaction.

    Sessions that go on are carried along to the new epoch; any other session no longer fits and is worth nothing.
    Whoever is between password and code starts again.
    """
    values = {"epoch": account.c.epoch + 1}
    connection.execute(update(account).where(account.c.account_id == account_id).values(values))
    connection.execute(delete(one_time_token).where(one_time_token.c.account_id == account_id))
    own = session.c.account_id == account_id
    if end_sessions:
        connection.execute(delete(session).where(own, session.c.session_id != keep))
    epoch = select(account.c.epoch).where(account.c.account_id == account_id).scalar_subquery()
    connection.execute(update(session).where(own).values(epoch=epoch))


def checked_names(sign_in_name: str, display_name: str) -> tuple[str, str]:
    """Both names in the form they are kept in. Rule when one will not do."""
    name = unicodedata.normalize("NFKC", sign_in_name).strip()
    if not _SIGN_IN_NAME.fullmatch(name):
        raise Rule("sign_in_name", "a sign-in name has 2 to 64 letters, digits or . _ - + @, and no spaces")
    shown = " ".join(unicodedata.normalize("NFC", display_name).split())
    if not 0 < len(shown) <= _LONGEST_NAME or not shown.isprintable():
        raise Rule("display_name", f"a display name has 1 to {_LONGEST_NAME} characters in one line")
    return name, shown


def name_key(sign_in_name: str) -> str:
    """The form in which sign-in names are compared."""
    text = unicodedata.normalize("NFKC", sign_in_name.strip()[:_LONGEST_NAME]).casefold()
    return text.encode(errors="replace").decode().replace("\0", "?")


COLUMNS = (
    account.c.account_id,
    account.c.sign_in_name,
    account.c.display_name,
    account.c.role,
    account.c.may_reveal,
    account.c.may_export,
    account.c.totp_key.is_not(None).label("has_totp"),
    account.c.disabled,
    account.c.break_glass,
    account.c.epoch,
    account.c.initial_until,
    account.c.created_at,
    account.c.signed_in_at,
    account_scope.c.kind,
    account_scope.c.place_id,
)


def from_rows(rows: Sequence[Row[Any]]) -> tuple[Account, ...]:
    """Accounts out of rows of ``COLUMNS``, one row for each of an account's places or one without."""
    found: dict[str, Account] = {}
    places: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        values = {column.name: row._mapping[column.name] for column in COLUMNS[:-2]}
        found.setdefault(row.account_id, Account(stores=(), regions=(), staff_id="", **values))
        places.setdefault(row.account_id, set()).add((row.kind, row.place_id))
    return tuple(_with_places(known, places[account_id]) for account_id, known in found.items())


def _with_places(known: Account, places: set[tuple[str, str]]) -> Account:
    stores = tuple(sorted(place for kind, place in places if kind == "store"))
    regions = tuple(sorted(place for kind, place in places if kind == "region"))
    staff_id = next((place for kind, place in places if kind == "staff"), "")
    return replace(known, stores=stores, regions=regions, staff_id=staff_id)


def _query() -> Select[Any]:
    return select(*COLUMNS).select_from(account.outerjoin(account_scope))


def _one(connection: Connection, condition: Any) -> Account | None:
    found = from_rows(connection.execute(_query().where(condition)).all())
    return found[0] if found else None


def _write_places(connection: Connection, account_id: str, rights: Rights) -> None:
    places = [("store", place) for place in rights.stores] + [("region", place) for place in rights.regions]
    places += [("staff", rights.staff_id)] if rights.staff_id else []
    if places:
        rows = [{"account_id": account_id, "kind": kind, "place_id": place} for kind, place in places]
        connection.execute(insert(account_scope), rows)


def _refuse_taken(connection: Connection, name: str) -> None:
    if by_name(connection, name) is not None:
        raise Rule("sign_in_name_taken", f"the sign-in name {name} is taken: choose another one")


def _keep_an_administrator(connection: Connection, account_id: str) -> None:
    if administrators(connection) == {account_id}:
        raise Rule(
            "last_administrator",
            "this is the last administrator who can sign in: make another one first",
        )


def _set_disabled(connection: Connection, actor: str, account_id: str, now: datetime, *, disabled: bool) -> Account:
    before = read(connection, account_id)
    if before.disabled == disabled:
        return before
    connection.execute(update(account).where(account.c.account_id == account_id).values(disabled=disabled))
    raise_epoch(connection, account_id, end_sessions=True)
    action = "account_disabled" if disabled else "account_enabled"
    audit.append(connection, actor, action, account_id, at=now)
    return read(connection, account_id)


def _differences(before: Account, name: str, shown: str, after: Rights) -> dict[str, list[Any]]:
    old = {"sign_in_name": before.sign_in_name, "display_name": before.display_name, **_in_words(before.rights)}
    new = {"sign_in_name": name, "display_name": shown, **_in_words(after)}
    return {key: [old[key], new[key]] for key in old if old[key] != new[key]}


def _in_words(rights: Rights) -> dict[str, Any]:
    return {
        "role": rights.role,
        "stores": list(rights.stores),
        "regions": list(rights.regions),
        "staff": rights.staff_id,
        "may_reveal": rights.may_reveal,
        "may_export": rights.may_export,
    }
