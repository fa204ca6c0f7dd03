"""What a refresh costs: a process of its own each time, so that memory and CPU are those of the refresh alone."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, create_engine, func, literal, null, select

from data_access.marts.tables import generation_info, table_load
from data_access.schema import sale_line, sale_order
from data_access.snapshot import current_snapshot, folder

ROOT = Path(__file__).resolve().parents[2]


def refreshes(crm_url: str, home: Path, share: float) -> Iterator[dict[str, object]]:
    """A full refresh, then one after ``share`` of the receipts were written or changed; rows of figures.

    The CRM keeps the receipts that were written for it.
    """
    yield from _refresh("full", crm_url, home)
    written, changed = write_receipts(crm_url, share)
    for row in _refresh("changes", crm_url, home):
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


def write_receipts(crm_url: str, share: float) -> tuple[int, int]:
    """Half of ``share`` of the receipts are written anew, a day after the newest one; as many old ones are changed.

    Returns how many of each.
    """
    engine = create_engine(crm_url)
    with engine.begin() as connection:
        every = connection.scalar(select(func.count()).select_from(sale_order)) or 0
        half = max(round(every * share / 2), 1)
        return _write(connection, half), _change(connection, half)


def _write(connection: Connection, number: int) -> int:
    """The latest ``number`` receipts once more, with their lines, all of them an hour after the newest change."""
    o = sale_order.c
    newest = connection.scalar(select(func.max(o.updated_at)))
    assert newest is not None, "the CRM holds no receipts"
    now = literal(newest + timedelta(hours=1), sale_order.c.updated_at.type)
    chosen = select(o.order_id).order_by(o.ordered_at.desc(), o.order_id).limit(number).subquery("chosen")
    for table in (sale_order, sale_line):
        order_id = literal(f"{newest:%y%m%d%H}-").concat(table.c.order_id)
        own = {"order_id": order_id, "ordered_at": now, "updated_at": now, "cancelled_at": null()}
        columns = [own.get(column.name, column) for column in table.columns]
        rows = select(*columns).join_from(table, chosen, chosen.c.order_id == table.c.order_id)
        connection.execute(table.insert().from_select([column.name for column in table.columns], rows))
    return number


def _change(connection: Connection, number: int) -> int:
    """About ``number`` receipts of all days are touched: a new instant of change, and lines that cost one unit more."""
    o, line = sale_order.c, sale_line.c
    newest, every = connection.execute(select(func.max(o.updated_at), func.count()).select_from(sale_order)).one()
    step = max(every // number, 1)
    numbered = select(o.order_id, func.row_number().over(order_by=o.order_id).label("n")).subquery("numbered")
    chosen = select(numbered.c.order_id).where(numbered.c.n % step == 0)
    touched = {"updated_at": newest}
    connection.execute(sale_line.update().where(line.order_id.in_(chosen)).values(cost=line.cost + 1, **touched))
    connection.execute(sale_order.update().where(o.order_id.in_(chosen)).values(**touched))
    return int(every) // step
