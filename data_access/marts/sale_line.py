"""One row per line of a receipt, with the day, store, customer and exclusion of the receipt."""

SQL = """
SELECT
    l.order_id, l.line_no, o.store_id, o.customer_no, l.product_id, o.day, o.channel, l.quantity, l.list_price,
    l.discount, l.net, l.tax, l.cost, l.coupon_code, l.lot_id, o.exclusion
FROM clean.sale_line l JOIN clean.orders o USING (order_id)
ORDER BY o.day, o.store_id
"""
