"""Snapshots: a reader sees one whole generation or the one before, whatever happens to the files."""

import gc
import json
import random
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from data_access.errors import Problem
from data_access.marts.tables import facts, generation_info, staff
from data_access.publish import Draft, publish, writing
from data_access.snapshot import (
    Snapshot,
    Unusable,
    adopt,
    current_generation,
    current_snapshot,
    digest,
    folder,
    held,
    open_snapshot,
    pending,
    prepare,
    published,
    unusable,
)


def write(draft: Draft) -> None:
    """A whole facts file with as many staff as its number says."""
    engine = create_engine(f"duckdb:///{draft.path}")
    facts.create_all(engine)
    info = {"generation": draft.number, "built_at": datetime(2026, 1, 1), "as_of": datetime(2026, 1, 1)}
    with engine.begin() as connection:
        connection.execute(insert(generation_info), [{**info, "currency": "CNY", "is_demo": True}])
        connection.execute(insert(staff), [{"staff_id": str(n)} for n in range(draft.number)])
    engine.dispose()


def publish_next(home: Path) -> int:
    with writing(home) as draft:
        write(draft)
        publish(home, draft)
        return draft.number


def staff_seen(home: Path) -> int:
    with current_snapshot(home).engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(staff)) or 0


def names(home: Path) -> set[str]:
    return {path.name for path in folder(home).iterdir()}


def test_before_the_first_refresh_the_sentence_says_what_to_run(tmp_path: Path) -> None:
    for read in (current_snapshot, current_generation):
        with pytest.raises(Problem, match="run `python -m data_access refresh`"):
            read(tmp_path)


def test_the_last_two_generations_stay_and_the_newest_is_read(tmp_path: Path) -> None:
    assert [publish_next(tmp_path) for _ in range(4)] == [1, 2, 3, 4]
    assert current_generation(tmp_path) == "4"
    assert staff_seen(tmp_path) == 4
    assert names(tmp_path) == {
        "CURRENT",
        "POINTER",
        "WRITER",
        "facts_3.duckdb",
        "facts_3.json",
        "facts_4.duckdb",
        "facts_4.json",
    }
    assert json.loads((folder(tmp_path) / "CURRENT").read_text()) == {"facts": "facts_4.duckdb", "results": None}


def test_a_snapshot_is_opened_once_and_shared(tmp_path: Path) -> None:
    publish_next(tmp_path)
    assert current_snapshot(tmp_path) is current_snapshot(tmp_path)


def test_no_other_process_writes_where_a_large_query_of_this_one_does(tmp_path: Path) -> None:
    publish_next(tmp_path)
    scratch = "from data_access.snapshot import _SCRATCH; print(_SCRATCH)"
    theirs = subprocess.run([sys.executable, "-c", scratch], capture_output=True, text=True, check=True).stdout.strip()
    with current_snapshot(tmp_path).engine.connect() as connection:
        ours = str(connection.scalar(text("SELECT current_setting('temp_directory')")))
    assert theirs.endswith(".tmp")
    assert ours.startswith(f"{folder(tmp_path.resolve()) / 'facts_1.duckdb'}.")
    assert not ours.endswith(theirs)


def test_who_holds_an_old_generation_can_go_on_reading_it(tmp_path: Path) -> None:
    publish_next(tmp_path)
    held = current_snapshot(tmp_path)
    for _ in range(3):
        publish_next(tmp_path)
        current_snapshot(tmp_path)
    assert "facts_1.duckdb" not in names(tmp_path)
    with held.engine.connect() as one, held.engine.connect() as other:
        assert one.scalar(select(func.count()).select_from(staff)) == 1
        assert other.scalar(select(generation_info.c.generation)) == 1


def test_a_generation_nobody_holds_gives_its_connections_back(tmp_path: Path) -> None:
    publish_next(tmp_path)
    engine = current_snapshot(tmp_path).engine
    old_pool = engine.pool
    assert old_pool.checkedin() == 1
    publish_next(tmp_path)
    current_snapshot(tmp_path)
    gc.collect()
    assert old_pool.checkedin() == 0


def test_sixteen_threads_read_at_once(tmp_path: Path) -> None:
    publish_next(tmp_path)
    seen: list[int] = []

    def read() -> None:
        seen.extend(staff_seen(tmp_path) for _ in range(10))

    threads = [threading.Thread(target=read) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 160


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (i INTEGER)",
        "DELETE FROM staff",
        "SELECT * FROM read_text('/etc/hostname')",
        "COPY staff TO 'staff.csv'",
        "ATTACH 'other.duckdb'",
        "SET memory_limit = '10GB'",
        "INSTALL httpfs",
    ],
)
def test_a_query_can_neither_write_nor_leave_its_file(statement: str, tmp_path: Path) -> None:
    publish_next(tmp_path)
    with current_snapshot(tmp_path).engine.connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text(statement))


