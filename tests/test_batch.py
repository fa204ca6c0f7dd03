"""The batch: what is kept, computed, taken over and published, and what happens when something goes wrong."""

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Column, Integer, String, Table, select

from data_access.errors import Problem
from data_access.marts.place_store import place_store
from data_access.publish import RESULTS, writing
from data_access.results import parts, progress, tables
from data_access.results.info import info_of, infos, is_current
from data_access.snapshot import Snapshot, current_generation, current_snapshot, folder
from models import batch as module
from models.batch import BatchReport, Job, batch, describe
from models.jobs import job as jobs
from models.jobs.job import Step, Write
from tests.test_snapshot import flip, publish_next

NAMES = ("first", "second")


@dataclass
class Toy:
    """A job of one table with one row: how often it has run. Its fingerprint is what the test says."""

    table: Table
    mark: str = "a"
    runs: int = 0
    raises: Exception | None = None
    seen: list[str] = field(default_factory=list)

    @property
    def job(self) -> Job:
        return Job(self.table.name, (self.table,), lambda _: self.mark, self.run)

    def run(self, snapshot: Snapshot, write: Write, step: Step) -> None:
        self.seen.append(snapshot.generation)
        step(0, 1)
        self.runs += 1
        write(self.table, pd.DataFrame({"run": [self.runs]}))
        if self.raises:
            raise self.raises
        step(1, 1)


@pytest.fixture
def toys() -> Iterator[list[Toy]]:
    made = [Toy(Table(name, tables.results, Column("run", Integer))) for name in NAMES]
    yield made
    for toy in made:
        tables.results.remove(toy.table)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish_next(tmp_path)
    return tmp_path


Run = Callable[..., BatchReport]


@pytest.fixture
def run(home: Path, toys: list[Toy]) -> Run:
    return lambda **options: batch(home, jobs=[toy.job for toy in toys], **options)


def runs(home: Path, toys: list[Toy]) -> list[list[int]]:
    """The rows of each toy in the results in force."""
    engine = current_snapshot(home).results
    assert engine is not None
    with engine.connect() as connection:
        return [list(connection.scalars(select(toy.table))) for toy in toys]


def test_results_are_published_beside_the_facts(home: Path, toys: list[Toy], run: Run) -> None:
    report = run()
    assert (report.generation, list(report.computed), report.published) == ("1-1", ["first", "second"], True)
    assert list(report.cpu) == ["first", "second"]
    assert 0 < sum(report.cpu.values()) < report.cpu_seconds
    assert all("s of CPU" in line for line in report.lines())
    assert runs(home, toys) == [[1], [1]]
    found = info_of(current_snapshot(home), "first")
    assert found
    assert (found.generation, found.state, found.fingerprint) == (1, "done", "a")
    assert not (home / "batch").exists()


