"""What people change of the events that forecasts know: who may, what counts, and that forecasts and orders follow."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state import event_changes as state
from data_access.state.audit import Filter
from data_access.state.event_changes import Change
from data_access.state.rules import Rule
from models import __main__ as command
from models.calc import calendar
from models.forecasting import events, levels
from models.forecasting.events import Effects
from models.jobs import forecast, stock
from models.reports import find
from tests.tiny import CHAIN, ONLY_A

NOW = datetime(2026, 3, 20, 9)
DOUBLE_11 = date(2026, 11, 11)
LATER = Change("double_11", DOUBLE_11, date(2026, 11, 12), 3, 2, None, None)
FAIR = Change("城市庆典", date(2026, 5, 6), date(2026, 5, 6), 1, 0, "north", None)
OFFERS = ["store_id", "category", "product_id", "starts_on", "ends_on", "discount"]
STORES = pd.DataFrame({"store_id": ["A", "B"], "region_id": ["north", "south"], "kind": ["mall", "street"]})


@pytest.fixture
def engine(state: Engine) -> Engine:
    return state


def test_the_newest_change_counts_and_is_logged(engine: Engine, tiny_snapshot: Snapshot) -> None:
    state.put(engine, tiny_snapshot, CHAIN, "head", LATER, NOW)
    off = replace(LATER, day=None)
    state.put(engine, tiny_snapshot, CHAIN, "head", off, NOW)
    assert state.in_force(engine) == (off,)
    assert len(audit.search(engine, Filter(action="event_changed")).entries) == 2


def test_reports_of_the_command_line_know_them(
    engine: Engine, tiny_snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "opened", lambda: engine)
    state.put(engine, tiny_snapshot, CHAIN, "head", LATER, NOW)
    assert command._edited(find("festivals"), tiny_snapshot, CHAIN) == {"changes": (LATER,)}
    demand, overview = find("demand"), find("overview")
    assert command._edited(demand, tiny_snapshot, CHAIN) == {"shifts": {("double_11", 2026): timedelta(days=1)}}
    assert command._edited(overview, tiny_snapshot, CHAIN) == {}


@pytest.mark.parametrize(
    ("scope", "change", "rule"),
    [
        (ONLY_A, LATER, "event_place"),
        (ONLY_A, FAIR, "event_place"),
        (ONLY_A, replace(LATER, kind="mall"), "event_place"),
        (CHAIN, replace(FAIR, region_id="nowhere"), "event_place"),
        (CHAIN, replace(LATER, event=" "), "event_name"),
        (CHAIN, replace(LATER, day=date(2050, 1, 1)), "event_day"),
        (CHAIN, replace(LATER, before=31), "event_days"),
    ],
)
def test_what_makes_no_sense_is_refused(
    engine: Engine, tiny_snapshot: Snapshot, scope: Scope, change: Change, rule: str
) -> None:
    with pytest.raises(Rule) as refused:
        state.put(engine, tiny_snapshot, scope, "head", change, NOW)
    assert refused.value.key == rule
    assert state.in_force(engine) == ()


def test_an_event_moves_ends_or_is_added_everywhere() -> None:
    china = events.china()
    own = replace(FAIR, region_id=None)
    table = events.edited(china, [LATER, own, replace(FAIR, event="only here")])
    rows = table[(table["event"] == "double_11") & (table["ds"].dt.year == 2026)]
    assert rows[["ds", "before", "after"]].to_numpy().tolist() == [[pd.Timestamp("2026-11-12"), 3, 2]]
    assert len(table) == len(china) + 1
    assert len(events.edited(china, [replace(LATER, day=None)])) == len(china) - 1


def test_an_event_of_a_region_or_a_kind_of_store_reaches_its_stores_alone() -> None:
    rows = events.local([FAIR, replace(FAIR, region_id=None, kind="street"), LATER, replace(FAIR, day=None)], STORES)
    assert rows[["store_id", "starts_on", "ends_on"]].to_numpy().tolist() == [
        ["A", date(2026, 5, 5), date(2026, 5, 6)],
        ["B", date(2026, 5, 5), date(2026, 5, 6)],
    ]
    found = levels.local_days(rows.head(1), [("A", "Face"), ("B", "Face")], pd.date_range("2026-05-04", periods=4))
    assert found["城市庆典"].tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]


def test_an_event_is_taken_off_for_a_region_on_the_days_it_has_elsewhere() -> None:
    off = replace(LATER, day=None, region_id="north")
    rows = events.taken_off([LATER, off, replace(FAIR, day=None)], STORES)  # nobody held the fair elsewhere
    assert rows.to_numpy().tolist() == [["double_11", "A", date(2026, 11, 9), date(2026, 11, 14)]]
    assert events.taken_off([replace(LATER, day=None), off], STORES).empty  # off everywhere
    assert events.local([replace(off, day=DOUBLE_11)], STORES).empty  # on again, as elsewhere


def test_an_event_counts_by_the_part_of_the_sales_that_takes_part() -> None:
    """It multiplies by 3 where it takes place; a quarter, or all, of the sales are those of stores without it."""
    fair = np.array([[False], [True]])
    found = Effects(events.nothing(), np.log([[3.0], [3.0]]), fair, np.array(["fair"]))
    absent = {"fair": np.array([[0.0, 0.25], [0.0, 1.0]])}
    assert found.left(absent) * found.factor == pytest.approx(np.array([[1, 1 + 2 * 0.75], [1, 1]]))


def two_stores(last: str, but: str = "") -> pd.DataFrame:
    """A and B sell 100 a day, twice as much from 1 to 12 November; A not in the year ``but``."""
    days = pd.date_range("2023-06-01", last)
    peak = (days.month == 11) & (days.day <= 12)
    of = {name: 100.0 * (1 + (peak & ((name == "B") | (days.year != int(but or 0))))) for name in ("A", "B")}
    return pd.concat(
        pd.DataFrame({"store_id": name, "category": "Face", "day": days, "units": units}) for name, units in of.items()
    )


def off_in_the_north(year: int) -> pd.DataFrame:
    return events.taken_off([Change("double_11", date(year, 11, 11), None, 11, 1, "north", None)], STORES)


def sold(units: pd.DataFrame, taken_off: pd.DataFrame | None) -> pd.Series:
    """What is expected of the week ahead, by place."""
    region_of, offers = {"A": "north", "B": "south"}, pd.DataFrame(columns=OFFERS)
    found = levels.forecast(
        units, region_of, units["day"].max(), 7, events.china(), offers, None, None, taken_off
    )  # fmt: skip
    assert found is not None
    return found.forecast[found.forecast["category"].isna()].groupby("place_id")["mean"].sum()


def test_only_the_stores_without_an_event_lose_what_it_adds() -> None:
    without = sold(two_stores("2026-11-05", but="2026"), off_in_the_north(2026))
    assert without["A"] == pytest.approx(7 * 100, rel=0.05)
    assert without["B"] == pytest.approx(7 * 200, rel=0.05)
    assert without["chain"] == pytest.approx(without["A"] + without["B"])


def test_an_event_that_a_region_left_out_once_counts_for_it_the_next_time() -> None:
    told = sold(two_stores("2026-11-05", but="2025"), off_in_the_north(2025))
    assert told["A"] == pytest.approx(7 * 200, rel=0.05)
    assert told["B"] == pytest.approx(7 * 200, rel=0.05)


def test_history_is_raised_to_what_all_stores_would_have_sold() -> None:
    units = two_stores("2026-10-31", but="2025")
    leaves, days = [("A", "Face"), ("B", "Face")], pd.DatetimeIndex(units["day"].unique())
    values = np.stack([units.loc[units["store_id"] == store, "units"].to_numpy() for store, _ in leaves])
    members = {("chain", "chain", None): np.array([0, 1])}
    members |= {("store", store, None): np.array([row]) for row, (store, _) in enumerate(leaves)}
    panel = levels._panel(list(members), members, values, {}, days)
    away = levels.local_days(off_in_the_north(2025), leaves, days)
    left = levels.left_of(panel, away, members, values, events.china())
    then = days.get_loc(pd.Timestamp("2025-11-05"))
    # The chain sold 100 + 200, of which only B's half was lifted; A sold 100.
    assert left[:, then] == pytest.approx([(1 + (2 - 1) * 0.5) / 2, 1 / 2, 1], rel=0.05)
    assert levels.raised(panel, left).values[:, then] == pytest.approx([400, 200, 200], rel=0.05)
    assert left[:, days.get_loc(pd.Timestamp("2024-11-05"))].tolist() == [1, 1, 1]


def test_an_event_is_none_where_every_store_is_without_it() -> None:
    off = replace(LATER, day=None, region_id="north")
    north = STORES[STORES["region_id"] == "north"]
    assert state.shifts(state.seen_from([LATER, off, FAIR], north)) == {("double_11", 2026): None}
    assert state.shifts(state.seen_from([LATER, off, FAIR], STORES)) == {("double_11", 2026): timedelta(days=1)}
    street = replace(off, region_id=None, kind="street")
    assert state.shifts(state.seen_from([off, street], STORES)) == {("double_11", 2026): None}


def test_the_calendar_moves_and_drops_what_people_changed() -> None:
    shifts = state.shifts([LATER, Change("618", date(2026, 6, 18), None, 0, 0, None, None), FAIR])
    found = {event.key: event for event in calendar.events(date(2026, 6, 1), date(2026, 11, 30), "CNY", shifts)}
    assert (found["double_11"].first, found["double_11"].last) == (date(2026, 11, 2), date(2026, 11, 12))
    assert "618" not in found
    assert "qixi" in found


def test_forecasts_know_the_days_that_the_calendar_calls_by_an_event() -> None:
    table = events.china()
    for event in calendar.events(date(2026, 1, 1), date(2026, 12, 31), "CNY"):
        (row,) = table[(table["event"] == event.key) & (table["ds"].dt.year == 2026)].to_dict("records")
        first, last = (row["ds"] + pd.Timedelta(days=days) for days in (-row["before"], row["after"]))
        assert first.date() <= event.first
        assert last.date() >= event.last
        if event.key in ("double_12", "qixi", "womens_day"):
            assert (first.date(), last.date()) == (event.first, event.last)


def test_forecasts_and_orders_are_computed_anew_after_a_change(tiny_snapshot: Snapshot) -> None:
    before, after = forecast.job_for(tuple), forecast.job_for(lambda: (LATER,))
    assert before.fingerprint(tiny_snapshot) != after.fingerprint(tiny_snapshot)
    orders = [stock.job_for(lambda _: (), job).fingerprint(tiny_snapshot) for job in (before, after)]
    assert orders[0] != orders[1]
