"""Targets: who set what counts, how far a month is, and where it will end."""

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state import targets as state
from data_access.state.audit import Filter
from data_access.state.rules import Rule
from data_access.state.store import prepare, state_engine
from data_access.state.targets import Target
from models.calc.pace import month_end
from models.reports.targets import targets
from tests.tiny import AS_OF, CHAIN, NORTH, ONLY_A

NOW = datetime(2026, 3, 20, 9)
MARCH = date(2026, 3, 1)
SOLD = 190 + 30 + 31 + 58  # O7, O8, O10 and O13; O14 is a test


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = state_engine(f"sqlite:///{tmp_path}/state.sqlite")
    prepare(engine)
    yield engine
    engine.dispose()


def test_the_newest_target_counts_and_is_in_the_audit_log(engine: Engine, tiny_snapshot: Snapshot) -> None:
    for amount in (1_000, 2_000):
        state.put(engine, tiny_snapshot, NORTH, "head", "A", MARCH, amount, NOW)
    assert state.current(engine, NORTH) == (Target("A", MARCH, 2_000),)
    assert state.current(engine, Scope("stores", ("C",))) == ()
    assert [entry.subject for entry in audit.search(engine, Filter(action="target_set")).entries] == ["A", "A"]
    state.put(engine, tiny_snapshot, NORTH, "head", "A", MARCH, None, NOW)
    assert state.current(engine, CHAIN) == ()


@pytest.mark.parametrize(
    ("store", "month", "amount", "rule"),
    [
        ("C", MARCH, 5, "target_store"),
        ("nowhere", MARCH, 5, "target_store"),
        ("A", date(2026, 3, 2), 5, "target_month"),
        ("A", date(2029, 3, 1), 5, "target_month"),
        ("A", MARCH, 0, "target_amount"),
    ],
)
def test_what_makes_no_sense_is_refused(
    engine: Engine, tiny_snapshot: Snapshot, store: str, month: date, amount: int, rule: str
) -> None:
    with pytest.raises(Rule) as refused:
        state.put(engine, tiny_snapshot, NORTH, "head", store, month, amount, NOW)
    assert refused.value.key == rule
    assert state.current(engine, CHAIN) == ()


def _sold(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["store_id", "month", "gross_sales", "so_far"])
    return frame.assign(month=pd.to_datetime(frame["month"]))


def test_a_month_ends_as_it_did_last_year() -> None:
    sold = _sold(
        ("A", "2025-11-01", 300, 100), ("B", "2025-11-01", 300, 200), ("A", "2026-10-01", 200, 100),
        ("A", "2026-11-01", 120, 120), ("B", "2026-11-01", 60, 60),
    )  # fmt: skip
    found = month_end(sold, pd.Timestamp("2026-11-01")).set_index("store_id")
    # all stores together doubled from this day on: (300 + 300) / (100 + 200)
    assert found["expected"].to_dict() == {"A": 120 * 2, "B": 60 * 2}
    assert found["lo80"].isna().all()  # one month is over that could be foretold


def test_the_range_is_what_the_rule_missed_by() -> None:
    rng = np.random.default_rng(1)
    months = pd.date_range("2024-01-01", periods=25, freq="MS").strftime("%Y-%m-%d")
    growth = 2 * np.exp(rng.normal(0, 0.1, (40, 25)))
    rows = [
        (f"S{store}", month, float(100 * growth[store, at]), 100.0)
        for store in range(40)
        for at, month in enumerate(months)
    ]
    sold = _sold(*rows)
    last = sold["month"].max()
    truth = sold[sold["month"] == last].set_index("store_id")["gross_sales"]
    now = sold.assign(gross_sales=np.where(sold["month"] == last, sold["so_far"], sold["gross_sales"]))
    found = month_end(now, last).set_index("store_id")
    assert found["expected"].tolist() == pytest.approx([200] * 40, rel=0.05)
    inside = (found["lo80"] <= truth) & (truth <= found["hi80"])
    assert 0.6 <= inside.mean() <= 0.95  # nominal 80 % of 40 stores
    assert (found["lo80"] >= 100).all()


def test_a_target_set_here_stands_before_the_one_of_the_crm(tiny_snapshot: Snapshot) -> None:
    plain = targets(tiny_snapshot, ONLY_A, AS_OF).stores.set_index("store_id")
    assert plain.loc["A", "pace"] == "no_target"  # the CRM has one for E1 alone
    report = targets(tiny_snapshot, ONLY_A, AS_OF, (Target("A", MARCH, 1_000), Target("B", MARCH, 5)))
    row = report.stores.set_index("store_id").loc["A"]
    assert (row["target"], row["source"]) == (1_000, "set")
    assert row["sold"] == SOLD
    assert row["attainment"] == SOLD / 1_000
    assert report.stores["store_id"].tolist() == ["A"]
    assert report.months["target"].tolist() == [1_000]
    reached = targets(tiny_snapshot, ONLY_A, AS_OF, (Target("A", MARCH, 1),))
    assert reached.stores["pace"].tolist() == ["reached"]
