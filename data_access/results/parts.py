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
from sqlalchemy import Engine, Table, create_engine, select
from sqlalchemy.exc import SQLAlchemyError

from data_access.marts.place_store import place_store
from data_access.pseudonym import customer_key
from data_access.readers import literal
from data_access.results.info import JobInfo, infos
from data_access.results.tables import result_info, results
from data_access.snapshot import OpenFile, Snapshot, not_as_declared, reopened

NUMBER, KEY = "customer_no", "customer_key"  # the columns by which results name a customer


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
        _create(path, [*tables, result_info])
        self._work = duckdb.connect(path)

    def write(self, table: Table, rows: pd.DataFrame) -> None:
        """Adds rows, columns by name; their order is kept. ValueError for a table or column that is not declared."""
        if table not in self._tables:
            raise ValueError(f"the job does not name {table.name!r} among its tables")
        unknown = set(rows.columns) ^ set(table.c.keys())
        if unknown:
            raise ValueError(f"{table.name} and the rows for it differ in the columns {', '.join(sorted(unknown))}")
        if len(rows):
            self._work.register("new_rows", rows)
            self._work.execute(f"INSERT INTO {table.name} BY NAME SELECT * FROM new_rows")
            self._work.unregister("new_rows")

    def close(self, info: JobInfo | None = None) -> None:
        """Ends the file; with ``info`` it says what its rows are."""
        if info is not None:
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
        os.replace(draft, _path(home, job))
    finally:
        part.close()
        _remove(draft)


def finished(home: Path, job: str, tables: Sequence[Table]) -> Held | None:
    """The part that an earlier batch finished; None when there is none that can be used."""
    path = _path(home, job)
    return held(path, tables).get(job) if path.is_file() else None


def held(path: Path, tables: Sequence[Table]) -> dict[str, Held]:
    """By job what a file holds, if it holds ``tables`` as they are declared now."""
    try:
        file = OpenFile(path)
        if not_as_declared(file.engine, [*tables, result_info]):
            return {}
        return {job: Held(info, path if info.has_rows else None) for job, info in infos(file.engine).items()}
    except SQLAlchemyError:  # cut short by whatever ended the batch: computed again
        return {}


def assemble(
    to: Path,
    scratch: Path,
    parts: Mapping[str, tuple[Held, Sequence[Table]]],
    facts: Engine,
    forgotten: Collection[int] = (),
) -> None:
    """Makes one results file of the parts by job, with the places of the facts they were computed from, and without
    the rows of customers who were forgotten, by number."""
    _create(to, [*results.sorted_tables, place_store])
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": "1GB",
        "temp_directory": str(scratch / "spill"),
        "preserve_insertion_order": True,
    }
    with duckdb.connect(to, config=config) as work:
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
    _create(to, [*wanted, place_store])
    try:
        with duckdb.connect(to) as work:
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


def _path(home: Path, job: str) -> Path:
    return folder(home) / f"{job}.duckdb"


def _create(path: Path, tables: Sequence[Table]) -> None:
    engine = create_engine(f"duckdb:///{path.as_posix()}")
    with engine.begin() as connection:
        for table in tables:
            table.create(connection)
    with engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
    engine.dispose()


def _to_the_file(work: duckdb.DuckDBPyConnection) -> None:
    """Brings everything into the file itself: closing does so, too, but says nothing when there is no room for it."""
    work.execute("CHECKPOINT")


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
