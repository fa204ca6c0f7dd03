"""Growth, churn and waiting times: by hand, and in memory over thousands of small stores."""

import numpy as np
import pandas as pd
import pytest

from models.calc import churn, waiting
from models.calc.growth import against_the_rest, growth, share
from tests.simulated_buyers import draw


def test_growth_by_hand() -> None:
    found = growth([30, 5, 0, 0], [20, 0, 4, 0])
    assert found["growth"].iloc[0] == 30 / 20 - 1
    low, high = share([30], [50]).iloc[0][["lo95", "hi95"]]
    assert found["lo95"].iloc[0] == pytest.approx(low / (1 - low) - 1)
    assert found["hi95"].iloc[0] == pytest.approx(high / (1 - high) - 1)
    assert found.iloc[[1, 3]].isna().all(axis=None)  # nothing grows out of nothing
    assert found["growth"].iloc[2] == -1
    assert -1 <= found["lo95"].iloc[2] < found["hi95"].iloc[2]


def test_only_units_that_differ_are_called_different() -> None:
    assert against_the_rest([10, 10, 60], [100, 100, 100]) == ["below", "below", "above"]
    assert against_the_rest([10, 12, 14], [100, 100, 100]) == ["unclear"] * 3
    assert against_the_rest([3], [10]) == ["unclear"]  # there is no rest


def test_a_waiting_curve_by_hand() -> None:
    # Four wait: one comes after 2 days, one has been watched for 3 days only, one comes after 5, one waits for 9.
    curve = waiting.waiting_curve([2, 3, 5, 9], [1, 1, 1, 1], [True, False, True, False])
    assert curve["days"].tolist() == [2, 5]
    assert curve["waiting"].tolist() == [4, 2]
    assert curve["rate"].tolist() == pytest.approx([1 - 3 / 4, 1 - 3 / 4 * 1 / 2])
    error = np.sqrt(1 / (4 * 3)) / abs(np.log(3 / 4))
    assert curve["lo95"].iloc[0] == pytest.approx(1 - (3 / 4) ** np.exp(-1.959963984540054 * error))
    assert waiting.by_then(curve, 4)[0] == 1 - 3 / 4
    assert waiting.by_then(curve, 1)[0] == 0
    assert waiting.days_until(curve, 0.5) == 5
    assert np.isnan(waiting.days_until(curve, 0.9))


def test_the_usual_gap_is_drawn_to_that_of_the_range_while_there_are_few() -> None:
    usual = churn.usual_gap([1, 3, 9], [np.nan, 20, 30], 60)
    assert usual.tolist() == [60, (2 * 20 + 2 * 60) / 4, (8 * 30 + 2 * 60) / 10]
    assert churn.states(np.array([1.5, 1.6, 3.0, 3.1])).tolist() == ["active", "lapsing", "lapsing", "lost"]


def test_who_is_lost_in_a_month() -> None:
    # A product lasts for 10 days. Days are counted from the first of a month of 30 days.
    rows = [
        ("comes on", 0, 25, 1, np.nan),  # in time: lost on day 31
        ("comes on", 25, np.nan, 2, 25),  # (25 + 2 * 10) / 3 = 15 days three times: lost on day 71
        ("steady", -20, -10, 1, np.nan),
        ("steady", -10, 0, 2, 10),
        ("steady", 0, 40, 3, 10),  # lost on day 31, and back on day 40: too late
        ("steady", 40, np.nan, 4, 10),
    ]
    visits = pd.DataFrame(rows, columns=["who", "day", "next_day", "visits", "median_gap"]).assign(unit="A")
    found = churn.monthly(visits, np.array([-30, 0, 30, 60]), base=10)
    assert found["month"].tolist() == [0, 1, 2]
    assert found["active"].tolist() == [0, 1, 2]
    assert found["lost"].tolist() == [0, 0, 1]
    later = churn.monthly(visits, np.array([60, 90]), base=10)
    assert later[["active", "lost"]].to_numpy().tolist() == [[2, 2]]  # on day 71, both


def test_the_area_by_hand() -> None:
    gone = np.array([True, True, False, False])
    assert churn.area([3, 1, 2, 0], gone) == (1 + 1 + 0 + 1) / 4  # pairs in the right order
    assert churn.area([1, 1, 1, 1], gone) == 0.5
    assert np.isnan(churn.area([1, 2], np.array([True, True])))
    value, low, high = churn.area_interval([3, 1, 2, 0], gone)
    # DeLong: each of the gone beats (1, 1/2) of the others, each of the others is beaten by (1/2, 1).
    reach = 1.959963984540054 * np.sqrt(0.125 / 2 + 0.125 / 2)
    assert (value, low, high) == (0.75, pytest.approx(0.75 - reach), 1)


