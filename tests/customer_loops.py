"""The marts of customers as plain loops over the receipts of the tiny chain."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from tests.naive_segments import rhythm
from tests.tiny import CUSTOMERS, ORDERS, RETURNS, STORES, Order, Return

Rows = list[dict[str, Any]]
Place = tuple[str, str]
JOINED = date(2025, 1, 1)

COUNTED = [o for o in ORDERS if o.exclusion is None and o.customer is not None]
RETURNED = [r for r in RETURNS if r.exclusion is None and r.customer is not None]


def places() -> dict[Place, list[str]]:
    """The stores of every place."""
    found: dict[Place, list[str]] = defaultdict(list)
    for store_id, _, region_id, _, _ in STORES:
        for place in (("chain", "chain"), ("region", region_id), ("store", store_id)):
            found[place].append(store_id)
    return found


def visit_gaps() -> Rows:
    pairs: dict[Any, int] = defaultdict(int)
    for place, stores in places().items():
        for days in _days(stores).values():
            for day, previous in zip(days, [None, *days], strict=False):
                pairs[*place, day, previous] += 1
    names = ("level", "place_id", "day", "previous_day", "customers", "rows")
    return [dict(zip(names, (*key, n, n), strict=True)) for key, n in pairs.items()]


def shared_days() -> Rows:
    visits = {(o.customer, o.at.date(), o.store_id) for o in COUNTED}
    return [
        {"customer_no": customer, "day": day, "store_id": store_id}
        for customer, day, store_id in sorted(visits)
        if sum((c, d) == (customer, day) for c, d, _ in visits) > 1
    ]


def customer_places() -> Rows:
    rows = []
    for (level, place_id), stores in places().items():
        days = _days(stores)
        at_home = {c for c, home in CUSTOMERS.items() if level == "chain" or home in stores}
        for customer in sorted(set(days) | at_home):
            orders = [o for o in COUNTED if o.customer == customer and o.store_id in stores]
            refunds = [r for r in RETURNED if r.customer == customer and r.store_id in stores]
            gross = sum((o.net for o in orders), Decimal(0))
            last = max(((o.at.date(), o.store_id) for o in orders), default=(None, CUSTOMERS.get(customer)))
            rows.append(
                {
                    "level": level,
                    "place_id": place_id,
                    "customer_no": customer,
                    "store_id": last[1],
                    "joined_on": JOINED if customer in at_home else None,
                    "first_day": days[customer][0] if orders else None,
                    "last_day": last[0],
                    "second_day": days[customer][1] if len(days.get(customer, [])) > 1 else None,
                    "orders": len(orders),
                    "visits": len(days.get(customer, [])),
                    "gross_sales": gross,
                    "net_sales": gross - sum(Decimal(r.refund) for r in refunds) if orders else 0,
                    "costed_sales": 0,
                    "margin": margin(refunds) if orders else 0,
                    **rhythm(days.get(customer, []), [(day, float(v)) for (day, _), v in _amounts(orders).items()]),
                }
            )
    return rows


def margin(refunds: Iterable[Return]) -> Decimal:
    """The chain knows no costs, so refunds are all there is of it."""
    return -sum((Decimal(r.refund) for r in refunds), Decimal(0))


def _amounts(orders: list[Order]) -> dict[tuple[date, str], Decimal]:
    """What each day in each store came to."""
    found: dict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for order in orders:
        found[order.at.date(), order.store_id] += order.net
    return found


def cohort_months() -> Rows:
    zero = {
        "customers": 0,
        "repeat_customers": 0,
        "orders": 0,
        **{name: Decimal(0) for name in ("gross_sales", "net_sales", "repeat_net_sales")},
        "rows": 0,
    }
    sums: dict[Any, dict[str, Any]] = defaultdict(lambda: dict(zero))
    for (level, place_id), stores in places().items():
        for customer in {o.customer for o in COUNTED} | {r.customer for r in RETURNED}:
            orders = [o for o in COUNTED if o.customer == customer and o.store_id in stores]
            refunds = [r for r in RETURNED if r.customer == customer and r.store_id in stores]
            cohort = min((_month(o.at.date()) for o in orders), default=-1)
            repeats = len(orders) >= 2
            for month in {_month(o.at.date()) for o in orders}:
                sums[level, place_id, cohort, month]["customers"] += 1
                sums[level, place_id, cohort, month]["repeat_customers"] += repeats
            for order in orders:
                cell = sums[level, place_id, cohort, _month(order.at.date())]
                cell["orders"] += 1
                cell["gross_sales"] += order.net
                cell["net_sales"] += order.net
                cell["repeat_net_sales"] += repeats * order.net
            for back in refunds:
                cell = sums[level, place_id, cohort, _month(back.at.date())]
                cell["net_sales"] -= Decimal(back.refund)
                cell["repeat_net_sales"] -= repeats * Decimal(back.refund)
            for day, _ in {(e.at.date(), e.store_id) for e in (*orders, *refunds)}:
                sums[level, place_id, cohort, _month(day)]["rows"] += 1
    names = ("level", "place_id", "cohort", "month")
    return [{**dict(zip(names, key, strict=True)), **figures} for key, figures in sums.items()]


def customer_lines() -> Rows:
    return [
        {
            "customer_no": o.customer,
            "day": o.at.date(),
            "order_id": o.order_id,
            "line_no": number,
            "store_id": o.store_id,
            "channel": "store",
            "product_id": product,
            "quantity": Decimal(quantity),
            "net": Decimal(net),
            "discount": None,
        }
        for o in COUNTED
        for number, (product, quantity, net) in enumerate(o.lines, start=1)
    ]


def customer_timelines() -> Rows:
    return [*_purchases(), *_refunds()]


def _purchases() -> Iterator[dict[str, Any]]:
    for order in COUNTED:
        yield {
            "customer_no": order.customer,
            "happened_at": order.at,
            "kind": "purchase",
            "order_id": order.order_id,
            "return_id": None,
            "store_id": order.store_id,
            "units": sum(quantity for _, quantity, _ in order.lines),
            "amount": order.net,
        }


def _refunds() -> Iterator[dict[str, Any]]:
    for back in RETURNED:
        yield {
            "customer_no": back.customer,
            "happened_at": back.at,
            "kind": "return",
            "order_id": back.of[0] if back.of else None,
            "return_id": back.return_id,
            "store_id": back.store_id,
            "units": back.quantity,
            "amount": Decimal(back.refund),
        }


def _days(stores: list[str]) -> dict[int, list[date]]:
    """The days of each customer with an order in the stores, in order."""
    found: dict[int, set[date]] = defaultdict(set)
    for order in COUNTED:
        if order.store_id in stores and order.customer is not None:
            found[order.customer].add(order.at.date())
    return {customer: sorted(days) for customer, days in found.items()}


def _month(day: date) -> int:
    return 12 * (day.year - 1970) + day.month - 1
