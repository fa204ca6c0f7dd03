"""Every mart holds what plain loops over the receipts of the tiny chain add up to."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from data_access.marts.registry import MARTS
from data_access.marts.tables import facts
from data_access.snapshot import Snapshot
from tests import campaign_loops, consent_loops, customer_loops
from tests.test_sales_marts import LOOPS as SALES_LOOPS
from tests.tiny import ORDERS, RETURNS, STORES, VISITORS, sold_at
from tests.tiny_staff import OPINIONS, RATINGS, SERVED, SHIFTS

Rows = list[dict[str, Any]]


def _with_net(sums: dict[Any, dict[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    rows = [{**dict(zip(names, place, strict=True)), **figures} for place, figures in sorted(sums.items())]
    return [{**row, "net_sales": row["gross_sales"] - row["returns"]} for row in rows]


def store_days() -> list[dict[str, Any]]:
    money = {name: Decimal(0) for name in ("gross_sales", "returns", "returns_of_sales")}
    zero = {**money, "orders": 0, "identified_orders": 0, "units": 0}
    days: dict[Any, dict[str, Any]] = defaultdict(lambda: {**zero, "visitors": None})
    for order in (o for o in ORDERS if o.exclusion is None):
        day = days[(order.store_id, order.at.date())]
        day["gross_sales"] += order.net
        day["orders"] += 1
        day["identified_orders"] += order.customer is not None
        day["units"] += sum(quantity for _, quantity, _ in order.lines)
    for back in (r for r in RETURNS if r.exclusion is None):
        days[(back.store_id, back.at.date())]["returns"] += Decimal(back.refund)
        days[sold_at(back)]["returns_of_sales"] += Decimal(back.refund)
    for place, visitors in VISITORS.items():
        days[place]["visitors"] = visitors
    return _with_net(days, ("store_id", "day"))


def customer_store_days() -> list[dict[str, Any]]:
    days: dict[Any, dict[str, Any]] = defaultdict(
        lambda: {"orders": 0, "gross_sales": Decimal(0), "returns": Decimal(0), "costed_sales": 0, "margin": Decimal(0)}
    )
    for order in (o for o in ORDERS if o.exclusion is None and o.customer is not None):
        day = days[(order.customer, order.at.date(), order.store_id)]
        day["orders"] += 1
        day["gross_sales"] += order.net
    for back in (r for r in RETURNS if r.exclusion is None and r.customer is not None):
        day = days[(back.customer, back.at.date(), back.store_id)]
        day["returns"] += Decimal(back.refund)
        day["margin"] -= Decimal(back.refund)
    return _with_net(days, ("customer_no", "day", "store_id"))


def place_stores() -> Rows:
    rows = []
    for store_id, _, region_id, _, _ in STORES:
        for level, place_id in (("chain", "chain"), ("region", region_id), ("store", store_id)):
            rows.append({"level": level, "place_id": place_id, "store_id": store_id})
    return rows


def staff_days() -> Rows:
    zero = {"hours": 0, "first_hour": None, "last_hour": None, "gross_sales": Decimal(0), "orders": 0, "units": 0}
    days: dict[Any, dict[str, Any]] = defaultdict(lambda: dict(zero))
    for person, store_id, begins, hours in SHIFTS:
        day = days[store_id, person, begins.date()]
        day["hours"] += hours
        day["first_hour"], day["last_hour"] = begins.hour, begins.hour + hours  # nobody has two shifts a day
    for order in (o for o in ORDERS if o.exclusion is None and o.order_id in SERVED):
        day = days[order.store_id, SERVED[order.order_id], order.at.date()]
        day["gross_sales"] += order.net
        day["orders"] += 1
        day["units"] += sum(quantity for _, quantity, _ in order.lines)
    return [
        {"store_id": store_id, "staff_id": person, "day": day, **figures}
        for (store_id, person, day), figures in days.items()
    ]


def answer_days() -> list[dict[str, Any]]:
    given = [("staff", store, answered, score) for _, store, answered, score in RATINGS]
    given += [("nps", store, answered, score) for score, answered, _, store in OPINIONS]
    sums: dict[Any, list[int]] = {}
    for kind, store, answered, score in given:
        sums.setdefault((kind, store, answered.date()), []).append(score)
    return [
        {
            "kind": kind,
            "store_id": store,
            "day": day,
            "answers": len(scores),
            "score": sum(scores),
            "score_score": sum(score * score for score in scores),
            "promoters": sum(score >= 9 for score in scores),
            "detractors": sum(score <= 6 for score in scores),
        }
        for (kind, store, day), scores in sums.items()
    ]


LOOPS = {
    "answer_day": answer_days,
    "place_store": place_stores,
    "staff_day": staff_days,
    "store_day": store_days,
    "customer_store_day": customer_store_days,
    "visit_gap": customer_loops.visit_gaps,
    "shared_day": customer_loops.shared_days,
    "customer_place": customer_loops.customer_places,
    "cohort_month": customer_loops.cohort_months,
    "customer_timeline": customer_loops.customer_timelines,
    "customer_line": customer_loops.customer_lines,
    "campaign_use": campaign_loops.campaign_uses,
    "campaign_customer": campaign_loops.campaign_customers,
    "campaign_step": campaign_loops.campaign_steps,
    "stock_position": campaign_loops.stock_positions,
    "consent_store": consent_loops.consent_stores,
    "consent_breach": consent_loops.consent_breaches,
}
# compared in tests.test_segments and tests.test_sales_marts
ELSEWHERE = {"customer_cut", "segment_cell", "lifecycle_cell", "spend_curve", *SALES_LOOPS}


def test_every_mart_is_checked() -> None:
    assert {mart.name for mart in MARTS if not mart.step} == set(LOOPS) | ELSEWHERE


@pytest.mark.parametrize("name", LOOPS)
def test_a_mart_equals_a_loop_over_the_receipts(name: str, tiny_snapshot: Snapshot) -> None:
    table = facts.tables[name]
    expected = sorted(tuple(str(row.get(c.name)) for c in table.c) for row in map(_plain, LOOPS[name]()))
    with tiny_snapshot.engine.connect() as connection:
        found = sorted(
            tuple(str(v) for v in _plain(row._asdict()).values()) for row in connection.execute(select(table))
        )
    assert found == expected


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Numbers without the trailing zeros that tell a Decimal from an int, and the digits that a float has left."""

    def plain(value: Any) -> Any:
        return (
            round(float(value), 9)
            if isinstance(value, Decimal | int | float) and not isinstance(value, bool)
            else value
        )

    return {name: plain(value) for name, value in row.items()}