def test_calibration_by_hand() -> None:
    gone = np.array([False, False, True, True])
    table = churn.bins(np.array([0.1, 0.3, 0.6, 0.9]), gone, many=2)
    assert table["predicted"].tolist() == pytest.approx([0.2, 0.75])
    assert table["actual"].tolist() == [0, 1]
    back = churn.returns(np.array([0.6, 2.5, 3.5, 5.0]), np.array([False, True, True, False])).set_index("own_gaps")
    assert back.loc[3.0, ["customers", "returned"]].tolist() == [2, 1]
    assert back.loc[12.0, "customers"] == 0


def test_the_bound_beyond_which_few_return() -> None:
    overdue = np.arange(1000) / 100
    gone = overdue > 5  # whoever is beyond five gaps never comes back, the others always do
    assert churn.fitted_bound(overdue, gone) == pytest.approx(4.5, abs=0.11)  # 1 in 10 of 555 came back
    assert np.isnan(churn.fitted_bound(overdue[:50], gone[:50]))


def test_what_was_learnt_is_found_again() -> None:
    rng = np.random.default_rng(5)
    gap, overdue = np.exp(rng.normal(3, 0.5, 40_000)), rng.exponential(2, 40_000)
    truth = churn.Rhythm(-4.0, 0.8, 1.6)
    gone = rng.random(len(gap)) < churn.probability_gone(truth, gap, overdue)
    found = churn.learn(gap, overdue, gone)
    assert found is not None
    assert found == pytest.approx(truth, abs=0.15)
    assert churn.learn(gap[:50], overdue[:50], gone[:50]) is None


# --- over thousands of stores drawn in memory -------------------------------------------------------

REPLICATES = 2_000
THREE_ERRORS = 3 * np.sqrt(0.95 * 0.05 / REPLICATES)


@pytest.mark.slow
@pytest.mark.parametrize(("expected", "rate"), [(8, 1.0), (25, 0.8), (25, 1.3), (120, 1.1), (900, 1.0)])
def test_intervals_of_growth_cover_the_truth(expected: int, rate: float) -> None:
    rng = np.random.default_rng([expected, round(100 * rate)])
    found = growth(rng.poisson(expected * rate, REPLICATES), rng.poisson(expected, REPLICATES)).dropna()
    covered = ((found["lo95"] <= rate - 1) & (rate - 1 <= found["hi95"])).mean()
    assert len(found) >= REPLICATES - 2  # a small store without a single new customer before says nothing
    assert covered == pytest.approx(0.95, abs=THREE_ERRORS)


@pytest.mark.slow
@pytest.mark.parametrize("customers", [120, 400, 1_500])
def test_intervals_of_churn_cover_the_truth(customers: int) -> None:
    """Stores whose customers have rhythms of their own and leave one day; the month after 500 days is judged."""
    at_once = max(6_000_000 // (customers * 40), 1)
    active, lost = [], []
    for first in range(0, REPLICATES, at_once):
        stores = min(at_once, REPLICATES - first)
        table = _month_of_stores(np.random.default_rng([customers, first]), stores, customers)
        active.append(table["active"])
        lost.append(table["lost"])
    every_active, every_lost = pd.concat(active, ignore_index=True), pd.concat(lost, ignore_index=True)
    truth = every_lost.sum() / every_active.sum()
    found = share(every_lost, every_active)
    covered = ((found["lo95"] <= truth) & (truth <= found["hi95"])).mean()
    assert len(found) == REPLICATES
    assert 0.01 < truth < 0.5
    assert covered == pytest.approx(0.95, abs=THREE_ERRORS)


def _month_of_stores(rng: np.random.Generator, stores: int, customers: int) -> pd.DataFrame:
    age = rng.integers(30, 530, stores * customers)
    buyers = draw(rng, age, 0)
    visits = pd.DataFrame({"customer": buyers.customer, "day": buyers.day + (530 - age)[buyers.customer]})
    by_customer = visits.groupby("customer")["day"]
    visits["next_day"] = by_customer.shift(-1)
    visits["visits"] = by_customer.cumcount() + 1
    gaps = visits["day"] - by_customer.shift(1)
    # The mean so far stands for the median, which is slow to follow in memory; the rule is the same.
    visits["median_gap"] = gaps.groupby(visits["customer"]).expanding().mean().to_numpy()
    visits["unit"] = visits["customer"] // customers
    return churn.monthly(visits, np.array([500, 530]), base=60)
