"""What customers answered, who came and what was sold, in the stores in scope: by month, and by store."""

from typing import Any, Literal

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Date, Double, Engine, and_, case, cast, false, func, select

from data_access.marts.answer_day import answer_day
from data_access.marts.cohort_month import cohort_month
from data_access.marts.store_day import store_day
from data_access.queries._frame import amount, count, fetch, within
from data_access.scope import Period, Scope

_KINDS = ("csat", "nps")


def answers(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per kind (csat, nps) and month with an answer: kind, month (datetime64, its first day), answers, score
    (sum), score_score (sum of squares), promoters (9 and 10), detractors (0 to 6).

    The chain has all answers; other scopes those about a person or a receipt of a store in scope.
    """
    month = func.date_trunc("month", answer_day.c.day, type_=Date).label("month")
    return _answers(scope, engine, period, month)


def answers_by_store(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """The same of the whole period by store in scope: kind, store_id, answers, score, score_score, promoters,
    detractors."""
    return _answers(scope, engine, period, answer_day.c.store_id)


def _answers(scope: Scope, engine: Engine, period: Period, by: ColumnElement[Any]) -> pd.DataFrame:
    a = answer_day.c
    query = (
        select(
            a.kind,
            by,
            *(
                cast(func.sum(column), kind).label(column.name)
                for column, kind in (
                    (a.answers, BigInteger),
                    (a.score, Double),
                    (a.score_score, Double),
                    (a.promoters, BigInteger),
                    (a.detractors, BigInteger),
                )
            ),
        )
        .where(a.kind.in_(_KINDS), within(a.day, period))
        .group_by(a.kind, by)
        .order_by(a.kind, by)
    )
    if by is a.store_id:
        query = query.where(a.store_id.is_not(None))
    return fetch(scope, engine, scope.limit(query, a.store_id))


def sold(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per month of the period with trade in a store in scope: month (datetime64, its first day), net_sales,
    orders."""
    return _sold(scope, engine, period, func.date_trunc("month", store_day.c.day, type_=Date).label("month"))


def sold_by_store(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """The same of the whole period by store in scope with trade: store_id, net_sales, orders."""
    return _sold(scope, engine, period, store_day.c.store_id)


def _sold(scope: Scope, engine: Engine, period: Period, by: ColumnElement[Any]) -> pd.DataFrame:
    c = store_day.c
    figures: list[ColumnElement[Any]] = [by, amount(c.net_sales).label("net_sales"), count(c.orders).label("orders")]
    query = select(*figures).where(within(c.day, period)).group_by(by).order_by(by)
    return fetch(scope, engine, scope.limit(query, c.store_id))


def came_by_place(scope: Scope, engine: Engine, level: Literal["region", "store"]) -> pd.DataFrame:
    """One row per store in scope (or, for the chain, region) and month with an order of a known customer: place_id,
    month (0 = January 1970), new (customers whose first order there lies in it), came (earlier ones who ordered)."""
    c = cohort_month.c
    if scope.kind == "chain":
        rows: ColumnElement[bool] = c.level == level
    elif level == "store" and scope.store_ids:
        rows = and_(c.level == "store", c.place_id.in_(scope.store_ids))
    else:
        rows = false()
    query = (
        select(
            c.place_id,
            cast(c.month, BigInteger).label("month"),
            cast(func.sum(case((c.cohort == c.month, c.customers), else_=0)), BigInteger).label("new"),
            cast(func.sum(case((c.cohort < c.month, c.customers), else_=0)), BigInteger).label("came"),
        )
        .where(rows, c.cohort >= 0)
        .group_by(c.place_id, c.month)
        .order_by(c.place_id, c.month)
    )
    return fetch(scope, engine, query)
