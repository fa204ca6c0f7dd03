"""The batch: whatever takes longer than a click, computed once per generation of the facts and published as results.

Each job's rows are kept while its fingerprint stays the same, taken over from a batch that died, or computed. A job
that fails costs nobody else anything: its older rows stay. What comes out is one results file, put in force at once
beside the facts (``data_access.publish``). One batch runs at a time; a refresh may run meanwhile.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from data_access import publish
from data_access.errors import Problem
from data_access.results import parts
from data_access.results.failures import OF_THE_MACHINE, reason, sentence
from data_access.results.forget import names_any
from data_access.results.info import JobInfo
from data_access.results.parts import Held
from data_access.results.progress import Teller, last, progress
from data_access.results.tables import ResultTable
from data_access.snapshot import Snapshot, current_snapshot, whole_results
from models.jobs.affinity import JOB as AFFINITY
from models.jobs.attribution import JOB as ATTRIBUTION
from models.jobs.campaign_segments import JOB as CAMPAIGN_SEGMENTS
from models.jobs.campaign_sums import JOB as CAMPAIGN_SUMS
from models.jobs.campaigns import JOB as CAMPAIGNS
from models.jobs.forecast import JOB as FORECAST
from models.jobs.job import Job, cpu_seconds, one_thread, shared_processes
from models.jobs.lapse import JOB as LAPSE
from models.jobs.movement import JOB as MOVEMENT
from models.jobs.presets import JOB as PRESETS
from models.jobs.run_out import JOB as RUN_OUT
from models.jobs.staff import JOB as STAFF
from models.jobs.stock import JOB as STOCK
from models.jobs.stores import JOB as STORES
from models.jobs.teams import JOB as TEAMS
from models.jobs.training import JOB as TRAINING
from models.jobs.value import JOB as VALUE

__all__ = ["JOBS", "BatchReport", "Job", "batch", "describe"]

log = logging.getLogger(__name__)

# In this order: what people look at first, first.
JOBS: tuple[Job, ...] = (
    CAMPAIGNS,
    CAMPAIGN_SEGMENTS,
    ATTRIBUTION,
    CAMPAIGN_SUMS,
    VALUE,
    AFFINITY,
    RUN_OUT,
    FORECAST,
    STOCK,
    STORES,
    MOVEMENT,
    PRESETS,
    LAPSE,
    STAFF,
    TRAINING,
    TEAMS,
)

_WAIT = 1.0  # seconds between two looks whether another batch has ended


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What one batch did, by name of the job; failed: with the sentence. Not ``published``: nothing has changed."""

    generation: str
    seconds: float
    computed: dict[str, float] = field(default_factory=dict)  # seconds each
    cpu: dict[str, float] = field(default_factory=dict)  # seconds of CPU of these, of all processes
    cpu_seconds: float = 0.0  # of the whole command
    kept: tuple[str, ...] = ()
    taken_over: tuple[str, ...] = ()
    failed: dict[str, str] = field(default_factory=dict)
    published: bool = True

    def lines(self) -> Iterator[str]:
        """The report for the terminal."""
        if self.published:
            yield f"generation {self.generation}: results in {self.seconds:.1f} s, {self.cpu_seconds:.1f} s of CPU"
        else:
            yield f"nothing has changed: generation {self.generation} stays in force ({self.seconds:.1f} s)"
        for job, seconds in self.computed.items():
            yield f"  {job:<20} computed in {seconds:.1f} s, {self.cpu[job]:.1f} s of CPU"
        for job in self.taken_over:
            yield f"  {job:<20} taken over from the batch before, which did not end"
        for job in self.kept:
            yield f"  {job:<20} kept: nothing it depends on has changed"
        for job, why in self.failed.items():
            yield f"  {job:<20} failed: {why}"


