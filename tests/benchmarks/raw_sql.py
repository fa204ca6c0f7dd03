"""The main questions of each report as somebody would write them by hand, on the marts the report reads.

One statement per question, for a place of the marts at preset days. A report does more with the rows (key figures,
comparisons, tables to draw); the ratio of its time to that of these statements says what that costs.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from data_access.scope import Period
from data_access.snapshot import Snapshot

# {stores}: the stores of the place in a mart by store; {place}: its rows in a mart by place.
_DAYS = """SELECT day, sum(gross_sales), sum(returns), sum(net_sales), sum(returns_of_sales), sum(units), sum(orders),
    sum(identified_orders), sum(visitors), sum(orders) FILTER (visitors IS NOT NULL)
FROM store_day WHERE {stores} AND ({days}) GROUP BY day ORDER BY day"""
_STORES = """SELECT store_id, sum(net_sales) FILTER (day BETWEEN $first AND $last), sum(gross_sales)
    FILTER (day BETWEEN $first AND $last), sum(orders) FILTER (day BETWEEN $first AND $last),
    sum(net_sales) FILTER (day BETWEEN $before_first AND $before_last),
    sum(net_sales) FILTER (day BETWEEN $year_first AND $year_last)
FROM store_day WHERE {stores} AND ({days}) GROUP BY store_id ORDER BY store_id"""
_BUYERS = """SELECT sum(customers) FILTER (day BETWEEN $first AND $last AND coalesce(previous_day < $first, true)),
    sum(customers) FILTER (day BETWEEN $first AND $last AND previous_day IS NULL),
    sum(customers) FILTER (day BETWEEN $before_first AND $before_last AND coalesce(previous_day < $before_first, true)),
    sum(customers) FILTER (day BETWEEN $year_first AND $year_last AND coalesce(previous_day < $year_first, true))
FROM visit_gap WHERE {place} AND ({days})"""
_PRODUCTS = """SELECT p.product_id, name, category, now, units, before FROM (
    SELECT product_id, sum(net_sales) FILTER (day BETWEEN $first AND $last) AS now,
        sum(units) FILTER (day BETWEEN $first AND $last) AS units,
        sum(net_sales) FILTER (day BETWEEN $before_first AND $before_last) AS before
    FROM {products} AND day BETWEEN $before_first AND $last GROUP BY product_id
) s JOIN product p USING (product_id) ORDER BY product_id"""
_HOURS = """SELECT isodow(day) AS weekday, hour, sum(net_sales), sum(orders) FROM store_hour
WHERE {stores} AND day BETWEEN $first AND $last GROUP BY ALL ORDER BY ALL"""
_PRODUCT_DAYS = """SELECT day, sum(gross_sales), sum(units), count(*), count(DISTINCT customer_no) FROM product_order
WHERE product_id = $product AND {stores} AND ({days}) GROUP BY day ORDER BY day"""
_PRODUCT_STORES = """SELECT store_id, sum(gross_sales) FILTER (day BETWEEN $first AND $last),
    sum(gross_sales) FILTER (day BETWEEN $before_first AND $before_last), count(DISTINCT customer_no)
FROM product_order WHERE product_id = $product AND {stores} AND day BETWEEN $before_first AND $last
GROUP BY store_id ORDER BY store_id"""
_SEGMENTS = "SELECT * FROM segment_cell WHERE {place}"
_CURVE = "SELECT customers, net_sales FROM spend_curve WHERE {place} ORDER BY customers"
_COHORTS = "SELECT * FROM cohort_month WHERE {place} ORDER BY cohort, month"
_FUNNEL = """SELECT campaign_id, arm, step, sum(customers), sum(customers_at_least), sum(customers_in_order)
FROM campaign_step WHERE {place} GROUP BY ALL ORDER BY ALL"""
_RECEIPT = "SELECT * FROM sale_order WHERE order_id = $order"
_RECEIPT_LINES = """SELECT l.*, name, category FROM sale_line l LEFT JOIN product p USING (product_id)
WHERE order_id = $order ORDER BY line_no"""
_RECEIPT_RETURNS = "SELECT * FROM return_line WHERE order_id = $order"

QUESTIONS: dict[str, tuple[str, ...]] = {
    "overview": (_DAYS, _STORES, _BUYERS, _PRODUCTS),
    "store": (_DAYS, _BUYERS, _HOURS, _PRODUCTS),
    "product": (_PRODUCT_DAYS, _PRODUCT_STORES),
    "segments": (_SEGMENTS, _CURVE),
    "retention": (_COHORTS,),
    "funnel": (_FUNNEL,),
    "order": (_RECEIPT, _RECEIPT_LINES, _RECEIPT_RETURNS),
}


def statements(
    report: str, snapshot: Snapshot, level: str, place_id: str, days: Period | date | None, things: Mapping[str, str]
) -> Callable[[], object] | None:
    """A call that runs the statements of ``report`` and fetches their rows; None where none are written.

    The page of one store is about that store whatever the place.
    """
    if report not in QUESTIONS:
        return None
    if report == "store":
        level, place_id = "store", things["store"]
    values: dict[str, Any] = {"level": level, "place_id": place_id, **things}
    if isinstance(days, Period):
        before, year = days.before(), days.last_year()
        values |= {"first": days.first, "last": days.last, "before_first": before.first, "before_last": before.last}
        values |= {"year_first": year.first, "year_last": year.last}
    ready = []
    for question in QUESTIONS[report]:
        sql = _filled(question, level)
        ready.append((sql, {name: value for name, value in values.items() if f"${name}" in sql}))
    engine = snapshot.engine

    def run() -> None:
        with engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            for sql, wanted in ready:
                raw.execute(sql, wanted).df()

    return run


def _filled(question: str, level: str) -> str:
    here = "level = $level AND place_id = $place_id"
    stores = {"chain": "true", "store": "store_id = $place_id"}.get(
        level, f"store_id IN (SELECT store_id FROM place_store WHERE {here})"
    )
    products = "product_store_day WHERE store_id = $place_id" if level == "store" else f"product_place_day WHERE {here}"
    days = (
        "day BETWEEN $first AND $last OR day BETWEEN $before_first AND $before_last "
        "OR day BETWEEN $year_first AND $year_last"
    )
    return question.format(stores=stores, place=here, products=products, days=days)
