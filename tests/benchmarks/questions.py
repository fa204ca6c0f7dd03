"""Five questions a dashboard asks most, as our query functions answer them, beside Apache Superset's times.

The times of Superset 6.1.0 (milliseconds, median of three, not cached, HTTP and JSON included) were taken on a chain
of the same size on a machine of two cores: they are a yardstick for the order of magnitude, not a race.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

import pandas as pd
from sqlalchemy import Date, cast, func, select

from data_access.marts.store_day import store_day
from data_access.queries import campaigns, customers, sales
from data_access.queries._frame import fetch, within
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from tests.benchmarks.clock import repeated

SUPERSET_MS = {  # on PostgreSQL, on DuckDB
    "weekly revenue by store, 24 months": (2006, 478),
    "daily revenue by store, 90 days": (720, 339),
    "campaign funnel, distinct customers": (1051, 1795),
    "new and returning customers by month": (7164, 2850),
    "region, store, category, 12 months": (8580, 1176),
}
_CHAIN = Scope("chain")


def answers(snapshot: Snapshot, repeats: int) -> Iterator[dict[str, object]]:
    """One row per question: our times and how many times faster they are than the yardstick."""
    for question, run in _questions(snapshot).items():
        frame = run()
        figures = repeated(run, repeats)
        postgresql, duck = SUPERSET_MS[question]
        yield {
            "question": question,
            "rows": len(frame),
            **figures,
            "superset_postgresql_ms": postgresql,
            "superset_duckdb_ms": duck,
            "times_faster_than_postgresql": round(postgresql / figures["wall_ms"], 1),
            "times_faster_than_duckdb": round(duck / figures["wall_ms"], 1),
        }


def _questions(snapshot: Snapshot) -> dict[str, Callable[[], pd.DataFrame]]:
    engine, last = snapshot.engine, snapshot.info.last_day
    assert last is not None, "the snapshot holds no sales"
    months = [month.date() for month in pd.date_range(end=last, periods=24, freq="MS")]
    ends = [after - timedelta(days=1) for after in months[1:]] + [last]
    by_month = [Period(first, end) for first, end in zip(months, ends, strict=True)]
    runs = (
        partial(_revenue, snapshot, Period(last - timedelta(days=729), last), "week"),
        partial(_revenue, snapshot, Period(last - timedelta(days=89), last), "day"),
        partial(campaigns.funnel_steps, _CHAIN, engine),
        partial(customers.buyers, _CHAIN, engine, by_month),
        partial(sales.by_category, _CHAIN, engine, Period(last - timedelta(days=364), last)),
    )
    return dict(zip(SUPERSET_MS, runs, strict=True))


def _revenue(snapshot: Snapshot, period: Period, unit: str) -> pd.DataFrame:
    """Net sales by store and day or week; no page draws this, so it is asked of the mart directly."""
    c = store_day.c
    start = cast(func.date_trunc(unit, c.day), Date).label("start") if unit == "week" else c.day.label("start")
    query = select(c.store_id, start, func.sum(c.net_sales).label("net_sales")).where(within(c.day, period))
    return fetch(_CHAIN, snapshot.engine, query.group_by("store_id", "start").order_by("store_id", "start"))
