"""What customers spend on a visit: published figures, figures by hand, and chances against random draws."""

import math

import numpy as np
import pytest

from models.calc.spend import (
    Amounts,
    Spend,
    amount_moments,
    chance_within,
    expected_amount,
    fit,
    log_likelihood,
    unscaled,
)
from tests.simulated_buyers import SPEND, draw

CDNOW = Spend(6.25, 3.74, 15.44)  # Fader and Hardie 2013


def test_the_published_mean_of_all_customers() -> None:
    assert expected_amount(CDNOW, [0], [0])[0] == pytest.approx(6.25 * 15.44 / (3.74 - 1))  # 35.2


def test_the_more_visits_the_more_the_own_mean_counts() -> None:
    once, often = expected_amount(CDNOW, [1, 100], [80.0, 80.0])
    assert once == pytest.approx(6.25 * (15.44 + 80) / (6.25 + 3.74 - 1))
    assert 35.2 < once < often < 80
    assert often == pytest.approx(80, rel=0.01)


def test_the_likelihood_of_one_customer_by_hand() -> None:
    p, q, v = CDNOW
    x, z = 3, 20.0
    density = (
        math.gamma(p * x + q) / (math.gamma(p * x) * math.gamma(q))
        * v**q * z ** (p * x - 1) * x ** (p * x) / (v + x * z) ** (p * x + q)
    )  # fmt: skip
    assert log_likelihood(CDNOW, Amounts(np.array([x]), np.array([z])))[0] == pytest.approx(math.log(density))


def test_the_slopes_are_those_of_the_likelihood() -> None:
    amounts = Amounts(np.array([1, 1, 2, 5]), np.array([12.0, 90.0, 33.3, 8.0]))
    slopes = log_likelihood(CDNOW, amounts)[1]
    for i in range(3):
        step = np.zeros(3)
        step[i] = 1e-5
        up, down = (log_likelihood(Spend(*(np.array(CDNOW) + side * step)), amounts)[0] for side in (1, -1))
        assert slopes[i] == pytest.approx((up - down) / 2e-5, rel=1e-5)


def test_the_parameters_are_found_again_in_any_currency() -> None:
    rng = np.random.default_rng(8)
    buyers = draw(rng, rng.integers(300, 900, 6_000), 30)
    found, in_cents = fit(buyers.repeats, buyers.amount), fit(buyers.repeats, 100 * buyers.amount)
    assert found is not None
    assert in_cents is not None
    assert (np.abs(np.array(found.parameters) - np.array(SPEND)) / found.standard_errors()).max() < 4
    assert found.customers == (buyers.repeats > 0).sum()
    assert in_cents.parameters.v == pytest.approx(100 * found.parameters.v, rel=1e-4)


def test_without_an_amount_above_zero_there_are_no_parameters() -> None:
    assert fit([2] * 50, [0.0] * 50) is None
    assert fit([0] * 50, [10.0] * 50) is None


def test_chances_and_moments_of_a_sum_are_those_of_random_draws() -> None:
    rng = np.random.default_rng(3)
    x, z, ahead = 4, 55.0, 3
    scale = rng.gamma(CDNOW.q + CDNOW.p * x, 1 / (CDNOW.v + x * z), 200_000)
    sums = rng.gamma(CDNOW.p * ahead, 1 / scale)
    mean, square = amount_moments(CDNOW, [x], [z])
    assert mean[0] == pytest.approx((1 / scale).mean(), rel=0.005)
    assert square[0] == pytest.approx((1 / scale**2).mean(), rel=0.01)
    position = 0.4
    money = unscaled(CDNOW, [x], [z], position)[0]
    assert chance_within(CDNOW, [x], [z], ahead, position)[0] == pytest.approx((sums <= money).mean(), abs=0.005)


def test_a_tail_without_end_has_no_spread() -> None:
    wide = Spend(2.0, 1.5, 10.0)
    mean, square = amount_moments(wide, [0, 1], [0.0, 10.0])
    assert mean[0] == 10 / 0.5
    assert np.isinf(square[0])
    assert np.isfinite(square[1])  # one visit more is known
