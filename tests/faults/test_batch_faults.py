"""The batch under fire: killed at any instant, and in competition. Slow; run by make test-slow."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Column, Integer, Table, func, select

from data_access.errors import Problem
from data_access.publish import RESULTS, is_writing
from data_access.results import tables
from data_access.results.progress import progress
from data_access.snapshot import Snapshot, current_generation, current_snapshot, folder
from models.batch import BatchReport, Job, batch
from models.jobs.job import Step, Write
from tests.test_snapshot import publish_next

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILLS = 12
STEPS, ROWS = 40, 10_000

BATCH = """
import sys
from pathlib import Path
from tests.faults.test_batch_faults import compute
print("begun", flush=True)
compute(Path(sys.argv[1]), sys.argv[2], full=True)
"""


def table(name: str) -> Table:
    found = tables.results.tables.get(name)
    return Table(name, tables.results, Column("mark", Integer)) if found is None else found


def few(_: Snapshot, write: Write, step: Step) -> None:
    write(table("few"), pd.DataFrame({"mark": [1]}))
    step(1, 1)


def many(_: Snapshot, write: Write, step: Step) -> None:
    for done in range(STEPS):
        write(table("many"), pd.DataFrame({"mark": [done] * ROWS}))
        step(done + 1, STEPS)


def compute(home: Path, mark: str, **options: Any) -> BatchReport:
    jobs = [Job(name, (table(name),), lambda _: mark, run) for name, run in (("few", few), ("many", many))]
    return batch(home, jobs=jobs, **options)


def start(home: Path, mark: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", BATCH, str(home), mark]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout
    assert process.stdout.readline() == "begun\n"
    return process


def rows(home: Path) -> tuple[int, int]:
    results = current_snapshot(home).results
    assert results is not None
    with results.connect() as connection:
        few_, many_ = (connection.scalar(select(func.count()).select_from(table(name))) for name in ("few", "many"))
    return few_ or 0, many_ or 0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    publish_next(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def no_table_is_left() -> Any:
    yield
    for name in ("few", "many"):
        tables.results.remove(table(name))


def test_whoever_kills_batches_leaves_whole_results_and_the_next_one_goes_on(home: Path) -> None:
    compute(home, "first")
    started = time.monotonic()
    compute(home, "timed", full=True)
    took = time.monotonic() - started
    chance = random.Random(5)
    for number in range(KILLS):
        process = start(home, f"killed {number}")
        time.sleep(chance.uniform(0, 1.3) * took)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert rows(home) == (1, STEPS * ROWS)
        assert not is_writing(home, RESULTS)
        assert progress(home) is None
    report = compute(home, f"killed {KILLS - 1}")
    assert set(report.kept) | set(report.taken_over) | set(report.computed) == {"few", "many"}
    assert rows(home) == (1, STEPS * ROWS)
    assert not list(folder(home).glob("batch_draft_*"))
    assert not (home / "batch").exists()


def test_of_batches_and_refreshes_at_once_nothing_is_lost(home: Path) -> None:
    compute(home, "first")
    processes = [start(home, f"at once {number}") for number in range(3)]
    for _ in range(6):
        publish_next(home)
    ended = [process.wait(120) for process in processes]
    assert 0 in ended  # one of them computed, the others said that it does
    assert rows(home) == (1, STEPS * ROWS)
    assert current_generation(home).startswith("7-")


def test_results_larger_than_what_may_be_written_are_refused_and_the_old_stay(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system that takes no more bytes, as the operating system says it."""
    compute(home, "first")
    code = """
import resource, signal, sys
from pathlib import Path
from data_access.errors import Problem
from tests.faults.test_batch_faults import compute
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    print(compute(Path(sys.argv[1]), "too large").failed)
except Problem as problem:
    print("problem", problem)
"""
    done = subprocess.run([sys.executable, "-c", code, str(home)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "problem" in done.stdout or "many" in done.stdout
    assert rows(home) == (1, STEPS * ROWS)
    with pytest.raises(Problem, match="no job"):
        compute(home, "first", only=["none"])
