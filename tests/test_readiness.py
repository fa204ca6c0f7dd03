"""Peak readiness: visitors of the coming days beside who is rostered."""

import numpy as np
import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from models.calc import readiness as calc
from models.reports import readiness as report_module
from models.reports.readiness import readiness
from pages._ui import readiness_views
from tests.tiny import CHAIN, NOTHING


def test_a_day_ahead_is_the_mean_of_its_weekday_times_its_event() -> None:
    visitors = np.full((70, 1), 10.0)
    visitors[-7] = 26.0  # the weekday of the first day ahead; an event doubled it
    event = np.ones(84)
    event[63] = 2.0
    event[70] = 3.0
    found = calc.ahead(visitors, event)
    assert found[0, 0] == pytest.approx((26 / 2 + 7 * 10) / 8 * 3)
    assert found[7, 0] == pytest.approx((26 / 2 + 7 * 10) / 8)
    assert found[1, 0] == 10
    assert len(found) == 84 - 70


def test_days_without_a_count_are_left_out() -> None:
    visitors = np.full((70, 2), 10.0)
    visitors[-7, 0] = np.nan
    visitors[:, 1] = np.nan
    found = calc.ahead(visitors, np.ones(71))
    assert found[0, 0] == 10
    assert np.isnan(found[0, 1])


def test_the_check_knows_what_a_calm_week_beats() -> None:
    rng = np.random.default_rng(2)
    visitors = rng.poisson(40, (calc.HISTORY_DAYS, 5)).astype(float)
    found = calc.check(visitors, np.ones(calc.HISTORY_DAYS))
    assert found.days == 13 * 14 * 5
    # of independent counts a mean of eight misses by sqrt(1 + 1/8), one by sqrt(2)
    assert found.wape / found.last_week == pytest.approx(np.sqrt(9 / 8 / 2), abs=0.04)


def test_the_tiny_chain(tiny_snapshot: Snapshot) -> None:
    report = readiness(tiny_snapshot, CHAIN)
    days = report.days.set_index(["store_id", "day"])
    assert report.rostered_until is None
    assert set(report.days["roster"]) == {"usual"}
    # A sold on two Mondays: 40 visitors on the one counted, with E1 for 8 hours and E3 for 6; no shift on the other
    monday = days.loc[("A", pd.Timestamp("2026-03-23"))]
    assert monday["visitors"] == 40
    assert monday["per_hour"] == pytest.approx(40 / ((8 + 6) / 2))
    assert readiness(tiny_snapshot, NOTHING).days.empty


def test_no_roster_no_page(tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    crews = report_module.queries.crews
    monkeypatch.setattr(report_module.queries, "crews", lambda *asked: crews(*asked).iloc[:0])
    assert readiness(tiny_snapshot, CHAIN).days.empty


def test_a_day_with_visitors_and_nobody_rostered_says_so() -> None:
    days = pd.DataFrame(
        {"store_id": "A", "store": "Alpha", "day": pd.to_datetime(["2026-03-21", "2026-03-22", "2026-03-23"]),
         "visitors": [40.0, 30.0, 0.0], "hours": [8.0, 0.0, 0.0], "load": [1.2, np.nan, np.nan]}
    )  # fmt: skip
    assert readiness_views.nobody(days)["day"].tolist() == [pd.Timestamp("2026-03-22")]
    grid = readiness_views.loads(pd.concat([days, days.assign(store_id="B", store="Beta")]), days)
    marks = next(trace for trace in grid.data if trace.type == "scatter" and trace.mode == "text")
    assert list(marks.text) == ["×", "×"]  # one day in each of the two stores
