"""What a batch is doing: a small file beside the snapshots, ``BATCH``, written by the batch and read by pages."""

import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_access.publish import RESULTS, is_writing, write_whole
from data_access.snapshot import folder

log = logging.getLogger(__name__)

_FILE = "BATCH"
_EVERY = 0.5  # seconds between two writes within a job
_TELLING = 3  # steps from which on their pace tells something: the largest come first


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch; instants are UTC.

    generation: of the facts it computes from. job: what it is at, with ``done`` of ``total`` steps; None between jobs.
    finished: jobs whose results are ready. failed: jobs that ended with an error, and the sentence. ended_at: None
    while it is at work.
    """

    generation: int
    started_at: datetime
    job: str | None = None
    job_started_at: datetime | None = None
    done: int = 0
    total: int = 0
    finished: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    ended_at: datetime | None = None

    @property
    def share(self) -> float | None:
        """How much of the job is done; None while nobody knows."""
        return self.done / self.total if self.total else None

    def remaining(self, now: datetime) -> float | None:
        """Seconds until the job is done if it goes on like this; None while nobody knows."""
        if self.done < _TELLING or self.job_started_at is None:
            return None
        return (now - self.job_started_at).total_seconds() / self.done * (self.total - self.done)


def progress(home: Path) -> Progress | None:
    """The batch at work; None when there is none."""
    return last(home) if is_writing(home, RESULTS) else None


def last(home: Path) -> Progress | None:
    """The last batch, whether it is at work, has ended or died; None when there was none or nobody can tell."""
    path = folder(home) / _FILE
    try:
        noted = json.loads(path.read_text(encoding="utf-8"))
        known = {one.name for one in fields(Progress)}
        found = {name: value for name, value in noted.items() if name in known}
        for name in ("started_at", "job_started_at", "ended_at"):
            found[name] = datetime.fromisoformat(found[name]) if found[name] else None
        return Progress(**{**found, "finished": tuple(found["finished"])})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be used: %s", path, error)
        return None


class Teller:
    """Keeps the file up to date, for whoever has the right to write results, and says the same on the terminal."""

    def __init__(self, home: Path, generation: int, say: Callable[[str], None]) -> None:
        self._path, self._say = folder(home) / _FILE, say
        self._now = Progress(generation, _utc())
        self._written = 0.0
        self._write()

    def begin(self, job: str) -> None:
        self._change(job=job, job_started_at=_utc(), done=0, total=0)

    def step(self, done: int, total: int) -> None:
        """So many steps of the job are done."""
        self._now = replace(self._now, done=done, total=total)
        if done == total or time.monotonic() - self._written >= _EVERY:
            self._write()
            self._say(_line(self._now))

    def finish(self, job: str) -> None:
        self._change(job=None, finished=(*self._now.finished, job))

    def fail(self, job: str, sentence: str) -> None:
        self._change(job=None, failed={**self._now.failed, job: sentence})

    def end(self) -> None:
        self._change(job=None, ended_at=_utc())

    def _change(self, **values: Any) -> None:
        self._now = replace(self._now, **values)
        self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        try:
            write_whole(self._path, json.dumps(asdict(self._now), default=datetime.isoformat), RESULTS)
        except OSError as error:
            # Nobody sees how far it is, but the work itself may still succeed, or says better what is wrong.
            log.warning("%s cannot be written: %s", self._path, error)


def _line(now: Progress) -> str:
    left = now.remaining(_utc())
    more = "" if left is None or now.done == now.total else f", about {left:,.0f} s left"
    return f"{now.job}: {now.done:,} of {now.total:,}{more}"


def _utc() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
