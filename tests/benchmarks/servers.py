"""A PostgreSQL that holds a big chain and is kept in a folder from one run to the next.

``python -m tests.benchmarks.servers FOLDER --load crm.duckdb`` fills it; without ``--load`` it runs what is there.
Either way the server answers on a loopback port, whose URL is printed, until Ctrl+C.
"""

import argparse
import io
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv
from sqlalchemy import Connection, Table, create_engine

from data_access.crm import prepare
from data_access.schema import crm
from tests import databases

_BATCH = 200_000
# Safe against losing power would be fsync=on; a bench needs the file only until the next run.
_SETTINGS = (
    "fsync=off",
    "full_page_writes=off",
    "listen_addresses=127.0.0.1",
    "shared_buffers=1GB",
    "maintenance_work_mem=512MB",
    "max_wal_size=8GB",
    "wal_level=minimal",
    "max_wal_senders=0",
)


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Runs the server whose data lie in ``folder`` (made if absent) until the block ends; yields its URL."""
    programs = [databases._program(name, "PostgreSQL") for name in ("initdb", "postgres")]
    folder.mkdir(parents=True, exist_ok=True)
    prefix: list[str] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        prefix = ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]
    data = folder / "data"
    if not (data / "PG_VERSION").exists():
        options = ["-U", "mirror", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        subprocess.run([*prefix, programs[0], "-D", str(data), *options], check=True, capture_output=True)
    port = databases._free_port()
    options = [part for setting in (*_SETTINGS, f"unix_socket_directories={folder}") for part in ("-c", setting)]
    url = f"postgresql+psycopg://mirror@127.0.0.1:{port}/postgres"
    with databases._running([*prefix, programs[1], "-D", str(data), "-p", str(port), *options], folder, url):
        yield url


def load(source: Path, url: str) -> Iterator[dict[str, object]]:
    """Copies the DuckDB CRM ``source`` into the empty PostgreSQL database; one row of figures per big table.

    Keys and indexes are built after the rows, which takes a third of the time it takes to keep them up to date.
    """
    engine = create_engine(url)
    prepare(engine)
    with duckdb.connect(str(source), read_only=True) as duck:
        for table in crm.sorted_tables:
            started = time.monotonic()
            with engine.begin() as connection:
                rebuild = _without_indexes(connection, table)
                rows = _copy(duck, connection, table)
                copied = time.monotonic()
                for statement in ("SET LOCAL maintenance_work_mem = '512MB'", *rebuild):
                    connection.exec_driver_sql(statement)
            if rows > 100_000:
                yield {
                    "table_name": table.name,
                    "rows": rows,
                    "copy_s": round(copied - started, 1),
                    "index_s": round(time.monotonic() - copied, 1),
                }
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    engine.dispose()


def _without_indexes(connection: Connection, table: Table) -> list[str]:
    """Drops the primary key and the indexes of ``table``; returns the statements that make them again."""
    keys = connection.exec_driver_sql(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = %s::regclass",
        (table.name,),
    ).all()
    indexes = connection.exec_driver_sql(
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = %s AND indexname <> "
        "ALL (%s)",
        (table.name, [name for name, _ in keys]),
    ).all()
    for name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table.name} DROP CONSTRAINT {name}")
    for name, _ in indexes:
        connection.exec_driver_sql(f"DROP INDEX {name}")
    made = [f"ALTER TABLE {table.name} ADD CONSTRAINT {name} {definition}" for name, definition in keys]
    return made + [definition for _, definition in indexes]


def _copy(duck: duckdb.DuckDBPyConnection, connection: Connection, table: Table) -> int:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    # Every value in quotes and NULL without: COPY tells an empty text from NULL by exactly that.
    quoted = arrow_csv.WriteOptions(include_header=False, quoting_style="all_valid")
    rows = 0
    cursor: Any = connection.connection.cursor()
    with cursor.copy(f"COPY {table.name} ({names}) FROM STDIN WITH (FORMAT csv)") as target:
        for batch in duck.execute(f"SELECT {names} FROM {table.name}").to_arrow_reader(_BATCH):
            buffer = io.BytesIO()
            arrow_csv.write_csv(pa.Table.from_batches([batch]), buffer, quoted)
            target.write(buffer.getbuffer())
            rows += batch.num_rows
    cursor.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--load", type=Path, help="a DuckDB CRM to copy in")
    parser.add_argument("--stop", action="store_true", help="stop once it is loaded")
    options = parser.parse_args()
    with postgresql(options.folder) as url:
        if options.load:
            for row in load(options.load, url):
                print(row, flush=True)
        print(url, flush=True)
        if not options.stop:
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    main()
