"""Published generations of the facts and of what a batch computed from them: whole files under one pointer, read-only.

``<home>/snapshots`` holds ``facts_<n>.duckdb`` and ``results_<m>.duckdb`` (never changed once published, a path is
never used twice), their manifests ``facts_<n>.json`` (size and SHA-256) and ``CURRENT``, a small JSON file that names
the pair of facts and results in force; ``CHECKED`` says when the CRM was last found to hold nothing newer than they do.
A reader opens what CURRENT names and keeps it for as long as it holds the ``Snapshot``; a new generation appears under
a new name. Where the results cannot be opened, the facts are shown without them. The writing side is
``data_access.publish``.

A program that runs once asks ``current_snapshot``, which looks at CURRENT each time. A server cannot let a click wait
until a file of a gigabyte is verified: it looks itself, within ``held``, for what is ``pending``, opens that with
``prepare`` and only then puts it in use with ``adopt``.
"""

import hashlib
import json
import logging
import os
import re
import secrets
import threading
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, QueuePool, Table, create_engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from data_access.errors import Problem
from data_access.marts.tables import generation_info
from data_access.results.tables import JOB as JOB_OF_TABLE
from data_access.results.tables import result_info
from data_access.results.tables import results as results_tables

log = logging.getLogger(__name__)

POINTER = "CURRENT"
CHECKED = "CHECKED"
_FACTS = re.compile(r"facts_(\d+)\.duckdb")
_RESULTS = re.compile(r"results_(\d+)\.duckdb")
# Where this process writes what a large query cannot hold: two processes with one folder overwrite each other's rows.
_SCRATCH = f"{secrets.token_hex(4)}.tmp"
_BATCH_MEMORY = "1GB"  # a batch adds up all customers at once, a page shows some
_TRY_AGAIN = 60.0  # seconds until a generation that could not be opened is tried once more
_CONFIG = {
    "memory_limit": "256MB",
    "threads": "2",
    # the newest of some sorted rows: reading the other columns of the few in a second pass takes five times as long
    "late_materialization_max_rows": "0",
    # a query can reach nothing but the file that was opened
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}


@dataclass(frozen=True)
class GenerationInfo:
    """What one facts file says about itself; ``as_of`` is a store-local instant, ``built_at`` is UTC.

    read_at: UTC instant at which the CRM was read; None where the file does not say.
    mode: full (every row was read) | changes; None where the file does not say.
    """

    generation: int
    built_at: datetime
    as_of: datetime
    first_day: date | None
    last_day: date | None
    currency: str
    is_demo: bool
    read_at: datetime | None = None
    mode: str | None = None


class OpenFile:
    """A published file, open read-only. Its connections close with the last snapshot that holds it."""

    def __init__(self, path: Path, memory: str = _CONFIG["memory_limit"], threads: str = _CONFIG["threads"]) -> None:
        self.path = path
        config = _CONFIG | {
            "memory_limit": memory,
            "threads": threads,
            "temp_directory": f"{path.resolve().as_posix()}.{_SCRATCH}",
        }
        self.engine = create_engine(
            f"duckdb:///{path.as_posix()}",
            connect_args={"read_only": True, "config": config},
            poolclass=QueuePool,
            pool_size=8,
            max_overflow=24,
            # nothing is ever written, so to begin and to roll back around each query would only cost time
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            pool_reset_on_return=None,
        )
        weakref.finalize(self, self.engine.dispose)


@dataclass(frozen=True)
class Snapshot:
    """One open generation. It stays readable for as long as it is held, whatever is published meanwhile."""

    generation: str  # "12" facts only, "12-3" facts and results
    engine: Engine
    info: GenerationInfo
    results: Engine | None = None  # what the batch computed; None: nothing yet, or its file cannot be used
    files: tuple[OpenFile, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True)
class Pointer:
    """The pair of files in force, by name within the snapshots folder."""

    facts: str
    results: str | None = None

    @property
    def number(self) -> int:
        return facts_number(self.facts)

    @property
    def results_number(self) -> int:
        """0 without results."""
        found = _RESULTS.fullmatch(self.results or "")
        return int(found[1]) if found else 0

    @property
    def generation(self) -> str:
        return f"{self.number}-{self.results_number}" if self.results_number else str(self.number)

    @property
    def without_results(self) -> "Pointer":
        return Pointer(self.facts)


