"""What a campaign promotes, in which stores, and how past campaigns moved the sales of what they promoted."""

from datetime import date

import pandas as pd
from sqlalchemy import Double, Engine, and_, cast, select

from data_access.marts.product_store_day import product_store_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import campaign, campaign_product, campaign_store, product
from data_access.queries._frame import amount, fetch
from data_access.queries.campaigns import concerns
from data_access.scope import Scope

BEFORE = 56  # days before a campaign that its sales are compared with


def promoted(scope: Scope, engine: Engine, campaign_id: str) -> pd.DataFrame:
    """One row per product that a campaign promotes, by id. Columns: product_id, product (name), category, cost,
    list_price (NaN: unknown)."""
    k, p = campaign_product.c, product.c
    query = (
        select(
            p.product_id,
            p.name.label("product"),
            p.category,
            cast(p.cost, Double).label("cost"),
            cast(p.list_price, Double).label("list_price"),
        )
        .join_from(campaign_product, product, p.product_id == k.product_id)
        .where(k.campaign_id == campaign_id, concerns(scope, engine, k.campaign_id))
        .order_by(p.product_id)
    )
    return fetch(scope, engine, query)


def stores(scope: Scope, engine: Engine, campaign_id: str) -> pd.DataFrame:
    """One row per store in scope that takes part in a campaign; none where the campaign names none. Columns:
    store_id."""
    s = campaign_store.c
    query = select(s.store_id).where(s.campaign_id == campaign_id).order_by(s.store_id)
    return fetch(scope, engine, scope.limit(query, s.store_id))


def past(scope: Scope, engine: Engine, before: date) -> pd.DataFrame:
    """One row per campaign whose window ended before ``before`` and whose products sold in the stores in scope.

    Columns: campaign_id, days (of its window), during and earlier (units of its products sold in its window, and in the
    ``BEFORE`` days before it), all_during and all_earlier (the same of all products).
    """
    c, k, s, d = campaign.c, campaign_product.c, product_store_day.c, store_day.c
    closed = and_(c.window_last < before, c.starts_on.is_not(None), concerns(scope, engine, c.campaign_id))
    of_products = scope.limit(
        select(
            c.campaign_id,
            (c.window_last - c.starts_on + 1).label("days"),
            amount(s.units, s.day >= c.starts_on).label("during"),
            amount(s.units, s.day < c.starts_on).label("earlier"),
        )
        .join_from(campaign, campaign_product, k.campaign_id == c.campaign_id)
        .join(
            product_store_day,
            and_(s.product_id == k.product_id, s.day >= c.starts_on - BEFORE, s.day <= c.window_last),
        )
        .where(closed)
        .group_by(c.campaign_id, c.starts_on, c.window_last),
        s.store_id,
    ).subquery("of_products")
    of_all = scope.limit(
        select(
            c.campaign_id,
            amount(d.units, d.day >= c.starts_on).label("all_during"),
            amount(d.units, d.day < c.starts_on).label("all_earlier"),
        )
        .join_from(campaign, store_day, and_(d.day >= c.starts_on - BEFORE, d.day <= c.window_last))
        .where(closed)
        .group_by(c.campaign_id),
        d.store_id,
    ).subquery("of_all")
    query = (
        select(*of_products.c, of_all.c.all_during, of_all.c.all_earlier)
        .join_from(of_products, of_all, of_all.c.campaign_id == of_products.c.campaign_id)
        .order_by(of_products.c.campaign_id)
    )
    return fetch(scope, engine, query)
