"""Files that people have taken away: an entry in the audit log and a row with the customers a file named.

Also whose data somebody has seen, and on which days somebody took more than anybody is used to.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Literal

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from data_access.errors import Problem
from data_access.pseudonym import customer_key, number_of
from data_access.state import audit
from data_access.state.schema import audit as log
from data_access.state.schema import export_file
from data_access.state.store import writing

# What may be too much in a day: for anybody, and against the busiest of somebody's own days before.
ROWS, FILES = 20_000, 40
FACTOR = 3
LEAST_ROWS, LEAST_FILES = 500, 10  # fewer are a day's work, whatever was before
BEFORE = 28  # days

Reason = Literal["rows", "files", "rows_before", "files_before"]

# Entries of the log whose subject is a customer's key, and what each counts as.
_LOOKS = {"customer_seen": "opened", "contact_revealed": "revealed", "customer_data_taken": "exported"}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was built. name: as the browser saves it. customers: the keys it names, each once."""

    file_id: str
    name: str
    page: str
    rows: int
    columns: tuple[str, ...]
    sha256: str
    customers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Day:
    """How much somebody took away on one day."""

    day: date
    files: int
    rows: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A day that is unlike the days before, or beyond what is usual for anybody.

    most: the most files and the most rows of one of the 28 days before.
    """

    actor: str
    day: Day
    most: Day
    reasons: tuple[Reason, ...]


def record(connection: Connection, actor: str, file: File, detail: Mapping[str, Any], now: datetime) -> None:
    """Notes a file before it leaves, in the caller's transaction. ``detail``: what else the log should say of it."""
    said = {
        "file": file.name,
        "rows": file.rows,
        "columns": list(file.columns),
        "customers": len(file.customers),
        "sha256": file.sha256,
        **detail,
    }
    audit.append(connection, actor, "exported", file.page, said, at=now)
    connection.execute(
        insert(export_file).values(
            file_id=file.file_id,
            at=now,
            actor=audit.plain(actor),
            page=file.page,
            rows=file.rows,
            sha256=file.sha256,
            customers=len(file.customers),
            customer_nos=_packed(file.customers),
        )
    )


def note(engine: Engine, actor: str, file: File, detail: Mapping[str, Any], now: datetime) -> None:
    """``record`` in a transaction of its own. Problem when that is not on disk: then the file must not leave."""
    try:
        with writing(engine) as connection:
            record(connection, actor, file, detail, now)
    except SQLAlchemyError as error:
        reason = str(error.__cause__ or error).strip().splitlines()[0]
        raise Problem(f"the audit log cannot be written ({reason}): the file was held back") from error


def unusual(day: Day, before: Iterable[Day]) -> tuple[Reason, ...]:
    """Why ``day`` is unusual; nothing when it is not. ``before``: the days of the same person before it.

    More than 20,000 rows or 40 files are so for anybody. More than three times the busiest of the 28 days before are
    so for this person, from 500 rows or 10 files on; without a file in those days the busiest one has none.
    """
    own = list(before)
    rows, files = max((one.rows for one in own), default=0), max((one.files for one in own), default=0)
    found: dict[Reason, bool] = {
        "rows": day.rows > ROWS,
        "files": day.files > FILES,
        "rows_before": ROWS >= day.rows >= LEAST_ROWS and day.rows > FACTOR * rows,
        "files_before": FILES >= day.files >= LEAST_FILES and day.files > FACTOR * files,
    }
    return tuple(reason for reason, holds in found.items() if holds)


def alerts(engine: Engine, first: date, last: date, zone: tzinfo) -> tuple[Alert, ...]:
    """The unusual days from ``first`` to ``last`` on the clock of ``zone``, the latest first."""
    everybody = _days(engine, first - timedelta(days=BEFORE), last, zone)
    found = []
    for actor, days in everybody.items():
        for day in days:
            before = [one for one in days if timedelta(0) < day.day - one.day <= timedelta(days=BEFORE)]
            reasons = unusual(day, before)
            if reasons and day.day >= first:
                most = Day(day.day, max((o.files for o in before), default=0), max((o.rows for o in before), default=0))
                found.append(Alert(actor, day, most, reasons))
    return tuple(sorted(found, key=lambda one: (one.day.day, one.day.rows, one.actor), reverse=True))


