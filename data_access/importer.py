"""Imports files of a known export into the CRM database: read, check, reconcile, then write in one transaction."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, delete, select

from data_access.bulk import append
from data_access.crm import is_demo, prepare
from data_access.errors import Problem
from data_access.importing.loading import TableCount, write
from data_access.importing.mapping import Mapping, load_mapping
from data_access.importing.reading import Part, read
from data_access.importing.report import ImportReport, Step, reasons, write_quarantine
from data_access.importing.staging import Staging, match
from data_access.importing.targets import Prepared, bridge_difference, prepare_targets
from data_access.schema import data_source, sale_line, sale_order, store
from data_access.settings import settings

__all__ = ["ImportReport", "Preview", "import_files", "preview"]

_SHOWN = 5  # rows of each table that a preview shows


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do, nothing written; rows and amounts as ImportReport has them.

    tables: (canonical table, rows it would get). first_rows: the first sold lines: order_id, ordered_at (local to the
    mapping's zone), store_id, customer_key (the customer's id in the files), product_id, quantity, net; none where the
    mapping fills no receipts.
    """

    currency: str
    read: Step
    loaded: tuple[Step, ...]
    quarantined: tuple[Step, ...]
    difference: Decimal
    tables: tuple[tuple[str, int], ...]
    first_rows: pd.DataFrame

    @property
    def loaded_rows(self) -> int:
        return (self.read.rows or 0) - sum(step.rows or 0 for step in self.quarantined)


def preview(mapping: Mapping, files: Sequence[Path], now: datetime) -> Preview:
    """Checks the rows of ``files`` as an import at ``now`` (naive UTC) would, and writes nothing.

    Problem as ``import_files``.
    """
    parts = _read_all(mapping, files, lambda _: None)
    staging = Staging(mapping, match(mapping, parts), now)
    try:
        prepared = prepare_targets(staging)
        totals = staging.totals()
        counts = {one.table.name: 0 for one in prepared}
        for one in prepared:
            counts[one.table.name] += staging.scalar(f"SELECT count(*) FROM {one.relation}")
        return Preview(
            currency=mapping.currency,
            read=Step("read", totals["read"][1], totals["read"][0]),
            loaded=_loaded(prepared),
            quarantined=reasons(staging.quarantined()),
            difference=bridge_difference(totals, prepared),
            tables=tuple(counts.items()),
            first_rows=_first_rows(staging, prepared, mapping.time_zone),
        )
    finally:
        staging.close()


def import_files(
    engine: Engine,
    mapping: str | Path,
    files: Sequence[Path],
    *,
    quarantine: Path,
    home: Path | None = None,
    progress: Callable[[str], None] = lambda message: None,
    now: datetime | None = None,
) -> ImportReport:
    """Loads ``files`` into the CRM database as ``mapping`` (a shipped name or a TOML file) says.

    Bad rows go to a csv file in ``quarantine`` with reason, file and line; everything else is written in one
    transaction, or nothing at all. Importing again what is already there changes nothing. ``now`` (naive UTC,
    default: this moment) becomes updated_at of inserted and changed rows. ``home`` has the keys that seal what
    identifies a person; default: the setting.

    Raises:
        Problem: a file or the mapping is not as it must be, or the database must not take this import.
    """
    started = perf_counter()
    now = now or datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    plan = load_mapping(mapping)
    if not files:
        raise Problem(f"no file is named: give the files to import with mapping {plan.name}")
    parts = _read_all(plan, files, progress)
    found = match(plan, parts)
    prepare(engine)
    _refuse_wrong_database(engine, plan)

    rows = sum(part.rows.num_rows for part in parts)
    progress(f"checking {rows:,} rows")
    staging = Staging(plan, found, now)
    try:
        prepared = prepare_targets(staging)
        bad = staging.quarantined()
        totals = staging.totals()
        _refuse_difference(plan, bridge_difference(totals, prepared))
        digest = _digest(files)
        quarantine_file = quarantine / f"{plan.name}-{digest[:12]}.csv" if bad else None
        with engine.begin() as connection:
            counts = []
            for number, one in enumerate(prepared, start=1):
                rows = staging.scalar(f"SELECT count(*) FROM {one.relation}")
                progress(f"writing {one.table.name}: {rows:,} rows (table {number} of {len(prepared)})")
                counts.append(write(connection, staging, one, now, home or settings().home))
            report = ImportReport(
                mapping=plan.name,
                source_id=f"{plan.name}-{digest[:12]}",
                currency=plan.currency,
                read=Step("read", totals["read"][1], totals["read"][0]),
                loaded=_loaded(prepared),
                loaded_rows=totals["read"][0] - totals["repeated"][0] - totals["quarantined"][0],
                repeated=Step("repeated in another file", totals["repeated"][1], totals["repeated"][0]),
                quarantined=reasons(bad),
                tables=_merged(counts),
                quarantine_file=quarantine_file,
                seconds=perf_counter() - started,
            )
            _record(connection, report, [{"name": p.label, "rows": p.rows.num_rows} for p in parts], now)
            if quarantine_file is not None:
                write_quarantine(quarantine_file, bad)
    finally:
        staging.close()
    return report


