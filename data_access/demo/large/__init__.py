"""A big chain for measuring speed: millions of customers, written by DuckDB into a DuckDB file or Parquet.

Its shapes are those of a real chain (calendar, opening hours, best sellers, home stores, loyal and lost customers),
but nothing is planted in it and no truth is kept: whoever wants to know whether an analysis finds what is there takes
the chains of ``data_access.demo``.
"""

import json
import os
import re
import tempfile
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from duckdb_sqlalchemy import Dialect as DuckDBDialect
from sqlalchemy import Table

from data_access.demo.large import ground, marketing, supply, trade
from data_access.demo.world import months_before
from data_access.errors import Problem
from data_access.readers import literal
from data_access.schema import crm

LARGE_SCALES = {"M": 1_000_000, "L": 5_000_000}  # customers; about 4.2 receipts, 9.3 lines and 6 events for each

# Temporary tables and canonical tables in the order in which they need each other.
_STATEMENTS = (
    supply.REGION,
    supply.STORE,
    supply.STAFF,
    supply.PRODUCT,
    supply.TIER,
    supply.HOLIDAY,
    trade.BUYER,
    trade.CUSTOMER,
    trade.RECEIPT,
    trade.SALE_ORDER,
    marketing.CAMPAIGN_PLAN,
    marketing.MEMBER,
    marketing.COUPON_USE,
    marketing.CAMPAIGN,
    marketing.CAMPAIGN_ARM,
    marketing.CAMPAIGN_STORE,
    marketing.CAMPAIGN_PRODUCT,
    marketing.COUPON,
    marketing.COUPON_PRODUCT,
    marketing.CAMPAIGN_MEMBER,
    marketing.EVENT,
    marketing.CAMPAIGN_EVENT,
    "DROP TABLE member",
    "DROP TABLE event",
    trade.BASKET,
    trade.SALE_LINE,
    trade.RETURN_LINE,
    trade.TIER_CHANGE,
    trade.STORE_TRAFFIC,
    trade.SALES_TARGET,
    supply.SUPPLIER,
    supply.SUPPLY_TERM,
    supply.PURCHASE_ORDER,
    supply.PURCHASE_ORDER_LINE,
    supply.GOODS_RECEIPT,
    supply.STOCK_LEVEL,
    supply.TRANSLATION,
)
# The instant by whose month a big table is cut into files.
_MONTH_OF = {
    "sale_order": "ordered_at",
    "sale_line": "updated_at",
    "return_line": "returned_at",
    "campaign_member": "assigned_at",
    "campaign_event": "occurred_at",
    "store_traffic": "hour_start",
}


def write_large_chain(
    url: str,
    parquet: Path | None,
    *,
    scale: str,
    seed: int,
    end: date,
    if_missing: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, int]:
    """Writes a big chain where ``url`` (``duckdb:///<file>``) says, into the folder ``parquet``, or both.

    Returns rows by table, none where ``if_missing`` found a file in place. Problem when neither is named.
    """
    file = url.removeprefix("duckdb:///")
    named = file != url
    if named and if_missing and Path(file).exists():
        return {}
    if parquet is None:
        if not named:
            raise Problem(
                f"a chain of scale {scale} goes into a DuckDB file or a folder of Parquet files: "
                "write --crm-url duckdb:///crm.duckdb, or --parquet FOLDER"
            )
        return write_large(Path(file), scale=scale, seed=seed, end=end, progress=progress)
    parquet.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parquet.parent, prefix=".demo-") as passing:
        path = Path(file) if named else Path(passing) / "crm.duckdb"
        rows = write_large(path, scale=scale, seed=seed, end=end, progress=progress)
        export_parquet(path, parquet, progress)
    return rows


def write_large(
    path: Path, *, scale: str, seed: int, end: date, progress: Callable[[str], None] = lambda _: None
) -> dict[str, int]:
    """Writes a big chain into the DuckDB file ``path``, replacing an earlier demo chain; returns rows by table.

    All canonical tables exist, without keys and indexes: DuckDB would hold those in memory. The same scale, seed and
    end give the same rows. Problem when ``path`` holds anything but a demo chain.
    """
    _refuse_foreign_file(path)
    start = months_before(end, ground.MONTHS)
    values: dict[str, Any] = {
        "start": start,
        "days": (end - start).days + 1,
        "now": datetime.combine(end, datetime.min.time()) + timedelta(hours=15, minutes=59, seconds=59),
        "customers": LARGE_SCALES[scale],
        "scale": scale,
        "details": json.dumps({"seed": seed, "start": str(start), "end": str(end)}),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".demo-") as scratch:
        draft = Path(scratch) / "crm.duckdb"
        with duckdb.connect(str(draft), config={"temp_directory": scratch}) as work:
            for table in crm.sorted_tables:
                work.execute(_creation(table))
            ground.lay(work, scale, seed, start, values["days"])
            for statement in _STATEMENTS:
                _run(work, statement, values, progress)
            values["rows"] = sum(_count(work, table.name) for table in crm.sorted_tables)
            _run(work, supply.DATA_SOURCE, values, progress)
            rows = {table.name: _count(work, table.name) for table in crm.sorted_tables}
        os.replace(draft, path)
    return rows


def export_parquet(path: Path, folder: Path, progress: Callable[[str], None] = lambda _: None) -> None:
    """Copies every table of the DuckDB file ``path`` to ``folder``/<table>; big ones in a folder per month.

    Problem when ``folder`` holds anything.
    """
    if folder.exists() and any(folder.iterdir()):
        raise Problem(f"the folder {folder} is not empty: name a new one for the Parquet files")
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(path), read_only=True) as work:
        for table in crm.sorted_tables:
            instant = _MONTH_OF.get(table.name)
            target = literal(folder / table.name)
            if instant:
                rows = f"SELECT *, strftime({instant}, '%Y-%m') AS month FROM {table.name}"
                work.execute(f"COPY ({rows}) TO {target} (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (month))")
            else:
                (folder / table.name).mkdir()
                target = literal(folder / table.name / "data_0.parquet")
                work.execute(f"COPY {table.name} TO {target} (FORMAT parquet, COMPRESSION zstd)")
            progress(f"wrote {table.name} as Parquet")


def _creation(table: Table) -> str:
    columns = ", ".join(
        f'"{c.name}" {c.type.compile(dialect=DuckDBDialect())}{"" if c.nullable else " NOT NULL"}'
        for c in table.columns
    )
    return f"CREATE TABLE {table.name} ({columns})"


def _run(
    work: duckdb.DuckDBPyConnection, statement: str, values: dict[str, Any], progress: Callable[[str], None]
) -> None:
    used = {name: value for name, value in values.items() if re.search(rf"\${name}\b", statement)}
    started = time.monotonic()
    work.execute(statement, used or None)
    if (seconds := time.monotonic() - started) > 1:
        progress(f"{' '.join(statement.split()[:4])}: {seconds:.1f} s")


def _count(work: duckdb.DuckDBPyConnection, table: str) -> int:
    found = work.execute(f"SELECT count(*) FROM {table}").fetchone()
    return found[0] if found else 0


def _refuse_foreign_file(path: Path) -> None:
    if not path.exists():
        return
    try:
        with duckdb.connect(str(path), read_only=True) as there:
            kinds = there.execute("SELECT DISTINCT kind FROM data_source").fetchall()
    except duckdb.Error:
        kinds = []
    if kinds != [("demo",)]:
        raise Problem(f"{path} holds something that is not a demo chain: name another file")
