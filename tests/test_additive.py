"""Prophet's model, solved for."""

import numpy as np
import pandas as pd
import pytest

from models.forecasting import additive
from models.forecasting.additive import Calendar

DATES = pd.date_range("2024-01-01", periods=800)


def test_a_lasso_leaves_out_what_gains_less_than_it_costs() -> None:
    # each by itself: (linear - weight) / square where that is above 0
    found = additive.lasso(np.diag([2.0, 4.0, 1.0]), np.array([3.0, -5.0, 0.5]), 1.0, np.zeros(3))
    assert found == pytest.approx([(3 - 1) / 2, -(5 - 1) / 4, 0.0])


def test_a_lasso_of_what_hangs_together_is_where_no_step_gains_anything() -> None:
    random = np.random.default_rng(1)
    x = np.cumsum(random.standard_normal((200, 12)), axis=0)
    square, linear = x.T @ x, x.T @ (x @ np.r_[3.0, np.zeros(10), -2.0] + random.standard_normal(200))
    found = additive.lasso(square, linear, 400.0, np.zeros(12))
    slope = square @ found - linear
    assert slope[found != 0] == pytest.approx(-400.0 * np.sign(found[found != 0]))
    assert (np.abs(slope[found == 0]) <= 400.0).all()


def test_a_series_is_taken_apart_into_what_it_was_made_of() -> None:
    days = np.arange(len(DATES))
    week = np.array([0.1, 0.0, -0.1, -0.2, 0.0, 0.3, -0.1])[DATES.day_of_week]
    known = (days % 50 < 5).astype(float)
    logs = 3 + 0.0005 * days + 0.001 * np.maximum(days - 400, 0) + week + 0.5 * known
    values = np.exp(logs + 0.01 * np.random.default_rng(1).standard_normal(len(days)))[:744]
    values[[10, 20]] = 0.0  # unknown
    found = additive.fit(Calendar(DATES), values, {"offer": known}, weekly=True, yearly=False)
    assert found["yhat"].to_numpy() == pytest.approx(logs, abs=0.03)
    assert np.ptp(found["known"]) == pytest.approx(0.5, abs=0.02)
    assert np.ptp(found["weekly"]) == pytest.approx(np.ptp(week), abs=0.02)


def test_shares_of_the_trend_are_found_where_some_days_have_no_sales() -> None:
    days = np.arange(len(DATES))
    week = np.array([-1.0, 0.1, -0.1, 0.2, 0.0, 0.5, 0.3])[DATES.day_of_week]  # nothing on Mondays
    known = (days % 50 < 5).astype(float)
    expected = (20 + 0.01 * days) * (1 + week + 0.5 * known)
    found = additive.fit_shares(Calendar(DATES), expected[:744], {"offer": known}, weekly=True, yearly=False)
    assert found["yhat"].to_numpy() == pytest.approx(expected, abs=0.5)
    assert np.ptp(found["weekly"] / (1 + week.mean())) == pytest.approx(1.5, abs=0.1)


def test_it_is_what_prophet_finds() -> None:
    from prophet import Prophet

    random = np.random.default_rng(2)
    dates = DATES[:744]
    values = np.exp(4 + 0.3 * np.sin(np.arange(744) / 58) + 0.1 * random.standard_normal(744))
    found = additive.fit(Calendar(DATES), values, {}, weekly=True, yearly=True)
    model = Prophet(yearly_seasonality=additive.WAVES, daily_seasonality=False, uncertainty_samples=0)
    model.fit(pd.DataFrame({"ds": dates, "y": np.log(values)}), seed=1)
    assert found["yhat"].to_numpy() == pytest.approx(model.predict(pd.DataFrame({"ds": DATES}))["yhat"], abs=0.02)
