"""Festivals to come: what they added last year, what to expect, and whether the stock lasts."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from data_access.snapshot import Snapshot
from data_access.state.event_changes import Change
from models.calc.calendar import Event
from models.reports import festivals as module
from models.reports.festivals import festivals
from pages._ui import festival_views
from pages._ui.tables import MOST_COLUMNS
from tests.tiny import CHAIN

LAST = date(2026, 5, 31)
EVERY = (Event("618", date(2025, 6, 8), date(2025, 6, 19)), Event("618", date(2026, 6, 8), date(2026, 6, 19)))


def sold() -> pd.DataFrame:
    """Ten units a day of F, thirty in the twelve days of last year's festival, and twenty a day since May 2026."""
    days = pd.date_range(LAST - timedelta(days=428), LAST)
    units = pd.Series(10.0, days)
    units["2025-06-08":"2025-06-19"] = 30.0
    units["2026-05-01":] = 20.0
    return pd.DataFrame({"F": units, "G": 0.0})


def one(stock: pd.DataFrame, ahead: pd.DataFrame) -> pd.Series:
    return found(sold(), EVERY, stock, ahead)


def found(units: pd.DataFrame, every: tuple[Event, ...], stock: pd.DataFrame, ahead: pd.DataFrame) -> pd.Series:
    week = module._week(units, every)
    now = module._pace(units, LAST + timedelta(days=1), every, week)
    rows = module._one(every[1], every[0], units, ahead, now, every, week, stock, LAST)
    assert rows["category"].tolist() == ["F"]  # nobody bought G
    return rows.iloc[0]


def held(available: float, lead_time: float = 3.0) -> pd.DataFrame:
    return pd.DataFrame({"available": [available], "lead_time": [lead_time]}, index=["F"])


def test_the_uplift_of_last_year_at_the_pace_of_today() -> None:
    row = one(held(800), pd.DataFrame())
    assert (row["festival_units"], row["usual_units"], row["uplift"]) == (12 * 30, 12 * 10, 2.0)
    assert row["expected_units"] == 12 * 20 * 3
    assert row["units_before"] == 7 * 20
    assert (row["short_units"], row["standing"]) == (12 * 60 + 7 * 20 - 800, "order")
    assert row["order_until"] == pd.Timestamp("2026-06-05")


def test_a_weekend_is_set_against_weekends() -> None:
    weekend, midweek = (date(2025, 8, 2), date(2025, 8, 3)), (date(2026, 8, 4), date(2026, 8, 5))
    days = pd.date_range(LAST - timedelta(days=428), LAST)
    units = pd.Series(np.where(days.day_of_week >= 5, 30.0, 10.0), days)
    units["2025-08-02":"2025-08-03"] = 60.0
    row = found(
        pd.DataFrame({"F": units, "G": 0.0}),
        (Event("qixi", *weekend), Event("qixi", *midweek)),
        held(0),
        pd.DataFrame(),
    )
    assert (row["usual_units"], row["uplift"]) == (pytest.approx(2 * 30), pytest.approx(1.0))
    assert row["expected_units"] == pytest.approx(2 * 10 * 2)
    assert row["units_before"] == pytest.approx(46 * 10 + 18 * 30)  # the 64 days of June, July and up to 3 August


def test_the_forecast_counts_where_it_reaches_so_far() -> None:
    ahead = pd.DataFrame({"F": 25.0}, index=pd.date_range("2026-06-01", "2026-06-19"))
    row = one(held(1_000), ahead)
    assert (row["expected_units"], row["units_before"], row["standing"]) == (12 * 25, 7 * 25, "ready")


@pytest.mark.parametrize(("available", "lead_time", "standing"), [(800, 9, "late"), (float("nan"), 3, "unknown")])
def test_what_comes_too_late_or_is_not_known(available: float, lead_time: float, standing: str) -> None:
    assert one(held(available, lead_time), pd.DataFrame())["standing"] == standing


def test_elsewhere_there_are_none(tiny_snapshot: Snapshot) -> None:
    abroad = replace(tiny_snapshot, info=replace(tiny_snapshot.info, currency="GBP"))
    assert festivals(abroad, CHAIN).festivals.empty
    assert {"event", "standing"} <= set(festivals(tiny_snapshot, CHAIN).festivals.columns)


def test_spring_festival_is_its_run_up() -> None:
    (found,) = [one for one in module._calendar() if one.key == "spring_festival" and one.last.year == 2026]
    assert (found.first, found.last) == (date(2026, 1, 30), date(2026, 2, 16))


def test_a_festival_that_was_moved_is_on_its_new_days() -> None:
    moved = Change("qixi", date(2026, 8, 19), date(2026, 8, 22), 2, 1, None, None)
    (found,) = [one for one in module._calendar([moved]) if one.key == "qixi" and one.last.year == 2026]
    assert (found.first, found.last) == (date(2026, 8, 20), date(2026, 8, 23))


def test_the_list_has_no_more_columns_than_a_list_may() -> None:
    assert len(festival_views._COLUMNS) <= MOST_COLUMNS