def test_what_has_not_changed_is_kept_and_nothing_is_published(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    report = run()
    assert (report.kept, report.published, report.generation) == (("first", "second"), False, "1-1")
    assert [toy.runs for toy in toys] == [1, 1]


def test_a_job_finds_the_rows_of_the_job_it_needs(home: Path, toys: list[Toy]) -> None:
    found: list[int] = []

    def read(snapshot: Snapshot, write: Write, step: Step) -> None:
        assert snapshot.results is not None
        with snapshot.results.connect() as connection:
            found.extend(connection.scalars(select(toys[0].table)))
            connection.execute(select(place_store)).all()
        toys[1].run(snapshot, write, step)

    first = toys[0].job
    second = Job("second", (toys[1].table,), lambda _: "a", read, first)
    for _ in range(2):
        batch(home, jobs=[first, second], full=True)
    assert found == [1, 2]
    assert runs(home, toys) == [[2], [2]]


def test_a_job_finds_the_rows_of_a_kept_job_it_needs_and_none_of_its_own(home: Path, toys: list[Toy]) -> None:
    found: list[list[int]] = []

    def read(snapshot: Snapshot, write: Write, step: Step) -> None:
        assert snapshot.results is not None
        with snapshot.results.connect() as connection:
            found.append([*connection.scalars(select(toys[0].table)), *connection.scalars(select(toys[1].table))])
        toys[1].run(snapshot, write, step)

    first = toys[0].job
    for mark in ("a", "b"):
        batch(home, jobs=[first, Job("second", (toys[1].table,), lambda _, mark=mark: mark, read, first)])
    assert found == [[1], [1]]
    assert runs(home, toys) == [[1], [2]]


def test_only_what_has_changed_is_computed(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    toys[1].mark = "b"
    report = run()
    assert (report.kept, list(report.computed), report.generation) == (("first",), ["second"], "1-2")
    assert runs(home, toys) == [[1], [2]]


def test_newer_facts_that_change_nothing_get_the_same_rows_under_their_number(
    home: Path, toys: list[Toy], run: Run
) -> None:
    run()
    publish_next(home)
    assert not is_current(current_snapshot(home), "first")
    report = run()
    assert (report.kept, report.generation) == (("first", "second"), "2-2")
    assert is_current(current_snapshot(home), "first")
    assert [toy.runs for toy in toys] == [1, 1]


def test_only_some_jobs_and_everything_anew(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    for toy in toys:
        toy.mark = "b"
    assert list(run(only=["second"]).computed) == ["second"]
    assert runs(home, toys) == [[1], [2]]
    assert list(run(full=True).computed) == ["first", "second"]
    assert runs(home, toys) == [[2], [3]]
    with pytest.raises(Problem, match="there is no job 'third': the jobs are first, second"):
        run(only=["third"])


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_job_that_raises_keeps_its_older_rows_and_costs_the_others_nothing(
    home: Path, toys: list[Toy], run: Run
) -> None:
    run()
    toys[0].mark, toys[0].raises = "b", ZeroDivisionError("customer 17")
    toys[1].mark = "b"
    publish_next(home)
    report = run()
    assert report.failed == {"first": "it ended with ZeroDivisionError; the log of the batch says where"}
    assert runs(home, toys) == [[1], [2]]
    older = infos(current_snapshot(home).results)["first"]  # type: ignore[arg-type]
    assert (older.state, older.generation, older.fingerprint) == ("failed", 1, "a")
    assert not is_current(current_snapshot(home), "first")
    assert not run().published  # it fails as before, which is no news
    toys[0].raises = None
    assert list(run().computed) == ["first"]
    assert is_current(current_snapshot(home), "first")


def test_what_was_made_from_older_rows_is_made_anew_when_the_job_it_needs_has_caught_up(
    home: Path, toys: list[Toy]
) -> None:
    first, second = toys

    def run(**options: Any) -> list[str]:
        return list(batch(home, jobs=[first.job, replace(second.job, needs=first.job)], **options).computed)

    run()
    first.mark, first.raises, second.mark = "b", ValueError(), "b"
    publish_next(home)
    assert run() == ["second"]  # from the rows of the first of the facts before
    assert run() == []  # the same ones
    first.raises = None
    assert run() == ["first", "second"]
    assert run() == []
    first.mark = second.mark = "c"
    assert run(only=["second"]) == ["second"]
    assert run() == ["first", "second"]


def test_a_job_that_never_came_to_an_end_has_no_rows_and_says_why(home: Path, toys: list[Toy], run: Run) -> None:
    toys[0].raises = Problem("there are no stores")
    assert run().failed == {"first": "there are no stores"}
    assert runs(home, toys) == [[], [1]]
    assert info_of(current_snapshot(home), "first") is None
    assert infos(current_snapshot(home).results)["first"].detail == "there are no stores"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(28, "No space left on device"), "it could not read or write: the disk is full"),
        (MemoryError(), "there was not enough memory"),
    ],
)
def test_what_the_machine_did_is_said_in_a_sentence(error: Exception, sentence: str, toys: list[Toy], run: Run) -> None:
    toys[1].raises = error
    assert run().failed == {"second": sentence}