def _first_rows(staging: Staging, prepared: Sequence[Prepared], time_zone: str) -> pd.DataFrame:
    relation = {one.table.name: one for one in prepared}
    if not {sale_line.name, sale_order.name} <= set(relation):
        return pd.DataFrame()
    orders, lines = relation[sale_order.name], relation[sale_line.name]
    customer = "o.customer_id" if "customer_id" in orders.columns else "NULL"
    return staging.db.execute(
        "SELECT order_id, timezone(?, timezone('UTC', o.ordered_at)) AS ordered_at, o.store_id, "
        f"{customer} AS customer_key, l.product_id, l.quantity, l.net FROM {lines.relation} l "
        f"JOIN {orders.relation} o USING (order_id) ORDER BY o.ordered_at, order_id LIMIT {_SHOWN}",
        [time_zone],
    ).df()


def _read_all(plan: Mapping, files: Sequence[Path], progress: Callable[[str], None]) -> list[Part]:
    parts: list[Part] = []
    # By name, so that the order in which a shell lists the files does not matter.
    for path in sorted({Path(file) for file in files}, key=lambda p: (p.name, str(p))):
        started = perf_counter()
        read_parts = read(path, time_zone=plan.time_zone, encoding=plan.encoding, delimiter=plan.delimiter)
        rows = sum(part.rows.num_rows for part in read_parts)
        progress(f"read {path.name}: {rows:,} rows, {rows / max(perf_counter() - started, 1e-3):,.0f} a second")
        parts += read_parts
    return parts


def _refuse_wrong_database(engine: Engine, plan: Mapping) -> None:
    if is_demo(engine):
        raise Problem(
            "this database holds the demo chain: set MIRROR_CRM_URL to another database for your own data",
            "holds_demo",
        )
    with engine.connect() as connection:
        currencies = set(connection.scalars(select(store.c.currency).distinct()))
    other = ", ".join(sorted(currencies - {plan.currency}))
    if other:
        raise Problem(
            f"this database holds amounts in {other} and mapping {plan.name} brings {plan.currency}: "
            "set MIRROR_CRM_URL to another database, because amounts of different currencies are never added",
            "other_currency",
            held=other,
            brought=plan.currency,
        )


def _refuse_difference(plan: Mapping, difference: Decimal) -> None:
    if difference:
        raise Problem(
            f"mapping {plan.name} does not reconcile: {difference:,.4f} {plan.currency} of the amount read is neither "
            "loaded nor quarantined; correct the mapping, nothing was imported",
            "does_not_reconcile",
        )


def _digest(files: Sequence[Path]) -> str:
    """Names the content of all files together, whatever their names and order."""
    digests = []
    for path in {Path(file) for file in files}:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _loaded(prepared: Sequence[Prepared]) -> tuple[Step, ...]:
    """The loaded amounts by kind; two tables of one label make one step."""
    amounts: dict[str, Decimal] = {}
    for one in prepared:
        if one.target.amount is not None:
            label = one.target.label or one.table.name
            amounts[label] = amounts.get(label, Decimal(0)) + one.amount
    return tuple(Step(label, amount) for label, amount in amounts.items())


def _merged(counts: Sequence[TableCount]) -> tuple[TableCount, ...]:
    """One count per canonical table, which a mapping may fill in several steps."""
    merged: dict[str, TableCount] = {}
    for c in counts:
        so_far = merged.get(c.table, TableCount(c.table, 0, 0, 0))
        merged[c.table] = TableCount(
            c.table, so_far.inserted + c.inserted, so_far.changed + c.changed, so_far.unchanged + c.unchanged
        )
    return tuple(merged.values())


def _record(connection: Connection, report: ImportReport, files: list[dict[str, Any]], now: datetime) -> None:
    """One data_source row per set of files: importing the same again replaces it."""
    connection.execute(delete(data_source).where(data_source.c.source_id == report.source_id))
    row = {
        "source_id": report.source_id,
        "kind": "import",
        "name": report.mapping,
        "loaded_at": now,
        "rows_read": report.read.rows,
        "rows_loaded": report.loaded_rows,
        "rows_quarantined": report.quarantined_rows,
        "amount_read": report.read.amount,
        "amount_loaded": report.loaded_amount,
        "amount_quarantined": report.quarantined_amount,
        "currency": report.currency,
        "details": report.details(files),
        "updated_at": now,
    }
    append(connection, data_source, pd.DataFrame([row]))
