"""Incidents with data: what happened, and when it was contained, reported and told to the people concerned.

The clock of an incident runs from its detection. What is written down here is for the few who keep the system; names of
customers do not belong in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from uuid import uuid4

from sqlalchemy import Engine, insert, select, update

from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import incident
from data_access.state.store import writing

Kind = Literal[
    "misdirected_message", "lost_device", "excess_export", "unauthorised_access", "malware", "outage", "other"
]
Step = Literal["contained", "authority_told", "people_told", "closed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STEPS: tuple[Step, ...] = get_args(Step)

REPORT_WITHIN = timedelta(hours=72)  # GDPR article 33; article 57 of the PIPL says at once
_SUMMARY = range(10, 2001)  # characters
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; instants in UTC, None: has not happened. records_affected: people or records, None: not known."""

    incident_id: str
    kind: str
    summary: str
    records_affected: int | None
    detected_at: datetime
    recorded_at: datetime
    steps: Mapping[Step, datetime | None]

    @property
    def is_open(self) -> bool:
        return self.steps["closed"] is None

    def left(self, now: datetime) -> timedelta | None:
        """How long until it must have been reported; negative: overdue. None when it was, or was closed without."""
        if not self.is_open or self.steps["authority_told"] is not None:
            return None
        return self.detected_at + REPORT_WITHIN - now

    def elapsed(self, step: Step, now: datetime) -> timedelta:
        """From the detection to a step, or until now while it has not happened."""
        return (self.steps[step] or now) - self.detected_at


def record(
    engine: Engine,
    actor: str,
    kind: str,
    summary: str,
    detected_at: datetime,
    records_affected: int | None,
    now: datetime,
) -> str:
    """Opens an incident; its id. Rule when the kind is unknown, the summary too short or too long, or the instant in
    the future."""
    text = summary.strip()
    if kind not in KINDS or len(text) not in _SUMMARY:
        raise Rule("incident_summary", f"say what happened in {_SUMMARY[0]} to {_SUMMARY[-1]} characters")
    if records_affected is not None and records_affected < 0:
        raise Rule("incident_records", "as many records as were affected, or none")
    _expect_past(detected_at, now)
    incident_id = uuid4().hex[:12]
    row = {
        "incident_id": incident_id,
        "kind": kind,
        "summary": text,
        "records_affected": records_affected,
        "detected_at": detected_at,
        "recorded_at": now,
    }
    with writing(engine) as connection:
        connection.execute(insert(incident).values(row))
        detail = {"kind": kind, "records": records_affected, "detected_at": _text(detected_at)}
        audit.append(connection, actor, "incident_recorded", incident_id, detail, at=now)
    return incident_id


def note(engine: Engine, actor: str, incident_id: str, step: Step, at: datetime, now: datetime) -> None:
    """Notes when a step was done. Rule when it was noted before, before the detection or in the future, or when an
    incident is to be closed that was not contained."""
    if step not in STEPS:
        raise ValueError(f"no such step: {step!r}")
    with writing(engine) as connection:
        found = connection.execute(select(incident).where(incident.c.incident_id == incident_id)).one_or_none()
        if found is None:
            raise Rule("no_incident", "there is no such incident")
        known = _incident(found)
        if known.steps[step] is not None or not known.is_open:
            raise Rule("incident_step", "that was noted already")
        if step == "closed" and known.steps["contained"] is None:
            raise Rule("incident_open", "contain the incident before it is closed")
        if at < known.detected_at:
            raise Rule("incident_instant", "nothing can be done about an incident before it is detected")
        _expect_past(at, now)
        changed = {f"{step}_at": at}
        connection.execute(update(incident).where(incident.c.incident_id == incident_id).values(changed))
        audit.append(connection, actor, "incident_noted", incident_id, {"step": step, "at": _text(at)}, at=now)


def everything(engine: Engine) -> tuple[Incident, ...]:
    """Every incident: the open ones first, then the latest detected."""
    with engine.connect() as connection:
        rows = connection.execute(select(incident).order_by(incident.c.detected_at.desc(), incident.c.incident_id))
        found = [_incident(row) for row in rows]
    return tuple(sorted(found, key=lambda one: not one.is_open))


def _incident(row: Any) -> Incident:
    steps: dict[Step, datetime | None] = {step: row._mapping[f"{step}_at"] for step in STEPS}
    return Incident(
        row.incident_id, row.kind, row.summary, row.records_affected, row.detected_at, row.recorded_at, steps
    )


def _expect_past(at: datetime, now: datetime) -> None:
    if at > now + _CLOCKS_DIFFER:
        raise Rule("incident_instant", "an instant in the future has not happened")


def _text(at: datetime) -> str:
    return at.isoformat(sep=" ", timespec="minutes")
