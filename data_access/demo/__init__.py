"""A synthetic chain of cosmetics stores with a known truth, for trying the product out and for testing it."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, select

from data_access.crm import prepare
from data_access.demo.chain import build
from data_access.demo.dirt import soil
from data_access.demo.planned import add_planned_shifts
from data_access.demo.satellites import satellites
from data_access.demo.store_campaign import add_store_campaign
from data_access.demo.world import EFFECTS, stream
from data_access.demo.world import SCALES as _SCALES
from data_access.errors import Problem
from data_access.schema import crm, data_source
from data_access.settings import settings
from data_access.vault.rows import append, forget_all, open_for_writing

SCALES = tuple(_SCALES)
__all__ = ["EFFECTS", "SCALES", "DemoSummary", "write_demo"]


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written: rows per canonical table, and where the truth lies."""

    scale: str
    seed: int
    start: date
    end: date
    rows: dict[str, int]
    truth_path: Path


def _quiet(_: str) -> None:
    """Says nothing."""


def write_demo(
    engine: Engine,
    *,
    scale: str = "demo",
    seed: int = 1,
    end: date = date(2026, 11, 20),
    null: Collection[str] = (),
    truth_path: Path,
    home: Path | None = None,
    progress: Callable[[str], None] = _quiet,
) -> DemoSummary:
    """Writes a synthetic chain into the CRM database, in one transaction, replacing an earlier one.

    Args:
        engine: the CRM database; missing tables are created.
        scale: one of SCALES.
        seed: the same seed, scale, end and null give the same rows and the same truth.
        end: the last store-local day with data.
        null: names from EFFECTS to switch off, for tests that must find nothing.
        truth_path: where the hidden truth goes (JSON); never inside the database.
        home: where the keys are that seal names, numbers and birthdays; default: the setting.
        progress: called with a short text at each step.

    Raises:
        Problem: the database holds anything but an earlier demo chain, or an argument is unknown.
    """
    _check(scale, null)
    prepare(engine)
    _refuse_foreign_rows(engine)
    chain = build(scale, seed, end, frozenset(null), progress)
    core = dict(chain.core)
    more, fragments = satellites(core, stream(seed, "satellites"), chain.world, frozenset(null))
    for name, frame in more.items():
        core[name] = pd.concat([core[name], frame], ignore_index=True) if name in core else frame
    progress("satellites")
    truth = chain.truth | fragments | {"dirty_rows": soil(core, seed)}
    truth["store_campaign"] = add_store_campaign(core, chain.world, seed)
    add_planned_shifts(core, chain.world, seed)
    details = {"seed": seed, "start": str(chain.world.start), "end": str(end), "null": sorted(null)}
    loaded = datetime.combine(end, datetime.min.time()) + timedelta(hours=15, minutes=59, seconds=59)
    core["data_source"] = pd.DataFrame(
        {
            "source_id": ["demo"],
            "kind": ["demo"],
            "name": [scale],
            "loaded_at": [loaded],
            "rows_loaded": [sum(len(core[table.name]) for table in crm.sorted_tables if table.name in core)],
            "amount_loaded": [float(core["sale_line"]["net"].sum())],
            "currency": ["CNY"],
            "details": [json.dumps(details)],
            "updated_at": [loaded],
        }
    )
    with engine.begin() as connection:
        rows = _replace(connection, core, home or settings().home, progress)
    truth_path.parent.mkdir(parents=True, exist_ok=True)
    truth_path.write_text(json.dumps(truth, ensure_ascii=False, indent=1, default=_plain), "utf-8")
    return DemoSummary(scale, seed, chain.world.start, end, rows, truth_path)


def _check(scale: str, null: Collection[str]) -> None:
    if scale not in _SCALES:
        raise Problem(f"there is no demo scale {scale!r}: choose one of {', '.join(SCALES)}")
    unknown = sorted(set(null) - set(EFFECTS))
    if unknown:
        raise Problem(f"there is no effect {', '.join(unknown)} to switch off: choose from {', '.join(EFFECTS)}")


def _refuse_foreign_rows(engine: Engine) -> None:
    """Every row must come from an earlier demo: rows without a source, or from an import, are somebody's data."""
    with engine.connect() as connection:
        kinds = set(connection.scalars(select(data_source.c.kind)))
        if kinds == {"demo"}:
            return
        filled = [t.name for t in crm.sorted_tables if connection.execute(select(t.c[0]).limit(1)).first() is not None]
    if filled:
        raise Problem(
            f"the CRM database {engine.url.render_as_string()} holds data that is not a demo chain "
            f"(table {filled[0]}): name an empty database in MIRROR_CRM_URL"
        )


def _replace(
    connection: Connection, core: dict[str, pd.DataFrame], home: Path, progress: Callable[[str], None]
) -> dict[str, int]:
    forget_all(connection)
    vault = open_for_writing(connection, home)
    for table in reversed(crm.sorted_tables):
        connection.execute(table.delete())
    rows = {}
    for table in crm.sorted_tables:
        frame = core.get(table.name)
        rows[table.name] = 0 if frame is None else append(connection, vault, table, frame)
        if rows[table.name] > 10_000:
            progress(f"wrote {table.name}: {rows[table.name]:,} rows")
    return rows


def _plain(value: Any) -> Any:
    """Numpy scalars and days as JSON knows them."""
    if isinstance(value, np.generic):
        return value.item() if not isinstance(value, np.datetime64) else str(value)
    return str(value)
