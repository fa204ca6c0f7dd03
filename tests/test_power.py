"""What an experiment of some size can find, against statsmodels."""

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from models.calc.power import holdout_needed, smallest_lift


@pytest.mark.parametrize(
    ("share", "treated", "held_back"), [(0.1, 500, 100), (0.02, 20_000, 2_000), (0.3, 80, 80), (0.0, 1_000, 250)]
)
def test_the_smallest_lift_has_a_power_of_four_in_five(share: float, treated: int, held_back: int) -> None:
    found = smallest_lift(share, treated, held_back)
    effect = proportion_effectsize(share + found, share)
    power = NormalIndPower().power(effect, held_back, 0.05, ratio=treated / held_back)
    assert power == pytest.approx(0.8, abs=1e-5)


@pytest.mark.parametrize(("share", "lift", "people"), [(0.1, 0.05, 2_000), (0.02, 0.01, 20_000), (0.3, 0.1, 1_000)])
def test_the_holdout_needed_is_the_smallest_that_finds_the_lift(share: float, lift: float, people: int) -> None:
    held_back = holdout_needed(share, lift, people)
    assert held_back is not None
    assert smallest_lift(share, people - held_back, held_back) <= lift
    assert smallest_lift(share, people - held_back + 1, held_back - 1) > lift


def test_what_cannot_be_found_is_said() -> None:
    assert holdout_needed(0.1, 0.01, 500) is None  # half of them is too few
    assert holdout_needed(0.1, 0.0, 500) is None
    assert holdout_needed(0.95, 0.1, 500_000) is None  # more than everybody
    assert math.isnan(smallest_lift(0.1, 0, 10))
    assert math.isnan(smallest_lift(0.1, 10, 0))
    assert math.isnan(smallest_lift(0.9, 3, 3))


@pytest.mark.slow
def test_a_true_lift_of_that_size_is_found_in_four_of_five_experiments() -> None:
    share, treated, held_back = 0.08, 4_000, 1_000
    rise = smallest_lift(share, treated, held_back)
    rng = np.random.default_rng(20261122)
    p, q = rng.binomial(treated, share + rise, 20_000) / treated, rng.binomial(held_back, share, 20_000) / held_back
    pooled = (p * treated + q * held_back) / (treated + held_back)
    z = (p - q) / np.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / held_back))
    assert (z > 1.959964).mean() == pytest.approx(0.8, abs=0.03)
