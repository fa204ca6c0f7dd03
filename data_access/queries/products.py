"""Products: what each sold in the stores in scope. Money in the chain's currency, excluding tax."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Double,
    Engine,
    cast,
    exists,
    func,
    literal,
    select,
)

from data_access.marts.product_store_day import product_store_day
from data_access.marts.tables import product, sale_line, store
from data_access.queries._frame import amount, fetch, fetch_many, ten_thousandths, within, within_any
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


def product_days(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per store in scope and day of the periods on which the product was sold or returned, by day.

    Columns: store_id (categories), day (datetime64), in ten-thousandths gross_sales, returns, net_sales,
    returns_of_sales (refunds so far of what was sold that day; those linked to no sale by their own day), units and
    returned_units, then orders.
    """
    c = product_store_day.c
    exact = (c.gross_sales, c.returns, c.net_sales, c.returns_of_sales, c.units, c.returned_units)
    query = (
        select(c.store_id, c.day, *(ten_thousandths(column).label(column.name) for column in exact), c.orders)
        .where(c.product_id == product_id, within_any(c.day, periods))
        .order_by(c.day, c.store_id)
    )
    return fetch_many(engine, scope.limit(query, c.store_id), categories=["store_id"])


def product_buyers(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), buyers (distinct identified customers with a counted order of the product).
    """
    line = sale_line.c
    buyers = [func.count(line.customer_no.distinct()).filter(within(line.day, period)) for period in periods]
    columns: list[ColumnElement[Any]] = [column.label(str(i)) for i, column in enumerate(buyers)]
    query = select(*columns).where(
        line.product_id == product_id, line.exclusion.is_(None), within_any(line.day, periods)
    )
    row = fetch(engine, scope.limit(query, line.store_id)).iloc[0]
    return pd.DataFrame({"period": range(len(periods)), "buyers": row.to_numpy(dtype="int64")})
