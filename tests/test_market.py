"""What is observed of the market: it is used where sales follow it, and left out where they do not."""

import numpy as np
import pandas as pd
import pytest

from models.forecasting import market

DAYS = pd.date_range("2023-01-01", "2025-12-31")
AHEAD = pd.date_range(DAYS[0], periods=len(DAYS) + 56)
MONTHS = pd.period_range("2021-06", "2025-12", freq="M")
CATEGORIES = ["Face", "Lips", "Eyes", "Hair"]


def test_a_metric_that_sales_follow_is_known_ahead_and_noise_is_left_out() -> None:
    random = np.random.default_rng(1)
    interest = pd.DataFrame(np.exp(np.cumsum(random.normal(0, 0.15, (len(MONTHS), 4)), axis=0)), MONTHS, CATEGORIES)
    noise = pd.DataFrame(np.exp(random.normal(0, 0.15, (len(MONTHS), 4))), MONTHS, CATEGORIES)
    three_months_before = DAYS.to_period("M") - 3
    sold = 100 * interest.loc[three_months_before].to_numpy().T ** 0.6 * np.exp(random.normal(0, 0.1, (4, len(DAYS))))
    observed = pd.concat([_rows("search", interest), _rows("noise", noise)])
    found = market.known(observed, sold, CATEGORIES, AHEAD)
    assert list(found) == ["market search"]
    # January 2026 goes by October 2025 beside the mean of the year before it.
    year = interest["Face"].loc["2024-10":"2025-09"]
    assert found["market search"][0, len(DAYS)] == pytest.approx(interest["Face"].loc["2025-10"] / year.mean() - 1)


def test_too_few_months_tell_nothing() -> None:
    flat = pd.DataFrame(1.0, MONTHS, CATEGORIES)
    assert market.known(_rows("search", flat), np.ones((4, len(DAYS))), CATEGORIES, AHEAD) == {}


def _rows(metric: str, table: pd.DataFrame) -> pd.DataFrame:
    long = table.melt(ignore_index=False, var_name="category", value_name="value").rename_axis("observed_on")
    return long.reset_index().assign(observed_on=lambda rows: rows["observed_on"].dt.to_timestamp(), metric=metric)
