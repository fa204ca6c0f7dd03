"""What happened to identified customers of the stores in scope in the days before one on which they are looked at."""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import CTE, Engine, Select, Subquery, and_, false, func, literal, select, union_all

from data_access.marts.tables import (
    customer,
    return_line,
    sale_line,
    sale_order,
    staff,
    stock_movement,
    store_closure,
    ticket,
)
from data_access.queries._frame import fetch, fetch_many, within
from data_access.queries._places import place_of
from data_access.queries._units import By, apart, same_unit, unit
from data_access.results.tables import reason_lapsed
from data_access.scope import Period, Scope

BOUGHT_DAYS = 180  # before the day of the question: what somebody bought then is missed when it is not there
_RISE = 1.02  # of a list price, below which it is rounding
_CLOSED_DAYS = 3  # in the period, from which a store was closed


KEPT = ("customer_key", "store_id", "store", "reason", "event_day", "visits", "days_since", "net_sales")


def kept_lapsed(scope: Scope, engine: Engine, most: int) -> pd.DataFrame:
    """The first ``most`` of those who lapsed, as the job ``presets`` found them; ``engine``: of the results.

    Columns: customer_key, store_id, store, reason, event_day, visits, days_since, net_sales.
    """
    place, rows = place_of(scope, engine), reason_lapsed.c
    query = select(*(rows[name] for name in KEPT)).order_by(rows.position).limit(most)
    return fetch(scope, engine, query.where(false() if place is None else place.rows(reason_lapsed)))


def events(scope: Scope, engine: Engine, period: Period, by: By = "scope") -> pd.DataFrame:
    """One row per customer and kind of event in ``period``; those of each region or store by themselves.

    Columns: customer_no, kind (complaint; return; stock_out and price_rise, of a product bought in the half-year before
    the end of ``period``, in the store where it was bought; adviser_left, who looked after the customer or served the
    last time; store_closed for days, where the customer was last; discount_only, no order so far at the full price),
    day (of the last one; of discount_only, the last order), unit (the region or store, if ``by`` them).
    """
    bought, last = _bought(scope, period, by), _last_orders(scope, period.last, by)
    parts = [
        _complaints(scope, period, by),
        _returns(scope, period, by),
        _stock_outs(scope, period, bought),
        _price_rises(scope, period, bought),
        _advisers(scope, period, last, by),
        _owners(scope, period, by),
        _closures(scope, period, last),
        _discounts(scope, period, by),
    ]
    e = union_all(*parts).subquery("events").c
    who = (*unit(e), e.customer_no, e.kind)
    query = select(e.customer_no, e.kind, func.max(e.day).label("day"), *unit(e)).group_by(*who).order_by(*who)
    return fetch_many(scope, engine, query)


def _complaints(scope: Scope, period: Period, by: By) -> Select[Any]:
    t = ticket.c
    rows = select(t.customer_no, literal("complaint").label("kind"), t.day).where(
        t.is_complaint, t.customer_no.is_not(None), within(t.day, period)
    )
    return scope.limit(apart(rows, t.store_id, by), t.store_id)


def _returns(scope: Scope, period: Period, by: By) -> Select[Any]:
    r = return_line.c
    rows = select(r.customer_no, literal("return"), r.day).where(
        r.exclusion.is_(None), r.customer_no.is_not(None), within(r.day, period)
    )
    return scope.limit(apart(rows, r.store_id, by), r.store_id)


def _bought(scope: Scope, period: Period, by: By) -> CTE:
    """One row per customer, store and product bought in the half-year: the first day and the lowest list price."""
    s = sale_line.c
    rows = select(s.customer_no, s.store_id, s.product_id, s.day, s.list_price).where(
        s.exclusion.is_(None),
        s.customer_no.is_not(None),
        s.day > period.last - timedelta(days=BOUGHT_DAYS),
        s.day <= period.last,
    )
    b = scope.limit(apart(rows, s.store_id, by), s.store_id).subquery("lines").c
    of = (b.customer_no, b.store_id, b.product_id, *unit(b))
    first, lowest = func.min(b.day).label("day"), func.min(b.list_price).label("list_price")
    return select(*of, first, lowest).group_by(*of).cte("bought")


