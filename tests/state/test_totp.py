"""One-time codes: those of the standard, each once, from an encrypted key; recovery codes, each once."""

import base64
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Engine, select, update

from data_access.errors import Problem
from data_access.state import accounts, audit, keys, schema, sessions, totp
from data_access.state.accounts import Account
from data_access.state.rules import Rule
from data_access.state.store import writing
from tests.state.people import ADMINISTRATOR, MINUTE, NOW, person

STEP = timedelta(seconds=30)


def enrolled(engine: Engine) -> tuple[Account, bytes, tuple[str, ...]]:
    """An administrator with codes, their key, and the recovery codes."""
    who = person(engine, "ada", ADMINISTRATOR)
    key = base64.b32decode(totp.enrol(engine, who.account_id, NOW).key.replace(" ", ""))
    codes = totp.confirm(engine, who.account_id, code(key, NOW), NOW)
    return accounts.find(engine, who.account_id) or who, key, codes


def code(key: bytes, at: datetime) -> str:
    return totp.code_at(key, totp.step_at(at))


def take(engine: Engine, who: Account, text: str, at: datetime) -> bool:
    with writing(engine) as connection:
        return totp.take(connection, who.account_id, text, at)


@pytest.mark.parametrize(
    ("seconds", "digits"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, digits: str) -> None:
    """Appendix B, SHA-1, whose eight digits end in the six of ours."""
    at = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert code(b"12345678901234567890", at) == digits[-6:]


def test_the_address_for_the_qr_code_holds_what_an_authenticator_needs(sqlite: Engine) -> None:
    who = person(sqlite, "ada@example.com", ADMINISTRATOR)
    offered = totp.enrol(sqlite, who.account_id, NOW)
    parts = urlsplit(offered.uri)
    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Beauty%20Mirror%3Aada%40example.com")
    assert parse_qs(parts.query) == {
        "secret": [offered.key.replace(" ", "")],
        "issuer": ["Beauty Mirror"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert len(base64.b32decode(offered.key.replace(" ", ""))) == 20


def test_codes_count_only_after_one_has_been_seen(engine: Engine) -> None:
    who = person(engine, "ada", ADMINISTRATOR)
    key = base64.b32decode(totp.enrol(engine, who.account_id, NOW).key.replace(" ", ""))
    assert not accounts.find(engine, who.account_id).has_totp  # type: ignore[union-attr]
    with pytest.raises(Rule) as refused:
        totp.confirm(engine, who.account_id, code(key, NOW + 60 * MINUTE), NOW)
    assert refused.value.key == "code_wrong"
    totp.confirm(engine, who.account_id, code(key, NOW), NOW)
    assert accounts.find(engine, who.account_id).has_totp  # type: ignore[union-attr]
    assert audit.search(engine, audit.Filter()).entries[0].action == "totp_enrolled"


def test_codes_in_use_are_not_replaced_behind_somebodys_back(sqlite: Engine) -> None:
    who, _, _ = enrolled(sqlite)
    with pytest.raises(Rule) as refused:
        totp.enrol(sqlite, who.account_id, NOW)
    assert refused.value.key == "totp_exists"
    with pytest.raises(Rule) as refused:
        totp.confirm(sqlite, who.account_id, "123456", NOW)
    assert refused.value.key == "totp_not_offered"


def test_setting_up_codes_ends_other_sessions_and_the_own_one_goes_on(sqlite: Engine) -> None:
    who = person(sqlite, "ada", ADMINISTRATOR)
    mine, other = sessions.begin(sqlite, who, NOW), sessions.begin(sqlite, who, NOW)
    here = sessions.find(sqlite, mine, NOW)
    assert here is not None
    assert here.todo == ("totp",)
    key = base64.b32decode(totp.enrol(sqlite, who.account_id, NOW).key.replace(" ", ""))
    totp.confirm(sqlite, who.account_id, code(key, NOW), NOW, keep=here.session_id)
    after = sessions.find(sqlite, mine, NOW)
    assert after is not None
    assert after.todo == ()
    assert sessions.find(sqlite, other, NOW) is None


def test_guessing_the_first_code_is_limited(sqlite: Engine) -> None:
    who = person(sqlite, "ada", ADMINISTRATOR)
    key = base64.b32decode(totp.enrol(sqlite, who.account_id, NOW).key.replace(" ", ""))
    wrong = f"{(int(code(key, NOW)) + 500_000) % 1_000_000:06d}"
    said = []
    for _ in range(6):
        with pytest.raises(Rule) as refused:
            totp.confirm(sqlite, who.account_id, wrong, NOW)
        said.append(refused.value.key)
    assert said == ["code_wrong"] * 5 + ["locked"]


def test_a_code_is_taken_one_step_early_or_late_and_once(engine: Engine) -> None:
    who, key, _ = enrolled(engine)
    at = NOW + 10 * MINUTE
    assert not take(engine, who, code(key, at - 2 * STEP), at)
    assert not take(engine, who, code(key, at + 2 * STEP), at)
    assert take(engine, who, code(key, at - STEP), at)
    assert not take(engine, who, code(key, at - STEP), at)
    assert take(engine, who, f" {code(key, at)[:3]} {code(key, at)[3:]} ", at)
    assert take(engine, who, code(key, at + STEP), at)
    assert not take(engine, who, code(key, at), at)  # older than one that was taken


def test_the_code_that_set_it_up_does_not_sign_in(sqlite: Engine) -> None:
    who, key, _ = enrolled(sqlite)
    assert not take(sqlite, who, code(key, NOW), NOW)


@pytest.mark.parametrize("text", ["", "12345", "1234567", "abcdef", "１２３４５６", "\ud800", "-12345", "0" * 10_000])
def test_anything_else_is_no_code(sqlite: Engine, text: str) -> None:
    who, _, _ = enrolled(sqlite)
    assert not take(sqlite, who, text, NOW)


def test_each_recovery_code_opens_once_however_it_is_typed(engine: Engine) -> None:
    who, _, codes = enrolled(engine)
    assert len(set(codes)) == 10
    assert {len(one.replace("-", "")) * 5 for one in codes} == {120}  # bits
    assert take(engine, who, codes[0], NOW)
    assert not take(engine, who, codes[0], NOW)
    assert take(engine, who, f" {codes[1].upper().replace('-', ' ')} ", NOW)
    assert totp.recovery_codes_left(engine, who.account_id) == 8
    entry = audit.search(engine, audit.Filter(action="recovery_code_used")).entries[0]
    assert entry.detail == {"left": 8}
    with engine.connect() as connection:
        kept = str(connection.execute(select(schema.recovery_code)).all())
    assert not any(one in kept or one.replace("-", "") in kept for one in codes)


def test_a_recovery_code_is_of_one_person(sqlite: Engine) -> None:
    _, _, codes = enrolled(sqlite)
    other = person(sqlite, "bo", ADMINISTRATOR)
    key = base64.b32decode(totp.enrol(sqlite, other.account_id, NOW).key.replace(" ", ""))
    totp.confirm(sqlite, other.account_id, code(key, NOW), NOW)
    assert not take(sqlite, other, codes[0], NOW)


def test_new_recovery_codes_take_the_place_of_the_old_ones(sqlite: Engine) -> None:
    who, _, codes = enrolled(sqlite)
    new = totp.new_recovery_codes(sqlite, who.account_id, NOW)
    assert not set(new) & set(codes)
    assert not take(sqlite, who, codes[0], NOW)
    assert take(sqlite, who, new[0], NOW)
    with pytest.raises(Rule) as refused:
        totp.new_recovery_codes(sqlite, person(sqlite, "bo").account_id, NOW)
    assert refused.value.key == "totp_missing"


def test_after_a_reset_neither_codes_nor_recovery_codes_are_left(engine: Engine) -> None:
    who, key, codes = enrolled(engine)
    assert not accounts.reset_totp(engine, "terminal:admin", who.account_id, NOW).has_totp
    at = NOW + 10 * MINUTE
    assert not take(engine, who, code(key, at), at)
    assert not take(engine, who, codes[0], at)
    assert totp.recovery_codes_left(engine, who.account_id) == 0


def test_the_key_lies_encrypted_in_the_store_and_opens_in_its_own_row_only(sqlite: Engine, home: Path) -> None:
    who, key, _ = enrolled(sqlite)
    assert stat.S_IMODE((home / keys.FILE).stat().st_mode) == 0o600
    for file in home.glob("state.sqlite*"):
        assert key not in file.read_bytes()
    other = person(sqlite, "bo", ADMINISTRATOR)
    with writing(sqlite) as connection:
        sealed = connection.scalar(select(schema.account.c.totp_key).where(schema.account.c.totp_key.is_not(None)))
        own = schema.account.c.account_id == other.account_id
        connection.execute(update(schema.account).where(own).values(totp_key=sealed))
    with pytest.raises(Problem, match=r"state\.key"):
        take(sqlite, other, code(key, NOW), NOW)
    assert take(sqlite, who, code(key, NOW + STEP), NOW + STEP)


def test_another_key_file_or_a_damaged_secret_is_said_and_opens_nothing(home: Path) -> None:
    sealed = keys.seal(b"secret", "a row")
    assert keys.unseal(sealed, "a row") == b"secret"
    assert keys.seal(b"secret", "a row") != sealed
    for position in range(len(sealed)):
        damaged = bytearray(sealed)
        damaged[position] ^= 1
        with pytest.raises(Problem, match=r"state\.key"):
            keys.unseal(bytes(damaged), "a row")
    for short in (b"", sealed[:1], sealed[:20]):
        with pytest.raises(Problem, match=r"state\.key"):
            keys.unseal(short, "a row")
    keys._key.cache_clear()
    (home / keys.FILE).write_bytes(bytes(32))
    with pytest.raises(Problem, match=r"state\.key"):
        keys.unseal(sealed, "a row")
    keys._key.cache_clear()
    (home / keys.FILE).write_bytes(b"short")
    with pytest.raises(Problem, match="damaged"):
        keys.seal(b"secret", "a row")
