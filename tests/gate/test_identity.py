"""The cookie that says who somebody is."""

import stat
from pathlib import Path

import pytest

from data_access.settings import settings
from pages._gate import identity
from pages._gate.identity import COOKIE, MAX_AGE, Person, seal, unseal
from tests.gate.kit import HTML, visitor


def forged() -> str:
    payload, _, rest = seal(Person("manager", "S1")).partition(".")
    other = seal(Person("administrator")).partition(".")[0]
    assert payload != other
    return f"{other}.{rest}"


@pytest.mark.parametrize("value", ["", "x", "a.b.c", "e30.aaaa.bbbb"])
def test_a_made_up_cookie_is_nobody(home: Path, value: str) -> None:
    assert unseal(value) is None


def test_a_cookie_with_a_swapped_person_is_nobody(home: Path) -> None:
    assert unseal(forged()) is None
    guest = visitor()
    guest.cookies[COOKIE] = forged()
    assert guest.get("/", **HTML).status == 303


def test_a_cookie_lasts_twelve_hours(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    value = seal(Person("marketing"))
    issued = identity.time.time()
    assert MAX_AGE == 12 * 60 * 60
    monkeypatch.setattr(identity.time, "time", lambda: issued + MAX_AGE - 60)
    assert unseal(value) == Person("marketing")
    monkeypatch.setattr(identity.time, "time", lambda: issued + MAX_AGE + 60)
    assert unseal(value) is None


def test_a_cookie_of_another_installation_is_nobody(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = seal(Person("marketing"))
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path / "other"))
    settings.cache_clear()
    assert unseal(value) is None


def test_only_the_owner_can_read_the_signing_key(home: Path) -> None:
    seal(Person("marketing"))
    assert stat.S_IMODE((home / "identity.key").stat().st_mode) == 0o600
    assert len((home / "identity.key").read_bytes()) == 32
