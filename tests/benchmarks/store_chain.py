"""A made-up chain of many stores, written straight into a facts file, and how long its store pages take."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import create_engine

from data_access.marts import tables
from data_access.marts.registry import MARTS
from data_access.scope import Period, Scope
from data_access.snapshot import GenerationInfo, OpenFile, Snapshot
from models.jobs import teams
from models.jobs.stores import JOB
from models.reports.alerts import alerts
from models.reports.overview import overview
from models.reports.store import store
from models.reports.stores import stores
from models.reports.why import why
from tests.benchmarks.clock import measured, repeated
from tests.results_kit import with_jobs

LAST_DAY = date(2026, 11, 20)
STORES = 1_000
DAYS = 730
_REGION = 25  # stores

# {stores}, {days}, {first}, {last}; hashes stand for chance, so that every run writes the same chain.
_STATEMENTS = """
INSERT INTO generation_info (generation, built_at, as_of, first_day, last_day, currency, is_demo)
    VALUES (1, '{last}', '{last} 21:00:00', '{first}', '{last}', 'CNY', false);
INSERT INTO store (store_id, name, region_id, region_name, kind, city, city_tier, area_m2, latitude, longitude,
        opened_on, time_zone, currency)
    SELECT printf('S%04d', i), printf('Store %04d', i), printf('R%02d', i // {region}),
        printf('Region %02d', i // {region}), 'shop', printf('City %03d', i // 5), ['1', 'new_1', '2', '3'][1 + i % 4],
        40 + hash(i) % 160, 22 + hash(i, 1) % 200 / 10, 100 + hash(i, 2) % 200 / 10, DATE '2015-01-01',
        'Asia/Shanghai', 'CNY'
    FROM range({stores}) t(i);
INSERT INTO store_day (store_id, day, gross_sales, returns, net_sales, returns_of_sales, orders, identified_orders,
        units, cost, visitors)
    SELECT store_id, day, 90 * units, 2 * units, 88 * units, 2 * units, orders, orders // 2, units, 40 * units,
        7 * orders + hash(store_id, day, 1) % 60
    FROM (SELECT *, 2 * orders + hash(store_id, day) % 9 AS units
        FROM (SELECT printf('S%04d', s) AS store_id, DATE '{first}' + CAST(d AS INTEGER) AS day,
            10 + hash(s) % 60 + hash(s, d) % 12 + 4 * (d % 7 // 5) AS orders
            FROM range({stores}) p(s), range({days}) q(d)))
    ORDER BY day, store_id;
INSERT INTO store_category_day (store_id, day, category, channel, units, gross_sales, returns, net_sales, lines)
    SELECT printf('S%04d', s), DATE '{last}' - CAST(d AS INTEGER), printf('C%d', k), 'store', 9, 500 + hash(s, k) % 900,
        0, 500 + hash(s, k) % 900, 8
    FROM range({stores}) p(s), range(91) q(d), range(6) r(k) ORDER BY 2, 1, 3;
INSERT INTO staff_day (store_id, staff_id, day, hours, first_hour, last_hour, gross_sales, orders, units)
    SELECT printf('S%04d', i // 10), printf('E%05d', i), DATE '{last}' - CAST(d AS INTEGER), 7.5, 10, 18, 900, 5, 9
    FROM range({stores} * 10) p(i), range(120) q(d) WHERE (d + i) % 7 < 5 ORDER BY 1, 3, 2;
INSERT INTO place_store SELECT 'region', region_id, store_id FROM store UNION ALL
    SELECT 'store', store_id, store_id FROM store UNION ALL SELECT 'chain', 'chain', store_id FROM store;
"""


def snapshot(path: Path, stores_: int = STORES, days: int = DAYS) -> Snapshot:
    """Writes so many stores over so many days: their days, categories, shifts; no single receipts or customers."""
    first = LAST_DAY - timedelta(days=days - 1)
    values = {"stores": stores_, "days": days, "first": first, "last": LAST_DAY, "region": _REGION}
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)
        for statement in _STATEMENTS.format(**values).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    built = datetime.combine(LAST_DAY, datetime.min.time())
    info = GenerationInfo(1, built, built, first, LAST_DAY, "CNY", is_demo=False)
    file = OpenFile(path)
    return Snapshot("1", file.engine, info, files=(file,))


def reports(repeats: int, stores_: int = STORES) -> Iterator[dict[str, object]]:
    """One row for the chain, one for the job, one per report and place."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        made, wall, cpu = measured(partial(snapshot, home / "facts.duckdb", stores_))
        yield {"step": "chain", "stores": stores_, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1)}
        # Of the job teams what it keeps of stores: what it keeps of their people is of no use to these reports.
        figures = replace(teams.JOB, run=lambda snapshot, write, step: teams.write_figures(snapshot, write))
        ready, wall, cpu = measured(partial(with_jobs, made, (JOB, figures), home))
        yield {"step": "jobs stores and teams", "stores": stores_, "wall_s": round(wall, 1), "cpu_s": round(cpu, 1)}
        month = Period(LAST_DAY - timedelta(days=27), LAST_DAY)
        region = Scope("stores", tuple(f"S{number:04}" for number in range(_REGION)))
        for name, scope in (("chain", Scope("chain")), ("region", region)):
            asked: dict[str, Callable[[], object]] = {
                "stores": partial(stores, ready, scope, month),
                "alerts": partial(alerts, ready, scope),
                "overview": partial(overview, ready, scope, month),
                "why": partial(why, ready, scope, month),
                "store": partial(store, ready, scope, month, "S0001"),
            }
            for report, run in asked.items():
                yield {"report": report, "place": name, **repeated(run, repeats)}
