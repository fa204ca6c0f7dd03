"""Receipts of the stores in scope: where every drill ends. Money in the chain's currency, excluding tax."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, and_, cast, func, select

from data_access.marts._bridge import text_hash_of
from data_access.marts.order_place import order_place
from data_access.marts.product_order import product_order
from data_access.marts.store_day import store_day
from data_access.marts.tables import product, return_line, sale_line, sale_order, store
from data_access.queries._frame import customer_key, fetch, rows_of_product, values, within
from data_access.scope import Period, Scope


def order_header(scope: Scope, engine: Engine, order_id: str) -> pd.DataFrame:
    """One row: the receipt, counted or excluded; no row when no store in scope has it.

    Columns: order_id, ordered_at (datetime64, store-local), store_id, store, customer_key (pseudonym), staff_id,
    channel, device, exclusion (NA: counted), units, lines, gross_sales, tax, discount.
    """
    o = sale_order.c
    query = (
        select(
            o.order_id,
            o.ordered_at,
            o.store_id,
            store.c.name.label("store"),
            customer_key(o.customer_no).label("customer_key"),
            o.staff_id,
            o.channel,
            o.device,
            o.exclusion,
            cast(o.units, Double).label("units"),
            o.lines,
            cast(o.gross_sales, Double).label("gross_sales"),
            cast(o.tax, Double).label("tax"),
            cast(o.discount, Double).label("discount"),
        )
        .select_from(sale_order.outerjoin(store, store.c.store_id == o.store_id))
        .where(o.order_id == order_id, _on_its_day(scope, o.day, engine, order_id))
    )
    return fetch(scope, engine, scope.limit(query, o.store_id))


def order_lines(scope: Scope, engine: Engine, order_id: str) -> pd.DataFrame:
    """One row per line of the receipt, in its order.

    Columns: line_no, product_id, product (name), category, quantity, list_price (per unit, including tax),
    discount, net (of the line), tax, coupon_code.
    """
    line = sale_line.c
    query = (
        select(
            line.line_no,
            line.product_id,
            func.coalesce(product.c.name, line.product_id).label("product"),
            product.c.category,
            cast(line.quantity, Double).label("quantity"),
            cast(line.list_price, Double).label("list_price"),
            cast(line.discount, Double).label("discount"),
            cast(line.net, Double).label("net"),
            cast(line.tax, Double).label("tax"),
            line.coupon_code,
        )
        .select_from(sale_line.outerjoin(product, product.c.product_id == line.product_id))
        .where(line.order_id == order_id, _on_its_day(scope, line.day, engine, order_id))
        .order_by(line.line_no)
    )
    return fetch(scope, engine, scope.limit(query, line.store_id))


def order_returns(scope: Scope, engine: Engine, order_id: str) -> pd.DataFrame:
    """One row per returned line linked to a receipt of the stores in scope, wherever it was brought back, oldest first.

    Columns: return_id, line_no, order_line_no, product_id, product (name), returned_at (datetime64,
    store-local), store_id and store (NA: brought back to a store outside the scope), quantity, refund, reason.
    """
    r = return_line.c
    here = scope.limit(select(store.c.store_id, store.c.name), store.c.store_id).subquery("here")
    query = (
        select(
            r.return_id,
            r.line_no,
            r.order_line_no,
            r.product_id,
            func.coalesce(product.c.name, r.product_id).label("product"),
            r.returned_at,
            here.c.store_id,
            here.c.name.label("store"),
            cast(r.quantity, Double).label("quantity"),
            cast(r.refund, Double).label("refund"),
            r.reason,
        )
        .select_from(
            return_line.outerjoin(product, product.c.product_id == r.product_id).outerjoin(
                here, here.c.store_id == r.store_id
            )
        )
        .where(r.order_id == order_id, _on_its_day(scope, r.sale_day, engine, order_id))
        .order_by(r.returned_at, r.return_id, r.line_no)
    )
    return fetch(scope, engine, scope.limit(query, r.sale_store_id))


def recent_orders(scope: Scope, engine: Engine, period: Period, limit: int) -> pd.DataFrame:
    """The latest counted receipts of the period, newest first, at most ``limit``.

    Columns: order_id, ordered_at (datetime64, store-local), customer_key (pseudonym), units, gross_sales,
    net_sales (gross sales minus the refunds linked to the receipt so far).
    """
    o, r = sale_order.c, return_line.c
    c = store_day.c
    by_day = select(c.day, func.sum(c.orders).label("orders")).where(within(c.day, period)).group_by(c.day)
    enough = _days_of_the_latest(scope, engine, scope.limit(by_day, c.store_id), period, limit)
    latest = scope.limit(
        select(o.order_id, o.day, o.ordered_at, o.customer_no, o.units, o.gross_sales).where(
            o.exclusion.is_(None), within(o.day, enough)
        ),
        o.store_id,
    )
    new = latest.order_by(o.ordered_at.desc(), o.order_id).limit(limit).subquery()
    by_order = (
        select(r.order_id, func.sum(r.refund).label("refund"))
        .where(r.exclusion.is_(None), within(r.sale_day, enough))
        .group_by(r.order_id)
    )
    refunds = scope.limit(by_order, r.sale_store_id).subquery()
    query = (
        select(
            new.c.order_id,
            new.c.ordered_at,
            customer_key(new.c.customer_no).label("customer_key"),
            cast(new.c.units, Double).label("units"),
            cast(new.c.gross_sales, Double).label("gross_sales"),
            cast(new.c.gross_sales - func.coalesce(refunds.c.refund, 0), Double).label("net_sales"),
        )
        .select_from(new.outerjoin(refunds, refunds.c.order_id == new.c.order_id))
        .order_by(new.c.ordered_at.desc(), new.c.order_id)
    )
    return fetch(scope, engine, query)


def orders_with_product(scope: Scope, engine: Engine, period: Period, product_id: str, limit: int) -> pd.DataFrame:
    """The latest counted receipts of the period that hold the product, newest first, at most ``limit``.

    Columns: order_id, ordered_at (datetime64, store-local), store_id, store, customer_key (pseudonym), units
    and gross_sales of the product on that receipt.
    """
    held = product_order.c
    sold = and_(rows_of_product(product_order, product_id), within(held.day, period))
    by_day = select(held.day, func.count().label("orders")).where(sold).group_by(held.day)
    enough = _days_of_the_latest(scope, engine, scope.limit(by_day, held.store_id), period, limit)
    query = (
        select(
            held.order_id,
            held.ordered_at,
            held.store_id,
            store.c.name.label("store"),
            customer_key(held.customer_no).label("customer_key"),
            cast(held.units, Double).label("units"),
            cast(held.gross_sales, Double).label("gross_sales"),
        )
        .select_from(product_order.outerjoin(store, store.c.store_id == held.store_id))
        .where(sold, within(held.day, enough))
        .order_by(held.ordered_at.desc(), held.order_id)
        .limit(limit)
    )
    return fetch(scope, engine, scope.limit(query, held.store_id))


def _on_its_day(scope: Scope, day: ColumnElement[date], engine: Engine, order_id: str) -> ColumnElement[bool]:
    """Whether a day is that of the receipt, so that only the rows of that day are read; another receipt's, rarely."""
    query = select(order_place.c.day).where(order_place.c.order_hash == text_hash_of(order_id))
    return day.in_(values(scope, engine, scope.limit(query, order_place.c.store_id)))


def _days_of_the_latest(scope: Scope, engine: Engine, by_day: Select[Any], period: Period, orders: int) -> Period:
    """The end of ``period`` from the last day on that has as many receipts; all of it where there are fewer.

    ``by_day`` has the columns day and orders.
    """
    days = by_day.subquery()
    sofar = select(days.c.day, func.sum(days.c.orders).over(order_by=days.c.day.desc()).label("orders")).subquery()
    (first,) = values(scope, engine, select(func.max(sofar.c.day)).where(sofar.c.orders >= orders))
    return Period(first or period.first, period.last)
