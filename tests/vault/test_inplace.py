"""Sealing what lies open and wrapping with newer keys, in place, and again after a kill in the middle."""

import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, inspect, select, update

from data_access import migrations, vault
from data_access.crm import crm_engine, prepare
from data_access.errors import Problem
from data_access.schema import crm, customer
from data_access.vault import inplace, keys
from data_access.vault.inplace import broken_rows, rotate, seal_all
from data_access.vault.people import FIELDS
from data_access.vault.rows import CUSTOMERS, append_sealed, open_for_writing
from data_access.vault.tables import customer_vault, vault_key
from tests.vault.conftest import PEOPLE, hits, write_plain

EVERYBODY = ("C1", "C2", "C3")


def known(engine: Engine) -> list[object]:
    """Everything that identifies somebody, as it is asked for."""
    with engine.connect() as connection:
        people: list[object] = [vault.contact(connection, one, FIELDS) for one in EVERYBODY]
        return [*people, vault.identities(connection, "C1"), vault.find(connection, "phone", "13800000001")]


class PowerCut(Exception):
    """Ends the work after a batch."""


def cut_after(batches: int) -> inplace.Progress:
    left = iter(range(batches))

    def progress(_: str) -> None:
        if next(left, None) is None:
            raise PowerCut

    return progress


# --- sealing --------------------------------------------------------------------------------------


def test_what_lies_open_is_sealed_and_leaves_no_trace(plain: Engine, home: Path) -> None:
    before = known(plain)
    assert len(hits(plain)) > 4
    assert seal_all(plain, home) == 2 + 2 + 1
    assert hits(plain) == []
    assert known(plain) == before
    assert vault.status(plain) == vault.Status(True, 5, 0, {"k1": 5})
    assert seal_all(plain, home) == 0


@pytest.mark.parametrize("batches", range(4))
def test_sealing_goes_on_where_it_was_cut_off(
    plain: Engine, home: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    monkeypatch.setattr(inplace, "BATCH", 1)
    before = known(plain)
    with pytest.raises(PowerCut):
        seal_all(plain, home, cut_after(batches))
    assert vault.status(plain).sealed == batches + 1
    assert known(plain) == before
    assert seal_all(plain, home) == 5 - (batches + 1)
    assert known(plain) == before
    assert hits(plain) == []


def test_a_crm_of_an_older_version_is_brought_up_to_date_and_sealed(home: Path, tmp_path: Path) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/old.sqlite")
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
    assert not inspect(engine).has_table(customer_vault.name)
    write_plain(engine)
    before = known(engine)
    assert vault.status(engine) == vault.Status(True, 0, 5, {})
    seal_all(engine, home)
    assert known(engine) == before
    assert hits(engine) == []


def test_what_was_written_openly_since_is_newer(sealed: Engine, home: Path) -> None:
    with sealed.begin() as connection:
        own = customer.c.customer_id == "C1"
        connection.execute(update(customer).where(own).values(phone="13900000009", birthday=date(1991, 1, 1)))
    expected = {"name": "李雷雷", "phone": "13900000009", "email": "LiLei@example.cn", "birthday": "1991-01-01"}
    for _ in range(2):
        with sealed.connect() as connection:
            assert vault.contact(connection, "C1", FIELDS) == expected
        seal_all(sealed, home)
    with sealed.connect() as connection:
        assert vault.find(connection, "phone", "13900000009") == ("C1",)
        assert vault.find(connection, "phone", "13800000001") == ()


# --- newer keys -----------------------------------------------------------------------------------


def test_after_a_rotation_the_older_key_is_not_needed(sealed: Engine, home: Path) -> None:
    before = known(sealed)
    keys.add_key(home)
    assert known(sealed) == before  # the older key still opens
    assert rotate(sealed, home) == 5
    assert vault.status(sealed).keys == {"k2": 5}
    newest = (home / keys.FILE).read_text().splitlines()[-1]
    (home / keys.FILE).write_text(newest)
    assert known(sealed) == before
    with sealed.connect() as connection:
        assert connection.scalars(select(vault_key.c.key_id)).all() == ["k2"]
    assert broken_rows(sealed, home) == []
    assert rotate(sealed, home) == 0


def test_the_older_wrapped_keys_are_in_no_file(sealed: Engine, home: Path) -> None:
    with sealed.connect() as connection:
        older = tuple(connection.scalars(select(customer_vault.c.wrapped_key)))
    assert hits(sealed, older) == list(older)
    keys.add_key(home)
    rotate(sealed, home)
    assert hits(sealed, older) == []


KILLED = """
import sys, time
from pathlib import Path
from data_access.crm import crm_engine
from data_access.vault import inplace
inplace.BATCH = 1
def progress(text):
    print(text, flush=True)
    time.sleep(0.2)
inplace.rotate(crm_engine(sys.argv[1]), Path(sys.argv[2]), progress)
"""


def test_a_rotation_that_was_killed_goes_on(sealed: Engine, home: Path) -> None:
    before = known(sealed)
    keys.add_key(home)
    url = sealed.url.render_as_string(hide_password=False)
    process = subprocess.Popen([sys.executable, "-c", KILLED, url, str(home)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    for _ in range(2):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    half = vault.status(sealed).keys
    assert set(half) == {"k1", "k2"}
    assert sum(half.values()) == 5
    assert known(sealed) == before
    assert rotate(sealed, home) == half["k1"]
    assert vault.status(sealed).keys == {"k2": 5}
    assert known(sealed) == before


def test_what_is_written_during_a_rotation_has_the_newest_key(sealed: Engine, home: Path) -> None:
    keys.add_key(home)
    with sealed.begin() as connection:
        append_sealed(connection, open_for_writing(connection, home), CUSTOMERS, PEOPLE.iloc[:1])
    assert vault.status(sealed).keys == {"k1": 4, "k2": 1}
    assert rotate(sealed, home) == 4


@pytest.mark.parametrize("work", [seal_all, rotate])
def test_a_foreign_crm_is_refused_untouched(home: Path, tmp_path: Path, work: object) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/foreign.sqlite")
    crm.create_all(engine)
    write_plain(engine)
    before = Path(str(engine.url.database)).read_bytes()
    with pytest.raises(Problem, match="belongs to another program and is only read"):
        work(engine, home)  # type: ignore[operator]
    assert Path(str(engine.url.database)).read_bytes() == before
    assert not home.exists()


def test_a_row_that_does_not_open_is_named_and_stops_a_rotation(sealed: Engine, home: Path) -> None:
    with sealed.begin() as connection:
        own = customer_vault.c.customer_id == "C2"
        stolen = select(customer_vault.c.wrapped_key).where(customer_vault.c.customer_id == "C1").scalar_subquery()
        connection.execute(update(customer_vault).where(own).values(wrapped_key=stolen))
    assert broken_rows(sealed, home) == ["customer C2"]
    keys.add_key(home)
    with pytest.raises(Problem, match="does not open"):
        rotate(sealed, home)
    with sealed.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(vault_key)) == 1


@pytest.mark.database
@pytest.mark.parametrize("server", ["postgresql", "mariadb"])
def test_servers_seal_and_rotate_in_place(request: pytest.FixtureRequest, home: Path, server: str) -> None:
    engine = crm_engine(request.getfixturevalue(f"{server}_url"))
    prepare(engine)
    write_plain(engine)
    before = known(engine)
    assert seal_all(engine, home) == 5
    assert known(engine) == before
    keys.add_key(home)
    assert rotate(engine, home) == 5
    assert known(engine) == before
    assert vault.status(engine) == vault.Status(True, 5, 0, {"k2": 5})
    engine.dispose()
