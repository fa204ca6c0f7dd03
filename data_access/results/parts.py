"""What a batch has computed so far: one small database per finished job, until all of them become one results file.

They lie in ``<home>/batch``, closed to other accounts. A batch that dies leaves them for the next one, which takes over
those whose fingerprint still holds. For whoever has the right to write results (``data_access.publish``).
"""

import os
import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pandas as pd
from duckdb_sqlalchemy import Dialect
from sqlalchemy import Engine, Table, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateTable

from data_access.marts.place_store import place_store
from data_access.pseudonym import customer_key
from data_access.readers import literal
from data_access.results.info import JobInfo, infos
from data_access.results.tables import result_info, results
from data_access.snapshot import OpenFile, Snapshot, not_as_declared, reopened

NUMBER, KEY = "customer_no", "customer_key"  # the columns by which results name a customer
_DIALECT = Dialect()
_AT_ONCE = 100_000  # rows that wait to be written together


@dataclass(frozen=True, slots=True)
class Held:
    """The rows of one job and the file they lie in; without a file there are none."""

    info: JobInfo
    path: Path | None


def folder(home: Path) -> Path:
    """Where unfinished batches of this home lie."""
    place = home / "batch"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


@contextmanager
def pinned(home: Path, snapshot: Snapshot, before: Path | None) -> Iterator[Snapshot]:
    """The facts, with the results of the file ``before``, by names of our own.

    No refresh sweeps those away while a process of the batch still opens them.
    """
    place = folder(home) / "input"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(mode=0o700)
    try:
        facts = _linked(snapshot.files[0].path, place)
        yield reopened(facts, _linked(before, place) if before else None, snapshot.generation)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _linked(path: Path, place: Path) -> Path:
    to = place / path.name
    try:
        os.link(path, to)
    except OSError:  # a file system without links
        shutil.copyfile(path, to)
    return to


class Part:
    """The file a job writes its tables to."""

    def __init__(self, path: Path, tables: Sequence[Table]) -> None:
        self._tables = tables
        self._waiting: dict[Table, list[pd.DataFrame]] = {}
        self._work = duckdb.connect(path, config={"threads": 1})  # of one frame a second makes nothing faster
        _create(self._work, [*tables, result_info])

    def write(self, table: Table, rows: pd.DataFrame) -> None:
        """Adds rows, columns by name; their order is kept. ValueError for a table or column that is not declared."""
        if table not in self._tables:
            raise ValueError(f"the job does not name {table.name!r} among its tables")
        unknown = set(rows.columns) ^ set(table.c.keys())
        if unknown:
            raise ValueError(f"{table.name} and the rows for it differ in the columns {', '.join(sorted(unknown))}")
        if rows.empty:
            return
        waiting = self._waiting.setdefault(table, [])
        if waiting and dict(waiting[0].dtypes) != dict(rows.dtypes):
            self._insert(table)  # together, columns of two types would become one of a third
        waiting.append(rows)
        if sum(map(len, waiting)) >= _AT_ONCE:
            self._insert(table)

    def _insert(self, table: Table) -> None:
        waiting = self._waiting[table]
        if waiting:
            self._work.register("new_rows", pd.concat(waiting, ignore_index=True))
            self._work.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM new_rows")
            self._work.unregister("new_rows")
            waiting.clear()

    def close(self, info: JobInfo | None = None) -> None:
        """Ends the file; with ``info`` it says what its rows are."""
        if info is not None:
            for table in self._waiting:
                self._insert(table)
            frame = pd.DataFrame([asdict(info)])
            self._work.register("info", frame)
            self._work.execute("INSERT INTO result_info BY NAME SELECT * FROM info")
            _to_the_file(self._work)
        self._work.close()


@contextmanager
def writing(home: Path, job: str, tables: Sequence[Table]) -> Iterator[tuple[Part, list[JobInfo]]]:
    """A part to write. What is appended to the list says what it holds; without, or after an error, it is gone."""
    draft = folder(home) / f"draft_{job}.duckdb"
    _remove(draft)
    part, said = Part(draft, tables), list[JobInfo]()
    try:
        yield part, said
        part.close(said[0])
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(draft, file_of(home, job))
    finally:
        part.close()
        _remove(draft)


def finished(home: Path, job: str, tables: Sequence[Table]) -> Held | None:
    """The part that an earlier batch finished; None when there is none that can be used."""
    path = file_of(home, job)
    return held(path, tables).get(job) if path.is_file() else None


def held(path: Path, tables: Sequence[Table]) -> dict[str, Held]:
    """By job what a file holds, if it holds ``tables`` as they are declared now."""
    other, found = _read(path, tables)
    return {} if other else found


def held_by(path: Path, jobs: Mapping[str, Sequence[Table]]) -> dict[str, Held]:
    """What a file holds of those of ``jobs`` whose tables it has as they are declared now."""
    other, found = _read(path, [table for tables in jobs.values() for table in tables])
    same = (job for job, tables in jobs.items() if other.isdisjoint(table.name for table in tables))
    return {job: found[job] for job in same if job in found}


