"""The CRM database: its URL, its tables on every supported server, and the demo mark."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, insert, inspect, select, text

from data_access.crm import crm_engine, is_demo, prepare
from data_access.errors import Problem
from data_access.schema import crm, data_source, product, sale_order, store
from data_access.vault.tables import vault_tables

SERVERS = [
    "sqlite",
    pytest.param("postgresql", marks=pytest.mark.database),
    pytest.param("mariadb", marks=pytest.mark.database),
]


@pytest.fixture(params=SERVERS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database on each supported server."""
    name = request.param
    url = f"sqlite:///{tmp_path}/crm.sqlite" if name == "sqlite" else request.getfixturevalue(f"{name}_url")
    engine = crm_engine(url)
    yield engine
    engine.dispose()


def test_prepare_creates_what_the_schema_says_and_nothing_else(engine: Engine) -> None:
    prepare(engine)
    assert set(inspect(engine).get_table_names()) == set(crm.tables) | set(vault_tables.tables) | {"alembic_version"}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, [crm, vault_tables]) == []


def test_prepare_keeps_rows_and_adds_the_missing_tables_to_a_crm_of_ones_own(engine: Engine) -> None:
    store.create(engine)
    row = {"store_id": "S1", "name": "南京路 🌸", "kind": "shop", "time_zone": "Asia/Shanghai", "currency": "CNY"}
    with engine.begin() as connection:
        connection.execute(insert(store), [row])
    prepare(engine)
    prepare(engine)
    with engine.connect() as connection:
        assert connection.execute(select(store.c.store_id, store.c.name)).all() == [("S1", "南京路 🌸")]
        assert connection.execute(select(sale_order)).all() == []


def test_ids_that_differ_in_case_only_are_two_and_instants_keep_their_fraction(engine: Engine) -> None:
    prepare(engine)
    instant = datetime(2026, 3, 1, 15, 59, 59, 700_000)
    with engine.begin() as connection:
        connection.execute(
            insert(product), [{"product_id": "85123A", "name": "a"}, {"product_id": "85123a", "name": "b"}]
        )
        connection.execute(
            insert(sale_order),
            [
                {
                    "order_id": "O1",
                    "store_id": "S1",
                    "channel": "store",
                    "kind": "sale",
                    "ordered_at": instant,
                    "currency": "CNY",
                }
            ],
        )
    with engine.connect() as connection:
        assert set(connection.scalars(select(product.c.product_id))) == {"85123A", "85123a"}
        assert connection.scalars(select(sale_order.c.ordered_at)).all() == [instant]


def test_only_a_database_filled_by_the_demo_alone_is_a_demo(engine: Engine) -> None:
    assert not is_demo(engine)
    prepare(engine)
    assert not is_demo(engine)
    loaded_at = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    with engine.begin() as connection:
        connection.execute(
            insert(data_source), [{"source_id": "1", "kind": "demo", "name": "tiny", "loaded_at": loaded_at}]
        )
    assert is_demo(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(data_source), [{"source_id": "2", "kind": "import", "name": "x", "loaded_at": loaded_at}]
        )
    assert not is_demo(engine)


@pytest.mark.parametrize("url", ["", "nonsense", "nosuch://host/db", "nosuch+driver://u:secret@host/db"])
def test_a_url_that_leads_nowhere_is_a_problem_that_keeps_the_password(url: str) -> None:
    with pytest.raises(Problem, match="MIRROR_CRM_URL") as caught:
        crm_engine(url)
    assert "secret" not in str(caught.value)


def test_opening_a_foreign_sqlite_file_does_not_change_it(tmp_path: Path) -> None:
    path = tmp_path / "foreign.sqlite"
    foreign = crm_engine(f"sqlite:///{path}")
    with foreign.begin() as connection:
        connection.execute(text("CREATE TABLE note (text TEXT)"))
    foreign.dispose()
    before = path.read_bytes()
    again = crm_engine(f"sqlite:///{path}")
    with again.connect() as connection:
        assert connection.execute(text("SELECT * FROM note")).all() == []
    again.dispose()
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["foreign.sqlite"]
