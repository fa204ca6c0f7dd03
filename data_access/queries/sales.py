"""Sales of the stores in scope. Money in the chain's currency, excluding tax; net = gross - returns of the day."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Engine, Select, Table, and_, extract, func, literal, select, union_all

from data_access.marts.tables import return_line, sale_order, store, store_day
from data_access.queries._frame import amount, count, fetch, within, within_any
from data_access.scope import Period, Scope


def totals(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), gross_sales, returns, net_sales, orders, identified_orders, units,
    traffic (NaN without a valid door count), counted_day_orders (orders of store days with a valid count).
    """
    c = store_day.c

    def one(position: int, period: Period) -> Select[Any]:
        columns: list[ColumnElement[Any]] = [
            literal(position).label("period"),
            amount(c.gross_sales).label("gross_sales"),
            amount(c.returns).label("returns"),
            amount(c.net_sales).label("net_sales"),
            count(c.orders).label("orders"),
            count(c.identified_orders).label("identified_orders"),
            amount(c.units).label("units"),
            func.sum(c.visitors).label("traffic"),
            count(c.orders, c.visitors.is_not(None)).label("counted_day_orders"),
        ]
        return scope.limit(select(*columns).where(within(c.day, period)), c.store_id)

    query = union_all(*(one(position, period) for position, period in enumerate(periods)))
    return fetch(engine, query).sort_values("period", ignore_index=True).astype({"traffic": "float64"})


def by_day(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per day of the periods with a sale, a return or a visitor, oldest first.

    Columns: day (datetime64), gross_sales, returns, net_sales, orders, traffic (NaN without a valid door
    count), counted_day_orders.
    """
    c = store_day.c
    query = (
        select(
            c.day,
            amount(c.gross_sales).label("gross_sales"),
            amount(c.returns).label("returns"),
            amount(c.net_sales).label("net_sales"),
            count(c.orders).label("orders"),
            func.sum(c.visitors).label("traffic"),
            count(c.orders, c.visitors.is_not(None)).label("counted_day_orders"),
        )
        .where(within_any(c.day, periods))
        .group_by(c.day)
        .order_by(c.day)
    )
    return fetch(engine, scope.limit(query, c.store_id)).astype({"traffic": "float64"})


def by_month(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per calendar month of the period with a sale, a return or a visitor, oldest first.

    Columns: month ('YYYY-MM'), gross_sales, returns, net_sales, orders.
    """
    c = store_day.c
    month = func.strftime(c.day, "%Y-%m").label("month")
    query = (
        select(
            month,
            amount(c.gross_sales).label("gross_sales"),
            amount(c.returns).label("returns"),
            amount(c.net_sales).label("net_sales"),
            count(c.orders).label("orders"),
        )
        .where(within(c.day, period))
        .group_by("month")
        .order_by("month")
    )
    return fetch(engine, scope.limit(query, c.store_id))


def by_store(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, last_year: Period | None
) -> pd.DataFrame:
    """One row per store in scope, with or without sales, best first.

    Columns: store_id, store, region_id, region, kind, opened_on, closed_on, then the figures of ``period``:
    net_sales, gross_sales, returns, orders, and the net sales of the other periods: previous, last_year
    (NaN without such a period).
    """
    place = [
        store.c.store_id,
        store.c.name.label("store"),
        store.c.region_id,
        store.c.region_name.label("region"),
        store.c.kind,
        store.c.opened_on,
        store.c.closed_on,
    ]
    return _by_place(scope, engine, place, period, previous, last_year)


def by_region(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, last_year: Period | None
) -> pd.DataFrame:
    """One row per region with a store in scope, best first.

    Columns: region_id, region, then those of by_store from net_sales on.
    """
    place = [store.c.region_id, store.c.region_name.label("region")]
    return _by_place(scope, engine, place, period, previous, last_year)


def _by_place(
    scope: Scope,
    engine: Engine,
    place: Sequence[ColumnElement[Any]],
    period: Period,
    previous: Period | None,
    last_year: Period | None,
) -> pd.DataFrame:
    c = store_day.c
    now = within(c.day, period)

    def compared(other: Period | None, name: str) -> ColumnElement[Any]:
        if other is None:
            return literal(float("nan")).label(name)
        return amount(c.net_sales, within(c.day, other)).label(name)

    wanted = within_any(c.day, [p for p in (period, previous, last_year) if p is not None])
    query = (
        select(
            *place,
            amount(c.net_sales, now).label("net_sales"),
            amount(c.gross_sales, now).label("gross_sales"),
            amount(c.returns, now).label("returns"),
            count(c.orders, now).label("orders"),
            compared(previous, "previous"),
            compared(last_year, "last_year"),
        )
        .select_from(store.outerjoin(store_day, and_(store.c.store_id == c.store_id, wanted)))
        .group_by(*(column.element if hasattr(column, "element") else column for column in place))
        .order_by(amount(c.net_sales, now).desc(), place[0])
    )
    return fetch(engine, scope.limit(query, store.c.store_id))


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


def returns_of_sales(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """What was refunded so far of the sales of each period; one row per period, in the order given.

    A refund belongs to the day and store of the receipt it is linked to, or, without a link, to its own.
    Columns: period (position, from 0), returns_of_sales.
    """
    r, o = return_line.c, sale_order.c
    # A refund never precedes its sale, so older refunds cannot belong to the periods.
    recent = r.day >= min(period.first for period in periods)
    linked = (
        select(o.day, r.refund)
        .select_from(return_line.join(sale_order, r.order_id == o.order_id))
        .where(r.exclusion.is_(None), recent, within_any(o.day, periods))
    )
    unlinked = select(r.day, r.refund).where(r.exclusion.is_(None), r.order_id.is_(None), within_any(r.day, periods))
    both = union_all(scope.limit(linked, o.store_id), scope.limit(unlinked, r.store_id)).subquery()
    sums: list[ColumnElement[Any]] = [
        amount(both.c.refund, within(both.c.day, period)).label(str(i)) for i, period in enumerate(periods)
    ]
    row = fetch(engine, select(*sums))
    return pd.DataFrame({"period": range(len(periods)), "returns_of_sales": row.iloc[0].to_numpy()})
