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
from data_access.queries._units import By, apart, unit
from data_access.queries.segments import CUTS, literals
from data_access.scope import Period, Scope

Thing = Literal["category", "benefit"]


def bought(
    scope: Scope, engine: Engine, period: Period, groupings: Sequence[str], thing: Thing, by: By = "scope"
) -> pd.DataFrame:
    """One row per group of each of ``groupings`` and category or benefit of the products that its identified customers
    bought; those of each region or store by themselves.

    groupings: of ``_groups.DIMENSIONS`` those that the CRM records, and city_tier. A product with several benefits is
    in the row of each.

    Columns: grouping, group, thing, customers, net_sales (in ten-thousandths, before returns), unit (the region or
    store, if ``by`` them).
    """
    n = sale_line.c
    lines, things = _lines(scope, period, by, n.product_id, n.net), _things(thing)
    of = (lines.c.customer_no, things.c.thing, *unit(lines.c))
    each = (
        select(*of, func.sum(lines.c.net).label("net"))
        .join_from(lines, things, things.c.product_id == lines.c.product_id)
        .group_by(*of)
        .subquery("each")
    )
    g, grouping, group, sets = _each_of(scope, period, each, groupings, by, "thing", "net")
    query = (
        select(
            grouping,
            group,
            g.thing,
            cast(func.count(), BigInteger).label("customers"),
            ten_thousandths(func.sum(g.net)).label("net_sales"),
            *unit(g),
        )
        .group_by(sets)
        .order_by(*unit(g), grouping, group, g.thing)
    )
    return fetch(scope, engine, query)


def habits(scope: Scope, engine: Engine, period: Period, groupings: Sequence[str], by: By = "scope") -> pd.DataFrame:
    """One row per group of each of ``groupings``: how its customers bought in ``period``; those of each region or store
    by themselves.

    Columns: grouping, group, customers, repeat_customers (with two receipts or more), orders, units, net_sales (in
    ten-thousandths, before returns), lines, discounted (of these, with a discount or a coupon), unit (the region or
    store, if ``by`` them).
    """
    n = sale_line.c
    cheaper = case((or_(n.discount > 0, n.coupon_code.is_not(None)), 1), else_=0).label("cheaper")
    line = _lines(scope, period, by, n.order_id, n.quantity, n.net, cheaper).c
    each = (
        select(
            line.customer_no,
            *unit(line),
            func.count(line.order_id.distinct()).label("orders"),
            func.sum(line.quantity).label("units"),
            func.sum(line.net).label("net"),
            func.count().label("lines"),
            func.sum(line.cheaper).label("discounted"),
        )
        .group_by(line.customer_no, *unit(line))
        .subquery("each")
    )
    sums = ("orders", "units", "lines", "discounted")
    g, grouping, group, sets = _each_of(scope, period, each, groupings, by, *sums, "net")
    query = (
        select(
            grouping,
            group,
            cast(func.count(), BigInteger).label("customers"),
            cast(func.count().filter(g.orders >= 2), BigInteger).label("repeat_customers"),
            *(cast(func.sum(g[name]), BigInteger).label(name) for name in sums),
            ten_thousandths(func.sum(g.net)).label("net_sales"),
            *unit(g),
        )
        .group_by(sets)
        .order_by(*unit(g), grouping, group)
    )
    return fetch(scope, engine, query)


def by_month(scope: Scope, engine: Engine, period: Period, grouping: str, by: By = "scope") -> pd.DataFrame:
    """One row per month and group of ``grouping``: who bought in that month of ``period``; those of each region or
    store by themselves.

    Columns: month ('YYYY-MM'), group, customers, net_sales (in ten-thousandths, before returns), unit (the region or
    store, if ``by`` them).
    """
    c = customer_store_day.c
    month = func.strftime(c.day, "%Y-%m").label("month")
    rows = select(c.customer_no, month, c.gross_sales).where(c.orders > 0, within(c.day, period))
    d = scope.limit(apart(rows, c.store_id, by), c.store_id).subquery("days").c
    of = (d.customer_no, d.month, *unit(d))
    each = select(*of, func.sum(d.gross_sales).label("net")).group_by(*of).subquery("each")
    source, found = _grouped(scope, period, each, {grouping}, by)
    e, group = each.c, found[grouping]
    customers, net_sales = cast(func.count(), BigInteger).label("customers"), ten_thousandths(func.sum(e.net))
    query = select(e.month, group.label("group"), customers, net_sales.label("net_sales"), *unit(e)).select_from(source)
    cell = (*unit(e), e.month, group)
    return fetch(scope, engine, query.group_by(*cell).order_by(*cell))


def _things(thing: Thing) -> Subquery:
    """One row per product and category or benefit that it has: product_id, thing."""
    p = product.c
    if thing == "category":
        return select(p.product_id, p.category.label("thing")).where(p.category.is_not(None)).subquery("things")
    # Attributes are free text of the CRM.
    readable = case((func.json_valid(p.attributes), p.attributes), else_="{}")
    benefits = func.unnest(func.json_extract_string(readable, "$.benefits[*]")).label("thing")
    return select(p.product_id, benefits).where(p.attributes.is_not(None)).subquery("things")


def _lines(scope: Scope, period: Period, by: By, *columns: Any) -> Subquery:
    """The counted lines of identified customers in scope."""
    n = sale_line.c
    rows: Select[Any] = select(n.customer_no, *columns).where(
        n.exclusion.is_(None), n.customer_no.is_not(None), n.quantity > 0, within(n.day, period)
    )
    return scope.limit(apart(rows, n.store_id, by), n.store_id).subquery("lines")


def _each_of(
    scope: Scope, period: Period, people: Subquery, groupings: Sequence[str], by: By, *names: str
) -> tuple[Any, Any, Any, Any]:
    """The columns of ``people`` that are named with their groups, which grouping a row is of, its group, and the sets
    to group by: each grouping with what is no figure."""
    source, found = _grouped(scope, period, people, groupings, by)
    columns = (*(people.c[name] for name in names), *unit(people.c))
    g = select(*(found[name].label(name) for name in groupings), *columns).select_from(source).subquery("grouped").c
    beside = [*unit(g), *(g[name] for name in names if name == "thing")]
    sets = func.grouping_sets(*(tuple_(g[name], *beside) for name in groupings))
    grouping = case(*((g[name].is_not(None), name) for name in groupings)).label("grouping")
    return g, grouping, func.coalesce(*(g[name] for name in groupings)).label("group"), sets


def _grouped(
    scope: Scope, period: Period, people: Subquery, groupings: Collection[str], by: By
) -> tuple[Any, dict[str, Any]]:
    nobody_parted = literals(dict.fromkeys(CUTS))  # what is recorded needs no cut points
    return groups(people, nobody_parted, Question(period.last), "keep_ties", scope, groupings, by)
