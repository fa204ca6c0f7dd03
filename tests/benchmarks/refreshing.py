"""What a refresh costs: a process of its own each time, so that memory and CPU are those of the refresh alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, String, and_, cast, create_engine, func, literal, null, select

from data_access.freshness import utc_now
from data_access.marts.tables import generation_info, table_load
from data_access.schema import sale_line, sale_order
from data_access.snapshot import current_snapshot, folder

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Increment:
    """What happens in the CRM between two refreshes, as parts of a share of its receipts.

    new: the part that is written anew, on up to ``days`` days after the newest one (none of them in the future); the
    rest is changed. back: the changed ones lie within so many days before the newest receipt; None: on any day.
    """

    name: str
    new: float
    days: int
    back: int | None


# A week of trade with its corrections; and what no index and no order of rows helps with.
INCREMENTS = (Increment("usual", 0.9, 7, 60), Increment("harsh", 0.5, 1, None))


def refreshes(crm_url: str, home: Path, share: float) -> Iterator[dict[str, object]]:
    """A full refresh, then one after each kind of increment of ``share`` of the receipts; rows of figures.

    The CRM keeps the receipts that were written for it.
    """
    yield from _refresh("full", crm_url, home)
    for increment in INCREMENTS:
        written, changed = write_receipts(crm_url, share, increment)
        for row in _refresh(f"changes, {increment.name}", crm_url, home):
            yield row | {"receipts_written": written, "receipts_changed": changed}


def _refresh(step: str, crm_url: str, home: Path) -> Iterator[dict[str, object]]:
    environment = {**os.environ, "MIRROR_CRM_URL": crm_url, "MIRROR_HOME": str(home)}
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "data_access", "refresh"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise RuntimeError(f"the refresh failed: {said[-2000:]}")
    snapshot = current_snapshot(home)
    with snapshot.engine.connect() as connection:
        info = connection.execute(select(generation_info)).one()
        loads = connection.execute(select(table_load).order_by(table_load.c.rows_read.desc())).all()
    reading = sum(load.seconds for load in loads)
    rows = sum(load.rows_read for load in loads)
    yield {
        "step": step,
        "mode": info.mode,
        "wall_s": round(wall, 1),
        "cpu_s": round(used.ru_utime + used.ru_stime, 1),
        "peak_rss_mb": round(used.ru_maxrss / 1024),
        "reading_s": round(reading, 1),
        "rows_read": rows,
        "rows_per_s_reading": round(rows / max(reading, 0.001)),
        "snapshot_mb": round((folder(home) / f"facts_{info.generation}.duckdb").stat().st_size / 1e6, 1),
    }
    for load in loads:
        if load.rows_read >= 100_000:
            yield {
                "step": step,
                "source": load.table_name,
                "mode": load.mode,
                "rows": load.rows_read,
                "wall_s": round(load.seconds, 2),
                "rows_per_s": round(load.rows_read / max(load.seconds, 0.001)),
            }


def write_receipts(crm_url: str, share: float, increment: Increment) -> tuple[int, int]:
    """Writes and changes ``share`` of the receipts as ``increment`` says; returns how many of each."""
    engine = create_engine(crm_url)
    with engine.begin() as connection:
        every, newest, seen = connection.execute(
            select(func.count(), func.max(sale_order.c.ordered_at), func.max(sale_order.c.updated_at))
        ).one()
        assert every, "the CRM holds no receipts"
        now = max(utc_now(), seen + timedelta(seconds=1))
        new = max(round(every * share * increment.new), 1)
        new = _write(connection, new, now, _days_after(newest.date(), increment.days, now.date()))
        since = newest - timedelta(days=increment.back) if increment.back else None
        changed = _change(connection, max(round(every * share) - new, 1), now, since)
    engine.dispose()
    return new, changed


def _days_after(newest: date, number: int, today: date) -> list[date]:
    """The ``number`` days after the newest one that are not in the future; where there is none, the newest one."""
    days = [newest + timedelta(days=n + 1) for n in range(number)]
    return [day for day in days if day <= today] or [newest]


def _write(connection: Connection, number: int, now: datetime, days: list[date]) -> int:
    """The latest ``number`` receipts once more, with their lines, spread over ``days``, all of them written ``now``.

    Their ids follow after all earlier ones, as those of tills do. Returns how many.
    """
    o = sale_order.c
    latest = (o.ordered_at.desc(), o.order_id.desc())
    numbered = (
        select(o.order_id, func.row_number().over(order_by=latest).label("n"))
        .where(o.updated_at < now)
        .order_by(*latest)
        .limit(number)
        .subquery("numbered")
    )
    for place, day in enumerate(days):
        chosen = select(numbered.c.order_id, numbered.c.n).where(numbered.c.n % len(days) == place).subquery("chosen")
        for table in (sale_order, sale_line):
            own = {
                "order_id": literal(f"R{int(now.timestamp()):x}{place}-").concat(cast(chosen.c.n, String)),
                "ordered_at": literal(datetime(day.year, day.month, day.day, 4), o.ordered_at.type),
                "updated_at": literal(now, o.updated_at.type),
                "cancelled_at": null(),
            }
            columns = [own.get(column.name, column) for column in table.columns]
            rows = select(*columns).join_from(table, chosen, chosen.c.order_id == table.c.order_id)
            connection.execute(table.insert().from_select([column.name for column in table.columns], rows))
    return connection.scalar(select(func.count()).where(o.updated_at == now)) or 0


def _change(connection: Connection, number: int, now: datetime, since: datetime | None) -> int:
    """About ``number`` of the receipts from ``since`` on are touched: a new instant of change, and lines that cost one
    unit more. Returns how many."""
    o, line = sale_order.c, sale_line.c
    old = o.updated_at < now  # not those just written
    of_these = old if since is None else and_(old, o.ordered_at >= since)
    every = connection.scalar(select(func.count()).select_from(sale_order).where(of_these)) or 0
    step = max(every // number, 1)
    numbered = select(o.order_id, func.row_number().over(order_by=o.order_id).label("n")).where(of_these)
    rows = numbered.subquery("numbered")
    chosen = select(rows.c.order_id).where(rows.c.n % step == 0)
    touched = {"updated_at": now}
    connection.execute(sale_line.update().where(line.order_id.in_(chosen)).values(cost=line.cost + 1, **touched))
    connection.execute(sale_order.update().where(o.order_id.in_(chosen)).values(**touched))
    return int(every) // step
