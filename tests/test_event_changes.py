"""What people change of the events that forecasts know: who may, what counts, and that forecasts and orders follow."""

from dataclasses import replace
from datetime import date, datetime

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
from models.forecasting import events, levels
from models.jobs import forecast, stock
from tests.tiny import CHAIN, ONLY_A

NOW = datetime(2026, 3, 20, 9)
DOUBLE_11 = date(2026, 11, 11)
LATER = Change("double_11", DOUBLE_11, date(2026, 11, 12), 3, 2, None, None)
FAIR = Change("城市庆典", date(2026, 5, 6), date(2026, 5, 6), 1, 0, "north", None)
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
    assert found["event 城市庆典"].tolist() == [[0, 1, 1, 0], [0, 0, 0, 0]]


def test_forecasts_and_orders_are_computed_anew_after_a_change(tiny_snapshot: Snapshot) -> None:
    before, after = forecast.job_for(tuple), forecast.job_for(lambda: (LATER,))
    assert before.fingerprint(tiny_snapshot) != after.fingerprint(tiny_snapshot)
    orders = [stock.job_for(lambda _: (), job).fingerprint(tiny_snapshot) for job in (before, after)]
    assert orders[0] != orders[1]
