"""What the program can see of how the data are protected."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.protection import Check, checks
from data_access.state.store import prepare, state_engine
from tests import tiny_crm


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Engine]:
    engine = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(engine)
    yield engine
    engine.dispose()


def by_subject(found: tuple[Check, ...]) -> dict[str, tuple[str, str]]:
    return {check.subject: (check.state, check.outcome) for check in found}


def test_a_sealed_crm_names_its_keys(tmp_path: Path, store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    crm = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    write_demo(crm, scale="tiny", truth_path=tmp_path / "truth.json", home=tmp_path)
    found = by_subject(checks(tmp_path, crm, store))
    assert found["sealed"] == ("good", "all")
    assert found["keys"] == ("good", "listed")
    assert found["crm_connection"] == found["state_connection"] == ("good", "local")
    crm.dispose()


def test_what_lies_open_is_counted(tmp_path: Path, store: Engine) -> None:
    crm = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    tiny_crm.fill(crm)
    (sealed,) = [check for check in checks(tmp_path, crm, store) if check.subject == "sealed"]
    # two customers with something that identifies, one with an implausible birthday, one identity, one of staff
    assert (sealed.state, sealed.outcome, sealed.said) == ("weak", "none", {"sealed": 0, "plain": 3 + 1 + 1})
    with crm.begin() as connection:
        connection.exec_driver_sql("DROP TABLE alembic_version")
    assert by_subject(checks(tmp_path, crm, store))["sealed"] == ("weak", "foreign")
    crm.dispose()


def test_files_that_others_may_read_are_named(tmp_path: Path, store: Engine) -> None:
    crm = create_engine("sqlite://")
    tmp_path.chmod(0o755)
    (tmp_path / "pseudonym.key").touch(mode=0o600)
    assert by_subject(checks(tmp_path, crm, store))["files"] == ("good", "closed")
    (tmp_path / "crm.sqlite").touch(mode=0o644)
    (found,) = [check for check in checks(tmp_path, crm, store) if check.subject == "files"]
    assert (found.state, found.said) == ("weak", {"files": "crm.sqlite"})
    tmp_path.chmod(0o700)
    assert by_subject(checks(tmp_path, crm, store))["files"] == ("good", "closed")


def test_a_database_that_does_not_answer_is_unknown_and_no_error(tmp_path: Path, store: Engine) -> None:
    crm = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 2})
    found = by_subject(checks(tmp_path, crm, store))
    assert found["sealed"] == found["crm_connection"] == ("unknown", "no_answer")


@pytest.mark.database
def test_a_server_says_whether_the_way_to_it_is_encrypted(postgresql_url: str, tmp_path: Path, store: Engine) -> None:
    crm = create_engine(postgresql_url)
    # the server of the tests has no certificate
    assert by_subject(checks(tmp_path, crm, store))["crm_connection"] == ("weak", "plain")
    crm.dispose()
