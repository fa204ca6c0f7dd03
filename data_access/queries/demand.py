"""Demand of the stores in scope: units sold by day and category, what holds ahead, and what the batch forecast."""

from collections.abc import Collection
from datetime import date
from typing import Literal

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Table, and_, cast, false, func, or_, select

from data_access.marts.product_place_day import product_place_day
from data_access.marts.product_return import product_return
from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_category_day import store_category_day
from data_access.marts.tables import market_observation, price_promotion, product
from data_access.queries._frame import amount, fetch, fetch_many
from data_access.queries._places import place_of
from data_access.results.tables import demand_accuracy, demand_component, demand_forecast, demand_product
from data_access.scope import Scope

By = Literal["category", "store_id"]


def by_store(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per store in scope, category and day with a sale: store_id, category ('': none), day, units."""
    c = store_category_day.c
    units = amount(c.units)
    query = (
        select(c.store_id, c.category, c.day, units.label("units"))
        .where(c.day >= first, c.day <= last)
        .group_by(c.store_id, c.category, c.day)
        .order_by(c.store_id, c.category, c.day)
    )
    found = fetch(scope, engine, scope.limit(query, c.store_id))
    return found.assign(category=found["category"].astype(object).fillna(""))


def taken_back(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """What came back to the store on the very day it was sold there, as a cancelled order does: no demand.

    One row per store in scope, product and day: store_id, product_id, category ('': none), day, units. A return that
    names no receipt counts as one of its day.
    """
    r, category = product_return.c, func.coalesce(product.c.category, "").label("category")
    query = (
        select(r.store_id, r.product_id, category, r.day, amount(r.units).label("units"))
        .select_from(product_return.outerjoin(product, product.c.product_id == r.product_id))
        .where(r.sale_day == r.day, r.sale_store_id == r.store_id, r.day >= first, r.day <= last)
        .group_by(r.store_id, r.product_id, category, r.day)
        .order_by(r.store_id, r.product_id, r.day)
    )
    return fetch(scope, engine, scope.limit(query, r.store_id))


def by_category(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per category ('': none) and day with a sale in the stores in scope: category, day, units."""
    c = store_category_day.c
    category = func.coalesce(c.category, "").label("category")
    query = (
        select(category, c.day, amount(c.units).label("units"))
        .where(c.day >= first, c.day <= last)
        .group_by(category, c.day)
        .order_by(category, c.day)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def sold(scope: Scope, engine: Engine, by: By, first: date, last: date) -> pd.DataFrame:
    """One row per category ('': none) or store in scope with a sale in the days from ``first`` to ``last``.

    Columns: ``by`` (category or store_id), units.
    """
    c = store_category_day.c
    query = (
        select(c[by], amount(c.units).label("units"))
        .where(c.day >= first, c.day <= last)
        .group_by(c[by])
        .order_by(c[by].nulls_first())
    )
    found = fetch(scope, engine, scope.limit(query, c.store_id))
    return found.assign(**{by: found[by].astype(object).fillna("")})


def history(scope: Scope, engine: Engine, first: date, category: str | None) -> pd.DataFrame:
    """One row per day from ``first`` with a sale in a store in scope, of one category or all: day, units."""
    c = store_category_day.c
    query = select(c.day, amount(c.units).label("units")).where(c.day >= first).group_by(c.day).order_by(c.day)
    if category is not None:
        query = query.where(c.category == category if category else c.category.is_(None))
    return fetch(scope, engine, scope.limit(query, c.store_id))


def promotions(scope: Scope, engine: Engine, first: date) -> pd.DataFrame:
    """One row per price promotion and store in scope that does not end before ``first``.

    Columns: promotion_id, store_id, product_id, category, starts_on, ends_on, discount, kind.
    """
    p = price_promotion.c
    query = select(price_promotion).where(p.ends_on >= first).order_by(p.starts_on, p.promotion_id, p.store_id)
    return fetch(scope, engine, scope.limit(query, p.store_id))


def offers(scope: Scope, engine: Engine, first: date) -> pd.DataFrame:
    """One row per price promotion of a category (missing: of everything) in stores in scope that does not end before
    ``first``. Columns: promotion_id, category, starts_on, ends_on, discount."""
    p = price_promotion.c
    query = (
        select(p.promotion_id, p.category, p.starts_on, p.ends_on, p.discount)
        .distinct()
        .where(p.ends_on >= first, p.product_id.is_(None))
        .order_by(p.starts_on, p.promotion_id)
    )
    return fetch(scope, engine, scope.limit(query, p.store_id))


def market(scope: Scope, engine: Engine) -> pd.DataFrame:
    """What was observed of the market, which is that of all stores: metric, category (missing: of none), observed_on,
    value."""
    m = market_observation.c
    return fetch(scope, engine, select(market_observation).order_by(m.metric, m.category, m.observed_on))


def forecasts(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The forecasts of the place that the scope is, as ``demand_forecast``, by category and day; none without one."""
    f = demand_forecast.c
    query = select(demand_forecast).order_by(f.level, f.place_id, f.category, f.ds)
    return fetch(scope, engine, query.where(_rows(scope, engine, demand_forecast)))


def forecasts_of_stores(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The forecasts of each store in scope over all categories, as ``demand_forecast``, by store and day."""
    f = demand_forecast.c
    query = select(demand_forecast).where(f.level == "store", f.category.is_(None)).order_by(f.place_id, f.ds)
    if scope.kind != "chain":
        query = query.where(f.place_id.in_(scope.store_ids))
    return fetch(scope, engine, query)


def components(scope: Scope, engine: Engine) -> pd.DataFrame:
    """What the forecast of the place that the scope is consists of, as ``demand_component``, in order of days."""
    query = select(demand_component).order_by(demand_component.c.ds)
    return fetch(scope, engine, query.where(_rows(scope, engine, demand_component)))


def range_of_products(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product ever sold in a store in scope.

    Columns: product_id, product (name), category, subcategory, brand, list_price (NaN: unknown).
    """
    p, s = product.c, product_store_day.c
    sold = scope.limit(select(s.product_id), s.store_id)
    price = cast(p.list_price, Double).label("list_price")
    query = select(p.product_id, p.name.label("product"), p.category, p.subcategory, p.brand, price)
    return fetch(scope, engine, query.where(p.product_id.in_(sold)).order_by(p.product_id))


def weeks_of_products(scope: Scope, engine: Engine, products: Collection[str] | None = None) -> pd.DataFrame:
    """What each product (of ``products`` or all) in the stores in scope will sell by week ahead, as ``demand_product``,
    in order of its keys."""
    p = demand_product.c
    query = select(demand_product).order_by(p.store_id, p.product_id, p.ds)
    if products is not None:
        query = query.where(p.product_id.in_(sorted(products)))
    limited = scope.limit(query, p.store_id)
    return fetch_many(scope, engine, limited, categories=["store_id", "product_id", "category"])


def weeks_of_product(scope: Scope, engine: Engine, product_id: str) -> pd.DataFrame:
    """What one product will sell by store in scope and week ahead: store_id, ds, mean, lo80, hi80."""
    p = demand_product.c
    query = select(p.store_id, p.ds, p.mean, p.lo80, p.hi80).where(p.product_id == product_id)
    return fetch(scope, engine, scope.limit(query.order_by(p.store_id, p.ds), p.store_id))


def ahead_of_products(scope: Scope, engine: Engine, category: str | None, week: date, until: date) -> pd.DataFrame:
    """One row per product of one category or all that the stores in scope will sell: the weeks of ``weeks_of_products``
    added up that begin by ``week`` (next_week) and by ``until`` (expected).

    Columns: product_id, category ('': none), next_week, expected.
    """
    p = demand_product.c
    query = (
        select(
            p.product_id,
            func.max(p.category).label("category"),
            func.coalesce(func.sum(p.mean).filter(p.ds <= week), 0.0).label("next_week"),
            func.sum(p.mean).label("expected"),
        )
        .where(p.ds <= until)
        .group_by(p.product_id)
        .order_by(p.product_id)
    )
    if category is not None:
        query = query.where(p.category == category)
    return fetch(scope, engine, scope.limit(query, p.store_id))


def products_sold(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per product sold in the stores in scope in the days from ``first`` to ``last``.

    Columns: product_id, units.
    """
    place = place_of(scope, engine)
    is_stores = place is None or place.level == "store"
    mart = product_store_day if is_stores else product_place_day
    s = mart.c
    query = (
        select(s.product_id, amount(s.units).label("units"))
        .where(s.day >= first, s.day <= last)
        .group_by(s.product_id)
        .order_by(s.product_id)
    )
    mine = scope.limit(query, s.store_id) if place is None or is_stores else query.where(place.rows(mart))
    return fetch(scope, engine, mine)


def product_history(scope: Scope, engine: Engine, first: date, product_id: str) -> pd.DataFrame:
    """One row per day from ``first`` on which a store in scope sold the product: day, units."""
    place = place_of(scope, engine)
    is_stores = place is None or place.level == "store"
    mart = product_store_day if is_stores else product_place_day
    s = mart.c
    query = (
        select(s.day, amount(s.units).label("units"))
        .where(s.product_id == product_id, s.day >= first)
        .group_by(s.day)
        .order_by(s.day)
    )
    mine = scope.limit(query, s.store_id) if place is None or is_stores else query.where(place.rows(mart))
    return fetch(scope, engine, mine)


def product_sold(scope: Scope, engine: Engine, first: date, last: date, product_id: str) -> pd.DataFrame:
    """One row per store in scope that sold the product in the days from ``first`` to ``last``: store_id, units."""
    s = product_store_day.c
    query = (
        select(s.store_id, amount(s.units).label("units"))
        .where(s.product_id == product_id, s.day >= first, s.day <= last)
        .group_by(s.store_id)
        .order_by(s.store_id)
    )
    return fetch(scope, engine, scope.limit(query, s.store_id))


def product_offers(scope: Scope, engine: Engine, first: date, product_id: str, category: str | None) -> pd.DataFrame:
    """One row per price promotion in stores in scope of the product, its category or everything that does not end
    before ``first``. Columns: promotion_id, product_id, category, starts_on, ends_on, discount."""
    p = price_promotion.c
    of_category = p.category.is_(None) if category is None else p.category.is_(None) | (p.category == category)
    query = (
        select(p.promotion_id, p.product_id, p.category, p.starts_on, p.ends_on, p.discount)
        .distinct()
        .where(p.ends_on >= first, or_(p.product_id == product_id, and_(p.product_id.is_(None), of_category)))
        .order_by(p.starts_on, p.promotion_id)
    )
    return fetch(scope, engine, scope.limit(query, p.store_id))


def accuracy(scope: Scope, engine: Engine) -> pd.DataFrame:
    """How the methods did before, over all stores, as ``demand_accuracy``: what it says concerns no single store."""
    return fetch(scope, engine, select(demand_accuracy))


def _rows(scope: Scope, engine: Engine, table: Table) -> ColumnElement[bool]:
    place = place_of(scope, engine)
    return place.rows(table) if place is not None else false()
