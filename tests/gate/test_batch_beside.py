"""The batch that the server starts beside itself."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from data_access.settings import settings
from pages._gate.batch import LOG, BackgroundBatch
from tests.test_snapshot import publish_next


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    publish_next(tmp_path)
    monkeypatch.setenv("MIRROR_HOME", str(tmp_path))
    monkeypatch.setenv("MIRROR_BATCH", "after_refresh")
    settings.cache_clear()
    yield tmp_path
    monkeypatch.undo()
    settings.cache_clear()


class Started:
    """Takes the place of processes: what was started, and how each ends."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.code: int | None = None
        self.terminated = False

    def __call__(self, command: list[str], **_: object) -> "Started":
        self.commands.append(command)
        return self

    def poll(self) -> int | None:
        return self.code

    def terminate(self) -> None:
        self.terminated = True

    def wait(self, _: float) -> int:
        return 0


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    found = Started()
    monkeypatch.setattr("pages._gate.batch.subprocess.Popen", found)
    return found


def test_one_batch_is_started_for_each_generation_of_the_facts(home: Path, started: Started) -> None:
    beside = BackgroundBatch()
    beside.look()
    assert started.commands == [
        [sys.executable, "-m", "models", "batch", "--background", "--home", str(home.resolve())]
    ]
    publish_next(home)
    beside.look()
    assert len(started.commands) == 1  # the first is still at work
    started.code = 0
    beside.look()
    beside.look()
    assert len(started.commands) == 2  # for the facts that came meanwhile, once


def test_a_batch_that_fails_is_named_in_the_log_and_not_started_again(
    home: Path, started: Started, caplog: pytest.LogCaptureFixture
) -> None:
    beside = BackgroundBatch()
    beside.look()
    started.code = 1
    beside.look()
    assert f"the batch failed: {home / LOG} says why" in caplog.text
    assert len(started.commands) == 1


def test_the_batch_ends_with_the_server(home: Path, started: Started) -> None:
    beside = BackgroundBatch()
    beside.stop()  # nothing was started yet
    assert not started.terminated
    beside.look()
    beside.stop()
    assert started.terminated


def test_no_batch_is_started_where_nobody_wants_it_or_there_is_nothing_to_compute_from(
    home: Path, started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_BATCH", "never")
    settings.cache_clear()
    BackgroundBatch().look()
    monkeypatch.setenv("MIRROR_BATCH", "after_refresh")
    monkeypatch.setenv("MIRROR_HOME", str(home / "empty"))
    settings.cache_clear()
    BackgroundBatch().look()
    assert started.commands == []