def test_a_path_is_never_used_twice(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_next(tmp_path)
    held = current_snapshot(tmp_path)
    for path in folder(tmp_path).glob("facts_*"):
        path.unlink()
    (folder(tmp_path) / "CURRENT").unlink()
    assert publish_next(tmp_path) == 3
    assert staff_seen(tmp_path) == 3
    assert held.info.generation == 2


def test_only_one_writes_at_a_time(tmp_path: Path) -> None:
    with writing(tmp_path), pytest.raises(Problem, match="another refresh is writing"), writing(tmp_path):
        pass
    assert publish_next(tmp_path) == 2


def test_an_older_draft_cannot_replace_a_newer_generation(tmp_path: Path) -> None:
    with writing(tmp_path) as draft:
        write(draft)
        (folder(tmp_path) / "CURRENT").write_text('{"facts": "facts_9.duckdb", "results": null}')
        with pytest.raises(Problem, match="newer snapshot"):
            publish(tmp_path, draft)


def test_a_writer_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    publish_next(tmp_path)
    before = names(tmp_path)
    with pytest.raises(ZeroDivisionError), writing(tmp_path) as draft:
        draft.path.write_bytes(bytes(1 // 0))
    assert names(tmp_path) == before
    assert current_generation(tmp_path) == "1"


def test_what_a_dead_writer_left_is_swept_and_a_person_s_file_is_not(tmp_path: Path) -> None:
    publish_next(tmp_path)
    place = folder(tmp_path)
    (place / "draft_5_dead").mkdir()
    (place / "draft_5_dead" / "facts.duckdb").write_bytes(b"half")
    (place / "draft_beside").write_text("half a pointer")
    (place / "facts_9.json").write_text("{}")
    (place / "facts_9.duckdb.1a2b3c4d.tmp").mkdir()  # of a reader that was killed
    (place / "facts_backup.duckdb").write_bytes(b"mine")
    publish_next(tmp_path)
    assert names(tmp_path) & {"draft_5_dead", "draft_beside", "facts_9.json", "facts_9.duckdb.1a2b3c4d.tmp"} == set()
    assert "facts_backup.duckdb" in names(tmp_path)


# --- damage ---------------------------------------------------------------------------------------


def flip(path: Path, seed: int) -> None:
    content = bytearray(path.read_bytes())
    place = random.Random(seed)
    content[place.randrange(len(content))] ^= 1 << place.randrange(8)
    path.write_bytes(content)


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-4096]),
    "foreign": lambda path: path.write_bytes(b"SQLite format 3\0" + path.read_bytes()[16:]),
    "no manifest": lambda path: path.with_suffix(".json").unlink(),
    "a broken manifest": lambda path: path.with_suffix(".json").write_text("{"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_gives_way_to_the_generation_before(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    publish_next(tmp_path)
    publish_next(tmp_path)
    DAMAGES[damage](folder(tmp_path) / "facts_2.duckdb")
    assert staff_seen(tmp_path) == 1
    assert (current_snapshot(tmp_path).generation, current_generation(tmp_path)) == ("1", "1")
    assert "facts_2.duckdb cannot be used" in caplog.text
    assert publish_next(tmp_path) == 3
    assert staff_seen(tmp_path) == 3


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_next(tmp_path)
    path = folder(tmp_path) / "facts_2.duckdb"
    whole = path.read_bytes()
    for seed in range(25):
        path.write_bytes(whole)
        flip(path, seed)
        home = tmp_path / str(seed)  # a home of its own: an open snapshot is not read again
        home.mkdir()
        folder(home).symlink_to(folder(tmp_path))
        assert current_snapshot(home).generation == "1", seed


@pytest.mark.parametrize(
    "content",
    [
        "",
        "garbage",
        "[]",
        "{}",
        '{"facts": 3}',
        '{"facts": "../../etc/passwd"}',
        '{"facts": "facts_1.duckdb", "results": "x"}',
        '{"facts": "facts_77.duckdb", "results": null}',
        "\x00\x00",
    ],
)
def test_a_damaged_pointer_gives_way_to_the_newest_whole_generation(content: str, tmp_path: Path) -> None:
    publish_next(tmp_path)
    publish_next(tmp_path)
    (folder(tmp_path) / "CURRENT").write_text(content)
    assert staff_seen(tmp_path) == 2
    assert current_generation(tmp_path) == "2"


def test_a_pointer_in_another_encoding_is_damage_too(tmp_path: Path) -> None:
    publish_next(tmp_path)
    (folder(tmp_path) / "CURRENT").write_bytes(b"\xff\xfe\x00")
    assert staff_seen(tmp_path) == 1
    assert publish_next(tmp_path) == 2


def test_when_nothing_is_whole_the_sentence_says_what_to_run(tmp_path: Path) -> None:
    publish_next(tmp_path)
    (folder(tmp_path) / "facts_1.duckdb").write_bytes(b"")
    assert published(tmp_path) == [1]
    with pytest.raises(Problem, match=r"no snapshot in .* is whole"):
        current_snapshot(tmp_path)


# --- a server that brings in new generations itself -----------------------------------------------


def bring_in(home: Path) -> Snapshot | None:
    """What a watcher does at one look."""
    pointer = pending(home)
    snapshot = prepare(home, pointer) if pointer else None
    if pointer and snapshot:
        adopt(home, pointer, snapshot)
    return snapshot


def test_held_readers_stay_with_their_generation_until_the_next_one_is_adopted(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        assert staff_seen(tmp_path) == 1  # the first one is opened at once
        assert pending(tmp_path) is None
        publish_next(tmp_path)
        pointer = pending(tmp_path)
        assert pointer
        snapshot = prepare(tmp_path, pointer)
        assert snapshot
        assert (staff_seen(tmp_path), current_generation(tmp_path)) == (1, "1")
        adopt(tmp_path, pointer, snapshot)
        assert (staff_seen(tmp_path), current_generation(tmp_path)) == (2, "2")
        assert pending(tmp_path) is None
        publish_next(tmp_path)
    assert staff_seen(tmp_path) == 3  # no longer held


def test_no_reader_waits_for_the_digest_of_a_new_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_next(tmp_path)
    verifying, go_on = threading.Event(), threading.Event()

    def slow_digest(path: Path) -> dict[str, object]:
        verifying.set()
        assert go_on.wait(30)
        return digest(path)

    with held(tmp_path):
        current_snapshot(tmp_path)
        publish_next(tmp_path)
        monkeypatch.setattr("data_access.snapshot.digest", slow_digest)
        watcher = threading.Thread(target=bring_in, args=(tmp_path,))
        watcher.start()
        assert verifying.wait(30)
        assert staff_seen(tmp_path) == 1  # answered while the file of the second generation is being read
        go_on.set()
        watcher.join()
        assert staff_seen(tmp_path) == 2


def test_a_pointer_written_again_to_the_same_generation_changes_nothing(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        before = current_snapshot(tmp_path)
        pointer = folder(tmp_path) / "CURRENT"
        pointer.write_text(pointer.read_text())
        assert pending(tmp_path) is None
        assert current_snapshot(tmp_path) is before


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_new_generation_that_is_damaged_leaves_the_old_one_in_use_and_says_so(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        current_snapshot(tmp_path)
        publish_next(tmp_path)
        DAMAGES[damage](folder(tmp_path) / "facts_2.duckdb")
        assert bring_in(tmp_path) is None
        assert staff_seen(tmp_path) == 1
        failure = unusable(tmp_path)
        assert failure
        assert failure.file == "facts_2.duckdb"
        assert f"facts_2.duckdb cannot be used: {failure.reason}" in caplog.text
        assert pending(tmp_path) is None  # not read again at every look
        monkeypatch.setattr("data_access.snapshot._TRY_AGAIN", 0)
        assert pending(tmp_path)  # but after a while
        assert bring_in(tmp_path) is None
        assert caplog.text.count("cannot be used") == 1
        publish_next(tmp_path)
        assert bring_in(tmp_path)
        assert staff_seen(tmp_path) == 3
        assert unusable(tmp_path) is None


def test_a_damaged_pointer_leaves_the_generation_in_use(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        current_snapshot(tmp_path)
        publish_next(tmp_path)
        pointer = folder(tmp_path) / "CURRENT"
        whole = pointer.read_text()
        pointer.write_text('{"facts": 3}')
        assert bring_in(tmp_path) is None
        assert unusable(tmp_path) == Unusable("CURRENT", "it names no facts file")
        assert staff_seen(tmp_path) == 1
        pointer.write_text(whole)
        assert bring_in(tmp_path)
        assert unusable(tmp_path) is None


def test_a_generation_out_of_use_is_open_only_while_somebody_holds_it(tmp_path: Path) -> None:
    publish_next(tmp_path)
    with held(tmp_path):
        old = current_snapshot(tmp_path)
        pool = old.engine.pool
        publish_next(tmp_path)
        bring_in(tmp_path)
        assert open_snapshot(tmp_path, "1") is old
        del old
        gc.collect()
        assert open_snapshot(tmp_path, "1") is None
        assert pool.checkedin() == 0  # its connections are closed
