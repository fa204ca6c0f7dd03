"""Customers who were erased are taken out of what a batch computed, at once and for good."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import BigInteger, Column, String, Table, select

from data_access.pseudonym import customer_key
from data_access.publish import RESULTS, writing
from data_access.results import tables
from data_access.results.forget import forget, names_any
from data_access.snapshot import current_generation, current_snapshot, whole_results
from models.batch import BatchReport, Job, batch
from models.jobs.job import Step, Write
from tests.test_results import names
from tests.test_snapshot import publish_next

ALL = [11, 12, 13]


@pytest.fixture
def scores() -> Iterator[tuple[Table, Table]]:
    """One table names customers by number, the other by key."""
    by_number = Table("by_number", tables.results, Column("customer_no", BigInteger), Column("score", String))
    by_key = Table("by_key", tables.results, Column("customer_key", String))
    yield by_number, by_key
    for table in (by_number, by_key):
        tables.results.remove(table)


@pytest.fixture
def home(tmp_path: Path, scores: tuple[Table, Table]) -> Path:
    publish_next(tmp_path)
    run(tmp_path, scores)
    run(tmp_path, scores, full=True)
    return tmp_path


def run(home: Path, scores: tuple[Table, Table], *, gone: tuple[int, ...] = (), full: bool = False) -> BatchReport:
    def compute(_: object, write: Write, step: Step) -> None:
        write(scores[0], pd.DataFrame({"customer_no": ALL, "score": [f"score-of-{number}" for number in ALL]}))
        write(scores[1], pd.DataFrame({"customer_key": [customer_key(number) for number in ALL]}))

    return batch(home, jobs=[Job("scores", scores, lambda _: "same", compute)], full=full, forgotten=lambda: gone)


def known(home: Path, scores: tuple[Table, Table]) -> tuple[list[int], list[str]]:
    engine = current_snapshot(home).results
    assert engine
    with engine.connect() as connection:
        numbers, keys = (list(connection.scalars(select(table.c[0]).order_by(table.c[0]))) for table in scores)
    return numbers, keys


def test_who_is_forgotten_is_in_no_table_and_no_older_file(home: Path, scores: tuple[Table, Table]) -> None:
    places = (home / "snapshots").glob("results_*.duckdb")
    assert sum(b"score-of-12" in file.read_bytes() for file in places) == 2
    assert forget(home, {12})
    assert known(home, scores) == ([11, 13], [customer_key(11), customer_key(13)])
    assert names(home) & {f"results_{number}.duckdb" for number in range(1, 9)} == {"results_3.duckdb"}
    assert not any(b"score-of-12" in file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_what_the_job_said_of_itself_stays(home: Path, scores: tuple[Table, Table]) -> None:
    forget(home, {12})
    report = run(home, scores, gone=(12,))
    assert (report.kept, report.published, current_generation(home)) == (("scores",), False, "1-3")


def test_a_batch_leaves_out_who_was_erased_while_it_was_at_work(home: Path, scores: tuple[Table, Table]) -> None:
    with writing(home, RESULTS):  # as a batch does
        assert not forget(home, {12})
    assert known(home, scores)[0] == ALL
    report = run(home, scores, gone=(12,))  # nothing else has changed
    assert (report.kept, report.published) == (("scores",), True)
    assert known(home, scores)[0] == [11, 13]
    run(home, scores, gone=(12,), full=True)  # the facts may still name the customer
    assert known(home, scores)[0] == [11, 13]


def test_whether_a_file_names_somebody(home: Path) -> None:
    path = whole_results(home)
    assert path
    assert (names_any(path, {12}), names_any(path, {14}), names_any(path, ())) == (True, False, False)


def test_without_results_there_is_nothing_to_forget(tmp_path: Path) -> None:
    publish_next(tmp_path)
    assert forget(tmp_path, {12})
    assert current_generation(tmp_path) == "1"
