"""How long every report of the registry takes: at the preset periods for each kind of place, and asked freely.

Preset: the chain, a region or a store, at the days the filters offer by name and as of the last day of the data.
Free: dates of one's own, other thresholds, and a set of stores that is no region.
"""

import statistics
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from sqlalchemy import event, func, select

from data_access.errors import Problem
from data_access.marts.campaign_step import campaign_step
from data_access.marts.customer_place import customer_place
from data_access.marts.staff_day import staff_day
from data_access.marts.tables import UNKNOWN, campaign, sale_line, sale_order, store
from data_access.pseudonym import customer_key
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports import REPORTS, Report
from tests.benchmarks import raw_sql
from tests.benchmarks.clock import in_turns, repeated

MEDIAN_MS, WORST_MS, TIMES_RAW = 60.0, 200.0, 1.5  # what is aimed at for preset reports
# What pages offer beside the usual choice, all of it ready for the last day: some of each.
_OFFERED: dict[str, tuple[dict[str, Any], ...]] = {
    "movement": ({"scheme": "five_phase", "months": 12},),
    "flows": ({"scheme": "abc"},),
    "crossing": ({"rows": "segment", "columns": "tier"}, {"rows": "dominant_category", "columns": "age_band"}),
    "preferences": ({"by": "tier", "thing": "benefit"},),
    "why_mix": ({"by": "staff"}, {"ratio": "price", "by": "category"}),
    "attribution": ({"days": 30}, {"days": 365}),
    "run_out": ({"ahead_days": 7}, {"ahead_days": 30}),
    "funnel_detail": ({"by": "store"}, {"by": "channel"}, {"by": "staff"}),
}
_ASKED_OF_ONE = {("campaign", "campaign")}  # reports and their parameters that pages always give
# Choices that the refresh has not added up.
_USUAL_ORDERS = 8  # of the customer who is looked up
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
    """The store in the middle by receipts and its region; of it one receipt, its best seller, a customer and one of its
    staff; the campaign with most customers."""
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
        of = campaign_step.c
        begun = (
            select(of.campaign_id)
            .join_from(campaign_step, campaign, campaign.c.campaign_id == of.campaign_id)
            .where(of.level == "chain", of.step == "targeted", campaign.c.starts_on <= last)
            .group_by(of.campaign_id)
            .order_by(func.sum(of.customers).desc(), of.campaign_id)
        )
        campaign_id = connection.scalar(begun.limit(1))
        k = customer_place.c
        usual = select(k.customer_no).where(k.level == "store", k.place_id == middle.store_id)
        number = connection.scalar(usual.order_by(func.abs(k.orders - _USUAL_ORDERS), k.customer_no).limit(1))
        served = select(staff_day.c.staff_id).where(staff_day.c.store_id == middle.store_id)
        person = connection.scalar(
            served.group_by(staff_day.c.staff_id).order_by(func.count().desc(), staff_day.c.staff_id).limit(1)
        )
    things = {"store": middle.store_id, "product": product, "order": order, "campaign": campaign_id, "staff": person}
    if number is not None:
        things["customer"] = customer_key(number)
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


def preset(ground: Ground, repeats: int, only: Collection[str] | None = None) -> Iterator[dict[str, object]]:
    """One row per report, place, preset period and choice that pages offer, with how many statements it takes; beside
    the usual choice the hand-written statements on the same marts."""
    for report, place, words, days, choices in _asked(ground, only or REPORTS):
        run = _call(ground, report, place, days, choices)
        if run is None:
            yield {"report": report.name, "place": place.level, "skipped": "needs a thing the benchmark does not know"}
            continue
        row: dict[str, object] = {"report": report.name, "place": place.level, "days": words}
        if choices:
            row["choice"] = ", ".join(f"{name} = {value}" for name, value in choices.items())
        row["statements"] = _statements(ground.snapshot, run)
        raw = raw_sql.statements(report.name, ground.snapshot, place.level, place.place_id, days, ground.things)
        if raw is None or choices:
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


def summary(rows: list[dict[str, Any]]) -> Iterator[dict[str, object]]:
    """What ``preset`` found, all together, then every row that misses what is aimed at and by what.

    A report misses the median by the median of its own rows.
    """
    timed = [row for row in rows if "wall_ms" in row]
    if not timed:
        return
    ratios = [row["times_raw"] for row in timed if "times_raw" in row]
    worst = max(timed, key=lambda row: row["worst_ms"])
    yield {
        "rows": len(timed),
        "reports": len({row["report"] for row in timed}),
        "median_ms": statistics.median(row["wall_ms"] for row in timed),
        "worst_ms": worst["worst_ms"],
        "worst_report": worst["report"],
        "worst_times_raw": max(ratios, default=None),
    }
    for name in dict.fromkeys(row["report"] for row in timed):
        own = [row for row in timed if row["report"] == name]
        median, slowest = statistics.median(row["wall_ms"] for row in own), max(row["worst_ms"] for row in own)
        ratio = max((row["times_raw"] for row in own if "times_raw" in row), default=0.0)
        missed = {"median": median > MEDIAN_MS, "worst": slowest > WORST_MS, "times_raw": ratio > TIMES_RAW}
        if any(missed.values()):
            words = ", ".join(bar for bar, is_missed in missed.items() if is_missed)
            yield {"report": name, "misses": words, "median_ms": median, "worst_ms": slowest, "times_raw": ratio}


def _statements(snapshot: Snapshot, run: Callable[[], object]) -> int:
    """How many statements a report takes."""
    engines = [engine for engine in (snapshot.engine, snapshot.results) if engine is not None]
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def _asked(ground: Ground, names: Collection[str]) -> Iterator[tuple[Report, Place, str, Any, dict[str, Any]]]:
    for report in (REPORTS[name] for name in names):
        days: dict[str, Any] = {
            "period": ground.periods,
            "as_of": {"last day": ground.last_day},
            "nothing": {"-": None},
        }[report.over]
        for place in ground.places:
            for name, when in days.items():
                for choices in ({}, *_OFFERED.get(report.name, ())):
                    yield report, place, name, when, choices


def _call(
    ground: Ground, report: Report, place: Place, days: Any, choices: dict[str, Any] | None = None
) -> Callable[[], object] | None:
    """The report as a call without arguments; None when it needs a thing we have none of, or out of the place."""
    needed = [p for p in report.parameters if p.required or (report.name, p.name) in _ASKED_OF_ONE]
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
