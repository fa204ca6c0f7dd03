"""``python -m tests.benchmarks.on_spark --home HOME --shares 8 2 1``: the marts of a snapshot's facts, built by DuckDB
and by a Spark cluster of this machine, on every n-th customer with all that is theirs. Prints JSON lines.

CPU seconds of Spark are those of all processes of the cluster and of this one, which writes and loads; its first marts
also pay for a cold start, so give a small share first. DuckDB has the memory that a refresh gives it.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import duckdb
from sqlalchemy import Table, create_engine

from data_access.marts._sql import scalar
from data_access.marts.build import BuildMarts, build_marts
from data_access.marts.registry import MARTS
from data_access.marts.tables import facts
from data_access.snapshot import folder, read_pointer
from data_access.spark.cluster import Cluster, running
from data_access.spark.marts import facts_read, marts_on_spark
from tests.benchmarks.__main__ import emit

_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_of(cluster: Cluster) -> float:
    """CPU seconds so far of the cluster's processes and of those they have started."""
    sessions = {process.pid for process in cluster.processes}
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        columns = rest.split()
        if int(columns[3]) in sessions:
            ticks += int(columns[11]) + int(columns[12])
    return ticks / _TICKS


def write_share(home: Path, path: Path, share: int) -> None:
    """The facts that marts read, of every ``share``-th customer, into a file of their own."""
    pointer = read_pointer(home)
    if pointer is None:
        raise SystemExit(f"there is no snapshot in {home}")
    engine = create_engine(f"duckdb:///{path}")
    facts.create_all(engine)
    engine.dispose()
    with _workshop(path) as work:
        work.execute(f"ATTACH '{folder(home) / pointer.facts}' AS whole (READ_ONLY)")
        for table in facts_read():
            work.execute(
                f"INSERT INTO facts.{table.name} SELECT * FROM whole.{table.name} WHERE {_chosen(table, share)}"
            )


def _chosen(table: Table, share: int) -> str:
    if share == 1 or "customer_no" not in table.c:
        return "true"
    # Receipts of nobody go by their own id.
    nobody = f"hash(order_id) % {share} = 0" if "order_id" in table.c else "false"
    return f"CASE WHEN customer_no IS NULL THEN {nobody} ELSE customer_no % {share} = 0 END"


@contextmanager
def _workshop(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": f"{path}.spill"}) as work:
        work.execute(f"CREATE SCHEMA fresh; ATTACH '{path}' AS facts")
        yield work


def build(engine: str, path: Path, builder: BuildMarts, cpu: Callable[[], float]) -> None:
    """Builds every mart and prints wall and CPU seconds of each, of the facts going out ('facts') and of all of it."""
    with _workshop(path) as work:
        lines = scalar(work, "SELECT count(*) FROM facts.sale_line")
        began = last = (time.monotonic(), cpu())

        def tell(what: str, since: tuple[float, float], now: tuple[float, float]) -> None:
            wall, spent = now[0] - since[0], now[1] - since[1]
            emit("marts", engine=engine, lines=lines, mart=what, wall_s=round(wall, 2), cpu_s=round(spent, 2))

        def note(text: str) -> None:
            nonlocal last
            if text.startswith("mart "):
                now = (time.monotonic(), cpu())
                tell(text.partition(":")[0].removeprefix("mart "), last, now)
                last = now
            elif text.startswith(facts_read()[-1].name):
                now = (time.monotonic(), cpu())
                tell("facts", last, now)
                last = now

        builder(work, note)
        tell("all", began, last)


def differences(one: Path, other: Path) -> dict[str, int]:
    """Rows of each mart that only one of the files has."""
    with _workshop(one) as work:
        work.execute(f"ATTACH '{other}' AS other (READ_ONLY)")
        return {
            mart.name: sum(
                scalar(work, f"SELECT count(*) FROM (FROM {a}.{mart.name} EXCEPT ALL FROM {b}.{mart.name})")
                for a, b in (("facts", "other"), ("other", "facts"))
            )
            for mart in MARTS
            if not mart.step
        }


def measure(home: Path, share: int, cluster: Cluster | None) -> None:
    with tempfile.TemporaryDirectory() as place:
        here, there = Path(place) / "duckdb.duckdb", Path(place) / "spark.duckdb"
        write_share(home, here, share)
        if cluster:
            shutil.copyfile(here, there)
        build("duckdb", here, build_marts, time.process_time)
        if cluster:
            on_cluster = marts_on_spark(cluster.url, Path(place))
            build("spark", there, on_cluster, lambda: cpu_of(cluster) + time.process_time())
            emit("differences", share=share, rows=sum(differences(here, there).values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--shares", type=int, nargs="+", default=[8, 2, 1], help="every n-th customer")
    parser.add_argument("--memory", default="3g", help="of each worker")
    parser.add_argument("--duckdb-only", action="store_true", help="without a cluster")
    options = parser.parse_args()
    emit("machine", cores=os.cpu_count(), load=os.getloadavg()[0])
    with nullcontext() if options.duckdb_only else running(memory=options.memory) as cluster:
        for share in options.shares:
            measure(options.home, share, cluster)


if __name__ == "__main__":
    main()
