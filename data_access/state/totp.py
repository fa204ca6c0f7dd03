"""One-time codes (RFC 6238: SHA-1, 6 digits, 30 seconds) and recovery codes.

The key is encrypted in the store. A code opens once: the newest time step that was taken is kept.
"""

import base64
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from sqlalchemy import Connection, Engine, Select, delete, insert, select, update

from data_access.state import accounts, audit, keys, limits, tokens
from data_access.state.rules import Rule
from data_access.state.schema import account, recovery_code
from data_access.state.store import writing

ISSUER = "Beauty Mirror"
STEP = 30  # seconds
WINDOW = 1  # steps a clock may be behind or ahead
RECOVERY_CODES = 10

_KEY_BYTES = 20
_RECOVERY_BYTES = 15  # 120 bits: enough for a fast hash


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: the key as people type it, and the address for a QR code."""

    key: str
    uri: str


def enrol(engine: Engine, account_id: str, now: datetime) -> Enrolment:
    """A new key on offer; it counts once ``confirm`` has seen a code of it. Rule when there is one in use."""
    key = secrets.token_bytes(_KEY_BYTES)
    with writing(engine) as connection:
        known = accounts.read(connection, account_id)
        if known.has_totp:
            raise Rule("totp_exists", "one-time codes are set up already: an administrator can reset them")
        sealed = keys.seal(key, _row(account_id))
        connection.execute(update(account).where(account.c.account_id == account_id).values(totp_offered=sealed))
    text = base64.b32encode(key).decode()
    label = quote(f"{ISSUER}:{known.sign_in_name}")
    uri = f"otpauth://totp/{label}?secret={text}&issuer={quote(ISSUER)}&algorithm=SHA1&digits=6&period={STEP}"
    return Enrolment(" ".join(re.findall(".{1,4}", text)), uri)


def confirm(engine: Engine, account_id: str, code: str, now: datetime, *, keep: str = "") -> tuple[str, ...]:
    """Puts the offered key in use and gives the recovery codes, this once.

    The account's sessions end, except the one with the id ``keep``. Rule when the code is not of the offered key.
    """
    with writing(engine) as connection:
        known = accounts.read(connection, account_id)
        taken = limits.take(connection, accounts.name_key(known.sign_in_name), "", now)
        offered = connection.scalar(select(account.c.totp_offered).where(account.c.account_id == account_id))
    if taken is None:
        raise Rule("locked", "too many wrong codes: wait a few minutes and try again")
    if offered is None:
        raise Rule("totp_not_offered", "no key has been offered: begin the set-up again")
    step = _step(keys.unseal(offered, _row(account_id)), code, now)
    if step is None:
        raise Rule("code_wrong", "this code is not right: check the clock of the phone and take the newest code")
    with writing(engine) as connection:
        own = account.c.account_id == account_id
        values = {"totp_key": offered, "totp_offered": None, "totp_step": step}
        changed = connection.execute(update(account).where(own, account.c.totp_offered == offered).values(**values))
        if not changed.rowcount:
            raise Rule("changed_meanwhile", "the set-up was begun again in another window: go on there")
        limits.give_back(connection, taken, now, forgive=True)
        accounts.raise_epoch(connection, account_id, end_sessions=True, keep=keep)
        audit.append(connection, account_id, "totp_enrolled", account_id, at=now)
        return _write_recovery_codes(connection, account_id)


def new_recovery_codes(engine: Engine, account_id: str, now: datetime) -> tuple[str, ...]:
    """Ten new recovery codes; the earlier ones are worth nothing. Rule when there are no one-time codes."""
    with writing(engine) as connection:
        if not accounts.read(connection, account_id).has_totp:
            raise Rule("totp_missing", "one-time codes are not set up: do that first")
        audit.append(connection, account_id, "recovery_codes_made", account_id, at=now)
        return _write_recovery_codes(connection, account_id)


def recovery_codes_left(engine: Engine, account_id: str) -> int:
    """How many recovery codes have not been used."""
    with engine.connect() as connection:
        return len(connection.scalars(_recovery_codes(account_id)).all())


def take(connection: Connection, account_id: str, code: str, now: datetime) -> bool:
    """Whether ``code`` is a current one-time code or a recovery code; it is used up by that."""
    sealed, taken = connection.execute(
        select(account.c.totp_key, account.c.totp_step).where(account.c.account_id == account_id)
    ).one()
    if sealed is None:
        return False
    step = _step(keys.unseal(sealed, _row(account_id)), code, now)
    if step is not None:
        own = account.c.account_id == account_id
        newer = step > (taken or 0)
        if newer:
            connection.execute(update(account).where(own).values(totp_step=step))
        return newer
    used = delete(recovery_code).where(
        recovery_code.c.account_id == account_id, recovery_code.c.digest == _recovery_digest(account_id, code)
    )
    if not connection.execute(used).rowcount:
        return False
    left = len(connection.scalars(_recovery_codes(account_id)).all())
    audit.append(connection, account_id, "recovery_code_used", account_id, {"left": left}, at=now)
    return True


def code_at(key: bytes, step: int) -> str:
    """The six digits of a time step (RFC 4226)."""
    digest = hmac.digest(key, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFF_FFFF) % 1_000_000:06d}"


def step_at(now: datetime) -> int:
    """The time step of an instant in UTC."""
    return int(now.replace(tzinfo=UTC).timestamp()) // STEP


def _step(key: bytes, code: str, now: datetime) -> int | None:
    """The step within the window that this is the code of, the newest first."""
    digits = "".join(code.split())
    if not re.fullmatch("[0-9]{6}", digits):
        return None
    current = step_at(now)
    for step in range(current + WINDOW, current - WINDOW - 1, -1):
        if hmac.compare_digest(code_at(key, step), digits):
            return step
    return None


def _row(account_id: str) -> str:
    return f"account.totp_key of {account_id}"


def _recovery_codes(account_id: str) -> Select[tuple[str]]:
    return select(recovery_code.c.digest).where(recovery_code.c.account_id == account_id)


def _write_recovery_codes(connection: Connection, account_id: str) -> tuple[str, ...]:
    connection.execute(delete(recovery_code).where(recovery_code.c.account_id == account_id))
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    rows = [{"digest": _recovery_digest(account_id, code), "account_id": account_id} for code in codes]
    connection.execute(insert(recovery_code), rows)
    return codes


def _recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(re.findall(".{4}", text))


def _recovery_digest(account_id: str, code: str) -> str:
    letters = re.sub(r"[\W_]+", "", code.lower())
    return tokens.digest(f"{account_id} {letters}")
