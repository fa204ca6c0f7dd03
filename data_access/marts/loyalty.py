"""Tiers, the moves of customers into them, and the ledger of points.

Entries of customers that nobody registered are kept like any other, by their number.
"""

TIER = """
SELECT tier_id, coalesce(nullif(name, ''), tier_id) AS name, rank, threshold, basis, window_months, review_month
FROM clean.tier ORDER BY rank, tier_id
"""

TIER_CHANGE = """
SELECT k.customer_no, c.changed_at, c.tier_id, c.from_tier_id, c.reason
FROM clean.tier_change c JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, c.changed_at
"""

POINTS_RULE = """
SELECT rule_id, kind, points_per_unit, value_per_point, expires_after_days FROM clean.points_rule ORDER BY rule_id
"""

POINTS_ENTRY = """
SELECT e.entry_id, k.customer_no, e.booked_at, e.points, e.kind, e.campaign_id, e.order_id, e.expires_on
FROM clean.points_entry e JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, e.booked_at
"""
