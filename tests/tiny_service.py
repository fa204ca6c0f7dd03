"""What else the tiny chain (``tests.tiny``) knows of its customers: service, loyalty, tags, a coupon.

Customer 1 is at home in A and shops in B, too: one contact, call, appointment and booking of points belongs to each.
"""

from datetime import date, datetime
from decimal import Decimal

from tests.tiny_campaigns import Rows

# ticket, customer, store, opened (UTC), category, reason, complaint, resolved
TICKETS = (
    ("T1", 1, "A", datetime(2026, 3, 3, 2), "product", "skin_reaction", True, datetime(2026, 3, 4, 2)),
    ("T2", 1, "B", datetime(2026, 3, 10, 2), "delivery", "late_delivery", True, None),
    ("T3", 2, "A", datetime(2026, 3, 16, 2), "loyalty", "membership", False, None),
)
# customer, staff, done (UTC; None: not yet), rule, outcome
CALLS = (
    (1, "E1", datetime(2026, 3, 8, 3), "d3", "reached"),
    (1, "E2", datetime(2026, 3, 9, 3), "d3", "no_answer"),
    (1, "E1", None, "w3", None),
)
STAFF = (("E1", "A"), ("E2", "B"))
# customer, store, starts (local), status
APPOINTMENTS = ((1, "A", datetime(2026, 4, 2, 15), "booked"), (1, "B", datetime(2026, 3, 12, 11), "served"))
# customer, booked (UTC), points, kind, order
POINTS = (
    (1, datetime(2026, 3, 2, 4), 60, "earn", "O7"),
    (1, datetime(2026, 3, 5, 4), 205, "earn", "O9"),
    (1, datetime(2026, 3, 9), -100, "expire", None),
    (2, datetime(2026, 3, 15, 4), 130, "earn", "O4"),
)
# tier, name, rank, threshold
TIERS = (("basic", "Basic", 1, 0), ("silver", "Silver", 2, 500), ("gold", "Gold", 3, 2_000))
# customer, changed (UTC), tier, from, reason; 1 rose by what was bought in B
TIER_CHANGES = (
    (1, datetime(2025, 1, 1, 2), "basic", None, "join"),
    (1, datetime(2026, 3, 5, 3), "silver", "basic", "upgrade"),
    (2, datetime(2025, 1, 1, 2), "basic", None, "join"),
)
TAGS = ((1, "gifts"), (2, "new products"))


def rows() -> dict[str, Rows]:
    """The facts by table."""
    return {
        "staff": [{"staff_id": staff, "home_store_id": store} for staff, store in STAFF],
        "ticket": [
            {
                "ticket_id": ticket,
                "customer_no": customer,
                "store_id": store,
                "channel": "phone",
                "opened_at": opened,
                "day": opened.date(),
                "category": category,
                "reason": reason,
                "is_complaint": complaint,
                "resolved_at": resolved,
                "staff_id": {"A": "E1", "B": "E2"}[store],
            }
            for ticket, customer, store, opened, category, reason, complaint, resolved in TICKETS
        ],
        "follow_up": [
            {
                "follow_up_id": f"F{number}",
                "customer_no": customer,
                "rule": rule,
                "due_on": date(2026, 3, 8),
                "staff_id": staff,
                "channel": "phone",
                "done_at": done,
                "outcome": outcome,
            }
            for number, (customer, staff, done, rule, outcome) in enumerate(CALLS)
        ],
        "appointment": [
            {
                "appointment_id": f"A{number}",
                "customer_no": customer,
                "store_id": store,
                "product_id": "P1",
                "booked_at": datetime(2026, 3, 1),
                "starts_at": starts,
                "status": status,
            }
            for number, (customer, store, starts, status) in enumerate(APPOINTMENTS)
        ],
        "points_entry": [
            {
                "entry_id": f"P{number}",
                "customer_no": customer,
                "booked_at": booked,
                "points": points,
                "kind": kind,
                "order_id": order,
            }
            for number, (customer, booked, points, kind, order) in enumerate(POINTS)
        ],
        "tier": [
            {
                "tier_id": tier,
                "name": name,
                "rank": rank,
                "threshold": Decimal(threshold),
                "basis": "net_sales",
                "window_months": 12,
                "review_month": 1,
            }
            for tier, name, rank, threshold in TIERS
        ],
        "tier_change": [
            {"customer_no": customer, "changed_at": at, "tier_id": tier, "from_tier_id": before, "reason": reason}
            for customer, at, tier, before, reason in TIER_CHANGES
        ],
        "customer_tag": [{"customer_no": customer, "tag": tag} for customer, tag in TAGS],
        "coupon": [
            {
                "campaign_id": "K1",
                "coupon_code": "C1",
                "kind": "amount_off",
                "face_value": Decimal(30),
                "valid_from": date(2026, 3, 1),
                "valid_to": date(2026, 3, 31),
            }
        ],
    }