def _read(path: Path, tables: Sequence[Table]) -> tuple[set[str], dict[str, Held]]:
    """The names of those of ``tables`` that a file has not as they are declared now, and what it holds by job."""
    try:
        file = OpenFile(path)
        other = set(not_as_declared(file.engine, [*tables, result_info]))
        known = {} if result_info.name in other else infos(file.engine)
    except SQLAlchemyError:  # cut short by whatever ended the batch: computed again
        return set(), {}
    return other, {job: Held(info, path if info.has_rows else None) for job, info in known.items()}


def assemble(
    to: Path,
    scratch: Path,
    parts: Mapping[str, tuple[Held, Sequence[Table]]],
    facts: Engine,
    forgotten: Collection[int] = (),
) -> None:
    """Makes one results file of the parts by job, with the places of the facts they were computed from, and without
    the rows of customers who were forgotten, by number."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "temp_directory": str(scratch / "spill"),
        "threads": 1,  # two cost a quarter more of the processor
        "preserve_insertion_order": True,
    }
    with duckdb.connect(to, config=config) as work:
        _create(work, [*results.sorted_tables, place_store])
        work.register("places", _places(facts))
        gone = pd.DataFrame({NUMBER: pd.Series(sorted(forgotten), dtype="int64")})
        work.register("forgotten", gone.assign(**{KEY: gone[NUMBER].map(customer_key).astype(str)}))
        work.execute("INSERT INTO place_store BY NAME SELECT * FROM places")
        for part, tables in parts.values():
            said = pd.DataFrame([asdict(part.info)])
            work.register("info", said)
            work.execute("INSERT INTO result_info BY NAME SELECT * FROM info")
            if part.path is None:
                continue
            work.execute(f"ATTACH {literal(part.path)} AS part (READ_ONLY)")
            for table in tables:
                named = [column for column in (NUMBER, KEY) if column in table.c]
                without = "".join(f" ANTI JOIN forgotten USING ({column})" for column in named)
                work.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM part.{table.name}{without}")
            work.execute("DETACH part")
        _to_the_file(work)


def alone(home: Path, part: Held, tables: Sequence[Table], facts: Engine) -> Engine:
    """A finished part as a results file of its own, with the places that readers ask for."""
    to = _new_input(home)
    assemble(to, to.parent, {part.info.job: (part, tables)}, facts)
    return OpenFile(to).engine


def as_declared(home: Path, before: Path, tables: Sequence[Table], facts: Engine) -> Engine | None:
    """The rows that a results file of an earlier version of the program has for ``tables``, in the tables as they are
    now: a column that is new since is null, a table that is new is empty.

    None where a new column must not be null, or the file cannot be read.
    """
    to = _new_input(home)
    wanted = (*tables, result_info)
    try:
        with duckdb.connect(to) as work:
            _create(work, [*wanted, place_store])
            work.execute(f"ATTACH {literal(before)} AS before (READ_ONLY)")
            for table in wanted:
                named = "SELECT column_name FROM duckdb_columns() WHERE database_name = 'before' AND table_name = ?"
                there = {name for (name,) in work.execute(named, [table.name]).fetchall()}
                if not there:
                    continue
                if any(not column.nullable and column.name not in there for column in table.c):
                    return None
                both = ", ".join(column for column in table.c.keys() if column in there)  # noqa: SIM118
                work.execute(f"INSERT INTO {table.name} BY NAME SELECT {both} FROM before.{table.name}")
            work.execute("DETACH before")
            work.register("places", _places(facts))
            work.execute("INSERT INTO place_store BY NAME SELECT * FROM places")
    except duckdb.Error:  # a file that is no longer one, or types that no longer agree
        return None
    return OpenFile(to).engine


def _new_input(home: Path) -> Path:
    """A results file for a job to read, of a name never used before: a process that still has an earlier file open
    could not open this one."""
    return Path(tempfile.mkdtemp(dir=folder(home) / "input")) / "results.duckdb"


def _places(facts: Engine) -> pd.DataFrame:
    query = select(place_store).order_by(*place_store.c)
    with facts.connect() as connection:
        return pd.DataFrame(connection.execute(query).all(), columns=place_store.c.keys())


def clear(home: Path) -> None:
    """Removes all parts, once they are in a published file."""
    shutil.rmtree(home / "batch", ignore_errors=True)


def file_of(home: Path, job: str) -> Path:
    """Where the finished part of a job lies."""
    return folder(home) / f"{job}.duckdb"


def _create(work: duckdb.DuckDBPyConnection, tables: Sequence[Table]) -> None:
    for table in tables:
        work.execute(str(CreateTable(table).compile(dialect=_DIALECT)))


def _to_the_file(work: duckdb.DuckDBPyConnection) -> None:
    """Brings everything into the file itself: closing does so, too, but says nothing when there is no room for it."""
    work.execute("CHECKPOINT")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
