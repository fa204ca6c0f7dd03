"""Stores beside each other: limits of chance, peers, what the best of them do, the report."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import peers, periods
from models.calc.control_limits import funnel, judged
from models.jobs.teams import JOB
from models.reports.stores import BELOW, stores
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, MARCH, NORTH, NOTHING, ONLY_A


def test_limits_are_those_of_the_binomial() -> None:
    cases = np.full(40, 200.0)
    found = funnel(np.full(40, 60.0), cases)
    assert found is not None
    low, high = found.exact(cases[:1])
    assert found.centre == 60 / 200
    assert binom.cdf(low[0] * 200 - 1, 200, 0.3) < 0.001 <= binom.cdf(low[0] * 200 + 1, 200, 0.3)
    assert binom.cdf(high[0] * 200 - 1, 200, 0.3) < 0.999 <= binom.cdf(high[0] * 200 + 1, 200, 0.3)


def test_chance_is_no_difference_and_a_store_apart_is_told() -> None:
    rng = np.random.default_rng(4)
    cases = pd.Series(rng.integers(50, 3_000, 200).astype(float), [f"S{number:03}" for number in range(200)])
    hits = pd.Series(rng.binomial(cases.astype(int), 0.2).astype(float), cases.index)
    alike = judged(hits, cases)
    assert (alike["verdict"] != "chance").sum() <= 2
    apart = judged(hits.where(cases.index != "S007", cases * 0.6), cases)
    assert apart.at["S007", "verdict"] == "far"


def test_stores_that_truly_differ_widen_the_outer_limits_only() -> None:
    rng = np.random.default_rng(5)
    cases = pd.Series(np.full(100, 2_000.0))
    hits = pd.Series(rng.binomial(2_000, rng.normal(0.2, 0.04, 100).clip(0.01)).astype(float))
    found = judged(hits, cases)
    assert (found["verdict"] == "differs").sum() > 40
    assert (found["verdict"] == "far").sum() <= 2


def test_of_four_stores_nothing_is_said() -> None:
    found = judged(pd.Series([1.0, 2.0, 3.0, 4.0]), pd.Series([10.0] * 4))
    assert found["verdict"].isna().all()
    assert found["rate"].tolist() == [1 / 10, 2 / 10, 3 / 10, 4 / 10]


def alike(many: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.Series]:
    """Stores in two towns: even ones large and in the first, odd ones small and in the third."""
    ids = [f"S{number}" for number in range(many)]
    even = np.arange(many) % 2 == 0
    known = pd.DataFrame({"tier": np.where(even, 0.0, 3.0), "area": np.where(even, 5.7, 4.5)}, ids)
    known.loc["S0", "area"] = np.nan  # what one does not know is left out
    return known, pd.DataFrame({"skin": 1.0}, ids), pd.Series("shop", ids)


def test_peers_are_those_in_the_same_conditions() -> None:
    near = peers.nearest(*alike(12))
    first = near[near["position"] <= 5]
    assert len(first) == 12 * 5
    same = first["store_id"].str[1:].astype(int) % 2 == first["peer_store_id"].str[1:].astype(int) % 2
    assert same.all()
    assert (near["store_id"] != near["peer_store_id"]).all()


def test_only_stores_of_one_kind_are_peers_and_five_others_are_needed() -> None:
    known, mix, kind = alike(11)
    kind = kind.where(kind.index.isin([f"S{number}" for number in range(6)]), "online")  # six shops, five online
    near = peers.nearest(known, mix, kind)
    assert sorted(set(near["store_id"])) == [f"S{number}" for number in range(6)]
    assert set(near["peer_store_id"]) == set(near["store_id"])


def test_a_store_beside_its_peers() -> None:
    near = peers.nearest(*alike(6))
    figures = pd.DataFrame({"traffic": [10.0, 20, 30, 40, 50, np.nan]}, [f"S{number}" for number in range(6)])
    found = peers.benchmark(figures, near)
    # S5 has five peers that know it; the others only four
    row = found.iloc[0]
    assert len(found) == 1
    assert (row["store_id"], row["peers"], row["median"], row["q75"]) == ("S5", 5, 30, 40)
    assert np.isnan(row["below"])


def test_a_gap_is_worth_what_its_levers_would_bring() -> None:
    compared = pd.DataFrame(
        [("S0", "traffic", 1000, 900), ("S0", "conversion", 0.1, 0.2), ("S0", "units_per_transaction", 2, 2.5),
         ("S0", "price", 50, 40)],
        columns=["store_id", "metric", "value", "q75"],
    )  # fmt: skip
    found = peers.gaps(compared).set_index("lever")
    whole = 1000 * 0.2 * 2.5 * 50 - 1000 * 0.1 * 2 * 50
    assert found["gain"].sum() == pytest.approx(whole)
    # .1 more at the mean of 2 and 2.5 units; .5 more at the mean of .1 and .2
    assert found.at["conversion", "gain"] == pytest.approx(1000 * 0.1 * (2 + 2.5) / 2 * 50)
    assert found.at["units_per_transaction", "gain"] == pytest.approx(1000 * (0.1 + 0.2) / 2 * 0.5 * 50)
    assert found.loc[["traffic", "price"], "gain"].tolist() == [0, 0]


def test_march_by_store(tiny_snapshot: Snapshot) -> None:
    found = stores(tiny_snapshot, CHAIN, MARCH)
    alone = stores(tiny_snapshot, ONLY_A, MARCH)
    rows = found.stores.set_index("store_id")
    assert rows["average_ticket"].to_numpy() == pytest.approx((rows["net_sales"] / rows["orders"]).to_numpy())
    assert alone.stores["store_id"].tolist() == ["A"]
    assert alone.stores["net_sales"].tolist() == [rows.at["A", "net_sales"]]
    assert found.weeks.groupby("store_id").size().eq(13).all()
    assert found.compared_until is None  # no batch has run
    assert stores(tiny_snapshot, NOTHING, MARCH).stores.empty


def test_days_without_data_have_no_stores(tiny_snapshot: Snapshot) -> None:
    found = stores(tiny_snapshot, CHAIN, Period(date(1999, 1, 1), date(1999, 1, 31)))
    assert found.period is None
    assert found.stores.empty


@pytest.mark.parametrize("scope", [CHAIN, NORTH, ONLY_A], ids=["chain", "region", "store"])
@pytest.mark.parametrize("period", periods.every(date(2025, 3, 1), AS_OF), ids=str)
def test_figures_of_the_batch_are_those_of_now(
    kept: Snapshot, tiny_snapshot: Snapshot, scope: Scope, period: Period
) -> None:
    ready, live = stores(kept, scope, period), stores(tiny_snapshot, scope, period)
    of_batch = ["gap_to_peers", "retained_share", *(f"below_{name}" for name in BELOW)]
    pd.testing.assert_frame_equal(
        ready.stores.drop(columns=of_batch), live.stores.drop(columns=of_batch), check_dtype=False
    )
    pd.testing.assert_frame_equal(ready.limits, live.limits, check_dtype=False)
    pd.testing.assert_frame_equal(ready.weeks, live.weeks)


def test_days_of_a_festival_are_compared_now(kept: Snapshot) -> None:
    year = Period(AS_OF - timedelta(days=27), AS_OF)
    moved = Period(year.first, year.last, 354)
    usual, festival = (stores(kept, CHAIN, period).stores for period in (year, moved))
    assert usual["net_sales"].tolist() == festival["net_sales"].tolist()


@pytest.fixture(scope="module")
def kept(tiny_snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return one_job(tiny_snapshot, JOB, tmp_path_factory.mktemp("stores"))
