"""Campaigns, their arms, coupons and goods, who was assigned to them and what people did in them; price promotions.

Members and events of customers that nobody registered are kept like any other, by their number. Campaigns of which the
CRM names no members get those of the audience that was linked to them (``data_access.assigned``).
"""

# One row per campaign in its table.
CAMPAIGN = """
SELECT
    campaign_id, coalesce(nullif(name, ''), campaign_id) AS name, type, channel, objective, audience_rule, offer,
    promo_code, starts_on, ends_on, window_days,
    coalesce(ends_on, starts_on) + coalesce(window_days, 0) AS window_last, cost_media, cost_message, cost_other,
    staff_hours, coalesce(is_planned, false) AS is_planned, platform_conversions
FROM clean.campaign
ORDER BY campaign_id
"""

ARM = """
SELECT campaign_id, arm, coalesce(is_control, false) AS is_control, planned_share FROM clean.campaign_arm
UNION ALL
SELECT campaign_id, arm, is_control, planned_share FROM clean.audience_arm
ANTI JOIN clean.campaign_arm USING (campaign_id, arm)
ORDER BY campaign_id, arm
"""

MEMBER = """
SELECT m.campaign_id, k.customer_no, m.arm, m.assigned_at
FROM clean.campaign_member m JOIN clean.customer_number k USING (customer_id)
UNION ALL
SELECT campaign_id, customer_no, arm, assigned_at FROM clean.audience_member
SEMI JOIN clean.customer_number USING (customer_no)
"""

EVENT = """
SELECT
    e.event_id, e.campaign_id, k.customer_no, e.kind, e.occurred_at, e.channel, e.order_id, e.product_id, e.coupon_code
FROM clean.campaign_event e JOIN clean.customer_number k USING (customer_id)
"""

STORE = "SELECT campaign_id, store_id FROM clean.campaign_store ORDER BY campaign_id, store_id"

PRODUCT = "SELECT campaign_id, product_id FROM clean.campaign_product ORDER BY campaign_id, product_id"

COUPON = """
SELECT campaign_id, coupon_code, kind, face_value, valid_from, valid_to FROM clean.coupon
ORDER BY campaign_id, coupon_code
"""

COUPON_PRODUCT = """
SELECT campaign_id, coupon_code, product_id FROM clean.coupon_product ORDER BY campaign_id, coupon_code, product_id
"""

# One row per price promotion and store where it holds: one that names no store holds in all of them.
PRICE_PROMOTION = """
SELECT p.promotion_id, s.store_id, p.product_id, p.category, p.starts_on, p.ends_on, p.discount, p.kind
FROM clean.price_promotion p JOIN clean.stores s ON p.store_id IS NULL OR p.store_id = s.store_id
ORDER BY p.starts_on, p.promotion_id, s.store_id
"""

MARKET_OBSERVATION = """
SELECT metric, nullif(category, '') AS category, observed_on, avg(value) AS value FROM clean.market_observation
GROUP BY ALL ORDER BY metric, category, observed_on
"""

HOLIDAY = """
SELECT day, event, region, coalesce(nullif(name, ''), event) AS name FROM clean.holiday ORDER BY day, event, region
"""
