"""Months in which identified customers of the stores in scope came back."""

from datetime import date

import pandas as pd
from sqlalchemy import BigInteger, Engine, cast, extract, func, select

from data_access.marts.tables import customer_store_day
from data_access.queries._frame import amount, count, fetch
from data_access.scope import Scope


def cohort_months(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per cohort and calendar month with an order or a return, up to the end of ``as_of``.

    Months count from year 0: 12 x year + month - 1. A cohort is the month of the first counted order in
    the stores in scope.

    Columns: cohort (NA: customers with returns only), month, customers (of the cohort with an order in
    that month), repeat_customers (those of them who have two orders or more by ``as_of``), orders,
    gross_sales, net_sales, repeat_net_sales (net sales of customers with two orders or more by ``as_of``).
    """
    c = customer_store_day.c
    month = (extract("year", c.day) * 12 + extract("month", c.day) - 1).label("month")
    per_month = scope.limit(
        select(
            c.customer_key,
            month,
            func.sum(c.orders).label("orders"),
            func.sum(c.gross_sales).label("gross_sales"),
            func.sum(c.net_sales).label("net_sales"),
        )
        .where(c.day <= as_of)
        .group_by(c.customer_key, "month"),
        c.store_id,
    ).cte("per_month")
    m = per_month.c
    per_customer = (
        select(
            m.customer_key,
            func.min(m.month).filter(m.orders > 0).label("cohort"),
            (func.sum(m.orders) >= 2).label("repeats"),
        )
        .group_by(m.customer_key)
        .cte("per_customer")
    )
    p = per_customer.c
    query = (
        select(
            p.cohort,
            m.month,
            cast(func.count().filter(m.orders > 0), BigInteger).label("customers"),
            cast(func.count().filter(m.orders > 0, p.repeats), BigInteger).label("repeat_customers"),
            count(m.orders).label("orders"),
            amount(m.gross_sales).label("gross_sales"),
            amount(m.net_sales).label("net_sales"),
            amount(m.net_sales, p.repeats).label("repeat_net_sales"),
        )
        .select_from(per_month.join(per_customer, m.customer_key == p.customer_key))
        .group_by(p.cohort, m.month)
        .order_by(p.cohort, m.month)
    )
    return fetch(engine, query)
