"""A made-up chain of many people, written straight into a facts file: for measuring the staff pages at scale."""

from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import create_engine

from data_access.marts import tables
from data_access.marts.registry import MARTS
from data_access.snapshot import GenerationInfo, OpenFile, Snapshot

LAST_DAY = date(2026, 11, 20)
_EACH = 10  # people of a store
_REGION = 100  # stores

# {people}, {stores}, {first}, {last}; hashes stand for chance, so that every run writes the same chain.
_STATEMENTS = """
INSERT INTO generation_info (generation, built_at, as_of, first_day, last_day, currency, is_demo)
    VALUES (1, '{last}', '{last} 21:00:00', '{first}', '{last}', 'CNY', false);
INSERT INTO store (store_id, name, region_id, region_name, kind, opened_on, time_zone, currency)
    SELECT printf('S%04d', i), printf('Store %04d', i), printf('R%02d', i // {region}),
        printf('Region %02d', i // {region}),
        'shop', DATE '2015-01-01', 'Asia/Shanghai', 'CNY'
    FROM range({stores}) t(i);
INSERT INTO staff (staff_id, home_store_id, role, hired_on)
    SELECT printf('E%05d', i), printf('S%04d', i // {each}), 'adviser', DATE '2020-01-01' FROM range({people}) t(i);
INSERT INTO staff_day (store_id, staff_id, day, hours, first_hour, last_hour, gross_sales, orders, units)
    SELECT printf('S%04d', i // {each}), printf('E%05d', i), DATE '{first}' + CAST(d AS INTEGER), 7.5,
        10 + 4 * (hash(i, d // 7) % 2), 18 + 4 * (hash(i, d // 7) % 2),
        200 + hash(i, d) % 4000 + 10 * (hash(i) % 100), 1 + hash(d, i) % 9, 2 + hash(d, i) % 15
    FROM range({people}) p(i), range({days}) q(d) WHERE (d + i) % 7 < 5
    ORDER BY 1, 3, 2;
INSERT INTO store_traffic (store_id, day, hour, visitors)
    SELECT printf('S%04d', s), DATE '{first}' + CAST(d AS INTEGER), h, 5 + hash(s, d, h) % 20 + h % 7
    FROM range({stores}) p(s), range({days}) q(d), range(10, 22) r(h) ORDER BY 1, 2, 3;
INSERT INTO sale_order (order_id, store_id, staff_id, channel, ordered_at, utc, day, gross_sales, units, lines)
    SELECT staff_id || day, store_id, staff_id, 'store', day + INTERVAL 12 HOUR, day + INTERVAL 4 HOUR, day,
        gross_sales, units, 1
    FROM staff_day WHERE day > DATE '{last}' - 120;
INSERT INTO return_line (return_id, line_no, order_id, store_id, product_id, returned_at, day, quantity, refund)
    SELECT 'R' || order_id, 1, order_id, store_id, 'P', ordered_at, day, 1, 90
    FROM sale_order WHERE hash(order_id) % 30 = 0;
INSERT INTO survey_answer (answer_id, kind, score, answered_at, staff_id, store_id)
    SELECT printf('A%d', i), 'staff', 1 + hash(i) % 5, DATE '{last}' - CAST(hash(i, 1) % {days} AS INTEGER),
        printf('E%05d', i % {people}), printf('S%04d', i % {people} // {each})
    FROM range({people} * 10) t(i);
INSERT INTO ticket (ticket_id, store_id, staff_id, opened_at, day, first_response_at, resolved_at, is_complaint)
    SELECT printf('T%d', i), printf('S%04d', i % {people} // {each}), printf('E%05d', i % {people}), o, CAST(o AS DATE),
        o + INTERVAL 1 HOUR * CAST(hash(i) % 9 AS INTEGER),
        o + INTERVAL 1 HOUR * CAST(9 + hash(i) % 40 AS INTEGER), false
    FROM (SELECT i, TIMESTAMP '{last} 12:00:00' - INTERVAL 1 DAY * CAST(hash(i, 2) % {days} AS INTEGER) o
        FROM range({people} * 6) t(i));
INSERT INTO customer (customer_no, home_store_id, is_adult)
    SELECT i, printf('S%04d', i % {stores}), true FROM range({people} * 20) t(i);
INSERT INTO follow_up (follow_up_id, customer_no, rule, due_on, staff_id, done_at)
    SELECT printf('F%d', i), i, 'after', DATE '{last}' - CAST(hash(i) % {days} AS INTEGER),
        printf('E%05d', i % {stores} * {each} + i % {each}),
        CASE WHEN hash(i, 3) % 3 > 0 THEN TIMESTAMP '{last} 12:00:00' END
    FROM range({people} * 20) t(i);
INSERT INTO place_store SELECT 'region', region_id, store_id FROM store UNION ALL
    SELECT 'store', store_id, store_id FROM store UNION ALL SELECT 'chain', 'chain', store_id FROM store;
"""


def snapshot(path: Path, people: int, days: int) -> Snapshot:
    """Writes so many people, ten to a store, who worked five days of seven over so many days; opens the file."""
    first = LAST_DAY - timedelta(days=days - 1)
    values = {"people": people, "stores": people // _EACH, "days": days, "first": first, "last": LAST_DAY}
    engine = create_engine(f"duckdb:///{path}")
    tables.facts.create_all(engine)
    with engine.begin() as connection:
        for mart in MARTS:
            mart.table.create(connection, checkfirst=True)
        for statement in _STATEMENTS.format(**values, each=_EACH, region=_REGION).split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
    engine.dispose()
    info = GenerationInfo(1, datetime(2026, 11, 21), datetime(2026, 11, 20, 21), first, LAST_DAY, "CNY", is_demo=False)
    file = OpenFile(path)
    return Snapshot("1", file.engine, info, files=(file,))
