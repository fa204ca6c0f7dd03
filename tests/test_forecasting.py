"""The forecasting engine: what it reads, what kinds it sees, and that its parts do what their docstrings say."""

import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from data_access.errors import Problem
from models.__main__ import app
from models.forecasting import (
    accuracy,
    analogues,
    candidates,
    classes,
    engine,
    events,
    intermittent,
    panel,
    reconcile,
    seasons,
)
from models.forecasting.intervals import Errors, bounds, spread
from models.forecasting.panel import Floats, Panel


def weekly(values: dict[str, list[float]], first: str = "2024-01-05") -> pd.DataFrame:
    """A long frame of Fridays."""
    return pd.concat(
        pd.DataFrame({"unique_id": name, "ds": pd.date_range(first, periods=len(y), freq="W-FRI"), "y": y})
        for name, y in values.items()
    )


def test_the_day_of_the_week_is_read_from_the_dates() -> None:
    read = panel.read(weekly({"a": [1, 2, 3], "b": [4, 5, 6]}), horizon=2)
    assert read.frequency == "W"
    assert read.dates[-1] == pd.Timestamp("2024-02-02")  # Friday again
    assert read.values.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_date_without_a_row_sold_nothing_or_is_unknown() -> None:
    rows = weekly({"a": [2, 4, 6], "b": [1, 1, 1]}).drop(index=1).assign(unique_id=["a", "a", "b", "b"])
    rows = pd.concat([rows, weekly({"c": [1, 1, 1]})])
    assert panel.read(rows, 1, season=52).values[0].tolist() == [2, 0, 6]
    assert panel.read(rows, 1, season=52, gaps="unknown").values[0].tolist() == [2, 4, 6]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (weekly({"a": [1, 2, 3]}).drop(columns="y"), "lack the column y"),
        (weekly({"a": [1, 2, 3]}).assign(y=[1, "much", 2]), "y holds 'much' in row 2, which is no number"),
        (weekly({"a": [1, 2, 3]}).assign(y=[1, 2, np.inf]), "y holds 'inf' in row 3"),
        (weekly({"a": [1, 2, 3]}).assign(ds="soon"), "ds holds 'soon' in row 1, which is no date"),
        (weekly({"a": [1, 2, 3]}).assign(unique_id=["a", None, "a"]), "row 2 has no unique_id"),
        (pd.concat([weekly({"a": [1, 2, 3]})] * 2), "has two rows of 2024-01-05"),
        (weekly({"a": [1, 2]}), "fewer than three dates"),
        (weekly({"a": [1, 2, 3]}).iloc[:0], "hold no row"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(rows: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(Problem, match=sentence):
        panel.read(rows, horizon=2)


def test_what_is_known_ahead_must_cover_the_horizon() -> None:
    rows = weekly({"a": [1, 2, 3]}).assign(promotion=[0, 1, 0])
    ahead = pd.DataFrame({"unique_id": "a", "ds": ["2024-01-26"], "promotion": [1]})
    assert panel.read(rows, 1, future=ahead).known["promotion"].tolist() == [[0, 1, 0, 1]]
    with pytest.raises(Problem, match="lacks promotion of a on 2024-02-02"):
        panel.read(rows, 2, future=ahead)


def test_kinds_by_regularity_and_history() -> None:
    rows = weekly({"often": [5] * 110, "seldom": [0, 0, 3, 0, 0] * 22, "young": [5] * 110, "new": [5] * 110})
    begun = {"young": "2025-01-01", "new": "2026-01-09"}
    for name, day in begun.items():
        rows = rows[(rows["unique_id"] != name) | (rows["ds"] >= day)]
    read = panel.read(rows, 4)
    kinds = dict(zip(read.ids, classes.kinds(read), strict=True))
    assert kinds == {"often": "regular", "seldom": "intermittent", "young": "short", "new": "new"}


def test_a_shape_that_came_again_is_kept_and_noise_is_not() -> None:
    random = np.random.default_rng(1)
    wave = 10 * np.sin(2 * np.pi * np.arange(104) / 52)
    noise = random.normal(0, 5, (40, 104))
    found = seasons.shared_seasons(100 + wave + noise, 52).at(0, 52)
    plain = (noise[:, :52] + noise[:, 52:]) / 2
    assert np.abs(found - wave[:52]).mean() < 0.6 * np.abs(plain).mean()


def test_expected_demand_is_size_times_chance() -> None:
    every_fourth = np.tile([0.0, 0.0, 0.0, 8.0], (1, 50))
    assert intermittent.tsb(every_fourth, 0.05, 0.05)[0] == pytest.approx(8 / 4, rel=0.1)
    assert intermittent.croston(every_fourth)[0] == pytest.approx(8 / 4)
    assert intermittent.croston(every_fourth, corrected=True)[0] == pytest.approx(8 / 4 * 0.95)


def test_lunar_events_are_dated_by_the_lunar_calendar() -> None:
    table = events.china()
    days = {(name, day.year): day.date() for name, day in zip(table["event"], table["ds"], strict=True)}
    assert days["spring_festival", 2015] == date(2015, 2, 19)
    assert days["spring_festival", 2026] == date(2026, 2, 17)
    assert days["spring_festival", 2035] == date(2035, 2, 8)
    assert days["qixi", 2025] == date(2025, 8, 29)
    assert set(table["ds"].dt.year) == set(range(2015, 2036))


def test_events_that_fall_together_are_told_apart_and_others_are_not_seen() -> None:
    dates = pd.date_range("2023-01-01", "2025-10-31")
    random = np.random.default_rng(1)
    y = 100 * np.exp(0.03 * random.standard_normal((5, len(dates))))
    eleventh = (dates.month == 11) & (dates.day == 11)
    y[:, eleventh] *= 3
    rows = pd.concat(pd.DataFrame({"unique_id": str(n), "ds": dates, "y": one}) for n, one in enumerate(y))
    found = events.effects(panel.read(rows, 28), events.china())
    assert found.table["event"].unique().tolist() == ["double_11"]
    next_one = list(pd.date_range("2025-11-01", periods=28)).index(pd.Timestamp("2025-11-11"))
    assert found.factor[:, -28 + next_one].mean() == pytest.approx(3, rel=0.2)


def test_a_sale_of_many_days_shows_though_no_day_of_it_does_alone() -> None:
    """One earlier Double 11: thirteen days that sell a third more, each within three standard errors."""
    random = np.random.default_rng(1)
    dates = pd.date_range("2024-01-01", "2025-11-30")
    values = 100 * np.exp(0.12 * random.standard_normal((1, len(dates))))
    sale = (dates >= "2024-10-31") & (dates <= "2024-11-12")
    one = Panel(("s",), dates, values[:, :-30], "D", 7, {})
    assert "double_11" not in set(events.effects(one, events.china()).names)
    with_sale = np.where(sale, values * 1.35, values)[:, :-30]
    found = events.effects(replace(one, values=with_sale), events.china())
    assert found.of("double_11")[0, sale].mean() == pytest.approx(1.35, rel=0.1)


def test_what_an_event_did_counts_for_less_the_more_days_vary() -> None:
    """Thirteen days seen once: of 5 % of noise nothing is taken off, of days that vary by 150 % most of it."""
    dates = pd.date_range("2024-01-01", "2025-10-31")
    sale = (dates >= "2024-10-31") & (dates <= "2024-11-12")
    noise = np.random.default_rng(1).standard_normal(len(dates)) * ~sale
    said = []
    for share in (0.05, 1.5):
        values = np.exp(share * noise + 0.5 * sale)[None, :]
        found = events.effects(Panel(("s",), dates, values, "D", 7, {}), events.china())
        said.append(float(np.log(found.of("double_11")[0, sale]).mean()))
    assert said[0] == pytest.approx(0.5, rel=0.05)
    assert abs(said[1]) < 0.25


def test_a_series_that_varies_little_says_most_of_what_an_event_does() -> None:
    """One quiet series in which Double 11 adds a half, nine loud ones in which it adds nothing."""
    dates = pd.date_range("2023-01-01", "2025-10-31")
    peak = (dates.month == 11) & (dates.day <= 11)
    noise = np.random.default_rng(1).standard_normal((10, len(dates)))
    loud = np.arange(10)[:, None] > 0
    values = np.exp(np.where(loud, 0.5, 0.02) * noise) * np.where(peak & ~loud, 1.5, 1.0)
    found = events.effects(Panel(tuple("abcdefghij"), dates, values, "D", 7, {}), events.china())
    assert found.of("double_11")[0, peak].mean() == pytest.approx(1.5, rel=0.05)


def test_a_day_that_no_series_knows_teaches_nothing_of_an_event() -> None:
    dates = pd.date_range("2023-01-01", "2025-10-31")
    peak = (dates.month == 11) & (dates.day <= 11)
    values = 100.0 * np.where(peak & (dates.year < 2024), 2.0, 1.0)[None, :]
    one = Panel(("s",), dates, values, "D", 7, {})
    nowhere = {"double_11": (peak & (dates.year == 2024)).astype(float)[None, :]}
    assert events.effects(one, events.china(), nowhere).factor[0, peak].mean() == pytest.approx(2, rel=0.05)


def test_the_error_of_flat_series_is_not_known() -> None:
    assert accuracy.mean(np.array([1.0, np.nan, 3.0])) == 2.0
    assert np.isnan(accuracy.mean(np.array([np.nan])))


def test_an_event_table_can_be_brought_along(tmp_path: Path) -> None:
    file = tmp_path / "events.csv"
    file.write_text("event,ds,before\nopening,2025-05-05,2\n")
    table = events.of_file(file)
    assert table.to_dict("records") == [
        {"event": "opening", "ds": pd.Timestamp("2025-05-05"), "before": 2, "after": 0, "place": ""}
    ]
    file.write_text("what,when\n1,2\n")
    with pytest.raises(Problem, match="no csv file of event, ds"):
        events.of_file(file)


def test_intervals_cover_as_much_as_they_say() -> None:
    random = np.random.default_rng(1)
    never = np.zeros(8, dtype=bool)
    past = [Errors(random.standard_normal((300, 8)), never) for _ in range(3)]
    found, ahead = bounds(past, never), random.standard_normal((2000, 8))
    for level in (80, 95):
        low, high = found.low[level], found.high[level]
        assert ((ahead >= low) & (ahead <= high)).mean() == pytest.approx(level / 100, abs=0.015)


def test_what_sells_the_same_every_day_is_no_surer_than_its_level() -> None:
    steady = Panel(("s",), pd.date_range("2024-01-01", periods=70), np.full((1, 70), 100.0), "D", 7)
    assert spread(steady, np.array([[1.0, 4.0]])).tolist() == [[0.1 * 100, 0.1 * 100 * 4]]
    evenly = replace(steady, values=100 + 6.0 * np.resize([-1, 1], (1, 70)))  # 12 from day to day
    assert spread(evenly, np.ones((1, 1))) == pytest.approx(np.hypot(12, 0.1 * 100), rel=0.01)


def test_days_of_events_are_as_unsure_as_such_days_were() -> None:
    random = np.random.default_rng(1)

    def errors(event: NDArray[np.bool_], series: int) -> Floats:
        """Twice as wide, and too low, on days of an event."""
        return random.standard_normal((series, 8)) * np.where(event, 2, 1) + np.where(event, 1.5, 0)

    then, later = np.arange(8) < 3, np.arange(8) >= 6
    found = bounds([Errors(errors(then, 300), then) for _ in range(3)], later)
    ahead = errors(later, 2000)
    for level in (80, 95):
        inside = (ahead >= found.low[level]) & (ahead <= found.high[level])
        assert inside[:, later].mean() == pytest.approx(level / 100, abs=0.03)
        assert inside[:, ~later].mean() == pytest.approx(level / 100, abs=0.03)


def test_an_offer_of_an_event_is_not_counted_twice() -> None:
    dates = pd.date_range("2023-01-01", periods=3 * 364 + 28)
    table = events.china()
    table = table[table["event"] == "double_11"]
    inside = events.marks(table, dates).event > 0
    y = np.where(inside, 200.0, 100.0) * np.exp(0.02 * np.random.default_rng(1).standard_normal((4, len(dates))))
    discount = np.tile(np.where(inside, 0.1, 0.0), (4, 1))
    read = panel.Panel(tuple("abcd"), dates, y[:, : 3 * 364], "D", 7, {"discount": discount})
    seen = candidates.ground(read, table)
    assert (seen.effects.factor[:, inside] > 1.8).all()
    assert not seen.panel.known["discount"].any()


def test_parts_add_up_exactly() -> None:
    random = np.random.default_rng(1)
    whole, parts = random.uniform(0, 100, 9), random.uniform(0, 10, (7, 9))
    parts[:, 3] = 0
    found = reconcile.shared_out(whole, parts)
    assert np.allclose(found.sum(axis=0), whole, rtol=1e-15, atol=0)
    assert found[:, 3].tolist() == pytest.approx([whole[3] / 7] * 7)


def test_a_new_product_begins_as_others_did() -> None:
    curve = np.array([2.0, 1.0] + [0.9] * 10)
    others = np.stack([np.r_[[np.nan] * 3, 10 * curve], np.r_[[np.nan] * 3, 40 * curve]])
    assert analogues.launch_curve(others) == pytest.approx(curve / curve.mean())
    # Nothing known yet: the height of its like; with four periods known, half its own.
    assert analogues.expectation(np.empty(0), 10, curve, 2).tolist() == [20, 10]
    own = 30 * curve[:4]
    assert analogues.expectation(own, 10, curve, 1)[0] == pytest.approx((0.5 * 30 + 0.5 * 10) * 0.9)


def test_forecasts_are_whole_never_negative_and_within_their_bounds() -> None:
    random = np.random.default_rng(1)
    rows = weekly({str(n): random.poisson(0.4, 60).tolist() for n in range(20)})
    found = engine.forecast(panel.read(rows, 4)).rows
    assert len(found) == 20 * 4
    assert found["model"].unique().tolist() == ["tsb+ses"]
    limits = found[["lo95", "lo80", "mean", "hi80", "hi95"]].to_numpy()
    assert (limits[:, 0] >= 0).all()
    assert (np.diff(limits, axis=1) >= 0).all()
    assert (found[["lo95", "lo80", "hi80", "hi95"]] % 1 == 0).all(axis=None)


def test_the_command_writes_a_row_per_series_and_date(tmp_path: Path) -> None:
    file, out = tmp_path / "demand.csv", tmp_path / "forecast.csv"
    weekly({"a": [0, 0, 3, 0, 1] * 10, "b": [0, 2, 0, 0, 0] * 10}).to_csv(file, index=False)
    said = CliRunner().invoke(app, ["forecast", str(file), "--horizon", "2", "--out", str(out)])
    assert said.exit_code == 0
    assert "2 intermittent" in said.stderr
    assert "ms a series" in said.stderr
    rows = pd.read_csv(out)
    assert rows.columns.tolist() == ["unique_id", "ds", "model", "mean", "lo80", "hi80", "lo95", "hi95"]
    assert rows["ds"].tolist() == ["2024-12-20", "2024-12-27"] * 2


def test_pages_do_not_pay_for_the_packages_of_forecasts() -> None:
    program = (
        "import sys, models.__main__, models.forecasting.engine;"
        "print([m for m in ('prophet', 'lightgbm', 'statsforecast', 'statsmodels', 'sklearn') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
