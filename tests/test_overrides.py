"""What people expect instead of the forecast: who may say it of what, and how it is scored."""

from datetime import date, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import Engine

from data_access.queries import demand as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state import overrides as state
from data_access.state.audit import Filter
from data_access.state.overrides import Override
from data_access.state.rules import Rule
from models.reports.overrides import overrides
from tests.tiny import AS_OF, CHAIN, ONLY_A

NOW = datetime(2026, 3, 20, 9)
FIRST, LAST = AS_OF + timedelta(days=1), AS_OF + timedelta(days=7)
B_AND_C = Scope("stores", ("B", "C"))


@pytest.fixture
def engine(state: Engine) -> Engine:
    return state


def test_the_newest_counts_until_it_is_taken_back(engine: Engine, tiny_snapshot: Snapshot) -> None:
    about = (None, FIRST, LAST)
    for wished in (30, 40):
        state.put(engine, tiny_snapshot, ONLY_A, "manager", about, 25.5, wished, "event", NOW)
    (found,) = state.current(engine, tiny_snapshot, ONLY_A)
    assert found == Override(None, FIRST, LAST, 25.5, 40, "event", "manager", NOW)
    assert state.current(engine, tiny_snapshot, CHAIN) == ()
    assert len(audit.search(engine, Filter(action="override_set")).entries) == 2
    state.put(engine, tiny_snapshot, ONLY_A, "manager", about, 25.5, None, "event", NOW)
    assert state.current(engine, tiny_snapshot, ONLY_A) == ()


@pytest.mark.parametrize(
    ("scope", "first", "wished", "rule"),
    [
        (B_AND_C, FIRST, 5, "override_place"),
        (ONLY_A, AS_OF, 5, "override_days"),
        (ONLY_A, LAST + timedelta(days=1), 5, "override_days"),
        (ONLY_A, FIRST, -1, "override_units"),
    ],
)
def test_what_makes_no_sense_is_refused(
    engine: Engine, tiny_snapshot: Snapshot, scope: Scope, first: date, wished: int, rule: str
) -> None:
    with pytest.raises(Rule) as refused:
        state.put(engine, tiny_snapshot, scope, "manager", (None, first, LAST), 1.0, wished, "other", NOW)
    assert refused.value.key == rule


def test_people_are_scored_against_the_forecast_once_the_days_are_over(tiny_snapshot: Snapshot) -> None:
    first = AS_OF - timedelta(days=27)
    history = queries.history(ONLY_A, tiny_snapshot.engine, first, None)
    sold = float(history.loc[history["day"] <= pd.Timestamp(AS_OF), "units"].sum())
    over = Override(None, first, AS_OF, sold + 6, int(sold) - 2, "place", "manager", NOW)
    ahead = Override(None, FIRST, LAST, 5.0, 7, "event", "manager", NOW)
    found = overrides(tiny_snapshot, ONLY_A, [ahead, over])
    assert found.scored == 1
    assert found.overrides["sold_units"].tolist()[1] == sold
    assert found.overrides["added_units"].tolist()[1] == pytest.approx(6 - 2)
    assert found.overrides["added_units"].isna().tolist() == [True, False]
    assert (found.said_error, found.wished_error) == pytest.approx((6 / sold, 2 / sold))


def test_without_overrides_nothing_is_scored(tiny_snapshot: Snapshot) -> None:
    found = overrides(tiny_snapshot, CHAIN, [])
    assert found.scored == 0
    assert found.overrides.empty
