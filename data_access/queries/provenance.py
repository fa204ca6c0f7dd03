"""What the sales figures of some days rest on: the receipts counted and left out, and how complete they are."""

from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, cast, func, select

from data_access.marts.tables import sale_order, store, store_traffic
from data_access.queries._frame import fetch, within
from data_access.scope import Period, Scope


def receipts(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per reason why receipts of ``period`` are left out, and one of those that count, these first.

    Columns: exclusion (NA: they count), receipts, lines, gross_sales, identified (receipts of known customers),
    costed_sales (gross sales of receipts whose cost is known).
    """
    o = sale_order.c
    query = (
        select(
            o.exclusion,
            func.count().label("receipts"),
            func.sum(o.lines).label("lines"),
            cast(func.sum(o.gross_sales), Double).label("gross_sales"),
            func.count(o.customer_no).label("identified"),
            cast(func.sum(o.gross_sales).filter(o.cost.is_not(None)), Double).label("costed_sales"),
        )
        .where(within(o.day, period))
        .group_by(o.exclusion)
        .order_by(o.exclusion.nulls_first())
    )
    return fetch(scope, engine, scope.limit(query, o.store_id))


def counted_days(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row, days: days of stores with a valid door count in ``period``."""
    c = store_traffic.c
    return _many(scope, engine, select(c.store_id, c.day).where(within(c.day, period)), c.store_id)


def traded_days(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row, days: days of shops with a receipt in ``period``."""
    o = sale_order.c
    shops = scope.limit(select(store.c.store_id).where(store.c.kind == "shop"), store.c.store_id)
    days = select(o.store_id, o.day).where(within(o.day, period), o.store_id.in_(shops))
    return _many(scope, engine, days, o.store_id)


def _many(scope: Scope, engine: Engine, days: Select[Any], store_id: ColumnElement[Any]) -> pd.DataFrame:
    found = scope.limit(days.distinct(), store_id).subquery()
    return fetch(scope, engine, select(func.count().label("days")).select_from(found))
