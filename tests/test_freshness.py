"""How old a reading is, when that matters, and how it is said."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from data_access.errors import Problem
from data_access.freshness import freshness, lines
from data_access.settings import Settings, duration
from data_access.snapshot import Snapshot
from pages._ui import freshness as words
from pages._ui import i18n

READ = datetime(2026, 11, 20, 12)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("age", "late", "stale", "ahead"),
    [
        (timedelta(0), False, False, False),
        (HOUR, False, False, False),
        (HOUR + timedelta(seconds=1), True, False, False),
        (2 * HOUR + timedelta(minutes=10), True, False, False),
        (2 * HOUR + timedelta(minutes=10, seconds=1), True, True, False),
        (-timedelta(minutes=3), False, False, False),  # clocks differ a little
        (-timedelta(minutes=11), False, False, True),
    ],
)
def test_a_reading_is_late_after_its_time_and_stale_after_twice_its_time(
    age: timedelta, late: bool, stale: bool, ahead: bool
) -> None:
    found = freshness(READ, HOUR, READ + age)
    assert (found.late, found.stale, found.ahead) == (late, stale, ahead)
    assert found.age == max(age, timedelta(0))
    assert found.next_at == datetime(2026, 11, 20, 13)


@pytest.mark.parametrize(
    ("text", "time"),
    [("30s", timedelta(seconds=30)), ("5m", timedelta(minutes=5)), (" 1 h ", HOUR), ("2d", timedelta(days=2))],
)
def test_lengths_of_time_as_people_write_them(text: str, time: timedelta) -> None:
    assert duration(text) == time


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "0m", "5 weeks", "1h30m", "1.5h"])
def test_anything_else_is_a_problem(text: str) -> None:
    with pytest.raises(Problem, match="such as 5m, 1h or 1d"):
        duration(text)


def test_a_refresh_is_expected_every_day_unless_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().refresh_every == timedelta(days=1)
    monkeypatch.setenv("MIRROR_REFRESH_EVERY", "5m")
    assert Settings().refresh_every == timedelta(minutes=5)
    monkeypatch.setenv("MIRROR_REFRESH_EVERY", "often")
    with pytest.raises(Problem, match="'often' is not a length of time"):
        Settings()


LENGTHS = [
    (timedelta(seconds=59), "under a minute", "不到 1 分钟"),
    (timedelta(seconds=61), "1 minute", "1 分钟"),
    (timedelta(minutes=59, seconds=59), "59 minutes", "59 分钟"),
    (timedelta(hours=1), "1 hour", "1 小时"),
    (timedelta(hours=47, minutes=59), "47 hours", "47 小时"),
    (timedelta(hours=48), "2 days", "2 天"),
    (timedelta(days=400), "400 days", "400 天"),
]


@pytest.mark.parametrize(("time", "english", "chinese"), LENGTHS)
def test_a_length_of_time_in_its_largest_unit(
    time: timedelta, english: str, chinese: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for language, text in (("en", english), ("zh_CN", chinese)):
        speak(language, monkeypatch)
        assert words.length(time) == text


def speak(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(i18n, "language", lambda: language)


def test_when_it_was_read_and_when_it_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("en", monkeypatch)

    def said(age: timedelta) -> tuple[str, str]:
        found = freshness(READ, HOUR, READ + age)
        return words.ago(found), words.due(found)

    assert said(timedelta(seconds=-30)) == ("just now", "in 1 hour")
    assert said(timedelta(minutes=20)) == ("20 minutes ago", "in 40 minutes")
    assert said(timedelta(minutes=59, seconds=30)) == ("59 minutes ago", "any moment")
    assert said(timedelta(hours=3)) == ("3 hours ago", "overdue")
    assert said(timedelta(minutes=-30)) == ("–", "–")
    found = freshness(READ, HOUR, READ + timedelta(minutes=20))
    assert (words.ago(found, short=True), words.due(found, short=True)) == ("20m ago", "in 40m")


def test_an_instant_is_told_on_the_clock_of_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    speak("en", monkeypatch)
    monkeypatch.setattr("pages._ui.format.language", lambda: "en")
    for zone, text in (
        ("Asia/Shanghai", "Nov 20, 2026 20:00 (Asia/Shanghai)"),
        (None, "Nov 20, 2026 12:00 (UTC)"),
        ("Not/AZone", "Nov 20, 2026 12:00 (UTC)"),
        ("../../etc/passwd", "Nov 20, 2026 12:00 (UTC)"),
    ):
        monkeypatch.setattr(words.st, "context", SimpleNamespace(timezone=zone))
        assert words.instant(READ) == text


def test_the_terminal_says_the_same(tiny_snapshot: Snapshot) -> None:
    # the file was built on 21 March at 02:00 UTC and does not say when the CRM was read
    fresh = list(lines(tiny_snapshot, tiny_snapshot.info.built_at, HOUR, datetime(2026, 3, 21, 2, 30)))
    assert fresh == [
        "snapshot 7: CRM read 2026-03-21 02:00 UTC (0:30:00 ago), next expected 2026-03-21 03:00 UTC; "
        "data as of 2026-03-20 20:30, the stores' own time"
    ]
    assert list(lines(tiny_snapshot, tiny_snapshot.info.built_at, HOUR, datetime(2026, 3, 22)))[1:] == [
        "stale: run `python -m data_access refresh`, or check the service that does"
    ]
    ahead = list(lines(tiny_snapshot, tiny_snapshot.info.built_at, HOUR, datetime(2026, 3, 20)))
    assert "compare the clocks" in ahead[1]
