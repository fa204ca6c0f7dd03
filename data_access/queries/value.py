"""What each customer of the stores in scope has brought, on how many days they came, and when.

Visits are days with an order in these stores, one of nothing but samples or gifts (zero value) included; money is that
of counted orders and returns. Orders elsewhere do not exist, so a customer is somebody else in every scope.
"""

from collections.abc import Collection
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Engine,
    Integer,
    Select,
    String,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    select,
    union,
    union_all,
)
from sqlalchemy.sql.selectable import CompoundSelect

from data_access.marts._bridge import days_between
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.shared_day import shared_day
from data_access.marts.tables import customer_rank, product, return_line, sale_line, sale_order
from data_access.pseudonym import number_of
from data_access.queries._frame import fetch, fetch_many, ten_thousandths
from data_access.queries._places import place_of
from data_access.queries._units import By, apart, unit
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.results.tables import (
    value_calibration,
    value_check,
    value_concentration,
    value_fit,
    value_grid,
    value_holdout,
    value_parameter,
    value_readiness,
    value_rule,
    value_score,
    value_summary,
)
from data_access.scope import Scope


def customers(
    scope: Scope, engine: Engine, as_of: date, only: Collection[int] | None = None, by: By = "scope"
) -> pd.DataFrame:
    """One row per customer with a visit by the end of ``as_of`` (of those in ``only`` when it is given), by number; of
    each region or store by themselves.

    Columns: customer_no, repeat_visits (visits after the first), recency_days (from the first visit to the last),
    age_days (from the first visit to ``as_of``), in whole ten-thousandths repeat_sales (gross sales of the repeat
    visits), gross_sales and net_sales, of the days after ``as_of`` later_visits and later_sales (gross), and unit (the
    region or store, if ``by`` them).
    """
    d = _days(scope, only, by).subquery("days").c
    by_then, visited = d.day <= as_of, d.visited == 1
    visit = and_(visited, by_then)
    first = func.min(d.day).filter(visit)
    people = (
        select(
            d.customer_no,
            first.label("first_day"),
            func.max(d.day).filter(visit).label("last_day"),
            func.count().filter(visit).label("visits"),
            _total(d.gross_sales, by_then).label("gross_sales"),
            func.arg_min(d.gross_sales, d.day).filter(visit).label("first_sales"),
            _total(d.net_sales, by_then).label("net_sales"),
            func.count().filter(visited, d.day > as_of).label("later_visits"),
            _total(d.gross_sales, d.day > as_of).label("later_sales"),
            *unit(d),
        )
        .group_by(d.customer_no, *unit(d))
        .having(first.is_not(None))
        .subquery("people")
    )
    p = people.c
    query = select(
        p.customer_no,
        cast(p.visits - 1, Integer).label("repeat_visits"),
        cast(days_between(p.first_day, p.last_day), Integer).label("recency_days"),
        cast(days_between(p.first_day, literal(as_of)), Integer).label("age_days"),
        cast(p.gross_sales - p.first_sales, BigInteger).label("repeat_sales"),
        *(cast(p[name], BigInteger).label(name) for name in ("gross_sales", "net_sales")),
        cast(p.later_visits, Integer).label("later_visits"),
        cast(p.later_sales, BigInteger).label("later_sales"),
        *unit(p),
    )
    return fetch_many(scope, engine, query.order_by(*unit(p), p.customer_no))


