"""``python -m tests.load --home FOLDER``: 25 people, then 50, at one server process; prints one JSON line per page.

Every person signs in with a role drawn by lot, waits 15 s on average between two clicks and draws pages and filters
from a seed. A click is over when the server says that the script has finished. Only this machine is ever addressed.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from data_access.marts.tables import UNKNOWN, sale_order, store
from data_access.marts.tables import product as product_table
from data_access.snapshot import Snapshot, current_snapshot
from tests.browser.conftest import serve
from tests.load.person import Click, Ground, Person

_ROLES = ("manager", "manager", "regional", "marketing")
_LONGEST = 600.0


def ground_of(snapshot: Snapshot) -> Ground:
    """The stores of the snapshot, a hundred products and receipts."""
    with snapshot.engine.connect() as connection:
        stores: dict[str, list[str]] = {}
        known = select(store.c.region_id, store.c.store_id).where(store.c.kind != UNKNOWN).order_by(store.c.store_id)
        for region, store_id in connection.execute(known):
            stores.setdefault(region, []).append(store_id)
        products = connection.scalars(select(product_table.c.product_id).order_by("product_id").limit(100)).all()
        newest = select(sale_order.c.order_id).where(sale_order.c.day == snapshot.info.last_day)
        orders = connection.scalars(newest.order_by("order_id").limit(100)).all()
    return Ground(stores, {"product": products, "order": orders})


async def crowd(url: str, ground: Ground, people: int, seconds: float, think: float, seed: int) -> list[Person]:
    """``people`` visit for ``seconds``, arriving within the first ``think`` seconds."""
    until = time.monotonic() + seconds
    draw = random.Random(seed)
    visitors = []
    for number in range(people):
        role = _ROLES[number % len(_ROLES)]
        region = draw.choice(sorted(ground.stores))
        home = {"manager": draw.choice(ground.stores[region]), "regional": region}.get(role, "")
        visitors.append(Person(url, role, home, ground, think, random.Random(f"{seed} {number}")))

    async def arrive(person: Person, after: float) -> None:
        await asyncio.sleep(after)
        await person.visit(until)

    async with asyncio.timeout(seconds + 120), asyncio.TaskGroup() as group:
        for number, person in enumerate(visitors):
            group.create_task(arrive(person, think * number / people))
    return visitors


def figures(visitors: list[Person]) -> Iterator[dict[str, object]]:
    """One row for all clicks, one for the first pages, and one per page."""
    clicks = [click for person in visitors for click in person.clicks]
    yield {"page": "all", **_spread(clicks)}
    yield {"page": "first page after sign-in", **_spread([p.first for p in visitors if p.first])}
    for page in sorted({click.page for click in clicks}):
        yield {"page": page or "overview", **_spread([click for click in clicks if click.page == page])}


def _spread(clicks: list[Click]) -> dict[str, object]:
    times = sorted(click.seconds for click in clicks)
    if not times:
        return {"clicks": 0}
    p95 = statistics.quantiles(times, n=20, method="inclusive")[-1] if len(times) > 1 else times[0]
    return {
        "clicks": len(times),
        "p50_s": round(statistics.median(times), 3),
        "p95_s": round(p95, 3),
        "max_s": round(times[-1], 3),
        "kib_per_click": round(statistics.mean(click.size for click in clicks) / 1024, 1),
        "errors": sum(click.errors for click in clicks),
    }


def _cpu_of_children() -> float:
    """CPU seconds so far of the processes this one has started: of the server, that is. Steadier than the waiting."""
    here = os.getpid()
    seconds = 0.0
    for child in Path(f"/proc/{here}/task/{here}/children").read_text().split():
        after_name = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        seconds += (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a folder that holds a snapshot")
    parser.add_argument("--people", type=int, nargs="+", default=[25, 50])
    parser.add_argument("--seconds", type=float, default=120.0, help=f"at most {_LONGEST:.0f}")
    parser.add_argument("--think", type=float, default=15.0, help="mean seconds between two clicks of one person")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.seconds > _LONGEST:
        parser.error(f"a visit lasts at most {_LONGEST:.0f} s")
    ground = ground_of(current_snapshot(options.home))
    with tempfile.TemporaryDirectory() as folder:
        for people in options.people:
            running = serve(options.home, Path(folder) / f"{people}.txt", settings={"MIRROR_BATCH": "never"})
            server = next(running)
            used = _cpu_of_children()
            try:
                visit = crowd(server.url, ground, people, options.seconds, options.think, options.seed)
                visitors = asyncio.run(visit)
                used = _cpu_of_children() - used
            finally:
                running.close()
            load = os.getloadavg()[0]
            clicks = sum(len(person.clicks) + (person.first is not None) for person in visitors)
            shared = {"table": "load", "people": people, "load_average": round(load, 1)}
            print(json.dumps({**shared, "server_cpu_s_per_click": round(used / max(clicks, 1), 3)}), flush=True)
            for row in figures(visitors):
                print(json.dumps({**shared, **row}), flush=True)


if __name__ == "__main__":
    main()
