"""How long each report takes on a snapshot: for the chain, one region and one store."""

import statistics
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial

from sqlalchemy import select

from data_access.marts.tables import UNKNOWN, sale_line, store
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports.order import order
from models.reports.overview import overview
from models.reports.product import product
from models.reports.retention import retention
from models.reports.segments import segments
from models.reports.store import store as store_report
from tests.benchmarks.clock import measured


def timings(snapshot: Snapshot, repeats: int) -> Iterator[dict[str, object]]:
    """One row per report and scope: median and worst wall milliseconds, median CPU milliseconds."""
    for scope_name, scope in _scopes(snapshot).items():
        for name, run in _reports(snapshot, scope).items():
            run()  # the first run compiles the statements
            runs = [measured(run)[1:] for _ in range(repeats)]
            yield {
                "report": name,
                "scope": scope_name,
                "wall_ms": round(1000 * statistics.median(wall for wall, _ in runs), 1),
                "worst_ms": round(1000 * max(wall for wall, _ in runs), 1),
                "cpu_ms": round(1000 * statistics.median(cpu for _, cpu in runs), 1),
            }


def _scopes(snapshot: Snapshot) -> dict[str, Scope]:
    with snapshot.engine.connect() as connection:
        stores = connection.execute(
            select(store.c.store_id, store.c.region_id).where(store.c.kind != UNKNOWN).order_by(store.c.store_id)
        ).all()
    first = stores[0]
    region = tuple(s.store_id for s in stores if s.region_id == first.region_id)
    return {"chain": Scope("chain"), "region": Scope("stores", region), "store": Scope("stores", (first.store_id,))}


def _reports(snapshot: Snapshot, scope: Scope) -> dict[str, Callable[[], object]]:
    last = snapshot.info.last_day
    assert last is not None, "the snapshot holds no sales"
    month, year = Period(last - timedelta(days=27), last), Period(last - timedelta(days=364), last)
    with snapshot.engine.connect() as connection:
        newest = scope.limit(select(sale_line), sale_line.c.store_id).order_by(sale_line.c.day.desc()).limit(1)
        line = connection.execute(newest).one()
    return {
        "overview 28 days": partial(overview, snapshot, scope, month),
        "overview 12 months": partial(overview, snapshot, scope, year),
        "segments": partial(segments, snapshot, scope, last),
        "retention": partial(retention, snapshot, scope, last),
        "store": partial(store_report, snapshot, scope, month, line.store_id),
        "product": partial(product, snapshot, scope, month, line.product_id),
        "order": partial(order, snapshot, scope, line.order_id),
    }
