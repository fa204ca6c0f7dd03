"""What a job of a batch is, and what jobs share: their fingerprint, the places they compute for, all cores at once."""

import hashlib
import inspect
import multiprocessing
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeVar

import pandas as pd
from threadpoolctl import threadpool_limits

from data_access.marts.place_store import CHAIN
from data_access.queries import places
from data_access.results.info import checksum
from data_access.results.tables import ResultTable
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot, reopened
from models.jobs import cluster
from models.reports._places import at_place

Write = Callable[[ResultTable, pd.DataFrame], None]  # adds rows to one of the job's tables
Step = Callable[[int, int], None]  # so many steps are done of so many

_MOST_WORKERS = 8
_WAITING = 2  # results per worker that may wait to be written: more would only fill the memory

_WORTH_IT = 40.0  # seconds of CPU for which processes of their own are started: each needs some three to begin

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Job:
    """One job: the tables only it fills, and how.

    fingerprint: of all that its rows depend on (see ``fingerprint``); while it stays the same, so do the rows.
    run: computes from the snapshot, writes and tells how far it is. Problem with a sentence where it cannot.
    needs: a job that comes before in the batch, the rows of which it finds in the results of its snapshot.
    carries: it takes rows of before over, so it finds those of an earlier version of its tables, too.
    """

    name: str
    tables: tuple[ResultTable, ...]
    fingerprint: Callable[[Snapshot], str]
    run: Callable[[Snapshot, Write, Step], None]
    needs: "Job | None" = None
    carries: bool = False


# A batch computes for everybody; whoever reads its results is limited then.
WHOLE = Scope("chain")


@dataclass(frozen=True, slots=True)
class PlaceScope:
    """A place that results have rows of, and the scope of whoever may see just it."""

    level: Literal["chain", "region", "store"]
    place_id: str
    scope: Scope

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a report as rows of this place."""
        return frame.assign(level=self.level, place_id=self.place_id)


def every_place(snapshot: Snapshot) -> list[PlaceScope]:
    """The chain, each region and each store; a region of one store is that store."""
    found = [PlaceScope("chain", CHAIN, WHOLE)]
    stores = places.stores(WHOLE, snapshot.engine)
    for region, inside in stores.groupby("region_id")["store_id"]:
        if len(inside) > 1:
            found.append(PlaceScope("region", str(region), of_stores(sorted(inside))))
    return found + [PlaceScope("store", store, of_stores([store])) for store in sorted(stores["store_id"])]


def of_stores(stores: Iterable[str]) -> Scope:
    """The scope of whoever may see just these stores."""
    return Scope("stores", tuple(stores))


def together(carried: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Rows of campaigns that a job takes over, and new ones, in the order of the campaigns."""
    frames = [frame for frame in (carried, new) if frame is not None and len(frame)]
    return pd.concat(frames, ignore_index=True).sort_values("campaign_id", kind="stable") if frames else new


def write_places(
    snapshot: Snapshot,
    work: Callable[[Snapshot, PlaceScope], dict[str, pd.DataFrame]],
    places: Sequence[PlaceScope],
    tables: Mapping[str, ResultTable],
    write: Write,
    step: Step,
) -> None:
    """Writes what ``work`` finds of each place, by name of ``tables``: a table that comes back from another process is
    another object."""
    for done, (place, found) in enumerate(spread_places(snapshot, work, places), start=1):
        for name, rows in found.items():
            write(tables[name], place.rows(rows)[list(tables[name].c.keys())])
        step(done, len(places))


def spread_places(
    snapshot: Snapshot, work: Callable[[Snapshot, PlaceScope], Result], places: Sequence[PlaceScope]
) -> Iterator[tuple[PlaceScope, Result]]:
    """As ``spread``; what reports ask by ``rows_of`` is asked once for all places of a level."""
    return spread(snapshot, partial(_at_place, work), places)


def _at_place(work: Callable[[Snapshot, PlaceScope], Result], snapshot: Snapshot, place: PlaceScope) -> Result:
    with at_place(snapshot.engine, place.level, place.place_id, place.scope, WHOLE):
        return work(snapshot, place)


def fingerprint(
    snapshot: Snapshot, *, inputs: Iterable[ResultTable], code: Iterable[ModuleType], parameters: object = None
) -> str:
    """A text that changes with a row of the facts tables ``inputs``, a line of the modules ``code``, a parameter, or
    the days that the data cover."""
    info = snapshot.info
    parts = (
        checksum(snapshot.engine, inputs),
        code_version(code),
        repr(parameters),
        repr((info.first_day, info.last_day, info.currency)),
    )
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def code_version(modules: Iterable[ModuleType]) -> str:
    """A text that changes with a line of the modules."""
    sources = "\n".join(inspect.getsource(module) for module in modules)
    return hashlib.sha256(sources.encode()).hexdigest()[:16]


