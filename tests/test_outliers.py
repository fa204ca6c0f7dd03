"""Gross outliers of a history are brought down; what comes again is left."""

import numpy as np
import pandas as pd
import pytest

from models.calc.demand_rates import from_history, levels, since_shift
from models.calc.outliers import without_gross
from models.forecasting import engine, panel


def days(*values: float, times: int = 10) -> np.ndarray:
    return np.array([list(values) * times], dtype=np.float64)


def test_an_order_of_a_year_is_brought_down_to_the_largest_usual_one() -> None:
    sold = days(2, 0, 3, 5, np.nan)
    spoiled = sold.copy()
    spoiled[0, 20] = 80_995
    usual = sold.copy()
    usual[0, 20] = 5
    np.testing.assert_array_equal(without_gross(spoiled), usual)
    assert spoiled[0, 20] == 80_995  # the history itself stays


def test_what_comes_again_or_has_nothing_beside_it_stays() -> None:
    season = days(1, 1, 1, 1, 1, 1, 1, 400)
    assert without_gross(season) is season
    few = np.array([[3.0, 0, 0, 80_995]])
    assert without_gross(few) is few
    assert without_gross(np.empty((0, 5))).shape == (0, 5)


def test_what_sold_in_few_periods_is_judged_among_its_like() -> None:
    # Nine products that sold once or twice, one of them a dealer's order of its only day.
    new = np.zeros((9, 30))
    new[np.arange(9), 20] = [3, 1, 2, 4, 1, 6, 2, 1, 80_995]
    new[:5, 25] = 2
    found = without_gross(new)
    assert found[8, 20] == 6
    np.testing.assert_array_equal(found[:8], new[:8])


def test_one_wrong_amount_does_not_move_a_forecast() -> None:
    usual = np.random.default_rng(1).poisson(3, 200).astype(float)
    dates = pd.date_range("2026-01-01", periods=200)

    def ahead(sold: np.ndarray) -> float:
        read = panel.read(pd.DataFrame({"unique_id": "P", "ds": dates, "y": sold}), 28)
        return float(engine.forecast(read).rows["mean"].mean())

    wrong = usual.copy()
    wrong[190] = 80_995
    assert ahead(wrong) == pytest.approx(ahead(usual), rel=0.25)


def test_an_item_that_sells_another_quantity_has_the_level_of_the_days_since() -> None:
    sold = days(2, 3, 1, times=60)  # 180 days, 2 a day
    ended, rose = sold.copy(), sold.copy()
    ended[0, -28:] = 0  # 2 x 28 = 56 units that did not come
    rose[0, -28:] *= 5
    np.testing.assert_array_equal(since_shift(np.concatenate([sold, ended, rose]))[0], sold[0])
    for changed in (ended, rose):
        found = since_shift(changed)
        assert np.isnan(found[0, :-28]).all()
        np.testing.assert_array_equal(found[0, -28:], changed[0, -28:])
    assert from_history(ended).rate.tolist() == [0]
    assert from_history(rose).rate.tolist() == pytest.approx([2 * 5], rel=0.02)
    assert levels(ended)[0, -1] > 1.5  # what all days alike would say


def test_a_season_that_came_before_is_no_change() -> None:
    # 2 a day, and 10 in the last 112 days of each of two years; then such days come for the first time.
    year = np.where(np.arange(364) >= 364 - 112, 10.0, 2.0)[None]
    season, first = np.concatenate([year, year], axis=1), np.concatenate([np.full((1, 364), 2.0), year], axis=1)
    assert since_shift(season) is season
    ended = np.concatenate([np.full((1, 364), 2.0), np.full((1, 336), 20.0), np.full((1, 28), 2.0)], axis=1)
    assert np.isnan(since_shift(ended)).sum() == 2 * 364 - 28  # back to what it sold a year before
    assert np.isnan(since_shift(first)).sum() == 2 * 364 - 112
    gifts = np.where(np.arange(728) % 364 >= 364 - 28, 5.0, 0.0)[None]
    assert since_shift(gifts) is gifts  # nothing but in its weeks
    np.testing.assert_array_equal(since_shift(first, 200), since_shift(first)[:, -200:])
    assert from_history(season).rate < from_history(first).rate == pytest.approx(10)


def test_seldom_sold_items_and_busy_weeks_are_no_change() -> None:
    seldom = np.zeros((1, 180))
    seldom[0, :140:20] = 1  # once in three weeks, then not for six: chance
    busy = days(2, 3, 1, times=60)
    busy[0, -10:] *= 3  # an event
    both = np.concatenate([seldom, busy])
    assert since_shift(both) is both
    chance = np.random.default_rng(1).negative_binomial(0.5, 0.5 / (0.5 + 0.4), (2_000, 728)).astype(float)
    assert np.isnan(since_shift(chance)).any(axis=1).mean() < 0.005
