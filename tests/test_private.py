"""What lies in the home folder is closed to other accounts of the machine, wherever it is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from data_access import private
from data_access.crm import crm_engine
from data_access.refresh import refresh
from tests.tiny_crm import fill

ROOT = Path(__file__).parents[1]


def open_to_others(home: Path) -> list[str]:
    """What others may read, write or enter: the home itself and all in it."""
    return sorted(
        str(path.relative_to(home.parent)) for path in (home, *home.rglob("*")) if path.stat().st_mode & private.OTHERS
    )


def run(home: Path, *command: str) -> None:
    """A command of ours as a person runs it whose files others may read by default."""
    done = subprocess.run(
        ["bash", "-c", 'umask 022; exec "$@"', "bash", sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "MIRROR_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def usual() -> None:
    """Others may read what is made, unless somebody sees to it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_the_demo_chain_its_snapshot_and_a_batch_are_for_one_account_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    run(home, "data_access", "demo", "--scale", "tiny")
    run(home, "data_access", "refresh")
    run(home, "models", "batch", "--only", "value")
    made = {path.name for path in home.rglob("*")}
    assert made >= {"crm.sqlite", "pseudonym.key", "refreshes.json", "CURRENT", "stage.duckdb"}
    assert open_to_others(home) == []


def test_a_refresh_closes_what_an_older_version_left_open(tmp_path: Path, usual: None) -> None:
    home = tmp_path / "home"
    (home / "snapshots").mkdir(parents=True)
    for name in ("crm.sqlite", "state.sqlite", "state.sqlite-wal", "refreshes.json", "mine.txt"):
        (home / name).touch(0o644)
    (home / "refreshes.json").write_text("[]")
    assert [path.name for path in private.left_open(home)] == [
        "crm.sqlite", "state.sqlite", "state.sqlite-wal", "refreshes.json", "snapshots",
    ]  # fmt: skip
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    fill(engine)
    refresh(engine, home)
    engine.dispose()
    assert list(private.left_open(home)) == [home / "refreshes.json"]  # written anew by this process, in its own way
    assert (home / "mine.txt").stat().st_mode & 0o777 == 0o644
    assert home.stat().st_mode & 0o777 == 0o755  # a folder that somebody made stays as they want it


def test_without_that_a_snapshot_lies_open(tmp_path: Path, usual: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private, "folder", lambda place: place.mkdir(parents=True, exist_ok=True))
    monkeypatch.setattr(private, "close", lambda home: None)
    monkeypatch.setattr(private, "file", lambda path: None)
    home = tmp_path / "home"
    home.mkdir()
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    fill(engine)
    refresh(engine, home)
    engine.dispose()
    assert {"home/crm.sqlite", "home/snapshots", "home/snapshots/facts_1.duckdb"} <= set(open_to_others(home))


def test_a_database_of_ours_is_closed_before_it_holds_anything(tmp_path: Path, usual: None) -> None:
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    fill(engine)
    assert (tmp_path / "crm.sqlite").stat().st_mode & 0o777 == 0o600
    engine.dispose()
