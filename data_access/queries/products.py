"""Products: what each sold in the stores in scope. Money in the chain's currency, excluding tax."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Engine,
    Select,
    and_,
    cast,
    exists,
    func,
    literal,
    select,
    union_all,
)

from data_access.marts.tables import product, product_store_day, return_line, sale_line, sale_order, store
from data_access.queries._frame import amount, count, fetch, within, within_any
from data_access.scope import Period, Scope


def product_sales(scope: Scope, engine: Engine, period: Period, previous: Period | None) -> pd.DataFrame:
    """One row per product sold or returned in ``period`` or ``previous``, by product_id.

    Columns: product_id, product (name), category, net_sales and units of ``period``, compared_with (net
    sales of ``previous``, NaN without such a period).
    """
    c = product_store_day.c
    now = within(c.day, period)
    compared: ColumnElement[Any] = literal(float("nan"))
    if previous is not None:
        compared = amount(c.net_sales, within(c.day, previous))
    sums = (
        select(
            c.product_id,
            amount(c.net_sales, now).label("net_sales"),
            amount(c.units, now).label("units"),
            compared.label("compared_with"),
        )
        .where(within_any(c.day, [p for p in (period, previous) if p is not None]))
        .group_by(c.product_id)
    )
    sold = scope.limit(sums, c.store_id).subquery()
    query = (
        select(
            sold.c.product_id,
            func.coalesce(product.c.name, sold.c.product_id).label("product"),
            product.c.category,
            sold.c.net_sales,
            sold.c.units,
            sold.c.compared_with,
        )
        .select_from(sold.outerjoin(product, product.c.product_id == sold.c.product_id))
        .order_by(sold.c.product_id)
    )
    return fetch(engine, query)


def product_facts(scope: Scope, engine: Engine, product_id: str) -> pd.DataFrame:
    """One row: the product; no row when it is unknown or the scope holds no store.

    Columns: product_id, product (name), sku, brand, kind, category, subcategory, pack_size, list_price (per
    unit, including tax), launched_on (datetime64), usage_days.
    """
    c = product.c
    query = select(
        c.product_id,
        c.name.label("product"),
        c.sku,
        c.brand,
        c.kind,
        c.category,
        c.subcategory,
        c.pack_size,
        cast(c.list_price, Double).label("list_price"),
        c.launched_on,
        c.usage_days,
    ).where(c.product_id == product_id)
    # The range is the chain's, so any store in scope is enough to look up one of its products.
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(engine, query.where(exists(some_store)))


def product_totals(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per period, in the order given: what the product sold.

    Columns: period (position, from 0), gross_sales, returns, net_sales, units, returned_units, orders,
    buyers (distinct identified customers), returns_of_sales (refunds so far of the sales of the period; by
    the day of the sale where linked, else by their own).
    """
    c = product_store_day.c

    def one(position: int, period: Period) -> Select[Any]:
        query = select(
            literal(position).label("period"),
            amount(c.gross_sales).label("gross_sales"),
            amount(c.returns).label("returns"),
            amount(c.net_sales).label("net_sales"),
            amount(c.units).label("units"),
            amount(c.returned_units).label("returned_units"),
            count(c.orders).label("orders"),
            _buyers(scope, product_id, period).label("buyers"),
            _returned(scope, product_id, period).label("returns_of_sales"),
        ).where(c.product_id == product_id, within(c.day, period))
        return scope.limit(query, c.store_id)

    query = union_all(*(one(position, period) for position, period in enumerate(periods)))
    return fetch(engine, query).sort_values("period", ignore_index=True)


def _buyers(scope: Scope, product_id: str, period: Period) -> ColumnElement[Any]:
    line = sale_line.c
    query = select(cast(func.count(line.customer_key.distinct()), BigInteger)).where(
        line.product_id == product_id, line.exclusion.is_(None), within(line.day, period)
    )
    return scope.limit(query, line.store_id).scalar_subquery()


def _returned(scope: Scope, product_id: str, period: Period) -> ColumnElement[Any]:
    r, o = return_line.c, sale_order.c
    back = and_(r.product_id == product_id, r.exclusion.is_(None))
    linked = (
        select(r.refund)
        .select_from(return_line.join(sale_order, r.order_id == o.order_id))
        .where(back, within(o.day, period))
    )
    unlinked = select(r.refund).where(back, r.order_id.is_(None), within(r.day, period))
    both = union_all(scope.limit(linked, o.store_id), scope.limit(unlinked, r.store_id)).subquery()
    return select(amount(both.c.refund)).scalar_subquery()


def product_by_day(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per day of the periods on which the product was sold or returned, oldest first.

    Columns: day (datetime64), net_sales, gross_sales, units.
    """
    c = product_store_day.c
    query = (
        select(
            c.day,
            amount(c.net_sales).label("net_sales"),
            amount(c.gross_sales).label("gross_sales"),
            amount(c.units).label("units"),
        )
        .where(c.product_id == product_id, within_any(c.day, periods))
        .group_by(c.day)
        .order_by(c.day)
    )
    return fetch(engine, scope.limit(query, c.store_id))


def product_by_store(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, product_id: str
) -> pd.DataFrame:
    """One row per store that sold or took back the product in ``period`` or ``previous``, best first.

    Columns: store_id, store, region_id, region, net_sales and units of ``period``, previous (net sales of
    ``previous``, NaN without such a period).
    """
    c = product_store_day.c
    now = within(c.day, period)
    compared: ColumnElement[Any] = literal(float("nan"))
    if previous is not None:
        compared = amount(c.net_sales, within(c.day, previous))
    place = (store.c.store_id, store.c.name, store.c.region_id, store.c.region_name)
    query = (
        select(
            store.c.store_id,
            store.c.name.label("store"),
            store.c.region_id,
            store.c.region_name.label("region"),
            amount(c.net_sales, now).label("net_sales"),
            amount(c.units, now).label("units"),
            compared.label("previous"),
        )
        .select_from(product_store_day.join(store, store.c.store_id == c.store_id))
        .where(c.product_id == product_id, within_any(c.day, [p for p in (period, previous) if p is not None]))
        .group_by(*place)
        .order_by(amount(c.net_sales, now).desc(), store.c.store_id)
    )
    return fetch(engine, scope.limit(query, c.store_id))
