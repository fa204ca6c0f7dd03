"""Courses, who completed them, what people sold month by month, and what the batch found courses to do."""

from datetime import date

import pandas as pd
from sqlalchemy import BigInteger, Date, Double, Engine, cast, func, select

from data_access.marts.staff_day import staff_day
from data_access.marts.tables import course, recognition, survey_answer, training_record
from data_access.queries._frame import amount, fetch, fetch_many, within
from data_access.results.tables import newcomer_ramp, staff_quantile, training_effect, training_path
from data_access.scope import Period, Scope


def courses(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per course of the chain, by id: course_id, course (name), skills, valid_months (NaN: for good)."""
    query = select(
        course.c.course_id, course.c.name.label("course"), course.c.skills, cast(course.c.valid_months, Double)
    ).order_by(course.c.course_id)
    return fetch(scope, engine, query).astype({"valid_months": "float64"})


def completed(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per person who works in a store in scope and course completed up to a day: staff_id, store_id, course_id,
    first_on, completed_on (the first and the last time; datetime64), score (of the last time)."""
    c = training_record.c
    query = (
        select(
            c.staff_id,
            c.store_id,
            c.course_id,
            func.min(c.completed_on).label("first_on"),
            func.max(c.completed_on).label("completed_on"),
            cast(func.arg_max(c.score, c.completed_on), Double).label("score"),
        )
        .where(c.completed_on <= as_of)
        .group_by(c.staff_id, c.store_id, c.course_id)
        .order_by(c.staff_id, c.course_id, c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def months(scope: Scope, engine: Engine, last: date) -> pd.DataFrame:
    """One row per person, store in scope and month with a shift or a receipt up to a day (later shifts are only
    planned): staff_id, store_id, month (datetime64,
    its first day), hours, gross_sales."""
    c = staff_day.c
    month = func.date_trunc("month", c.day, type_=Date)
    query = (
        select(
            c.staff_id,
            c.store_id,
            month.label("month"),
            cast(func.sum(c.hours), Double).label("hours"),
            amount(c.gross_sales).label("gross_sales"),
        )
        .where(c.day <= last)
        .group_by(c.staff_id, c.store_id, month)
        .order_by(c.staff_id, c.store_id, month)
    )
    return fetch_many(scope, engine, scope.limit(query, c.store_id))


def praise(scope: Scope, engine: Engine, period: Period, staff_id: str) -> pd.DataFrame:
    """One row per recognition in the period of a person who works in a store in scope, the latest first: staff_id,
    store_id, given_on (datetime64), reason."""
    c = recognition.c
    day = cast(c.given_at, Date)
    query = (
        select(c.staff_id, c.store_id, day.label("given_on"), c.reason)
        .where(c.staff_id == staff_id, within(day, period))
        .order_by(c.given_at.desc(), c.recognition_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def effects(scope: Scope, engine: Engine) -> pd.DataFrame:
    """What courses did to sales, measured over the chain, as ``training_effect``: nobody's own figures."""
    return fetch(scope, engine, select(training_effect).order_by(training_effect.c.course_id))


def paths(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The same month by month, as ``training_path``."""
    c = training_path.c
    return fetch(scope, engine, select(training_path).order_by(c.course_id, cast(c.month, BigInteger)))


def ramp(scope: Scope, engine: Engine) -> pd.DataFrame:
    """How new people of the chain come up to the others, as ``newcomer_ramp``."""
    return fetch(scope, engine, select(newcomer_ramp).order_by(newcomer_ramp.c.month))


def daily_spread(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person and store in scope with a receipt in the period: sums over days, and of their squares and
    products, from which the error of a ratio follows.

    Columns: staff_id, store_id, orders, units, sales, orders_orders, units_units, sales_sales, units_orders,
    sales_orders.
    """
    c = staff_day.c
    own = {"orders": c.orders, "units": c.units, "sales": c.gross_sales}
    plain = {name: cast(column, Double) for name, column in own.items()}
    pairs = (("orders", "orders"), ("units", "units"), ("sales", "sales"), ("units", "orders"), ("sales", "orders"))
    query = (
        select(
            c.staff_id,
            c.store_id,
            *(func.sum(column).label(name) for name, column in plain.items()),
            *(func.sum(plain[one] * plain[other]).label(f"{one}_{other}") for one, other in pairs),
        )
        .where(within(c.day, period), c.orders > 0)
        .group_by(c.staff_id, c.store_id)
        .order_by(c.staff_id, c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def rating_spread(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person of a store in scope who was rated in the period: staff_id, store_id, answers, score (sum) and
    score_score (sum of squares)."""
    c = survey_answer.c
    score = cast(c.score, Double)
    query = (
        select(
            c.staff_id,
            c.store_id,
            cast(func.count(), BigInteger).label("answers"),
            func.sum(score).label("score"),
            func.sum(score * score).label("score_score"),
        )
        .where(c.kind == "staff", c.staff_id.is_not(None), within(cast(c.answered_at, Date), period))
        .group_by(c.staff_id, c.store_id)
        .order_by(c.staff_id, c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def quantiles(scope: Scope, engine: Engine) -> pd.DataFrame:
    """Where the people of the chain stand in each figure, as ``staff_quantile``: nobody's own."""
    q = staff_quantile.c
    return fetch(scope, engine, select(staff_quantile).order_by(q.figure, q.tenth))
