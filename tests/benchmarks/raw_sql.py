"""Every table of each report as somebody would write it by hand, on the marts the report reads.

One statement per table of a report, for a place of the marts at preset days, with the columns named as the report names
them and fetched as it fetches them. ``tests/test_raw_sql.py`` holds their answers against the reports.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from data_access.marts.campaign_use import STEPS
from data_access.marts.segment_rules import GRID
from data_access.scope import Period
from data_access.snapshot import Snapshot

# {stores}: the stores of the place in a mart by store; {place}: its rows in a mart by place; {days}: the days of the
# period and of the two it is compared with.
_NOW = "day BETWEEN $first AND $last"
_BEFORE = "day BETWEEN $before_first AND $before_last"
_YEAR = "day BETWEEN $year_first AND $year_last"
_SOLD = """sum(net_sales) AS net_sales, sum(gross_sales) AS gross_sales, sum(returns) AS returns,
    sum(orders) AS orders"""
_COMPARED = f"""sum(net_sales) FILTER ({_NOW}) AS net_sales, sum(gross_sales) FILTER ({_NOW}) AS gross_sales,
    sum(returns) FILTER ({_NOW}) AS returns, sum(orders) FILTER ({_NOW}) AS orders,
    sum(net_sales) FILTER ({_BEFORE}) AS previous, sum(net_sales) FILTER ({_YEAR}) AS last_year"""
_PERIODS = """(VALUES ('value', $first, $last), ('previous', $before_first, $before_last),
    ('last_year', $year_first, $year_last)) AS period (of, begins, ends)"""

_KPIS = f"""SELECT of, {_SOLD}, sum(net_sales) / sum(orders) AS average_ticket,
    sum(units) / sum(orders) AS units_per_transaction, sum(identified_orders) / sum(orders) AS identified_share,
    sum(returns_of_sales) / sum(gross_sales) AS return_rate, sum(visitors) AS traffic,
    sum(orders) FILTER (visitors IS NOT NULL) / sum(visitors) AS conversion
FROM store_day JOIN {_PERIODS} ON day BETWEEN begins AND ends WHERE {{stores}} AND ({{days}}) GROUP BY of"""
_BUYERS = f"""SELECT of, sum(customers) FILTER (coalesce(previous_day < begins, true)) AS buyers,
    sum(customers) FILTER (previous_day IS NULL) AS new_customers,
    sum(customers) FILTER (previous_day < begins) AS returning_customers
FROM visit_gap JOIN {_PERIODS} ON day BETWEEN begins AND ends WHERE {{place}} AND ({{days}}) GROUP BY of"""
_DAYS = f"""WITH sums AS (SELECT day, {_SOLD}, sum(visitors) AS traffic,
    sum(orders) FILTER (visitors IS NOT NULL) / sum(visitors) AS conversion
    FROM store_day WHERE {{stores}} AND ({{days}}) GROUP BY day)
SELECT now.*, before.net_sales AS previous, year.net_sales AS last_year FROM sums now
LEFT JOIN sums before ON before.day = now.day - ($last::DATE - $first::DATE + 1)::INTEGER
LEFT JOIN sums year ON year.day = (now.day - INTERVAL 1 YEAR)::DATE
WHERE now.{_NOW} ORDER BY now.day"""
_MONTHS = f"""SELECT strftime(day, '%Y-%m') AS month, {_SOLD} FROM store_day WHERE {{stores}} AND {_NOW}
GROUP BY ALL ORDER BY ALL"""
_STORES = f"""SELECT store_id, name AS store, region_id, region_name AS region, kind,
    net_sales, gross_sales, returns, orders,
    CASE WHEN opened_on > $before_first THEN NULL ELSE previous END AS previous,
    CASE WHEN opened_on > $year_first THEN NULL ELSE last_year END AS last_year,
    sums.net_sales / sum(sums.net_sales) OVER () AS share