def test_a_disk_that_is_full_while_the_file_is_written_leaves_the_results_in_force(
    home: Path, toys: list[Toy], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run()
    toys[0].mark = "b"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("data_access.publish._flush", full)
        with pytest.raises(Problem, match=r"could not be written .*the disk is full"):
            run()
    assert (current_generation(home), runs(home, toys)) == ("1-1", [[1], [1]])
    report = run()
    assert (report.taken_over, report.computed) == (("first",), {})  # what was ready before the disk was full


def test_damaged_results_are_computed_anew_from_the_file_before(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    toys[0].mark = "b"
    run()
    flip(folder(home) / "results_2.duckdb", 1)
    report = run()
    assert (report.kept, list(report.computed)) == (("second",), ["first"])
    assert (report.generation, runs(home, toys)) == ("1-3", [[3], [1]])


def test_rows_of_another_version_of_a_table_are_not_kept(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    tables.results.remove(toys[0].table)
    toys[0].table = Table("first", tables.results, Column("run", Integer), Column("new", String))
    assert run().failed == {"first": "it ended with ValueError; the log of the batch says where"}  # writes no "new"
    assert runs(home, toys) == [[], [1]]


def test_rows_that_are_carried_over_outlive_a_version_of_their_table(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    first = toys[0]
    tables.results.remove(first.table)
    first.table = Table("first", tables.results, Column("run", Integer), Column("new", String))
    found: list[tuple[int, str | None]] = []

    def carry(snapshot: Snapshot, write: Write, step: Step) -> None:
        assert snapshot.results is not None
        with snapshot.results.connect() as connection:
            found.extend((row.run, row.new) for row in connection.execute(select(first.table)))
        write(first.table, pd.DataFrame({"run": [2], "new": ["more"]}))

    batch(home, jobs=[Job("first", (first.table,), lambda _: "b", carry, carries=True)])
    assert found == [(1, None)]


def test_a_new_column_that_must_have_a_value_ends_what_is_carried_over(home: Path, toys: list[Toy], run: Run) -> None:
    run()
    first = toys[0]
    tables.results.remove(first.table)
    first.table = Table("first", tables.results, Column("run", Integer), Column("new", String, nullable=False))
    seen: list[object] = []
    job = Job("first", (first.table,), lambda _: "b", lambda snapshot, write, step: seen.append(snapshot.results))
    batch(home, jobs=[replace(job, carries=True)])
    assert seen == [None]


def test_a_job_writes_its_own_tables_with_all_their_columns(home: Path, toys: list[Toy]) -> None:
    first, second = (toy.table for toy in toys)
    with pytest.raises(ValueError, match="does not name 'second'"), parts.writing(home, "first", [first]) as (part, _):
        part.write(second, pd.DataFrame({"run": [1]}))
    with pytest.raises(ValueError, match="differ in the columns more"), parts.writing(home, "x", [first]) as (part, _):
        part.write(first, pd.DataFrame({"run": [1], "more": [1]}))
    assert parts.finished(home, "first", [first]) is None


def test_a_batch_needs_facts(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no snapshot"):
        batch(tmp_path)


def test_a_second_batch_ends_at_once_and_one_in_the_background_waits(
    home: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.01)
    with writing(home, RESULTS):
        with pytest.raises(Problem, match="another batch is writing"):
            run()
        waiting = threading.Thread(target=run, kwargs={"wait": True})
        waiting.start()
        time.sleep(0.05)
        assert current_generation(home) == "1"
    waiting.join()
    assert current_generation(home) == "1-2"  # the first one had number 1 and published nothing


def test_a_refresh_during_a_batch_waits_for_nothing_and_the_results_say_of_which_facts_they_are(
    home: Path, toys: list[Toy], run: Run
) -> None:
    real = toys[0].run

    def refreshed(snapshot: Snapshot, write: Write, step: Step) -> None:
        for _ in range(3):
            publish_next(home)  # sweeps the facts the batch began with
        real(snapshot, write, step)

    toys[0].run = refreshed  # type: ignore[method-assign]
    assert run().generation == "4-1"
    assert toys[1].seen == ["1"]
    assert not is_current(current_snapshot(home), "first")
    toys[0].run = real  # type: ignore[method-assign]
    assert run().generation == "4-2"
    assert is_current(current_snapshot(home), "first")


# --- progress -------------------------------------------------------------------------------------


def test_how_far_it_is_can_be_read_while_it_is_at_work(home: Path, toys: list[Toy], run: Run) -> None:
    seen: list[progress.Progress | None] = []

    def second(_: Snapshot, write: Write, step: Step) -> None:
        step(30, 40)
        time.sleep(progress._EVERY)
        step(31, 40)
        seen.append(progress.progress(home))

    toys[1].run = second  # type: ignore[method-assign]
    said: list[str] = []
    run(say=said.append)
    assert seen[0]
    assert (seen[0].job, seen[0].share, seen[0].finished) == ("second", 31 / 40, ("first",))
    assert seen[0].remaining(seen[0].started_at + timedelta(seconds=0)) is not None
    assert any(re.fullmatch(r"second: 31 of 40, about [\d,]+ s left", line) for line in said)
    assert progress.progress(home) is None  # it has ended
    assert list(describe(home))[1:] == ["  first: ready", "  second: ready"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"generation": 1}', "null"])
def test_a_damaged_file_of_progress_says_nothing(content: str, home: Path) -> None:
    with writing(home, RESULTS):
        (folder(home) / "BATCH").write_text(content)
        assert progress.progress(home) is None
    assert list(describe(home)) == ["no batch has run yet: run `python -m models batch`"]


# --- processes ------------------------------------------------------------------------------------


def square(snapshot: Snapshot, item: int) -> tuple[int, int, int]:
    time.sleep(0.02)
    return item * item, snapshot.info.generation, os.getpid()


def die(_: Snapshot, item: int) -> int:
    if item:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.fixture
def no_page_as_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of a page may have left that page as the main program, which new processes would run again."""
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))


@pytest.mark.usefixtures("no_page_as_main")
def test_work_is_spread_over_processes_that_open_the_same_snapshot(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_WORTH_IT", 0.0)
    snapshot = current_snapshot(home)
    found = list(jobs.spread(snapshot, square, list(range(9)), workers=2))
    assert [(item, result[:2]) for item, result in found] == [(n, (n * n, 1)) for n in range(9)]
    assert len({result[2] for item, result in found}) == 2  # this process and another one
    monkeypatch.setattr(jobs, "_WORTH_IT", 60.0)
    assert {result[2] for _, result in jobs.spread(snapshot, square, [1, 2, 3])} == {os.getpid()}
    assert list(jobs.spread(snapshot, square, [])) == []


@pytest.mark.usefixtures("no_page_as_main")
def test_a_process_that_dies_fails_its_job_and_no_other(
    home: Path, toys: list[Toy], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_WORTH_IT", -1.0)
    toys[0].run = lambda snapshot, _write, _step: list(jobs.spread(snapshot, die, [0, 1, 2]))  # type: ignore
    assert run().failed == {"first": "one of its processes died, most likely for want of memory"}
    assert runs(home, toys) == [[], [1]]
