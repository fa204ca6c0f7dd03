"""The register of incidents: what is noted, in which order, and how long it took."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from data_access.state import audit, incidents
from data_access.state.rules import Rule
from tests.state.people import NOW

HOUR = timedelta(hours=1)
WHAT = "A tablet of the Nanjing Road store is missing."


def recorded(engine: Engine, **more: Any) -> str:
    detected_at = more.pop("detected_at", NOW - 10 * HOUR)
    return incidents.record(engine, "admin", "lost_device", WHAT, detected_at, 40, NOW, **more)


def test_the_clock_runs_from_the_detection(engine: Engine) -> None:
    incident_id = recorded(engine)
    (found,) = incidents.everything(engine)
    assert (found.incident_id, found.summary, found.records_affected) == (incident_id, WHAT, 40)
    assert found.left(NOW) == timedelta(hours=72 - 10)
    assert found.left(NOW + 70 * HOUR) == timedelta(hours=-8)
    assert found.elapsed("contained", NOW) == 10 * HOUR
    incidents.note(engine, "admin", incident_id, "contained", NOW - 7 * HOUR, NOW)
    incidents.note(engine, "admin", incident_id, "authority_told", NOW, NOW)
    (found,) = incidents.everything(engine)
    assert found.elapsed("contained", NOW + HOUR) == 3 * HOUR
    assert found.left(NOW + 100 * HOUR) is None


def test_open_incidents_come_first_and_closed_ones_change_no_more(engine: Engine) -> None:
    first = recorded(engine, detected_at=NOW - 50 * HOUR)
    second = recorded(engine)
    for step in ("contained", "closed"):
        incidents.note(engine, "admin", second, step, NOW, NOW)  # type: ignore[arg-type]
    assert [one.incident_id for one in incidents.everything(engine)] == [first, second]
    with pytest.raises(Rule, match="noted already"):
        incidents.note(engine, "admin", second, "people_told", NOW, NOW)


REFUSED = [
    ("contained", NOW - 11 * HOUR, "incident_instant"),
    ("contained", NOW + HOUR, "incident_instant"),
    ("closed", NOW, "incident_open"),
]


@pytest.mark.parametrize(("step", "at", "key"), REFUSED)
def test_what_cannot_have_been_is_refused(sqlite: Engine, step: Any, at: Any, key: str) -> None:
    incident_id = recorded(sqlite)
    with pytest.raises(Rule) as refused:
        incidents.note(sqlite, "admin", incident_id, step, at, NOW)
    assert refused.value.key == key
    assert incidents.everything(sqlite)[0].steps[step] is None


def test_a_step_is_noted_once_and_of_incidents_that_are(sqlite: Engine) -> None:
    incident_id = recorded(sqlite)
    incidents.note(sqlite, "admin", incident_id, "contained", NOW, NOW)
    with pytest.raises(Rule, match="noted already"):
        incidents.note(sqlite, "admin", incident_id, "contained", NOW, NOW)
    with pytest.raises(Rule, match="no such incident"):
        incidents.note(sqlite, "admin", "another", "contained", NOW, NOW)


@pytest.mark.parametrize(
    ("kind", "summary", "at", "records", "key"),
    [
        ("gossip", WHAT, NOW, 1, "incident_summary"),
        ("other", "  short  ", NOW, 1, "incident_summary"),
        ("other", "x" * 2001, NOW, 1, "incident_summary"),
        ("other", WHAT, NOW + HOUR, 1, "incident_instant"),
        ("other", WHAT, NOW, -1, "incident_records"),
    ],
)
def test_an_incident_says_what_and_when(
    sqlite: Engine, kind: str, summary: str, at: Any, records: int, key: str
) -> None:
    with pytest.raises(Rule) as refused:
        incidents.record(sqlite, "admin", kind, summary, at, records, NOW)
    assert refused.value.key == key
    assert incidents.everything(sqlite) == ()


def test_the_log_says_what_was_noted_and_not_what_happened(sqlite: Engine) -> None:
    incidents.note(sqlite, "admin", recorded(sqlite), "contained", NOW, NOW)
    entries = audit.search(sqlite, audit.Filter()).entries
    assert [entry.action for entry in entries] == ["incident_noted", "incident_recorded"]
    assert entries[1].detail == {"kind": "lost_device", "records": 40, "detected_at": "2026-11-19 23:00"}
    assert WHAT not in str(entries)
