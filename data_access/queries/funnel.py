"""How far each treated customer went in one campaign, by any grouping, and who stopped where.

Steps as in ``data_access.marts.campaign_customer``, for the customers of the stores in scope. Of purchases only those
in the stores in scope count here: who of a few people bought elsewhere is the business of the stores there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import add
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    Engine,
    FromClause,
    Integer,
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
from data_access.marts.campaign_use import BIT, EVENTS, STEPS, campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer, sale_order
from data_access.queries._frame import customer_key, fetch, fetch_from
from data_access.queries._groups import NOT_KNOWN, groups
from data_access.queries._people import Question, base
from data_access.queries.segments import CUTS, literals
from data_access.scope import Scope

GROUPINGS = ("segment", "store", "channel", "staff")
YEAR = 365  # days up to a campaign's first whose net sales say who is worth a call


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


def used_steps(scope: Scope, engine: Engine, campaign_id: str) -> pd.DataFrame:
    """The steps that anybody took in the campaign and purchases, in their order. Column: step."""
    u = campaign_use.c
    known = select(u.steps).where(u.campaign_id == campaign_id)
    found = fetch(scope, engine, known)
    mask = int(found["steps"].iloc[0]) if len(found) and _sees_anything(scope) else None
    taken = [] if mask is None else [step for step in STEPS if BIT[step] & mask or step in ("bought", "bought_again")]
    return pd.DataFrame({"step": pd.Series(taken, dtype="str")})


def paths(
    scope: Scope, engine: Engine, walk: Walk, grouping: Literal["segment", "store", "channel", "staff"] | None = None
) -> pd.DataFrame:
    """One row per group of the treated and set of steps they took; ``grouping``: by what, None for all together.

    A segment is that of the day before the campaign, which nothing in the campaign has changed yet.

    Columns: part (the group; 'not_known': nobody knows), taken (the set of steps, by ``campaign_use.BIT``), customers.
    """
    with _grouped(scope, engine, walk, grouping) as (connection, walked):
        w = walked.c
        query = (
            select(w.part, w.taken, func.count().label("customers")).group_by(w.part, w.taken).order_by(w.part, w.taken)
        )
        return fetch(scope, engine, query) if connection is None else fetch_from(scope, connection, query)


def durations(scope: Scope, engine: Engine, walk: Walk) -> pd.DataFrame:
    """One row per day after the first step: how many of the treated bought then. Columns: day_number, customers."""
    w = _walked(scope, walk).c
    day = cast(func.floor(_seconds(w.bought_at, w.first_at) / 86_400), Integer)
    bought = (
        select(func.greatest(day, 0).label("day_number"))
        .where(_has(w.taken, "bought"), w.bought_at.is_not(None))
        .subquery("bought")
    )
    number = bought.c.day_number
    query = select(number, func.count().label("customers")).group_by(number).order_by(number)
    return fetch(scope, engine, query)


def hours(scope: Scope, engine: Engine, walk: Walk) -> pd.DataFrame:
    """One row per step that somebody took: hours since the first step of those who took it.

    Columns: step, median_hours, p90_hours.
    """
    walked = _walked(scope, walk)
    w = walked.c
    named = [step for step in STEPS if step != "targeted"]
    columns = []
    for step in named:
        since = case((_has(w.taken, step), _seconds(w[f"{step}_at"], w.first_at) / 3600))
        columns += [cast(func.median(since), Double), cast(func.quantile_cont(since, 0.9), Double)]
    found = fetch(scope, engine, select(*(column.label(f"c{at}") for at, column in enumerate(columns))))
    values = found.iloc[0].tolist()
    rows = pd.DataFrame({"step": named, "median_hours": values[::2], "p90_hours": values[1::2]})
    return rows[rows["median_hours"].notna()].astype({"median_hours": "float64", "p90_hours": "float64"})


def stopped(scope: Scope, engine: Engine, walk: Walk, step: str, before: date, limit: int) -> pd.DataFrame:
    """Who took ``step`` and none of the later ones, who spent most in the year before the day ``before`` first.

    Columns: customer_key, store_id (missing: nobody knows one), channel, happened_at (of the step, UTC; NaT when nobody
    knows), net_sales and last_day (of that year, in the stores in scope).
    """
    walked = _walked(scope, walk)
    w, d = walked.c, customer_store_day.c
    later = sum(BIT[name] for name in STEPS[STEPS.index(step) + 1 :])
    here = and_(_has(w.taken, step), w.taken.bitwise_and(later) == 0)
    year = d.day.between(before - timedelta(days=YEAR), before - timedelta(days=1))
    spent = scope.limit(
        select(
            d.customer_no,
            func.sum(d.net_sales).label("net_sales"),
            func.max(case((d.orders > 0, d.day))).label("last_day"),
        )
        .where(year)
        .group_by(d.customer_no),
        d.store_id,
    ).subquery("spent")
    query = (
        select(
            customer_key(w.customer_no).label("customer_key"),
            w.store_id,
            w.channel,
            (w.first_at if step == "targeted" else w[f"{step}_at"]).label("happened_at"),
            cast(func.coalesce(spent.c.net_sales, 0), Double).label("net_sales"),
            spent.c.last_day,
        )
        .select_from(walked.outerjoin(spent, spent.c.customer_no == w.customer_no))
        .where(here)
        .order_by(func.coalesce(spent.c.net_sales, 0).desc(), w.customer_no)
        .limit(limit)
    )
    return fetch(scope, engine, query)


@contextmanager
def _grouped(scope: Scope, engine: Engine, walk: Walk, grouping: str | None) -> Iterator[tuple[Any, Subquery]]:
    """Everybody treated with the group, and the connection that must read them (None: any)."""
    walked = _walked(scope, walk)
    w = walked.c
    if grouping == "segment" and walk.first_day is not None:
        eve = Question(walk.first_day - timedelta(days=1))
        with base(scope, engine, eve) as people:
            cut = literals(people.cuts or dict.fromkeys(CUTS))
            source, found = groups(people.people, cut, eve, "keep_ties", scope, {"segment"})
            part = found["segment"].label("part")
            known = select(people.people.c.customer_no, part).select_from(source).subquery("known")
            joined = walked.outerjoin(known, known.c.customer_no == w.customer_no)
            yield people.connection, _with_part(joined, w, known.c.part)
        return
    parts: dict[str | None, ColumnElement[Any]] = {"store": w.store_id, "channel": w.channel}
    if grouping == "staff":
        joined = walked.outerjoin(customer, customer.c.customer_no == w.customer_no)
        yield None, _with_part(joined, w, customer.c.owner_staff_id)
    else:
        yield None, _with_part(walked, w, parts.get(grouping, literal("all")))


def _with_part(source: FromClause, walked: Any, part: ColumnElement[Any]) -> Subquery:
    rows = select(func.coalesce(part, NOT_KNOWN).label("part"), walked.taken).select_from(source)
    return rows.subquery("grouped")


def _walked(scope: Scope, walk: Walk) -> Subquery:
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
    taken += [
        case((and_(_has(happened, step), _in_time(at[step], first, walk)), BIT[step]), else_=0) for step in EVENTS
    ]
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


def _has(steps: ColumnElement[Any], step: str) -> ColumnElement[bool]:
    return steps.bitwise_and(BIT[step]) > 0


def _seconds(later: ColumnElement[Any], earlier: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", later) - extract("epoch", earlier)


def _sees_anything(scope: Scope) -> bool:
    return scope.kind == "chain" or bool(scope.store_ids)
