"""What customers answered and what was sold, month by month, in the stores in scope."""

from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, ColumnElement, Date, Double, Engine, case, cast, func, select

from data_access.marts.store_day import store_day
from data_access.marts.tables import survey_answer
from data_access.queries._frame import amount, count, fetch, within
from data_access.scope import Period, Scope


def answers(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per kind (csat, nps) and month with an answer: kind, month (datetime64, its first day), answers, score
    (sum), score_score (sum of squares), promoters (9 and 10), detractors (0 to 6).

    The chain has all answers; other scopes those that name a person of a store in scope.
    """
    a = survey_answer.c
    month = func.date_trunc("month", cast(a.answered_at, Date), type_=Date).label("month")
    score = cast(a.score, Double)
    query = (
        select(
            a.kind,
            month,
            cast(func.count(), BigInteger).label("answers"),
            func.sum(score).label("score"),
            func.sum(score * score).label("score_score"),
            cast(func.sum(case((a.score >= 9, 1), else_=0)), BigInteger).label("promoters"),
            cast(func.sum(case((a.score <= 6, 1), else_=0)), BigInteger).label("detractors"),
        )
        .where(a.kind.in_(["csat", "nps"]), within(cast(a.answered_at, Date), period))
        .group_by(a.kind, month)
        .order_by(a.kind, month)
    )
    return fetch(scope, engine, scope.limit(query, a.store_id))


def sold(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per month of the period with trade in a store in scope: month (datetime64, its first day), net_sales,
    orders."""
    c = store_day.c
    month = func.date_trunc("month", c.day, type_=Date).label("month")
    figures: list[ColumnElement[Any]] = [
        month,
        amount(c.net_sales).label("net_sales"),
        count(c.orders).label("orders"),
    ]
    query = select(*figures).where(within(c.day, period)).group_by(month).order_by(month)
    return fetch(scope, engine, scope.limit(query, c.store_id))
