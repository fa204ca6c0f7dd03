"""Refresh under fire: killed, in competition, without disk. Slow; run by make test-slow."""

import gc
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select, update

from data_access import schema
from data_access.crm import crm_engine
from data_access.marts.tables import generation_info, product, store
from data_access.refresh import refresh
from data_access.snapshot import (
    adopt,
    current_generation,
    current_snapshot,
    folder,
    held,
    open_snapshot,
    pending,
    prepare,
    published,
)
from tests import tiny_crm

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
KILLS = 20

# Before each refresh the CRM's stores and products all take the number of the round.
ENDLESS = """
    from sqlalchemy import update
    from data_access.schema import product, store
    for number in range(first, first + 1_000_000):
        print("refreshing", flush=True)
        with engine.begin() as connection:
            connection.execute(update(store).values(area_m2=number))
            connection.execute(update(product).values(list_price=number))
        refresh(engine, home)
"""

ONCE = """
    from data_access.errors import Problem
    try:
        print("published", refresh(engine, home).generation)
    except Problem as problem:
        print("problem", problem)
"""


def start(home: Path, what: str, before: str = "first = 0") -> "subprocess.Popen[str]":
    """A process of its own that refreshes ``home`` from the CRM in it."""
    script = f"""
    import sys
    from pathlib import Path
    {before}
    from data_access.crm import crm_engine
    from data_access.refresh import refresh
    home = Path(sys.argv[1])
    engine = crm_engine(f"sqlite:///{{home}}/crm.sqlite")
    """
    code = textwrap.dedent(script) + textwrap.dedent(what)
    return subprocess.Popen([sys.executable, "-c", code, str(home)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def await_round(process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    assert process.stdout.readline() == "refreshing\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a tiny CRM whose stores and products say 0, and its first generation."""
    content = tiny_crm.rows()
    content["sale_order"] = [o for o in content["sale_order"] if o["store_id"] != "S9"]
    content["sale_line"] = [line for line in content["sale_line"] if line["product_id"] != "P9"]
    for row in content["store"]:
        row["area_m2"] = 0
    for row in content["product"]:
        row["list_price"] = 0
    engine = crm_engine(f"sqlite:///{tmp_path}/crm.sqlite")
    tiny_crm.fill(engine, content)
    refresh(engine, tmp_path)
    engine.dispose()
    return tmp_path


class Readers:
    """Threads that read two tables of the generation in force, one after the other, until told to stop."""

    def __init__(self, home: Path) -> None:
        self.reads = 0
        self.newest = 0
        self.torn: list[str] = []
        self._home = home
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(3)]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self) -> None:
        newest = 0
        while not self._stop.is_set():
            try:
                with current_snapshot(self._home).engine.connect() as connection:
                    areas = set(connection.scalars(select(store.c.area_m2)))
                    time.sleep(random.random() / 100)
                    prices = set(map(float, connection.scalars(select(product.c.list_price))))
                    generation = connection.scalar(select(generation_info.c.generation)) or 0
            except Exception as error:  # noqa: BLE001  (any failure of a reader is a failure of the promise)
                self.torn.append(repr(error))
                continue
            if areas != prices or len(areas) != 1:
                self.torn.append(f"generation {generation}: {areas} {prices}")
            if generation < newest:
                self.torn.append(f"generation {generation} after {newest}")
            newest = generation
            self.newest = max(self.newest, newest)
            self.reads += 1


def test_readers_see_whole_generations_while_refreshes_are_killed(home: Path) -> None:
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    chance = random.Random(7)
    with Readers(home) as readers:
        for kill in range(KILLS):
            process = start(home, ENDLESS, before=f"first = {1 + kill * 1000}")
            await_round(process)
            started = time.monotonic()
            await_round(process)  # the first refresh of this process is through
            time.sleep(chance.uniform(0, 1.2) * (time.monotonic() - started))
            process.send_signal(signal.SIGKILL)
            process.communicate()
    assert readers.torn == []
    assert readers.reads > KILLS
    last = refresh(engine, home)
    assert int(last.generation) > KILLS
    assert readers.newest > KILLS
    assert current_generation(home) == last.generation
    assert len(published(home)) == 2
    assert not list(folder(home).glob("draft_*"))


SWAPS = 40


def test_thousands_of_reads_see_whole_generations_while_a_watcher_swaps_them(home: Path) -> None:
    """As a server does it: readers never open a file, one thread verifies and adopts; every fifth file is damaged."""
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    adopted = 0
    with held(home):
        current_snapshot(home)
        with Readers(home) as readers:
            for number in range(1, SWAPS + 1):
                with engine.begin() as connection:
                    connection.execute(update(schema.store).values(area_m2=number))
                    connection.execute(update(schema.product).values(list_price=number))
                generation = refresh(engine, home).generation
                damaged = number % 5 == 0
                if damaged:
                    (folder(home) / f"facts_{generation}.duckdb").write_bytes(b"cut")
                pointer = pending(home)
                assert pointer
                snapshot = prepare(home, pointer)
                assert (snapshot is None) == damaged
                if snapshot:
                    adopt(home, pointer, snapshot)
                    adopted += 1
                    del snapshot
                assert len(open_generations(home)) <= 3  # in use, and what a reader began with a moment ago
            while readers.reads < 2_000:
                time.sleep(0.01)
        assert readers.torn == []
        assert adopted == SWAPS - SWAPS // 5
        gc.collect()
        assert open_generations(home) == [current_generation(home)]


def open_generations(home: Path) -> list[str]:
    """The generations that this process still holds."""
    return [str(number) for number in range(1, SWAPS + 2) if open_snapshot(home, str(number))]


def test_of_refreshes_at_once_each_publishes_or_says_why_not_and_the_newest_is_in_force(home: Path) -> None:
    said = []
    for _ in range(3):
        processes = [start(home, ONCE) for _ in range(3)]
        said += [process.communicate(timeout=120)[0].strip() for process in processes]
    numbers = [int(line.split()[1]) for line in said if line.startswith("published")]
    refused = [line for line in said if line.startswith("problem another refresh is writing")]
    assert len(numbers) + len(refused) == 9
    assert len(set(numbers)) == len(numbers) >= 3
    assert current_generation(home) == str(max(numbers))


@pytest.mark.parametrize("limit", [100_000, 600_000])
def test_a_full_disk_is_a_sentence_and_the_generation_in_force_stays(limit: int, home: Path) -> None:
    with crm_engine(f"sqlite:///{home}/crm.sqlite").begin() as connection:  # without a change there is little to write
        connection.execute(update(schema.store).values(area_m2=1))
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    said, _ = start(home, ONCE, before=full).communicate(timeout=120)
    assert said.startswith("problem the refresh could not"), said
    assert "the snapshot in force stays" in said
    assert current_generation(home) == "1"
    assert not list(folder(home).glob("draft_*"))
    with current_snapshot(home).engine.connect() as connection:
        assert set(connection.scalars(select(store.c.area_m2))) == {0.0}


def test_a_crm_locked_by_another_program_is_a_sentence(home: Path) -> None:
    engine = crm_engine(f"sqlite:///{home}/crm.sqlite")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")  # without a write-ahead log a writer shuts readers out
        connection.exec_driver_sql("BEGIN EXCLUSIVE")
        said, _ = start(home, ONCE).communicate(timeout=120)
    assert said.startswith("problem the CRM database"), said
    assert "locked" in said
    assert current_generation(home) == "1"
