"""What stores are to sell by month, and what they sold up to a day of it. Money excluding tax, before returns."""

from datetime import date

import pandas as pd
from sqlalchemy import Date, Engine, cast, extract, func, select

from data_access.marts.store_day import store_day
from data_access.marts.tables import sales_target
from data_access.queries._frame import amount, fetch
from data_access.scope import Scope


def planned(scope: Scope, engine: Engine, first: date) -> pd.DataFrame:
    """One row per store in scope and month from ``first`` on for which the CRM has a target of the whole store:
    store_id, month (datetime64, its first day), target."""
    c = sales_target.c
    query = (
        select(c.store_id, c.month, amount(c.amount).label("target"))
        .where(c.staff_id.is_(None), c.month >= first)
        .group_by(c.store_id, c.month)
        .order_by(c.store_id, c.month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def sold(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per store in scope and month with a sale from ``first`` to ``last``: store_id, month (datetime64, its
    first day), gross_sales, and so_far, those up to the day of the month that ``last`` is."""
    c = store_day.c
    month = func.date_trunc("month", c.day, type_=Date)
    query = (
        select(
            c.store_id,
            cast(month, Date).label("month"),
            amount(c.gross_sales).label("gross_sales"),
            amount(c.gross_sales, extract("day", c.day) <= last.day).label("so_far"),
        )
        .where(c.day >= first, c.day <= last)
        .group_by(c.store_id, month)
        .order_by(c.store_id, month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))
