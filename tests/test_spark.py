"""Marts in Spark SQL, as far as they can be judged without Spark; ``tests.test_spark_cluster`` runs them."""

import re
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import DateTime, Double, Integer, String, cast, literal, select

from data_access.errors import Problem
from data_access.marts._bridge import days_between, text_hash
from data_access.marts._mart import Mart
from data_access.marts.registry import MARTS
from data_access.marts.tables import Money, sale_order
from data_access.snapshot import Snapshot
from data_access.spark import cluster
from data_access.spark.dialect import spark_sql, spark_type
from data_access.spark.marts import export, facts_read, mart_query, marts_on_spark
from tests.tiny import ORDERS

# What both engines call by the same name and mean by it. ``days_between`` and ``text_hash`` of the bridge become the
# rest. Whatever else a mart needs has to join this list with a run of the cluster tests, or the bridge.
SAME_ON_BOTH = {
    *("bit_or", "coalesce", "count", "dense_rank", "floor", "greatest", "lag", "least", "max", "median", "min", "mod"),
    *("nullif", "row_number", "rtrim", "sum"),
}
OF_THE_BRIDGE = {"datediff", "conv", "md5", "substr"}


@pytest.mark.parametrize("mart", MARTS, ids=lambda mart: mart.name)
def test_a_mart_needs_only_what_spark_has(mart: Mart) -> None:
    written = re.sub(r"'[^']*'", "''", spark_sql(mart_query(mart)))
    functions = set(re.findall(r"\b([a-z]\w*)\(", written))
    assert functions <= SAME_ON_BOTH | OF_THE_BRIDGE
    assert '"' not in written  # names stand in backticks
    assert re.findall(r"DECIMAL(?!\(\d+, \d+\))|NUMERIC|TIMESTAMP(?!_NTZ)|VARCHAR|::", written) == []


def test_the_rows_of_a_mart_come_in_its_order_with_its_types() -> None:
    (mart,) = (mart for mart in MARTS if mart.name == "store_hour")
    written = spark_sql(mart_query(mart))
    assert written.startswith("SELECT CAST(`rows_of_mart`.`store_id` AS STRING) AS `store_id`")
    assert "AS DECIMAL(18, 4)) AS `net_sales`, CAST(`rows_of_mart`.`orders` AS INT) AS `orders`" in written
    assert written.endswith("ORDER BY `store_id` NULLS LAST, `day` NULLS LAST, `hour` NULLS LAST")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (literal("it's 5% \\"), r"'it\'s 5% \\'"),
        (literal(0.8), "0.8D"),
        (literal(1e-12), "1e-12D"),
        (literal(Decimal("1.50")), "1.50"),
        (literal(True), "true"),
        (cast(literal(datetime(1900, 1, 1)), DateTime), "CAST('1900-01-01 00:00:00' AS TIMESTAMP_NTZ)"),
        (sale_order.c.lines / 2, "`sale_order`.`lines` / 2"),
        (days_between(sale_order.c.utc, sale_order.c.day),
            "CAST(datediff(`sale_order`.`day`, `sale_order`.`utc`) AS BIGINT)"),
        (text_hash(sale_order.c.order_id), "CAST(conv(substr(md5(`sale_order`.`order_id`), 1, 7), 16, 10) AS INT)"),
    ],
)  # fmt: skip
def test_values_and_constructs_as_spark_reads_them(value: object, written: str) -> None:
    assert spark_sql(select(value.label("it"))).partition(" AS `it`")[0] == f"SELECT {written}"


def test_types_as_spark_calls_them() -> None:
    assert [spark_type(t) for t in (Money, Integer(), Double(), String(), DateTime())] == [
        "DECIMAL(18, 4)", "INT", "DOUBLE", "STRING", "TIMESTAMP_NTZ",
    ]  # fmt: skip


def test_no_mart_is_a_fact() -> None:
    assert {table.name for table in facts_read()} >= {"sale_order", "sale_line", "customer", "campaign_event"}
    assert {table.name for table in facts_read()}.isdisjoint(mart.name for mart in MARTS)


def test_facts_go_out_by_month(tiny_snapshot: Snapshot, tmp_path: Path) -> None:
    with duckdb.connect() as work:
        work.execute(f"ATTACH '{tiny_snapshot.engine.url.database}' AS facts (READ_ONLY)")
        export(work, sale_order, tmp_path)
        found = work.execute(
            f"SELECT order_id, sold_in FROM read_parquet('{tmp_path}/sale_order/*/*.parquet')"
        ).fetchall()
    assert sorted(found) == sorted((order.order_id, f"{order.at:%Y-%m}") for order in ORDERS)


@pytest.mark.parametrize("url", ["postgresql://me:secret@somewhere/mirror", "spark://", "me:secret@somewhere"])
def test_a_url_that_is_none_of_spark(url: str, tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"must be written like spark://127\.0\.0\.1:10000") as refused:
        marts_on_spark(url, tmp_path)
    assert "secret" not in str(refused.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyhive", None)
    with pytest.raises(Problem, match=r"the package pyhive is missing: install requirements-spark\.txt"):
        marts_on_spark("spark://127.0.0.1", tmp_path)


def test_a_cluster_without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(Problem, match="Spark is not installed"), cluster.running():
        pytest.fail("it must not start")


def test_a_cluster_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(cluster, "find_spec", lambda name: type("Spec", (), {"origin": "/somewhere/pyspark/x"}))
    with pytest.raises(Problem, match="Spark needs Java 17"), cluster.running():
        pytest.fail("it must not start")
