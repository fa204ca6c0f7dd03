"""What identifies a person is nowhere but in the CRM: every name, number and address of a chain is looked for.

Every customer and member of staff of the chain carries marked values. The crawl of ``tests.canary`` looks for them in
all that pages, files, logs and the app's own store hold; here it is the snapshot, the working copy of the refresh, what
commands print, and what errors of databases say. The working copy holds birthdays, from which ages are recomputed as
time goes by, and the ids of customers, by which it knows rows again; it is readable for its owner only.
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from data_access import schema
from data_access.crm import crm_engine
from data_access.refresh import refresh
from data_access.schema import pii_columns
from data_access.stage_file import stage_path
from data_access.state.store import state_engine
from tests.canary.chain import Chain, build


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return build(tmp_path_factory.mktemp("marked"))


@pytest.fixture(scope="module")
def personal(chain: Chain) -> list[str]:
    """Every planted value."""
    found = [mark.text for mark in chain.marks if mark.kind.startswith("pii")]
    assert len(found) > 40
    return found


def cells(file: Path) -> Iterator[str]:
    """Every text of every table of a DuckDB file, written out: on disk texts are compressed."""
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute("SELECT database_name, schema_name, table_name FROM duckdb_tables()").fetchall()
        assert tables
        for database, space, name in tables:
            for row in connection.execute(f'FROM "{database}"."{space}"."{name}"').fetchall():
                yield from map(str, row)


def hits(texts: Iterable[str], personal: list[str]) -> list[str]:
    whole = "\n".join(texts)
    return [value for value in personal if value in whole]


def databases(home: Path) -> list[Path]:
    return sorted([*(home / "snapshots").glob("*.duckdb"), stage_path(home)])


def test_the_contract_names_what_identifies_a_person() -> None:
    names = {f"{column.table.name}.{column.name}" for column in pii_columns()}
    assert names >= {"customer.name", "customer.phone", "customer.email", "customer.birthday", "staff.name"}


def test_neither_snapshot_nor_working_copy_holds_a_planted_value(chain: Chain, personal: list[str]) -> None:
    assert len(databases(chain.home)) == 2
    for file in databases(chain.home):
        assert hits(cells(file), personal) == []


def test_the_snapshot_does_not_hold_the_ids_of_customers(chain: Chain) -> None:
    (snapshot,) = (chain.home / "snapshots").glob("*.duckdb")
    ids = [mark.text for mark in chain.marks if mark.kind == "customerid"]
    assert hits(cells(snapshot), ids) == []
    assert len(hits(cells(stage_path(chain.home)), ids)) == len(ids)  # the working copy knows rows again by them


def test_nor_do_the_bytes_of_any_file_beside_the_crm(chain: Chain, personal: list[str]) -> None:
    searched = 0
    for file in chain.home.rglob("*"):
        if file.is_file() and not file.name.startswith("crm.sqlite") and file.name != "marks.json":
            content, searched = file.read_bytes(), searched + 1
            assert [value for value in personal if value.encode() in content] == []
    assert searched >= 4


def test_a_planted_value_would_be_found(tmp_path: Path, personal: list[str]) -> None:
    file = tmp_path / "leaky.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 'customer ' || ? AS name FROM range(10)", [personal[0]])
    assert hits(cells(file), personal) == [personal[0]]


def test_birthdays_are_in_the_working_copy_only(chain: Chain) -> None:
    engine = crm_engine(f"sqlite:///{chain.home / 'crm.sqlite'}")
    with engine.connect() as connection:
        birthdays = {str(born) for born in connection.scalars(select(schema.customer.c.birthday)) if born}
    engine.dispose()
    assert len(birthdays) > 10
    (snapshot,) = (chain.home / "snapshots").glob("*.duckdb")
    assert birthdays & set(cells(snapshot)) == set()
    assert stage_path(chain.home).parent.stat().st_mode & 0o077 == 0


def test_a_refresh_logs_nothing_of_anybody(
    chain: Chain, personal: list[str], caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = crm_engine(f"sqlite:///{chain.home / 'crm.sqlite'}")
    with caplog.at_level(logging.DEBUG):
        refresh(engine, chain.home, full=True)
    engine.dispose()
    printed = capsys.readouterr()
    assert hits([caplog.text, printed.out, printed.err], personal) == []


@pytest.mark.parametrize("hidden", [True, False], ids=["as it is", "with values shown"])
def test_an_error_of_the_crm_does_not_say_whose_row_it_was(hidden: bool, chain: Chain) -> None:
    engine = crm_engine(f"sqlite:///{chain.home / 'crm.sqlite'}")
    engine.hide_parameters = engine.hide_parameters and hidden
    twice = {"customer_id": "twice", "name": "Zhang Wei", "phone": "13800138000", "birthday": date(1990, 1, 1)}
    with pytest.raises(IntegrityError) as failed, engine.begin() as connection:
        connection.execute(insert(schema.customer), [twice, twice])
    engine.dispose()
    assert ("13800138000" in str(failed.value), "Zhang Wei" in str(failed.value)) == (not hidden, not hidden)


def test_nor_does_one_of_the_app_s_own_store(tmp_path: Path) -> None:
    engine = state_engine(f"sqlite:///{tmp_path / 'state.sqlite'}")
    assert engine.hide_parameters is True
    engine.dispose()
