"""Who bought which product first when, what each visit was for, and what the batch made of it: pairs of products,
seasons, what follows what, a check."""

from collections.abc import Collection
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Double, Engine, cast, extract, func, select

from data_access.marts.customer_line import customer_line
from data_access.marts.tables import product
from data_access.queries._frame import fetch, fetch_many
from data_access.results.tables import category_next, product_pair, product_season, recommendation_check
from data_access.scope import Scope


def first_purchases(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer and product of the range bought in a store in scope: customer_no, product_id (a category),
    day (datetime64) of the first time."""
    c = customer_line.c
    query = (
        select(c.customer_no, c.product_id, func.min(c.day).label("day"))
        .join_from(customer_line, product, product.c.product_id == c.product_id)
        .where(product.c.name.is_not(None))
        .group_by(c.customer_no, c.product_id)
        .order_by(c.customer_no, c.product_id)
    )
    return fetch_many(scope, engine, scope.limit(query, c.store_id), categories=["product_id"])


def visits(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer and day with an order in a store in scope, by customer and day: what it was mostly for.

    Columns: customer_no, day (datetime64), category (of the most money; days with no product of a known one are left
    out; a category).
    """
    c, p = customer_line.c, product.c
    spent = (
        select(c.customer_no, c.day, p.category, func.sum(c.net).label("net"))
        .join_from(customer_line, product, p.product_id == c.product_id)
        .where(p.category.is_not(None))
        .group_by(c.customer_no, c.day, p.category)
    )
    s = scope.limit(spent, c.store_id).subquery("spent").c
    category = func.arg_max(s.category, func.row(s.net, s.category)).label("category")
    query = select(s.customer_no, s.day, category).group_by(s.customer_no, s.day).order_by(s.customer_no, s.day)
    return fetch_many(scope, engine, query, categories=["category"])


def units_by_month(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per need (subcategory, or a product without one) and month of the year (1 to 12) in which a store in
    scope sold it to identified customers.

    Columns: need, month, units.
    """
    c, p = customer_line.c, product.c
    need = func.coalesce(p.subcategory, c.product_id).label("need")
    month = extract("month", c.day).label("month")
    query = (
        select(need, month, cast(func.sum(c.quantity), Double).label("units"))
        .join_from(customer_line, product, p.product_id == c.product_id)
        .group_by(need, month)
        .order_by(need, month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


class Known(NamedTuple):
    """What the batch found of the range of the whole chain.

    pairs: one row per pair with evidence of one of the products asked for and another, the most frequent first:
    product_id, also_id, both (customers who bought both), buyers (of the first), also_buyers (of the other), expected
    (as many of both as popularity and appetite alone would give), lift_low (lower bound of both / expected).
    seasons: one row per need: need, season (what a month sells of it to what an average month does).
    follows: one row per two categories: category, next_category, share (of the visits after one for the first that
    were for the other). check: how recommendations and such guesses would have done: key, value.
    """

    pairs: pd.DataFrame
    seasons: pd.DataFrame
    follows: pd.DataFrame
    check: pd.DataFrame


def known(scope: Scope, results: Engine, product_ids: Collection[str], month: int) -> Known:
    """What the batch found of these products, and of a month of the year (1 to 12). ``results``: their engine."""
    c, season, check, f = product_pair.c, product_season.c, recommendation_check.c, category_next.c
    follows = select(f.category, f.next_category, f.share).order_by(f.category, f.next_category)
    pairs = select(product_pair).where(c.product_id.in_(sorted(product_ids)))
    return Known(
        fetch(scope, results, pairs.order_by(c.product_id, c.both.desc(), c.also_id)),
        fetch(scope, results, select(season.need, season.season).where(season.month == month).order_by(season.need)),
        fetch(scope, results, follows),
        fetch(scope, results, select(check.key, check.value).order_by(check.key)),
    )
