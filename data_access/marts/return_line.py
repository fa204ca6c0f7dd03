"""One row per returned line, in the store and on the day of the return.

A return that names no customer belongs to the customer of its receipt; the exclusion is that of the receipt.
"""

SQL = """
SELECT
    r.return_id, r.line_no, r.order_id, r.order_line_no, r.store_id,
    coalesce(k.customer_no, o.customer_no) AS customer_no, r.product_id,
    clean.local_time(s.time_zone, r.returned_at) AS returned_at,
    CAST(clean.local_time(s.time_zone, r.returned_at) AS DATE) AS day,
    r.quantity, r.refund, r.reason, o.exclusion,
    CASE WHEN r.order_id IS NULL THEN r.store_id ELSE o.store_id END AS sale_store_id,
    CASE WHEN r.order_id IS NULL THEN CAST(clean.local_time(s.time_zone, r.returned_at) AS DATE) ELSE o.day END
        AS sale_day,
    o.channel AS sale_channel
FROM clean.return_line r
JOIN clean.stores s USING (store_id)
LEFT JOIN clean.customer_number k USING (customer_id)
LEFT JOIN clean.orders o ON o.order_id = r.order_id
"""

FACTS = "SELECT * FROM clean.returns ORDER BY day, store_id, return_id, line_no"