def batch(
    home: Path,
    *,
    only: Sequence[str] = (),
    full: bool = False,
    wait: bool = False,
    jobs: Sequence[Job] | None = None,
    say: Callable[[str], None] = lambda _: None,
    forgotten: Callable[[], Collection[int]] = tuple,
) -> BatchReport:
    """Computes what is missing of the results for the facts in force, and publishes them.

    only: these jobs, the others stay as they are. full: computes even where nothing has changed. wait: for a batch
    that is at work. ``jobs``: all of them unless told. forgotten: the numbers of customers who were erased, asked for
    when everything is computed, so that nobody who was erased meanwhile is in the results. Problem when another batch
    is at work, there are no facts, or the results cannot be written; those in force then stay in force.
    """
    chosen = JOBS if jobs is None else tuple(jobs)
    known = [job.name for job in chosen]
    for name in only:
        if name not in known:
            raise Problem(f"there is no job {name!r}: the jobs are {', '.join(known)}")
    while wait and publish.is_writing(home, publish.RESULTS):
        time.sleep(_WAIT)
    try:
        with publish.writing(home, publish.RESULTS) as draft:
            before = whole_results(home)
            with parts.pinned(home, current_snapshot(home), before) as snapshot:
                work = _Batch(home, snapshot, chosen, draft, before, say, forgotten)
                with shared_processes():
                    return work.run(set(only or known), full=full)
    except OF_THE_MACHINE as error:
        raise Problem(f"the results could not be written to {home} ({reason(error)}); those in force stay") from error


