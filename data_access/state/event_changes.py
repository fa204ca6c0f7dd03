"""What people change of the events that forecasts know: another day, other days around it, none at all, or one more
of their own, everywhere, in a region or in one kind of store.

Rows are added, never changed: the newest of an event, the day it is about and its place counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

import pandas as pd
from sqlalchemy import Engine, func, insert, select

from data_access.queries import places
from data_access.queries._places import place_of
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state import audit
from data_access.state.rules import Rule
from data_access.state.schema import event_change
from data_access.state.store import writing

MOST_AROUND: Final = 30  # days before or after
LONGEST: Final = 40  # characters of a name
YEARS: Final = (2015, 2035)


@dataclass(frozen=True, slots=True)
class Change:
    """An event on ``day`` with the days ``before`` and ``after`` that belong to it; None: it does not take place.

    about: the day that the shipped table gives it in that year, or the first day given to one of people's own.
    region_id, kind: where it holds, by region and by kind of store; None: everywhere.
    """

    event: str
    about: date
    day: date | None
    before: int
    after: int
    region_id: str | None
    kind: str | None

    @property
    def everywhere(self) -> bool:
        return self.region_id is None and self.kind is None


def put(engine: Engine, snapshot: Snapshot, scope: Scope, actor: str, change: Change, now: datetime) -> None:
    """Keeps a change.

    Rule when it holds outside of what ``scope`` is, or name, days or years make no sense.
    """
    if not _is_of(snapshot, scope, change):
        raise Rule("event_place", "change events of the region or the chain that this account sees as a whole")
    if not change.event.strip() or len(change.event) > LONGEST or not change.event.isprintable():
        raise Rule("event_name", f"an event has a name of at most {LONGEST} characters")
    days = [change.about, *([change.day] if change.day else [])]
    if not all(YEARS[0] <= day.year <= YEARS[1] for day in days):
        raise Rule("event_day", f"choose a day from {YEARS[0]} to {YEARS[1]}")
    if not (0 <= change.before <= MOST_AROUND and 0 <= change.after <= MOST_AROUND):
        raise Rule("event_days", f"at most {MOST_AROUND} days before and after belong to an event")
    with writing(engine) as connection:
        number = (connection.scalar(select(func.max(event_change.c.number))) or 0) + 1
        row = {"number": number, "at": now, "actor": audit.plain(actor), "event": change.event, "about": change.about}
        around = {"day": change.day, "before": change.before, "after": change.after}
        where = {"region_id": change.region_id, "kind": change.kind}
        connection.execute(insert(event_change), [row | around | where])
        told = {"about": f"{change.about}", "day": f"{change.day or ''}", "region": change.region_id or ""}
        audit.append(connection, actor, "event_changed", audit.plain(change.event), told, at=now)


def _is_of(snapshot: Snapshot, scope: Scope, change: Change) -> bool:
    """Whether all stores that the change concerns lie in the scope."""
    if change.everywhere or change.region_id is None:
        return scope.kind == "chain"
    place = place_of(scope, snapshot.engine)
    if place is not None and (place.level, place.place_id) == ("region", change.region_id):
        return True
    return scope.kind == "chain" and change.region_id in set(places.stores(scope, snapshot.engine)["region_id"])


@dataclass(frozen=True, slots=True)
class Reach:
    """Where whoever sees a scope may change events (level: None, store: nowhere), and its stores: store_id, region_id,
    region, kind."""

    level: str | None
    region_id: str | None
    stores: pd.DataFrame


def reach(snapshot: Snapshot, scope: Scope) -> Reach:
    place = place_of(scope, snapshot.engine)
    region = place.place_id if place is not None and place.level == "region" else None
    return Reach(place.level if place else None, region, places.stores(scope, snapshot.engine))


def in_force(engine: Engine) -> tuple[Change, ...]:
    """What counts, by event, day and place."""
    c = event_change.c
    numbers = select(func.max(c.number)).group_by(c.event, c.about, c.region_id, c.kind)
    query = select(event_change).where(c.number.in_(numbers)).order_by(c.event, c.about, c.region_id, c.kind, c.number)
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return tuple(Change(row.event, row.about, row.day, row.before, row.after, row.region_id, row.kind) for row in rows)


def shifts(changes: Iterable[Change]) -> dict[tuple[str, int], timedelta | None]:
    """By how much people moved a shipped event of a year everywhere; None: it does not take place."""
    moved = (one for one in changes if one.everywhere)
    return {(one.event, one.about.year): one.day - one.about if one.day else None for one in moved}


def seen_from(changes: Iterable[Change], stores: pd.DataFrame) -> tuple[Change, ...]:
    """The changes that hold everywhere, as these stores know them (store_id, region_id, kind): what was taken off in
    every one of them does not take place."""
    every = tuple(changes)
    without: dict[tuple[str, date], set[str]] = {}
    for one in every:
        if one.day is None:
            without.setdefault((one.event, one.about), set()).update(stores_of(one, stores))
    off = [about for about, gone in without.items() if gone and gone == set(stores["store_id"])]
    kept = tuple(one for one in every if one.everywhere and (one.event, one.about) not in off)
    return kept + tuple(Change(*about, None, 0, 0, None, None) for about in off)


def stores_of(change: Change, stores: pd.DataFrame) -> list[str]:
    """Those of the stores (store_id, region_id, kind) that the change concerns."""
    here = stores
    for name, value in (("region_id", change.region_id), ("kind", change.kind)):
        here = here if value is None else here[here[name] == value]
    return list(here["store_id"])


def newest_number(engine: Engine) -> int:
    """It grows whenever somebody changes an event."""
    with engine.connect() as connection:
        return int(connection.scalar(select(func.max(event_change.c.number))) or 0)
