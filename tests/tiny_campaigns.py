"""The campaigns and the stock of the tiny chain (``tests.tiny``).

K1 runs from 1 to 10 March 2026 and counts orders to the 12th, with a control group. K2 has no dates and says nothing of
its arms. K3 is in no table, one event names it. K4 was in February, K5 begins after the first order of customer 6.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

Rows = list[dict[str, Any]]

SHANGHAI = timedelta(hours=8)


def march(day: int, hour: int, minute: int = 0) -> datetime:
    """An instant of March 2026, UTC, from the local time of the stores."""
    return datetime(2026, 3, day, hour, minute) - SHANGHAI


# campaign -> first day, last day, days after it that count
CAMPAIGNS: dict[str, tuple[date | None, date | None, int | None]] = {
    "K1": (date(2026, 3, 1), date(2026, 3, 10), 2),
    "K2": (None, None, None),
    "K4": (date(2026, 2, 1), date(2026, 2, 28), None),
    "K5": (date(2026, 3, 16), date(2026, 3, 20), 0),
}
ARMS = {("K1", "gift"): False, ("K1", "held back"): True, ("K4", "gift"): False, ("K5", "gift"): False}
# campaign, customer, arm, instant of the assignment
MEMBERS: tuple[tuple[str, int, str, datetime | None], ...] = (
    ("K1", 1, "gift", march(1, 8)),
    ("K1", 2, "gift", march(1, 8)),
    ("K1", 3, "held back", march(1, 8)),
    ("K1", 4, "gift", march(1, 8)),
    ("K1", 6, "gift", march(1, 8)),
    ("K2", 1, "all", None),
    ("K4", 2, "gift", None),
    ("K5", 6, "gift", None),
)
# campaign, customer, kind, instant
EVENTS: tuple[tuple[str, int, str, datetime], ...] = (
    ("K1", 1, "sent", march(1, 10)),
    ("K1", 1, "delivered", march(1, 10)),  # at the same instant: in order
    ("K1", 1, "opened", march(2, 12)),  # after O7 of that morning, before O8 of that evening
    ("K1", 1, "opened", march(2, 19)),
    ("K1", 1, "clicked", march(2, 12, 5)),
    ("K1", 1, "attended", march(2, 17)),
    ("K1", 1, "claimed", march(2, 17, 30)),
    ("K1", 1, "redeemed", march(2, 18)),
    ("K1", 2, "sent", march(1, 10)),
    ("K1", 2, "delivered", march(1, 11)),
    ("K1", 2, "visited", march(2, 9)),  # before the click: out of order
    ("K1", 2, "opened", march(3, 9)),
    ("K1", 2, "clicked", march(3, 10)),
    ("K1", 3, "visited", march(11, 9)),  # of the control group, then bought on the last day that counts
    ("K1", 4, "sent", march(1, 10)),
    ("K1", 4, "delivered", march(1, 10, 1)),
    ("K1", 5, "opened", march(4, 9)),  # nobody assigned customer 5
    ("K1", 5, "unsubscribed", march(4, 9, 1)),
    ("K1", 6, "sent", march(1, 10)),
    ("K3", 2, "redeemed", march(20, 20, 30)),
)
# store, product -> on hand, reserved
COUNTED = {("A", "P1"): (5, 2), ("A", "P2"): (0, 0), ("B", "P1"): (3, 0)}
# order, line, store, product, status, quantity, received, promised
PURCHASES = (
    ("PO1", 1, "A", "P1", "open", 10, 4, date(2026, 3, 25)),
    ("PO1", 2, "A", "P3", "open", 5, 0, None),
    ("PO2", 1, "A", "P2", "received", 6, 5, date(2026, 3, 1)),
    ("PO3", 1, "B", "P1", "cancelled", 8, 0, date(2026, 3, 28)),
    ("PO4", 1, "B", "P1", "open", 10, 12, date(2026, 3, 22)),
    ("PO5", 1, "A", "P1", "open", 2, 0, date(2026, 3, 24)),
    ("PO6", 1, "C", "P3", "open", 3, 0, date(2026, 3, 29)),
)
# store, product, day of March, kind, quantity; and lots, whose units are those counted
MOVES = (
    ("A", "P1", 1, "opening", 8),
    ("A", "P1", 9, "sale", -8),
    ("A", "P1", 12, "receipt", 4),
    ("B", "P1", 1, "opening", 3),
    ("B", "P1", 6, "sale", -3),
    ("B", "P1", 15, "receipt", 2),
)
LOTS = (("A", "P1", "L1", 5, date(2026, 4, 1)), ("B", "P1", "L2", 3, date(2027, 4, 1)))
LANES = (("A", "A", 1), ("A", "B", 2), ("B", "A", 2))


def rows() -> dict[str, Rows]:
    """The facts by table."""
    return {
        "campaign": [
            {
                "campaign_id": campaign_id,
                "name": f"Campaign {campaign_id}",
                "channel": "sms",
                "starts_on": first,
                "ends_on": last,
                "window_days": days,
                "window_last": window_last(campaign_id),
                "is_planned": False,
            }
            for campaign_id, (first, last, days) in CAMPAIGNS.items()
        ],
        "campaign_arm": [
            {"campaign_id": campaign_id, "arm": arm, "is_control": is_control}
            for (campaign_id, arm), is_control in ARMS.items()
        ],
        "campaign_member": [
            {"campaign_id": campaign_id, "customer_no": customer, "arm": arm, "assigned_at": at}
            for campaign_id, customer, arm, at in MEMBERS
        ],
        "campaign_event": [
            {
                "event_id": f"E{number}",
                "campaign_id": campaign_id,
                "customer_no": customer,
                "kind": kind,
                "occurred_at": at,
                "channel": "wechat",
            }
            for number, (campaign_id, customer, kind, at) in enumerate(EVENTS)
        ],
        "stock_level": [
            {"store_id": store, "product_id": product, "on_hand": on_hand, "reserved": reserved, "counted_at": COUNT_AT}
            for (store, product), (on_hand, reserved) in COUNTED.items()
        ],
        "purchase_line": [
            {
                "purchase_order_id": order,
                "line_no": line_no,
                "supplier_id": "V1",
                "store_id": store,
                "product_id": product,
                "ordered_on": date(2026, 3, 2),
                "status": status,
                "quantity": quantity,
                "unit_cost": Decimal(10),
                "last_received_on": date(2026, 3, 12) if received else None,
                "promised_on": promised,
                "received": received,
                "rejected": 0,
                "open_quantity": still_to_come(status, quantity, received),
            }
            for order, line_no, store, product, status, quantity, received, promised in PURCHASES
        ],
        "stock_movement": [
            {"store_id": store, "product_id": product, "day": date(2026, 3, day), "kind": kind, "quantity": quantity}
            for store, product, day, kind, quantity in MOVES
        ],
        "stock_lot": [
            {"store_id": store, "product_id": product, "lot_id": lot, "quantity": quantity, "expires_on": expires}
            for store, product, lot, quantity, expires in LOTS
        ],
        "transfer_lane": [
            {"from_store_id": one, "to_store_id": other, "cost": Decimal(20), "days": days, "minimum_quantity": 1}
            for one, other, days in LANES
        ],
        "supplier": [{"supplier_id": "V1", "name": "Supplier"}],
        "supply_term": [
            {"supplier_id": "V1", "product_id": "P1", "lead_time_days": 7, "order_multiple": 6, "minimum_quantity": 12}
        ],
    }


COUNT_AT = datetime(2026, 3, 20, 22)


def still_to_come(status: str, quantity: int, received: int) -> int:
    return max(quantity - received, 0) if status == "open" else 0


def window_last(campaign_id: str) -> date | None:
    _, last, days = CAMPAIGNS[campaign_id]
    return None if last is None else last + timedelta(days=days or 0)
