"""Alerts: bands of series, several looked at together, and how many shocks are found beside simpler ways."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from data_access.demo.chain import build
from data_access.snapshot import Snapshot
from models.calc import alerts, watch
from models.forecasting import events
from models.forecasting.panel import Panel
from models.reports.alerts import alerts as alerts_report
from tests.benchmarks import alert_bounds
from tests.benchmarks import alerts as protocol
from tests.demo_chain import END, local_day
from tests.shared_data import shared_data
from tests.tiny import CHAIN

DAYS = pd.date_range("2023-01-02", periods=7 * 130)
WEEK = np.array([0.8, 0.8, 0.9, 0.9, 1.1, 1.4, 1.1])


def drawn(levels: list[float], seed: int = 1) -> Panel:
    """Counts with a week, one series per level."""
    rng = np.random.default_rng(seed)
    mean = np.outer(levels, np.tile(WEEK, len(DAYS) // 7))
    ids = tuple(f"S{number}" for number in range(len(levels)))
    return Panel(ids, DAYS, rng.poisson(mean).astype(float), "D", 7)


def test_bands_hold_what_they_promise_for_small_and_large_series() -> None:
    panel = drawn([5.0, 20.0, 80.0, 300.0] * 5)
    found = alerts.bands(panel, events.nothing(), 200)[1]
    out = found.p < alerts.NOMINAL
    assert 0.005 < out.mean() < 0.015
    assert 0.001 < out[::4].mean() < 0.03  # the small ones among them
    expected = np.outer([5.0, 20.0, 80.0, 300.0] * 5, np.tile(WEEK, len(DAYS) // 7))[:, -200:]
    assert np.mean(np.abs(found.expected / expected - 1)) < 0.1
    assert (found.lo < found.hi).all()


def test_a_day_of_half_the_visitors_is_found_and_does_not_move_the_days_after() -> None:
    panel = drawn([100.0] * 8)
    panel.values[3, -5] *= 0.5
    found = alerts.bands(panel, events.nothing(), 28)[1]
    assert found.p[3, -5] < 0.001
    assert found.expected[3, -4:] == pytest.approx(100 * np.tile(WEEK, 2)[-4:], rel=0.1)


@pytest.mark.parametrize(("mean", "shape"), [(5.0, 1e6), (10.0, 20.0), (100.0, 50.0)])
def test_a_count_is_scored_by_the_chance_of_less_and_half_of_its_own(mean: float, shape: float) -> None:
    law = alerts._Law(np.ones(1), np.array([shape]), np.ones(1), np.zeros(1))
    counts, expected = np.floor(mean * np.array([[0.2, 0.4, 1.0, 1.7, 2.2]])), np.full((1, 5), mean)
    scores = law.scores(counts, expected)
    exact = stats.nbinom(shape, shape / (shape + mean))
    chance = exact.cdf(counts) - exact.pmf(counts) / 2
    assert scores == pytest.approx(stats.norm.ppf(chance), abs=0.15)
    assert law.value(expected, scores) == pytest.approx(counts, abs=0.001)


def test_of_many_figures_some_lie_far_out_by_chance() -> None:
    chances = np.array([0.001, 0.021, 0.5, np.nan, 0.9, 0.04])
    # five are known: .001 <= .1 * 1 / 5, then .021 <= .1 * 2 / 5, then .04 <= .1 * 3 / 5
    assert alerts.discoveries(chances).tolist() == [True, True, False, False, False, True]
    assert not alerts.discoveries(np.array([0.05, 0.5, 0.9])).any()
    assert not alerts.discoveries(np.array([np.nan])).any()


def series(panel: Panel) -> pd.DataFrame:
    rows = pd.DataFrame(panel.values, index=list(panel.ids), columns=panel.dates).stack().reset_index()
    rows.columns = pd.Index(["store_id", "day", "orders"])
    return rows.assign(gross_sales=rows["orders"] * 100.0, traffic=np.nan)


NO_CLOSURES = pd.DataFrame({"store_id": pd.Series(dtype=object), "day": pd.Series(dtype="datetime64[us]")})
NO_OFFERS = pd.DataFrame(
    {
        "store_id": pd.Series(dtype=object),
        "starts_on": pd.Series(dtype="datetime64[us]"),
        "ends_on": pd.Series(dtype="datetime64[us]"),
        "discount": pd.Series(dtype=float),
        "products": pd.Series(dtype=int),
    }
)


def test_the_latest_days_are_watched_and_a_store_that_sells_nothing_is_an_alert() -> None:
    rows = series(drawn([60.0] * 6))
    last = DAYS[-1]
    rows = rows[~((rows["store_id"] == "S2") & (rows["day"] == last))]  # no receipt at all
    found = watch.watched(rows, NO_CLOSURES, NO_OFFERS, events.nothing(), last)
    alert = found.found[(found.found["kind"] == "alert") & (found.found["grain"] == "day")]
    assert {("S2", "orders", last), ("S2", "gross_sales", last)} <= set(
        alert[["store_id", "metric", "day"]].itertuples(index=False, name=None)
    )
    summary = found.summary.set_index("grain")
    assert summary.at["day", "series"] == 6 * 2
    assert summary.at["day", "looked_at"] == 6 * 2 * 14
    assert summary.at["day", "expected_a_week"] == pytest.approx(6 * 2 * 7 * 0.01)


def test_who_seldom_sells_has_no_band() -> None:
    """A shop with an order a fortnight has no usual day: its band once reached up to billions."""
    panel = drawn([60.0] * 5 + [1 / 14])
    panel.values[5, -1] = 1.0  # it has not ended
    rows = series(panel)
    found = watch.watched(rows[rows["orders"] > 0], NO_CLOSURES, NO_OFFERS, events.nothing(), DAYS[-1])
    assert set(found.bands["store_id"]) == {"S0", "S1", "S2", "S3", "S4"}
    assert found.summary["series"].tolist() == [5 * 2, 5 * 2]


def test_a_closed_day_is_no_alert() -> None:
    rows = series(drawn([60.0] * 6))
    last = DAYS[-1]
    rows = rows[~((rows["store_id"] == "S2") & (rows["day"] == last))]
    closed = pd.DataFrame({"store_id": ["S2"], "day": [last]})
    found = watch.watched(rows, closed, NO_OFFERS, events.nothing(), last).found
    assert found[(found["store_id"] == "S2") & (found["day"] == last) & (found["grain"] == "day")].empty


def test_a_week_with_a_closed_day_is_that_of_its_other_days() -> None:
    panel = drawn([60.0] * 4)
    panel.values[2, -3] = np.nan
    week = alerts.bands(panel, events.nothing(), 28, (1, 7))[7]
    assert week.value[2, -1] == np.nansum(panel.values[2, -7:])
    assert week.expected[2, -1] == pytest.approx(60 * (WEEK.sum() - WEEK[-3]), rel=0.1)
    panel.values[2, -6:-2] = np.nan
    assert np.isnan(alerts.bands(panel, events.nothing(), 28, (7,))[7].p[2, -1])  # three days of seven are not enough


def test_half_of_a_small_store_is_found_by_the_week() -> None:
    """Of a dozen receipts a day, half of a day is like a quiet day, half of a week is not."""
    panel = drawn([12.0] * 20)
    day, week = alerts.bands(panel, events.nothing(), 28, (1, 7)).values()
    halved = drawn([12.0] * 20)
    halved.values[:, -7:] = np.floor(halved.values[:, -7:] / 2)
    halved_day, halved_week = alerts.bands(halved, events.nothing(), 28, (1, 7)).values()
    assert np.mean(halved_day.p[:, -7] < alerts.NOMINAL) < 0.5
    assert np.mean(halved_week.p[:, -1] < alerts.NOMINAL) > 0.85
    assert np.mean(np.r_[day.p[:, -1], week.p[:, -1]] < alerts.NOMINAL) < 0.1


def test_without_a_batch_there_are_no_alerts(tiny_snapshot: Snapshot) -> None:
    found = alerts_report(tiny_snapshot, CHAIN)
    assert found.until is None
    assert found.alerts.empty


@pytest.mark.slow
def test_shocks_in_weekly_sales_of_real_stores() -> None:
    panel = protocol.walmart(Path(shared_data("walmart_weekly")) / "Walmart_Store_sales.csv")
    bands, trailing, last_year = protocol.compare(panel, shocks=(0.5, 0.7))
    assert 0.005 <= bands.false_alarms <= 0.015
    for factor in (0.5, 0.7):
        assert bands.found[factor] > trailing.found[factor]
    assert bands.found[0.5] >= last_year.found[0.5]  # both find all of them
    assert bands.found[0.7] > last_year.found[0.7]


@pytest.mark.slow
def test_shocks_in_daily_visitors_of_the_demo_chain() -> None:
    core = build("demo", 1, END, frozenset(), lambda _: None).core
    counted = core["store_traffic"].query("valid").assign(day=lambda rows: local_day(rows["hour_start"]))
    days = counted.groupby(["store_id", "day"])["visitors"].sum().rename("traffic").astype(float).reset_index()
    closed = core["store_closure"].assign(day=lambda rows: pd.to_datetime(rows["day"]))[["store_id", "day"]]
    panel = watch.daily(days, closed, "traffic", days["day"].max())
    assert panel is not None
    bands, *others = protocol.compare(panel, events.china(), (0.5, 0.7))
    assert 0.005 <= bands.false_alarms <= 0.015
    assert bands.found[0.5] >= 0.85
    for other in others:
        assert bands.found[0.5] > other.found[0.5]
        assert bands.found[0.7] > other.found[0.7]


def test_what_is_attainable_in_one_day_of_a_few_receipts() -> None:
    """By hand for a mean of 5, told it is a loss: none has a chance of .0067 and one of .0337, so at 1 % none is called
    and one in a share of .098 = (.01 - .0067) / .0337. Halved, all of the none (.0067) and half of the ones (.0168) are
    none; half of the ones, the twos (.0842) and half of the threes (.0702) one: .0236 + .098 * .1712 = .040."""
    assert alert_bounds.attainable(5)[1] == pytest.approx(0.040, abs=0.001)
    for mean in (5, 10, 23):
        sides, told = alert_bounds.attainable(mean)
        assert sides < told < 0.85
        assert alert_bounds.attainable(mean, scatter=1.28)[0] < sides
    assert alert_bounds.attainable(90)[0] > 0.99


@pytest.mark.slow
def test_nobody_finds_half_of_a_day_of_a_dozen_receipts() -> None:
    """Not the oracle, who knows the mean and the law of each day, nor the best test there is, told the shock as well;
    the bands find more than half of what the oracle does, at the same share of false alarms."""
    panel = drawn([12.0] * 20)
    mean = np.outer([12.0] * 20, np.tile(WEEK, len(DAYS) // 7))
    made = alert_bounds.twin(panel, mean, np.array([0.0, 1.0]))
    bands, oracle, best = alert_bounds.compared(made, (0.5,))
    assert oracle.found[0.5] == pytest.approx(np.mean([alert_bounds.attainable(12 * day)[0] for day in WEEK]), abs=0.03)
    assert best.found[0.5] < 0.5
    assert oracle.found[0.5] <= best.found[0.5] + 0.02
    assert bands.found[0.5] > oracle.found[0.5] / 2
