"""Decisions about campaigns: what was decided and expected, and, when the day has come, what was seen.

A decision is written once; what was seen is added to it once. Decisions are the chain's: other scopes see none.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update

from data_access.scope import Scope
from data_access.state import audit, tokens
from data_access.state.rules import Rule
from data_access.state.schema import decision
from data_access.state.store import writing

LONGEST = 300  # characters of a text
LONGEST_ABOUT = 100
LATEST_LOOK = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. at, seen_at: UTC; actor, seen_by: as in the audit log; seen: None until somebody looked."""

    decision_id: str
    at: datetime
    actor: str
    about: str
    decided: str
    expected: str
    look_on: date
    seen: str | None = None
    seen_at: datetime | None = None
    seen_by: str | None = None


def record(
    engine: Engine,
    scope: Scope,
    actor: str,
    about: str,
    decided: str,
    expected: str,
    look_on: date,
    now: datetime,
) -> str:
    """Writes a decision down; its id. Rule when a text is empty, too long or names a person, or the day has passed."""
    if scope.kind != "chain":
        raise Rule("no_decision", "decisions are made for the whole chain")
    texts = {"decided": _checked(decided), "expected": _checked(expected)}
    if not now.date() <= look_on <= now.date() + LATEST_LOOK:
        raise Rule("decision_day", "choose a day within the next two years")
    decision_id = tokens.fresh_id()
    row = {"decision_id": decision_id, "at": now, "actor": audit.plain(actor), "look_on": look_on, **texts}
    with writing(engine) as connection:
        connection.execute(insert(decision).values(about=audit.plain(about)[:LONGEST_ABOUT], **row))
        said = {"about": about, "look_on": look_on.isoformat()}
        audit.append(connection, actor, "decision_recorded", decision_id, said, at=now)
    return decision_id


def review(engine: Engine, scope: Scope, actor: str, decision_id: str, seen: str, now: datetime) -> None:
    """Adds what was seen. Rule when there is no such decision, or somebody did before."""
    text = _checked(seen)
    c = decision.c
    with writing(engine) as connection:
        change = update(decision).where(c.decision_id == decision_id, c.seen.is_(None))
        found = connection.execute(change.values(seen=text, seen_at=now, seen_by=audit.plain(actor))).rowcount
        if scope.kind != "chain" or not found:
            raise Rule("no_decision", "this decision does not wait for anything")
        audit.append(connection, actor, "decision_reviewed", decision_id, at=now)


def every(engine: Engine, scope: Scope) -> tuple[Decision, ...]:
    """All decisions, the latest first; none for a scope that is not the chain."""
    if scope.kind != "chain":
        return ()
    query = select(decision).order_by(decision.c.at.desc(), decision.c.decision_id)
    with engine.connect() as connection:
        return tuple(_decision(row) for row in connection.execute(query))


def _checked(text: str) -> str:
    """A text without what could name a person: as for notes on lists."""
    found = text.strip()
    personal = "@" in found or re.search(r"1[3-9]\d{9}", re.sub(r"[\s.-]", "", found))
    if not 0 < len(found) <= LONGEST or personal:
        raise Rule("decision_text", f"write 1 to {LONGEST} characters, without contacts of people")
    return found


def _decision(row: Row[Any]) -> Decision:
    return Decision(**row._mapping)
