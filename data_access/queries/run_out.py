"""What customers bought of what they need again and again, day by day: what a forecast of its run-out is made from."""

from collections.abc import Collection
from datetime import date

import pandas as pd
from sqlalchemy import Double, Engine, cast, exists, func, select

from data_access.marts.tables import consent, product, sale_line, store
from data_access.queries._frame import fetch, fetch_many
from data_access.scope import Scope

_PHONE = "phone"


def purchases(scope: Scope, engine: Engine, as_of: date, only: Collection[int] | None = None) -> pd.DataFrame:
    """One row per customer (of those in ``only`` when it is given), need and day with a counted order of it by the end
    of ``as_of``, in this order. A need is a subcategory, or a product that has none.

    Columns: customer_no, need (its name), category ('' unknown), day (datetime64), quantity, amount (gross sales),
    product_id and store_id (of the dearest line of the day). The texts are categories.
    """
    line, p = sale_line.c, product.c
    need = func.coalesce(p.subcategory, line.product_id).label("need")
    worth = func.row(line.net, line.product_id, line.store_id)  # never the same of two products or stores
    query = (
        select(
            line.customer_no,
            need,
            func.coalesce(func.min(p.category), "").label("category"),
            line.day,
            cast(func.sum(line.quantity), Double).label("quantity"),
            cast(func.sum(line.net), Double).label("amount"),
            func.arg_max(line.product_id, worth).label("product_id"),
            func.arg_max(line.store_id, worth).label("store_id"),
        )
        .select_from(sale_line.outerjoin(product, p.product_id == line.product_id))
        .where(line.exclusion.is_(None), line.customer_no.is_not(None), line.day <= as_of)
        .group_by(line.customer_no, need, line.day)
        .order_by(line.customer_no, need, line.day)
    )
    if only is not None:
        query = query.where(line.customer_no.in_(sorted(only)))
    mine = scope.limit(query, line.store_id)
    return fetch_many(scope, engine, mine, categories=["need", "category", "product_id", "store_id"])


def products(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product of the range; none when the scope holds no store.

    Columns: product_id, product (name), usage_days (how long a unit lasts, NaN unknown).
    """
    p = product.c
    name = func.coalesce(p.name, p.product_id).label("product")
    query = select(p.product_id, name, cast(p.usage_days, Double).label("usage_days")).order_by(p.product_id)
    some_store = scope.limit(select(store.c.store_id), store.c.store_id)
    return fetch(scope, engine, query.where(exists(some_store)))


def may_be_called(scope: Scope, engine: Engine, customers: Collection[int]) -> pd.DataFrame:
    """Of these customers, as far as they bought in the stores in scope, those who agree to be called, whatever for.

    Column: customer_no.
    """
    line = sale_line.c
    bought = select(line.customer_no).distinct().where(line.customer_no.in_(sorted(customers)))
    here = scope.limit(bought, line.store_id).subquery("here")
    query = (
        select(consent.c.customer_no)
        .distinct()
        .join_from(consent, here, here.c.customer_no == consent.c.customer_no)
        .where(consent.c.channel == _PHONE, consent.c.withdrawn_at.is_(None))
        .order_by(consent.c.customer_no)
    )
    return fetch(scope, engine, query)
