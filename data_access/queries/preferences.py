"""What groups of customers of the stores in scope buy, and how."""

from collections.abc import Collection, Sequence
from typing import Any, Literal

import pandas as pd
from sqlalchemy import BigInteger, Engine, Select, Subquery, case, cast, func, or_, select, tuple_

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import product, sale_line
from data_access.queries._frame import fetch, ten_thousandths, within
from data_access.queries._groups import groups
from data_access.queries._people import Question
from data_access.queries.segments import CUTS, literals
from data_access.scope import Period, Scope

Thing = Literal["category", "benefit"]


def bought(scope: Scope, engine: Engine, period: Period, by: Sequence[str], thing: Thing) -> pd.DataFrame:
    """One row per group of each of ``by`` and category or benefit of the products that its identified customers bought.

    by: of ``_groups.DIMENSIONS`` those that the CRM records, and city_tier. A product with several benefits is in the
    row of each.

    Columns: by, group, thing, customers, net_sales (in ten-thousandths, before returns).
    """
    n = sale_line.c
    lines, things = _lines(scope, period, n.product_id, n.net), _things(thing)
    each = (
        select(lines.c.customer_no, things.c.thing, func.sum(lines.c.net).label("net"))
        .join_from(lines, things, things.c.product_id == lines.c.product_id)
        .group_by(lines.c.customer_no, things.c.thing)
        .subquery("each")
    )
    g, dimension, group, sets = _each_of(scope, period, each, by, "thing", "net")
    query = (
        select(
            dimension,
            group,
            g.thing,
            cast(func.count(), BigInteger).label("customers"),
            ten_thousandths(func.sum(g.net)).label("net_sales"),
        )
        .group_by(sets)
        .order_by(dimension, group, g.thing)
    )
    return fetch(scope, engine, query)


def habits(scope: Scope, engine: Engine, period: Period, by: Sequence[str]) -> pd.DataFrame:
    """One row per group of each of ``by``: how its customers bought in ``period``.

    Columns: by, group, customers, repeat_customers (with two receipts or more), orders, units, net_sales (in
    ten-thousandths, before returns), lines, discounted (of these, with a discount or a coupon).
    """
    n = sale_line.c
    cheaper = case((or_(n.discount > 0, n.coupon_code.is_not(None)), 1), else_=0).label("cheaper")
    lines = _lines(scope, period, n.order_id, n.quantity, n.net, cheaper)
    line = lines.c
    each = (
        select(
            line.customer_no,
            func.count(line.order_id.distinct()).label("orders"),
            func.sum(line.quantity).label("units"),
            func.sum(line.net).label("net"),
            func.count().label("lines"),
            func.sum(line.cheaper).label("discounted"),
        )
        .group_by(line.customer_no)
        .subquery("each")
    )
    sums = ("orders", "units", "lines", "discounted")
    g, dimension, group, sets = _each_of(scope, period, each, by, *sums, "net")
    query = (
        select(
            dimension,
            group,
            cast(func.count(), BigInteger).label("customers"),
            cast(func.count().filter(g.orders >= 2), BigInteger).label("repeat_customers"),
            *(cast(func.sum(g[name]), BigInteger).label(name) for name in sums),
            ten_thousandths(func.sum(g.net)).label("net_sales"),
        )
        .group_by(sets)
        .order_by(dimension, group)
    )
    return fetch(scope, engine, query)


def by_month(scope: Scope, engine: Engine, period: Period, by: str) -> pd.DataFrame:
    """One row per month and group of ``by``: who bought in that month of ``period``.

    Columns: month ('YYYY-MM'), group, customers, net_sales (in ten-thousandths, before returns).
    """
    d = customer_store_day.c
    month = func.strftime(d.day, "%Y-%m").label("month")
    rows = select(d.customer_no, month, func.sum(d.gross_sales).label("net")).where(d.orders > 0, within(d.day, period))
    each = scope.limit(rows, d.store_id).group_by(d.customer_no, month).subquery("each")
    source, found = _grouped(scope, period, each, {by})
    e, group = each.c, found[by]
    customers = cast(func.count(), BigInteger).label("customers")
    query = select(e.month, group.label("group"), customers, ten_thousandths(func.sum(e.net)).label("net_sales"))
    return fetch(scope, engine, query.select_from(source).group_by(e.month, group).order_by(e.month, group))


def _things(thing: Thing) -> Subquery:
    """One row per product and category or benefit that it has: product_id, thing."""
    p = product.c
    if thing == "category":
        return select(p.product_id, p.category.label("thing")).where(p.category.is_not(None)).subquery("things")
    # Attributes are free text of the CRM.
    readable = case((func.json_valid(p.attributes), p.attributes), else_="{}")
    benefits = func.unnest(func.json_extract_string(readable, "$.benefits[*]")).label("thing")
    return select(p.product_id, benefits).where(p.attributes.is_not(None)).subquery("things")


def _lines(scope: Scope, period: Period, *columns: Any) -> Subquery:
    """The counted lines of identified customers in scope."""
    n = sale_line.c
    rows: Select[Any] = select(n.customer_no, *columns).where(
        n.exclusion.is_(None), n.customer_no.is_not(None), n.quantity > 0, within(n.day, period)
    )
    return scope.limit(rows, n.store_id).subquery("lines")


def _each_of(
    scope: Scope, period: Period, people: Subquery, by: Sequence[str], *names: str
) -> tuple[Any, Any, Any, Any]:
    """The columns of ``people`` that are named with their groups, which dimension a row is of, its group, and the sets
    to group by: each dimension with what is no figure."""
    source, found = _grouped(scope, period, people, by)
    columns = (people.c[name] for name in names)
    g = select(*(found[name].label(name) for name in by), *columns).select_from(source).subquery("grouped").c
    beside = [g[name] for name in names if name == "thing"]
    sets = func.grouping_sets(*(tuple_(g[name], *beside) for name in by))
    dimension = case(*((g[name].is_not(None), name) for name in by)).label("by")
    return g, dimension, func.coalesce(*(g[name] for name in by)).label("group"), sets


def _grouped(scope: Scope, period: Period, people: Subquery, by: Collection[str]) -> tuple[Any, dict[str, Any]]:
    nobody_parted = literals(dict.fromkeys(CUTS))  # what is recorded needs no cut points
    return groups(people, nobody_parted, Question(period.last), "keep_ties", scope, by)
