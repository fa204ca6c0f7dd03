"""Stores and regions in scope: what filters offer and reports name."""

import pandas as pd
from sqlalchemy import Engine, func, select

from data_access.marts.tables import UNKNOWN, store
from data_access.queries._frame import fetch
from data_access.scope import Scope


def stores(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope, by region and name; stores that only receipts mention come last.

    Columns: store_id, store (name), region_id, region (name), kind, city, city_tier, area_m2,
    opened_on and closed_on (datetime64).
    """
    query = select(
        store.c.store_id,
        store.c.name.label("store"),
        store.c.region_id,
        store.c.region_name.label("region"),
        store.c.kind,
        store.c.city,
        store.c.city_tier,
        store.c.area_m2,
        store.c.opened_on,
        store.c.closed_on,
    ).order_by(store.c.kind == UNKNOWN, store.c.region_name, store.c.name, store.c.store_id)
    return fetch(scope, engine, scope.limit(query, store.c.store_id))


def regions(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per region with a store in scope, by name.

    Columns: region_id, region (name), stores (how many of its stores are in scope).
    """
    query = (
        select(store.c.region_id, store.c.region_name.label("region"), func.count().label("stores"))
        .group_by(store.c.region_id, store.c.region_name)
        .order_by(store.c.region_name, store.c.region_id)
    )
    return fetch(scope, engine, scope.limit(query, store.c.store_id))
