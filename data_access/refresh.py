"""Refresh: from the CRM database to a new generation of facts, checked before anybody sees it.

One read transaction over the CRM -> typed staging rows in a DuckDB in memory -> facts and marts in a draft file ->
reconciliation -> publication. The staging rows never touch the published file, so nothing that identifies a person
can be in it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from data_access import contract
from data_access.contract import ContractReport
from data_access.errors import Problem
from data_access.marts.build import build, clean, doubts
from data_access.marts.tables import facts
from data_access.pseudonym import secret_key
from data_access.publish import Draft, publish, writing
from data_access.readers import literal, reading
from data_access.reconcile import Figure, expect_identities, reconcile
from data_access.schema import pii_columns
from data_access.staging import SOURCES, Progress, stage


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What one refresh did. ``rows`` counts the rows of each facts table, ``refused`` the CRM rows left out by
    (table, reason); money is in ``currency``."""

    generation: str
    seconds: float
    rows_read: int
    rows: dict[str, int]
    refused: dict[tuple[str, str], int]
    reconciliation: tuple[Figure, ...]
    currency: str
    warnings: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """The report for the terminal."""
        rate = self.rows_read / max(self.seconds, 0.001)
        yield f"generation {self.generation}: {self.rows_read:,} rows read in {self.seconds:.1f} s ({rate:,.0f} rows/s)"
        for name, rows in self.rows.items():
            yield f"  {name:<20} {rows:>12,} rows"
        for figure in self.reconciliation:
            yield f"  {figure.sentence(self.currency)}"
        for (name, reason), rows in self.refused.items():
            yield f"  quarantined: {rows:,} rows of {name} ({reason})"
        for warning in self.warnings:
            yield f"  warning: {warning}"


