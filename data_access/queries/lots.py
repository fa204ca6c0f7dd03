"""From a lot to its buyers: who bought units of a lot, how they may be reached, and what of it is left in stores."""

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, cast, false, func, select

from data_access.marts.tables import consent, sale_line, stock_lot, store
from data_access.queries._frame import amount, customer_key, fetch
from data_access.scope import Scope

CHANNELS = ("phone", "sms", "email")
_SERVICE = "service"


def of_product(scope: Scope, engine: Engine, product_id: str) -> pd.DataFrame:
    """One row per lot of a product that stores in scope sold, the latest first.

    Columns: lot_id, units (sold), receipts, first_day, last_day.
    """
    line = sale_line.c
    query = (
        select(
            line.lot_id,
            amount(line.quantity).label("units"),
            func.count(line.order_id.distinct()).label("receipts"),
            func.min(line.day).label("first_day"),
            func.max(line.day).label("last_day"),
        )
        .where(line.product_id == product_id, line.lot_id.is_not(None), line.exclusion.is_(None))
        .group_by(line.lot_id)
        .order_by(func.max(line.day).desc(), line.lot_id)
    )
    return fetch(scope, engine, scope.limit(query, line.store_id))


def buyers(scope: Scope, engine: Engine, product_id: str, lot_id: str) -> pd.DataFrame:
    """One row per identified customer who bought of a lot in the stores in scope, the most units first.

    Columns: customer_key, store_id (of the latest purchase), units, receipts, last_day, by_phone, by_sms, by_email
    (whether they agree today to be told about service by that channel).
    """
    line = sale_line.c
    mine = scope.limit(
        select(
            line.customer_no,
            func.arg_max(line.store_id, func.row(line.day, line.order_id)).label("store_id"),
            amount(line.quantity).label("units"),
            func.count(line.order_id.distinct()).label("receipts"),
            func.max(line.day).label("last_day"),
        )
        .where(_is(product_id, lot_id), line.customer_no.is_not(None))
        .group_by(line.customer_no),
        line.store_id,
    ).subquery("mine")
    m, c = mine.c, consent.c
    agreed = (
        select(c.customer_no, *(func.bool_or(c.channel == name).label(f"by_{name}") for name in CHANNELS))
        .join_from(consent, mine, m.customer_no == c.customer_no)
        .where(c.purpose == _SERVICE, c.withdrawn_at.is_(None))
        .group_by(c.customer_no)
        .subquery("agreed")
    )
    query = (
        select(
            customer_key(m.customer_no).label("customer_key"),
            *(m[name] for name in ("store_id", "units", "receipts", "last_day")),
            *(func.coalesce(agreed.c[f"by_{name}"], false()).label(f"by_{name}") for name in CHANNELS),
        )
        .select_from(mine.outerjoin(agreed, agreed.c.customer_no == m.customer_no))
        .order_by(m.units.desc(), m.customer_no)
    )
    return fetch(scope, engine, query)


def _is(product_id: str, lot_id: str) -> ColumnElement[bool]:
    line = sale_line.c
    return (line.product_id == product_id) & (line.lot_id == lot_id) & line.exclusion.is_(None)


def in_stores(scope: Scope, engine: Engine, product_id: str, lot_id: str) -> pd.DataFrame:
    """One row per store in scope that sold of a lot or still has some: what to look for, and what has left nameless.

    Columns: store_id, store (name), units (sold), nameless (of these, to nobody who was identified), on_shelf.
    """
    line, lot, s = sale_line.c, stock_lot.c, store.c
    sold = (
        scope.limit(
            select(
                line.store_id,
                amount(line.quantity).label("units"),
                cast(func.coalesce(func.sum(line.quantity).filter(line.customer_no.is_(None)), 0), Double).label(
                    "nameless"
                ),
            ).where(_is(product_id, lot_id)),
            line.store_id,
        )
        .group_by(line.store_id)
        .subquery("sold")
    )
    left = (
        scope.limit(
            select(lot.store_id, amount(lot.quantity).label("on_shelf")).where(
                lot.product_id == product_id, lot.lot_id == lot_id, lot.quantity > 0
            ),
            lot.store_id,
        )
        .group_by(lot.store_id)
        .subquery("left_over")
    )
    numbers = [
        func.coalesce(column, 0.0).label(column.name) for column in (sold.c.units, sold.c.nameless, left.c.on_shelf)
    ]
    query = (
        select(s.store_id, func.coalesce(s.name, s.store_id).label("store"), *numbers)
        .select_from(
            store.outerjoin(sold, sold.c.store_id == s.store_id).outerjoin(left, left.c.store_id == s.store_id)
        )
        .where(sold.c.units.is_not(None) | left.c.on_shelf.is_not(None))
        .order_by(func.coalesce(left.c.on_shelf, 0.0).desc(), s.store_id)
    )
    return fetch(scope, engine, scope.limit(query, s.store_id))
