"""Sales of the stores in scope. Money in the chain's currency, excluding tax; net = gross - returns of the day."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, Table, case, cast, extract, literal, select, union_all

from data_access.marts.store_day import store_day
from data_access.marts.tables import return_line, sale_order
from data_access.queries._frame import amount, count, fetch, fetch_many, ten_thousandths, within, within_any
from data_access.scope import Period, Scope


def store_days(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per store in scope and day of the periods with a sale, a return or a visitor, by day.

    Every figure over stores and days is a sum of these rows (``models.calc.days``).
    Columns: store_id (categories), day (datetime64), in ten-thousandths gross_sales, returns, net_sales,
    returns_of_sales (refunds so far of what was sold that day; those linked to no sale by their own day) and units,
    then orders, identified_orders, traffic (NaN without a valid door count), counted_day_orders (0 without one).
    """
    c = store_day.c
    query = (
        select(
            c.store_id,
            c.day,
            *(
                ten_thousandths(column).label(column.name)
                for column in (c.gross_sales, c.returns, c.net_sales, c.returns_of_sales, c.units)
            ),
            c.orders,
            c.identified_orders,
            cast(c.visitors, Double).label("traffic"),
            case((c.visitors.is_(None), 0), else_=c.orders).label("counted_day_orders"),
        )
        .where(within_any(c.day, periods))
        .order_by(c.day, c.store_id)
    )
    return fetch_many(engine, scope.limit(query, c.store_id), categories=["store_id"])


def by_hour(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per weekday and hour of the period with an order or a return.

    Columns: weekday (1 = Monday), hour (0..23, store-local), net_sales (sales of that hour minus refunds
    booked in it), orders.
    """
    sold = _hours(scope, sale_order, sale_order.c.ordered_at, sale_order.c.gross_sales, literal(1), period)
    back = _hours(scope, return_line, return_line.c.returned_at, -return_line.c.refund, literal(0), period)
    both = union_all(sold, back).subquery()
    query = (
        select(
            both.c.weekday, both.c.hour, amount(both.c.money).label("net_sales"), count(both.c.orders).label("orders")
        )
        .group_by(both.c.weekday, both.c.hour)
        .order_by(both.c.weekday, both.c.hour)
    )
    return fetch(engine, query)


def _hours(
    scope: Scope,
    table: Table,
    at: ColumnElement[Any],
    money: ColumnElement[Any],
    orders: ColumnElement[int],
    period: Period,
) -> Select[Any]:
    query = select(
        extract("isodow", at).label("weekday"),
        extract("hour", at).label("hour"),
        money.label("money"),
        orders.label("orders"),
    ).where(table.c.exclusion.is_(None), within(table.c.day, period))
    return scope.limit(query, table.c.store_id)
