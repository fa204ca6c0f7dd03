"""Thanks to people of the staff: noted by whoever leads them, taken back, counted when they are due."""

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import Engine

from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit, recognitions
from data_access.state.rules import Rule
from tests.state.people import NOW

A, B = Scope("stores", ("A",)), Scope("stores", ("B",))
DAY = NOW.date()


def test_a_recognition_is_seen_where_the_person_works(sqlite: Engine, tiny_snapshot: Snapshot) -> None:
    recognitions.give(sqlite, tiny_snapshot, A, "anna", "E1", DAY, " Calm  with a hard customer ", NOW)
    recognitions.give(sqlite, tiny_snapshot, A, "anna", "E1", DAY - timedelta(days=3), "Tidy counter", NOW)
    found = recognitions.of(sqlite, A, "E1")
    assert [(one.given_on, one.reason) for one in found] == [
        (DAY, "Calm with a hard customer"),
        (DAY - timedelta(days=3), "Tidy counter"),
    ]
    assert recognitions.of(sqlite, B, "E1") == ()
    assert recognitions.of(sqlite, A, "E2") == ()
    entry = audit.search(sqlite, audit.Filter(action="recognition_given")).entries[-1]
    assert (entry.actor, entry.subject, entry.detail["number"]) == ("anna", "E1", 1)


def test_what_was_taken_back_no_longer_counts_and_stays_in_the_log(sqlite: Engine, tiny_snapshot: Snapshot) -> None:
    recognitions.give(sqlite, tiny_snapshot, A, "anna", "E1", DAY, "Kind", NOW)
    number = recognitions.of(sqlite, A, "E1")[0].number
    with pytest.raises(Rule, match="no such recognition"):
        recognitions.take_back(sqlite, B, "bo", number, NOW)
    recognitions.take_back(sqlite, A, "anna", number, NOW)
    assert recognitions.of(sqlite, A, "E1") == ()
    with pytest.raises(Rule, match="no such recognition"):
        recognitions.take_back(sqlite, A, "anna", number, NOW)
    assert audit.search(sqlite, audit.Filter(action="recognition_taken_back")).total == 1


@pytest.mark.parametrize(
    ("scope", "staff_id", "day", "reason", "rule"),
    [
        (B, "E1", DAY, "Kind", "recognition_person"),
        (A, "E9", DAY, "Kind", "recognition_person"),
        (A, "E1", DAY + timedelta(days=2), "Kind", "recognition_day"),
        (A, "E1", DAY - timedelta(days=367), "Kind", "recognition_day"),
        (A, "E1", DAY, "  ", "recognition_reason"),
        (A, "E1", DAY, "k" * 141, "recognition_reason"),
        (A, "E1", DAY, "call 138 0013 8000", "recognition_reason"),
    ],
)
def test_what_cannot_be_noted(
    sqlite: Engine, tiny_snapshot: Snapshot, scope: Scope, staff_id: str, day: date, reason: str, rule: str
) -> None:
    with pytest.raises(Rule) as broken:
        recognitions.give(sqlite, tiny_snapshot, scope, "anna", staff_id, day, reason, NOW)
    assert broken.value.key == rule


def test_those_of_earlier_days_are_due(sqlite: Engine, tiny_snapshot: Snapshot) -> None:
    for ago in (0, 10, 20):
        recognitions.give(sqlite, tiny_snapshot, A, "anna", "E1", DAY - timedelta(days=ago), "Kind", NOW)
    assert recognitions.given_before(sqlite, datetime(DAY.year, DAY.month, DAY.day) - timedelta(days=5)) == 2
