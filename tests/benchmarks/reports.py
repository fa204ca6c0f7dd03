"""How long every report of the registry takes: at the preset periods for each kind of place, and asked freely.

Preset: the chain, a region or a store, at the days the filters offer by name and as of the last day of the data.
Free: dates of one's own, other thresholds, and a set of stores that is no region.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import func, select

from data_access.errors import Problem
from data_access.marts.tables import UNKNOWN, campaign, sale_line, sale_order, store
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports import REPORTS, Report
from tests.benchmarks import raw_sql
from tests.benchmarks.clock import in_turns, repeated

# Choices that the refresh has not added up.
_EDITED: dict[str, tuple[dict[str, Any], ...]] = {
    "segments": ({"abc_a": 0.75, "abc_b": 0.9}, {"window_months": 12}, {"monetary": "gross_sales"}),
    "retention": ({"months": None},),
    "funnel": ({"counted": "any_order"},),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A place of one kind, and its scope."""

    level: str  # chain | region | store | set
    place_id: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Ground:
    """What the reports are asked about: typical places and things of the snapshot."""

    snapshot: Snapshot
    places: tuple[Place, ...]
    some_stores: Place
    things: dict[str, str]  # parameter -> id
    last_day: date

    @property
    def periods(self) -> dict[str, Period]:
        first = self.snapshot.info.first_day
        assert first is not None
        named = {"7d": 7, "28d": 28, "90d": 90, "12m": 365}
        found = {name: Period(self.last_day - timedelta(days=days - 1), self.last_day) for name, days in named.items()}
        return {**found, "all": Period(first, self.last_day)}


def ground_of(snapshot: Snapshot) -> Ground:
    """The store in the middle by receipts and its region; one of its receipts, its best seller, a large campaign."""
    last = snapshot.info.last_day
    assert last is not None, "the snapshot holds no sales"
    s, o, line = store.c, sale_order.c, sale_line.c
    with snapshot.engine.connect() as connection:
        by_size = (
            select(s.store_id, s.region_id)
            .join_from(sale_order, store, s.store_id == o.store_id)
            .where(s.kind != UNKNOWN, o.day > last - timedelta(days=28))
            .group_by(s.store_id, s.region_id)
            .order_by(func.count().desc(), s.store_id)
        )
        stores = connection.execute(by_size).all()
        middle = stores[len(stores) // 2]
        region = tuple(row.store_id for row in stores if row.region_id == middle.region_id)
        sold = select(line.product_id).where(line.store_id == middle.store_id, line.day > last - timedelta(days=28))
        product = connection.scalar(sold.group_by(line.product_id).order_by(func.count().desc(), line.product_id))
        receipt = select(o.order_id).where(o.store_id == middle.store_id, o.exclusion.is_(None))
        order = connection.scalar(receipt.order_by(o.day.desc(), o.order_id.desc()).limit(1))
        begun = select(campaign.c.campaign_id).where(campaign.c.starts_on <= last).order_by(campaign.c.starts_on.desc())
        campaign_id = connection.scalar(begun.limit(1))
    things = {"store": middle.store_id, "product": product, "order": order, "campaign": campaign_id}
    every = sorted(row.store_id for row in stores)
    return Ground(
        snapshot,
        (
            Place("chain", "chain", Scope("chain")),
            Place("region", middle.region_id, Scope("stores", region)),
            Place("store", middle.store_id, Scope("stores", (middle.store_id,))),
        ),
        Place("set", "", Scope("stores", tuple(every[:: max(len(every) // 7, 1)]))),
        {name: str(value) for name, value in things.items() if value is not None},
        last,
    )


def preset(ground: Ground, repeats: int) -> Iterator[dict[str, object]]:
    """One row per report, place and preset period; beside it the hand-written statements on the same marts."""
    for report, place, words, days in _asked(ground):
        run = _call(ground, report, place, days)
        if run is None:
            yield {"report": report.name, "place": place.level, "skipped": "needs a thing the benchmark does not know"}
            continue
        row: dict[str, object] = {"report": report.name, "place": place.level, "days": words}
        raw = raw_sql.statements(report.name, ground.snapshot, place.level, place.place_id, days, ground.things)
        if raw is None:
            yield row | repeated(run, repeats)
            continue
        ours, theirs = in_turns((run, raw), repeats)
        yield (
            row
            | ours
            | {
                "raw_wall_ms": theirs["wall_ms"],
                "raw_cpu_ms": theirs["cpu_ms"],
                "times_raw": round(ours["wall_ms"] / theirs["wall_ms"], 2),
                "times_raw_cpu": round(ours["cpu_ms"] / theirs["cpu_ms"], 2),
            }
        )


def free(ground: Ground, repeats: int) -> Iterator[dict[str, object]]:
    """One row per report asked with own dates, other thresholds and an arbitrary set of stores."""
    last = ground.last_day
    own = Period(last - timedelta(days=143), last - timedelta(days=11))
    chain = ground.places[0]
    for report in REPORTS.values():
        days: Any = {"period": own, "as_of": own.last, "nothing": None}[report.over]
        usual: Any = {"period": ground.periods["28d"], "as_of": last, "nothing": None}[report.over]
        asked: list[tuple[str, Place, Any, dict[str, Any]]] = [("a set of stores", ground.some_stores, usual, {})]
        if days is not None:
            asked.append(("own dates", chain, days, {}))
            asked.append(("own dates, a set of stores", ground.some_stores, days, {}))
        for choices in _EDITED.get(report.name, ()):
            words = ", ".join(f"{name} = {value}" for name, value in choices.items())
            asked += [(words, chain, usual, choices), (f"{words}, a set of stores", ground.some_stores, usual, choices)]
        for words, place, when, choices in asked:
            run = _call(ground, report, place, when, choices)
            if run is not None:
                yield {"report": report.name, "asked": words} | repeated(run, max(repeats // 2, 2))


def _asked(ground: Ground) -> Iterator[tuple[Report, Place, str, Any]]:
    for report in REPORTS.values():
        for place in ground.places:
            match report.over:
                case "period":
                    for name, period in ground.periods.items():
                        yield report, place, name, period
                case "as_of":
                    yield report, place, "last day", ground.last_day
                case "nothing":
                    yield report, place, "-", None


def _call(
    ground: Ground, report: Report, place: Place, days: Any, choices: dict[str, Any] | None = None
) -> Callable[[], object] | None:
    """The report as a call without arguments; None when it needs a thing we have none of, or out of the place."""
    needed = [p for p in report.parameters if p.required]
    if any(p.name not in ground.things for p in needed):
        return None
    given = {p.argument: ground.things[p.name] for p in needed} | (choices or {})
    when = () if days is None else (days,)
    run = partial(report.function, ground.snapshot, place.scope, *when, **given)
    try:
        run()
    except Problem:  # the store or receipt lies outside this place
        return None
    return run
