"""What left the CRM: everything, or only what has changed since the staged copy was last brought up to date.

All of it is read within one transaction of the CRM. A table is read by its watermark (``updated_at`` newer than what
was seen, with an overlap for transactions that commit late) where the staged copy holds many of its rows, else as a
whole. The CRM's own number of rows and sum of money are then compared with the staged copy: days of ``updated_at``
whose rows do not add up are read again, which finds what was deleted, and where even that does not make the sums
equal (a value that changed without its ``updated_at``) the table is read as a whole.

``incoming.<table>`` holds the rows as read; ``changed.<table>`` the keys of the rows that were inserted, changed or
deleted, with the unit they belong to: what ``merge`` then brings into ``kept.<table>``.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import ColumnElement, Engine, Select, Table, and_, extract, func, literal, not_, null, or_, select

from data_access import profiles
from data_access.contract import ContractReport
from data_access.marts._sql import scalar
from data_access.readers import Reader, exact_sum, reading
from data_access.schema import crm, pii_columns, translation
from data_access.stage_file import Remembered, StageState, described
from data_access.staging import SOURCES, Progress, Source, create, stage
from data_access.vault.birthdays import SealedBirthdays
from data_access.vault.rows import chunks

# Transactions may commit rows minutes after the instant they wrote into updated_at.
OVERLAP = timedelta(minutes=10)
# Smaller tables are read as a whole: it is as fast, and misses nothing.
WHOLE_BELOW = 20_000
# More days than this to read again are slower than the whole table; so are more customers by their ids.
_DAYS_AGAIN = 60
_IDS_AGAIN = 100_000
_IDS_TOGETHER = 10_000
_CENT = Decimal("0.01")

# The unit whose rows are derived together: a receipt with its lines, a customer with all that hangs on one.
UNITS: Mapping[str, tuple[str, ...]] = {
    "sale_order": ("order_id",),
    "sale_line": ("order_id",),
    "return_line": ("return_id", "line_no"),
    "customer": ("customer_id",),
    "customer_tag": ("customer_id",),
    "tier_change": ("customer_id",),
    "points_entry": ("customer_id",),
    "follow_up": ("customer_id",),
    "campaign_member": ("customer_id",),
    "campaign_event": ("customer_id",),
    "consent": ("customer_id",),
}


class ReadEverything(Exception):
    """Why the staged copy cannot be brought up to date; not a failure: everything is read again."""


@dataclass(frozen=True, slots=True)
class Load:
    """How one CRM table was read; ``newest`` is its newest ``updated_at`` (UTC)."""

    table: str
    mode: str  # full | changes
    rows_read: int
    seconds: float
    newest: datetime | None


@dataclass(slots=True)
class Collected:
    """When the CRM was read (UTC), how each table was, and the CRM's own totals of money by table."""

    read_at: datetime
    loads: list[Load] = field(default_factory=list)
    # rows and newest ``updated_at`` of every canonical table that is there
    figures: dict[str, tuple[int, datetime | None]] = field(default_factory=dict)
    totals: dict[str, Decimal] = field(default_factory=dict)
    tables: dict[str, Remembered] = field(default_factory=dict)
    # whether temp.shared_contact says who shares a contact now; else that is as it was
    shared_again: bool = False
    # days of updated_at that were read again, by table; None: the whole table
    again: dict[str, list[date | None] | None] = field(default_factory=dict)
    # rows that came or changed, and rows that went, by table; not of customers, whose age is not known yet
    differences: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def rows_read(self) -> int:
        return sum(load.rows_read for load in self.loads)


@dataclass(frozen=True, slots=True)
class _Figures:
    """The CRM's own word on a table."""

    rows: int
    newest: datetime | None
    money: Decimal


def collect_all(
    engine: Engine,
    work: duckdb.DuckDBPyConnection,
    scratch: Path,
    state: ContractReport,
    births: SealedBirthdays | None,
    progress: Progress,
) -> Collected:
    """Reads every source as a whole into ``stage.<table>``, customers into ``incoming.customer``."""
    with reading(engine, work, scratch) as reader:
        collected = Collected(datetime.now(UTC).replace(tzinfo=None))
        work.execute(profiles.NO_SHARED)
        for source in SOURCES:
            # One transaction can write to one database file, and to temporary tables.
            into = "temp.people" if source.table == "customer" else f"stage.{source.table}"
            create(work, source, into)
            if _usable(source, state):
                started = time.monotonic()
                present, where = state[source.table].present, _readable(source)
                rows = stage(work, reader, source, present, progress, into=into, where=where)
                if source.table == "customer":
                    _note_profiles(reader, work, into, present, births)
                    profiles.note_shared(reader, work, present, sealed=births is not None)
                figures = _figures(reader, _asked(source.table, state))  # now that the CRM has it in memory
                _note(collected, source, state, "full", rows, started, figures)
            elif source.money:
                collected.totals[source.table] = Decimal(0)
        for name in _in_order_of_reading(state):
            if name not in collected.figures:
                _count(reader, name, _asked(name, state), collected)
    work.execute("CREATE TABLE incoming.customer AS SELECT * FROM temp.people; DROP TABLE temp.people")
    return collected


