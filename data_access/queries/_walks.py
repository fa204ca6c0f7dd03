"""What the treated customers of a campaign did step by step, as a table that questions about a funnel are asked of."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Select,
    Subquery,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    true,
)

from data_access.marts.campaign_customer import DAYS_TO_RETURN, campaign_customer
from data_access.marts.campaign_use import BIT, EVENTS, campaign_use
from data_access.marts.tables import sale_order
from data_access.scope import Scope


@dataclass(frozen=True, slots=True)
class Walk:
    """Which steps of which campaign are asked for.

    first_day, last_day: days on which a purchase counts (None: none does). in_order: a step counts after all earlier
    ones that the campaign uses; else whenever it happened. within_days: of the customer's first step (None: no limit).
    arm: None for everybody treated.
    """

    campaign_id: str
    first_day: date | None
    last_day: date | None
    in_order: bool = True
    within_days: int | None = None
    arm: str | None = None


def walked_by(scope: Scope, walk: Walk) -> Subquery:
    """One row per treated customer: the set of steps taken, the instant of each and of the first, store and channel."""
    m = campaign_customer.c
    own = _own_orders(scope, walk).subquery("own") if scope.kind != "chain" else None
    if own is not None:
        bought, again = own.c.bought_at, own.c.bought_again_at
    elif walk.in_order:
        bought, again = m.converted_at, m.converted_again_at
    else:
        bought, again = m.bought_at, m.bought_again_at
    first = func.coalesce(m.assigned_at, m.sent_at, _start_of(walk.first_day))
    happened = m.in_order if walk.in_order else m.reached
    at = {step: m[f"{step}_at"] for step in EVENTS} | {"bought": bought, "bought_again": again}
    taken = [case((m.arm.is_not(None), BIT["targeted"]), else_=0)]
    taken += [case((and_(has(happened, step), _in_time(at[step], first, walk)), BIT[step]), else_=0) for step in EVENTS]
    in_time = and_(bought.is_not(None), _in_time(bought, first, walk))
    taken += [
        case((in_time, BIT["bought"]), else_=0),
        case((and_(in_time, again.is_not(None)), BIT["bought_again"]), else_=0),
    ]
    query = select(
        m.customer_no,
        m.store_id,
        m.channel,
        first.label("first_at"),
        reduce(add, taken).label("taken"),
        *(instant.label(f"{step}_at") for step, instant in at.items()),
    ).where(m.campaign_id == walk.campaign_id, _treated(walk))
    if own is not None:
        joined = campaign_customer.outerjoin(own, own.c.customer_no == m.customer_no)
        query = query.select_from(joined)
    return scope.limit(query, m.store_id).subquery("walked")


def _treated(walk: Walk) -> ColumnElement[bool]:
    """The rows of the arm, or of everybody treated: where a campaign assigns people, only of those assigned."""
    m, u = campaign_customer.c, campaign_use.c
    if walk.arm is not None:
        return m.arm == walk.arm
    assigns = select(u.steps.bitwise_and(BIT["targeted"])).where(u.campaign_id == walk.campaign_id).scalar_subquery()
    return and_(~m.is_control, or_(m.arm.is_not(None), func.coalesce(assigns, 0) == 0))


def _own_orders(scope: Scope, walk: Walk) -> Select[Any]:
    """One row per customer of the campaign with counted orders in the stores in scope: when they bought, and again.

    In order: after every earlier step that the campaign uses; without one of them never.
    """
    m, o, u = campaign_customer.c, sale_order.c, campaign_use.c
    if walk.first_day is None or walk.last_day is None:
        never = cast(null(), DateTime)
        no_day: list[ColumnElement[Any]] = [never.label("bought_at"), never.label("bought_again_at")]
        return select(literal(-1).label("customer_no"), *no_day)
    used = select(u.steps).where(u.campaign_id == walk.campaign_id).scalar_subquery()
    required = used.bitwise_and(sum(BIT[step] for step in EVENTS))
    after = func.greatest(*(m[f"{step}_at"] for step in EVENTS), _start_of(walk.first_day))
    ready = and_(m.in_order.bitwise_and(required) == required, o.utc >= after) if walk.in_order else true()
    orders = select(m.customer_no, o.utc, o.day, ready.label("ready")).join_from(
        campaign_customer,
        sale_order,
        and_(
            o.customer_no == m.customer_no,
            o.exclusion.is_(None),
            o.day.between(walk.first_day, walk.last_day + timedelta(days=DAYS_TO_RETURN)),
        ),
    )
    of_campaign = orders.where(m.campaign_id == walk.campaign_id)
    own = scope.limit(scope.limit(of_campaign, m.store_id), o.store_id).cte("own_orders")
    counted = and_(own.c.ready, own.c.day <= walk.last_day)
    first = (
        select(own.c.customer_no, func.min(own.c.utc).label("bought_at"), func.min(own.c.day).label("day"))
        .where(counted)
        .group_by(own.c.customer_no)
        .subquery("first_own")
    )
    soon = and_(
        own.c.customer_no == first.c.customer_no,
        own.c.day > first.c.day,
        own.c.day <= first.c.day + DAYS_TO_RETURN,
    )
    return (
        select(first.c.customer_no, first.c.bought_at, func.min(own.c.utc).label("bought_again_at"))
        .select_from(first.outerjoin(own, soon))
        .group_by(first.c.customer_no, first.c.bought_at)
    )


def _in_time(at: ColumnElement[Any], first: ColumnElement[Any], walk: Walk) -> ColumnElement[bool]:
    return true() if walk.within_days is None else at <= first + timedelta(days=walk.within_days)


def _start_of(day: date | None) -> ColumnElement[Any]:
    return cast(null() if day is None else literal(day), DateTime)


def has(steps: ColumnElement[Any], step: str) -> ColumnElement[bool]:
    return steps.bitwise_and(BIT[step]) > 0


def seconds(later: ColumnElement[Any], earlier: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", later) - extract("epoch", earlier)
