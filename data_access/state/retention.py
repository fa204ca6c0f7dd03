"""How long what is kept. The rules say what is due to be forgotten; nothing is removed by itself."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, get_args

from sqlalchemy import Engine, delete, func, insert, select

from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import audit as log
from data_access.state.schema import retention_rule
from data_access.state.store import writing

# customers: since the last purchase, or joining; consents: since they were withdrawn; audit: since the entry;
# recognitions: since the day they were given on
Subject = Literal["customers", "consents", "audit", "recognitions"]
SUBJECTS: tuple[Subject, ...] = get_args(Subject)
# Unless somebody decided otherwise.
MONTHS: Mapping[Subject, int] = {"customers": 36, "consents": 36, "audit": 36, "recognitions": 36}
_ALLOWED = range(6, 121)  # logs of six months are the least that Chinese law asks for


def months(engine: Engine) -> dict[Subject, int]:
    """The rule of each subject, in months."""
    with engine.connect() as connection:
        decided = dict(connection.execute(select(retention_rule.c.subject, retention_rule.c.months)).all())
    return {subject: decided.get(subject, MONTHS[subject]) for subject in SUBJECTS}


def change(engine: Engine, actor: str, wanted: Mapping[Subject, int], now: datetime) -> None:
    """Sets rules, in months. Rule when one is shorter than 6 months or longer than ten years."""
    if not all(number in _ALLOWED for number in wanted.values()):
        raise Rule("retention_months", f"from {_ALLOWED[0]} to {_ALLOWED[-1]} months")
    before = months(engine)
    changed = {subject: number for subject, number in wanted.items() if number != before[subject]}
    with writing(engine) as connection:
        for subject, number in changed.items():
            connection.execute(delete(retention_rule).where(retention_rule.c.subject == subject))
            connection.execute(insert(retention_rule).values(subject=subject, months=number))
            detail = {"months": f"{before[subject]} → {number}"}
            audit.append(connection, actor, "retention_changed", subject, detail, at=now)


def cut_off(number: int, today: date) -> date:
    """The day ``number`` months before; what is older is due. Where that month is too short, its last day."""
    month = today.year * 12 + today.month - 1 - number
    for day in range(today.day, 0, -1):
        try:
            return date(month // 12, month % 12 + 1, day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


def entries_before(engine: Engine, instant: datetime) -> int:
    """How many entries of the audit log are older."""
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(log).where(log.c.at < instant)) or 0
