"""The state of the data, and how much of it a scope of stores may know."""

import math
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, insert

from data_access.marts import tables as facts
from data_access.snapshot import GenerationInfo, Snapshot
from models.reports.health import health, quarantined_rows
from tests.tiny import CHAIN, NOTHING, ONLY_A

READ = datetime(2026, 3, 21, 2)


@pytest.fixture
def read_snapshot(tmp_path: Path) -> Snapshot:
    """A snapshot that says how it was read, and what was refused."""
    engine = create_engine(f"duckdb:///{tmp_path / 'facts.duckdb'}")
    facts.facts.create_all(engine)
    info = {"generation": 8, "built_at": READ, "as_of": READ, "currency": "CNY", "is_demo": False}
    how = {"read_at": READ, "mode": "changes", "seconds": 4.5, "rows_read": 1020, "rows_changed": 12, "previous": 7}
    loads = [
        ("sale_line", "changes", 1000, 10, 2, 4.0, datetime(2026, 3, 21, 0, 30)),
        ("store", "full", 20, 0, 0, 0.0, None),
        ("product", "full", 0, 0, 0, 0.1, datetime(2026, 3, 21, 2, 5)),  # a clock five minutes ahead
        ("staff", "full", 0, 0, 0, 0.1, datetime(2026, 3, 22)),  # a day ahead
    ]
    refused = [
        ("sale_line", "7/1", "no_order", Decimal("10.25")),
        ("sale_line", "7/2", "no_order", Decimal("-2.25")),
        ("customer", "C9", "duplicate", None),
    ]
    names = [c.name for c in facts.table_load.c], [c.name for c in facts.quarantine.c]
    with engine.begin() as connection:
        connection.execute(insert(facts.generation_info), [{**info, **how}])
        connection.execute(insert(facts.table_load), [dict(zip(names[0], row, strict=True)) for row in loads])
        connection.execute(insert(facts.quarantine), [dict(zip(names[1], row, strict=True)) for row in refused])
    return Snapshot("8", engine, GenerationInfo(8, READ, READ, None, None, "CNY", is_demo=False))


def test_the_chain_sees_tables_money_sources_and_generation(tiny_snapshot: Snapshot) -> None:
    report = health(tiny_snapshot, CHAIN)
    assert report.table_status[["table_name", "state", "rows"]].to_numpy().tolist() == [
        ["campaign", "empty", 0],
        ["sale_order", "ok", 15],
    ]
    assert report.reconciliation["difference"].tolist() == [0]
    assert report.sources["name"].tolist() == ["by hand"]
    assert report.generation["generation"].tolist() == [7]
    assert report.generation["read_at"].tolist() == report.generation["built_at"].tolist()  # the file does not say


def test_the_chain_sees_how_fast_each_table_was_read_and_how_far_it_lags(read_snapshot: Snapshot) -> None:
    report = health(read_snapshot, CHAIN)
    loads = report.loads.set_index("table_name")
    assert loads.loc["sale_line", "rows_per_second"] == 1000 / 4
    assert loads.loc["sale_line", "lag_hours"] == 1.5  # 00:30 to 02:00
    assert loads.loc["sale_line", ["rows_read", "rows_changed", "rows_deleted"]].tolist() == [1000, 10, 2]
    assert math.isnan(loads.loc["store", "rows_per_second"])  # too fast to measure
    assert math.isnan(loads.loc["store", "lag_hours"])
    assert loads.loc["product", "lag_hours"] == 0
    assert math.isnan(loads.loc["staff", "lag_hours"])
    made = report.generation.iloc[0]
    assert (made["mode"], made["rows_read"], made["rows_changed"], made["built_from"]) == ("changes", 1020, 12, 7)


def test_refused_rows_are_counted_by_table_and_reason_with_their_money(read_snapshot: Snapshot) -> None:
    counted = health(read_snapshot, CHAIN).quarantined
    assert counted[["table_name", "reason", "rows"]].to_numpy().tolist() == [
        ["sale_line", "no_order", 2],
        ["customer", "duplicate", 1],
    ]
    assert counted["amount"].iloc[0] == 10.25 - 2.25
    assert math.isnan(counted["amount"].iloc[1])
    assert quarantined_rows(read_snapshot, CHAIN)["row_key"].tolist() == ["C9", "7/1", "7/2"]


def test_a_store_sees_what_is_missing_but_not_how_much_the_chain_holds(
    tiny_snapshot: Snapshot, read_snapshot: Snapshot
) -> None:
    report = health(tiny_snapshot, ONLY_A)
    assert report.table_status["state"].tolist() == ["empty", "ok"]
    assert report.table_status["rows"].isna().all()
    assert report.reconciliation.empty
    assert report.sources.empty
    assert report.generation["generation"].tolist() == [7]
    assert report.generation[["rows_read", "rows_changed"]].isna().all(axis=None)
    for scope in (ONLY_A, NOTHING):
        assert health(read_snapshot, scope).loads.empty
        assert health(read_snapshot, scope).quarantined.empty
        assert quarantined_rows(read_snapshot, scope).empty


def test_no_stores_nothing(tiny_snapshot: Snapshot) -> None:
    report = health(tiny_snapshot, NOTHING)
    assert report.table_status.empty
    assert report.generation.empty