def margin(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row, none without an order: what all identified customers have brought by ``as_of``, in ten-thousandths.

    Columns: costed_sales (gross sales of the orders whose cost is known; 0: of none), margin (these sales less their
    cost, less refunds, plus the cost of what came back: of its receipt line in scope, without one of the product).
    """
    return fetch(scope, engine, _sums(_costs(scope, as_of, None)).having(func.count() > 0))


def details(scope: Scope, engine: Engine, as_of: date, only: Collection[int] | None = None) -> pd.DataFrame:
    """One row per customer with an order by the end of ``as_of`` (of those in ``only``): what only a list tells.

    Columns: customer_no, store_id (of the last order, of several that day the last by id), costed_sales and margin as
    in ``margin``.
    """
    c = customer_store_day.c
    # The store follows the day, so the highest text ends with the last store of the last day.
    last = func.max(func.concat(cast(c.day, String), c.store_id)).label("last")
    ordered = select(c.customer_no, last).where(c.orders > 0, c.day <= as_of)
    lasts = _limited(ordered, customer_store_day, scope, only).group_by(c.customer_no).subquery("lasts")
    costs = _costs(scope, as_of, only)
    number = costs.selected_columns.customer_no
    sums = _sums(costs).add_columns(number).group_by(number).subquery("sums")
    query = (
        select(
            lasts.c.customer_no,
            func.substr(lasts.c.last, len("2026-01-31") + 1).label("store_id"),
            sums.c.costed_sales,
            sums.c.margin,
        )
        .join_from(lasts, sums, sums.c.customer_no == lasts.c.customer_no)
        .order_by(lasts.c.customer_no)
    )
    return fetch(scope, engine, query)


def by_id(scope: Scope, engine: Engine, as_of: date, limit: int) -> pd.DataFrame:
    """The first customers with an order by the end of ``as_of``, in the order of the CRM's ids. Column: customer_no."""
    c, r = customer_store_day.c, customer_rank.c
    ordered = scope.limit(select(c.customer_no).where(c.orders > 0, c.day <= as_of), c.store_id)
    query = select(r.customer_no).where(r.customer_no.in_(ordered)).order_by(r.id_rank).limit(limit)
    return fetch(scope, engine, query)


# The tables of a report by name, as a batch keeps them for every place.
KEPT = {
    "readiness": value_readiness,
    "parameters": value_parameter,
    "fit": value_fit,
    "summary": value_summary,
    "concentration": value_concentration,
    "grid": value_grid,
    "value_rule": value_rule,
    "holdout": value_holdout,
    "calibration": value_calibration,
}


def kept(scope: Scope, engine: Engine, table: str) -> pd.DataFrame:
    """The rows of a table of the report (``KEPT``) that a batch kept for the place that the scope is, in their order;
    none for other scopes. Columns as the report's. ``engine``: of the results."""
    rows = KEPT[table]
    columns = [column for name, column in rows.c.items() if name not in ("level", "place_id", "position")]
    return fetch(scope, engine, select(*columns).where(_of_place(scope, engine, rows)).order_by(rows.c.position))


def checked_from(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row where a batch kept results for the place that the scope is. Column: starts_on, NaT without a check."""
    return fetch(scope, engine, select(value_check.c.starts_on).where(_of_place(scope, engine, value_check)))


def scores(
    scope: Scope,
    engine: Engine,
    cell: int | None = None,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """Some customers of the place that the scope is (of a cell of the grid), the highest expected value first.

    ``engine``: of the results. Columns as ``value_score``.
    """
    c = value_score.c
    query = _scores(scope, engine, cell, wanted).order_by(c.position)
    if cell is None and wanted == EVERYBODY:  # a range of positions is found in a block or two
        return fetch(scope, engine, query.where(c.position >= offset, c.position < offset + limit))
    return fetch(scope, engine, query.offset(offset).limit(limit))


def score_count(scope: Scope, engine: Engine, cell: int | None = None, wanted: Wanted = EVERYBODY) -> pd.DataFrame:
    """One row: how many customers ``scores`` finds. Column: customers."""
    query = _scores(scope, engine, cell, wanted)
    return fetch(scope, engine, query.with_only_columns(func.count().label("customers")))


def score(scope: Scope, engine: Engine, customer_key: str) -> pd.DataFrame:
    """The scores of one customer in the place that the scope is, if there are any. Columns as ``scores``."""
    number = number_of(customer_key)
    return fetch(
        scope,
        engine,
        _scores(scope, engine).where(false() if number is None else value_score.c.customer_no == number),
    )


def _scores(scope: Scope, engine: Engine, cell: int | None = None, wanted: Wanted = EVERYBODY) -> Select[Any]:
    c = value_score.c
    columns = [column for name, column in c.items() if name not in ("level", "place_id", "position")]
    query = select(*columns).where(_of_place(scope, engine, value_score), wanted.condition(c.customer_no))
    return query if cell is None else query.where(c.cell == cell)


def _of_place(scope: Scope, engine: Engine, table: Table) -> ColumnElement[bool]:
    place = place_of(scope, engine)
    return false() if place is None else place.rows(table)


def _total(column: ColumnElement[Any], rows: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column).filter(rows), 0)


def _limited(query: Select[Any], table: Any, scope: Scope, only: Collection[int] | None) -> Select[Any]:
    """``query`` with the rows of ``table`` in scope, and of some customers only."""
    limited = scope.limit(query, table.c.store_id)
    return limited if only is None else limited.where(table.c.customer_no.in_(sorted(only)))


def _days(scope: Scope, only: Collection[int] | None, by: By) -> CompoundSelect[Any]:
    """One row per customer and day with an order or a return: visited (1, or 0), gross_sales and net_sales.

    The mart has such rows already, but for customers who bought in two stores on one day or have an order of zero
    value: theirs are added up.
    """
    c, s, o = customer_store_day.c, shared_day.c, sale_order.c
    gifts = select(o.customer_no, o.day).where(o.exclusion == "zero_value", o.customer_no.is_not(None))
    of_zero_value = _limited(apart(gifts, o.store_id, by), sale_order, scope, only).subquery("of_zero_value")
    several = union(_limited(select(s.customer_no), shared_day, scope, only), select(of_zero_value.c.customer_no)).cte(
        "several"
    )
    money = (ten_thousandths(c.gross_sales).label("gross_sales"), ten_thousandths(c.net_sales).label("net_sales"))
    visited = case((c.orders > 0, 1), else_=0).label("visited")
    mine = apart(select(c.customer_no, c.day, visited, *money), c.store_id, by)
    rows = _limited(mine, customer_store_day, scope, only)
    added = select(several.c.customer_no)
    z = of_zero_value.c
    gift = select(z.customer_no, z.day, literal(1), literal(0), literal(0), *unit(z))
    t = union_all(rows.where(c.customer_no.in_(added)), gift).subquery("theirs").c
    sums = [cast(func.sum(t[name]), BigInteger) for name in ("gross_sales", "net_sales")]
    of = (t.customer_no, t.day, *unit(t))
    added_up = select(t.customer_no, t.day, func.max(t.visited), *sums, *unit(t)).group_by(*of)
    alone = rows.where(c.customer_no.not_in(added))
    days: CompoundSelect[Any] = union_all(alone, added_up)
    return days


def _costs(scope: Scope, as_of: date, only: Collection[int] | None) -> Select[Any]:
    """One row per counted order and returned line of identified customers: customer_no, costed_sales, margin."""
    o, r, n, goods = sale_order.c, return_line.c, sale_line.c, product.c
    sold = select(
        o.customer_no,
        case((o.cost.is_not(None), ten_thousandths(o.gross_sales)), else_=0).label("costed_sales"),
        func.coalesce(ten_thousandths(o.gross_sales - o.cost), 0).label("margin"),
    ).where(o.exclusion.is_(None), o.customer_no.is_not(None), o.day <= as_of)
    unit_cost = (n.cost / func.nullif(n.quantity, 0)).label("unit_cost")
    lines = scope.limit(select(n.order_id, n.line_no, unit_cost), n.store_id).subquery("lines")
    cost_back = func.coalesce(r.quantity * func.coalesce(lines.c.unit_cost, goods.cost), 0)
    back = (
        select(r.customer_no, literal(0), ten_thousandths(cost_back - r.refund))
        .join_from(
            return_line,
            lines,
            and_(lines.c.order_id == r.order_id, lines.c.line_no == r.order_line_no),
            isouter=True,
        )
        .join(product, goods.product_id == r.product_id, isouter=True)
        .where(r.exclusion.is_(None), r.customer_no.is_not(None), r.day <= as_of)
    )
    both = union_all(_limited(sold, sale_order, scope, only), _limited(back, return_line, scope, only))
    costs: Select[Any] = select(both.subquery("costs"))
    return costs


def _sums(costs: Select[Any]) -> Select[Any]:
    """The sums of costed_sales and margin."""
    c = costs.selected_columns
    sums: list[ColumnElement[Any]] = [
        cast(func.coalesce(func.sum(c[name]), 0), BigInteger).label(name) for name in ("costed_sales", "margin")
    ]
    totals: Select[Any] = costs.with_only_columns(*sums)
    return totals
