"""Who worked in the tiny chain (``tests.tiny``) and made which receipts, how they were rated, and their targets."""

from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.tiny_campaigns import Rows

# receipt -> person; the others name nobody
SERVED = {"O4": "E1", "O5": "E2", "O7": "E1", "O8": "E3", "O9": "E2", "O12": "E2", "O13": "E1", "O15": "E2"}
# person, store, begins (local), hours
SHIFTS = (
    ("E1", "A", datetime(2026, 3, 2, 9), 8),
    ("E3", "A", datetime(2026, 3, 2, 12), 6),
    ("E1", "A", datetime(2026, 3, 3, 9), 8),
    ("E1", "B", datetime(2026, 3, 5, 9), 4),
    ("E2", "B", datetime(2026, 3, 5, 9), 8),
)
# person, store, answered (UTC), score
RATINGS = (
    ("E1", "A", datetime(2026, 3, 4), 5),
    ("E1", "A", datetime(2026, 3, 9), 4),
    ("E2", "B", datetime(2026, 3, 9), 2),
)
# score of a recommendation, answered (UTC), receipt, its store
OPINIONS = ((9, datetime(2026, 3, 6), "O7", "A"), (4, datetime(2026, 3, 6), None, None))
# person, store, course, completed, score
TRAINED = (
    ("E1", "A", "K1", date(2025, 6, 2), 70.0),
    ("E1", "A", "K1", date(2026, 2, 10), 90.0),
    ("E2", "B", "K1", date(2025, 11, 3), 80.0),
)
# person, store, instant (UTC)
PRAISED = (("E1", "A", datetime(2026, 3, 5)), ("E2", "B", datetime(2026, 3, 8)))


def rows() -> dict[str, Rows]:
    """The facts by table."""
    return {
        "shift": [
            {
                "shift_id": f"H{number}",
                "staff_id": person,
                "store_id": store,
                "starts_at": begins,
                "ends_at": begins + timedelta(hours=hours),
                "day": begins.date(),
                "hours": hours,
            }
            for number, (person, store, begins, hours) in enumerate(SHIFTS)
        ],
        "survey_answer": [
            {
                "answer_id": f"A{number}",
                "kind": "staff",
                "score": score,
                "answered_at": answered,
                "staff_id": person,
                "store_id": store,
            }
            for number, (person, store, answered, score) in enumerate(RATINGS)
        ]
        + [
            {
                "answer_id": f"N{number}",
                "kind": "nps",
                "score": score,
                "answered_at": answered,
                "order_id": order,
                "receipt_store_id": store,  # no column: it says whose row it is
            }
            for number, (score, answered, order, store) in enumerate(OPINIONS)
        ],
        "sales_target": [
            {
                "target_id": "G1",
                "store_id": "A",
                "staff_id": "E1",
                "month": date(2026, 3, 1),
                "amount": Decimal(500),
            },
            {"target_id": "G2", "store_id": "B", "month": date(2026, 3, 1), "amount": Decimal(900)},
        ],
        "training_record": [
            {"staff_id": person, "store_id": store, "course_id": course, "completed_on": day, "score": score}
            for person, store, course, day, score in TRAINED
        ],
        "recognition": [
            {"recognition_id": f"R{number}", "staff_id": person, "store_id": store, "given_at": at, "reason": "kind"}
            for number, (person, store, at) in enumerate(PRAISED)
        ],
    }
