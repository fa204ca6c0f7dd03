"""Service contacts, answers to surveys, planned contacts and booked services; what people wrote stays in the CRM."""

# One row per contact that was recorded; ``day`` is that of the store, or of UTC where no store is named.
TICKET = """
SELECT
    t.ticket_id, k.customer_no, t.store_id, t.order_id, t.product_id, t.lot_id, t.channel, t.opened_at,
    CAST(coalesce(clean.local_time(s.time_zone, t.opened_at), t.opened_at) AS DATE) AS day,
    t.first_response_at, t.resolved_at, t.reopened_at, t.category, coalesce(t.is_complaint, false) AS is_complaint,
    t.reason, t.staff_id
FROM clean.ticket t
LEFT JOIN clean.customer_number k USING (customer_id)
LEFT JOIN clean.stores s USING (store_id)
ORDER BY t.opened_at, t.ticket_id
"""

# The store is that of the person who was judged: an answer about nobody belongs to no store.
SURVEY_ANSWER = """
SELECT
    a.answer_id, a.kind, a.stage, a.score, a.answered_at, k.customer_no, a.order_id, a.staff_id, a.product_id,
    p.home_store_id AS store_id
FROM clean.survey_answer a
LEFT JOIN clean.customer_number k USING (customer_id)
LEFT JOIN clean.staff p USING (staff_id)
ORDER BY a.answered_at, a.answer_id
"""

FOLLOW_UP = """
SELECT f.follow_up_id, k.customer_no, f.rule, f.due_on, f.staff_id, f.channel, f.done_at, f.outcome
FROM clean.follow_up f JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, f.due_on
"""

APPOINTMENT = """
SELECT
    a.appointment_id, k.customer_no, a.store_id, a.staff_id, a.product_id, a.booked_at,
    coalesce(clean.local_time(s.time_zone, a.starts_at), a.starts_at) AS starts_at,
    coalesce(clean.local_time(s.time_zone, a.arrived_at), a.arrived_at) AS arrived_at,
    coalesce(clean.local_time(s.time_zone, a.served_at), a.served_at) AS served_at,
    a.status
FROM clean.appointment a
LEFT JOIN clean.customer_number k USING (customer_id)
LEFT JOIN clean.stores s USING (store_id)
ORDER BY a.store_id, starts_at, a.appointment_id
"""
