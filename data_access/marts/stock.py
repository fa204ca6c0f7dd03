"""What was counted on the shelves, how it came and went, and what suppliers agreed and still owe."""

# One row per store and product with a count, the latest.
LEVEL = """
SELECT
    l.store_id, l.product_id, l.on_hand, coalesce(l.reserved, 0) AS reserved,
    coalesce(clean.local_time(s.time_zone, l.counted_at), l.counted_at) AS counted_at
FROM clean.stock_level l LEFT JOIN clean.stores s USING (store_id)
ORDER BY l.store_id, l.product_id
"""

# One row per line of an order to a supplier with its receipts so far. A receipt counts what came through the door, the
# rejected part too: what was rejected is not open, somebody has to order it again. Only an open order owes anything.
PURCHASE = """
WITH receipts AS (
    SELECT purchase_order_id, line_no, sum(quantity) AS received, sum(rejected) AS rejected,
        min(received_on) AS first_received_on, max(received_on) AS last_received_on
    FROM clean.goods_receipt GROUP BY purchase_order_id, line_no
)
SELECT
    l.purchase_order_id, l.line_no, o.supplier_id, o.store_id, l.product_id,
    CAST(coalesce(clean.local_time(s.time_zone, o.ordered_at), o.ordered_at) AS DATE) AS ordered_on, o.status,
    l.quantity, l.unit_cost, l.promised_on, coalesce(r.received, 0) AS received, coalesce(r.rejected, 0) AS rejected,
    r.first_received_on, r.last_received_on,
    CASE WHEN o.status = 'open' THEN greatest(l.quantity - coalesce(r.received, 0), 0) ELSE 0 END AS open_quantity
FROM clean.purchase_order_line l
LEFT JOIN clean.purchase_order o USING (purchase_order_id)
LEFT JOIN clean.stores s USING (store_id)
LEFT JOIN receipts r USING (purchase_order_id, line_no)
ORDER BY o.store_id, l.product_id, l.purchase_order_id, l.line_no
"""

LOT = """
SELECT store_id, product_id, lot_id, expires_on, quantity FROM clean.stock_lot
ORDER BY store_id, product_id, lot_id
"""

# One row per store, product, local day and kind of movement: what came (positive) or went in all.
MOVEMENT = """
SELECT
    m.store_id, m.product_id, CAST(coalesce(clean.local_time(s.time_zone, m.moved_at), m.moved_at) AS DATE) AS day,
    m.kind, sum(m.quantity) AS quantity
FROM clean.stock_movement m LEFT JOIN clean.stores s USING (store_id)
GROUP BY ALL
ORDER BY m.store_id, m.product_id, day, m.kind
"""

SUPPLIER = """
SELECT supplier_id, coalesce(nullif(name, ''), supplier_id) AS name FROM clean.supplier ORDER BY supplier_id
"""

SUPPLY_TERM = """
SELECT supplier_id, product_id, lead_time_days, order_multiple, minimum_quantity FROM clean.supply_term
ORDER BY product_id, supplier_id
"""

TRANSFER_LANE = """
SELECT from_store_id, to_store_id, cost, days, minimum_quantity FROM clean.transfer_lane
ORDER BY from_store_id, to_store_id
"""
