"""What had happened before customers stopped coming: by hand, and where nothing is behind it."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.queries.reasons import events
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.calc.matched import matched_difference
from models.reports.reasons import KINDS, reasons
from tests import tiny
from tests.random_chain import LAST, RandomChain, random_chain
from tests.tiny import AS_OF, CHAIN, MARCH, NOTHING, ONLY_A, RETURNS


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


def test_one_stratum_is_the_plain_difference() -> None:
    exposed = [True] * 10 + [False] * 20
    happened = [True] * 6 + [False] * 4 + [True] * 5 + [False] * 15
    value, low, high = matched_difference(exposed, happened, [0] * 30)
    assert value == pytest.approx(6 / 10 - 5 / 20)
    assert low < value < high
    assert np.isnan(matched_difference([True], [True], [0])[0])


def test_strata_take_a_difference_away_that_is_none() -> None:
    # In both strata half of the exposed and half of the others: only their mixture differs.
    exposed = [True] * 8 + [False] * 2 + [True] * 2 + [False] * 8
    happened = [True] * 4 + [False] * 4 + [True, False] + [False] * 2 + [False] * 8
    value, _, _ = matched_difference(exposed, happened, [0] * 10 + [1] * 10)
    assert value == 0


@pytest.mark.slow
def test_matched_intervals_cover_no_difference() -> None:
    rng = np.random.default_rng(11)
    covered = 0
    for _ in range(2_000):
        stratum = rng.integers(0, 12, 400)
        exposed = rng.random(400) < 0.05 + 0.03 * stratum
        happened = rng.random(400) < 0.1 + 0.05 * stratum  # of the stratum alone
        _, low, high = matched_difference(exposed, happened, stratum)
        covered += low <= 0 <= high
    assert covered / 2_000 == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / 2_000))


def test_returns_of_the_tiny_chain_are_events(tiny_snapshot: Snapshot) -> None:
    found = events(CHAIN, tiny_snapshot.engine, MARCH)
    expected = {
        (back.customer, max(b.at.date() for b in RETURNS if b.customer == back.customer and b.exclusion is None))
        for back in RETURNS
        if back.customer is not None and back.exclusion is None and MARCH.first <= back.at.date() <= MARCH.last
    }
    returns = found[found["kind"] == "return"]
    assert set(zip(returns["customer_no"], returns["day"].dt.date, strict=True)) == expected
    assert set(found["kind"]) <= set(KINDS)
    assert events(NOTHING, tiny_snapshot.engine, MARCH).empty


def test_a_shelf_runs_out_only_where_something_was_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moves = [
        ("P1", date(2026, 2, 1), "opening", 5),
        ("P1", date(2026, 3, 10), "sale", -5),
        ("P2", date(2026, 3, 10), "adjustment", -3),  # a correction of what was never counted
    ]
    found = tiny._rows()
    found["stock_movement"] = [
        {"store_id": "A", "product_id": product, "day": day, "kind": kind, "quantity": quantity}
        for product, day, kind, quantity in moves
    ]
    monkeypatch.setattr(tiny, "_rows", lambda: found)
    table = events(ONLY_A, tiny.snapshot(tmp_path / "facts.duckdb").engine, MARCH)
    out = table[table["kind"] == "stock_out"]
    # O4 (2) and O7 (1) hold P1 of A; O4, O8 (1) and O13 (6) hold P2
    assert out["customer_no"].tolist() == [1, 2]
    assert set(out["day"]) == {pd.Timestamp(2026, 3, 10)}


def test_who_lapsed_and_what_had_happened(chain: RandomChain) -> None:
    report = reasons(chain.snapshot, CHAIN, LAST, members=10_000)
    assert report.judged_on == date(2025, 11, 6)  # 90 days before the last: there are 399 days of data
    assert len(report.lapsed) == report.gone
    found = events(CHAIN, chain.snapshot.engine, Period(date(2025, 8, 9), date(2025, 11, 6)))
    assert set(found["kind"]) == {"return"}
    row = report.reasons.set_index("reason").loc["return"]
    nothing = report.reasons.set_index("reason").loc["none"]
    assert row["customers"] + nothing["customers"] == report.judged
    assert row["lapsed_share"] == row["lapsed_with"] / report.gone
    assert row["matched_lo95"] <= 0 <= row["matched_hi95"]  # returns were drawn at random
    known = report.lapsed["reason"].value_counts()
    assert known["return"] == row["lapsed_with"]
    assert pd.isna(report.lapsed.loc[report.lapsed["reason"] == "none", "event_day"]).all()


def test_too_short_a_past_says_nothing(tiny_snapshot: Snapshot) -> None:
    assert reasons(tiny_snapshot, ONLY_A, date(2025, 6, 1)).judged_on is None
    assert reasons(tiny_snapshot, NOTHING, AS_OF).lapsed.empty