def folder(home: Path) -> Path:
    """Where the generations of this home lie."""
    return home / "snapshots"


def facts_number(name: str) -> int:
    """The generation number in a facts file's name; ValueError for any other name."""
    found = _FACTS.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} is not the name of a facts file")
    return int(found[1])


def published(home: Path, kind: Literal["facts", "results"] = "facts") -> list[int]:
    """The numbers of the files of one kind that lie in the folder, newest first."""
    pattern = _FACTS if kind == "facts" else _RESULTS
    found = (pattern.fullmatch(path.name) for path in folder(home).glob(f"{kind}_*.duckdb"))
    return sorted((int(name[1]) for name in found if name), reverse=True)


def whole_results(home: Path) -> Path | None:
    """The newest results file that has the bytes of its manifest; None without one."""
    paths = (folder(home) / f"results_{number}.duckdb" for number in published(home, "results"))
    return next((path for path in paths if is_whole(path)), None)


def read_pointer(home: Path) -> Pointer | None:
    """What CURRENT names; None where it is absent. ValueError when it is not a pointer."""
    try:
        text = (folder(home) / POINTER).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    content = json.loads(text)
    if not isinstance(content, dict) or not isinstance(content.get("facts"), str):
        raise ValueError("it names no facts file")
    results = content.get("results")
    if results is not None and not (isinstance(results, str) and _RESULTS.fullmatch(results)):
        raise ValueError("it names something else than a results file")
    facts_number(content["facts"])
    return Pointer(content["facts"], results)


def last_read_at(home: Path, info: GenerationInfo) -> datetime:
    """When the CRM was last read for this generation (UTC): when it was built, or checked since without a change."""
    built = info.read_at or info.built_at
    try:
        noted = json.loads((folder(home) / CHECKED).read_text(encoding="utf-8"))
        return max(built, datetime.fromisoformat(noted["read_at"])) if noted["generation"] == info.generation else built
    except FileNotFoundError:
        return built
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.warning("%s cannot be used: %s", folder(home) / CHECKED, error)
        return built


def is_whole(path: Path) -> bool:
    """Whether a published file still has the bytes of its manifest."""
    try:
        return digest(path) == manifest_of(path)
    except OSError:
        return False


