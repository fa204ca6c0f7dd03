"""The big chain keeps its shapes at any size, so a small draw of it is looked at here."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from data_access.demo import large
from data_access.errors import Problem
from data_access.schema import crm

END = date(2026, 11, 20)
CUSTOMERS = 3_000


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A chain of 3,000 customers, and a second draw of it with the same seed attached as ``again``."""
    folder = tmp_path_factory.mktemp("large")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(large.LARGE_SCALES, "M", CUSTOMERS)
        for name in ("first", "again"):
            large.write_large(folder / f"{name}.duckdb", scale="M", seed=1, end=END)
        large.export_parquet(folder / "first.duckdb", folder / "parquet")
    there = duckdb.connect(str(folder / "first.duckdb"), read_only=True)
    there.execute(f"ATTACH '{folder / 'again.duckdb'}' AS again (READ_ONLY)")
    there.execute(
        f"CREATE TEMP MACRO month_files(name) AS TABLE FROM read_parquet('{folder}/parquet/' || name || '/**')"
    )
    return there


def one(chain: duckdb.DuckDBPyConnection, statement: str) -> float:
    found = chain.execute(statement).fetchone()
    assert found is not None
    return float(found[0])


def test_every_canonical_table_exists_with_its_columns(chain: duckdb.DuckDBPyConnection) -> None:
    for table in crm.sorted_tables:
        columns = [c[0] for c in chain.execute(f"SELECT * FROM {table.name} LIMIT 0").description]
        assert columns == [c.name for c in table.columns], table.name
    assert chain.execute("SELECT typeof(net) FROM sale_line LIMIT 1").fetchone() == ("DECIMAL(18,4)",)


def test_the_same_seed_gives_the_same_rows(chain: duckdb.DuckDBPyConnection) -> None:
    for name in ("customer", "sale_order", "sale_line", "return_line", "campaign_event", "stock_level"):
        assert one(chain, f"SELECT count(*) FROM (FROM {name} EXCEPT FROM again.{name})") == 0, name


def test_keys_are_unique_and_references_lead_somewhere(chain: duckdb.DuckDBPyConnection) -> None:
    for table in crm.sorted_tables:
        keys = ", ".join(c.name for c in table.primary_key)
        assert one(chain, f"SELECT count(*) FROM (SELECT 1 FROM {table.name} GROUP BY {keys} HAVING count(*) > 1)") == 0
        for column in table.columns:
            if target := column.info.get("references"):
                there, key = target.split(".")
                lost = f"SELECT count(*) FROM {table.name} t WHERE {column.name} NOT IN (SELECT {key} FROM {there})"
                assert one(chain, lost) == 0, f"{table.name}.{column.name}"


def test_money_adds_up_on_every_line(chain: duckdb.DuckDBPyConnection) -> None:
    assert one(chain, "SELECT count(*) FROM sale_line WHERE quantity * list_price - discount <> net + tax") == 0
    assert one(chain, "SELECT min(net) FROM sale_line") > 0


def test_the_shapes_are_those_that_were_promised(chain: duckdb.DuckDBPyConnection) -> None:
    orders = one(chain, "SELECT count(*) FROM sale_order") / CUSTOMERS
    assert orders == pytest.approx(4.17, rel=0.1)
    assert one(chain, "SELECT count(*) FROM sale_line") / CUSTOMERS / orders == pytest.approx(2.22, rel=0.03)
    assert one(chain, "SELECT count(*) FROM campaign_event") / CUSTOMERS == pytest.approx(6, rel=0.1)
    assert one(chain, "SELECT avg((customer_id IS NULL)::INTEGER) FROM sale_order") == pytest.approx(0.2, abs=0.001)
    assert one(chain, "SELECT count(DISTINCT customer_id) FROM sale_order") / CUSTOMERS == pytest.approx(0.92, abs=0.02)
    home = "SELECT avg((store_id = home_store_id)::INTEGER) FROM sale_order JOIN customer USING (customer_id)"
    assert one(chain, home) == pytest.approx(0.8 + 0.1 / 8, abs=0.03)  # one in eight "other" shops is the home store
    returned = "SELECT (SELECT count(*) FROM return_line) / count(*) FROM sale_line"
    assert one(chain, returned) == pytest.approx(0.04, abs=0.004)
    steps = chain.execute("SELECT count(*) FROM campaign_event GROUP BY kind ORDER BY 1 DESC").fetchall()
    kinds = ("sent", "delivered", "opened", "clicked", "claimed", "redeemed")
    counts = [one(chain, f"SELECT count(*) FROM campaign_event WHERE kind = '{kind}'") for kind in kinds]
    assert [(n,) for n in counts] == steps


def test_nothing_happens_before_it_can(chain: duckdb.DuckDBPyConnection) -> None:
    local = "(ordered_at + INTERVAL 8 HOUR)"
    early = f"SELECT count(*) FROM sale_order JOIN customer USING (customer_id) WHERE {local} < joined_on"
    assert one(chain, early) == 0
    shut = f"SELECT count(*) FROM sale_order WHERE channel = 'store' AND hour({local}) NOT BETWEEN 10 AND 21"
    assert one(chain, shut) == 0
    sold = "sale_line JOIN sale_order USING (order_id) JOIN product USING (product_id)"
    assert one(chain, f"SELECT count(*) FROM {sold} WHERE {local} < launched_on") == 0
    assert (
        one(chain, "SELECT count(*) FROM return_line JOIN sale_order USING (order_id) WHERE returned_at < ordered_at")
        == 0
    )
    for table in ("sale_order", "sale_line", "return_line", "campaign_event", "customer"):
        assert one(chain, f"SELECT count(*) FROM {table} WHERE updated_at > TIMESTAMP '{END} 16:00:00'") == 0, table


def test_draws_of_one_row_do_not_depend_on_each_other(chain: duckdb.DuckDBPyConnection) -> None:
    dear = "SELECT corr(list_price::DOUBLE, quantity::DOUBLE) FROM sale_line"
    assert one(chain, dear) == pytest.approx(0, abs=0.02)
    best = "SELECT max(n) / sum(n) FROM (SELECT count(*) AS n FROM sale_line GROUP BY product_id)"
    assert 0.005 < one(chain, best) < 0.03  # Zipf, not one product for everybody


def test_parquet_holds_the_same_rows_in_a_folder_per_month(chain: duckdb.DuckDBPyConnection) -> None:
    for name in ("sale_line", "customer"):
        assert one(chain, f"SELECT count(*) FROM month_files('{name}')") == one(chain, f"SELECT count(*) FROM {name}")
    assert one(chain, "SELECT count(DISTINCT month) FROM month_files('sale_order')") == 25  # November twice and a part


def test_a_file_with_other_content_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "mine.duckdb"
    duckdb.connect(str(file)).execute("CREATE TABLE mine (i INTEGER)").close()
    with pytest.raises(Problem, match="not a demo chain"):
        large.write_large(file, scale="M", seed=1, end=END)


def test_another_kind_of_database_is_told_what_to_use() -> None:
    with pytest.raises(Problem, match="--crm-url duckdb:///"):
        large.write_large_chain("sqlite:///crm.sqlite", None, scale="M", seed=1, end=END)


def test_parquet_alone_leaves_no_database_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(large.LARGE_SCALES, "M", 100)
    rows = large.write_large_chain("sqlite:///crm.sqlite", tmp_path / "parquet", scale="M", seed=1, end=END)
    assert rows["customer"] == 100
    assert [path.name for path in tmp_path.iterdir()] == ["parquet"]
