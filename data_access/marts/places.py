"""Stores, products and staff, with a placeholder for whatever a receipt names but nobody knows."""

# The ids of stores that receipts and returns name.
NAMED = "SELECT store_id FROM clean.sale_order UNION SELECT store_id FROM clean.return_line"

# One row per store, and one per store id that only {named} has (kind and region 'unknown'). A time
# zone nobody knows gives way to the chain's most common one.
STORE = """
WITH named AS (
    {named}
), zones AS (
    SELECT store_id, z.name AS time_zone FROM clean.store JOIN pg_timezone_names() z ON z.name = time_zone
), common AS (
    SELECT coalesce((SELECT time_zone FROM zones GROUP BY time_zone ORDER BY count(*) DESC, time_zone LIMIT 1), 'UTC')
        AS time_zone
)
SELECT
    s.store_id,
    coalesce(nullif(s.name, ''), s.store_id) AS name,
    coalesce(s.region_id, 'unknown') AS region_id,
    coalesce(nullif(r.name, ''), s.region_id, 'unknown') AS region_name,
    s.city, s.city_tier, coalesce(s.kind, 'shop') AS kind, s.area_m2, s.opened_on, s.closed_on, s.latitude, s.longitude,
    coalesce(z.time_zone, c.time_zone) AS time_zone,
    coalesce(s.currency, $currency) AS currency
FROM clean.store s CROSS JOIN common c
LEFT JOIN clean.region r USING (region_id)
LEFT JOIN zones z USING (store_id)
UNION ALL BY NAME
SELECT n.store_id, n.store_id AS name, 'unknown' AS region_id, 'unknown' AS region_name, 'unknown' AS kind,
    c.time_zone, $currency AS currency
FROM named n CROSS JOIN common c ANTI JOIN clean.store s USING (store_id)
ORDER BY store_id
"""

# One row per product, and one per product id that only lines name.
PRODUCT = """
WITH named AS (
    SELECT product_id FROM facts.sale_line UNION SELECT product_id FROM facts.return_line
)
SELECT * EXCLUDE (unreadable, updated_at) REPLACE (coalesce(nullif(name, ''), product_id) AS name) FROM clean.product
UNION ALL BY NAME
SELECT product_id, product_id AS name FROM named ANTI JOIN clean.product USING (product_id)
ORDER BY product_id
"""

# One row per store and local hour with a valid door count. A counter that was down counted nothing, which is not zero.
TRAFFIC = """
SELECT
    t.store_id, CAST(clean.local_time(s.time_zone, t.hour_start) AS DATE) AS day,
    hour(clean.local_time(s.time_zone, t.hour_start)) AS hour, sum(t.visitors) AS visitors
FROM clean.store_traffic t JOIN clean.stores s USING (store_id)
WHERE t.valid IS DISTINCT FROM false AND t.visitors IS NOT NULL
GROUP BY ALL
ORDER BY day, store_id, hour
"""

# One row per person who works or worked for the chain; no name.
STAFF = "SELECT * EXCLUDE (unreadable, updated_at) FROM clean.staff ORDER BY staff_id"

CLOSURE = "SELECT store_id, day, reason FROM clean.store_closure ORDER BY day, store_id"
