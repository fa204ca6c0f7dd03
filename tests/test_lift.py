"""Lift by hand, against statsmodels-free formulas, and by counting every possible draw."""

import logging
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.calc import lift
from models.calc.lift import Moments, Outcome

log = logging.getLogger(__name__)

FEW = Outcome(4, np.array([30.0, 10.0])), Outcome(3, np.array([20.0]))


def test_the_mean_and_variance_of_an_arm_count_those_who_spent_nothing() -> None:
    arm = Outcome(4, np.array([30.0, 10.0]))
    assert arm.mean == (30 + 10 + 0 + 0) / 4
    assert arm.variance == ((30 - 10) ** 2 + (10 - 10) ** 2 + 2 * (0 - 10) ** 2) / 3
    assert arm.third == ((30 - 10) ** 3 + (10 - 10) ** 3 + 2 * (0 - 10) ** 3) / 4
    assert np.isnan(Outcome(1, np.array([5.0])).variance)


def test_newcombes_interval_is_the_published_one() -> None:
    # Newcombe (1998), table II, example (a): 56/70 - 48/80, method 10
    found = lift.share_difference(56, 70, 48, 80)
    assert found.value == pytest.approx(56 / 70 - 48 / 80)
    assert (round(found.lo, 4), round(found.hi, 4)) == (0.0524, 0.3339)
    # example (h): 10/10 - 0/10
    ends = lift.share_difference(10, 10, 0, 10)
    assert (round(ends.lo, 4), round(ends.hi, 4)) == (0.6075, 1.0)


def test_an_arm_without_people_has_no_lift() -> None:
    assert np.isnan(lift.share_difference(0, 0, 3, 10).value)
    assert np.isnan(lift.share_p(0, 0, 3, 10)).all()
    assert all(np.isnan(p) for p in lift.randomisation_p(Outcome(0, np.array([])), FEW[1]))


def test_the_relative_lift_is_the_ratio_minus_one() -> None:
    found = lift.share_ratio(30, 100, 20, 100)
    error = np.sqrt(1 / 30 - 1 / 100 + 1 / 20 - 1 / 100)
    assert found.value == pytest.approx(30 / 20 - 1)
    assert found.lo == pytest.approx(np.exp(np.log(1.5) - lift.Z95 * error) - 1)
    assert np.isnan(lift.share_ratio(0, 100, 20, 100).value)


def test_the_test_of_shares_counts_every_draw() -> None:
    table = [[30, 70], [20, 80]]
    more, less = lift.share_p(30, 100, 20, 100)
    assert more == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)
    assert less == pytest.approx(stats.fisher_exact(table, alternative="less").pvalue)
    assert lift.share_p(0, 100, 0, 50) == (1.0, 1.0)


def test_money_has_an_interval_only_with_enough_buyers_in_both_arms() -> None:
    rng = np.random.default_rng(1)
    many = Outcome(400, rng.gamma(2, 50, 60))
    few = Outcome(400, rng.gamma(2, 50, lift.ENOUGH_BUYERS - 1))
    everybody = [np.concatenate([arm.values, np.zeros(arm.people - len(arm.values))]) for arm in (many, many)]
    welch = stats.ttest_ind(*everybody, equal_var=False).confidence_interval()
    found = lift.mean_difference(many, many)
    assert (found.lo, found.hi) == (pytest.approx(welch.low), pytest.approx(welch.high))
    assert np.isnan(lift.mean_difference(many, few).lo)
    assert lift.mean_difference(many, few).value == pytest.approx(many.total / 400 - few.total / 400)


def test_a_small_control_group_that_misses_great_spenders_gets_a_longer_upper_side() -> None:
    rng = np.random.default_rng(2)
    treated, control = Outcome(9_000, rng.lognormal(4, 1, 900)), Outcome(1_000, rng.lognormal(4, 1, 100))
    found = lift.mean_difference(treated, control)
    # who spends much may by chance be missing from the small arm: the truth is more likely far below than far above
    assert found.value - found.lo > 1.1 * (found.hi - found.value)


def test_the_randomisation_test_counts_the_draws_that_could_have_been() -> None:
    treated, control = FEW
    people = [30.0, 10.0, 0.0, 0.0, 20.0, 0.0, 0.0]
    sums = [sum(people[i] for i in chosen) for chosen in combinations(range(7), 4)]
    more, less = lift.randomisation_p(treated, control)
    assert more == pytest.approx(np.mean([total >= 40 for total in sums]), abs=0.02)
    assert less == pytest.approx(np.mean([total <= 40 for total in sums]), abs=0.02)


def test_nobody_spent_anything_is_no_evidence() -> None:
    assert lift.randomisation_p(Outcome(5, np.array([])), Outcome(5, np.array([]))) == (1.0, 1.0)


