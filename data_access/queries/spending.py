"""What identified customers of the stores in scope pay for a unit, against what the range offers, and who looks after
them."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Double, Engine, Select, case, cast, func, or_, select

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer, product, sale_line, staff
from data_access.queries._frame import amount, fetch, fetch_many, within, within_any
from data_access.scope import Period, Scope


def price_ranks(scope: Scope, engine: Engine, this: Period, before: Period) -> pd.DataFrame:
    """One row per customer and category with a counted line of a product with a list price in one of two years.

    The rank of a product is where its list price stands among those of its category in the range, from 0 (the lowest)
    to 1; of lines, the mean over their units.

    Columns: customer_no, category, rank_now (NaN: nothing in ``this``), rank_before (in ``before``), lines (in
    ``this``), discounted (of these, with a discount or a coupon), net_sales (of these, before returns).
    """
    p, s = product.c, sale_line.c
    ranks = (
        select(
            p.product_id,
            p.category,
            func.percent_rank().over(partition_by=p.category, order_by=p.list_price).label("rank"),
        )
        .where(p.list_price > 0, p.category.is_not(None))
        .subquery("ranks")
    )
    r = ranks.c
    now, earlier = within(s.day, this), within(s.day, before)

    def mean(rows: Any) -> Any:
        units = func.sum(s.quantity).filter(rows)
        return cast(func.sum(s.quantity * r.rank).filter(rows) / func.nullif(units, 0), Double)

    cheaper = or_(s.discount > 0, s.coupon_code.is_not(None))
    query = (
        select(
            s.customer_no,
            r.category,
            mean(now).label("rank_now"),
            mean(earlier).label("rank_before"),
            cast(func.count().filter(now), BigInteger).label("lines"),
            cast(func.count().filter(now, cheaper), BigInteger).label("discounted"),
            amount(s.net, now).label("net_sales"),
        )
        .join_from(sale_line, ranks, r.product_id == s.product_id)
        .where(s.exclusion.is_(None), s.customer_no.is_not(None), s.quantity > 0, within_any(s.day, [this, before]))
        .group_by(s.customer_no, r.category)
    )
    return fetch_many(scope, engine, scope.limit(query, s.store_id), categories=["category"])


def advisers(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per home store in scope and adviser who looks after customers there; '' for those without one.

    Columns: store_id, staff_id, has_left (True: does not work for the chain any more), customers, buyers (with an order
    in ``period`` in the stores in scope), net_sales (in ``period``).
    """
    c, sums = customer.c, _sums(scope, period)
    left = _left(scope)
    query = (
        select(
            c.home_store_id.label("store_id"),
            func.coalesce(c.owner_staff_id, "").label("staff_id"),
            func.bool_or(left.c.staff_id.is_not(None)).label("has_left"),
            cast(func.count(), BigInteger).label("customers"),
            cast(func.count().filter(sums.c.orders > 0), BigInteger).label("buyers"),
            amount(sums.c.net_sales).label("net_sales"),
        )
        .join_from(customer, sums, sums.c.customer_no == c.customer_no, isouter=True)
        .join(left, left.c.staff_id == c.owner_staff_id, isouter=True)
        .where(c.home_store_id.is_not(None))
        .group_by(c.home_store_id, c.owner_staff_id)
        .order_by(c.home_store_id, c.owner_staff_id)
    )
    return fetch(scope, engine, scope.limit(query, c.home_store_id))


def unassigned(scope: Scope, engine: Engine, period: Period, limit: int = 50) -> pd.DataFrame:
    """Customers at home in scope (the chain: or nowhere) whom nobody looks after, or somebody who has left, best first.

    Columns: customer_no, store_id (home), has_left (the adviser), orders, net_sales and last_day (of orders), all of
    ``period`` and the stores in scope. Only customers with an order in it.
    """
    c, sums = customer.c, _sums(scope, period)
    left = _left(scope)
    query = (
        select(
            c.customer_no,
            c.home_store_id.label("store_id"),
            left.c.staff_id.is_not(None).label("has_left"),
            sums.c.orders,
            cast(sums.c.net_sales, Double).label("net_sales"),
            sums.c.last_day,
        )
        .join_from(customer, sums, sums.c.customer_no == c.customer_no)
        .join(left, left.c.staff_id == c.owner_staff_id, isouter=True)
        .where(sums.c.orders > 0, or_(c.owner_staff_id.is_(None), left.c.staff_id.is_not(None)))
        .order_by(sums.c.net_sales.desc(), c.customer_no)
        .limit(limit)
    )
    return fetch(scope, engine, scope.limit(query, c.home_store_id))


def _left(scope: Scope) -> Any:
    """The advisers of the stores in scope who have left."""
    return scope.limit(select(staff.c.staff_id).where(staff.c.left_on.is_not(None)), staff.c.home_store_id).subquery(
        "gone"
    )


def _sums(scope: Scope, period: Period) -> Any:
    """Orders, net sales and the last day with an order of each customer in ``period``."""
    c = customer_store_day.c
    rows: Select[Any] = select(
        c.customer_no,
        cast(func.sum(c.orders), BigInteger).label("orders"),
        func.sum(c.net_sales).label("net_sales"),
        func.max(case((c.orders > 0, c.day))).label("last_day"),
    ).where(within(c.day, period))
    return scope.limit(rows, c.store_id).group_by(c.customer_no).subquery("sums")
