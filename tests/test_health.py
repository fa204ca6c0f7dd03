"""The state of the data, and how much of it a scope of stores may know."""

from data_access.snapshot import Snapshot
from models.reports.health import health
from tests.tiny import CHAIN, NOTHING, ONLY_A


def test_the_chain_sees_tables_money_sources_and_generation(tiny_snapshot: Snapshot) -> None:
    report = health(tiny_snapshot, CHAIN)
    assert report.table_status[["table_name", "state", "rows"]].to_numpy().tolist() == [
        ["campaign", "empty", 0],
        ["sale_order", "ok", 15],
    ]
    assert report.reconciliation["difference"].tolist() == [0]
    assert report.sources["name"].tolist() == ["by hand"]
    assert report.generation["generation"].tolist() == [7]


def test_a_store_sees_what_is_missing_but_not_how_much_the_chain_holds(tiny_snapshot: Snapshot) -> None:
    report = health(tiny_snapshot, ONLY_A)
    assert report.table_status["state"].tolist() == ["empty", "ok"]
    assert report.table_status["rows"].isna().all()
    assert report.reconciliation.empty
    assert report.sources.empty
    assert report.generation["generation"].tolist() == [7]


def test_no_stores_nothing(tiny_snapshot: Snapshot) -> None:
    report = health(tiny_snapshot, NOTHING)
    assert report.table_status.empty
    assert report.generation.empty
