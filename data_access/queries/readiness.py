"""Visitors by day, and who was and will be on the floor when, of the stores in scope."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Double, Engine, cast, extract, func, select

from data_access.marts.staff_day import staff_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import ticket
from data_access.queries._frame import fetch, within
from data_access.scope import Period, Scope


def by_day(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope and day of the period with trade: store_id, day (datetime64), visitors (NaN without a
    valid door count), orders."""
    c = store_day.c
    query = (
        select(
            c.store_id, c.day, cast(c.visitors, Double).label("visitors"), cast(c.orders, BigInteger).label("orders")
        )
        .where(within(c.day, period))
        .order_by(c.store_id, c.day)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def crews(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope, weekday (1 = Monday) and hours in which shifts of the period begin and end: store_id,
    weekday, first_hour, last_hour, hours (of all these shifts)."""
    weekday = cast(extract("isodow", staff_day.c.day), BigInteger).label("weekday")
    return _shifts(scope, engine, period, weekday)


def crews_by_day(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """The same for each day of the period (datetime64) with a shift: store_id, day, first_hour, last_hour, hours."""
    return _shifts(scope, engine, period, staff_day.c.day)


def _shifts(scope: Scope, engine: Engine, period: Period, when: ColumnElement[Any]) -> pd.DataFrame:
    c = staff_day.c
    keys = (c.store_id, when, c.first_hour, c.last_hour)
    query = (
        select(*keys, cast(func.sum(c.hours), Double).label("hours"))
        .where(within(c.day, period), c.hours > 0)
        .group_by(*keys)
        .order_by(*keys)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def contacts(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope with service contacts opened in the period: store_id, tickets."""
    c = ticket.c
    query = (
        select(c.store_id, cast(func.count(), BigInteger).label("tickets"))
        .where(within(c.day, period))
        .group_by(c.store_id)
        .order_by(c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))
