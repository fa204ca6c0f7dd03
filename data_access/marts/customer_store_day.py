"""One row per identified customer, store and local day with a counted order or a return.

``orders`` is 0 on a day with only a return.
"""

SQL = """
WITH sold AS (
    SELECT customer_key, store_id, day, count(*) AS orders, sum(gross_sales) AS gross_sales
    FROM facts.sale_order WHERE exclusion IS NULL AND customer_key IS NOT NULL GROUP BY customer_key, store_id, day
), returned AS (
    SELECT customer_key, store_id, day, sum(refund) AS returns
    FROM facts.return_line WHERE exclusion IS NULL AND customer_key IS NOT NULL GROUP BY customer_key, store_id, day
)
SELECT
    customer_key, k.customer_no, store_id, day,
    coalesce(orders, 0) AS orders,
    coalesce(gross_sales, 0) AS gross_sales,
    coalesce(returns, 0) AS returns,
    coalesce(gross_sales, 0) - coalesce(returns, 0) AS net_sales
FROM sold FULL JOIN returned USING (customer_key, store_id, day)
JOIN clean.customer_key k USING (customer_key)
ORDER BY k.customer_no, day, store_id
"""
