"""What stands for a control group where there is none, and a curve one may look at every day."""

import logging
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.calc import adjusted, sequential, store_difference
from models.reports import campaign_basis
from models.reports.campaign import campaign
from tests.tiny import CHAIN, ONLY_A

log = logging.getLogger(__name__)

EFFECT = 0.045


def targeted(rng: np.random.Generator, people: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Customers chosen by how lately and how much they bought, who would have bought more anyway."""
    recency, spent = rng.exponential(90, people), rng.gamma(1.2, 150, people)
    is_new, taste = rng.random(people) < 0.4, rng.integers(0, 3, people)
    wish = -3.2 - 0.008 * (recency - 90) + 0.45 * np.log1p(spent) + 0.5 * is_new + 0.4 * (taste == 1)
    chosen = rng.random(people) < 1 / (1 + np.exp(-wish))
    anyway = 0.08 + 0.125 * np.exp(-recency / 60) + 0.01 * np.log1p(spent) + 0.03 * is_new
    bought = (rng.random(people) < np.clip(anyway + EFFECT * chosen, 0, 1)).astype(float)
    known = {"recency": np.log1p(recency), "spent": np.log1p(spent), "is_new": is_new, "taste": taste == 1}
    return pd.DataFrame(known).astype("float64"), chosen, bought


def test_others_like_the_treated_take_the_choice_out_of_the_difference() -> None:
    known, chosen, bought = targeted(np.random.default_rng(5), 40_000)
    found = adjusted.compare(known, chosen, bought[:, None])
    assert found is not None
    one = found.estimates[0]
    assert one.naive == pytest.approx(bought[chosen].mean() - bought[~chosen].mean())
    assert one.lo < EFFECT < one.hi
    assert one.naive > one.hi  # the plain difference says too much
    assert one.treated - one.expected == pytest.approx(one.difference)
    assert found.is_usable
    assert found.balance.set_index("trait")["apart_before"]["recency"] < -adjusted.BALANCED


def test_who_has_nobody_alike_is_not_compared() -> None:
    rng = np.random.default_rng(1)
    known = pd.DataFrame({"orders": rng.poisson(2.0, 4_000).astype(float)})
    chosen = (known["orders"] >= 4).to_numpy()
    found = adjusted.compare(known, chosen, rng.random((4_000, 1)))
    assert found is not None
    assert not found.is_usable
    few = np.arange(4_000) < adjusted.LEAST - 1
    assert adjusted.compare(known, few, rng.random((4_000, 1))) is None


@pytest.mark.slow
def test_nine_tenths_of_the_bias_go_and_the_interval_covers() -> None:
    rng, tries = np.random.default_rng(11), 2_000
    naive, left, covered = [], [], 0
    for number in range(tries):
        known, chosen, bought = targeted(rng, 8_000)
        found = adjusted.compare(known, chosen, bought[:, None], seed=number)
        assert found is not None
        one = found.estimates[0]
        naive.append(one.naive - EFFECT)
        left.append(one.difference - EFFECT)
        covered += one.lo <= EFFECT <= one.hi
    removed = 1 - abs(np.mean(left)) / abs(np.mean(naive))
    log.info("naive bias %.4f, %.1f %% removed, covered %.2f %%", np.mean(naive), 100 * removed, 100 * covered / tries)
    assert abs(np.mean(left)) < 0.1 * abs(np.mean(naive))
    assert covered / tries > 0.95 - 3 * np.sqrt(0.95 * 0.05 / tries)


@pytest.mark.parametrize(
    ("placebo", "after", "comparable", "expected"),
    [
        ((-0.01, 0.01), 0.02, 0.95, "usable"),
        ((0.01, 0.02), 0.02, 0.95, "placebo_differs"),
        ((-0.01, 0.01), -0.30, 0.95, "not_alike"),
        ((-0.01, 0.01), 0.02, 0.50, "not_alike"),
    ],
)
def test_an_estimate_is_shown_only_where_the_checks_hold(
    placebo: tuple[float, float], after: float, comparable: float, expected: str
) -> None:
    rows = [("conversion", "window", 0.2, 0.1, 0.2, 0.1, 0.05, 0.15), ("conversion", "placebo", 0, 0, 0, 0, *placebo)]
    table = pd.DataFrame(rows, columns=campaign_basis.ADJUSTED.split())
    balance = pd.DataFrame([("orders", 1, 2, 1, 0.5, after)], columns=campaign_basis.BALANCE.split())
    assert campaign_basis.standing(table, balance, comparable) == expected
    assert campaign_basis.standing(table.iloc[:0], balance, comparable) == "too_few"


def test_a_curve_adds_up_day_by_day() -> None:
    bought = pd.DataFrame(
        [(1, False, 0, 10.0), (1, False, 2, 30.0), (2, True, 1, 5.0)],
        columns=["customer_no", "is_control", "day_number", "amount"],
    )
    found = sequential.curve(bought, people=4, others=2, days=3, planned=5)
    assert found["treated"].tolist() == [10 / 4, 10 / 4, 40 / 4]
    assert found["control"].tolist() == [0, 5 / 2, 5 / 2]
    assert found["difference"].tolist() == [10 / 4, 10 / 4 - 5 / 2, 40 / 4 - 5 / 2]
    assert found[["lo95", "hi95"]].isna().all(axis=None)  # two buyers


def test_a_range_for_every_day_is_wider_than_one_for_one_look() -> None:
    variance = np.array([0.25, 0.5, 1.0])
    half = sequential.width(variance, 1.0)
    assert (half > 1.96 * np.sqrt(variance)).all()
    assert half[-1] < 1.6 * 1.96  # at the end of what was planned not by much


@pytest.mark.slow
@pytest.mark.parametrize(
    ("people", "others", "unequal"), [(4_000, 4_000, 0.0), (9_000, 1_000, 0.0), (4_000, 1_700, 1.5)]
)
def test_looking_every_day_errs_as_often_as_it_says(people: int, others: int, unequal: float) -> None:
    """Nothing was caused; customers buy as often as each other, or some much more often."""
    rng, tries, days = np.random.default_rng(people + others), 2_000, 28
    crossed = 0
    for _ in range(tries):
        frames = []
        for is_control, many in ((False, people), (True, others)):
            each = rng.gamma(1 / unequal, unequal * 0.02, many) if unequal else np.full(many, 0.02)
            who = np.repeat(np.arange(many), rng.poisson(each * days))
            frame = {"customer_no": who + is_control * 1_000_000, "is_control": is_control}
            frame |= {"day_number": rng.integers(0, days, len(who)), "amount": rng.lognormal(4, 0.75, len(who))}
            frames.append(pd.DataFrame(frame))
        found = sequential.curve(pd.concat(frames), people, others, days, days)
        crossed += bool(((found["lo95"] > 0) | (found["hi95"] < 0)).any())
    log.info("%d/%d, unequal %.1f: zero excluded on some day %.2f %%", people, others, unequal, 100 * crossed / tries)
    assert crossed / tries < 0.05 + 3 * np.sqrt(0.05 * 0.95 / tries)


def _stores(effect: float, trend: float, stores: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    days = pd.date_range("2026-01-05", periods=7 * (store_difference.WEEKS + 2))
    rows = []
    for store in range(stores):
        takes_part = store < 3
        level = 1_000 * (1 + store) * np.exp(trend * takes_part * np.arange(len(days)) / 7)
        sales = level * np.exp(0.05 * rng.standard_normal(len(days)))
        sales[-14:] *= 1 + effect * takes_part
        rows.append(pd.DataFrame({"store_id": f"S{store}", "takes_part": takes_part, "day": days, "net_sales": sales}))
    return pd.concat(rows, ignore_index=True)


def test_stores_with_a_campaign_are_measured_against_the_others() -> None:
    first, last = pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-15")
    found = store_difference.difference(_stores(0.20, 0.0), first, last)
    assert found is not None
    assert (found.stores, found.others) == (3, 12 - 3)
    assert found.lo < 0.20 < found.hi
    assert found.p_value < 0.001
    assert found.before_p > 0.05
    drifting = store_difference.difference(_stores(0.0, 0.05), first, last)
    assert drifting is not None
    assert drifting.before_p < 0.001  # they had moved apart before
    assert store_difference.difference(_stores(0.2, 0.0, stores=5), first, last) is None  # two others


def test_a_card_says_what_it_rests_on(tiny_snapshot: Snapshot) -> None:
    assert campaign(tiny_snapshot, CHAIN, "K1").basis == "holdout"
    report = campaign(tiny_snapshot, CHAIN, "K4")
    assert (report.basis, report.standing) == ("association", "too_few")


def test_the_curve_of_a_card_counts_purchases_in_scope(tiny_snapshot: Snapshot) -> None:
    curve = campaign(tiny_snapshot, CHAIN, "K1").curve
    assert len(curve) == 12  # 1 to 12 March
    people = pd.DataFrame({"is_control": [False, True], "people": [2, 0]})
    own = campaign_basis.curve(tiny_snapshot, ONLY_A, "K1", people, "spend", date(2026, 3, 1), date(2026, 3, 12))
    assert own["treated"].iloc[-1] == pytest.approx(220 / 2)