def refresh(engine: Engine, home: Path, *, progress: Progress = lambda _: None) -> RefreshReport:
    """Builds and publishes the next generation of facts from the CRM database.

    ``progress`` gets one line per step. Problem when the CRM cannot be read, lacks a table or column without which
    there are no facts, mixes currencies, does not reconcile, or another refresh is at work; the generation in force
    then stays in force.
    """
    started = time.monotonic()
    with _explained(engine, home), writing(home) as draft, _workshop(draft) as work:
        state = contract.check(engine)
        _expect_core(state)
        loads, totals = _stage_all(engine, work, draft, state, progress)
        progress("building the facts")
        currency = clean(work, secret_key(home))
        _attach_facts(work, draft)
        build(work, draft.number, currency, [f"{c.table.name}.{c.name}" for c in pii_columns()])
        _record_state(work, state)
        _record_loads(work, loads, time.monotonic() - started)
        progress("checking the facts")
        figures = reconcile(work, totals)
        expect_identities(work)
        unequal = (f"it does not add up: {f.sentence(currency)}" for f in figures if f.difference)
        warnings = (*_gaps(state), *doubts(work), *unequal)
        rows = {t.name: _count(work, f"SELECT count(*) FROM facts.{t.name}") for t in facts.sorted_tables}
        refused = work.execute(
            "SELECT table_name, reason, count(*) FROM facts.quarantine GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        work.execute("DETACH facts")  # writes everything to the file
        progress("publishing")
        publish(home, draft)
    return RefreshReport(
        generation=str(draft.number),
        seconds=time.monotonic() - started,
        rows_read=loads.rows,
        rows=rows,
        refused={(table, reason): count for table, reason, count in refused},
        reconciliation=figures,
        currency=currency,
        warnings=warnings,
    )


@contextmanager
def _explained(engine: Engine, home: Path) -> Iterator[None]:
    """Turns what the machine or the database server may do to us into one sentence."""
    kept = "the snapshot in force stays as it is"
    try:
        yield
    except DBAPIError as error:
        raise Problem(contract.unreachable(engine, error)) from error
    except duckdb.OutOfMemoryException as error:
        raise Problem(f"the refresh ran out of memory: free some and run it again; {kept}") from error
    except (duckdb.ProgrammingError, duckdb.InternalError, duckdb.NotSupportedError):
        raise  # a mistake of ours, not of the machine or the data
    except (duckdb.Error, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Problem(f"the refresh could not read the CRM or write to {home} ({reason}); {kept}") from error


@contextmanager
def _workshop(draft: Draft) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB in memory that spills into the draft's private folder."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "temp_directory": str(draft.scratch / "spill"),
    }
    with duckdb.connect(":memory:", config=config) as work:
        work.execute("SET TimeZone = 'UTC'")
        work.execute("CREATE SCHEMA stage")
        work.execute("CREATE SCHEMA clean")
        yield work


def _expect_core(report: ContractReport) -> None:
    for source in SOURCES:
        state = report[source.table]
        missing = [c for c in source.essential if c not in state.present]
        if source.core and state.state == "absent":
            raise Problem(
                f"the CRM database has no table {source.table}: nothing can be shown without it; run "
                "`python -m data_access demo` or import your files, or check MIRROR_CRM_URL"
            )
        if source.core and missing:
            raise Problem(
                f"the CRM table {source.table} has no column {', '.join(missing)}: nothing can be shown without it; "
                "restore the column or provide a view under the canonical name"
            )


@dataclass(frozen=True, slots=True)
class _Loads:
    """When the CRM was read (UTC), and per table: its name, rows, seconds, newest updated_at."""

    read_at: datetime
    tables: tuple[tuple[str, int, float, datetime | None], ...]

    @property
    def rows(self) -> int:
        return sum(rows for _, rows, _, _ in self.tables)


def _stage_all(
    engine: Engine, work: duckdb.DuckDBPyConnection, draft: Draft, state: ContractReport, progress: Progress
) -> tuple[_Loads, dict[str, Decimal]]:
    """Reads every source within one transaction of the CRM; returns what was read and the CRM's own money totals."""
    totals: dict[str, Decimal] = {}
    tables = []
    with reading(engine, work, draft.scratch) as reader:
        read_at = datetime.now(UTC).replace(tzinfo=None)
        for source in SOURCES:
            table = state[source.table]
            started = time.monotonic()
            rows = stage(work, reader, source, table.present, table.rows or 0, progress)
            if set(source.essential) <= set(table.present):
                tables.append((source.table, rows, time.monotonic() - started, table.newest))
            if source.money:
                usable = set(source.essential) <= set(table.present)
                totals[source.table] = reader.total(source.table, source.money) if usable else Decimal(0)
    return _Loads(read_at, tuple(tables)), totals


def _attach_facts(work: duckdb.DuckDBPyConnection, draft: Draft) -> None:
    engine = create_engine(f"duckdb:///{draft.path.as_posix()}")
    facts.create_all(engine)
    engine.dispose()
    work.execute(f"ATTACH {literal(draft.path)} AS facts")


def _record_state(work: duckdb.DuckDBPyConnection, state: ContractReport) -> None:
    work.executemany(
        "INSERT INTO facts.table_status BY NAME SELECT ? AS table_name, ? AS state, ? AS rows, ? AS missing_columns, "
        "? AS disables, ? AS newest",
        [
            (t.table, t.state, t.rows, ",".join(t.missing) or None, ",".join(t.disables) or None, t.newest)
            for t in state.tables
        ],
    )


def _record_loads(work: duckdb.DuckDBPyConnection, loads: _Loads, seconds: float) -> None:
    work.executemany(
        "INSERT INTO facts.table_load BY NAME SELECT ? AS table_name, 'full' AS mode, ? AS rows_read, "
        "rows_read AS rows_changed, 0 AS rows_deleted, ? AS seconds, ? AS newest",
        loads.tables,
    )
    work.execute(
        "UPDATE facts.generation_info SET read_at = ?, mode = 'full', seconds = ?, rows_read = ?, rows_changed = ?",
        [loads.read_at, seconds, loads.rows, loads.rows],
    )


def _gaps(state: ContractReport) -> list[str]:
    """A sentence for each table the facts read that lacks a column or has one of another type."""
    sources = {s.table for s in SOURCES}
    gaps = []
    for table in state.tables:
        if table.table in sources and table.missing and table.state == "columns_missing":
            gaps.append(f"{table.table} has no column {', '.join(table.missing)}")
        if table.table in sources and table.changed:
            gaps.append(f"{table.table} has a column of another type: {', '.join(table.changed)}")
    return gaps


def _count(work: duckdb.DuckDBPyConnection, query: str) -> int:
    found = work.execute(query).fetchone()
    return found[0] if found else 0
