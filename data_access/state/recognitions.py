"""Thanks to people of the staff, as whoever leads them notes it here, beside what the CRM records.

What was noted is never changed: it is taken back, which keeps the row and says who did it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, func, insert, select, update

from data_access.queries import staff
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import recognition
from data_access.state.store import writing

LONGEST: Final = 140  # characters of a reason
BACK: Final = timedelta(days=366)  # how long ago it may be
_TOMORROW: Final = timedelta(days=1)  # the reader's clock may be ahead


@dataclass(frozen=True, slots=True)
class Recognition:
    """What somebody was thanked for; ``actor`` noted it, as in the audit log."""

    number: int
    actor: str
    store_id: str
    staff_id: str
    given_on: date
    reason: str


def give(
    engine: Engine, snapshot: Snapshot, scope: Scope, actor: str, staff_id: str, given_on: date, reason: str,
    now: datetime,
) -> None:  # fmt: skip
    """Notes what somebody who works in a store of the scope was thanked for.

    Whether a person leads others at all is for the caller to ask. Rule when nobody of that id works there, the day lies
    ahead or more than a year back, or the reason is empty, too long or holds a number or an address.
    """
    store_id = staff.works_in(scope, snapshot.engine, staff_id)
    if store_id is None:
        raise Rule("recognition_person", "nobody of this id works in the stores of this account")
    if not now.date() - BACK <= given_on <= now.date() + _TOMORROW:
        raise Rule("recognition_day", "choose a day of the last year")
    said = " ".join(reason.split())
    personal = "@" in said or re.search(r"\d{5}", re.sub(r"[\s.-]", "", said))
    if not 0 < len(said) <= LONGEST or not said.isprintable() or personal:
        raise Rule("recognition_reason", f"a reason has 1 to {LONGEST} characters and holds no number or address")
    with writing(engine) as connection:
        number = (connection.scalar(select(func.max(recognition.c.number))) or 0) + 1
        row = {"number": number, "at": now, "actor": audit.plain(actor), "store_id": store_id, "staff_id": staff_id}
        connection.execute(insert(recognition), [{**row, "given_on": given_on, "reason": said}])
        audit.append(connection, actor, "recognition_given", staff_id, {"number": number, "on": str(given_on)}, at=now)


def take_back(engine: Engine, scope: Scope, actor: str, number: int, now: datetime) -> None:
    """Takes back what was noted of somebody in a store of the scope. Rule when there is no such thing."""
    c = recognition.c
    with writing(engine) as connection:
        query = scope.limit(select(c.staff_id).where(c.number == number, c.taken_back_at.is_(None)), c.store_id)
        staff_id = connection.scalar(query)
        if staff_id is None:
            raise Rule("no_recognition", "there is no such recognition, or it was taken back")
        values = {"taken_back_at": now, "taken_back_by": audit.plain(actor)}
        connection.execute(update(recognition).where(c.number == number).values(**values))
        audit.append(connection, actor, "recognition_taken_back", staff_id, {"number": number}, at=now)


def of(engine: Engine, scope: Scope, staff_id: str) -> tuple[Recognition, ...]:
    """What was noted of somebody in the stores of the scope and counts, the latest first."""
    c = recognition.c
    columns = (c.number, c.actor, c.store_id, c.staff_id, c.given_on, c.reason)
    query = select(*columns).where(c.staff_id == staff_id, c.taken_back_at.is_(None))
    with engine.connect() as connection:
        rows = connection.execute(scope.limit(query, c.store_id).order_by(c.given_on.desc(), c.number.desc())).all()
    return tuple(Recognition(*row) for row in rows)


def given_before(engine: Engine, midnight: datetime) -> int:
    """How many were given on earlier days, also those taken back."""
    with engine.connect() as connection:
        query = select(func.count()).select_from(recognition).where(recognition.c.given_on < midnight.date())
        return connection.scalar(query) or 0
