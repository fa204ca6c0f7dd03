"""One row per returned line, in the store and on the day of the return.

A return that names no customer belongs to the customer of its receipt; the exclusion is that of the receipt.
"""

SQL = """
SELECT
    r.return_id, r.line_no, r.order_id, r.order_line_no, r.store_id,
    coalesce(k.customer_key, o.customer_key) AS customer_key, r.product_id,
    clean.local_time(s.time_zone, r.returned_at) AS returned_at,
    CAST(clean.local_time(s.time_zone, r.returned_at) AS DATE) AS day,
    r.quantity, r.refund, r.reason, o.exclusion
FROM clean.return_line r
JOIN clean.stores s USING (store_id)
LEFT JOIN clean.customer_key k USING (customer_id)
LEFT JOIN clean.orders o ON o.order_id = r.order_id
"""

FACTS = "SELECT * FROM clean.returns ORDER BY day, store_id, return_id, line_no"
