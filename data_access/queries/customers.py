"""Identified customers, at the grain of the scope: only orders in its stores exist."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Engine, and_, func, or_, select

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.visit_gap import visit_gap
from data_access.queries._frame import count, fetch, within, within_any
from data_access.queries._places import Place, place_of
from data_access.scope import Period, Scope


def buyers(scope: Scope, engine: Engine, periods: Sequence[Period]) -> pd.DataFrame:
    """One row per period, in the order given.

    Columns: period (position, from 0), buyers (distinct customers with a counted order), new_customers
    (buyers whose first counted order ever, in the stores in scope, falls in the period),
    returning_customers (the other buyers).
    """
    place = place_of(scope, engine)
    found = _counted(scope, engine, periods) if place is None else _added_up(scope, place, engine, periods)
    frame = pd.DataFrame({"period": range(len(periods)), **found})
    return frame.assign(returning_customers=frame["buyers"] - frame["new_customers"])


def _added_up(scope: Scope, place: Place, engine: Engine, periods: Sequence[Period]) -> dict[str, list[int]]:
    """Whoever bought in a period and not earlier in it is one of its buyers."""
    g = visit_gap.c
    first_here = [or_(g.previous_day.is_(None), g.previous_day < period.first) for period in periods]
    sums: list[ColumnElement[Any]] = []
    for i, (period, first) in enumerate(zip(periods, first_here, strict=True)):
        sums.append(count(g.customers, and_(within(g.day, period), first)).label(f"buyers_{i}"))
        sums.append(count(g.customers, and_(within(g.day, period), g.previous_day.is_(None))).label(f"new_{i}"))
    return _rows(scope, engine, select(*sums).where(place.rows(visit_gap), within_any(g.day, periods)), len(periods))


def _counted(scope: Scope, engine: Engine, periods: Sequence[Period]) -> dict[str, list[int]]:
    """The buyers of stores that are no place of the marts, one by one."""
    c = customer_store_day.c
    bought = [func.bool_or(within(c.day, period)).label(f"bought_{i}") for i, period in enumerate(periods)]
    per_customer = (
        select(func.min(c.day).label("first_day"), *bought)
        .where(c.orders > 0, c.day <= max(period.last for period in periods))
        .group_by(c.customer_no)
    )
    one = scope.limit(per_customer, c.store_id).subquery()
    sums: list[ColumnElement[Any]] = []
    for i, period in enumerate(periods):
        sums.append(func.count().filter(one.c[f"bought_{i}"]).label(f"buyers_{i}"))
        sums.append(func.count().filter(within(one.c.first_day, period)).label(f"new_{i}"))
    return _rows(scope, engine, select(*sums), len(periods))


def _rows(scope: Scope, engine: Engine, query: Any, periods: int) -> dict[str, list[int]]:
    row = fetch(scope, engine, query).iloc[0]
    return {
        "buyers": [int(row[f"buyers_{i}"]) for i in range(periods)],
        "new_customers": [int(row[f"new_{i}"]) for i in range(periods)],
    }
