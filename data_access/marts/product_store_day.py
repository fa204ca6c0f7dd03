"""One row per product, store and local day with a counted line or a return, or with sales that were refunded later."""

from sqlalchemy import Column, Date, Integer, Numeric, String, Table

from data_access.marts.tables import Money, facts

product_store_day = Table(
    "product_store_day",
    facts,
    # mart: one row per product, store and day with a counted line or a return, and where a refund belongs to the
    # sales of that day; sorted by day
    Column("product_id", String, nullable=False),
    Column("store_id", String, nullable=False),
    Column("day", Date, nullable=False),
    Column("units", Numeric(18, 4), nullable=False),
    Column("gross_sales", Money, nullable=False),
    Column("returns", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
    Column("returns_of_sales", Money, nullable=False),  # as in store_day
    Column("returned_units", Numeric(18, 4), nullable=False),
    Column("orders", Integer, nullable=False),
)

SQL = """
WITH sold AS (
    SELECT
        product_id, store_id, day, sum(quantity) AS units, sum(net) AS gross_sales, count(DISTINCT order_id) AS orders
    FROM facts.sale_line WHERE exclusion IS NULL GROUP BY product_id, store_id, day
), returned AS (
    SELECT product_id, store_id, day, sum(refund) AS returns, sum(quantity) AS returned_units
    FROM facts.return_line WHERE exclusion IS NULL GROUP BY product_id, store_id, day
), refunded AS (
    -- A refund belongs to the day and store of the receipt it is linked to, or, without a link, to its own. It may be
    -- for another product than the receipt's.
    SELECT
        r.product_id, coalesce(o.store_id, r.store_id) AS store_id, coalesce(o.day, r.day) AS day,
        sum(r.refund) AS returns_of_sales
    FROM facts.return_line r LEFT JOIN facts.sale_order o USING (order_id)
    WHERE r.exclusion IS NULL AND (o.order_id IS NOT NULL OR r.order_id IS NULL)
    GROUP BY ALL
)
SELECT
    product_id, store_id, day,
    coalesce(units, 0) AS units,
    coalesce(gross_sales, 0) AS gross_sales,
    coalesce(returns, 0) AS returns,
    coalesce(gross_sales, 0) - coalesce(returns, 0) AS net_sales,
    coalesce(returns_of_sales, 0) AS returns_of_sales,
    coalesce(returned_units, 0) AS returned_units,
    coalesce(orders, 0) AS orders
FROM sold FULL JOIN returned USING (product_id, store_id, day) FULL JOIN refunded USING (product_id, store_id, day)
ORDER BY day, store_id, product_id
"""