def collect_changes(
    engine: Engine,
    work: duckdb.DuckDBPyConnection,
    scratch: Path,
    state: ContractReport,
    before: StageState,
    last_day: date,
    births: SealedBirthdays | None,
    progress: Progress,
    on_change: Callable[[], None],
) -> Collected:
    """Reads what has changed since ``before`` into ``incoming.<table>``; ``last_day`` is that of the facts so far.

    ``on_change`` is called whenever a table differs from the staged copy, or says it does, while the rest is still to
    be read.
    ReadEverything when a table that had usable columns has none now, or the other way round.
    """
    with reading(engine, work, scratch) as reader:
        collected = Collected(datetime.now(UTC).replace(tzinfo=None))
        asked = {name: _asked(name, state) for name in _in_order_of_reading(state)}
        for source in SOURCES:
            create(work, source, f"incoming.{source.table}")
            _match(work, source)
            if _usable(source, state) != (source.table in before.tables):
                raise ReadEverything(f"{source.table} has come or gone")
        large = [source for source in SOURCES if _is_large_here(work, source)]
        names = {source.table for source in large}
        # What is new in a large table is read while the CRM counts it.
        reader.ahead([query for _, query in sorted(asked.items(), key=lambda named: named[0] in names)])
        early: dict[str, tuple[int, float]] = {}
        for source in large:
            began = time.monotonic()
            rows = _read_by_watermark(reader, work, source, state, before, last_day, collected, progress)
            if rows is None:
                continue
            if source.table != "customer":
                differ(work, source, collected)
                if any(collected.differences[source.table]):
                    on_change()
            early[source.table] = rows, time.monotonic() - began
        for source in SOURCES:
            if not _usable(source, state):
                if source.money:
                    collected.totals[source.table] = Decimal(0)
                if source.table != "customer":
                    differ(work, source, collected)
                continue
            figures = _figures(reader, asked[source.table])
            seen = before.tables[source.table].watermark
            if figures.newest and seen and figures.newest > seen:
                on_change()
            rows_early, seconds = early.get(source.table, (None, 0.0))
            started = time.monotonic() - seconds
            if (
                rows_early is None
                and not figures.rows
                and not scalar(work, f"SELECT count(*) FROM kept.{source.table}")
            ):
                _note(collected, source, state, "full", 0, started, figures)
                if source.table != "customer":
                    _note_no_difference(work, source, collected)
                continue
            mode, rows = _pull(reader, work, source, state, figures, rows_early, collected, progress)
            if source.table == "customer" and rows:
                present = state[source.table].present
                _note_profiles(reader, work, "incoming.customer", present, births)
                if _contacts_may_differ(work, collected):
                    profiles.note_shared(reader, work, present, sealed=births is not None)
                    collected.shared_again = True
            _note(collected, source, state, mode, rows, started, figures)
            if source.table != "customer" and (rows_early is None or collected.again[source.table] != []):
                differ(work, source, collected)
                if any(collected.differences[source.table]):
                    on_change()
        for name in asked.keys() - collected.figures.keys():
            _count(reader, name, asked[name], collected)
    return collected


def _note_profiles(
    reader: Reader,
    work: duckdb.DuckDBPyConnection,
    relation: str,
    present: Collection[str],
    births: SealedBirthdays | None,
) -> None:
    """What the staged customers have besides the columns that are read."""
    if births:
        births.fill(reader, work, relation)
    profiles.note_filled(reader, work, relation, present, sealed=births is not None)


def _contacts_may_differ(work: duckdb.DuckDBPyConnection, collected: Collected) -> bool:
    """Whether a customer came, changed or may have gone; not where rows were only read again for an overlap or a
    birthday, which happens every day: to compare the numbers of a million customers takes seconds."""
    same = "k.customer_id = i.customer_id AND k.updated_at = i.updated_at"
    return collected.again["customer"] != [] or bool(
        scalar(work, f"SELECT count(*) FROM incoming.customer i ANTI JOIN kept.customer k ON {same}")
    )


