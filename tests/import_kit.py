"""Fixtures of the import tests: a new SQLite database, and imports of texts or files into it."""

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from textwrap import dedent

import pytest
from sqlalchemy import Engine, func, select

from data_access.crm import crm_engine
from data_access.importer import ImportReport, import_files
from data_access.importing.mapping import SHIPPED
from data_access.schema import crm

NOW = datetime(2026, 11, 21, 12)
LATER = datetime(2026, 11, 22, 12)

# What the template's mapping reads: three sale lines of two receipts, and a return.
HEADER = "receipt_no,line_no,store_no,member_no,sku,product_name,quantity,amount,sold_at\n"
LINES = (
    "R1,1,S01,M7,0012,玫瑰面霜,2,398.00,2026-03-01 10:00:00\n"
    "R1,2,S01,M7,0013,=1+1,1,59.50,2026-03-01 10:00:00\n"
    "R2,1,S02,,0012,玫瑰面霜,1,199.00,2026-03-02 00:30:00\n"
    "T1,1,S01,M7,0013,=1+1,-1,-59.50,2026-03-05 09:00:00\n"
)

TEMPLATE = SHIPPED / "template.toml"
Load = Callable[..., ImportReport]


@pytest.fixture
def import_database(tmp_path: Path) -> Engine:
    """An engine for a database that does not exist yet."""
    return crm_engine(f"sqlite:///{tmp_path / 'crm.sqlite'}")


@pytest.fixture
def load(import_database: Engine, tmp_path: Path) -> Load:
    """Imports files, or texts that become csv files, with the template's mapping unless another is named."""

    def run(*contents: str | Path, mapping: str | Path = TEMPLATE, now: datetime = NOW) -> ImportReport:
        files = [
            content if isinstance(content, Path) else write(tmp_path / f"file{number}.csv", content)
            for number, content in enumerate(contents, start=1)
        ]
        return import_files(import_database, mapping, files, quarantine=tmp_path / "quarantine", now=now)

    return run


def write(path: Path, content: str | bytes) -> Path:
    """Writes a file of exactly this content and returns its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def counts(engine: Engine) -> dict[str, int]:
    """Rows per canonical table that holds any."""
    with engine.connect() as connection:
        return {
            name: count
            for name, table in crm.tables.items()
            if (count := connection.scalar(select(func.count()).select_from(table)))
        }


def rows(engine: Engine, *columns: object) -> list[tuple[object, ...]]:
    """The rows of these columns, in their order."""
    with engine.connect() as connection:
        query = select(*columns).order_by(*columns)  # type: ignore[call-overload]
        return [tuple(row) for row in connection.execute(query)]


def quarantined(report: ImportReport) -> list[dict[str, str]]:
    """The lines of the quarantine file."""
    assert report.quarantine_file is not None
    with report.quarantine_file.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def mapping_file(tmp_path: Path, columns: str = "", tables: str = "", **settings_: str) -> Path:
    """A mapping of one input with the columns id and name; more columns and other tables where given."""
    values = {"name": "mine", "title": "Mine", "time_zone": "Asia/Shanghai", "currency": "CNY"} | settings_
    head = "\n".join(f'{key} = "{value}"' for key, value in values.items())
    target = """
    [[tables]]
    name = "product"
    from = "one"
    columns = { product_id = "id", name = "name" }
    """
    text = f"""{head}
    [inputs.one.columns]
    id = {{ from = ["id"], type = "id" }}
    name = "name"
    {columns}
    {tables or target}
    """
    return write(tmp_path / "mine.toml", dedent(text))
