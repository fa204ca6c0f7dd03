"""Demand on all levels: parts add up to the whole, offers reach the series they concern, the page's figures."""

import numpy as np
import pandas as pd
import pytest

from models.forecasting import levels
from models.reports.demand import _ahead, _league

REGIONS = {"A": "north", "B": "north", "C": "south"}


def test_levels_add_up_whatever_their_own_forecasts_say() -> None:
    random = np.random.default_rng(1)
    places = [("chain", "chain"), ("region", "north"), *(("store", store) for store in REGIONS)]
    keys: list[levels.Key] = [(level, place, what) for level, place in places for what in (None, "Face", "Lips")]
    base = {levels.name_of(key): (random.uniform(1, 9, (5, 4)), "x") for key in keys}
    found = {key: moments[0] for key, (moments, _) in levels.reconciled(base, REGIONS).items()}
    assert found["chain", "chain", None] == pytest.approx(base[levels.name_of(("chain", "chain", None))][0][0])
    for level, place, stores in (("chain", "chain", "ABC"), ("region", "north", "AB")):
        for what in (None, "Face", "Lips"):
            assert found[level, place, what] == pytest.approx(sum(found["store", store, what] for store in stores))
    for level, place in places:
        assert found[level, place, None] == pytest.approx(found[level, place, "Face"] + found[level, place, "Lips"])


def test_bounds_move_with_their_mean() -> None:
    base = {
        levels.name_of(("chain", "chain", None)): (np.array([[10.0], [8], [12], [6], [14]]), "x"),
        levels.name_of(("store", "C", None)): (np.array([[5.0], [4], [6], [3], [7]]), "x"),
    }
    found = levels.reconciled(base, {"C": "south"})
    assert found["store", "C", None][0][:, 0].tolist() == [10, 8, 12, 6, 14]


def test_offers_of_categories_and_of_everything_reach_their_series() -> None:
    offers = pd.DataFrame(
        {
            "store_id": ["A", "A", "B"],
            "category": ["Face", None, None],
            "product_id": [None, None, "P1"],
            "starts_on": pd.to_datetime(["2026-01-02", "2026-01-03", "2026-01-01"]),
            "ends_on": pd.to_datetime(["2026-01-03", "2026-01-03", "2026-01-03"]),
            "discount": [0.1, 0.3, 0.5],
        }
    )
    dates = pd.date_range("2026-01-01", periods=3)
    found = levels.discounts(offers, [("A", "Face"), ("A", "Lips"), ("B", "Face")], dates)
    assert found.tolist() == [[0, 0.1, 0.3], [0, 0, 0.3], [0, 0, 0]]


def test_units_ahead_are_set_against_the_same_weekdays_last_year() -> None:
    ahead = pd.DataFrame({"ds": pd.date_range("2026-01-01", periods=2), "mean": [6.0, 6.0]})
    days = pd.date_range("2025-01-02", periods=364)  # from 364 days before the first day ahead
    history = pd.DataFrame({"day": days, "units": 5.0})
    assert _ahead(ahead, history, (2,)).iloc[0].tolist() == [2, 12, 10, pytest.approx(12 / 10 - 1)]
    assert np.isnan(_ahead(ahead, history.iloc[1:], (2,))["growth"].iloc[0])


def test_only_the_forecast_in_use_is_set_against_the_naive_one() -> None:
    rows = pd.DataFrame(
        {
            "class": "regular",
            "level": "store",
            "model": ["lightgbm", "prophet", "seasonal_naive"],
            "used": [True, False, False],
            "rmsse": [0.8, 0.7, 0.9],
        }
    )
    assert _league(rows)["beats_naive"].tolist() == [True, None, None]
