"""Which results there are, and of which facts."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table, func, select

from data_access.marts.tables import data_source
from data_access.queries._places import place_of
from data_access.results.tables import result_info
from data_access.scope import Scope
from data_access.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class JobInfo:
    """The last attempt of one job and the rows that a results file holds of it; columns as ``result_info``."""

    job: str
    generation: int | None
    as_of: datetime | None
    last_day: date | None
    built_at: datetime | None
    seconds: float | None
    fingerprint: str | None
    state: str
    detail: str | None

    @property
    def has_rows(self) -> bool:
        return self.generation is not None


def infos(engine: Engine) -> dict[str, JobInfo]:
    """The jobs that a results file knows, by name."""
    with engine.connect() as connection:
        rows = connection.execute(select(result_info)).mappings().all()
    return {row["job"]: JobInfo(**row) for row in rows}


# What a published file says never changes, so it is read once.
_INFOS: WeakKeyDictionary[Engine, dict[str, JobInfo]] = WeakKeyDictionary()


def info_of(snapshot: Snapshot, job: str) -> JobInfo | None:
    """What the results in force hold of a job; None without any."""
    results = snapshot.results
    if results is None:
        return None
    known = _INFOS.get(results)
    if known is None:
        known = _INFOS[results] = infos(results)
    found = known.get(job)
    return found if found and found.has_rows else None


def is_current(snapshot: Snapshot, job: str) -> bool:
    """Whether the results of a job are those of the very facts that the snapshot shows."""
    found = info_of(snapshot, job)
    return found is not None and found.generation == snapshot.info.generation


def has_current_rows(snapshot: Snapshot, scope: Scope, job: str) -> bool:
    """Whether the results hold rows of a job for the scope, and are those of the very facts that the snapshot shows."""
    if snapshot.results is None or not is_current(snapshot, job):
        return False
    return place_of(scope, snapshot.results) is not None


def origin(engine: Engine) -> str:
    """Which data a facts file is made of: a text that newer loads leave as it is, and another chain changes.

    The demo chain says how it was drawn; any other database is known by the first load it records, if it records any.
    """
    c = data_source.c
    query = select(c.source_id, c.kind, c.name, c.details).order_by(c.loaded_at, c.source_id).limit(1)
    with engine.connect() as connection:
        first = connection.execute(query).first()
    return hashlib.sha256(repr(None if first is None else tuple(first)).encode()).hexdigest()[:16]


# Jobs name the same tables, and a published file never changes: each is added up once.
_CHECKED: WeakKeyDictionary[Engine, dict[str, str]] = WeakKeyDictionary()


def checksum(engine: Engine, tables: Iterable[Table]) -> str:
    """A text that changes with any row of ``tables``, whatever their order; of a million rows in some tenths of a
    second."""
    known = _CHECKED.setdefault(engine, {})
    asked = list(tables)
    with engine.connect() as connection:
        for table in asked:
            if table.name not in known:
                query = select(func.count(), func.sum(func.hash(*table.c)))
                rows, total = connection.execute(query.select_from(table)).one()
                known[table.name] = f"{table.name} {rows} {total}"
    return "; ".join(known[table.name] for table in asked)
