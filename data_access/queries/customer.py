"""One customer."""

import pandas as pd
from sqlalchemy import Double, Engine, cast, false, func, select

from data_access.marts.customer_timeline import customer_timeline
from data_access.marts.tables import store
from data_access.pseudonym import number_of
from data_access.queries._frame import fetch
from data_access.scope import Scope


def timeline(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """One row per counted order and return of a customer in the stores in scope, newest first.

    Nothing for a key that nobody has. Columns: happened_at (datetime64, store-local), kind (purchase | return),
    order_id (of a return: the receipt it is linked to, else NA), return_id (NA for a purchase), store_id, store (name),
    units, amount (gross sales or refund, neither negative).
    """
    number, c = number_of(customer_key), customer_timeline.c
    query = (
        select(
            c.happened_at,
            c.kind,
            c.order_id,
            c.return_id,
            c.store_id,
            func.coalesce(store.c.name, c.store_id).label("store"),
            cast(c.units, Double).label("units"),
            cast(c.amount, Double).label("amount"),
        )
        .join_from(customer_timeline, store, store.c.store_id == c.store_id, isouter=True)
        .where(false() if number is None else c.customer_no == number)
        .order_by(c.happened_at.desc(), c.kind.desc(), c.order_id, c.return_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))