def _count(reader: Reader, name: str, asked: Select[Any], collected: Collected) -> None:
    figures = _figures(reader, asked)
    collected.figures[name] = figures.rows, figures.newest


def _in_order_of_reading(state: ContractReport) -> list[str]:
    """The tables that are there: first the sources, then those that are only counted."""
    read = [source.table for source in SOURCES]
    others = [table.table for table in state.tables if table.table not in read]
    return [name for name in (*read, *others) if state[name].present]


def _usable(source: Source, state: ContractReport) -> bool:
    return set(source.essential) <= set(state[source.table].present)


def _note(
    collected: Collected,
    source: Source,
    state: ContractReport,
    mode: str,
    rows: int,
    started: float,
    figures: _Figures,
) -> None:
    collected.figures[source.table] = figures.rows, figures.newest
    collected.loads.append(Load(source.table, mode, rows, time.monotonic() - started, figures.newest))
    if source.money:
        collected.totals[source.table] = figures.money
    # A clock that runs ahead must not make the next refresh skip what is written until then.
    seen = min(figures.newest, collected.read_at) if figures.newest else None
    collected.tables[source.table] = Remembered(described(state, source.table), seen)


def _asked(name: str, state: ContractReport) -> Select[Any]:
    """The query of the CRM's own word on a table."""
    table = crm.tables[name]
    money = next((source.money for source in SOURCES if source.table == name), None)
    newest = func.max(table.c.updated_at) if "updated_at" in state[name].present else null()
    total = exact_sum(table.c[money]) if money and money in state[name].present else literal(0)
    wanted = (func.count().label("rows"), newest.label("newest"), total.label("money"))
    return select(*wanted).select_from(table)


def _figures(reader: Reader, asked: Select[Any]) -> _Figures:
    rows, newest_at, ten_thousandths = reader.execute(asked)[0]
    return _Figures(rows, newest_at, Decimal(ten_thousandths).scaleb(-4))


def _is_large_here(work: duckdb.DuckDBPyConnection, source: Source) -> bool:
    return bool(scalar(work, f"SELECT count(*) >= {WHOLE_BELOW} FROM kept.{source.table}"))


def _read_by_watermark(
    reader: Reader,
    work: duckdb.DuckDBPyConnection,
    source: Source,
    state: ContractReport,
    before: StageState,
    last_day: date,
    collected: Collected,
    progress: Progress,
) -> int | None:
    """Reads the rows that are new or changed into ``incoming``; how many, None where all of the table must be read."""
    if not _usable(source, state):
        return None
    name, seen = source.table, before.tables[source.table]
    if seen.present != described(state, name) or seen.watermark is None:
        return None
    changed = _changed_since(crm.tables[name], seen.watermark - OVERLAP)
    rows = _read(reader, work, source, state, progress, changed)
    if name == "customer" and "birthday" in state[name].present:
        older = _older_now(work, last_day, collected.read_at)
        if older is None:
            return None
        for ids in chunks(older, _IDS_TOGETHER):
            known = and_(crm.tables[name].c.customer_id.in_(ids), not_(changed))
            rows += _read(reader, work, source, state, progress, known)
    _match(work, source)
    collected.again[name] = []
    return rows


def _read(
    reader: Reader,
    work: duckdb.DuckDBPyConnection,
    source: Source,
    state: ContractReport,
    progress: Progress,
    where: ColumnElement[bool] | None,
) -> int:
    both = [condition for condition in (where, _readable(source)) if condition is not None]
    chosen = and_(*both) if both else None
    into = f"incoming.{source.table}"
    return stage(work, reader, source, state[source.table].present, progress, into=into, where=chosen)


def _pull(
    reader: Reader,
    work: duckdb.DuckDBPyConnection,
    source: Source,
    state: ContractReport,
    figures: _Figures,
    rows: int | None,
    collected: Collected,
    progress: Progress,
) -> tuple[str, int]:
    """Completes ``incoming`` where ``rows`` that were read by their watermark do not add up with the CRM's own
    ``figures``; None: nothing was read yet. Returns how the table was read, and the rows."""
    name = source.table

    def whole() -> tuple[str, int]:
        work.execute(f"DELETE FROM incoming.{name}")
        collected.again[name] = None
        read = _read(reader, work, source, state, progress, None)
        _match(work, source)
        return "full", read

    if rows is None or figures.rows < WHOLE_BELOW:
        return whole()
    days: list[date | None] = []
    if _rows_after(work, source, days) != figures.rows:
        days = _days_that_differ(reader, work, source)
        if len(days) > _DAYS_AGAIN:
            return whole()
        for day in days:
            work.execute(f"DELETE FROM incoming.{name} WHERE {_in_day(day)}")
            rows += _read(reader, work, source, state, progress, _of_day(crm.tables[name], day))
        _match(work, source)
        if _rows_after(work, source, days) != figures.rows:
            return whole()
    if source.money and abs(_money_after(work, source, days) - figures.money) >= _CENT:
        return whole()
    collected.again[name] = days
    return "changes", rows


