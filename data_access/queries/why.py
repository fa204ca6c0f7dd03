"""Why sales moved: what each product, and customers who are known, brought in two periods.

Money in the chain's currency, excluding tax.
"""

from collections.abc import Sequence
from typing import Any, Literal

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Engine, FromClause, Select, Subquery, Table, case, cast, func, select

from data_access.marts.customer_place import customer_place
from data_access.marts.product_place_day import product_place_day
from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import product, return_line, sale_line, sale_order
from data_access.queries._frame import amount, count, fetch, within, within_any
from data_access.queries._places import place_of
from data_access.queries.customers import buyers
from data_access.scope import Period, Scope

By = Literal["store_id", "channel", "staff_id", "customers"]


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


def identified(scope: Scope, engine: Engine, periods: Sequence[Period]) -> list[dict[str, float]]:
    """What customers who are known paid for in each period: buyers (distinct), orders, units, gross_sales.

    Lines that cost nothing (gifts, samples) are no units: they would change the price of the others. They are few, so
    they are looked for by themselves, and receipts tell the rest.
    """
    o, line = sale_order.c, sale_line.c
    sums: list[ColumnElement[Any]] = []
    given: list[ColumnElement[Any]] = []
    for i, period in enumerate(periods):
        now = within(o.day, period)
        sums.append(cast(func.count().filter(now), BigInteger).label(f"orders_{i}"))
        sums.append(amount(o.units, now).label(f"units_{i}"))
        sums.append(amount(o.gross_sales, now).label(f"gross_sales_{i}"))
        given.append(amount(line.quantity, within(line.day, period)).label(f"units_{i}"))
    receipts = select(*sums).where(within_any(o.day, periods), o.exclusion.is_(None), o.customer_no.is_not(None))
    gifts = select(*given).where(
        line.net == 0, within_any(line.day, periods), line.exclusion.is_(None), line.customer_no.is_not(None)
    )
    paid = fetch(scope, engine, scope.limit(receipts, o.store_id)).iloc[0]
    free = fetch(scope, engine, scope.limit(gifts, line.store_id)).iloc[0]
    came = buyers(scope, engine, periods)["buyers"]
    return [
        {
            "buyers": float(came[i]),
            "orders": float(paid[f"orders_{i}"]),
            "units": float(paid[f"units_{i}"] - free[f"units_{i}"]),
            "gross_sales": float(paid[f"gross_sales_{i}"]),
        }
        for i in range(len(periods))
    ]


def receipts(scope: Scope, engine: Engine, period: Period, compared: Period, by: By) -> pd.DataFrame:
    """One row per store, channel, person or kind of customer of the receipts of the periods.

    Columns: key ('' unknown; of customers new or returning, as seen from each period and the stores in scope),
    gross_sales, units and orders of ``period``, gross_sales_before, units_before and orders_before of ``compared``.
    """
    c = sale_order.c
    known = _first_days(scope, engine)
    sold = sale_order if by != "customers" else sale_order.outerjoin(known, known.c.customer_no == c.customer_no)
    parts = []
    for days, ending in _both(period, compared):
        key = func.coalesce(_new_or_not(known, days), "") if by == "customers" else func.coalesce(c[by], "")
        names = ("gross_sales", "units")
        sums: list[ColumnElement[Any]] = [amount(c[name]).label(name + ending) for name in names]
        sums.append(cast(func.count(), BigInteger).label(f"orders{ending}"))
        rows = select(key.label("key"), *sums).select_from(sold).where(c.exclusion.is_(None), within(c.day, days))
        parts.append(fetch(scope, engine, scope.limit(rows.group_by(key), c.store_id)))
    return _side_by_side(*parts)


def returned(
    scope: Scope, engine: Engine, period: Period, compared: Period, by: By | Literal["category"]
) -> pd.DataFrame:
    """One row per key of ``receipts`` or category with a refund of what was sold in one of the periods, whenever and
    wherever it was paid: key, returns_of_sales of ``period``, returns_of_sales_before of ``compared``."""
    r = return_line.c
    known = _first_days(scope, engine)
    rows: FromClause = return_line
    served = _served(scope, period, compared)
    keys: dict[str, ColumnElement[Any]] = {
        "store_id": r.sale_store_id, "channel": r.sale_channel, "staff_id": served.c.staff_id,
        "category": product.c.category,
    }  # fmt: skip
    if by == "staff_id":
        rows = return_line.outerjoin(served, served.c.order_id == r.order_id)
    elif by == "category":
        rows = return_line.outerjoin(product, product.c.product_id == r.product_id)
    elif by == "customers":
        rows = return_line.outerjoin(known, known.c.customer_no == r.customer_no)
    parts = []
    for days, ending in _both(period, compared):
        key = func.coalesce(_new_or_not(known, days) if by == "customers" else keys[by], "")
        refunds: ColumnElement[Any] = amount(r.refund).label(f"returns_of_sales{ending}")
        sold = (r.exclusion.is_(None), within(r.sale_day, days))
        query: Select[Any] = select(key.label("key"), refunds).select_from(rows).where(*sold).group_by(key)
        parts.append(fetch(scope, engine, scope.limit(query, r.sale_store_id)))
    return _side_by_side(*parts)


def doors(scope: Scope, engine: Engine, period: Period, compared: Period) -> pd.DataFrame:
    """One row per store with a valid door count in one of the periods: key (its id), traffic and counted_day_orders of
    ``period``, traffic_before and counted_day_orders_before of ``compared``."""
    c = store_day.c
    parts: list[ColumnElement[Any]] = []
    for days, ending in _both(period, compared):
        parts.append(amount(c.visitors, within(c.day, days)).label(f"traffic{ending}"))
        parts.append(count(c.orders, within(c.day, days)).label(f"counted_day_orders{ending}"))
    query = select(c.store_id.label("key"), *parts).where(
        c.visitors.is_not(None), within_any(c.day, [period, compared])
    )
    return fetch(scope, engine, scope.limit(query.group_by(c.store_id).order_by(c.store_id), c.store_id))


def _both(period: Period, compared: Period) -> tuple[tuple[Period, str], ...]:
    return (period, ""), (compared, "_before")


def _side_by_side(now: pd.DataFrame, then: pd.DataFrame) -> pd.DataFrame:
    """The rows of both periods by key; what one of them lacks is zero."""
    return now.merge(then, "outer", "key").fillna(0).sort_values("key", ignore_index=True)


def _served(scope: Scope, period: Period, compared: Period) -> Subquery:
    """Who served each receipt of the periods: order_id, staff_id."""
    c = sale_order.c
    query = select(c.order_id, c.staff_id).where(within_any(c.day, [period, compared]))
    return scope.limit(query, c.store_id).subquery("served")


def _first_days(scope: Scope, engine: Engine) -> Subquery:
    """The day of the first counted order of each customer in the stores in scope: customer_no, first_day."""
    c = customer_place.c
    place = place_of(scope, engine)
    if place is not None:
        return select(c.customer_no, c.first_day).where(place.rows(customer_place)).subquery("known")
    each = select(c.customer_no, func.min(c.first_day).label("first_day")).where(c.level == "store")
    return scope.limit(each.group_by(c.customer_no), c.place_id).subquery("known")


def _new_or_not(known: Subquery, period: Period) -> ColumnElement[Any]:
    first = known.c.first_day
    return case((within(first, period), "new"), (first.is_not(None), "returning"), else_=None)


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
