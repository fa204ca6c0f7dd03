"""Refresh: from the CRM database to a new generation of facts, checked before anybody sees it.

One read transaction over the CRM -> typed staged rows -> facts and marts in a draft file -> reconciliation ->
publication. The first refresh reads everything; later ones read what has changed and derive again only what that
touches, in a copy of the generation before, with the same result. Whatever makes that impossible (another database,
another version, a column that came or went, a key that is no key) makes a refresh read everything again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from data_access import assigned, contract, profiles, stage_file
from data_access.assigned import Linked
from data_access.collect import Collected, ReadEverything, collect_all, collect_changes, differ, merge
from data_access.contract import ContractReport
from data_access.errors import Problem
from data_access.marts import change, customer, refusals
from data_access.marts._sql import scalar
from data_access.marts.build import (
    FACTS,
    RANKED,
    BuildMarts,
    build_marts,
    clean,
    doubts,
    fill,
    number_customers,
    trade,
)
from data_access.marts.tables import facts
from data_access.pseudonym import secret_key
from data_access.publish import Copy, Draft, copying, note_checked, publish, writing
from data_access.readers import literal
from data_access.reconcile import Figure, expect_identities, reconcile
from data_access.refresh_log import remembered
from data_access.snapshot import Pointer, folder, read_pointer
from data_access.stage_file import StageState
from data_access.staging import SOURCES, Progress
from data_access.vault.birthdays import sealed_birthdays

# Rows that change without their ``updated_at`` and without a sum that shows it are found when everything is read.
FULL_AGAIN_AFTER = timedelta(days=1)

# Between two checkpoints a row keeps its number in the file, by which it is deleted.
_NO_CHECKPOINT = "SET checkpoint_threshold = '1TB'"

_CUSTOMER = next(source for source in SOURCES if source.table == "customer")


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What one refresh did. ``rows`` counts the rows of each facts table, ``refused`` the CRM rows left out by
    (table, reason); money is in ``currency``. Not ``published``: nothing has changed, the generation stays in force."""

    generation: str
    mode: str  # full | changes
    seconds: float
    rows_read: int
    rows_changed: int
    rows: dict[str, int]
    refused: dict[tuple[str, str], int]
    reconciliation: tuple[Figure, ...]
    currency: str
    warnings: tuple[str, ...]
    published: bool = True

    def lines(self) -> Iterator[str]:
        """The report for the terminal."""
        if not self.published:
            yield (
                f"nothing has changed: generation {self.generation} stays in force, {self.rows_read:,} rows read in "
                f"{self.seconds:.1f} s"
            )
            return
        rate = self.rows_read / max(self.seconds, 0.001)
        what = "everything" if self.mode == "full" else f"{self.rows_changed:,} changed rows"
        yield (
            f"generation {self.generation}: {what}, {self.rows_read:,} rows read in {self.seconds:.1f} s "
            f"({rate:,.0f} rows/s)"
        )
        for name, rows in self.rows.items():
            yield f"  {name:<20} {rows:>12,} rows"
        for figure in self.reconciliation:
            yield f"  {figure.sentence(self.currency)}"
        for (name, reason), rows in self.refused.items():
            yield f"  quarantined: {rows:,} rows of {name} ({reason})"
        for warning in self.warnings:
            yield f"  warning: {warning}"


def refresh(
    engine: Engine,
    home: Path,
    *,
    full: bool = False,
    marts: BuildMarts = build_marts,
    progress: Progress = lambda _: None,
    linked: Linked = assigned.nobody,
) -> RefreshReport:
    """Builds and publishes the next generation of facts from the CRM database.

    ``full`` reads everything even where reading the changes would do. ``marts`` builds all marts after that; what
    changes touch is always built here. ``progress`` gets one line per step. ``linked`` gives the members that audiences
    give to campaigns. Problem when the CRM cannot be read, lacks
    a table or column without which there are no facts, mixes currencies, does not reconcile, or another refresh is at
    work; the generation in force then stays in force.
    """
    members = linked()
    with _explained(engine, home), writing(home) as draft, remembered(home) as past, _explained(engine, home):
        report = _refresh(engine, home, draft, progress, marts, members, full=full)
        past.mode, past.rows_read, past.rows_changed = report.mode, report.rows_read, report.rows_changed
        past.generation, past.published = report.generation, report.published
        return report


def _refresh(
    engine: Engine,
    home: Path,
    draft: Draft,
    progress: Progress,
    marts: BuildMarts,
    members: pd.DataFrame,
    *,
    full: bool,
) -> RefreshReport:
    if not full:
        try:
            return _Refresh(engine, home, draft, progress, members).changes()
        except ReadEverything as reason:
            progress(f"reading everything: {reason}")
    draft.path.unlink(missing_ok=True)
    return _Refresh(engine, home, draft, progress, members).everything(marts)


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


