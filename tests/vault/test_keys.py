"""Keys come from one place, are made once, and every fault is one sentence that says what to do."""

from pathlib import Path

import pytest

from data_access.errors import Problem
from data_access.settings import settings
from data_access.vault import keys

ONE, TWO = "0a" * 32, "0b" * 32


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("MIRROR_KEYS", text)
    settings.cache_clear()


@pytest.mark.parametrize(
    "text",
    [f"old:{ONE},new:{TWO}", f"old:{ONE}\nnew:{TWO}\n", f'{{"old": "{ONE}", "new": "{TWO}"}}'],
    ids=["list", "lines", "JSON"],
)
def test_the_last_key_is_the_newest(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    given(monkeypatch, text)
    ring = keys.ring(home)
    assert (list(ring.wrapping), ring.newest) == (["old", "new"], "new")
    assert ONE not in repr(ring) + repr(settings())


@pytest.mark.parametrize(
    "text",
    ["nonsense", f"k1:{ONE[:-2]}", f"k1:{ONE}g", f"k1:{ONE},k1:{TWO}", "{}", '{"k1": 5}', "{", f"K 1:{ONE}", "["],
)
def test_keys_that_cannot_be_read_are_refused_without_repeating_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    given(monkeypatch, text)
    with pytest.raises(Problem, match="MIRROR_KEYS holds no key") as refused:
        keys.ring(home)
    assert ONE[:-2] not in str(refused.value)


def test_a_first_key_is_made_once_for_its_owner_only(home: Path) -> None:
    with pytest.raises(Problem, match=r"the key of this CRM is missing: restore .*vault\.keys"):
        keys.ring(home)
    assert keys.ring_or_first(home).newest == "k1"
    file = home / keys.FILE
    content = file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert keys.ring_or_first(home).newest == "k1"
    assert file.read_text() == content
    assert [path.name for path in home.iterdir()] == [keys.FILE]


def test_no_file_is_made_where_the_setting_has_the_keys(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, f"a:{ONE}")
    assert keys.ring_or_first(home).newest == "a"
    assert not home.exists()
    with pytest.raises(Problem, match="the keys come from MIRROR_KEYS"):
        keys.add_key(home)


def test_a_fresh_key_comes_last_and_the_older_ones_stay(home: Path) -> None:
    keys.ring_or_first(home)
    first = (home / keys.FILE).read_text()
    assert keys.add_key(home) == "k2"
    assert keys.add_key(home) == "k3"
    assert (home / keys.FILE).read_text().startswith(first)
    assert list(keys.ring(home).wrapping) == ["k1", "k2", "k3"]
    assert (home / keys.FILE).stat().st_mode & 0o777 == 0o600
