"""How long what is kept."""

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine

from data_access.state import audit, retention
from data_access.state.rules import Rule
from data_access.state.store import writing
from tests.state.people import NOW


def test_rules_hold_until_somebody_decides_otherwise(engine: Engine) -> None:
    assert retention.months(engine) == retention.MONTHS
    retention.change(engine, "admin", {"customers": 24, "audit": 36}, NOW)
    retention.change(engine, "admin", {"customers": 18}, NOW)
    assert retention.months(engine) == {**retention.MONTHS, "customers": 18}
    entries = audit.search(engine, audit.Filter()).entries
    assert [(entry.subject, entry.detail["months"]) for entry in entries] == [
        ("customers", "24 → 18"),
        ("customers", "36 → 24"),
    ]


@pytest.mark.parametrize("months", [5, 121])
def test_a_rule_is_half_a_year_to_ten_years(sqlite: Engine, months: int) -> None:
    with pytest.raises(Rule, match="6 to 120 months"):
        retention.change(sqlite, "admin", {"audit": months}, NOW)
    assert retention.months(sqlite)["audit"] == 36


@pytest.mark.parametrize(
    ("months", "today", "day"),
    [
        (36, date(2026, 11, 20), date(2023, 11, 20)),
        (1, date(2026, 3, 31), date(2026, 2, 28)),
        (12, date(2024, 2, 29), date(2023, 2, 28)),
        (6, date(2026, 6, 1), date(2025, 12, 1)),
    ],
)
def test_a_month_back_is_the_same_day_or_the_last(months: int, today: date, day: date) -> None:
    assert retention.cut_off(months, today) == day


def test_old_entries_are_counted_and_stay(sqlite: Engine) -> None:
    for days in (0, 10, 20):
        with writing(sqlite) as connection:
            audit.append(connection, "admin", "sign_out", at=NOW - timedelta(days=days))
    assert retention.entries_before(sqlite, NOW - timedelta(days=5)) == 2
    assert audit.search(sqlite, audit.Filter()).total == 3
