"""One row per place, campaign, arm and step: how many customers took it.

A customer belongs to one store in a campaign (``campaign_customer``), so places add up: a region is the sum of its
stores. The chain also counts customers of no store. Redeeming a coupon and unsubscribing stand beside the steps: they
require nothing and nothing requires them, so their three counts are the same.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Table,
    case,
    func,
    literal,
    select,
    union_all,
)

from data_access.marts._mart import Mart
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_use import BIT, STEPS
from data_access.marts.place_store import CHAIN, place_store
from data_access.marts.tables import facts

OUTCOMES = ("redeemed", "unsubscribed")
UNASSIGNED = ""  # the arm of customers with events whom nobody assigned

campaign_step = Table(
    "campaign_step",
    facts,
    Column("level", String, nullable=False),  # chain | region | store
    Column("place_id", String, nullable=False),
    Column("campaign_id", String, nullable=False),
    Column("arm", String, nullable=False),
    Column("is_control", Boolean, nullable=False),
    Column("step", String, nullable=False),
    Column("customers", Integer, nullable=False),  # took it, in any order
    Column("customers_at_least", Integer, nullable=False),  # took it or a later one
    Column("customers_in_order", Integer, nullable=False),  # took it after all the earlier ones the campaign uses
    Column("rows", Integer, nullable=False),  # customers of the place, campaign and arm
)


def query() -> Select[Any]:
    c = campaign_customer.c
    done = {"redeemed": c.redeemed_at.is_not(None), "unsubscribed": c.unsubscribed_at.is_not(None)}
    # Few combinations of steps occur: counted once by store, they are cheap to add up by place and step.
    ways = (
        select(
            c.campaign_id,
            func.coalesce(c.arm, UNASSIGNED).label("arm"),
            c.is_control,
            c.store_id,
            c.reached,
            c.in_order,
            *(func.count(case((holds, 1))).label(outcome) for outcome, holds in done.items()),
            func.count().label("rows"),
        )
        .group_by(c.campaign_id, c.arm, c.is_control, c.store_id, c.reached, c.in_order)
        .cte("ways")
    )
    w, p = ways.c, place_store.c
    counts = (w.campaign_id, w.arm, w.is_control, w.reached, w.in_order, *(w[name] for name in OUTCOMES), w.rows)
    placed = union_all(
        select(literal(CHAIN).label("level"), literal(CHAIN).label("place_id"), *counts),
        select(p.level, p.place_id, *counts)
        .join_from(ways, place_store, p.store_id == w.store_id)
        .where(p.level != CHAIN),
    ).subquery("placed")
    group = tuple(placed.c[name] for name in ("level", "place_id", "campaign_id", "arm", "is_control"))
    wide = select(*group, *_sums(placed), func.sum(placed.c.rows).label("rows")).group_by(*group).subquery("wide")
    names = union_all(*(select(literal(step).label("step")) for step in (*STEPS, *OUTCOMES))).subquery("names")
    return select(
        *(wide.c[column.name] for column in group),
        names.c.step,
        *(
            case({step: wide.c[f"{name}_{step}"] for step in (*STEPS, *OUTCOMES)}, value=names.c.step).label(name)
            for name in ("customers", "customers_at_least", "customers_in_order")
        ),
        wide.c.rows,
    ).join_from(wide, names, literal(True))


def _sums(placed: FromClause) -> list[ColumnElement[int]]:
    """Three counts of every step and outcome."""
    c = placed.c
    sums: list[ColumnElement[int]] = []
    for step in STEPS:
        holds = {
            "customers": c.reached.bitwise_and(BIT[step]) > 0,
            "customers_at_least": c.reached >= BIT[step],
            "customers_in_order": c.in_order.bitwise_and(BIT[step]) > 0,
        }
        sums += [func.sum(case((held, c.rows), else_=0)).label(f"{name}_{step}") for name, held in holds.items()]
    for outcome in OUTCOMES:
        sums += [
            func.sum(c[outcome]).label(f"{name}_{outcome}")
            for name in ("customers", "customers_at_least", "customers_in_order")
        ]
    return sums


MART = Mart(
    campaign_step,
    query,
    by="customer_sum",
    order_by=("level", "place_id", "campaign_id", "arm", "step"),
)