FROM store JOIN (SELECT store_id, {_COMPARED} FROM store_day WHERE {{stores}} AND ({{days}}) GROUP BY store_id) sums
USING (store_id) ORDER BY sums.net_sales DESC, store_id"""
_REGIONS = f"""SELECT region_id, any_value(region_name) AS region, count(DISTINCT store_id) AS stores, {_COMPARED},
    sum(net_sales) FILTER ({_NOW}) / sum(sum(net_sales) FILTER ({_NOW})) OVER () AS share
FROM store_day JOIN store USING (store_id) WHERE {{stores}} AND ({{days}})
GROUP BY region_id ORDER BY net_sales DESC, region_id"""
_PRODUCTS = f"""WITH sums AS (SELECT product_id, coalesce(sum(net_sales) FILTER ({_NOW}), 0) AS net_sales,
        coalesce(sum(units) FILTER ({_NOW}), 0) AS units,
        coalesce(sum(net_sales) FILTER ({_BEFORE}), 0) AS compared_with
    FROM {{products}} AND day BETWEEN $before_first AND $last GROUP BY product_id),
changes AS (SELECT *, net_sales - compared_with AS change, sum(net_sales - compared_with) OVER () AS total FROM sums),
movers AS (
    (SELECT *, 'top' AS movement, -net_sales AS place FROM changes WHERE net_sales > 0
        ORDER BY net_sales DESC, product_id LIMIT 10)
    UNION ALL (SELECT *, 'falling', change FROM changes WHERE change < 0 ORDER BY change, product_id LIMIT 10))
SELECT product_id, name AS product, category, net_sales, units, compared_with, change,
    CASE WHEN compared_with > 0 THEN change / compared_with END AS change_ratio, change / total AS contribution,
    movement
FROM movers JOIN product USING (product_id) ORDER BY movement DESC, place, product_id"""
_HEADER = "SELECT *, name AS store, region_name AS region FROM store WHERE store_id = $store"
_HOURS = f"""SELECT isodow(day) AS weekday, hour, sum(net_sales) AS net_sales, sum(orders) AS orders FROM store_hour
WHERE {{stores}} AND {_NOW} GROUP BY ALL ORDER BY ALL"""
_LATEST = f"""WITH latest AS (SELECT order_id, ordered_at, customer_no, units, gross_sales FROM sale_order
    WHERE exclusion IS NULL AND {{stores}} AND {_NOW} ORDER BY ordered_at DESC, order_id LIMIT 50)
SELECT order_id, ordered_at, printf('c%015x', customer_no) AS customer_key, units, gross_sales,
    gross_sales - coalesce((SELECT sum(refund) FROM return_line r
        WHERE r.order_id = latest.order_id AND exclusion IS NULL AND {_NOW.replace("day", "sale_day")}), 0) AS net_sales
FROM latest ORDER BY ordered_at DESC, order_id"""

_HASH = "product_hash = CAST('0x' || substr(md5($product), 1, 7) AS INTEGER) AND product_id = $product"
_PRODUCT_EVENTS = f"""events AS (
    SELECT day, store_id, gross_sales, 0 AS returns, gross_sales AS net_sales, 0 AS returns_of_sales, units,
        0 AS returned_units, 1 AS orders FROM product_order WHERE {_HASH} AND {{stores}} AND ({{days}})
    UNION ALL SELECT day, store_id, 0, refund, -refund, 0, 0, units, 0
        FROM product_return WHERE {_HASH} AND {{stores}} AND ({{days}})
    UNION ALL SELECT sale_day, sale_store_id, 0, 0, 0, refund, 0, 0, 0
        FROM product_return WHERE {_HASH} AND {{sale_stores}} AND ({{sale_days}}))"""
_PRODUCT_HEADER = "SELECT *, name AS product FROM product WHERE product_id = $product"
_PRODUCT_KPIS = f"""WITH {_PRODUCT_EVENTS} SELECT of, sum(net_sales) AS net_sales, sum(gross_sales) AS gross_sales,
    sum(returns) AS returns, sum(units) AS units, sum(returned_units) AS returned_units, sum(orders) AS orders,
    sum(net_sales) / sum(units) AS average_price, sum(returns_of_sales) / sum(gross_sales) AS return_rate
