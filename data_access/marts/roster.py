"""Who was rostered when, what they were to sell, what they learned and were thanked for."""

# One row per rostered shift; a shift that ends before it begins has no hours.
SHIFT = """
SELECT
    h.shift_id, h.store_id, h.staff_id,
    coalesce(clean.local_time(s.time_zone, h.starts_at), h.starts_at) AS starts_at,
    coalesce(clean.local_time(s.time_zone, h.ends_at), h.ends_at) AS ends_at,
    CAST(coalesce(clean.local_time(s.time_zone, h.starts_at), h.starts_at) AS DATE) AS day,
    greatest(epoch(h.ends_at - h.starts_at) / 3600 - coalesce(h.break_minutes, 0) / 60, 0) AS hours,
    h.role
FROM clean.shift h LEFT JOIN clean.stores s USING (store_id)
ORDER BY day, h.store_id, h.staff_id, starts_at
"""

TARGET = """
SELECT target_id, store_id, staff_id, month, amount FROM clean.sales_target
ORDER BY month, store_id, staff_id NULLS FIRST
"""

COURSE = """
SELECT course_id, coalesce(nullif(name, ''), course_id) AS name, skills, valid_months FROM clean.course
ORDER BY course_id
"""

# Training and recognition belong to the store where the person works.
TRAINING = """
SELECT t.staff_id, p.home_store_id AS store_id, t.course_id, t.completed_on, t.score
FROM clean.training_record t LEFT JOIN clean.staff p USING (staff_id)
ORDER BY t.completed_on, t.staff_id, t.course_id
"""

RECOGNITION = """
SELECT r.recognition_id, r.staff_id, p.home_store_id AS store_id, r.given_at, r.reason
FROM clean.recognition r LEFT JOIN clean.staff p USING (staff_id)
ORDER BY r.given_at, r.recognition_id
"""
