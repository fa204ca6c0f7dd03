"""Forecasts measured on real series and on made-up Chinese peaks, against the figures to match."""

import pytest

from tests.benchmarks import forecasting
from tests.shared_data import shared_data

pytestmark = pytest.mark.slow


def test_weekly_series() -> None:
    found = forecasting.weekly(shared_data("walmart_store_dept") / "weekly.parquet")
    assert found["rmsse"] <= 0.585
    assert found["wape"] <= 0.084
    assert 0.74 <= found["coverage80"] <= 0.86
    assert 0.91 <= found["coverage95"] <= 0.985
    assert found["ms_per_series"] <= 25
    assert found["starting_s"] <= 25


def test_daily_intermittent_series() -> None:
    found = forecasting.daily(shared_data("online_retail") / "online_retail.parquet")
    assert found["rmsse"] <= found["tsb"]
    assert found["ms_per_series"] <= 1


def test_monthly_spare_parts() -> None:
    found = forecasting.spare_parts(shared_data("carparts") / "carparts.parquet")
    assert found["rmsse"] <= min(found["croston"], found["sba"], found["tsb"])


@pytest.mark.parametrize("seed", [1, 2])
def test_chinese_events(seed: int) -> None:
    found = dict(forecasting.event_windows(seed))
    assert found["double_11"]["wape"] <= 0.09
    assert found["spring_festival"]["wape"] <= 0.11
    for figures in found.values():
        assert figures["wape"] <= 0.6 * figures["country_holidays"]
