"""What people expect to sell where they know more than the forecast, kept beside what it said, so that both are scored.

Rows are added, never changed: the newest of a place, category and days counts, the others are its history.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, get_args

from sqlalchemy import ColumnElement, Engine, func, insert, select

from data_access.queries._places import place_of
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import forecast_override
from data_access.state.store import writing

Reason = Literal["promotion", "event", "range", "place", "other"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
MOST: Final = 100_000_000  # units
LONGEST: Final = 56  # days


@dataclass(frozen=True, slots=True)
class Override:
    """Units that somebody expects of a category (None: all; '': products without one) in a place from ``first`` to
    ``last``; ``said`` by the forecast of that moment."""

    category: str | None
    first: date
    last: date
    said: float
    wished: int
    reason: Reason
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """What somebody expects of a place."""

    level: str  # chain | region | store
    place_id: str
    override: Override


def put(
    engine: Engine, snapshot: Snapshot, scope: Scope, actor: str, about: tuple[str | None, date, date], said: float,
    wished: int | None, reason: Reason, now: datetime,
) -> None:  # fmt: skip
    """Keeps what is expected of the place that the scope is, by category, first and last day (``about``); ``wished``
    None: the forecast counts again.

    Rule when the scope is no single place, the days are not ahead of the facts, or the units make no sense.
    """
    category, first, last = about
    place, known = place_of(scope, snapshot.engine), snapshot.info.last_day
    if place is None:
        raise Rule("override_place", "choose the chain, a region or a store")
    if known is None or not known < first <= last < first + timedelta(days=LONGEST):
        raise Rule("override_days", "choose days ahead that the forecast knows")
    if wished is not None and not 0 <= wished <= MOST:
        raise Rule("override_units", f"expect a whole number of units between 0 and {MOST:,}")
    with writing(engine) as connection:
        number = (connection.scalar(select(func.max(forecast_override.c.number))) or 0) + 1
        row = {
            "number": number, "at": now, "actor": audit.plain(actor), "level": place.level, "place_id": place.place_id,
            "category": category, "first_day": first, "last_day": last, "said": said, "wished": wished,
            "reason": reason,
        }  # fmt: skip
        connection.execute(insert(forecast_override), [row])
        told = {"first": f"{first}", "last": f"{last}", "units": "" if wished is None else wished}
        audit.append(connection, actor, "override_set", place.place_id, told, at=now)


def current(engine: Engine, snapshot: Snapshot, scope: Scope) -> tuple[Override, ...]:
    """What counts of the place that the scope is, the latest days first."""
    place = place_of(scope, snapshot.engine)
    if place is None:
        return ()
    c = forecast_override.c
    mine = (c.level == place.level) & (c.place_id == place.place_id)
    return tuple(one.override for one in _newest(engine, mine))


def in_force(engine: Engine, known: date | None) -> tuple[Placed, ...]:
    """What counts of every place and has days after ``known``, the last day of the facts."""
    return _newest(engine, forecast_override.c.last_day > known) if known is not None else ()


def newest_number(engine: Engine) -> int:
    """It grows whenever somebody expects something else, or takes it back."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.max(forecast_override.c.number))) or 0)


def _newest(engine: Engine, which: ColumnElement[bool]) -> tuple[Placed, ...]:
    c = forecast_override.c
    about = c.level, c.place_id, c.category, c.first_day, c.last_day
    numbers = select(func.max(c.number)).where(which).group_by(*about)
    query = select(forecast_override).where(c.number.in_(numbers), c.wished.is_not(None))
    with engine.connect() as connection:
        rows = connection.execute(query.order_by(c.first_day.desc(), c.last_day, c.category, c.number)).all()
    return tuple(
        Placed(
            row.level,
            row.place_id,
            Override(row.category, row.first_day, row.last_day, row.said, row.wished, row.reason, row.actor, row.at),
        )
        for row in rows
    )
