"""Files that were taken away: noted with the customers they name, and unusual days found."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from data_access.errors import Problem
from data_access.state import audit, exports
from data_access.state.audit import Filter
from data_access.state.exports import Day, File
from data_access.state.store import writing
from tests.state.people import NOW

TODAY = NOW.date()
ONE, TWO, THREE = (f"c{number:015x}" for number in (1, 2, 3))


def take(
    engine: Engine, customers: Sequence[str] = (), *, rows: int = 10, at: datetime = NOW, who: str = "wang"
) -> None:
    with writing(engine) as connection:
        file = File(f"F{at:%d%H%M%S%f}{who}", "list.csv", "segments", rows, ("customer_key",), "ab" * 32, customers)
        exports.record(connection, who, file, {"filters": "Stores: all"}, at)


def look(engine: Engine, customer: str, action: str, at: datetime) -> None:
    with writing(engine) as connection:
        audit.append(connection, "wang", action, customer, at=at)


def test_a_file_is_an_entry_of_the_log(engine: Engine) -> None:
    take(engine, [ONE, TWO], rows=2)
    entry = audit.search(engine, Filter()).entries[0]
    assert (entry.actor, entry.action, entry.subject) == ("wang", "exported", "segments")
    assert entry.detail == {
        "file": "list.csv",
        "rows": 2,
        "columns": ["customer_key"],
        "customers": 2,
        "sha256": "ab" * 32,
        "filters": "Stores: all",
    }
    assert audit.verify(engine) is None


def test_a_file_that_cannot_be_noted_is_a_problem_and_leaves_no_entry(engine: Engine) -> None:
    file = File("f1", "list.csv", "segments", 1, ("orders",), "ab" * 32)
    exports.note(engine, "wang", file, {}, NOW)
    with pytest.raises(Problem, match="the file was held back"):
        exports.note(engine, "wang", file, {}, NOW)  # the same file again
    assert audit.search(engine, Filter()).total == 1


def test_whose_data_somebody_saw_counts_looks_and_files(engine: Engine) -> None:
    minute = timedelta(minutes=1)
    look(engine, ONE, "customer_seen", NOW)
    look(engine, ONE, "customer_seen", NOW + minute)
    look(engine, ONE, "contact_revealed", NOW + 2 * minute)
    look(engine, TWO, "customer_data_taken", NOW)
    take(engine, [ONE, THREE], at=NOW + 3 * minute)
    take(engine, [THREE], at=NOW + 4 * minute)
    take(engine, [TWO], at=NOW + 3 * minute, who="somebody else")
    take(engine, [TWO], at=NOW - minute)
    seen = exports.seen(engine, "wang", NOW, NOW + timedelta(days=1))
    assert seen.to_dict("records") == [
        {"customer_key": THREE, "opened": 0, "revealed": 0, "exported": 2, "last_at": NOW + 4 * minute},
        {"customer_key": ONE, "opened": 2, "revealed": 1, "exported": 1, "last_at": NOW + 3 * minute},
        {"customer_key": TWO, "opened": 0, "revealed": 0, "exported": 1, "last_at": NOW},
    ]
    assert exports.takers(engine) == ("somebody else", "wang")


def test_nobody_saw_anything_yet(engine: Engine) -> None:
    assert exports.seen(engine, "wang", NOW, NOW + timedelta(days=1)).empty
    assert exports.takers(engine) == ()


def before(*rows: int) -> list[Day]:
    return [Day(TODAY - timedelta(days=ago), 1, many) for ago, many in enumerate(rows, start=1)]


UNUSUAL = [
    # rows and files of the day, rows of the days before -> why it is unusual
    (499, 1, (), ()),
    (500, 1, (), ("rows_before",)),
    (3 * 400, 1, (100, 400), ()),
    (3 * 400 + 1, 1, (100, 400), ("rows_before",)),
    (20_000, 1, (19_000,), ()),
    (20_001, 1, (19_000,), ("rows",)),
    (10, 9, (10,), ()),
    (10, 10, (10,), ("files_before",)),
    (10, 41, (10,), ("files",)),
    (900, 12, (300, 10), ("files_before",)),
    (901, 12, (300, 10), ("rows_before", "files_before")),
]


@pytest.mark.parametrize(("rows", "files", "earlier", "reasons"), UNUSUAL)
def test_a_day_is_unusual_beside_the_days_before_and_beyond_what_is_usual_for_anybody(
    rows: int, files: int, earlier: tuple[int, ...], reasons: tuple[str, ...]
) -> None:
    assert exports.unusual(Day(TODAY, files, rows), before(*earlier)) == reasons


def test_an_alert_says_who_when_and_what_was_usual(engine: Engine) -> None:
    take(engine, rows=200, at=NOW - timedelta(days=28))
    take(engine, rows=900, at=NOW - timedelta(days=29))  # too long ago to be usual
    take(engine, rows=600)
    take(engine, rows=1, at=NOW + timedelta(hours=1))
    take(engine, rows=400, who="li")
    (alert,) = exports.alerts(engine, TODAY, TODAY, UTC)
    assert alert == exports.Alert("wang", Day(TODAY, 2, 600 + 1), Day(TODAY, 1, 200), ("rows_before",))


def test_a_day_is_a_day_on_the_readers_clock(engine: Engine) -> None:
    take(engine, rows=600, at=datetime(2026, 11, 20, 17))  # one in the morning of the 21st in Shanghai
    found = exports.alerts(engine, date(2026, 11, 21), date(2026, 11, 21), ZoneInfo("Asia/Shanghai"))
    assert [alert.day.day for alert in found] == [date(2026, 11, 21)]
    assert exports.alerts(engine, date(2026, 11, 20), date(2026, 11, 20), ZoneInfo("Asia/Shanghai")) == ()
