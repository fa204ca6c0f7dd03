"""One row per product, store and local day with a counted line or a return."""

SQL = """
WITH sold AS (
    SELECT
        product_id, store_id, day, sum(quantity) AS units, sum(net) AS gross_sales, count(DISTINCT order_id) AS orders
    FROM facts.sale_line WHERE exclusion IS NULL GROUP BY product_id, store_id, day
), returned AS (
    SELECT product_id, store_id, day, sum(refund) AS returns, sum(quantity) AS returned_units
    FROM facts.return_line WHERE exclusion IS NULL GROUP BY product_id, store_id, day
)
SELECT
    product_id, store_id, day,
    coalesce(units, 0) AS units,
    coalesce(gross_sales, 0) AS gross_sales,
    coalesce(returns, 0) AS returns,
    coalesce(gross_sales, 0) - coalesce(returns, 0) AS net_sales,
    coalesce(returned_units, 0) AS returned_units,
    coalesce(orders, 0) AS orders
FROM sold FULL JOIN returned USING (product_id, store_id, day)
ORDER BY day, store_id, product_id
"""
