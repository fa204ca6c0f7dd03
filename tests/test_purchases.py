"""How often customers come back: published figures, figures by hand, and intervals that hold what they promise."""

import math

import numpy as np
import pytest

from models.calc.likelihood import Estimate
from models.calc.purchases import (
    Histories,
    Purchases,
    expected_visits,
    fit,
    histories,
    log_likelihood,
    probability_active,
    visit_chances,
    visit_moments,
)
from models.calc.value import Ahead, total_visits
from tests.simulated_buyers import PURCHASES, draw

CDNOW = Purchases(0.243, 4.414, 0.793, 2.426)  # Fader, Hardie and Lee 2005
NEW = histories([0], [0], [0])
PAPER = histories([2], [213], [272])  # their first customer: two more purchases, the last after 30.43 of 38.86 weeks


def test_the_published_customer_comes_1_226_times_in_39_weeks() -> None:
    assert expected_visits(CDNOW, PAPER, 39 * 7)[0] == pytest.approx(1.226, abs=5e-4)


def test_the_published_chances_of_a_new_customer() -> None:
    assert visit_chances(CDNOW, NEW, 39 * 7, 10)[0, 0] == pytest.approx(0.5737864, abs=5e-8)
    assert visit_chances(CDNOW, NEW, 2 * 7, 20)[0, 10] == pytest.approx(1.07869e-07, rel=1e-5)


def test_whoever_came_once_is_active_and_who_stopped_coming_often_is_not() -> None:
    past = histories([0, 10, 10], [0, 70, 70], [700, 70, 700])
    once, lately, long_ago = probability_active(CDNOW, past)[past.member]
    assert once == 1
    r, alpha, a, b = CDNOW
    # nobody is sure of somebody who came a moment ago: each visit may have been the last
    assert lately == pytest.approx(1 / (1 + a / (b + 9)))
    assert long_ago == pytest.approx(1 / (1 + a / (b + 9) * ((alpha + 100) / (alpha + 10)) ** (r + 10)))


def test_the_likelihood_of_one_customer_by_hand() -> None:
    r, alpha, a, b = CDNOW
    x, recency, age = 2, 213 / 7, 272 / 7

    def beta(p: float, q: float) -> float:
        return math.gamma(p) * math.gamma(q) / math.gamma(p + q)

    visits = math.gamma(r + x) * alpha**r / math.gamma(r)
    stayed = beta(a, b + x) / beta(a, b) / (alpha + age) ** (r + x)
    left = beta(a + 1, b + x - 1) / beta(a, b) / (alpha + recency) ** (r + x)
    assert log_likelihood(CDNOW, PAPER)[0] == pytest.approx(math.log(visits * (stayed + left)))


@pytest.fixture(scope="module")
def past() -> Histories:
    rng = np.random.default_rng(4)
    buyers = draw(rng, rng.integers(180, 720, 4_000), 365)
    return histories(buyers.repeats, buyers.recency_days, buyers.age_days)


def test_the_slopes_are_those_of_the_likelihood(past: Histories) -> None:
    slopes = log_likelihood(CDNOW, past)[1]
    for i in range(4):
        step = np.zeros(4)
        step[i] = 1e-5
        up, down = (log_likelihood(Purchases(*(np.array(CDNOW) + side * step)), past)[0] for side in (1, -1))
        assert slopes[i] == pytest.approx((up - down) / 2e-5, rel=1e-6)


def test_equal_pasts_counted_once_are_as_likely_as_one_by_one(past: Histories) -> None:
    alone = np.arange(len(past.member))
    kept = (past.repeats, past.recency_days, past.age_days)
    every = Histories(*(values[past.member] for values in kept), np.ones_like(alone), alone)
    assert len(past.repeats) < len(alone)
    assert log_likelihood(CDNOW, every)[0] == pytest.approx(log_likelihood(CDNOW, past)[0])
    np.testing.assert_allclose(
        expected_visits(CDNOW, every, 90), expected_visits(CDNOW, past, 90)[past.member], rtol=1e-12
    )


def test_some_of_the_customers_keep_their_pasts(past: Histories) -> None:
    rows = np.array([7, 3, 1999])
    some = past.of(rows)
    for name in ("repeats", "recency_days", "age_days"):
        assert getattr(some, name)[some.member].tolist() == getattr(past, name)[past.member[rows]].tolist()


@pytest.mark.parametrize("a", [0.3, 1.0, 2.0, 2.7])
def test_the_moments_are_those_of_the_chances_also_where_the_closed_form_has_a_pole(a: float) -> None:
    some = histories([0, 1, 4, 12], [0, 30, 200, 300], [90, 100, 205, 310])
    parameters = CDNOW._replace(a=a)
    mean, square = visit_moments(parameters, some, 365)
    chances, k = visit_chances(parameters, some, 365, 600), np.arange(601)
    assert chances.min() >= 0
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    np.testing.assert_allclose(mean, chances @ k, rtol=1e-6)
    np.testing.assert_allclose(square, chances @ k**2, rtol=1e-5)
    np.testing.assert_array_equal(mean, expected_visits(parameters, some, 365))


def test_the_parameters_are_found_again(past: Histories) -> None:
    found = fit(past)
    assert found is not None
    errors = (np.array(found.parameters) - np.array(PURCHASES)) / found.standard_errors()
    assert np.abs(errors).max() < 4
    assert found.customers == 4_000
    assert found.log_likelihood > log_likelihood(PURCHASES, past)[0]
    low, high = found.interval()
    assert (low < found.parameters).all()
    assert (found.parameters < high).all()


@pytest.mark.parametrize(
    ("repeats", "recency", "age"),
    [
        ([0] * 600, [0] * 600, [300] * 600),  # nobody ever came back
        ([10] * 600, [300] * 600, [300] * 600),  # everybody alike
    ],
)
def test_pasts_that_settle_nothing_give_no_parameters(repeats: list[int], recency: list[int], age: list[int]) -> None:
    assert fit(histories(repeats, recency, age)) is None


def test_a_total_is_less_sure_with_fewer_customers(past: Histories) -> None:
    found = fit(past)
    assert found is not None
    whole = total_visits(Ahead(found, past, 365))
    assert whole.mean == pytest.approx(expected_visits(found.parameters, past, 365) @ past.customers)
    assert whole.low < whole.mean < whole.high
    fewer = past.of(np.arange(100))
    few = fit(fewer)
    if few is not None:
        total = total_visits(Ahead(few, fewer, 365))
        assert (total.high - total.low) / total.mean > (whole.high - whole.low) / whole.mean


def test_a_part_of_the_pasts_tells_how_sure_a_total_is(past: Histories, monkeypatch: pytest.MonkeyPatch) -> None:
    found = fit(past)
    assert found is not None
    whole = total_visits(Ahead(found, past, 365))
    monkeypatch.setattr("models.calc.value._ENOUGH", 300)
    part = total_visits(Ahead(found, past, 365))
    assert part.mean == whole.mean
    assert part.high - part.low == pytest.approx(whole.high - whole.low, rel=0.1)


def test_an_estimate_passes_its_doubt_on() -> None:
    covariance = np.diag([0.01, 0.0, 0.0, 0.04])
    known = Estimate(Purchases(2.0, 1.0, 1.0, 3.0), -1.0, 10, covariance)
    # of r * b the logarithm is the sum of theirs: 0.01 + 0.04 relative variance
    assert known.variance_of(lambda p: p.r * p.b) == pytest.approx(6.0**2 * 0.05, rel=1e-6)
    assert known.standard_errors().tolist() == pytest.approx([2 * 0.1, 0, 0, 3 * 0.2])
