"""Sales of the stores in scope. Money in the chain's currency, excluding tax; net = gross - returns of the day."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, cast, extract, func, literal, select

from data_access.marts.store_category_day import store_category_day
from data_access.marts.store_day import store_day
from data_access.marts.store_hour import store_hour
from data_access.marts.tables import store
from data_access.queries._frame import amount, count, fetch, period_sum, ten_thousandths, within, within_any
from data_access.scope import Period, Scope


def days(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per day of the periods with a sale, a return or a visitor in a store in scope, in order.

    Columns: day (datetime64), in ten-thousandths gross_sales, returns, net_sales, returns_of_sales (refunds so far of
    what was sold that day; those linked to no sale by their own day) and units, then orders, identified_orders,
    traffic (NaN without a valid door count), counted_day_orders (orders of stores with one).
    """
    c = store_day.c
    query = (
        select(
            c.day,
            *(
                ten_thousandths(func.sum(column)).label(column.name)
                for column in (c.gross_sales, c.returns, c.net_sales, c.returns_of_sales, c.units)
            ),
            count(c.orders).label("orders"),
            count(c.identified_orders).label("identified_orders"),
            cast(func.sum(c.visitors), Double).label("traffic"),
            count(c.orders, c.visitors.is_not(None)).label("counted_day_orders"),
        )
        .where(within_any(c.day, periods))
        .group_by(c.day)
        .order_by(c.day)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def stores(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, last_year: Period | None
) -> pd.DataFrame:
    """One row per store in scope with a sale, a return or a visitor in one of the periods, by store_id.

    Columns: store_id, in ten-thousandths net_sales, gross_sales and returns of ``period``, its orders, and the net
    sales of the other two in ten-thousandths: previous, last_year (NaN without such a period).
    """
    c = store_day.c
    now = within(c.day, period)
    query = (
        select(
            c.store_id,
            *(
                period_sum(column, period, c.day).label(column.name)
                for column in (c.net_sales, c.gross_sales, c.returns)
            ),
            count(c.orders, now).label("orders"),
            period_sum(c.net_sales, previous, c.day).label("previous"),
            period_sum(c.net_sales, last_year, c.day).label("last_year"),
        )
        .where(within_any(c.day, [p for p in (period, previous, last_year) if p is not None]))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def category_days(scope: Scope, engine: Engine, periods: Sequence[Period], category: str) -> pd.DataFrame:
    """One row per day of the periods on which a store in scope sold goods of the category or took some back, in order.

    Columns: day (datetime64), in ten-thousandths gross_sales, returns, net_sales and units.
    """
    c = store_category_day.c
    sums = [ten_thousandths(func.sum(one)).label(one.name) for one in (c.gross_sales, c.returns, c.net_sales, c.units)]
    query = (
        select(c.day, *sums).where(c.category == category, within_any(c.day, periods)).group_by(c.day).order_by(c.day)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def category_stores(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, last_year: Period | None, category: str
) -> pd.DataFrame:
    """One row per store in scope that sold goods of the category or took some back in one of the periods, by store_id.

    Columns: as of ``stores`` but for orders, which have no one category: store_id, in ten-thousandths net_sales,
    gross_sales, returns and units, previous and last_year.
    """
    c = store_category_day.c
    query = (
        select(
            c.store_id,
            *(
                period_sum(one, period, c.day).label(one.name)
                for one in (c.net_sales, c.gross_sales, c.returns, c.units)
            ),
            period_sum(c.net_sales, previous, c.day).label("previous"),
            period_sum(c.net_sales, last_year, c.day).label("last_year"),
        )
        .where(c.category == category, within_any(c.day, [p for p in (period, previous, last_year) if p is not None]))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def by_hour(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per weekday and hour of the period with an order or a return.

    Columns: weekday (1 = Monday), hour (0..23, store-local), net_sales (sales of that hour minus refunds
    booked in it), orders.
    """
    c = store_hour.c
    weekday = extract("isodow", c.day)
    query = (
        select(
            weekday.label("weekday"), c.hour, amount(c.net_sales).label("net_sales"), count(c.orders).label("orders")
        )
        .where(within(c.day, period))
        .group_by(weekday, c.hour)
        .order_by(weekday, c.hour)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def categories(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, last_year: Period | None
) -> pd.DataFrame:
    """One row per category with a sale or a return in one of the periods, the best first.

    Columns: category (NA: the product has none), net_sales and units of ``period``, and the net sales of the other two:
    previous, last_year (NaN without such a period).
    """
    c = store_category_day.c

    def total(column: ColumnElement[Any], days: Period | None) -> ColumnElement[Any]:
        return literal(float("nan")) if days is None else amount(column, within(c.day, days))

    net = total(c.net_sales, period)
    query = (
        select(
            c.category,
            net.label("net_sales"),
            total(c.units, period).label("units"),
            total(c.net_sales, previous).label("previous"),
            total(c.net_sales, last_year).label("last_year"),
        )
        .where(within_any(c.day, [p for p in (period, previous, last_year) if p is not None]))
        .group_by(c.category)
        .order_by(net.desc(), c.category)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def by_category(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store and product category with a sale or a return in the period: by region, store and category.

    Columns: region_id, region, store_id, store (names), category (NA: the product has none), net_sales, gross_sales,
    returns, units, lines (sold).
    """
    c = store_category_day.c
    sums = scope.limit(
        select(
            c.store_id,
            c.category,
            *(amount(column).label(column.name) for column in (c.net_sales, c.gross_sales, c.returns, c.units)),
            count(c.lines).label("lines"),
        )
        .where(within(c.day, period))
        .group_by(c.store_id, c.category),
        c.store_id,
    ).subquery()
    query = (
        select(
            store.c.region_id,
            store.c.region_name.label("region"),
            sums.c.store_id,
            store.c.name.label("store"),
            *(column for column in sums.c if column.name != "store_id"),
        )
        .select_from(sums.join(store, store.c.store_id == sums.c.store_id))
        .order_by(store.c.region_name, store.c.region_id, store.c.name, sums.c.store_id, sums.c.category.nulls_last())
    )
    return fetch(scope, engine, query)