FROM events JOIN {_PERIODS} ON day BETWEEN begins AND ends GROUP BY of"""
_PRODUCT_BUYERS = f"""SELECT of, count(DISTINCT customer_no) AS buyers FROM product_order
JOIN {_PERIODS} ON day BETWEEN begins AND ends WHERE {_HASH} AND {{stores}} AND ({{days}}) GROUP BY of"""
_PRODUCT_DAYS = f"""WITH {_PRODUCT_EVENTS}, sums AS (SELECT day, sum(net_sales) AS net_sales,
    sum(gross_sales) AS gross_sales, sum(units) AS units FROM events GROUP BY day)
SELECT now.*, before.net_sales AS previous, year.net_sales AS last_year FROM sums now
LEFT JOIN sums before ON before.day = now.day - ($last::DATE - $first::DATE + 1)::INTEGER
LEFT JOIN sums year ON year.day = (now.day - INTERVAL 1 YEAR)::DATE
WHERE now.{_NOW} ORDER BY now.day"""
_PRODUCT_STORES = f"""WITH {_PRODUCT_EVENTS}, sums AS (SELECT store_id,
    coalesce(sum(net_sales) FILTER ({_NOW}), 0) AS net_sales, coalesce(sum(units) FILTER ({_NOW}), 0) AS units,
    coalesce(sum(net_sales) FILTER ({_BEFORE}), 0) AS previous
    FROM events WHERE day BETWEEN $before_first AND $last GROUP BY store_id)
SELECT store_id, name AS store, region_id, region_name AS region, sums.* EXCLUDE (store_id),
    net_sales / sum(net_sales) OVER () AS share
FROM store JOIN sums USING (store_id) ORDER BY net_sales DESC, store_id"""
_PRODUCT_LATEST = f"""SELECT order_id, ordered_at, store_id, name AS store,
    printf('c%015x', customer_no) AS customer_key, units, gross_sales
FROM product_order JOIN store USING (store_id) WHERE {_HASH} AND {{stores}} AND {_NOW}
ORDER BY ordered_at DESC, order_id LIMIT 50"""

_CELLS = "FROM segment_cell WHERE {place}"
_RFM = f"""SELECT tie_rule, r, f, m, sum(customers) AS customers, sum(gross_sales) AS gross_sales,
    sum(net_sales) AS net_sales {_CELLS} AND r IS NOT NULL GROUP BY ALL ORDER BY ALL"""
_NAMED = f"""SELECT segment, sum(customers) AS customers, sum(net_sales) AS net_sales
{_CELLS} AND tie_rule = 'keep_ties' GROUP BY ALL ORDER BY ALL"""
_ABC = f"""SELECT abc AS class, sum(customers) AS customers, sum(net_sales) AS net_sales,
    sum(customers) / sum(sum(customers)) OVER () AS customer_share,
    greatest(sum(net_sales), 0) / sum(greatest(sum(net_sales), 0)) OVER () AS net_sales_share
{_CELLS} AND tie_rule = 'keep_ties' GROUP BY ALL ORDER BY ALL"""
_QUADRANTS = f"""SELECT quadrant, sum(customers) AS customers, sum(net_sales) AS net_sales, sum(visits) AS visits
{_CELLS} AND tie_rule = 'keep_ties' AND quadrant IS NOT NULL GROUP BY ALL ORDER BY ALL"""
_STAGES = """SELECT preset, stage, sum(customers) AS customers, sum(net_sales) AS net_sales FROM lifecycle_cell
WHERE {place} GROUP BY ALL ORDER BY ALL"""
_CURVE = "SELECT customers, net_sales FROM spend_curve WHERE {place} ORDER BY customers"
_CUTS = "SELECT * EXCLUDE (level, place_id) FROM customer_cut WHERE {place}"
_SCORES = ", ".join(
    f"CASE WHEN orders > 0 THEN 1 + {' + '.join(f'({value} {than} {letter}_cut_{j})::INTEGER' for j in (1, 2, 3, 4))} "
    f"END AS {letter}"
    for letter, value, than in (
        ("r", "last_day - DATE '1970-01-01'", ">="),
        ("f", "orders", ">"),
        ("m", "net_sales", ">"),
    )
)
_MEMBERS = f"""WITH page AS (
    SELECT p.* FROM customer_place p, generation_info g
    WHERE {{place}} AND (orders > 0 OR coalesce(joined_on <= g.last_day, true))
    ORDER BY net_sales DESC, customer_no LIMIT 50),
