"""Spark builds the same marts as DuckDB, row for row, and a snapshot made of them answers the same.

Everything is compared exactly, figures in floating point too: the medians and quintiles of ``customer_cut`` are one
subtraction, product and sum of the same doubles on both engines, and no float is ever added up over rows.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from sqlalchemy import Select, create_engine, func, select

from data_access.crm import crm_engine
from data_access.demo import write_demo
from data_access.errors import Problem
from data_access.marts.registry import MARTS
from data_access.marts.tables import sale_order, store
from data_access.refresh import refresh
from data_access.scope import Period, Scope
from data_access.snapshot import current_snapshot, folder, read_pointer
from data_access.spark import marts as on_spark
from data_access.spark.cluster import running
from data_access.spark.marts import marts_on_spark
from models.reports import tables
from models.reports.overview import overview
from models.reports.segments import segments
from tests import tiny

pytestmark = pytest.mark.slow

KEPT = [mart for mart in MARTS if not mart.step]
END = date(2026, 11, 20)


def need(found: object, what: str) -> None:
    sentence = f"{what} is not installed here: `make test-slow` installs it where it may"
    if not found and os.environ.get("CI"):
        pytest.fail(sentence)
    if not found:
        pytest.skip(sentence)


@pytest.fixture(scope="module")
def driver() -> None:
    need(find_spec("pyhive"), "the extra spark")


@pytest.fixture(scope="module")
def spark_url(driver: None) -> Iterator[str]:
    """The URL of a small cluster of these tests' own."""
    need(shutil.which("java"), "Java")
    with running(memory="1g") as cluster:
        yield cluster.url


@pytest.fixture(scope="module")
def homes(spark_url: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same demo chain in two homes, its marts built by DuckDB in one and by Spark in the other."""
    place = tmp_path_factory.mktemp("demo")
    engine = crm_engine(f"sqlite:///{place}/crm.sqlite")
    write_demo(engine, scale="tiny", end=END, truth_path=place / "truth.json")
    here, there = place / "here", place / "there"
    here.mkdir()
    refresh(engine, here)
    there.mkdir()
    shutil.copy(here / "pseudonym.key", there)
    refresh(engine, there, marts=marts_on_spark(spark_url, place / "exchange"))
    assert list((place / "exchange").iterdir()) == []
    engine.dispose()
    return here, there


def facts_file(home: Path) -> Path:
    pointer = read_pointer(home)
    assert pointer is not None
    return folder(home) / pointer.facts


def expect_same_marts(one: Path, other: Path) -> None:
    with duckdb.connect() as work:
        work.execute(f"ATTACH '{one}' AS one (READ_ONLY); ATTACH '{other}' AS other (READ_ONLY)")
        for mart in KEPT:
            for a, b in (("one", "other"), ("other", "one")):
                found = work.execute(f"SELECT * FROM (FROM {a}.{mart.name} EXCEPT ALL FROM {b}.{mart.name}) LIMIT 3")
                assert found.fetchall() == [], f"only in {a}: {mart.name}"


def test_the_tiny_chain(spark_url: str, tmp_path: Path) -> None:
    here, there = tmp_path / "here.duckdb", tmp_path / "there.duckdb"
    tiny.snapshot(here).engine.dispose()
    shutil.copyfile(here, there)
    with duckdb.connect() as work:
        work.execute(f"ATTACH '{there}' AS facts")
        for mart in KEPT:
            work.execute(f"DELETE FROM facts.{mart.name}")
        steps: list[str] = []
        marts_on_spark(spark_url, tmp_path / "exchange")(work, steps.append)
    assert [step.partition(":")[0] for step in steps if step.startswith("mart ")] == [f"mart {m.name}" for m in MARTS]
    expect_same_marts(here, there)


def test_the_demo_chain(homes: tuple[Path, Path]) -> None:
    expect_same_marts(*map(facts_file, homes))


def test_every_mart_of_the_demo_chain_has_rows_to_compare(homes: tuple[Path, Path]) -> None:
    with duckdb.connect(facts_file(homes[1]), read_only=True) as work:
        empty = [m.name for m in KEPT if work.execute(f"SELECT count(*) FROM {m.name}").fetchone() == (0,)]
    assert empty == []


def test_rows_lie_in_the_order_of_their_mart(homes: tuple[Path, Path]) -> None:
    with duckdb.connect(facts_file(homes[1]), read_only=True) as work:
        for mart in KEPT:
            columns = ", ".join(mart.order_by)
            stored = work.execute(f"SELECT {columns} FROM {mart.name} ORDER BY rowid").fetchall()
            assert stored == work.execute(f"SELECT {columns} FROM {mart.name} ORDER BY {columns}").fetchall(), mart.name


def test_the_snapshot_answers_the_same(homes: tuple[Path, Path]) -> None:
    chain, quarter = Scope("chain"), Period(date(2026, 8, 23), END)
    reports = [
        {
            **{f"overview {name}": frame for name, frame in tables(overview(snapshot, chain, quarter)).items()},
            **{f"segments {name}": frame for name, frame in tables(segments(snapshot, chain, END)).items()},
        }
        for snapshot in map(current_snapshot, homes)
    ]
    assert len(reports[0]["segments named"]) > 5
    assert reports[0].keys() == reports[1].keys()
    for name, frame in reports[0].items():
        pd.testing.assert_frame_equal(frame, reports[1][name], check_exact=True, obj=name)


def test_what_changes_later_is_brought_up_to_date_here(homes: tuple[Path, Path]) -> None:
    engine = crm_engine(f"sqlite:///{homes[0].parent}/crm.sqlite")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sale_line SET net = net + 1 WHERE line_no = 1")
        connection.exec_driver_sql("UPDATE sale_order SET updated_at = '2026-11-21 01:00:00.000000'")
    assert [refresh(engine, home).mode for home in homes] == ["changes", "changes"]
    engine.dispose()
    expect_same_marts(*map(facts_file, homes))


def test_a_mart_that_spark_cannot_build_changes_nothing(
    homes: tuple[Path, Path], spark_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (place_store,) = (mart for mart in MARTS if mart.name == "place_store")

    def query() -> Select[Any]:
        s = store.c
        return select(func.strftime(s.opened_on, "%d").label("level"), s.region_id.label("place_id"), s.store_id)

    monkeypatch.setattr(on_spark, "MARTS", (replace(place_store, query=query),))
    engine, before = crm_engine(f"sqlite:///{homes[0].parent}/crm.sqlite"), read_pointer(homes[1])
    with pytest.raises(Problem, match=r"Spark could not build the mart place_store \(.*strftime"):
        refresh(engine, homes[1], full=True, marts=marts_on_spark(spark_url, tmp_path))
    engine.dispose()
    assert read_pointer(homes[1]) == before


def test_a_cluster_that_does_not_see_the_folder(spark_url: str, tmp_path: Path) -> None:
    engine = create_engine(spark_url)
    with (
        engine.connect() as spark,
        pytest.raises(Problem, match=f"Spark could not read {tmp_path}/sale_order; the clu"),
    ):
        on_spark.view(spark, sale_order, tmp_path)
    engine.dispose()


def test_a_cluster_that_does_not_answer(driver: None, tmp_path: Path) -> None:
    (tmp_path / "marts_of_a_build_that_died").mkdir()
    with duckdb.connect() as work, pytest.raises(Problem, match=r"Spark at spark://127\.0\.0\.1:1 did not answer"):
        marts_on_spark("spark://127.0.0.1:1", tmp_path)(work, lambda _: None)
    assert list(tmp_path.iterdir()) == []
