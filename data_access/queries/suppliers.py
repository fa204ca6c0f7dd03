"""How suppliers deliver to the stores in scope: lines of orders, their promises and receipts."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Integer, Label, Select, and_, cast, func, or_, select

from data_access.marts.tables import product, purchase_line, supplier
from data_access.queries._frame import count, fetch
from data_access.scope import Scope

_P = purchase_line.c
# A cancelled line was nobody's fault that the data would know; what is not due yet may still come in time.
_PROMISED = func.date_diff("day", _P.ordered_on, _P.promised_on, type_=Double)
_TOOK = func.date_diff("day", _P.ordered_on, _P.last_received_on, type_=Double)
_COMPLETE = _P.received >= _P.quantity
_CAME = _P.last_received_on.is_not(None)


def _figures(as_of: date) -> list[ColumnElement[Any]]:
    """What one supplier, or one of its products, delivered: days (NaN where nothing tells), lines and units."""
    complete = and_(_CAME, _COMPLETE)
    due = and_(_P.status != "cancelled", or_(_P.promised_on < as_of, complete))
    good = and_(_COMPLETE, _P.last_received_on <= _P.promised_on, _P.rejected == 0)
    closed = _P.status == "received"

    def lines(of: ColumnElement[bool], name: str) -> Label[int]:
        return func.count().filter(of).label(name)

    return [
        func.count().label("lines"),
        func.median(_PROMISED).label("promised_days"),
        func.median(_TOOK).filter(complete).label("actual_median_days"),
        func.quantile_cont(_TOOK, 0.9).filter(complete).label("actual_p90_days"),
        lines(and_(good, due), "good_lines"),
        lines(due, "due_lines"),
        lines(and_(closed, _P.received < _P.quantity), "short_lines"),
        lines(closed, "closed_lines"),
        count(_P.quantity, closed).label("ordered_units"),
        count(_P.received, closed).label("received_units"),
        count(_P.rejected, closed).label("rejected_units"),
        count(_P.open_quantity).label("open_quantity"),
        lines(_late(as_of), "late_lines"),
    ]


def _late(as_of: date) -> ColumnElement[bool]:
    return and_(_P.open_quantity > 0, _P.promised_on < as_of)


def league(scope: Scope, engine: Engine, since: date, as_of: date) -> pd.DataFrame:
    """One row per supplier with lines ordered from ``since`` on by stores in scope, by supplier_id.

    Columns: supplier_id, supplier, lines; promised_days (median) and actual_median_days, actual_p90_days from order to
    last receipt of complete lines; due_lines (promised before ``as_of`` or complete, not cancelled) and of these
    good_lines (complete, in time, nothing rejected); closed_lines and of these short_lines, ordered_units,
    received_units and rejected_units; open_quantity and late_lines (open after their promised day).
    """
    s = supplier.c
    query = (
        select(_P.supplier_id, func.any_value(s.name).label("supplier"), *_figures(as_of))
        .select_from(purchase_line.outerjoin(supplier, s.supplier_id == _P.supplier_id))
        .where(_P.ordered_on >= since, _P.supplier_id.is_not(None))
        .group_by(_P.supplier_id)
    )
    return fetch(scope, engine, scope.limit(query.order_by(_P.supplier_id), _P.store_id))


def products(scope: Scope, engine: Engine, since: date, as_of: date) -> pd.DataFrame:
    """One row per supplier and product: supplier_id, product_id, product, category and what ``league`` tells.

    Columns besides: lines, promised_days, actual_median_days, actual_p90_days, good_lines, due_lines, short_lines,
    closed_lines, ordered_units, received_units, rejected_units, open_quantity, late_lines.
    """
    p = product.c
    names = (func.any_value(column).label(label) for column, label in ((p.name, "product"), (p.category, "category")))
    query = (
        select(_P.supplier_id, _P.product_id, *names, *_figures(as_of))
        .select_from(purchase_line.outerjoin(product, p.product_id == _P.product_id))
        .where(_P.ordered_on >= since, _P.supplier_id.is_not(None))
        .group_by(_P.supplier_id, _P.product_id)
        .order_by(_P.supplier_id, _P.product_id)
    )
    return fetch(scope, engine, scope.limit(query, _P.store_id))


def by_month(scope: Scope, engine: Engine, since: date, as_of: date) -> pd.DataFrame:
    """One row per supplier and month of ordering: supplier_id, month (its first day) and what ``league`` tells.

    Columns besides: lines, promised_days, actual_median_days, actual_p90_days, good_lines, due_lines, short_lines,
    closed_lines, ordered_units, received_units, rejected_units, open_quantity, late_lines.
    """
    month = func.date_trunc("month", _P.ordered_on).label("month")
    query = (
        select(_P.supplier_id, month, *_figures(as_of))
        .where(_P.ordered_on >= since, _P.supplier_id.is_not(None))
        .group_by(_P.supplier_id, month)
        .order_by(_P.supplier_id, month)
    )
    return fetch(scope, engine, scope.limit(query, _P.store_id))


def late_orders(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per line of an order of a store in scope that is open after its promised day, the longest overdue first.

    Columns: purchase_order_id, line_no, supplier_id, supplier, store_id, product_id, product, ordered_on, promised_on,
    open_quantity, days_late, amount (open units at their cost; NaN: unknown).
    """
    p, s = product.c, supplier.c
    days_late = func.date_diff("day", _P.promised_on, as_of, type_=Integer).label("days_late")
    query: Select[Any] = (
        select(
            _P.purchase_order_id,
            _P.line_no,
            _P.supplier_id,
            s.name.label("supplier"),
            _P.store_id,
            _P.product_id,
            p.name.label("product"),
            _P.ordered_on,
            _P.promised_on,
            _P.open_quantity,
            days_late,
            cast(_P.open_quantity * _P.unit_cost, Double).label("amount"),
        )
        .select_from(
            purchase_line.outerjoin(supplier, s.supplier_id == _P.supplier_id).outerjoin(
                product, p.product_id == _P.product_id
            )
        )
        .where(_late(as_of))
        .order_by(_P.promised_on, _P.purchase_order_id, _P.line_no)
    )
    return fetch(scope, engine, scope.limit(query, _P.store_id))