scored AS (SELECT page.*, {_SCORES}, id_rank, a_value, a_rank, b_value, b_rank, visits_median, net_sales_median
    FROM page JOIN customer_rank USING (customer_no) LEFT JOIN customer_cut k USING (level, place_id))
SELECT printf('c%015x', customer_no) AS customer_key, store_id, name AS store,
    CASE WHEN orders = 0 THEN 'prospect' ELSE ($segments::VARCHAR[])[5 * (r - 1) + (f + m + 1) // 2] END AS segment,
    r, f, m, g.last_day - s.last_day AS recency_days, orders, visits, net_sales, gross_sales, s.last_day,
    CASE WHEN net_sales <= 0 THEN 'U' WHEN net_sales > a_value OR net_sales = a_value AND a_rank <= id_rank THEN 'A'
        WHEN net_sales > b_value OR net_sales = b_value AND b_rank <= id_rank THEN 'B' ELSE 'C' END AS abc,
    CASE WHEN orders > 0 THEN CASE WHEN visits > visits_median THEN 'frequent' ELSE 'rare' END
        || CASE WHEN net_sales > net_sales_median THEN '_high' ELSE '_low' END END AS quadrant
FROM scored s LEFT JOIN store USING (store_id), generation_info g ORDER BY net_sales DESC, customer_no"""

_MONTH = "strftime(make_date(1970 + {0} // 12, {0} % 12 + 1, 1), '%Y-%m')"
# The last month that has begun by the day of the report, and the last one that has ended.
_LAST_MONTH = "12 * (year($as_of::DATE) - 1970) + month($as_of::DATE) - 1"
_LAST_WHOLE = "12 * (year($as_of::DATE + 1) - 1970) + month($as_of::DATE + 1) - 2"
_COHORT_TABLE = f"""sizes AS (SELECT cohort, customers AS size FROM cohort_month WHERE {{place}} AND cohort = month
    AND cohort > {_LAST_MONTH} - 24),
cohorts AS (SELECT sizes.cohort, number AS month_number, size, coalesce(customers, 0) AS customers,
        sizes.cohort + number <= {_LAST_WHOLE} AS complete
    FROM sizes CROSS JOIN (SELECT unnest(range(24)) AS number)
    LEFT JOIN (SELECT cohort, month, customers FROM cohort_month WHERE {{place}}) active
        ON active.cohort = sizes.cohort AND active.month = sizes.cohort + number
    WHERE sizes.cohort + number <= {_LAST_MONTH})"""
_COHORTS = f"""WITH {_COHORT_TABLE} SELECT {_MONTH.format("cohort")} AS cohort, month_number, size, customers,
    customers / size AS rate, complete FROM cohorts ORDER BY ALL"""

_RETENTION_CURVE = f"""WITH {_COHORT_TABLE} SELECT month_number, sum(size) AS size, sum(customers) AS customers,
    sum(customers) / sum(size) AS rate FROM cohorts WHERE complete GROUP BY month_number ORDER BY month_number"""
_RETENTION_SUMMARY = """WITH sums AS (SELECT sum(customers) FILTER (cohort = month) AS customers,
    sum(repeat_customers) FILTER (cohort = month) AS repeat_customers, sum(repeat_net_sales) AS repeating,
    sum(net_sales) AS net_sales, sum(orders) AS orders FROM cohort_month WHERE {place} AND cohort >= 0)
SELECT customers, repeat_customers, repeat_customers / customers AS repeat_purchase_rate,
    repeating / net_sales AS repeat_sales_rate, orders / customers AS orders_per_customer FROM sums"""
_NEW_RETURNING = f"""WITH sums AS (SELECT month AS number,
    coalesce(sum(customers) FILTER (cohort = month), 0) AS new,
    coalesce(sum(customers) FILTER (cohort <> month), 0) AS returning,
    coalesce(sum(gross_sales) FILTER (cohort = month), 0) AS new_gross_sales,
    coalesce(sum(gross_sales) FILTER (cohort <> month), 0) AS returning_gross_sales,
    coalesce(sum(net_sales) FILTER (cohort = month), 0) AS new_net_sales,
    coalesce(sum(net_sales) FILTER (cohort <> month), 0) AS returning_net_sales
    FROM cohort_month WHERE {{place}} AND month > {_LAST_MONTH} - 24 GROUP BY month)
SELECT {_MONTH.format("number")} AS month, * EXCLUDE (number), number <= {_LAST_WHOLE} AS complete
FROM sums ORDER BY number"""

_STEPS = """WITH sums AS (
    SELECT campaign_id, step, sum(customers_in_order) AS customers, list_position($steps::VARCHAR[], step) AS position
    FROM campaign_step s JOIN campaign_use u USING (campaign_id) WHERE {place} AND NOT is_control
        AND (arm <> '' OR u.steps & 1 = 0) AND step NOT IN ('redeemed', 'unsubscribed')
    GROUP BY ALL HAVING any_value(step LIKE 'bought%' OR
        u.steps & (1 << (list_position($steps::VARCHAR[], step) - 1)::INTEGER) > 0)),
steps AS (
    SELECT *, first_value(customers) OVER way AS first,
        CASE WHEN step = 'visited' AND lag(step) OVER way = 'claimed' THEN lag(customers, 2) OVER way
            ELSE lag(customers) OVER way END AS base,
        CASE WHEN step = 'visited' AND lag(step) OVER way = 'claimed' THEN lag(step, 2) OVER way
            ELSE lag(step) OVER way END AS previous
    FROM sums WINDOW way AS (PARTITION BY campaign_id ORDER BY position)),
rates AS (SELECT *, customers / nullif(first, 0) AS rate_overall, customers / nullif(base, 0) AS rate_step,
    CASE WHEN customers <= base THEN nullif(base, 0) END AS n, 1.959963984540054 AS z,
    rate_step + z**2 / (2 * n) AS middle, rate_step * (1 - rate_step) / n + z**2 / (4 * n**2) AS spread FROM steps)
SELECT campaign_id, step, customers, rate_overall, rate_step,
    (middle - z * sqrt(spread)) / (1 + z**2 / n) AS lo95,
    (middle + z * sqrt(spread)) / (1 + z**2 / n) AS hi95,
    previous
FROM rates ORDER BY campaign_id, position"""
_OUTCOMES = """SELECT campaign_id, step AS outcome, sum(customers_in_order) AS customers
FROM campaign_step s JOIN campaign_use u USING (campaign_id) WHERE {place} AND NOT is_control
    AND (arm <> '' OR u.steps & 1 = 0) AND step IN ('redeemed', 'unsubscribed') GROUP BY ALL ORDER BY ALL"""

_DAY = """(SELECT day FROM order_place WHERE order_hash = CAST('0x' || substr(md5($order), 1, 7) AS INTEGER))"""
_RECEIPT = f"""SELECT o.*, s.name AS store, printf('c%015x', customer_no) AS customer_key,
    refunded AS returns, gross_sales - refunded AS net_sales
FROM sale_order o JOIN store s USING (store_id), (SELECT coalesce(sum(refund), 0) AS refunded FROM return_line
    WHERE order_id = $order AND sale_day IN {_DAY}) WHERE order_id = $order AND day IN {_DAY}"""
_RECEIPT_LINES = f"""SELECT l.*, coalesce(name, product_id) AS product, category
FROM sale_line l LEFT JOIN product USING (product_id) WHERE order_id = $order AND day IN {_DAY} ORDER BY line_no"""
_RECEIPT_RETURNS = f"""SELECT r.*, coalesce(p.name, product_id) AS product, s.name AS store
FROM return_line r LEFT JOIN product p USING (product_id) LEFT JOIN store s USING (store_id)
WHERE order_id = $order AND sale_day IN {_DAY} ORDER BY returned_at, return_id, line_no"""

# report -> name of an answer -> statement. Those of key figures have a row per period or one row in all.
ANSWERS: dict[str, dict[str, str]] = {
    "overview": {
        "kpis": _KPIS,
        "buyers": _BUYERS,
        "by_day": _DAYS,
        "by_month": _MONTHS,
        "by_store": _STORES,
        "by_region": _REGIONS,
        "products": _PRODUCTS,
    },
    "store": {
        "header": _HEADER,
        "kpis": _KPIS,
        "buyers": _BUYERS,
        "by_day": _DAYS,
        "hours": _HOURS,
        "products": _PRODUCTS,
        "recent_orders": _LATEST,
    },
    "product": {
        "header": _PRODUCT_HEADER,
        "kpis": _PRODUCT_KPIS,
        "buyers": _PRODUCT_BUYERS,
        "by_day": _PRODUCT_DAYS,
        "by_store": _PRODUCT_STORES,
        "recent_orders": _PRODUCT_LATEST,
    },
    "segments": {
        "rfm": _RFM,
        "named": _NAMED,
        "abc": _ABC,
        "quadrants": _QUADRANTS,
        "lifecycle": _STAGES,
        "cuts": _CUTS,
        "pareto": _CURVE,
        "members": _MEMBERS,
    },
    "retention": {
        "cohorts": _COHORTS,
        "curve": _RETENTION_CURVE,
        "summary": _RETENTION_SUMMARY,
        "new_returning": _NEW_RETURNING,
    },
    "funnel": {"steps": _STEPS, "outcomes": _OUTCOMES},
    "order": {"header": _RECEIPT, "lines": _RECEIPT_LINES, "returns": _RECEIPT_RETURNS},
}


def statements(
    report: str, snapshot: Snapshot, level: str, place_id: str, days: Period | date | None, things: Mapping[str, str]
) -> Callable[[], dict[str, pd.DataFrame]] | None:
    """A call that runs the statements of ``report`` and gives their rows by name; None where none are written.

    The page of one store is about that store whatever the place.
    """
    if report not in ANSWERS:
        return None
    if report == "store":
        level, place_id = "store", things["store"]
    values: dict[str, Any] = {"level": level, "place_id": place_id, **things, "steps": list(STEPS)}
    values["segments"] = [name for r in sorted(GRID) for name in GRID[r]]
    if isinstance(days, Period):
        before, year = days.before(), days.last_year()
        values |= {"first": days.first, "last": days.last, "before_first": before.first, "before_last": before.last}
        values |= {"year_first": year.first, "year_last": year.last}
    elif days is not None:
        values["as_of"] = days
    ready = []
    for name, question in ANSWERS[report].items():
        sql = _filled(question, level)
        wanted = set(re.findall(r"\$(\w+)", sql))
        ready.append((name, sql, {name: value for name, value in values.items() if name in wanted}))
    engine = snapshot.engine

    def run() -> dict[str, pd.DataFrame]:
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            return {name: raw.execute(sql, wanted).df() for name, sql, wanted in ready}

    return run


def _filled(question: str, level: str) -> str:
    here = "level = $level AND place_id = $place_id"
    stores = {"chain": "true", "store": "store_id = $place_id"}.get(
        level, f"store_id IN (SELECT store_id FROM place_store WHERE {here})"
    )
    days = f"{_NOW} OR {_BEFORE} OR {_YEAR}"
    sold = "product_store_day WHERE store_id = $place_id" if level == "store" else f"product_place_day WHERE {here}"
    return question.format(
        stores=stores,
        sale_stores=stores if level == "chain" else f"sale_{stores}",
        place=here,
        products=sold,
        days=days,
        sale_days=days.replace("day BETWEEN", "sale_day BETWEEN"),
    )
