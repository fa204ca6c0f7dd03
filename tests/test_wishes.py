"""Orders for what people expect instead of the forecast."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from data_access.snapshot import Snapshot
from data_access.state.overrides import Override, Placed
from models.calc.wishes import Wish, applied
from models.jobs.stock import _wishes
from tests.tiny import AS_OF

BEGIN = date(2026, 3, 21)
STORES, CATEGORIES = np.array(["A", "A", "B"]), np.array(["F", "G", "F"])
WEEKS = np.array([[7.0, 7.0, 7.0, 7.0], [14.0, 14.0, 14.0, 14.0], [21.0, 21.0, 21.0, 21.0]])


def days(first: int, last: int) -> tuple[date, date]:
    return BEGIN + timedelta(days=first), BEGIN + timedelta(days=last)


def test_the_days_of_a_wish_add_up_to_its_units_and_shares_stay() -> None:
    wish = Wish(frozenset({"A"}), None, *days(0, 27), 168.0)
    found = applied(WEEKS, STORES, CATEGORIES, BEGIN, [wish])
    assert found[:2].sum() == pytest.approx(168)  # of 84
    assert found[0].tolist() == [14, 14, 14, 14]
    assert found[2].tolist() == WEEKS[2].tolist()


def test_the_narrower_wish_holds_where_two_say_something() -> None:
    chain = Wish(None, None, *days(0, 27), 336.0)  # twice the 168 of the forecast
    week = Wish(frozenset({"B"}), "F", *days(7, 13), 5.0)
    for wishes in ([chain, week], [week, chain]):
        found = applied(WEEKS, STORES, CATEGORIES, BEGIN, wishes)
        assert found[2].tolist() == pytest.approx([42, 5, 42, 42])


def test_days_of_a_week_count_for_their_part() -> None:
    # Four of seven days: of 7 units 4 are theirs; 8 are wished for, so the week has 3 + 8.
    wish = Wish(None, "G", *days(3, 6), 16.0)
    found = applied(WEEKS, STORES, CATEGORIES, BEGIN, [wish])
    assert found[1].tolist() == pytest.approx([14 * 3 / 7 + 16, 14, 14, 14])


def test_what_was_not_forecast_stays_unknown() -> None:
    unknown = np.full((3, 4), np.nan)
    assert np.isnan(applied(unknown, STORES, CATEGORIES, BEGIN, [Wish(None, None, *days(0, 6), 9.0)])).all()


def test_of_days_that_have_begun_what_was_sold_is_over(tiny_snapshot: Snapshot) -> None:
    tomorrow = AS_OF + timedelta(days=1)
    ahead = Override(None, tomorrow, AS_OF + timedelta(days=7), 10.0, 30, "event", "manager", datetime(2026, 3, 20))
    (wish,) = _wishes(tiny_snapshot, [Placed("store", "A", ahead)])
    assert wish == Wish(frozenset({"A"}), None, tomorrow, AS_OF + timedelta(days=7), 30.0)
    begun = replace(ahead, first=AS_OF - timedelta(days=30), wished=1_000)
    (wish,) = _wishes(tiny_snapshot, [Placed("chain", "chain", begun)])
    assert wish.first == tomorrow
    assert 0 < wish.units < 1_000
    assert _wishes(tiny_snapshot, [Placed("store", "gone", ahead)]) == []
