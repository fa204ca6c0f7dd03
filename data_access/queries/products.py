"""Products: what each sold in the stores in scope. Money in the chain's currency, excluding tax."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Double,
    Engine,
    Select,
    Subquery,
    Table,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from data_access.marts.product_order import product_order
from data_access.marts.product_place_day import product_place_day
from data_access.marts.product_return import product_return
from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import product, store
from data_access.queries._frame import (
    count,
    fetch,
    period_sum,
    rows_of_product,
    ten_thousandths,
    within,
    within_any,
)
from data_access.queries._places import place_of
from data_access.scope import Period, Scope


def categories(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per category that a store in scope ever sold or took back, by name: category."""
    c = store_category_day.c
    query = select(c.category).where(c.category.is_not(None)).distinct().order_by(c.category)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def movers(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, most: int, category: str | None = None
) -> pd.DataFrame:
    """The ``most`` best sellers of ``period`` (of one category, of all without) and as many that lost most against
    ``previous``, by product_id.

    Columns: product_id, product (name), category, net_sales and units of ``period``, compared_with (net sales of
    ``previous``), change_of_all (net sales of all products less those of ``previous``); the last two are NaN without
    such a period, and nobody lost anything.
    """
    s = _sold(scope, engine, period, previous, category).subquery("sums").c
    change = s.net_sales - s.compared_with
    ranked = select(
        *s,
        func.row_number().over(order_by=[s.net_sales.desc(), s.product_id]).label("best"),
        func.row_number().over(order_by=[change, s.product_id]).label("worst"),
        func.sum(change).over().label("change_of_all"),
    ).subquery("ranked")
    r = ranked.c
    fell = and_(r.worst <= most, r.net_sales < r.compared_with)
    compared = [cast(column, Double).label(column.name) for column in (r.compared_with, r.change_of_all)]
    if previous is None:
        compared = [literal(float("nan")).label(column.name) for column in compared]
    query = (
        select(*_shown(r), *compared)
        .join_from(ranked, product, product.c.product_id == r.product_id, isouter=True)
        .where(or_(r.best <= most, fell))
        .order_by(r.product_id)
    )
    return fetch(scope, engine, query)


def _product_sums(mart: Table, period: Period, previous: Period | None) -> Select[Any]:
    """One row per product sold or returned in one of the periods, with exact sums; without ``previous`` those of
    ``period`` stand in its place, so that nothing changed."""
    c = mart.c

    def total(column: ColumnElement[Any], days: Period) -> ColumnElement[Any]:
        return func.coalesce(func.sum(column).filter(within(c.day, days)), 0)

    return (
        select(
            c.product_id,
            total(c.net_sales, period).label("net_sales"),
            total(c.units, period).label("units"),
            total(c.net_sales, previous or period).label("compared_with"),
        )
        .where(within_any(c.day, [p for p in (period, previous) if p is not None]))
        .group_by(c.product_id)
    )


def of_category(scope: Scope, engine: Engine, period: Period, previous: Period | None, category: str) -> pd.DataFrame:
    """One row per product of a category with a sale or a return in one of the periods, by product_id.

    Columns: product_id, product (name), category, net_sales and units of ``period``, compared_with (net sales of
    ``previous``, NaN without such a period).
    """
    s = _sold(scope, engine, period, previous, category).subquery("sums").c
    before = literal(float("nan")) if previous is None else cast(s.compared_with, Double)
    query = (
        select(*_shown(s), before.label("compared_with"))
        .join_from(s.product_id.table, product, product.c.product_id == s.product_id)
        .order_by(s.product_id)
    )
    return fetch(scope, engine, query)


def _shown(sums: Any) -> tuple[ColumnElement[Any], ...]:
    """The product, its name and category, and what it sold."""
    return (
        sums.product_id,
        func.coalesce(product.c.name, sums.product_id).label("product"),
        product.c.category,
        cast(sums.net_sales, Double).label("net_sales"),
        cast(sums.units, Double).label("units"),
    )


