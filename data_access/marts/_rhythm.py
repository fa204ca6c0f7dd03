"""When a customer comes: gaps between visits and trends, as sums over the days with an order, and so for any engine."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, Double, Integer, and_, case, cast, func, literal

from data_access.marts._bridge import days_between
from data_access.marts.segment_rules import TREND_POINTS

_START = date(2000, 1, 1)  # days are counted from here: small numbers stay exact when they are multiplied


Over = Callable[[Any], ColumnElement[Any]]  # what an aggregate runs over: the rows of a group unless told


def _group(aggregate: Any) -> ColumnElement[Any]:
    found: ColumnElement[Any] = aggregate
    return found


def rhythm(
    day: ColumnElement[Any],
    gap: ColumnElement[Any],
    orders: ColumnElement[Any],
    gross_sales: ColumnElement[Any],
    over: Over = _group,
) -> list[ColumnElement[Any]]:
    """gaps, median_gap, gap_trend and amount_trend of a customer, from the rows that the query groups, or ``over``.

    day: of the visit; gap: days since the visit before, null without one; rows without orders count for nothing.
    """
    number = cast(days_between(literal(_START, Date), day), BigInteger)
    cents = cast(func.floor(gross_sales * 100), BigInteger)
    return [
        cast(over(func.count(gap)), Integer).label("gaps"),
        cast(over(func.median(gap)), Double).label("median_gap"),
        _trend(number, cast(gap, BigInteger), gap.is_not(None), over).label("gap_trend"),
        _trend(number, cents, orders > 0, over).label("amount_trend"),
    ]


def _trend(x: ColumnElement[Any], y: ColumnElement[Any], counts: ColumnElement[bool], over: Over) -> ColumnElement[Any]:
    """The slope of least squares over the span of ``x``, as a share of the mean of ``y``.

    Sums of whole numbers, which are the same in any order.
    """

    def total(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(over(func.sum(case((counts, value)))), Double)

    n, xs, ys = total(literal(1)), total(x), total(y)
    spread = n * total(x * x) - xs * xs
    slope = (n * total(x * y) - xs * ys) / func.nullif(spread, 0)
    known = and_(n >= TREND_POINTS, ys > 0)
    span = over(func.max(case((counts, x)))) - over(func.min(case((counts, x))))
    return case((known, slope * span * n / ys))
