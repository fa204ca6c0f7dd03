"""Published generations of the facts: whole files under one pointer, opened read-only.

``<home>/snapshots`` holds ``facts_<n>.duckdb`` (never changed once published, a path is never used twice), its
manifest ``facts_<n>.json`` (size and SHA-256) and ``CURRENT``, a small JSON file that names the pair of facts and
results in force. A reader opens what CURRENT names and keeps it for as long as it holds the ``Snapshot``; a new
generation appears under a new name. The writing side is ``data_access.publish``.
"""

import hashlib
import json
import logging
import re
import threading
import weakref
from dataclasses import dataclass, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, QueuePool, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from data_access.errors import Problem
from data_access.marts.tables import generation_info

log = logging.getLogger(__name__)

POINTER = "CURRENT"
_FACTS = re.compile(r"facts_(\d+)\.duckdb")
_RESULTS = re.compile(r"results_(\d+)\.duckdb")
_CONFIG = {
    "memory_limit": "256MB",
    "threads": "2",
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


@dataclass(frozen=True)
class Snapshot:
    """One open generation. It stays readable for as long as it is held, whatever is published meanwhile."""

    generation: str  # "12" facts only, "12-3" facts and results
    engine: Engine
    info: GenerationInfo


@dataclass(frozen=True)
class Pointer:
    """The pair of files in force, by name within the snapshots folder."""

    facts: str
    results: str | None = None

    @property
    def number(self) -> int:
        return facts_number(self.facts)

    @property
    def generation(self) -> str:
        found = _RESULTS.fullmatch(self.results or "")
        return f"{self.number}-{found[1]}" if found else str(self.number)


def folder(home: Path) -> Path:
    """Where the generations of this home lie."""
    return home / "snapshots"


def facts_number(name: str) -> int:
    """The generation number in a facts file's name; ValueError for any other name."""
    found = _FACTS.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} is not the name of a facts file")
    return int(found[1])


def published(home: Path) -> list[int]:
    """The generation numbers of the facts files that lie in the folder, newest first."""
    found = (_FACTS.fullmatch(path.name) for path in folder(home).glob("facts_*.duckdb"))
    return sorted((int(name[1]) for name in found if name), reverse=True)


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


def digest(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file, as its manifest holds them."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


class _Readers:
    """The generations this process has open, shared by its threads.

    The newest is held; an older one lives only while somebody holds its ``Snapshot``, and its connections close
    with it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current: dict[Path, tuple[Pointer, Snapshot]] = {}
        self._alive: weakref.WeakValueDictionary[tuple[Path, str], Snapshot] = weakref.WeakValueDictionary()

    def opened_for(self, home: Path, pointer: Pointer) -> Snapshot | None:
        held = self._current.get(home)
        return held[1] if held and held[0] == pointer else None

    def get(self, home: Path) -> Snapshot:
        pointer = _pointer_or_newest(home)
        found = self.opened_for(home, pointer)
        if found:
            return found
        with self._lock:
            found = self.opened_for(home, pointer)
            if found:
                return found
            snapshot = self._open_newest_whole(home, pointer)
            self._current[home] = (pointer, snapshot)
            return snapshot

    def _open_newest_whole(self, home: Path, pointer: Pointer) -> Snapshot:
        candidates = [pointer] + [Pointer(f"facts_{n}.duckdb") for n in published(home) if n != pointer.number]
        for candidate in candidates:
            alive = self._alive.get((home, candidate.generation))
            if alive:
                return alive
            try:
                snapshot = _open(folder(home) / candidate.facts, candidate.generation)
            except (OSError, ValueError, SQLAlchemyError) as error:
                log.warning("snapshot %s cannot be used: %s", candidate.facts, error)
                continue
            if candidate != pointer:
                log.warning("showing snapshot %s instead of %s", candidate.facts, pointer.facts)
            self._alive[(home, candidate.generation)] = snapshot
            return snapshot
        raise Problem(f"no snapshot in {folder(home)} is whole: run `python -m data_access refresh` to build a new one")


_READERS = _Readers()


def current_snapshot(home: Path) -> Snapshot:
    """The generation in force, opened once per process and shared by its threads.

    A file that is missing or damaged is passed over with a warning in the log for the newest whole generation.
    Problem when there is none.
    """
    return _READERS.get(home.resolve())


def current_generation(home: Path) -> str:
    """The name of the generation in force ("12", or "12-3" with results); reads only the pointer."""
    home = home.resolve()
    pointer = _pointer_or_newest(home)
    opened = _READERS.opened_for(home, pointer)
    return opened.generation if opened else pointer.generation


def _pointer_or_newest(home: Path) -> Pointer:
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


def _open(path: Path, generation: str) -> Snapshot:
    manifest = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    if digest(path) != manifest:
        raise ValueError("its bytes are not those that were published")
    engine = create_engine(
        f"duckdb:///{path.as_posix()}",
        connect_args={"read_only": True, "config": _CONFIG},
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=24,
    )
    try:
        with engine.connect() as connection:
            columns = [generation_info.c[field.name] for field in fields(GenerationInfo)]
            info = GenerationInfo(**connection.execute(select(*columns)).one()._asdict())
    except SQLAlchemyError:
        engine.dispose()
        raise
    snapshot = Snapshot(generation, engine, info)
    weakref.finalize(snapshot, engine.dispose)
    return snapshot