def _stock_outs(scope: Scope, period: Period, bought: CTE) -> Select[Any]:
    m = stock_movement.c
    days = (
        scope.limit(
            select(m.store_id, m.product_id, m.day, func.sum(m.quantity).label("moved")).where(m.day <= period.last),
            m.store_id,
        )
        .group_by(m.store_id, m.product_id, m.day)
        .subquery("moves")
    )
    d = days.c
    level = func.sum(d.moved).over(partition_by=[d.store_id, d.product_id], order_by=d.day).label("level")
    levels = select(d.store_id, d.product_id, d.day, level).subquery("levels").c
    # Where nothing was ever there, the ledger holds corrections and no stock.
    ran_out = func.max(levels.day).filter(levels.level <= 0, within(levels.day, period))
    empty = (
        select(levels.store_id, levels.product_id, ran_out.label("day"))
        .group_by(levels.store_id, levels.product_id)
        .having(ran_out.is_not(None), func.max(levels.level) > 0)
        .subquery("empty")
    )
    return select(bought.c.customer_no, literal("stock_out"), empty.c.day, *unit(bought.c)).join_from(
        bought,
        empty,
        and_(
            empty.c.store_id == bought.c.store_id,
            empty.c.product_id == bought.c.product_id,
            empty.c.day > bought.c.day,
        ),
    )


def _price_rises(scope: Scope, period: Period, bought: CTE) -> Select[Any]:
    s = sale_line.c
    asked = (
        scope.limit(
            select(s.store_id, s.product_id, s.day, func.max(s.list_price).label("list_price")).where(
                s.exclusion.is_(None), within(s.day, period)
            ),
            s.store_id,
        )
        .group_by(s.store_id, s.product_id, s.day)
        .subquery("asked")
    )
    return select(bought.c.customer_no, literal("price_rise"), asked.c.day, *unit(bought.c)).join_from(
        bought,
        asked,
        and_(
            asked.c.store_id == bought.c.store_id,
            asked.c.product_id == bought.c.product_id,
            asked.c.day > bought.c.day,
            asked.c.list_price > bought.c.list_price * _RISE,
        ),
    )


def _last_orders(scope: Scope, until: date, by: By) -> CTE:
    """One row per customer: the store and the adviser of the last order."""
    o = sale_order.c
    rows = select(o.customer_no, o.store_id, o.staff_id, o.ordered_at, o.order_id).where(
        o.exclusion.is_(None), o.customer_no.is_not(None), o.day <= until
    )
    r = scope.limit(apart(rows, o.store_id, by), o.store_id).subquery("orders").c
    at, of = func.row(r.ordered_at, r.order_id), (r.customer_no, *unit(r))
    store_id = func.arg_max(r.store_id, at).label("store_id")
    staff_id = func.arg_max(func.coalesce(r.staff_id, ""), at).label("staff_id")
    return select(*of, store_id, staff_id).group_by(*of).cte("last_orders")


def _left(scope: Scope, period: Period, by: By) -> Subquery:
    """The advisers who left in ``period``: staff_id, left_on."""
    p = staff.c
    rows = select(p.staff_id, p.left_on).where(within(p.left_on, period))
    return scope.limit(apart(rows, p.home_store_id, by), p.home_store_id).subquery("gone")


def _advisers(scope: Scope, period: Period, last: CTE, by: By) -> Select[Any]:
    gone = _left(scope, period, by)
    return select(last.c.customer_no, literal("adviser_left"), gone.c.left_on, *unit(last.c)).join_from(
        last, gone, and_(gone.c.staff_id == last.c.staff_id, *same_unit(gone.c, last.c))
    )


def _owners(scope: Scope, period: Period, by: By) -> Select[Any]:
    c, gone = customer.c, _left(scope, period, by)
    rows = apart(select(c.customer_no, c.owner_staff_id).where(c.owner_staff_id.is_not(None)), c.home_store_id, by)
    own = scope.limit(rows, c.home_store_id).subquery("own")
    return select(own.c.customer_no, literal("adviser_left"), gone.c.left_on, *unit(own.c)).join_from(
        own, gone, and_(gone.c.staff_id == own.c.owner_staff_id, *same_unit(gone.c, own.c))
    )


def _closures(scope: Scope, period: Period, last: CTE) -> Select[Any]:
    s = store_closure.c
    closed = (
        scope.limit(select(s.store_id, func.max(s.day).label("day")).where(within(s.day, period)), s.store_id)
        .group_by(s.store_id)
        .having(func.count() >= _CLOSED_DAYS)
        .subquery("closed")
    )
    return select(last.c.customer_no, literal("store_closed"), closed.c.day, *unit(last.c)).join_from(
        last, closed, closed.c.store_id == last.c.store_id
    )


def _discounts(scope: Scope, period: Period, by: By) -> Select[Any]:
    o = sale_order.c
    rows = select(o.customer_no, o.day, o.discount).where(
        o.exclusion.is_(None), o.customer_no.is_not(None), o.day <= period.last
    )
    r = scope.limit(apart(rows, o.store_id, by), o.store_id).subquery("orders").c
    last = select(r.customer_no, literal("discount_only"), func.max(r.day), *unit(r)).group_by(r.customer_no, *unit(r))
    return last.having(func.min(func.coalesce(r.discount, 0)) > 0)
