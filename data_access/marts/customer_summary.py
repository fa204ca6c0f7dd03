"""One row per customer and place with a counted order or the registration there, over all days.

A place is the chain, a region or a store. Somebody who is registered without an order has the home store and zeros.
"""

SQL = """
WITH place AS (
    SELECT 'chain' AS level, 'chain' AS place_id, store_id FROM facts.store
    UNION ALL SELECT 'region', region_id, store_id FROM facts.store
    UNION ALL SELECT 'store', store_id, store_id FROM facts.store
), bought AS (
    SELECT
        level, place_id, customer_no, any_value(customer_key) AS customer_key,
        -- of two stores visited on the last day the last by id
        arg_max(store_id, (day, store_id)) FILTER (orders > 0) AS store_id,
        min(day) FILTER (orders > 0) AS first_day, max(day) FILTER (orders > 0) AS last_day,
        sum(orders) AS orders, count(DISTINCT day) FILTER (orders > 0) AS visits,
        sum(gross_sales) AS gross_sales, sum(net_sales) AS net_sales
    FROM facts.customer_store_day JOIN place USING (store_id)
    GROUP BY level, place_id, customer_no
    HAVING sum(orders) > 0
), registered AS (
    -- The chain knows its customers without a home store, too.
    SELECT 'chain' AS level, 'chain' AS place_id, customer_no, customer_key, home_store_id, joined_on
    FROM facts.customer
    UNION ALL
    SELECT level, place_id, customer_no, customer_key, home_store_id, joined_on
    FROM facts.customer JOIN place ON home_store_id = store_id AND level <> 'chain'
)
SELECT
    level, place_id, customer_no,
    coalesce(b.customer_key, r.customer_key) AS customer_key,
    coalesce(b.store_id, r.home_store_id) AS store_id,
    r.joined_on, b.first_day, b.last_day,
    coalesce(b.orders, 0) AS orders,
    coalesce(b.visits, 0) AS visits,
    coalesce(b.gross_sales, 0) AS gross_sales,
    coalesce(b.net_sales, 0) AS net_sales
FROM bought b FULL JOIN registered r USING (level, place_id, customer_no)
ORDER BY level, place_id, customer_no
"""
