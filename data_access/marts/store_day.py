"""One row per store and local day with a counted order, a return or a visitor; money in the chain's currency."""

SQL = """
WITH sold AS (
    SELECT
        store_id, day, sum(gross_sales) AS gross_sales, count(*) AS orders, count(customer_key) AS identified_orders,
        sum(units) AS units, sum(cost) AS cost
    FROM facts.sale_order WHERE exclusion IS NULL GROUP BY store_id, day
), returned AS (
    SELECT store_id, day, sum(refund) AS returns FROM facts.return_line WHERE exclusion IS NULL GROUP BY store_id, day
), refunded AS (
    -- A refund belongs to the day and store of the receipt it is linked to, or, without a link, to its own.
    SELECT
        coalesce(o.store_id, r.store_id) AS store_id, coalesce(o.day, r.day) AS day, sum(r.refund) AS returns_of_sales
    FROM facts.return_line r LEFT JOIN facts.sale_order o USING (order_id)
    WHERE r.exclusion IS NULL AND (o.order_id IS NOT NULL OR r.order_id IS NULL)
    GROUP BY ALL
), counted AS (
    -- A door counter that was down counted nothing, which is not zero.
    SELECT
        t.store_id, CAST(clean.local_time(s.time_zone, t.hour_start) AS DATE) AS day,
        sum(t.visitors) AS visitors
    FROM clean.store_traffic t JOIN clean.stores s USING (store_id)
    WHERE t.valid IS DISTINCT FROM false
    GROUP BY ALL
)
SELECT
    store_id, day,
    coalesce(gross_sales, 0) AS gross_sales,
    coalesce(returns, 0) AS returns,
    coalesce(gross_sales, 0) - coalesce(returns, 0) AS net_sales,
    coalesce(returns_of_sales, 0) AS returns_of_sales,
    coalesce(orders, 0) AS orders,
    coalesce(identified_orders, 0) AS identified_orders,
    coalesce(units, 0) AS units,
    cost, visitors
FROM sold FULL JOIN returned USING (store_id, day) FULL JOIN counted USING (store_id, day)
LEFT JOIN refunded USING (store_id, day)
WHERE orders IS NOT NULL OR returns IS NOT NULL OR visitors > 0
ORDER BY day, store_id
"""