def spread(
    snapshot: Snapshot, work: Callable[[Snapshot, Item], Result], items: Sequence[Item], workers: int | None = None
) -> Iterator[tuple[Item, Result]]:
    """``work`` on each item, over all cores, in the order of ``items``; few results are held at a time.

    ``work`` is a function of a module; it runs here and in one process less than there are cores, each of which has
    opened the same snapshot, or only here where the first item says that the others would be done before such processes
    have begun. So the longest item comes first. With ``MIRROR_CLUSTER`` the same futures go to the workers of a Dask
    cluster.
    """
    address = settings().cluster
    started = time.process_time()
    for item in items[:1]:
        yield item, work(snapshot, item)
    items = items[1:]
    many = min(workers or os.cpu_count() or 1, _MOST_WORKERS, len(items))
    if not items or (not address and (many <= 1 or (time.process_time() - started) * len(items) < _WORTH_IT)):
        yield from ((item, work(snapshot, item)) for item in items)
        return
    engines = (snapshot.engine, snapshot.results)
    where = _Files(tuple(str(e.url.database) for e in engines if e is not None), snapshot.generation)
    kept = _kept.get() or _Kept()
    left = deque(items)
    with cluster.workers(address) if address else _processes(many - 1) as (pool, hands):
        coming: deque[tuple[Item, Future[tuple[Result, float]]]] = deque()
        most = (hands + 1) * (_WAITING + 1)
        try:
            while left or coming:
                while left and len(coming) < most and _at_work(coming) < hands * _WAITING:
                    coming.append((left[0], pool.submit(_work, where, work, left.popleft())))
                if address or not left or len(coming) >= most or coming[0][1].done():
                    first, future = coming.popleft()
                    yield first, kept.told(*future.result())
                else:
                    mine: Future[tuple[Result, float]] = Future()
                    mine.set_result((work(snapshot, left[0]), 0.0))
                    coming.append((left.popleft(), mine))
        finally:
            for _, future in coming:
                future.cancel()


def _at_work(coming: Iterable[tuple[object, Future[Any]]]) -> int:
    return sum(not future.done() for _, future in coming)


class _Kept:
    """The processes that the jobs of a batch share; the first job that needs some starts them."""

    def __init__(self) -> None:
        self.pool: ProcessPoolExecutor | None = None
        self.spent = 0.0  # seconds of CPU in other processes, as they told

    def told(self, result: Result, spent: float) -> Result:
        self.spent += spent
        return result


def cpu_seconds() -> float:
    """What this process has used of the processors so far, those it started and has seen end, and those that share the
    work of its batch."""
    kept = _kept.get()
    return _own_cpu() + (kept.spent if kept else 0.0)


def _own_cpu() -> float:
    return sum(os.times()[:4])


_kept: ContextVar[_Kept | None] = ContextVar("kept", default=None)


@contextmanager
def shared_processes() -> Iterator[None]:
    """Jobs that run within this share their processes: to begin costs each several seconds of CPU."""
    kept = _Kept()
    before = _kept.set(kept)
    try:
        yield
    finally:
        _kept.reset(before)
        _ended(kept)


def _ended(kept: _Kept) -> None:
    if kept.pool is not None:
        kept.pool.shutdown(wait=False, cancel_futures=True)
        kept.pool = None


@contextmanager
def _processes(many: int) -> Iterator[tuple[Executor, int]]:
    shared = _kept.get()
    kept = shared or _Kept()
    if kept.pool is None:
        context = multiprocessing.get_context("spawn")  # a fork would share open databases
        most = max(many, min(os.cpu_count() or 1, _MOST_WORKERS) - 1)
        kept.pool = ProcessPoolExecutor(most, context, initializer=_begin)
    broken = False
    try:
        yield kept.pool, many
    except BrokenExecutor:
        broken = True  # one of them died; the next job begins with new ones
        raise
    finally:
        if broken or shared is None:
            _ended(kept)


@dataclass(frozen=True, slots=True)
class _Files:
    """The files of a snapshot: facts, and results if there are any."""

    paths: tuple[str, ...]
    generation: str


_opened: dict[_Files, Snapshot] = {}  # the snapshot that this process works for


def _begin() -> None:
    threading.Thread(target=_die_with_the_batch, daemon=True).start()


def _die_with_the_batch() -> None:
    """A process of a pool waits for work for ever, also when whoever gave it was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


_said = 0.0  # seconds of CPU that this process has told of


def _work(where: _Files, work: Callable[[Snapshot, Item], Result], item: Item) -> tuple[Result, float]:
    """What ``work`` finds, and the seconds of CPU since the last time; the first time since this process began."""
    global _said
    if where not in _opened:
        _opened.clear()
        facts, *results = map(Path, where.paths)
        _opened[where] = reopened(facts, results[0] if results else None, where.generation)
    with one_thread():
        found = work(_opened[where], item)
    spent, _said = _own_cpu() - _said, _own_cpu()
    return found, spent


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on matrices as small as ours: more threads of it would only wait for each other, on all cores."""
    limits: AbstractContextManager[object] = threadpool_limits(1)
    return limits