def _sold(scope: Scope, engine: Engine, period: Period, previous: Period | None, category: str | None) -> Select[Any]:
    """What each product (of one category, of all without) sold in the stores in scope: of their place, or added up
    over them."""
    place = place_of(scope, engine)
    if place is None or place.level == "store":
        mart = product_store_day
        sold = scope.limit(_product_sums(mart, period, previous), mart.c.store_id)
    else:
        mart = product_place_day
        sold = _product_sums(mart, period, previous).where(place.rows(mart))
    if category is None:
        return sold
    return sold.where(mart.c.product_id.in_(select(product.c.product_id).where(product.c.category == category)))


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
    return fetch(scope, engine, query.where(exists(some_store)))


def product_days(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per day of the periods on which a store in scope sold the product or took it back, in order.

    Columns: day (datetime64), in ten-thousandths gross_sales, returns, net_sales, returns_of_sales (refunds so far of
    what was sold that day; those linked to no sale by their own day), units and returned_units, then orders.
    """
    c = _events(scope, periods, product_id).c
    exact = (c.gross_sales, c.returns, c.net_sales, c.returns_of_sales, c.units, c.returned_units)
    query = (
        select(
            c.day,
            *(ten_thousandths(func.sum(column)).label(column.name) for column in exact),
            count(c.orders).label("orders"),
        )
        .group_by(c.day)
        .order_by(c.day)
    )
    return fetch(scope, engine, query)


def product_stores(
    scope: Scope, engine: Engine, period: Period, previous: Period | None, product_id: str
) -> pd.DataFrame:
    """One row per store in scope that sold the product or took it back in ``period`` or ``previous``, by store_id.

    Columns: store_id, in ten-thousandths net_sales and units of ``period``, and the net sales of the other in
    ten-thousandths: previous (NaN without such a period).
    """
    c = _events(scope, [p for p in (period, previous) if p is not None], product_id).c
    query = (
        select(
            c.store_id,
            period_sum(c.net_sales, period, c.day).label("net_sales"),
            period_sum(c.units, period, c.day).label("units"),
            period_sum(c.net_sales, previous, c.day).label("previous"),
        )
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, query)


def product_buyers(scope: Scope, engine: Engine, periods: Sequence[Period], product_id: str) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), buyers (distinct identified customers with a counted order of the product).
    """
    c = product_order.c
    buyers = [func.count(c.customer_no.distinct()).filter(within(c.day, period)) for period in periods]
    columns: list[ColumnElement[Any]] = [column.label(str(i)) for i, column in enumerate(buyers)]
    query = select(*columns).where(rows_of_product(product_order, product_id), within_any(c.day, periods))
    row = fetch(scope, engine, scope.limit(query, c.store_id)).iloc[0]
    return pd.DataFrame({"period": range(len(periods)), "buyers": row.to_numpy(dtype="int64")})


_FIGURES = ("gross_sales", "returns", "net_sales", "returns_of_sales", "units", "returned_units", "orders")


def _events(scope: Scope, periods: Sequence[Period], product_id: str) -> Subquery:
    """Sales, returns and refunded sales of a product by store_id and day, each with every figure."""
    o, r = product_order.c, product_return.c

    def rows(
        mart: Table, store_id: ColumnElement[str], day: ColumnElement[Any], **figures: ColumnElement[Any]
    ) -> Select[Any]:
        columns = (figures.get(name, literal(0)).label(name) for name in _FIGURES)
        query = select(store_id.label("store_id"), day.label("day"), *columns)
        return scope.limit(query.where(rows_of_product(mart, product_id), within_any(day, periods)), store_id)

    sold = {"gross_sales": o.gross_sales, "net_sales": o.gross_sales, "units": o.units, "orders": literal(1)}
    back = {"returns": r.refund, "net_sales": -r.refund, "returned_units": r.units}
    return union_all(
        rows(product_order, o.store_id, o.day, **sold),
        rows(product_return, r.store_id, r.day, **back),
        rows(product_return, r.sale_store_id, r.sale_day, returns_of_sales=r.refund),
    ).subquery()
