"""What somebody may try who reaches the CRM's database or files.

Each is tried twice: with its one guard taken out it works, so that no test is green for another reason.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine, select, text, update

from data_access import vault
from data_access.errors import Problem
from data_access.settings import settings
from data_access.vault import keys, rows, seal
from data_access.vault.people import FIELDS
from data_access.vault.rows import Vault
from data_access.vault.tables import customer_index, customer_vault, vault_key
from tests.vault.conftest import PEOPLE, PLANTED, hits, write_sealed

guards = pytest.mark.parametrize("guard", [True, False], ids=["with the guard", "without it"])


def without_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ciphertexts are no longer bound to their table, column and row."""

    class Unbound:
        def __init__(self, key: bytes) -> None:
            self._cipher = AESGCM(key)

        def encrypt(self, nonce: bytes, content: bytes, place: bytes) -> bytes:
            return self._cipher.encrypt(nonce, content, b"")

        def decrypt(self, nonce: bytes, content: bytes, place: bytes) -> bytes:
            return self._cipher.decrypt(nonce, content, b"")

    for module in (keys, rows, seal):
        monkeypatch.setattr(module, "AESGCM", Unbound)


@pytest.fixture
def written(empty: Engine, home: Path, monkeypatch: pytest.MonkeyPatch, guard: bool) -> Engine:
    if not guard:
        without_places(monkeypatch)
    write_sealed(empty, home)
    return empty


def copy(engine: Engine, columns: list[str], *, to: str, of: str) -> None:
    """Puts sealed columns of one customer into the row of another."""
    table = customer_vault
    with engine.begin() as connection:
        values = connection.execute(select(*(table.c[name] for name in columns)).where(table.c.customer_id == of)).one()
        own = table.c.customer_id == to
        connection.execute(update(table).where(own).values(dict(zip(columns, values, strict=True))))


def name_of(engine: Engine, customer_id: str) -> str | None:
    with engine.connect() as connection:
        return vault.contact(connection, customer_id, ["name"])["name"]


@guards
def test_the_name_of_another_customer_is_put_under_ones_own_id(written: Engine, guard: bool) -> None:
    """Whoever may see C2 would see what belongs to C1: the whole row goes over, key and all."""
    copy(written, ["key_id", "wrapped_key", "name"], to="C2", of="C1")
    if guard:
        with pytest.raises(Problem, match=r"a sealed value of customer \(key\) does not open"):
            name_of(written, "C2")
    else:
        assert name_of(written, "C2") == "李雷雷"


@guards
def test_a_number_is_put_where_a_name_is_shown(written: Engine, guard: bool) -> None:
    """Whoever may reveal names only would see the number."""
    with written.begin() as connection:
        connection.execute(text("UPDATE customer_vault SET name = phone WHERE customer_id = 'C1'"))
    if guard:
        with pytest.raises(Problem, match=r"a sealed value of customer \(name\) does not open"):
            name_of(written, "C1")
    else:
        assert name_of(written, "C1") == "138 0000 0001"


def test_the_value_of_another_row_alone_does_not_open(sealed: Engine) -> None:
    copy(sealed, ["name"], to="C2", of="C1")
    with pytest.raises(Problem, match="does not open: it was damaged, or comes from another row"):
        name_of(sealed, "C2")
    assert name_of(sealed, "C1") == "李雷雷"


DAMAGE: dict[str, Callable[[str], str]] = {
    "cut": lambda sealed: sealed[:-4],
    "cut to its head": lambda sealed: sealed[:8],
    "empty": lambda sealed: "",
    "no sealed value": lambda sealed: "李雷雷",
    "one letter": lambda sealed: sealed[:30] + ("A" if sealed[30] != "A" else "B") + sealed[31:],
    "of a later version": lambda sealed: "A" + ("g" if sealed[1] != "g" else "w") + sealed[2:],
}


