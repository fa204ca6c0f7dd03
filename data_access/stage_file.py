"""The staged copy of the CRM that a refresh leaves for the next one, so that it need read only what has changed.

``<home>/stage/stage.duckdb`` holds one table per source, typed as the canonical CRM is. It is the refresh's own: it
has the CRM's ids, so its folder is closed to everybody else and no page ever opens it, but no name, contact or
birthday. It can be deleted at any time; the next refresh then reads everything.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from sqlalchemy import Engine

from data_access import profiles
from data_access.contract import ContractReport
from data_access.marts import customer, places, return_line, sale_order
from data_access.marts._sql import mart_sql
from data_access.marts.build import FACTS
from data_access.marts.registry import MARTS
from data_access.marts.tables import facts
from data_access.readers import literal
from data_access.staging import SOURCES

# How files are written that only this version of DuckDB has to read: text compresses in three quarters of the time.
COMPACT = "STORAGE_VERSION 'latest'"

_STATE = """
    CREATE TABLE IF NOT EXISTS {0}.state (generation INTEGER, fingerprint VARCHAR, read_in_full_at TIMESTAMP);
    CREATE TABLE IF NOT EXISTS {0}.collected (table_name VARCHAR, present VARCHAR, watermark TIMESTAMP)
"""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was read of one table: its columns and types, and the newest ``updated_at`` that can be relied on."""

    present: str
    watermark: datetime | None


@dataclass(frozen=True, slots=True)
class StageState:
    """The generation the staged copy belongs to, when it was last read in full (UTC), and its tables."""

    generation: int
    read_in_full_at: datetime
    tables: Mapping[str, Remembered]


def stage_path(home: Path) -> Path:
    """Where the staged copy of this home lies."""
    return home / "stage" / "stage.duckdb"


@contextmanager
def attached(work: duckdb.DuckDBPyConnection, path: Path, name: str) -> Iterator[None]:
    """The staged copy as database ``name`` of ``work``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.chmod(path.parent, 0o700)
    work.execute(f"ATTACH {literal(path)} AS {name} ({COMPACT})")
    try:
        yield
    finally:
        work.execute(f"DETACH {name}")


def remove(home: Path) -> None:
    """Forgets the staged copy."""
    path = stage_path(home)
    for name in (path, path.with_name(path.name + ".wal")):
        name.unlink(missing_ok=True)


def fingerprint(engine: Engine, key: bytes) -> str:
    """Changes with whatever would make a staged copy or its facts mean something else: the database, the pseudonym
    key, the tables and sources of this version, the engine that wrote the file."""
    parts = [
        engine.url.render_as_string(hide_password=True),
        hashlib.sha256(key).hexdigest(),
        duckdb.__version__,
        repr(SOURCES),
        *(repr((t.name, [(c.name, str(c.type)) for c in t.c])) for t in facts.sorted_tables),
        *FACTS.values(),
        profiles.SHARED_CONTACT,
        *(customer.WITHOUT_BIRTHDAY, places.STORE, return_line.SQL, sale_order.SQL),
        *(mart_sql(mart, "facts") for mart in MARTS),
    ]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def read_state(work: duckdb.DuckDBPyConnection, name: str, expected: str) -> StageState | None:
    """The state of the attached copy; None where it is unfinished or of another fingerprint than ``expected``."""
    work.execute(_STATE.format(name))
    row = work.execute(f"SELECT generation, read_in_full_at FROM {name}.state WHERE fingerprint = ?", [expected])
    found = row.fetchone()
    if found is None:
        return None
    tables = work.execute(f"SELECT table_name, present, watermark FROM {name}.collected").fetchall()
    return StageState(found[0], found[1], {table: Remembered(present, mark) for table, present, mark in tables})


def begin(work: duckdb.DuckDBPyConnection, name: str) -> None:
    """Marks the copy as unfinished: whoever finds it so reads everything again."""
    work.execute(_STATE.format(name))
    work.execute(f"DELETE FROM {name}.state")


def finish(work: duckdb.DuckDBPyConnection, name: str, state: StageState, expected: str) -> None:
    """Marks the copy as that of a published generation."""
    work.execute(f"DELETE FROM {name}.collected")
    if state.tables:
        work.executemany(
            f"INSERT INTO {name}.collected VALUES (?, ?, ?)",
            [(table, seen.present, seen.watermark) for table, seen in state.tables.items()],
        )
    work.execute(f"INSERT INTO {name}.state VALUES (?, ?, ?)", [state.generation, expected, state.read_in_full_at])


def described(contract: ContractReport, table: str) -> str:
    """The columns of a CRM table and what changed about their types, to notice the next drift."""
    state = contract[table]
    return ",".join(state.present) + "|" + ",".join(state.changed)