def _readable(source: Source) -> ColumnElement[bool] | None:
    """Which rows may leave the CRM at all: translated names of people identify people."""
    if source.table != "translation":
        return None
    return translation.c.field.not_in([f"{c.table.name}.{c.name}" for c in pii_columns()])


def _changed_since(table: Table, instant: datetime) -> ColumnElement[bool]:
    return or_(table.c.updated_at > instant, table.c.updated_at.is_(None))


def _older_now(work: duckdb.DuckDBPyConnection, last_day: date, read_at: datetime) -> list[str] | None:
    """Whose age may have changed since the last refresh without a change of the row: who had a birthday meanwhile, or
    one that lay in the future. None: too many."""
    days = (read_at.date() - last_day).days + 2
    if not 0 <= days <= _DAYS_AGAIN:
        return None
    passed = {f"{last_day + timedelta(days=i):%m-%d}" for i in range(-1, days + 1)} | {"02-29"}
    found = work.execute(
        "SELECT customer_id FROM kept.customer WHERE (list_contains(?, birth_month_day) OR birthday_implausible) "
        "AND customer_id IS NOT NULL LIMIT ?",
        [sorted(passed), _IDS_AGAIN + 1],
    )
    ids = [customer_id for (customer_id,) in found.fetchall()]
    return ids if len(ids) <= _IDS_AGAIN else None


def _of_day(table: Table, day: date | None) -> ColumnElement[bool]:
    if day is None:
        return table.c.updated_at.is_(None)
    first = datetime(day.year, day.month, day.day)
    return and_(table.c.updated_at >= first, table.c.updated_at < first + timedelta(days=1))


def _in_day(day: date | None) -> str:
    return "updated_at IS NULL" if day is None else f"CAST(updated_at AS DATE) = DATE '{day}'"


def _in_days(days: list[date | None]) -> str:
    return " OR ".join(map(_in_day, days)) or "false"


def _remaining(source: Source, days: list[date | None]) -> str:
    """Keys and ``updated_at`` of the table as it will be once merged: what came in, and what is kept and neither came
    in nor lies in the days that were read again."""
    columns = ", ".join([*source.key, "updated_at"])
    key = ", ".join(source.key)
    return (
        f"(SELECT {columns} FROM incoming.{source.table} UNION ALL "
        f"SELECT {columns} FROM kept.{source.table} ANTI JOIN incoming.{source.table} USING ({key}) "
        f"WHERE NOT coalesce({_in_days(days)}, false))"
    )


def _rows_after(work: duckdb.DuckDBPyConnection, source: Source, days: list[date | None]) -> int:
    if days:
        return scalar(work, f"SELECT count(*) FROM {_remaining(source, days)}")
    return scalar(work, _after(source, "count(*)"))


def _money_after(work: duckdb.DuckDBPyConnection, source: Source, days: list[date | None]) -> Decimal:
    money = f"coalesce(sum({source.money}), 0)"
    if days:
        key = ", ".join(source.key)
        rows = f"kept.{source.table} ANTI JOIN incoming.{source.table} USING ({key})"
        stays = scalar(work, f"SELECT {money} FROM {rows} WHERE NOT coalesce({_in_days(days)}, false)")
        return Decimal(stays + scalar(work, f"SELECT {money} FROM incoming.{source.table}"))
    return Decimal(scalar(work, _after(source, money)))


def _after(source: Source, figure: str) -> str:
    """The query of a sum over the table as it will be, where nothing was deleted: kept, less replaced, and came in."""
    name = source.table
    kept, replaced, came = (
        f"(SELECT {figure} FROM {t})" for t in (f"kept.{name}", f"changed.{name}_kept", f"incoming.{name}")
    )
    return f"SELECT {kept} - {replaced} + {came}"


def _match(work: duckdb.DuckDBPyConnection, source: Source) -> None:
    """``changed.<table>_kept``: the kept rows whose keys came in. A row's number in the file finds it again at no
    cost."""
    name, key = source.table, ", ".join(source.key)
    work.execute(
        f"CREATE OR REPLACE TABLE changed.{name}_kept AS SELECT k.*, k.rowid AS row FROM kept.{name} k "
        f"SEMI JOIN incoming.{name} USING ({key})"
    )


