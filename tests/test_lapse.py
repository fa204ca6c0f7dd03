"""Lapse on random histories against plain pandas, and on the demo chain against what came."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data_access.pseudonym import customer_key
from data_access.queries import lapse as queries
from data_access.refresh import refresh
from data_access.scope import Scope
from data_access.snapshot import Snapshot, current_snapshot
from models.calc import churn
from models.jobs.lapse import JOB
from models.reports import tables
from models.reports.lapse import lapse
from tests.demo_chain import END, write
from tests.random_chain import LAST, RandomChain, random_chain
from tests.results_kit import one_job
from tests.tiny import AS_OF, CHAIN, NOTHING, ONLY_A

EPOCH = pd.Timestamp(1970, 1, 1)
SCOPES = pytest.mark.parametrize(
    "scope", [CHAIN, Scope("stores", ("A", "C")), ONLY_A], ids=["chain", "two stores", "one"]
)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> RandomChain:
    return random_chain(tmp_path_factory.mktemp("random") / "facts.duckdb")


def visits_of(chain: RandomChain, scope: Scope, until: date = LAST) -> pd.DataFrame:
    """Every day on which a customer bought, with the one after it and the median of the gaps up to it."""
    orders = chain.events[(chain.events["orders"] > 0) & chain.events["store_id"].map(scope.allows)]
    orders = orders[orders["day"] <= pd.Timestamp(until)]
    days = orders[["customer_no", "day"]].drop_duplicates().sort_values(["customer_no", "day"], ignore_index=True)
    mine = days.groupby("customer_no")["day"]
    gaps = mine.diff().dt.days
    return days.assign(
        next_day=mine.shift(-1),
        visits=mine.cumcount() + 1,
        median_gap=gaps.groupby(days["customer_no"]).expanding().median().to_numpy(),
    )


@SCOPES
def test_steps_agree_with_plain_pandas(chain: RandomChain, scope: Scope) -> None:
    expected = visits_of(chain, scope)
    found = queries.steps(scope, chain.snapshot.engine, LAST)
    days = [(expected[name] - EPOCH).dt.days for name in ("day", "next_day")]
    wanted = pd.DataFrame(
        {"day": days[0], "next_day": days[1], "visits": expected["visits"], "median_gap": expected["median_gap"]}
    )
    by = ["day", "next_day", "visits", "median_gap"]
    pd.testing.assert_frame_equal(
        found[by].sort_values(by, ignore_index=True), wanted.sort_values(by, ignore_index=True), check_dtype=False
    )


@SCOPES
def test_rhythms_agree_with_plain_pandas(chain: RandomChain, scope: Scope) -> None:
    as_of = date(2025, 10, 15)
    past = visits_of(chain, scope, as_of).groupby("customer_no")
    later = visits_of(chain, scope)
    later = later[later["day"] > pd.Timestamp(as_of)].groupby("customer_no")["day"].min()
    found = queries.rhythms(scope, chain.snapshot.engine, as_of).set_index("customer_no")
    assert found["visits"].to_dict() == past.size().to_dict()
    assert found["recency_days"].to_dict() == (past["day"].max() - past["day"].min()).dt.days.to_dict()
    assert found["age_days"].to_dict() == (pd.Timestamp(as_of) - past["day"].min()).dt.days.to_dict()
    pd.testing.assert_series_equal(found["median_gap"], past["median_gap"].last(), check_names=False)
    until_next = (later - pd.Timestamp(as_of)).dt.days.reindex(found.index)
    pd.testing.assert_series_equal(found["days_until_next"], until_next, check_names=False, check_dtype=False)


def test_the_rate_of_a_month_customer_by_customer(chain: RandomChain) -> None:
    report = lapse(chain.snapshot, CHAIN, LAST)
    month = report.rate.set_index("month").loc["2025-12"]
    first, after = pd.Timestamp(2025, 12, 1), pd.Timestamp(2026, 1, 1)
    active = lost = 0
    for _, mine in visits_of(chain, CHAIN).groupby("customer_no"):
        before = mine[mine["day"] < first]
        if before.empty:
            continue
        last = before.iloc[-1]
        usual = churn.usual_gap([last["visits"]], [last["median_gap"]], churn.BASE_DAYS)[0]
        runs_out = last["day"] + pd.Timedelta(days=int(churn.LOST * usual) + 1)
        if runs_out < first:
            continue
        active += 1
        back = last["next_day"]
        lost += runs_out < after and (pd.isna(back) or back >= runs_out)
    # Who came back on the first of the month was active when it began, too.
    assert (month["active"], month["lost"]) == (active, lost)
    assert month["churn_rate"] == lost / active


def test_a_store_has_one_rate_whoever_looks(chain: RandomChain) -> None:
    places = lapse(chain.snapshot, CHAIN, LAST).rate_by_place
    store = places[(places["level"] == "store") & (places["place_id"] == "A")].iloc[0]
    alone = lapse(chain.snapshot, ONLY_A, LAST)
    assert alone.rate_by_place.empty
    months = alone.rate.tail(3)
    assert (store["active"], store["lost"]) == (months["active"].sum(), months["lost"].sum())
    assert places[places["level"] == "region"]["place"].tolist() == ["north", "south"]


def test_who_is_at_risk(chain: RandomChain) -> None:
    report = lapse(chain.snapshot, CHAIN, LAST)
    people = report.at_risk
    assert (people["own_gaps"] > churn.LAPSING).all()
    assert people["value_at_risk"].is_monotonic_decreasing
    one = people.iloc[0]
    mine = visits_of(chain, CHAIN)
    mine = mine[[customer_key(number) == one["customer_key"] for number in mine["customer_no"]]]
    assert one["days_since"] == (pd.Timestamp(LAST) - mine["day"].max()).days
    assert one["value_at_risk"] == pytest.approx(one["net_sales"] * one["probability_gone"], abs=0.006)
    assert report.states["customers"].sum() == visits_of(chain, CHAIN)["customer_no"].nunique()


@SCOPES
def test_what_a_batch_keeps_is_the_report(chain: RandomChain, scope: Scope, tmp_path: Path) -> None:
    """Of places; other scopes are computed."""
    with_results = one_job(chain.snapshot, JOB, tmp_path)
    kept, made = (tables(lapse(snapshot, scope, LAST)) for snapshot in (with_results, chain.snapshot))
    for name, frame in made.items():
        pd.testing.assert_frame_equal(kept[name], frame, check_dtype=False)


def test_little_data_give_a_rate_and_no_prediction(tiny_snapshot: Snapshot) -> None:
    report = lapse(tiny_snapshot, CHAIN, AS_OF)
    assert report.check["method"].tolist() == ["days_since", "flat_days"]  # five customers teach nothing
    assert report.at_risk["probability_gone"].isna().all()
    nobody = lapse(tiny_snapshot, NOTHING, AS_OF)
    assert nobody.rate.empty
    assert nobody.at_risk.empty
    assert np.isnan(nobody.states["share"]).all()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("demo")
    refresh(write(folder, "demo", scale="demo", seed=1).engine, folder)
    return current_snapshot(folder)


@pytest.mark.slow
def test_on_the_demo_chain_the_own_rhythm_beats_ninety_days(demo: Snapshot) -> None:
    """Learnt a year before the end of the data, judged half a year before it, against who came since."""
    report = lapse(demo, CHAIN, END, members=0)
    check = report.check.set_index("method")
    assert report.horizon_days == 180
    assert check.loc["own_rhythm", "lo95"] > check.loc["flat_days", "hi95"]
    assert check.loc["own_rhythm", "auc"] == pytest.approx(0.917, abs=0.01)
    assert check.loc["flat_days", "auc"] == pytest.approx(0.828, abs=0.01)
    assert check.loc["own_rhythm", "auc"] > check.loc["days_since", "auc"]
    own = report.calibration[report.calibration["method"] == "own_rhythm"]
    assert (
        own["predicted"] - own["actual"]
    ).abs().max() < 0.12  # .108: in the middle, more came back than the half-year before had taught
    lost = report.returns.set_index("own_gaps").loc[churn.LOST]
    assert lost["hi95"] <= churn.MOST_RETURNING