@pytest.mark.parametrize("column", ["name", "wrapped_key"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_value_is_refused_in_one_sentence(sealed: Engine, column: str, damage: str) -> None:
    own = customer_vault.c.customer_id == "C1"
    with sealed.begin() as connection:
        value = connection.scalar(select(customer_vault.c[column]).where(own))
        connection.execute(update(customer_vault).where(own).values({column: DAMAGE[damage](str(value))}))
    with pytest.raises(Problem, match="vault status --all") as refused:
        name_of(sealed, "C1")
    assert not [word for word in (*PLANTED, "C1") if word in str(refused.value)]
    assert name_of(sealed, "C2") == "Ann O'Neill"


@guards
def test_with_another_key_of_the_same_name_nothing_opens_and_nothing_is_written(
    sealed: Engine, home: Path, monkeypatch: pytest.MonkeyPatch, guard: bool
) -> None:
    """Without the check of the key, what is written next could never be read with the right key."""
    right = keys.ring(home)
    monkeypatch.setenv("MIRROR_KEYS", "k1:" + "77" * 32)
    settings.cache_clear()
    before = dump(sealed)
    if not guard:
        monkeypatch.setattr(rows, "_opened", lambda ring, found: Vault(ring, bytes(32)))
        replace_people(sealed, home)
        with sealed.connect() as connection, pytest.raises(Problem, match="does not open"):
            rows.open_fields(connection, Vault(right, bytes(32)), rows.CUSTOMERS, ["C1"], ["name"])
        return
    with pytest.raises(Problem, match="MIRROR_KEYS has another key k1 than the one this CRM is sealed with"):
        name_of(sealed, "C1")
    with pytest.raises(Problem, match="put the right one back"):
        replace_people(sealed, home)
    assert dump(sealed) == before


def replace_people(engine: Engine, home: Path) -> None:
    """What an import does that brings the same people again."""
    with engine.begin() as connection:
        vault_ = rows.open_for_writing(connection, home)
        rows.append_sealed(connection, vault_, rows.CUSTOMERS, PEOPLE)


def dump(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        tables = (customer_vault, customer_index, vault_key)
        return [tuple(row) for table in tables for row in connection.execute(select(table))]


@pytest.mark.parametrize("lost", ["the file", "the key"])
def test_without_the_key_everything_says_what_to_restore(sealed: Engine, home: Path, lost: str) -> None:
    file = home / keys.FILE
    if lost == "the file":
        file.unlink()
        sentence = r"the key of this CRM is missing: restore .*vault\.keys"
    else:
        file.write_text("k2:" + "22" * 32)
        sentence = r"sealed with key k1, which .*vault\.keys does not have: restore it there"
    with sealed.connect() as connection:
        for ask in (
            lambda: vault.contact(connection, "C1", FIELDS),
            lambda: vault.find(connection, "phone", "13800000001"),
            lambda: vault.identities(connection, "C1"),
        ):
            with pytest.raises(Problem, match=sentence):
                ask()
    with pytest.raises(Problem, match=sentence):
        write_sealed(sealed, home)
    assert vault.status(sealed).sealed == 5
    vault.erase(sealed, "C1")  # to forget somebody no key is needed
    assert file.exists() == (lost == "the key")  # no key is made in the place of a lost one


@guards
def test_a_stolen_index_is_searched_with_every_number_there_is(
    empty: Engine, home: Path, monkeypatch: pytest.MonkeyPatch, guard: bool
) -> None:
    """A digest without a key gives away a phone number in minutes: there are only so many."""

    def unkeyed(_: Vault, kind: str, value: str) -> str:
        return hashlib.sha256(f"{kind}|{value}".encode()).hexdigest()[:32]

    if not guard:
        monkeypatch.setattr(Vault, "digest", unkeyed)
    write_sealed(empty, home)
    with empty.connect() as connection:
        stolen = set(connection.scalars(select(customer_index.c.digest)))
    numbers = [f"+86138{number:08d}" for number in range(100)]
    found = [number for number in numbers if hashlib.sha256(f"phone|{number}".encode()).hexdigest()[:32] in stolen]
    assert found == ([] if guard else ["+8613800000001"])


@guards
def test_what_was_forgotten_is_dug_out_of_the_files(
    sealed: Engine, monkeypatch: pytest.MonkeyPatch, guard: bool
) -> None:
    """A deleted row stays in the free pages of a file until something overwrites it."""
    if not guard:
        monkeypatch.setattr("data_access.vault.wipe.log", lambda engine: None)
    with sealed.connect() as connection:
        key = str(connection.scalar(select(customer_vault.c.wrapped_key).where(customer_vault.c.customer_id == "C1")))
    vault.erase(sealed, "C1")
    assert hits(sealed, (key,)) == ([] if guard else [key])
