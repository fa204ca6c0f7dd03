"""What plain loops make of the campaigns and the stock of the tiny chain."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.tiny import CUSTOMERS, ORDERS, RETURNS, STORES, Order
from tests.tiny_campaigns import (
    ARMS,
    CAMPAIGNS,
    COUNT_AT,
    COUNTED,
    EVENTS,
    MEMBERS,
    PURCHASES,
    SHANGHAI,
    Rows,
    still_to_come,
    window_last,
)

STEPS = ("targeted", "sent", "delivered", "opened", "clicked", "claimed", "visited", "bought", "bought_again")
OUTCOMES = ("redeemed", "unsubscribed")


def campaign_uses() -> Rows:
    used: dict[str, set[str]] = {campaign_id: set() for campaign_id in CAMPAIGNS}
    for campaign_id, _, _, _ in MEMBERS:
        used[campaign_id].add("targeted")
    for campaign_id, _, kind, _ in EVENTS:
        used.setdefault(campaign_id, set()).add("visited" if kind == "attended" else kind)
    return [{"campaign_id": campaign_id, "steps": _set(steps)} for campaign_id, steps in used.items()]


def campaign_customers() -> Rows:
    pairs = {(campaign_id, customer) for campaign_id, customer, *_ in (*MEMBERS, *EVENTS)}
    return [_campaign_customer(campaign_id, customer) for campaign_id, customer in sorted(pairs)]


def campaign_steps() -> Rows:
    places: dict[tuple[str, str], set[str | None]] = {("chain", "chain"): {None}}
    for store_id, _, region_id, _, _ in STORES:
        for place in (("chain", "chain"), ("region", region_id), ("store", store_id)):
            places.setdefault(place, set()).add(store_id)
    counts: dict[Any, dict[str, int]] = defaultdict(
        lambda: {"customers": 0, "customers_at_least": 0, "customers_in_order": 0, "rows": 0}
    )
    for row in campaign_customers():
        for place in (place for place, stores in places.items() if row["store_id"] in stores):
            for step in (*STEPS, *OUTCOMES):
                count = counts[(*place, row["campaign_id"], row["arm"] or "", row["is_control"], step)]
                count["rows"] += 1
                if step in OUTCOMES:
                    for name in ("customers", "customers_at_least", "customers_in_order"):
                        count[name] += row[f"{step}_at"] is not None
                else:
                    bit = 2 ** STEPS.index(step)
                    count["customers"] += bool(row["reached"] & bit)
                    count["customers_in_order"] += bool(row["in_order"] & bit)
                    furthest = row["furthest"]
                    count["customers_at_least"] += furthest is not None and STEPS.index(furthest) >= STEPS.index(step)
    names = ("level", "place_id", "campaign_id", "arm", "is_control", "step")
    return [{**dict(zip(names, key, strict=True)), **count} for key, count in counts.items()]


def stock_positions() -> Rows:
    positions: dict[tuple[str, str], dict[str, Any]] = {}
    for (store, product), (on_hand, reserved) in COUNTED.items():
        positions[store, product] = {"on_hand": on_hand, "reserved": reserved, "counted_at": COUNT_AT}
    for _, _, store, product, status, quantity, received, promised in PURCHASES:
        open_quantity = still_to_come(status, quantity, received)
        if open_quantity:
            row = positions.setdefault((store, product), {"on_hand": 0, "reserved": 0, "counted_at": None})
            row["on_order"] = row.get("on_order", 0) + open_quantity
            if promised is not None:
                row["next_promised_on"] = min(promised, row.get("next_promised_on", promised))
    rows = []
    for (store, product), row in positions.items():
        on_order = row.setdefault("on_order", 0)
        available = row["on_hand"] - row["reserved"] + on_order
        rows.append({"store_id": store, "product_id": product, **row, "available": available})
    return rows


def _campaign_customer(campaign_id: str, customer: int) -> dict[str, Any]:
    first, *_ = CAMPAIGNS.get(campaign_id, (None, None, None))
    member = next(((arm, at) for c, n, arm, at in MEMBERS if (c, n) == (campaign_id, customer)), None)
    arm, assigned_at = member or (None, None)
    is_control = ARMS.get((campaign_id, arm or ""), False)
    at = {f"{kind}_at": _first_event(campaign_id, customer, kind) for kind in (*STEPS[1:7], *OUTCOMES)}
    orders = [o for o in ORDERS if o.customer == customer and o.exclusion is None]
    inside = [o for o in orders if first is not None and first <= o.at.date() <= (window_last(campaign_id) or first)]
    in_order, ready = _in_order(campaign_id, is_control, member, at)
    converting = [o for o in inside if ready is not None and o.at - SHANGHAI >= ready]
    bought, converted = min(inside, key=_at, default=None), min(converting, key=_at, default=None)
    again, converted_again = _next_visit(orders, bought), _next_visit(orders, converted)
    reached = {step for step in STEPS[1:7] if at[f"{step}_at"]}
    for step, held, held_in_order in (
        ("targeted", member, member),
        ("bought", bought, converted),
        ("bought_again", again, converted_again),
    ):
        reached |= {step} if held else set()
        in_order |= {step} if held_in_order else set()
    earlier = [o for o in orders if first is not None and o.at.date() < first]
    home = CUSTOMERS.get(customer)
    return {
        "campaign_id": campaign_id,
        "customer_no": customer,
        "arm": arm,
        "is_control": is_control,
        "store_id": home or (max(earlier, key=_at).store_id if earlier else None),
        "channel": "wechat" if at["sent_at"] else "sms" if campaign_id in CAMPAIGNS else None,
        "furthest": max(reached, key=STEPS.index, default=None),
        "reached": _set(reached),
        "in_order": _set(in_order),
        "assigned_at": assigned_at,
        **at,
        "bought_at": bought and bought.at - SHANGHAI,
        "bought_again_at": again and again.at - SHANGHAI,
        "converted_at": converted and converted.at - SHANGHAI,
        "converted_again_at": converted_again and converted_again.at - SHANGHAI,
        "orders": len(inside),
        "gross_sales": sum((o.net for o in inside), Decimal(0)),
        "returns_of_sales": sum(
            (Decimal(r.refund) for r in RETURNS if r.of and r.of[0] in {o.order_id for o in inside}), Decimal(0)
        ),
        "margin": None,  # the receipts of the tiny chain state no cost
    }


def _in_order(
    campaign_id: str, is_control: bool, member: tuple[str, datetime | None] | None, at: dict[str, datetime | None]
) -> tuple[set[str], datetime | None]:
    """The event steps taken in order, and from when a purchase would come in order (None: never)."""
    used = next(row["steps"] for row in campaign_uses() if row["campaign_id"] == campaign_id)
    asked = {step for step in STEPS if used & 2 ** STEPS.index(step)}
    if is_control:
        asked &= {"targeted", "visited"}
    ready: datetime | None = member[1] if member and member[1] else datetime.min
    if "targeted" in asked and not member:
        ready = None
    taken = set()
    for step in STEPS[1:5]:
        instant = at[f"{step}_at"]
        on_time = ready is not None and instant is not None and instant >= ready
        taken |= {step} if on_time else set()
        if step in asked:
            ready = instant if on_time else None
    after_both = ready
    for step in ("claimed", "visited"):
        instant = at[f"{step}_at"]
        on_time = ready is not None and instant is not None and instant >= ready
        taken |= {step} if on_time else set()
        if step in asked:
            after_both = (
                max(after_both, instant) if on_time and after_both is not None and instant is not None else None
            )
    return taken, after_both


def _first_event(campaign_id: str, customer: int, kind: str) -> datetime | None:
    kinds = ("visited", "attended") if kind == "visited" else (kind,)
    return min((at for c, n, k, at in EVENTS if (c, n) == (campaign_id, customer) and k in kinds), default=None)


def _next_visit(orders: list[Order], first: Order | None) -> Order | None:
    """The first order on a later day, at most 60 days after ``first``."""
    if first is None:
        return None
    later = [o for o in orders if timedelta(0) < o.at.date() - first.at.date() <= timedelta(days=60)]
    return min(later, key=_at, default=None)


def _at(order: Order) -> datetime:
    return order.at


def _set(steps: set[str]) -> int:
    return sum(2 ** STEPS.index(step) for step in steps if step in STEPS)
