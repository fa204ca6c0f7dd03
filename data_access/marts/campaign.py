"""Campaigns, their arms, who was assigned to them and what people did in them.

Members and events of customers that nobody registered are kept like any other, by their number.
"""

# What a customer can have done in a campaign, from the first step to the last: the n-th has the value 2 ** n in every
# set of steps that is kept as one number.
STEPS = ("targeted", "sent", "delivered", "opened", "clicked", "claimed", "visited", "bought", "bought_again")
EVENTS = STEPS[1:7]  # known from an event; to attend is to visit
BIT = {step: 1 << position for position, step in enumerate(STEPS)}

_STEP_OF = " ".join(f"WHEN '{kind}' THEN {BIT[kind]}" for kind in EVENTS) + f" WHEN 'attended' THEN {BIT['visited']}"

# One row per campaign, and one per campaign id that only arms, members or events name.
CAMPAIGN = f"""
WITH used AS (
    SELECT campaign_id, bit_or(step) AS steps FROM (
        SELECT campaign_id, CASE kind {_STEP_OF} ELSE 0 END AS step FROM clean.campaign_event
        UNION ALL SELECT campaign_id, {BIT["targeted"]} FROM clean.campaign_member
        UNION ALL SELECT campaign_id, 0 FROM clean.campaign_arm
        UNION ALL SELECT campaign_id, 0 FROM clean.campaign
    ) GROUP BY campaign_id
)
SELECT
    u.campaign_id, coalesce(nullif(c.name, ''), u.campaign_id) AS name, c.type, c.channel, c.objective, c.audience_rule,
    c.offer, c.promo_code, c.starts_on, c.ends_on, c.window_days,
    coalesce(c.ends_on, c.starts_on) + coalesce(c.window_days, 0) AS window_last, c.cost_media, c.cost_message,
    c.cost_other, c.staff_hours, coalesce(c.is_planned, false) AS is_planned, c.platform_conversions, u.steps
FROM used u LEFT JOIN clean.campaign c USING (campaign_id)
ORDER BY u.campaign_id
"""

ARM = """
SELECT campaign_id, arm, coalesce(is_control, false) AS is_control, planned_share FROM clean.campaign_arm
ORDER BY campaign_id, arm
"""

MEMBER = """
SELECT m.campaign_id, k.customer_no, m.arm, m.assigned_at
FROM clean.campaign_member m JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, m.campaign_id
"""

EVENT = """
SELECT
    e.event_id, e.campaign_id, k.customer_no, e.kind, e.occurred_at, e.channel, e.order_id, e.product_id, e.coupon_code
FROM clean.campaign_event e JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, e.occurred_at, e.event_id
"""