def takers(engine: Engine) -> tuple[str, ...]:
    """Every actor who has opened or revealed a customer, or taken away a file with customers."""
    with engine.connect() as connection:
        looked = connection.scalars(select(log.c.actor).where(log.c.action.in_(_LOOKS)).distinct())
        took = connection.scalars(select(export_file.c.actor).where(export_file.c.customers > 0).distinct())
        return tuple(sorted({*looked, *took}))


def seen(engine: Engine, actor: str, since: datetime, until: datetime) -> pd.DataFrame:
    """Whose data ``actor`` saw from ``since`` on, before ``until`` (naive UTC).

    One row per customer, the latest first. Columns: customer_key, opened (times the customer's page was opened),
    revealed (contact fields), exported (files that named the customer), last_at (naive UTC).
    """
    with engine.connect() as connection:
        looked: Sequence[Any] = connection.execute(
            select(log.c.subject, log.c.action, func.count(), func.max(log.c.at))
            .where(log.c.actor == actor, log.c.action.in_(_LOOKS), log.c.at >= since, log.c.at < until)
            .group_by(log.c.subject, log.c.action)
        ).all()
        files = connection.execute(
            select(export_file.c.at, export_file.c.customer_nos).where(
                export_file.c.actor == actor,
                export_file.c.customers > 0,
                export_file.c.at >= since,
                export_file.c.at < until,
            )
        ).all()
    looked = [row for row in looked if number_of(row.subject) is not None]
    parts = [_seen([number_of(row.subject) for row in looked], **_looks(looked))]
    parts += [_seen(np.frombuffer(file.customer_nos, "<i8"), exported=1, last_at=file.at) for file in files]
    counts = {"opened": "sum", "revealed": "sum", "exported": "sum", "last_at": "max"}
    each = pd.concat(parts).groupby("customer_no", as_index=False).agg(counts)
    ordered = each.sort_values(["last_at", "customer_no"], ascending=[False, True], ignore_index=True)
    keys = ordered["customer_no"].map(customer_key).astype(object)
    return ordered.assign(customer_key=keys)[["customer_key", *counts]]


def _looks(rows: Sequence[Any]) -> dict[str, list[Any]]:
    counts = {way: [count if _LOOKS[action] == way else 0 for _, action, count, _ in rows] for way in _LOOKS.values()}
    return {**counts, "last_at": [at for *_, at in rows]}


def _seen(numbers: Any, **columns: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"customer_no": np.asarray(numbers, dtype="int64")})
    filled = frame.assign(**{"opened": 0, "revealed": 0, "exported": 0, **columns})
    return filled.astype({"last_at": "datetime64[us]"})


def _days(engine: Engine, first: date, last: date, zone: tzinfo) -> dict[str, list[Day]]:
    """What everybody took away, day by day."""
    start = datetime.combine(first, datetime.min.time(), zone).astimezone(UTC).replace(tzinfo=None)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone).astimezone(UTC).replace(tzinfo=None)
    with engine.connect() as connection:
        rows = connection.execute(
            select(export_file.c.actor, export_file.c.at, export_file.c.rows).where(
                export_file.c.at >= start, export_file.c.at < end
            )
        ).all()
    taken: dict[tuple[str, date], list[int]] = defaultdict(list)
    for actor, at, many in rows:
        taken[actor, at.replace(tzinfo=UTC).astimezone(zone).date()].append(many)
    everybody: dict[str, list[Day]] = defaultdict(list)
    for (actor, day), counts in taken.items():
        everybody[actor].append(Day(day, len(counts), sum(counts)))
    return everybody


def _packed(keys: Iterable[str]) -> bytes:
    """The customers' numbers, rising, eight bytes each."""
    numbers = sorted({number for key in keys if (number := number_of(key)) is not None})
    return np.array(numbers, dtype="<i8").tobytes()
