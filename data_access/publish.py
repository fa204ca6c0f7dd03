"""The writing side of the snapshots: one writer at a time, whole files, one atomic pointer.

A draft is built under a name of its own, flushed, described by its manifest, renamed to ``facts_<n>.duckdb`` and
only then named by CURRENT. A writer that dies at any instant leaves the old generation in force and an orphan that
the next writer sweeps.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from data_access.errors import Problem
from data_access.snapshot import (
    CHECKED,
    POINTER,
    Pointer,
    digest,
    folder,
    manifest_of,
    published,
    read_pointer,
)

_LOCK = "WRITER"
_KEEP = 2
_CHUNK = 1 << 22  # bytes
# facts_7.duckdb, its manifest facts_7.json and the scratch folder facts_7.duckdb.tmp of a large query
_FACTS_AND_BESIDE = re.compile(r"facts_(\d+)\.(?:duckdb|json|duckdb\.tmp)")


@dataclass(frozen=True)
class Draft:
    """A generation being built: its number, the file to write, and a private folder for scratch files."""

    number: int
    path: Path
    scratch: Path


@contextmanager
def writing(home: Path) -> Iterator[Draft]:
    """The right to write the next generation of ``home``; everything unpublished is gone afterwards.

    Problem when another process is writing.
    """
    place = folder(home)
    place.mkdir(parents=True, exist_ok=True)
    # The lock file also remembers the last number given out, so that no path is ever used twice.
    with os.fdopen(os.open(place / _LOCK, os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"another refresh is writing to {place}: wait until it has finished") from None
        _sweep(home)
        number = max(_remembered(lock.read()), *published(home), _pointed(home)) + 1
        lock.seek(0)
        lock.truncate()
        lock.write(str(number))
        lock.flush()
        os.fsync(lock.fileno())
        scratch = place / f"draft_{number}_{uuid4().hex}"
        scratch.mkdir(mode=0o700)
        try:
            yield Draft(number, scratch / "facts.duckdb", scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


class Copy:
    """A copy of a published file, made and verified by a thread of its own while something else is waited for."""

    def __init__(self, published_file: Path, to: Path, background: ThreadPoolExecutor) -> None:
        self._from, self._to, self._background = published_file, to, background
        self._whole: Future[bool] | None = None

    def start(self) -> None:
        """Begins to copy, if nobody did yet."""
        if self._whole is None:
            self._whole = self._background.submit(_copy, self._from, self._to)

    def is_whole(self) -> bool:
        """Waits for the copy; whether it has the bytes of the manifest."""
        self.start()
        assert self._whole is not None
        return self._whole.result()


@contextmanager
def copying(published_file: Path, to: Path) -> Iterator[Copy]:
    """A ``Copy`` that may be started; at the end of the block it is no longer at work."""
    with ThreadPoolExecutor(1) as background:
        yield Copy(published_file, to, background)


def _copy(published_file: Path, to: Path) -> bool:
    seen = hashlib.sha256()
    with published_file.open("rb", buffering=0) as source, to.open("wb", buffering=0) as target:
        while chunk := source.read(_CHUNK):
            seen.update(chunk)
            target.write(chunk)
    return manifest_of(published_file) == {"bytes": to.stat().st_size, "sha256": seen.hexdigest()}


def note_checked(home: Path, generation: int, read_at: datetime) -> None:
    """Notes beside CURRENT that the CRM, read at this instant (UTC), held nothing that ``generation`` does not show."""
    write_whole(folder(home) / CHECKED, json.dumps({"generation": generation, "read_at": read_at.isoformat()}))


def publish(home: Path, draft: Draft) -> None:
    """Puts the finished draft in force and removes all but the last two generations."""
    place = folder(home)
    name = f"facts_{draft.number}.duckdb"
    if draft.number <= _pointed(home):
        raise Problem(f"a newer snapshot than {name} is already in force in {place}: run the refresh again")
    _flush(draft.path)
    write_whole(place / f"facts_{draft.number}.json", json.dumps(digest(draft.path)))
    os.replace(draft.path, place / name)
    _flush(place)
    _point(place, Pointer(name))
    _sweep(home)


def _point(place: Path, pointer: Pointer) -> None:
    write_whole(place / POINTER, json.dumps({"facts": pointer.facts, "results": pointer.results}))


def write_whole(path: Path, text: str) -> None:
    """Writes a small file so that a reader sees the old or the new content, also after a power cut."""
    beside = path.with_name(f"draft_{uuid4().hex}")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    _flush(path.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remembered(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0


def _pointed(home: Path) -> int:
    try:
        pointer = read_pointer(home)
    except ValueError:  # a damaged pointer forbids nothing: the next publication replaces it
        return 0
    return pointer.number if pointer else 0


def _sweep(home: Path) -> None:
    """Removes what dead writers left and all but the last generations; open readers keep what they have."""
    place = folder(home)
    keep = {*published(home)[:_KEEP], _pointed(home)}
    for path in place.iterdir():
        facts = _FACTS_AND_BESIDE.fullmatch(path.name)
        if path.name.startswith("draft_") or (facts and int(facts[1]) not in keep):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
