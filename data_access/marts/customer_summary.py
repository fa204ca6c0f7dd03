"""One row per customer and place with a counted order or the registration there, over all days.

A place is the chain, a region or a store. Somebody who is registered without an order has the home store and zeros.
"""

from sqlalchemy import BigInteger, Column, Date, Integer, String, Table

from data_access.marts.tables import Money, facts

customer_summary = Table(
    "customer_summary",
    facts,
    # mart: one row per customer and place with a counted order or the registration there, over all days of this file;
    # sorted by level, place_id and customer_no
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),  # 'chain', region_id or store_id
    Column("customer_no", BigInteger, nullable=False),
    Column("store_id", String),  # of the last order there; the home store of somebody without one
    Column("joined_on", Date),  # null: unknown, or not registered there
    Column("first_day", Date),  # of the first and last counted order there; null without one, orders is 0 then
    Column("last_day", Date),
    Column("orders", Integer, nullable=False),
    Column("visits", Integer, nullable=False),  # distinct days with an order
    Column("gross_sales", Money, nullable=False),
    Column("net_sales", Money, nullable=False),
)

SQL = """
WITH bought AS (
    SELECT
        level, place_id, customer_no,
        -- of two stores visited on the last day the last by id
        arg_max(store_id, (day, store_id)) FILTER (orders > 0) AS store_id,
        min(day) FILTER (orders > 0) AS first_day, max(day) FILTER (orders > 0) AS last_day,
        sum(orders) AS orders, count(DISTINCT day) FILTER (orders > 0) AS visits,
        sum(gross_sales) AS gross_sales, sum(net_sales) AS net_sales
    FROM facts.customer_store_day JOIN facts.place_store USING (store_id)
    GROUP BY level, place_id, customer_no
    HAVING sum(orders) > 0
), registered AS (
    -- The chain knows its customers without a home store, too.
    SELECT 'chain' AS level, 'chain' AS place_id, customer_no, home_store_id, joined_on
    FROM facts.customer
    UNION ALL
    SELECT level, place_id, customer_no, home_store_id, joined_on
    FROM facts.customer JOIN facts.place_store ON home_store_id = store_id AND level <> 'chain'
)
SELECT
    level, place_id, customer_no,
    coalesce(b.store_id, r.home_store_id) AS store_id,
    r.joined_on, b.first_day, b.last_day,
    coalesce(b.orders, 0) AS orders,
    coalesce(b.visits, 0) AS visits,
    coalesce(b.gross_sales, 0) AS gross_sales,
    coalesce(b.net_sales, 0) AS net_sales
FROM bought b FULL JOIN registered r USING (level, place_id, customer_no)
ORDER BY level, place_id, customer_no
"""