class _Refresh:
    """One refresh, of everything or of the changes."""

    def __init__(self, engine: Engine, home: Path, draft: Draft, progress: Progress, members: pd.DataFrame) -> None:
        self.members = members
        self.started = time.monotonic()
        self.engine, self.home, self.draft, self.progress = engine, home, draft, progress
        self.key = secret_key(home)
        self.fingerprint = stage_file.fingerprint(engine, self.key)
        self.state = contract.look(engine)
        self.births = sealed_birthdays(engine, home)
        _expect_core(self.state)

    def everything(self, marts: BuildMarts) -> RefreshReport:
        """Reads every row and builds all facts."""
        stage_file.remove(self.home)
        with self._workshop() as work, stage_file.attached(work, stage_file.stage_path(self.home), "stage"):
            stage_file.begin(work, "stage")
            collected = collect_all(self.engine, work, self.draft.scratch, self.state, self.births, self.progress)
            self.progress("building the facts")
            currency = clean(work, "stage", [source for source in SOURCES if source is not _CUSTOMER])
            work.execute("CREATE TABLE stage.customer_number (customer_id VARCHAR, customer_no BIGINT)")
            work.execute("CREATE VIEW clean.customer_number AS SELECT * FROM stage.customer_number")
            number_customers(work, self.key, "stage", "stage.customer_number")
            trade(work)
            day = _day(work, _INSTANTS.format("clean.orders", "clean.returns")) or collected.read_at.date()
            work.execute(f"CREATE TABLE stage.customer AS {customer.WITHOUT_BIRTHDAY.format(day=_literal(day))}")
            work.execute("DROP TABLE incoming.customer")
            refusals.refuse(work, _CUSTOMER)
            assigned.keep(work, self.members)
            self._create_facts(work)
            work.execute(f"ATTACH {literal(self.draft.path)} AS facts")
            fill(work, _in_order())
            work.execute(f"INSERT INTO facts.customer_rank BY NAME {RANKED.format('stage.customer_number')}")
            work.execute(f"INSERT INTO facts.shared_contact BY NAME {_shared('stage')}")
            rows = collected.rows_read
            _record_generation(work, self.draft.number, currency, collected, "full", rows, None, 0)
            marts(work, self.progress)
            for load in collected.loads:
                self._record_load(work, collected, load.table, load.rows_read, 0)
            report = self._finish(work, "stage", collected, currency, "full", rows, None)
            state = StageState(self.draft.number, collected.read_at, collected.tables)
            stage_file.finish(work, "stage", state, self.fingerprint)
        return report

    def changes(self) -> RefreshReport:
        """Reads what has changed and brings a copy of the facts in force up to date.

        ReadEverything when there is no staged copy that belongs to them.
        """
        pointer = read_pointer(self.home.resolve())
        path = stage_file.stage_path(self.home)
        if pointer is None or not path.is_file():
            raise ReadEverything("there is no staged copy of the CRM yet")
        published = folder(self.home) / pointer.facts
        with (
            self._workshop() as work,
            stage_file.attached(work, path, "kept"),
            copying(published, self.draft.path) as copy,
        ):
            work.execute(_NO_CHECKPOINT)
            before = self._staged(work, pointer)
            last_day = _attach_old(work, published)
            collected = collect_changes(
                self.engine,
                work,
                self.draft.scratch,
                self.state,
                before,
                last_day,
                self.births,
                self.progress,
                copy.start,
            )
            assigned.expect_same(work, self.members)
            if self._nothing_changed(work, collected, last_day):
                return self._checked(copy, pointer, collected)
            report = self._bring_up_to_date(work, copy, collected, last_day, pointer.number)
            state = StageState(self.draft.number, before.read_in_full_at, collected.tables)
            stage_file.finish(work, "kept", state, self.fingerprint)
        return report

    def _staged(self, work: duckdb.DuckDBPyConnection, pointer: Pointer) -> StageState:
        """What the staged copy holds; ReadEverything when it does not belong to the facts in force."""
        before = stage_file.read_state(work, "kept", self.fingerprint)
        if before is None or before.generation != pointer.number:
            raise ReadEverything("the staged copy belongs to other facts, another database or another version")
        now = datetime.now(UTC).replace(tzinfo=None)
        if now - before.read_in_full_at > FULL_AGAIN_AFTER:
            raise ReadEverything(f"it was last done on {before.read_in_full_at:%Y-%m-%d %H:%M} UTC")
        return before

    def _nothing_changed(self, work: duckdb.DuckDBPyConnection, collected: Collected, last_day: date) -> bool:
        """Whether the facts in force say all that the CRM says now."""
        if any(map(any, collected.differences.values())):
            return False
        _age(work, collected, last_day)
        _register_states(work, self.state.counted(collected.figures))
        moved = scalar(
            work,
            "SELECT count(*) FROM (FROM states EXCEPT (SELECT * FROM old.table_status) UNION ALL "
            "(SELECT * FROM old.table_status EXCEPT FROM states))",
        )
        work.unregister("states")
        return not moved and not any(collected.differences["customer"])

    def _checked(self, copy: Copy, pointer: Pointer, collected: Collected) -> RefreshReport:
        """Publishes nothing and notes when the CRM was read; ReadEverything when the facts in force are damaged."""
        if not copy.is_whole():
            raise ReadEverything(_DAMAGED)
        note_checked(self.home, pointer.number, collected.read_at)
        return RefreshReport(
            generation=pointer.generation,
            mode="changes",
            seconds=time.monotonic() - self.started,
            rows_read=collected.rows_read,
            rows_changed=0,
            rows={},
            refused={},
            reconciliation=(),
            currency="",
            warnings=(),
            published=False,
        )

    def _bring_up_to_date(
        self, work: duckdb.DuckDBPyConnection, copy: Copy, collected: Collected, last_day: date, previous: int
    ) -> RefreshReport:
        copy.start()
        stage_file.begin(work, "kept")
        work.execute("CREATE SCHEMA stage")
        self.progress("deriving what has changed")
        for source in SOURCES:
            if source is not _CUSTOMER:
                merge(work, source, collected)
        number_customers(work, self.key, "incoming", "kept.customer_number")
        if not copy.is_whole():
            raise ReadEverything(_DAMAGED)
        work.execute(f"ATTACH {literal(self.draft.path)} AS facts")
        currency = change.derive_trade(work)
        day = change.newest_day(work, last_day)
        # Whose birthday lies between the days was read again only for days that could be expected.
        expected = collected.read_at.date() + timedelta(days=1)
        if day != last_day and (day is None or not last_day < day <= expected):
            raise ReadEverything(f"the newest day of the data moved from {last_day} to {day}")
        _age(work, collected, day)
        work.execute("DROP TABLE incoming.customer")
        merge(work, _CUSTOMER, collected)
        change.derive_people(work)
        change.update_facts(work)
        if collected.shared_again:
            work.execute("DELETE FROM facts.shared_contact")
            work.execute(f"INSERT INTO facts.shared_contact BY NAME {_shared('kept')}")
        changed = sum(map(sum, collected.differences.values()))
        _record_generation(work, self.draft.number, currency, collected, "changes", changed, previous, 0)
        change.update_marts(work, self.progress)
        work.execute("DELETE FROM facts.table_load")
        for load in collected.loads:
            self._record_load(work, collected, load.table, *collected.differences[load.table])
        return self._finish(work, "kept", collected, currency, "changes", changed, previous)

    @contextmanager
    def _workshop(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB in memory that spills into the draft's private folder."""
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": "2GB",
            "temp_directory": str(self.draft.scratch / "spill"),
            "preserve_insertion_order": True,
        }
        with duckdb.connect(":memory:", config=config) as work:
            work.execute("SET TimeZone = 'UTC'")
            for schema in ("incoming", "changed", "clean", "fresh"):
                work.execute(f"CREATE SCHEMA {schema}")
            yield work

    def _create_facts(self, work: duckdb.DuckDBPyConnection) -> None:
        work.execute(f"ATTACH {literal(self.draft.path)} AS facts ({stage_file.COMPACT}); DETACH facts")
        engine = create_engine(f"duckdb:///{self.draft.path.as_posix()}")
        facts.create_all(engine)
        engine.dispose()

    def _record_load(
        self, work: duckdb.DuckDBPyConnection, collected: Collected, table: str, written: int, deleted: int
    ) -> None:
        load = next(load for load in collected.loads if load.table == table)
        work.execute(
            "INSERT INTO facts.table_load BY NAME SELECT ? AS table_name, ? AS mode, ? AS rows_read, "
            "? AS rows_changed, ? AS rows_deleted, ? AS seconds, ? AS newest",
            [load.table, load.mode, load.rows_read, written, deleted, load.seconds, load.newest],
        )

    def _finish(
        self,
        work: duckdb.DuckDBPyConnection,
        everything: str,
        collected: Collected,
        currency: str,
        mode: str,
        changed: int,
        previous: int | None,
    ) -> RefreshReport:
        """Records what was done, checks the books, and publishes."""
        state = self.state.counted(collected.figures)
        _record_state(work, state)
        self.progress("checking the facts")
        figures = reconcile(work, collected.totals, everything)
        expect_identities(work)
        unequal = (f"it does not add up: {f.sentence(currency)}" for f in figures if f.difference)
        warnings = (*_gaps(state), *doubts(work, everything), *unequal)
        rows = {t.name: scalar(work, f"SELECT count(*) FROM facts.{t.name}") for t in facts.sorted_tables}
        refused = work.execute(
            "SELECT table_name, reason, count(*) FROM facts.quarantine GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        seconds = time.monotonic() - self.started
        _record_generation(work, self.draft.number, currency, collected, mode, changed, previous, seconds)
        work.execute("DETACH facts")  # writes everything to the file
        self.progress("publishing")
        publish(self.home, self.draft)
        return RefreshReport(
            generation=str(self.draft.number),
            mode=mode,
            seconds=time.monotonic() - self.started,
            rows_read=collected.rows_read,
            rows_changed=changed,
            rows=rows,
            refused={(table, reason): count for table, reason, count in refused},
            reconciliation=figures,
            currency=currency,
            warnings=warnings,
        )


_DAMAGED = "the facts in force are damaged"


def _attach_old(work: duckdb.DuckDBPyConnection, published: Path) -> date:
    """Attaches the facts in force as ``old``; their newest day."""
    try:
        work.execute(f"ATTACH {literal(published)} AS old (READ_ONLY)")
        last_day: date | None = scalar(work, "SELECT last_day FROM old.generation_info")
    except duckdb.Error:
        raise ReadEverything(_DAMAGED) from None
    if last_day is None:
        raise ReadEverything("there was no receipt before")
    return last_day


def _age(work: duckdb.DuckDBPyConnection, collected: Collected, day: date) -> None:
    """Compares the customers who came in, without their birthdays and as old as they are on ``day``."""
    aged = customer.WITHOUT_BIRTHDAY.format(day=_literal(day))
    work.execute(f"CREATE OR REPLACE TABLE incoming.aged AS {aged}")
    differ(work, _CUSTOMER, collected, "incoming.aged")


_INSTANTS = "SELECT ordered_at AS instant FROM {} UNION ALL SELECT returned_at FROM {}"


def _day(work: duckdb.DuckDBPyConnection, instants: str) -> date | None:
    newest: date | None = scalar(work, f"SELECT CAST(max(instant) AS DATE) FROM ({instants})")
    return newest


def _shared(staged: str) -> str:
    """The query of who shares a contact, by the numbers of a staged copy."""
    return profiles.SHARED_CONTACT.format(numbers=f"{staged}.customer_number")


def _literal(day: date | None) -> str:
    return f"DATE '{day}'"


def _in_order() -> list[str]:
    """The facts, those that lines name after the lines."""
    late = [name for name in ("product", "quarantine") if name in FACTS]
    return [name for name in FACTS if name not in late] + late


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


def _record_state(work: duckdb.DuckDBPyConnection, state: ContractReport) -> None:
    _register_states(work, state)
    work.execute("DELETE FROM facts.table_status; INSERT INTO facts.table_status BY NAME SELECT * FROM states")
    work.unregister("states")


def _register_states(work: duckdb.DuckDBPyConnection, state: ContractReport) -> None:
    """``states``: the rows of ``table_status``."""
    rows = [
        {
            "table_name": t.table,
            "state": t.state,
            "rows": t.rows,
            "missing_columns": ",".join(t.missing) or None,
            "changed_columns": ",".join(name.partition(" (")[0] for name in t.changed) or None,
            "disables": ",".join(t.disables) or None,
            "newest": t.newest,
        }
        for t in state.tables
    ]
    work.register("states", pa.Table.from_pylist(rows))


def _record_generation(
    work: duckdb.DuckDBPyConnection,
    generation: int,
    currency: str,
    collected: Collected,
    mode: str,
    changed: int,
    previous: int | None,
    seconds: float,
) -> None:
    work.execute("DELETE FROM facts.generation_info")
    work.execute(
        f"""INSERT INTO facts.generation_info BY NAME
        SELECT $generation AS generation, $built_at AS built_at, coalesce(max(instant), $built_at) AS as_of,
            CAST(min(instant) AS DATE) AS first_day, CAST(max(instant) AS DATE) AS last_day, $currency AS currency,
            (SELECT coalesce(bool_and(kind = 'demo'), false) FROM facts.data_source) AS is_demo,
            $read_at AS read_at, $mode AS mode, $seconds AS seconds, $rows_read AS rows_read,
            $changed AS rows_changed, $previous AS previous
        FROM ({_INSTANTS.format("facts.sale_order", "facts.return_line")})""",
        {
            "generation": generation,
            "built_at": datetime.now(UTC).replace(tzinfo=None),
            "currency": currency,
            "read_at": collected.read_at,
            "mode": mode,
            "seconds": seconds,
            "rows_read": collected.rows_read,
            "changed": changed,
            "previous": previous,
        },
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
