"""Months in which identified customers of the stores in scope came back."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Double, Engine, Integer, Select, case, cast, func, select

from data_access.marts.cohort_month import NO_COHORT, cohort_month, month_of
from data_access.marts.customer_store_day import customer_store_day
from data_access.queries._frame import fetch
from data_access.queries._people import last_day_of
from data_access.queries._places import place_of
from data_access.scope import Scope

_COUNTS = ("customers", "repeat_customers", "orders")
_MONEY = ("gross_sales", "net_sales", "repeat_net_sales")


def cohort_months(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per cohort and calendar month with an order or a return, up to the end of ``as_of``.

    Months are counted from January 1970 (month 0). A cohort is the month of the first counted order in the
    stores in scope; -1: customers with returns only.

    Columns: cohort, month, customers (of the cohort with an order in that month), repeat_customers (those of
    them who have two orders or more by ``as_of``), orders, gross_sales, net_sales, repeat_net_sales (net sales
    of the customers with two orders or more by ``as_of``).
    """
    place = place_of(scope, engine)
    last_day = last_day_of(engine)
    if place is not None and last_day is not None and as_of >= last_day:
        rows: Select[Any] = select(cohort_month).where(place.rows(cohort_month))
    else:
        rows = _live(scope, as_of)
    r = rows.subquery("rows").c
    types: dict[type[Any], tuple[str, ...]] = {Integer: ("cohort", "month"), BigInteger: _COUNTS, Double: _MONEY}
    columns = [cast(r[name], kind).label(name) for kind, names in types.items() for name in names]
    return fetch(scope, engine, select(*columns).order_by(r.cohort, r.month))


def _live(scope: Scope, as_of: date) -> Select[Any]:
    """The same sums for any stores and day: the months of each customer, and what the customer is."""
    c = customer_store_day.c
    month = month_of(c.day)
    days = scope.limit(
        select(
            c.customer_no,
            cast(month, Integer).label("month"),
            func.sum(c.orders).label("orders"),
            func.sum(c.gross_sales).label("gross_sales"),
            func.sum(c.net_sales).label("net_sales"),
        ).where(c.day <= as_of),
        c.store_id,
    )
    months = days.group_by(c.customer_no, month).cte("months")
    m = months.c
    bought = m.orders > 0
    customers = (
        select(
            m.customer_no, func.min(case((bought, m.month))).label("cohort"), (func.sum(m.orders) >= 2).label("repeats")
        )
        .group_by(m.customer_no)
        .subquery("customers")
    )
    k = customers.c
    return (
        select(
            func.coalesce(k.cohort, NO_COHORT).label("cohort"),
            m.month,
            func.count().filter(bought).label("customers"),
            func.count().filter(bought, k.repeats).label("repeat_customers"),
            func.sum(m.orders).label("orders"),
            func.sum(m.gross_sales).label("gross_sales"),
            func.sum(m.net_sales).label("net_sales"),
            func.sum(case((k.repeats, m.net_sales), else_=0)).label("repeat_net_sales"),
        )
        .join_from(months, customers, k.customer_no == m.customer_no)
        .group_by(k.cohort, m.month)
    )
