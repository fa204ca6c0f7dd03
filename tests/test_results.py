"""Results beside the facts: named together, kept under newer facts, left out when they are damaged."""

import os
import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, insert, select

from data_access import publish
from data_access.errors import Problem
from data_access.marts.place_store import place_store
from data_access.publish import RESULTS, is_writing, writing
from data_access.results.tables import result_info, results
from data_access.snapshot import (
    Snapshot,
    Unusable,
    current_generation,
    current_snapshot,
    folder,
    held,
    pending,
    unusable,
    whole_results,
)
from tests.test_snapshot import DAMAGES, bring_in, names, publish_next, staff_seen


def publish_results(home: Path, *, without: str = "") -> int:
    """A whole results file with as many rows of ``result_info`` as its number says."""
    with writing(home, RESULTS) as draft:
        engine = create_engine(f"duckdb:///{draft.path}")
        with engine.begin() as connection:
            for table in (*results.sorted_tables, place_store):
                if table.name != without:
                    table.create(connection)
            rows = [{"job": str(n), "state": "done", "built_at": datetime(2026, 1, 1)} for n in range(draft.number)]
            connection.execute(insert(result_info), rows)
        engine.dispose()
        publish.publish(home, draft)
        return draft.number


def jobs_seen(snapshot: Snapshot) -> int:
    assert snapshot.results is not None
    with snapshot.results.connect() as connection:
        return connection.scalar(select(func.count()).select_from(result_info)) or 0


def test_facts_and_results_are_one_generation(tmp_path: Path) -> None:
    publish_next(tmp_path)
    assert current_snapshot(tmp_path).results is None
    publish_results(tmp_path)
    publish_results(tmp_path)
    snapshot = current_snapshot(tmp_path)
    assert (snapshot.generation, current_generation(tmp_path)) == ("1-2", "1-2")
    assert (snapshot.info.generation, jobs_seen(snapshot)) == (1, 2)


def test_new_facts_keep_the_results_in_force(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path)
    for _ in range(4):
        publish_next(tmp_path)
    assert current_generation(tmp_path) == "5-1"
    assert jobs_seen(current_snapshot(tmp_path)) == 1


def test_the_last_two_results_stay(tmp_path: Path) -> None:
    publish_next(tmp_path)
    for _ in range(4):
        publish_results(tmp_path)
    files = {name for name in names(tmp_path) if name.startswith("results_")}
    assert files == {"results_3.duckdb", "results_3.json", "results_4.duckdb", "results_4.json"}
    assert "facts_1.duckdb" in names(tmp_path)


def test_a_refresh_and_a_batch_write_at_once_and_sweep_nothing_of_each_other(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with writing(tmp_path, RESULTS) as draft:
        assert is_writing(tmp_path, RESULTS)
        publish_next(tmp_path)
        assert draft.scratch.is_dir()
        with pytest.raises(Problem, match="another batch is writing"), writing(tmp_path, RESULTS):
            pass
    assert not is_writing(tmp_path, RESULTS)
    with writing(tmp_path) as facts_draft:
        publish_results(tmp_path)
        assert facts_draft.scratch.is_dir()
    assert current_generation(tmp_path) == "2-2"


def test_facts_and_results_published_at_once_are_both_named(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path)
    for _ in range(5):
        threads = [threading.Thread(target=what, args=(tmp_path,)) for what in (publish_next, publish_results)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert current_generation(tmp_path) == "6-6"


def test_what_a_dead_batch_left_is_swept_by_the_next(tmp_path: Path) -> None:
    publish_next(tmp_path)
    (folder(tmp_path) / "batch_draft_9_dead").mkdir()
    (folder(tmp_path) / "results_8.json").write_text("{}")
    publish_next(tmp_path)
    assert "batch_draft_9_dead" in names(tmp_path)  # it might be at work
    publish_results(tmp_path)
    assert not {"batch_draft_9_dead", "results_8.json"} & names(tmp_path)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_results_leave_the_facts_with_a_warning(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path)
    publish_results(tmp_path)
    DAMAGES[damage](folder(tmp_path) / "results_2.duckdb")
    snapshot = current_snapshot(tmp_path)
    assert (snapshot.generation, snapshot.results) == ("1", None)
    assert staff_seen(tmp_path) == 1
    assert caplog.text.count("results_2.duckdb cannot be used") == 1
    failure = unusable(tmp_path)
    assert failure
    assert failure.file == "results_2.duckdb"
    assert whole_results(tmp_path) == folder(tmp_path) / "results_1.duckdb"  # what a batch goes by


def test_results_of_another_version_are_left_out(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path, without="campaign_result")
    assert current_snapshot(tmp_path).results is None
    failure = unusable(tmp_path)
    assert failure
    assert "another version of the program wrote it, without campaign_result" in failure.reason


def test_a_watcher_adopts_results_as_it_does_facts_and_opens_the_facts_once(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        before = current_snapshot(tmp_path)
        publish_results(tmp_path)
        assert current_snapshot(tmp_path) is before  # no reader waits for the new file
        found = bring_in(tmp_path)
        assert found
        assert (found.generation, found.engine is before.engine, jobs_seen(found)) == ("1-1", True, 1)
        assert pending(tmp_path) is None
        publish_results(tmp_path)
        (folder(tmp_path) / "results_2.duckdb").write_bytes(b"cut")
        assert bring_in(tmp_path)
        assert current_snapshot(tmp_path).generation == "1"
        assert pending(tmp_path) is None
        assert isinstance(unusable(tmp_path), Unusable)  # still said at the next look
        publish_results(tmp_path)
        assert bring_in(tmp_path)
        assert current_snapshot(tmp_path).generation == "1-3"
        assert unusable(tmp_path) is None


def test_results_without_facts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="there is no snapshot"):
        publish_results(tmp_path)


def test_a_disk_that_is_full_leaves_the_results_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(OSError, match="No space"):
            publish_results(tmp_path)
    assert current_generation(tmp_path) == "1-1"
    assert publish_results(tmp_path) == 3


def test_results_without_the_tables_of_a_job_they_know_nothing_of_stay_in_use(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_results(tmp_path, without="team_frame")
    assert current_snapshot(tmp_path).results is not None
    publish_results(tmp_path, without="store_peer")
    assert current_snapshot(tmp_path).results is None
