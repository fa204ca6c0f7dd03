"""What there is to sell in the stores in scope: on_hand - reserved + on_order = available, in units."""

import pandas as pd
from sqlalchemy import Engine, func, select

from data_access.marts.stock_position import stock_position
from data_access.queries._frame import count, fetch, fetch_many
from data_access.scope import Scope


def positions(scope: Scope, engine: Engine, product_id: str | None = None) -> pd.DataFrame:
    """One row per store in scope and product that was counted or is on order, of one product or all.

    Columns: store_id, product_id (both categories), on_hand, reserved, on_order (still to come from suppliers),
    available, next_promised_on (earliest promised day of what is on order), counted_at (store-local; NaT when never).
    """
    query = select(stock_position).order_by(stock_position.c.store_id, stock_position.c.product_id)
    if product_id is not None:
        query = query.where(stock_position.c.product_id == product_id)
    mine = scope.limit(query, stock_position.c.store_id)
    return fetch_many(scope, engine, mine, categories=["store_id", "product_id"])


def by_product(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product with a position in a store in scope, by product_id.

    Columns: product_id, on_hand, reserved, on_order, available, stores (with a position), stores_without (of these,
    with nothing on hand that is not reserved).
    """
    p = stock_position.c
    query = (
        select(
            p.product_id,
            *(count(column).label(column.name) for column in (p.on_hand, p.reserved, p.on_order, p.available)),
            func.count().label("stores"),
            func.count().filter(p.on_hand <= p.reserved).label("stores_without"),
        )
        .group_by(p.product_id)
        .order_by(p.product_id)
    )
    return fetch(scope, engine, scope.limit(query, p.store_id))