def _days_that_differ(reader: Reader, work: duckdb.DuckDBPyConnection, source: Source) -> list[date | None]:
    """The days of ``updated_at`` of which the CRM holds another number of rows than the merged copy would."""
    instant = crm.tables[source.table].c.updated_at
    parts = [extract(part, instant) for part in ("year", "month", "day")]
    there = {
        None if year is None else date(int(year), int(month), int(day)): rows
        for year, month, day, rows in reader.execute(
            select(*parts, func.count()).select_from(crm.tables[source.table]).group_by(*parts)
        )
    }
    here = dict(
        work.execute(f"SELECT CAST(updated_at AS DATE), count(*) FROM {_remaining(source, [])} GROUP BY ALL").fetchall()
    )
    return sorted(
        (day for day in {*there, *here} if there.get(day, 0) != here.get(day, 0)), key=lambda day: day or date.min
    )


def differ(work: duckdb.DuckDBPyConnection, source: Source, collected: Collected, incoming: str | None = None) -> None:
    """Compares ``incoming.<table>``, or the table ``incoming`` of the same keys, with what is kept.

    ``changed.<table>_new`` holds the rows that came or changed, ``_deleted`` those that went, ``_old`` what is to be
    replaced or deleted, and ``changed.<table>`` one row per key of these and unit it belongs or belonged to. Notes the
    numbers of rows.

    Of the days of ``updated_at`` that were read again, or of the whole table, what did not come in was deleted.
    ReadEverything when a key is empty or occurs twice.
    """
    name, key = source.table, ", ".join(source.key)
    again, rows = collected.again.get(name, []), incoming or f"incoming.{name}"
    empty = " OR ".join(f"{part} IS NULL" for part in source.key)
    broken = scalar(
        work,
        f"SELECT (SELECT count(*) FROM {rows} WHERE {empty}) + (SELECT count(*) FROM "
        f"(SELECT 1 FROM {rows} GROUP BY {key} HAVING count(*) > 1))",
    )
    if broken:
        raise ReadEverything(f"{name} has {broken:,} keys that are empty or occur twice")
    work.execute(
        f"CREATE OR REPLACE TABLE changed.{name}_new AS SELECT * FROM {rows} "
        f"EXCEPT SELECT * EXCLUDE (row) FROM changed.{name}_kept"
    )
    gone = "LIMIT 0" if again == [] else "" if again is None else f"WHERE {_in_days(again)}"
    work.execute(
        f"CREATE OR REPLACE TABLE changed.{name}_deleted AS SELECT k.*, k.rowid AS row FROM kept.{name} k "
        f"ANTI JOIN {rows} USING ({key}) {gone}"
    )
    work.execute(
        f"CREATE OR REPLACE TABLE changed.{name}_old AS SELECT * FROM changed.{name}_kept "
        f"SEMI JOIN changed.{name}_new USING ({key}) UNION ALL SELECT * FROM changed.{name}_deleted"
    )
    columns = ", ".join(dict.fromkeys([*source.key, *UNITS.get(name, ())]))
    work.execute(
        f"CREATE OR REPLACE TABLE changed.{name} AS SELECT {columns} FROM changed.{name}_new "
        f"UNION SELECT {columns} FROM changed.{name}_old"
    )
    collected.differences[name] = (
        scalar(work, f"SELECT count(*) FROM changed.{name}_new"),
        scalar(work, f"SELECT count(*) FROM changed.{name}_deleted"),
    )


def _note_no_difference(work: duckdb.DuckDBPyConnection, source: Source, collected: Collected) -> None:
    """As ``differ`` where neither the CRM nor the staged copy holds a row."""
    name = source.table
    for table in ("deleted", "old"):
        work.execute(f"CREATE TABLE changed.{name}_{table} AS FROM changed.{name}_kept")
    for table in (f"{name}_new", name):
        work.execute(f"CREATE TABLE changed.{table} AS FROM incoming.{name}")
    collected.differences[name] = 0, 0


def merge(work: duckdb.DuckDBPyConnection, source: Source, collected: Collected) -> None:
    """Brings ``kept.<table>`` up to date, after ``differ``."""
    name = source.table
    if any(collected.differences[name]):
        work.execute(f"DELETE FROM kept.{name} WHERE rowid IN (SELECT row FROM changed.{name}_old)")
        work.execute(f"INSERT INTO kept.{name} SELECT * FROM changed.{name}_new")