@pytest.mark.parametrize("others", [300, 3_000])
def test_the_curve_for_many_buyers_agrees_with_draws(others: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    treated = Outcome(3_000, rng.lognormal(4.1, 1, 300))
    control = Outcome(others, rng.lognormal(4, 1, others // 10))
    monkeypatch.setattr(lift, "DRAWS", 20_000)
    drawn = lift.randomisation_p(treated, control)
    monkeypatch.setattr(lift, "MOST_DRAWN", 0)
    assert lift.randomisation_p(treated, control) == pytest.approx(drawn, abs=0.015)


def test_arms_that_are_not_as_planned_are_found() -> None:
    assert lift.sample_ratio_p([500, 500], [0.5, 0.5]) == 1.0
    assert lift.sample_ratio_p([5_000, 500], [0.5, 0.5]) < 0.001
    assert lift.sample_ratio_p([900, 100], [9, 1]) == 1.0  # shares need not add up to 1
    assert np.isnan(lift.sample_ratio_p([5, 5], [0.5, float("nan")]))


def test_power_and_the_people_it_needs_are_two_sides_of_one_rule() -> None:
    detectable = lift.smallest_detectable(100.0, 9_000, 1_000)
    assert detectable == pytest.approx((1.96 + 0.8416) * 100 * np.sqrt(1 / 9_000 + 1 / 1_000), rel=1e-4)
    assert lift.people_needed(100.0, detectable, 0.9) == pytest.approx(10_000)
    assert lift.people_needed(100.0, 0.0, 0.9) == float("inf")


def test_holm_multiplies_the_smallest_by_all_and_never_falls() -> None:
    assert lift.holm([0.01, 0.04, 0.03]) == pytest.approx([0.01 * 3, 0.03 * 2, 0.03 * 2])
    assert lift.holm([0.5, float("nan"), 0.9])[2] == 1.0
    assert np.isnan(lift.holm([0.5, float("nan")])[1])


def test_cuped_takes_out_what_was_there_before() -> None:
    rng = np.random.default_rng(5)
    x = rng.gamma(2, 50, 1_000)
    y = 3 * x + rng.normal(0, 1, 1_000) + np.where(np.arange(1_000) < 500, 7, 0)

    def moments(part: slice) -> Moments:
        a, b = x[part], y[part]
        return Moments(len(a), a.sum(), b.sum(), (a * a).sum(), (b * b).sum(), (a * b).sum())

    found = lift.cuped(moments(slice(500)), moments(slice(500, None)))
    assert found.difference == pytest.approx(7, abs=0.4)  # the raw one is off by 3 times the chance difference in x
    assert found.variance_reduction == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2)
    assert np.isnan(lift.cuped(Moments(2, 2, 3, 2, 5, 3), Moments(2, 2, 3, 2, 5, 3)).difference)  # x does not vary


@settings(deadline=None)
@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_swapping_the_arms_turns_the_lift_round(a: int, n: int, b: int, m: int) -> None:
    a, b = min(a, n), min(b, m)
    one, other = lift.share_difference(a, n, b, m), lift.share_difference(b, m, a, n)
    assert (one.value, one.lo, one.hi) == pytest.approx((-other.value, -other.hi, -other.lo))
    assert -1 - 1e-9 <= one.lo <= one.value + 1e-9
    assert one.value - 1e-9 <= one.hi <= 1 + 1e-9


# --- how often the verdicts err -------------------------------------------------------------------

# Spending of buyers: skewness 3.3, coefficient of variation .87 (real mail-order buyers: 1.8 and .93).
LOG_MEAN, LOG_DEVIATION = 4.0, 0.75
MEAN_SPEND = np.exp(LOG_MEAN + LOG_DEVIATION**2 / 2)


def _drawn(rng: np.random.Generator, people: int, buys: float, lift_of_spend: float = 1.0) -> Outcome:
    return Outcome(people, lift_of_spend * rng.lognormal(LOG_MEAN, LOG_DEVIATION, rng.binomial(people, buys)))


def _errs(rate: float, nominal: float, tries: int) -> float:
    """By how many standard errors a rate is above what it says."""
    return (rate - nominal) / np.sqrt(nominal * (1 - nominal) / tries)


@pytest.mark.slow
@pytest.mark.parametrize(("people", "others"), [(2_000, 2_000), (4_500, 500), (9_000, 1_000), (36_000, 4_000)])
def test_nothing_happened_is_called_worked_as_often_as_it_says(people: int, others: int) -> None:
    """Nominal 2.5 % a side for money, where Welch says "worked" in up to 19.7 % of the cases."""
    rng, tries = np.random.default_rng(people), 2_000
    more = less = 0
    for number in range(tries):
        high, low = lift.randomisation_p(_drawn(rng, people, 0.006), _drawn(rng, others, 0.006), seed=number)
        more, less = more + (high < 0.025), less + (low < 0.025)
    log.info("%d/%d: worked %.2f %%, hurt %.2f %%", people, others, 100 * more / tries, 100 * less / tries)
    assert _errs(more / tries, 0.025, tries) < 3
    assert _errs(less / tries, 0.025, tries) < 3


@pytest.mark.slow
@pytest.mark.parametrize(("people", "others"), [(5_000, 5_000), (9_000, 1_000)])
def test_intervals_cover_the_planted_lift_as_often_as_they_say(people: int, others: int) -> None:
    rng, tries = np.random.default_rng(people), 2_000
    shares = money = asked = 0
    truth = (0.12 * 1.2 - 0.10) * MEAN_SPEND
    for _ in range(tries):
        treated, control = _drawn(rng, people, 0.12, 1.2), _drawn(rng, others, 0.10)
        share = lift.share_difference(len(treated.values), people, len(control.values), others)
        shares += share.lo <= 0.02 <= share.hi
        spend = lift.mean_difference(treated, control)
        asked += np.isfinite(spend.lo)
        money += spend.lo <= truth <= spend.hi
    log.info("%d/%d: %.2f %%, money %.2f %%", people, others, 100 * shares / tries, 100 * money / asked)
    assert abs(_errs(shares / tries, 0.95, tries)) < 3
    assert abs(_errs(money / asked, 0.95, asked)) < 3
