"""The writing side of the snapshots: whole files, one atomic pointer, one writer of facts and one of results at a time.

A draft is built under a name of its own, flushed, described by its manifest, renamed to ``facts_<n>.duckdb`` or
``results_<m>.duckdb`` and only then named by CURRENT. A writer that dies at any instant leaves the old generation in
force and an orphan that the next writer of its kind sweeps. New facts keep the results that are in force until a batch
replaces them.
"""

import fcntl
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
from typing import Literal
from uuid import uuid4

from data_access import private
from data_access.errors import Problem
from data_access.snapshot import (
    CHECKED,
    POINTER,
    Pointer,
    digest,
    folder,
    is_whole,
    pointer_or_newest,
    published,
    read_pointer,
)


@dataclass(frozen=True)
class Kind:
    """One of the two files of a generation: its name, who writes it, their lock, and what their drafts begin with."""

    name: Literal["facts", "results"]
    writer: str
    lock: str
    drafts: str

    @property
    def file_and_beside(self) -> re.Pattern[str]:
        """facts_7.duckdb, its manifest facts_7.json and scratch folders of large queries: facts_7.duckdb.tmp of its
        writer, facts_7.duckdb.1a2b3c4d.tmp of a reader."""
        return re.compile(rf"{self.name}_(\d+)\.(?:duckdb|json|duckdb(?:\.[0-9a-f]+)?\.tmp)")


FACTS = Kind("facts", "refresh", "WRITER", "draft_")
RESULTS = Kind("results", "batch", "WRITER_OF_RESULTS", "batch_draft_")

_POINTING = "POINTER"  # the lock of whoever changes CURRENT, which both writers do
_KEEP = 2


@dataclass(frozen=True)
class Draft:
    """A generation being built: its number, the file to write, and a private folder for scratch files."""

    number: int
    path: Path
    scratch: Path
    kind: Kind = FACTS


@contextmanager
def writing(home: Path, kind: Kind = FACTS) -> Iterator[Draft]:
    """The right to write the next facts or results of ``home``; everything unpublished is gone afterwards.

    Problem when another process is writing them.
    """
    place = folder(home)
    private.folder(home)
    private.folder(place)
    private.close(home)
    # The lock file also remembers the last number given out, so that no path is ever used twice.
    with os.fdopen(os.open(place / kind.lock, os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Problem(f"another {kind.writer} is writing to {place}: wait until it has finished") from None
        _sweep(home, kind)
        number = max(_remembered(lock.read()), *published(home, kind.name), _pointed(home, kind)) + 1
        lock.seek(0)
        lock.truncate()
        lock.write(str(number))
        lock.flush()
        os.fsync(lock.fileno())
        scratch = place / f"{kind.drafts}{number}_{uuid4().hex}"
        scratch.mkdir(mode=0o700)
        try:
            yield Draft(number, scratch / f"{kind.name}.duckdb", scratch, kind)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def is_writing(home: Path, kind: Kind) -> bool:
    """Whether somebody has the right to write this kind of file at this moment."""
    try:
        with (folder(home) / kind.lock).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


class Copy:
    """A copy of a published file, made and verified by threads of its own while something else is waited for."""

    def __init__(self, published_file: Path, to: Path, background: ThreadPoolExecutor) -> None:
        self._from, self._to, self._background = published_file, to, background
        self._whole = background.submit(is_whole, published_file)
        self._made: Future[Path] | None = None

    def start(self) -> None:
        """Begins to copy, if nobody did yet."""
        if self._made is None:
            self._made = self._background.submit(shutil.copyfile, self._from, self._to)

    def is_whole(self) -> bool:
        """Waits until the published file is verified, and copied if that was begun; whether it has the bytes of its
        manifest."""
        if self._made:
            self._made.result()
        return self._whole.result()


@contextmanager
def copying(published_file: Path, to: Path) -> Iterator[Copy]:
    """A ``Copy`` that is verified at once and may be started; at the end of the block it is no longer at work."""
    with ThreadPoolExecutor(2) as background:
        yield Copy(published_file, to, background)


def note_checked(home: Path, generation: int, read_at: datetime) -> None:
    """Notes beside CURRENT that the CRM, read at this instant (UTC), held nothing that ``generation`` does not show."""
    write_whole(folder(home) / CHECKED, json.dumps({"generation": generation, "read_at": read_at.isoformat()}))


def publish(home: Path, draft: Draft, *, keep: int = _KEEP) -> None:
    """Puts the finished draft in force, beside the newest file of the other kind, and removes all but the last
    ``keep``."""
    place, kind = folder(home), draft.kind
    name = f"{kind.name}_{draft.number}.duckdb"
    if draft.number <= _pointed(home, kind):
        raise Problem(f"a newer snapshot than {name} is already in force in {place}: run the {kind.writer} again")
    with ThreadPoolExecutor(1) as beside:
        flushed = beside.submit(_flush, draft.path)
        manifest = digest(draft.path)
        flushed.result()
    write_whole(place / f"{kind.name}_{draft.number}.json", json.dumps(manifest), kind)
    os.replace(draft.path, place / name)
    _flush(place)
    with _pointing(place):
        _point(place, _named(home, kind, name), kind)
    _sweep(home, kind, keep)


def _named(home: Path, kind: Kind, name: str) -> Pointer:
    """What CURRENT is to name once ``name`` is in force."""
    if kind is RESULTS:
        return Pointer(pointer_or_newest(home).facts, name)
    try:
        before = read_pointer(home)
    except ValueError:  # a damaged pointer names nothing that could be kept
        before = None
    return Pointer(name, before.results if before else None)


@contextmanager
def _pointing(place: Path) -> Iterator[None]:
    """The right to change CURRENT; whoever has it keeps it for moments only."""
    with os.fdopen(os.open(place / _POINTING, os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _point(place: Path, pointer: Pointer, kind: Kind) -> None:
    write_whole(place / POINTER, json.dumps({"facts": pointer.facts, "results": pointer.results}), kind)


def write_whole(path: Path, text: str, kind: Kind = FACTS) -> None:
    """Writes a small file so that a reader sees the old or the new content, also after a power cut.

    For whoever has the right to write files of this ``kind``: others would sweep the half of it away.
    """
    beside = path.with_name(f"{kind.drafts}{uuid4().hex}")
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


def _pointed(home: Path, kind: Kind) -> int:
    """The number of the file in force; 0 without one."""
    try:
        pointer = read_pointer(home)
    except ValueError:  # a damaged pointer forbids nothing: the next publication replaces it
        return 0
    if pointer is None:
        return 0
    return pointer.number if kind is FACTS else pointer.results_number


def _sweep(home: Path, kind: Kind, many: int = _KEEP) -> None:
    """Removes what dead writers left and all but the last files; open readers keep what they have."""
    place = folder(home)
    keep = {*published(home, kind.name)[:many], _pointed(home, kind)}
    for path in place.iterdir():
        found = kind.file_and_beside.fullmatch(path.name)
        if path.name.startswith(kind.drafts) or (found and int(found[1]) not in keep):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
