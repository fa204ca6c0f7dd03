"""Why sales moved: what each product, and customers who are known, brought in two periods.

Money in the chain's currency, excluding tax.
"""

from typing import Any, Literal

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Select, Table, case, func, select

from data_access.marts.product_place_day import product_place_day
from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import product, sale_line, sale_order
from data_access.queries._frame import amount, count, fetch, within, within_any
from data_access.queries._places import place_of
from data_access.scope import Period, Scope


def products(scope: Scope, engine: Engine, period: Period, compared: Period) -> pd.DataFrame:
    """One row per product sold or returned in one of the periods, by product_id.

    Columns: product_id, product (name), category (NA: none), gross_sales, net_sales and units of ``period``,
    gross_sales_before, net_sales_before and units_before of ``compared``.
    """
    place = place_of(scope, engine)
    if place is None or place.level == "store":
        sold = scope.limit(_sums(product_store_day, period, compared), product_store_day.c.store_id)
    else:
        sold = _sums(product_place_day, period, compared).where(place.rows(product_place_day))
    s = sold.subquery("sums").c
    figures = [column for column in s if column.name != "product_id"]
    query = (
        select(s.product_id, func.coalesce(product.c.name, s.product_id).label("product"), product.c.category, *figures)
        .join_from(s.product_id.table, product, product.c.product_id == s.product_id, isouter=True)
        .order_by(s.product_id)
    )
    return fetch(scope, engine, query)


def identified(scope: Scope, engine: Engine, period: Period) -> dict[str, float]:
    """What customers who are known paid for in the period: buyers (distinct), orders, units, gross_sales.

    Lines that cost nothing (gifts, samples) are no units: they would change the price of the others.
    """
    c = sale_line.c
    sums: list[ColumnElement[Any]] = [
        func.count(c.customer_no.distinct()).label("buyers"),
        func.count(c.order_id.distinct()).label("orders"),
        amount(c.quantity).label("units"),
        amount(c.net).label("gross_sales"),
    ]
    sold = (within(c.day, period), c.exclusion.is_(None), c.customer_no.is_not(None), c.net != 0)
    query = select(*sums).where(*sold)
    row = fetch(scope, engine, scope.limit(query, c.store_id)).iloc[0]
    return {str(name): float(value) for name, value in row.items()}


def receipts(
    scope: Scope, engine: Engine, period: Period, compared: Period, by: Literal["store_id", "channel", "staff_id"]
) -> pd.DataFrame:
    """One row per store, channel or person of the receipts of the periods.

    Columns: key ('' unknown), gross_sales, units and orders of ``period``, gross_sales_before, units_before and
    orders_before of ``compared``.
    """
    c = sale_order.c
    key = func.coalesce(c[by], "").label("key")
    parts: list[ColumnElement[Any]] = []
    for days, ending in ((period, ""), (compared, "_before")):
        inside = within(c.day, days)
        parts += [amount(c[name], inside).label(name + ending) for name in ("gross_sales", "units")]
        parts.append(count(case((inside, 1), else_=0)).label(f"orders{ending}"))
    counted = (c.exclusion.is_(None), within_any(c.day, [period, compared]))
    return fetch(
        scope, engine, scope.limit(select(key, *parts).where(*counted).group_by(key).order_by(key), c.store_id)
    )


def categories(scope: Scope, engine: Engine, period: Period, compared: Period) -> pd.DataFrame:
    """One row per category sold in one of the periods.

    Columns: key ('' without one), gross_sales and units of ``period``, gross_sales_before and units_before of
    ``compared``.
    """
    c = store_category_day.c
    key = func.coalesce(c.category, "").label("key")
    parts: list[ColumnElement[Any]] = [
        amount(c[name], within(c.day, days)).label(name + ending)
        for days, ending in ((period, ""), (compared, "_before"))
        for name in ("gross_sales", "units")
    ]
    query = select(key, *parts).where(within_any(c.day, [period, compared])).group_by(key).order_by(key)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def _sums(mart: Table, period: Period, compared: Period) -> Select[Any]:
    c = mart.c

    def total(name: str, days: Period, ending: str) -> ColumnElement[float]:
        return amount(c[name], within(c.day, days)).label(f"{name}{ending}")

    names = ("gross_sales", "net_sales", "units")
    return (
        select(
            c.product_id,
            *(total(name, period, "") for name in names),
            *(total(name, compared, "_before") for name in names),
        )
        .where(within_any(c.day, [period, compared]))
        .group_by(c.product_id)
    )
