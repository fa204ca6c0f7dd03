"""Forgetting somebody on real servers: the key is gone from the files, and the person from the next snapshot.

A key that was destroyed opens nothing, whatever copy of the sealed values there is. The attack is tried twice: it works
as soon as the key is left where it was.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from sqlalchemy import Engine, Table, insert, select, text

from data_access import vault
from data_access.crm import crm_engine
from data_access.errors import Problem
from data_access.pseudonym import customer_key, customer_number, secret_key
from data_access.refresh import refresh
from data_access.schema import crm
from data_access.settings import settings
from data_access.stage_file import stage_path
from data_access.state import erasures
from data_access.state.store import opened
from data_access.vault import people, rows, wipe
from data_access.vault.rows import CUSTOMERS, append_sealed, open_fields, open_for_writing
from data_access.vault.tables import customer_index, customer_vault, identity_vault
from tests import tiny_crm
from tests.tiny_crm import facts_rows
from tests.vault.conftest import NOW

pytestmark = pytest.mark.database

guards = pytest.mark.parametrize("guard", [True, False], ids=["with the guard", "without it"])
VAULT = (customer_vault, customer_index, identity_vault)
CROWD = 60  # people around C1 in the same pages of the files


@pytest.fixture(params=["postgresql_url", "mariadb_url"])
def chain(request: pytest.FixtureRequest, home: Path) -> Iterator[Engine]:
    """The tiny CRM on a server, sealed, with a crowd; its home has keys."""
    home.mkdir()
    engine = crm_engine(request.getfixturevalue(request.param))
    content = tiny_crm.rows()
    named = content.pop("customer")
    tiny_crm.fill(engine, content)
    with engine.begin() as connection:
        ring = open_for_writing(connection, home)
        bare = [{k: v for k, v in row.items() if k not in ("name", "phone", "email", "birthday")} for row in named]
        connection.execute(insert(crm.tables["customer"]), bare)
        crowd = [{"customer_id": f"X{n}", "name": f"Nobody {n}", "phone": f"139000000{n:02}"} for n in range(CROWD)]
        seal = pd.DataFrame([*crowd[::2], *named, *crowd[1::2]])[["customer_id", "name", "phone", "email", "birthday"]]
        append_sealed(connection, ring, CUSTOMERS, seal.assign(updated_at=NOW))
    yield engine
    opened().dispose()
    engine.dispose()


def wrapped_key(engine: Engine, customer_id: str) -> str:
    with engine.connect() as connection:
        own = customer_vault.c.customer_id == customer_id
        return str(connection.scalar(select(customer_vault.c.wrapped_key).where(own)))


def folder(engine: Engine) -> Path:
    """Where the server keeps the tables of this database."""
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            base = connection.scalar(text("SHOW data_directory"))
            number = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
            return Path(str(base)) / "base" / str(number)
        return Path(str(connection.scalar(text("SELECT @@datadir")))) / str(engine.url.database)


def in_files(engine: Engine, word: str) -> bool:
    """Whether a word stands in the files of the tables, after the server has written them all."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("CHECKPOINT"))
        else:
            for share in ("innodb_max_dirty_pages_pct_lwm", "innodb_max_dirty_pages_pct"):
                connection.execute(text(f"SET GLOBAL {share} = 0"))
            while int(connection.execute(text("SHOW STATUS LIKE 'Innodb_buffer_pool_pages_dirty'")).one()[1]):
                time.sleep(0.05)
    return any(word.encode() in file.read_bytes() for file in folder(engine).iterdir() if file.is_file())


@guards
def test_the_destroyed_key_is_in_no_file_of_the_tables(
    chain: Engine, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever copies the server's files after an erasure and has the ring would open the person with it."""
    if not guard:
        # Deleted, as a server deletes; MariaDB blanks what it deletes, so there the row is only left.
        monkeypatch.setattr(wipe, "keys", lambda engine: None)
        if chain.dialect.name != "postgresql":
            monkeypatch.setattr(people, "forget", lambda *_: None)
    key, other = wrapped_key(chain, "C1"), wrapped_key(chain, "X1")
    assert in_files(chain, key)
    vault.erase(chain, "C1", now=NOW)
    assert in_files(chain, key) == (not guard)
    assert in_files(chain, other)


def stolen(engine: Engine) -> dict[str, pd.DataFrame]:
    """The tables of the vault as they are read by who has a copy of them."""
    with engine.connect() as connection:
        return {table.name: pd.DataFrame(connection.execute(select(table)).mappings()) for table in VAULT}


def put_back(engine: Engine, table: Table, copied: pd.DataFrame, *, without: str) -> None:
    """The sealed values of an older copy, beside whatever key is there now."""
    values: list[dict[str, Any]] = copied.astype(object).where(copied.notna(), None).to_dict("records")
    own = next(row for row in values if row["customer_id"] == "C1")
    with engine.begin() as connection:
        there = connection.execute(select(table).where(table.c.customer_id == "C1")).mappings().first()
        kept = dict(there)[without] if there is not None else "AAAA"
        connection.execute(table.delete().where(table.c.customer_id == "C1"))
        connection.execute(insert(table).values({**own, without: kept}))


@guards
def test_an_older_copy_of_the_sealed_values_opens_only_with_the_key_that_is_gone(
    chain: Engine, home: Path, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed columns from elsewhere (an export, a replica) and the ring: the row's key was the only thing missing."""
    before = stolen(chain)[customer_vault.name]
    if not guard:
        monkeypatch.setattr(people, "forget", lambda *_: None)
    vault.erase(chain, "C1", now=NOW)
    put_back(chain, customer_vault, before, without="wrapped_key")
    with chain.connect() as connection:
        ring = rows.open_vault(connection, home)
        assert ring is not None
        if guard:
            with pytest.raises(Problem, match="does not open"):
                open_fields(connection, ring, CUSTOMERS, ["C1"], ["name"])
        else:
            assert open_fields(connection, ring, CUSTOMERS, ["C1"], ["name"])["name"].tolist() == ["李雷"]


@guards
def test_the_next_refresh_leaves_nothing_of_the_person_in_snapshot_and_stage_file(
    chain: Engine, home: Path, guard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_STATE_URL", f"sqlite:///{home / 'state.sqlite'}")
    settings.cache_clear()
    refresh(chain, home)
    number = customer_number(secret_key(home), "C1")
    (before,) = facts_rows(home, "customer", "customer_no", "gender", "age_band", customer_no=number)
    assert before[1:] != (None, None)
    request_id = erasures.ask(opened(), "admin", "C1", customer_key(number), NOW, NOW)
    if not guard:
        monkeypatch.setattr("data_access.customer_data._forget", lambda *_: None)
        monkeypatch.setattr(people, "erase", lambda *_, **__: None)
        monkeypatch.setattr(vault, "erase", lambda *_, **__: None)
    erasures.carry_out(opened(), chain, "admin", request_id, NOW)
    refresh(chain, home)
    left = facts_rows(home, "customer", "customer_no", "gender", "age_band", customer_no=number)
    assert left == ([] if guard else [before])
    assert staged(home) == (0 if guard else 1)


def staged(home: Path) -> int:
    """How many rows of customers the stage file has of this one."""
    with duckdb.connect(str(stage_path(home)), read_only=True) as connection:
        return int(connection.execute("SELECT count(*) FROM customer WHERE customer_id = 'C1'").fetchall()[0][0])