def manifest_of(path: Path) -> Any:
    """What was noted of a file when it was published, as ``digest`` gives it; None where that cannot be read."""
    try:
        return json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def digest(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, as its manifest holds them."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


@dataclass(frozen=True)
class Unusable:
    """What CURRENT named and could not be opened: the file, and why in one sentence of the system."""

    file: str
    reason: str


class _Readers:
    """The generations this process has open, shared by its threads.

    The one in use is kept; another one lives only while somebody holds its ``Snapshot``, and its connections close
    with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._in_use: dict[Path, tuple[Pointer, Snapshot]] = {}
        self._alive: weakref.WeakValueDictionary[tuple[Path, str], Snapshot] = weakref.WeakValueDictionary()
        self._files: weakref.WeakValueDictionary[Path, OpenFile] = weakref.WeakValueDictionary()
        self._failed: dict[Path, tuple[Unusable, float]] = {}
        self._held: set[Path] = set()

    # --- whoever reads --------------------------------------------------------------------------

    def get(self, home: Path) -> Snapshot:
        found = self._ready(home)
        if found:
            return found
        with self._lock:
            found = self._ready(home)  # another thread may have opened it meanwhile
            if found:
                return found
            pointer = pointer_or_newest(home)
            snapshot = self._open_newest_whole(home, pointer)
            self._in_use[home] = (pointer, snapshot)
            return snapshot

    def generation(self, home: Path) -> str:
        found = self._ready(home)
        return found.generation if found else pointer_or_newest(home).generation

    def alive(self, home: Path, generation: str) -> Snapshot | None:
        return self._alive.get((home, generation))

    def unusable(self, home: Path) -> Unusable | None:
        failed = self._failed.get(home)
        return failed[0] if failed else None

    def _ready(self, home: Path) -> Snapshot | None:
        """What is in use, if CURRENT still names it or the home is held."""
        in_use = self._in_use.get(home)
        if in_use and (home in self._held or in_use[0] == pointer_or_newest(home)):
            return in_use[1]
        return None

    def _open_newest_whole(self, home: Path, pointer: Pointer) -> Snapshot:
        candidates = [pointer] + [Pointer(f"facts_{n}.duckdb") for n in published(home) if n != pointer.number]
        for candidate in candidates:
            snapshot = self._open(home, candidate, wanted=candidate == pointer)
            if snapshot and candidate != pointer:
                log.warning("showing snapshot %s instead of %s", candidate.facts, pointer.facts)
            if snapshot:
                return snapshot
        raise Problem(f"no snapshot in {folder(home)} is whole: run `python -m data_access refresh` to build a new one")

    def _open(self, home: Path, pointer: Pointer, *, wanted: bool) -> Snapshot | None:
        """The generation, without results where they cannot be opened; None when its facts cannot be.

        Either is remembered where it is the ``wanted`` one.
        """
        snapshot = self.alive(home, pointer.generation)
        if snapshot is None:
            facts = self._file(home, pointer.facts, wanted=wanted)
            if facts is None:
                return None
            results = self._file(home, pointer.results, wanted=wanted) if pointer.results else None
            found = pointer if results else pointer.without_results
            snapshot = self.alive(home, found.generation) or _snapshot(found.generation, facts, results)
            self._alive[(home, found.generation)] = snapshot
        if wanted and (snapshot.results is not None or pointer.results is None):
            self._failed.pop(home, None)
        return snapshot

    def _file(self, home: Path, name: str, *, wanted: bool) -> OpenFile | None:
        """A published file, verified when it is first opened; None when it cannot be."""
        path = folder(home) / name
        file = self._files.get(path)
        if file is None:
            try:
                file = _verified(path)
            except (OSError, ValueError, SQLAlchemyError) as error:
                self._note(home, Unusable(name, _in_one_line(error)), wanted=wanted)
                return None
            self._files[path] = file
        return file

    def _note(self, home: Path, failure: Unusable, *, wanted: bool = True) -> None:
        if self.unusable(home) != failure:
            log.warning("%s cannot be used: %s", failure.file, failure.reason)
        if wanted:
            self._failed[home] = (failure, time.monotonic())

    # --- whoever brings in new generations ------------------------------------------------------

    @contextmanager
    def held(self, home: Path) -> Iterator[None]:
        self._held.add(home)
        try:
            yield
        finally:
            self._held.discard(home)

    def pending(self, home: Path) -> Pointer | None:
        try:
            pointer = read_pointer(home)
        except (OSError, ValueError) as error:
            self._note(home, Unusable(POINTER, _in_one_line(error)))
            return None
        in_use = self._in_use.get(home)
        if pointer is None or in_use is None:
            return None
        failed = self._failed.get(home)
        if failed and failed[0].file == pointer.facts:
            return pointer if time.monotonic() - failed[1] >= _TRY_AGAIN else None
        if in_use[0] == pointer:
            if failed and failed[0].file != pointer.results:
                self._failed.pop(home, None)  # what failed is no longer named
            return None
        return pointer

    def prepare(self, home: Path, pointer: Pointer) -> Snapshot | None:
        return self._open(home, pointer, wanted=True)

    def adopt(self, home: Path, pointer: Pointer, snapshot: Snapshot) -> None:
        with self._lock:
            self._in_use[home] = (pointer, snapshot)


_READERS = _Readers()


def current_snapshot(home: Path) -> Snapshot:
    """The generation in force, opened once per process and shared by its threads.

    A file that is missing or damaged is passed over with a warning in the log for the newest whole generation.
    Problem when there is none. Within ``held`` the generation in use, without a look at the disk.
    """
    return _READERS.get(_absolute(home))


def current_generation(home: Path) -> str:
    """The name of the generation in force ("12", or "12-3" with results); reads only the pointer."""
    return _READERS.generation(_absolute(home))


def open_snapshot(home: Path, generation: str) -> Snapshot | None:
    """A generation that somebody in this process still holds; None when nobody does."""
    return _READERS.alive(_absolute(home), generation)


def unusable(home: Path) -> Unusable | None:
    """What CURRENT named when it was last looked at and could not be opened; None when all is well."""
    return _READERS.unusable(_absolute(home))


def _absolute(home: Path) -> Path:
    # Not resolve(), which asks the disk for every folder on the way: a page asks a hundred times.
    return Path(os.path.abspath(home))


@contextmanager
def held(home: Path) -> Iterator[None]:
    """Within this, readers keep the generation in use until ``adopt``, whatever CURRENT names meanwhile."""
    with _READERS.held(_absolute(home)):
        yield


def pending(home: Path) -> Pointer | None:
    """What CURRENT names, where that is another generation than the one in use; reads only the pointer.

    None, too, while nothing is open yet, and for a minute after that generation could not be opened.
    """
    return _READERS.pending(_absolute(home))


def prepare(home: Path, pointer: Pointer) -> Snapshot | None:
    """Opens and verifies a generation beside the one in use; seconds for a large file, and no reader waits.

    None when it cannot be opened: the log and ``unusable`` say why.
    """
    return _READERS.prepare(_absolute(home), pointer)


def adopt(home: Path, pointer: Pointer, snapshot: Snapshot) -> None:
    """Puts a prepared generation in use: the next reader gets it, whoever holds the old one goes on reading it."""
    _READERS.adopt(_absolute(home), pointer, snapshot)


def _in_one_line(error: Exception) -> str:
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def pointer_or_newest(home: Path) -> Pointer:
    """What CURRENT names; where it names nothing, the newest facts in the folder. Problem when there are none."""
    try:
        pointer = read_pointer(home)
    except (OSError, ValueError) as error:
        log.warning("%s cannot be used: %s", folder(home) / POINTER, error)
        pointer = None
    if pointer:
        return pointer
    numbers = published(home)
    if not numbers:
        raise Problem(f"there is no snapshot in {folder(home)} yet: run `python -m data_access refresh`")
    return Pointer(f"facts_{numbers[0]}.duckdb")


def reopened(facts_file: Path, results_file: Path | None, generation: str) -> Snapshot:
    """The files of a snapshot that somebody has verified, for a process of its own that works for that one.

    The other cores have processes of their own: a second thread for a query would cost a sixth more.
    """
    facts = OpenFile(facts_file, _BATCH_MEMORY, threads="1")
    results = OpenFile(results_file, threads="1") if results_file else None
    return _snapshot(generation, facts, results)


def _verified(path: Path) -> OpenFile:
    """Opens a published file. ValueError when it is not what was published, or of another version of the program."""
    manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if digest(path) != manifest:
        raise ValueError("its bytes are not those that were published")
    file = OpenFile(path)
    if _RESULTS.fullmatch(path.name):
        jobs = _jobs(file)
        asked = [table for table in results_tables.sorted_tables if table.info.get(JOB_OF_TABLE) in (None, *jobs)]
        if missing := not_as_declared(file.engine, asked):
            raise ValueError(f"another version of the program wrote it, without {missing[0]} as it is now")
    else:
        _info(file)
    return file


def _jobs(file: OpenFile) -> list[str]:
    """The jobs that a results file says something of."""
    with file.engine.connect() as connection:
        return list(connection.execute(select(result_info.c.job)).scalars())


def not_as_declared(engine: Engine, tables: Collection[Table]) -> list[str]:
    """The names of the tables that a results file has not, or with other columns than they have now."""
    query = text("SELECT table_name, column_name FROM duckdb_columns()")
    there: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, column in connection.execute(query):
            there.setdefault(table, set()).add(column)
    return [table.name for table in tables if set(table.c.keys()) != there.get(table.name, set())]


def _info(file: OpenFile) -> GenerationInfo:
    with file.engine.connect() as connection:
        columns = [generation_info.c[field.name] for field in fields(GenerationInfo)]
        return GenerationInfo(**connection.execute(select(*columns)).one()._asdict())


def _snapshot(generation: str, facts: OpenFile, results: OpenFile | None) -> Snapshot:
    files = (facts, results) if results else (facts,)
    return Snapshot(generation, facts.engine, _info(facts), results.engine if results else None, files)