class _Batch:
    """One batch over one snapshot."""

    def __init__(
        self,
        home: Path,
        snapshot: Snapshot,
        jobs: Sequence[Job],
        draft: publish.Draft,
        path: Path | None,
        say: Callable[[str], None],
        forgotten: Callable[[], Collection[int]],
    ) -> None:
        self.started = time.monotonic()
        self.home, self.snapshot, self.jobs, self.draft = home, snapshot, jobs, draft
        self.path = path  # the results before
        self.forgotten = forgotten
        self.teller = Teller(home, snapshot.info.generation, say)
        self.now: dict[str, tuple[Held, Sequence[ResultTable]]] = {}  # what this batch will publish, as far as it is
        self.alone: dict[str, Engine] = {}  # the rows of a job that others need, for them to read
        self.ready: set[str] = set()  # the jobs whose rows are those of these facts, for sure
        self.computed: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.kept: list[str] = []
        self.taken_over: list[str] = []
        self.failed: dict[str, str] = {}

    def run(self, chosen: set[str], *, full: bool) -> BatchReport:
        before = parts.held_by(self.path, {job.name: job.tables for job in self.jobs}) if self.path else {}
        for job in self.jobs:
            old = before.get(job.name)
            found = self._held(job, old, full=full) if job.name in chosen else old
            if found is not None:
                self.now[job.name] = (found, job.tables)
        published = self._publish(self.now, {name: held.info for name, held in before.items()})
        self.teller.end()
        return BatchReport(
            current_snapshot(self.home).generation,
            time.monotonic() - self.started,
            self.computed,
            self.cpu,
            cpu_seconds(),
            tuple(self.kept),
            tuple(self.taken_over),
            self.failed,
            published,
        )

    def _held(self, job: Job, old: Held | None, *, full: bool) -> Held:
        """The rows of a job for these facts, or the older ones with the reason why there are no newer ones."""
        self.teller.begin(job.name)
        try:
            found = self._fresh(job, old, full=full)
        except Exception as error:
            # The other jobs go on, and everybody is told.
            log.warning("the job %s failed", job.name, exc_info=not isinstance(error, Problem))
            said = self.failed[job.name] = sentence(error)
            self.teller.fail(job.name, said)
            nothing = JobInfo(job.name, None, None, None, None, None, None, "failed", said)
            return Held(replace(old.info, state="failed", detail=said), old.path) if old else Held(nothing, None)
        self.teller.finish(job.name)
        self.ready.add(job.name)
        return found

    def _fresh(self, job: Job, old: Held | None, *, full: bool) -> Held:
        mark = self._mark(job)
        if old and old.info.fingerprint == mark and not full:
            self.kept.append(job.name)
            return replace(old, info=self._about(old.info))
        earlier = parts.finished(self.home, job.name, job.tables)
        if earlier and earlier.info.fingerprint == mark and not full:
            self.taken_over.append(job.name)
            return replace(earlier, info=self._about(earlier.info))
        started, used = time.monotonic(), cpu_seconds()
        snapshot = self._seen_by(job, old)
        with parts.writing(self.home, job.name, job.tables) as (part, said):
            with one_thread():
                job.run(snapshot, part.write, self.teller.step)
            seconds = round(time.monotonic() - started, 3)
            built = self._about(JobInfo(job.name, None, None, None, _utc(), seconds, mark, "done", None))
            said.append(built)
        self.computed[job.name], self.cpu[job.name] = seconds, cpu_seconds() - used
        return Held(built, parts.file_of(self.home, job.name))

    def _mark(self, job: Job) -> str:
        """The fingerprint of the job; of rows made from older ones of the job it needs, which failed or was not asked
        for, another: they are not to be kept when it has caught up."""
        mark = job.fingerprint(self.snapshot)
        if job.needs is None or job.needs.name in self.ready:
            return mark
        older = self.now.get(job.needs.name)
        return f"{mark} of {older[0].info.fingerprint if older else None}"

    def _seen_by(self, job: Job, old: Held | None) -> Snapshot:
        """The facts with its own rows of before, or with those of the job it needs alone, computed now or kept: its own
        of before would be taken for what it is asked to compute."""
        needed = job.needs
        ready = self.now[needed.name][0] if needed and needed.name in self.now else None
        if needed is not None and ready is not None and ready.path is not None:
            if needed.name not in self.alone:
                self.alone[needed.name] = parts.alone(self.home, ready, needed.tables, self.snapshot.engine)
            return replace(self.snapshot, results=self.alone[needed.name])
        if old or needed:
            return self.snapshot
        # Tables of another version cannot be read as they are.
        carried = (
            parts.as_declared(self.home, self.path, job.tables, self.snapshot.engine)
            if job.carries and self.path
            else None
        )
        return replace(self.snapshot, results=carried)

    def _about(self, info: JobInfo) -> JobInfo:
        """What holds for the facts of this batch."""
        facts = self.snapshot.info
        return replace(
            info, generation=facts.generation, as_of=facts.as_of, last_day=facts.last_day, state="done", detail=None
        )

    def _publish(self, now: dict[str, tuple[Held, Sequence[ResultTable]]], before: dict[str, JobInfo]) -> bool:
        in_force = current_snapshot(self.home)
        named = self.path is not None and any(file.path.name == self.path.name for file in in_force.files)
        same = named and {name: held.info for name, (held, _) in now.items()} == before
        gone = self.forgotten()
        if same and self.path and not names_any(self.path, gone):
            parts.clear(self.home)
            return False
        parts.assemble(self.draft.path, self.draft.scratch, now, self.snapshot.engine, gone)
        publish.publish(self.home, self.draft)
        parts.clear(self.home)
        return True


def describe(home: Path) -> Iterator[str]:
    """What the last batch did, or the one at work is doing, for the terminal."""
    seen = last(home)
    if seen is None:
        yield "no batch has run yet: run `python -m models batch`"
        return
    at_work = progress(home) is not None
    state = "at work" if at_work else f"ended {seen.ended_at:%Y-%m-%d %H:%M} UTC" if seen.ended_at else "died"
    yield f"batch for facts {seen.generation}, started {seen.started_at:%Y-%m-%d %H:%M} UTC: {state}"
    if seen.job:
        yield f"  {seen.job}: {seen.done:,} of {seen.total:,}"
    for job in seen.finished:
        yield f"  {job}: ready"
    for job, why in seen.failed.items():
        yield f"  {job}: failed: {why}"


def _utc() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
