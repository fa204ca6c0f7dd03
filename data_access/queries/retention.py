"""When identified customers of the stores in scope came, came back, or had not bought at all yet."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    Engine,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from data_access.marts._bridge import days_between
from data_access.marts.cohort_month import NO_COHORT, cohort_month, month_of
from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer
from data_access.queries._frame import amount, count, fetch, within
from data_access.queries._people import place_of_all_days
from data_access.queries._places import place_of
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.scope import Period, Scope

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
    place = place_of_all_days(scope, engine, as_of)
    if place is not None:
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


def new_by_place(scope: Scope, engine: Engine, level: Literal["region", "store"]) -> pd.DataFrame:
    """One row per store in scope (or, for the chain, region) and calendar month with a first order there.

    Columns: place_id, month (counted from January 1970), customers (whose first order in that place is in the month).
    """
    m = cohort_month.c
    if scope.kind == "chain":
        rows: ColumnElement[bool] = m.level == level
    elif level == "store" and scope.store_ids:
        rows = and_(m.level == "store", m.place_id.in_(scope.store_ids))
    else:
        rows = false()
    query = (
        select(m.place_id, cast(m.month, Integer).label("month"), count(m.customers).label("customers"))
        .where(rows, m.cohort == m.month)
        .group_by(m.place_id, m.month)
        .order_by(m.place_id, m.month)
    )
    return fetch(scope, engine, query)


def second_visits(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """One row per wait and outcome of the customers with a visit by the end of ``as_of``.

    Columns: days (from the first visit to the second, or to ``as_of`` without one), happened, customers.
    """
    f = _firsts(scope, engine, as_of).c
    happened = func.coalesce(f.second_day <= as_of, False)
    return _waits(scope, engine, select(f.first_day, f.second_day, happened.label("happened")), as_of)


def registered(scope: Scope, engine: Engine, as_of: date, by: Literal["source", "store_id"] = "source") -> pd.DataFrame:
    """One row per source (or home store), wait and outcome of the customers at home in scope who had joined by then.

    The chain counts customers without a home store, too. An order counts in the stores in scope; one on the day of
    joining or before it, at once.

    Columns: source or store_id (NA: unknown), days (from joining to the first order, or to ``as_of`` without one),
    happened, customers.
    """
    j = _joined(scope, engine, as_of).c
    happened = func.coalesce(j.first_day <= as_of, False)
    first = select(j[by], j.joined_on, j.first_day, happened.label("happened"))
    return _waits(scope, engine, first, as_of, by)


def members_who_bought(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per home store, tier and source of the customers registered in the stores in scope before ``period``.

    Columns: store_id, tier and source (NA: unknown), members, bought (of these, with an order in ``period`` in the
    stores in scope).
    """
    h, d = customer.c, customer_store_day.c
    days = select(d.customer_no).distinct().where(d.orders > 0, within(d.day, period))
    buyers = scope.limit(days, d.store_id).subquery("buyers")
    groups = (h.home_store_id.label("store_id"), h.tier, h.source)
    query = (
        select(
            *groups,
            cast(func.count(), BigInteger).label("members"),
            cast(func.count(buyers.c.customer_no), BigInteger).label("bought"),
        )
        .join_from(customer, buyers, buyers.c.customer_no == h.customer_no, isouter=True)
        .where(h.joined_on < period.first)
        .group_by(h.home_store_id, h.tier, h.source)
        .order_by(h.home_store_id, h.tier, h.source)
    )
    return fetch(scope, engine, scope.limit(query, h.home_store_id))


def bought_within(scope: Scope, engine: Engine, as_of: date, within: Sequence[int]) -> pd.DataFrame:
    """One row per source of the customers of ``registered`` and number of days of ``within``.

    Columns: source (NA: unknown), within_days, eligible (who joined so long ago), bought (of these, who had an order
    within so many days of joining).
    """
    j = _joined(scope, engine, as_of)
    days = select(func.unnest(literal(list(within), ARRAY(Integer))).label("within_days")).subquery("days")
    source, within_days = j.c.source, days.c.within_days
    waited, took = days_between(j.c.joined_on, literal(as_of)), days_between(j.c.joined_on, j.c.first_day)
    query = (
        select(
            source,
            within_days,
            cast(func.count().filter(waited >= within_days), BigInteger).label("eligible"),
            cast(func.count().filter(waited >= within_days, took <= within_days), BigInteger).label("bought"),
        )
        .join_from(j, days, true())
        .group_by(source, within_days)
    )
    return fetch(scope, engine, query.order_by(source, within_days))


def without_order(
    scope: Scope,
    engine: Engine,
    as_of: date,
    source: str | None = None,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the customers of ``registered`` without an order by the end of ``as_of``, those who joined last first.

    Columns: customer_no, store_id (the home store), source, joined_on. ``source``: only that one.
    """
    found = _without_order(scope, engine, as_of, source, wanted)
    f = found.selected_columns
    return fetch(scope, engine, found.order_by(f.joined_on.desc(), f.customer_no).offset(offset).limit(limit))


def without_order_count(scope: Scope, engine: Engine, as_of: date, wanted: Wanted = EVERYBODY) -> pd.DataFrame:
    """One row: how many ``without_order`` lists. Column: customers."""
    return _counted(scope, engine, _without_order(scope, engine, as_of, None, wanted))


def _counted(scope: Scope, engine: Engine, listed: Select[Any]) -> pd.DataFrame:
    rows = listed.subquery("listed")
    return fetch(scope, engine, select(cast(func.count(), BigInteger).label("customers")).select_from(rows))


def _without_order(scope: Scope, engine: Engine, as_of: date, source: str | None, wanted: Wanted) -> Select[Any]:
    known = _known(scope, engine, as_of)
    if known is not None:
        k, h = customer_place.c, customer.c
        joined = select(k.customer_no, k.store_id, h.source, k.joined_on).join_from(
            customer_place, customer, h.customer_no == k.customer_no
        )
        j = joined.where(known, k.orders == 0, k.joined_on <= as_of).subquery("joined").c
        query = select(j.customer_no, j.store_id, j.source, j.joined_on)
    else:
        j = _joined(scope, engine, as_of).c
        query = select(j.customer_no, j.store_id, j.source, j.joined_on).where(
            or_(j.first_day.is_(None), j.first_day > as_of)
        )
    if source is not None:
        query = query.where(j.source == source)
    return query.where(wanted.condition(j.customer_no))


def cohort_customers(
    scope: Scope,
    engine: Engine,
    as_of: date,
    cohort: Period,
    month: Period,
    came: bool,
    offset: int = 0,
    limit: int = 50,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """A page of the customers whose first order lies in ``cohort``: who bought in ``month``, or who did not.

    Orders and returns up to the end of ``as_of``. Highest net sales first.

    Columns: customer_no, store_id (of the last order, of several that day the last by id), first_day, last_day,
    orders, net_sales.
    """
    found = _cohort_customers(scope, engine, as_of, cohort, month, came, wanted)
    f = found.selected_columns
    return fetch(scope, engine, found.order_by(f.net_sales.desc(), f.customer_no).offset(offset).limit(limit))


def cohort_count(
    scope: Scope, engine: Engine, as_of: date, cohort: Period, month: Period, came: bool, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """One row: how many ``cohort_customers`` lists. Column: customers."""
    return _counted(scope, engine, _cohort_customers(scope, engine, as_of, cohort, month, came, wanted))


def _cohort_customers(
    scope: Scope, engine: Engine, as_of: date, cohort: Period, month: Period, came: bool, wanted: Wanted
) -> Select[Any]:
    c = customer_store_day.c
    known = _known(scope, engine, as_of)
    if known is not None:
        k = customer_place.c
        there = select(c.customer_no).distinct().where(c.orders > 0, within(c.day, month), c.day <= as_of)
        then = scope.limit(there, c.store_id).subquery("there")
        return (
            select(
                k.customer_no,
                k.store_id,
                k.first_day,
                k.last_day,
                cast(k.orders, BigInteger).label("orders"),
                cast(k.net_sales, Double).label("net_sales"),
            )
            .join_from(customer_place, then, then.c.customer_no == k.customer_no, isouter=True)
            .where(known, within(k.first_day, cohort), then.c.customer_no.is_not(None) == came)
            .where(wanted.condition(k.customer_no))
        )
    firsts = _firsts(scope, engine, min(cohort.last, as_of))
    f = firsts.c
    members = select(f.customer_no).where(within(f.first_day, cohort)).subquery("members")
    ordered = c.orders > 0
    days = (
        select(
            c.customer_no,
            func.min(c.day).filter(ordered).label("first_day"),
            func.max(c.day).filter(ordered).label("last_day"),
            # The store follows the day, so the highest text ends with the last store of the last day.
            func.max(func.concat(cast(c.day, String), c.store_id)).filter(ordered).label("last"),
            count(c.orders).label("orders"),
            amount(c.net_sales).label("net_sales"),
            func.bool_or(and_(ordered, within(c.day, month))).label("came"),
        )
        .join_from(customer_store_day, members, members.c.customer_no == c.customer_no)
        .where(c.day <= as_of)
        .group_by(c.customer_no)
    )
    d = scope.limit(days, c.store_id).subquery("days").c
    return select(
        d.customer_no,
        func.substr(d.last, len("2026-01-31") + 1).label("store_id"),
        d.first_day,
        d.last_day,
        d.orders,
        d.net_sales,
    ).where(d.came == came, wanted.condition(d.customer_no))


def visits_in_months(scope: Scope, engine: Engine, period: Period, most: int, by_store: bool = False) -> pd.DataFrame:
    """How often customers came in the calendar months of ``period``: one row per number of visits (and store).

    A visit is a day with an order, counted in each store by itself with ``by_store``.

    Columns: store_id ('' without ``by_store``), visits (``most``: or more), customer_months (one per customer and month
    with an order), all_visits (in them).
    """
    c = customer_store_day.c
    unit = c.store_id if by_store else literal("")
    days = scope.limit(
        select(unit.label("store_id"), c.customer_no, month_of(c.day).label("month"), c.day)
        .where(c.orders > 0, within(c.day, period))
        .distinct(),
        c.store_id,
    ).subquery("days")
    d = days.c
    months = select(d.store_id, func.count().label("visits")).group_by(d.store_id, d.customer_no, d.month)
    m = months.subquery("months").c
    visits = func.least(m.visits, most)
    query = select(
        m.store_id,
        cast(visits, Integer).label("visits"),
        cast(func.count(), BigInteger).label("customer_months"),
        cast(func.sum(m.visits), BigInteger).label("all_visits"),
    ).group_by(m.store_id, visits)
    return fetch(scope, engine, query.order_by(m.store_id, visits))


def _firsts(scope: Scope, engine: Engine, as_of: date) -> FromClause:
    """One row per customer with an order by the end of ``as_of``: customer_no, and the days of the first two visits.

    The second may lie after ``as_of``.
    """
    place = place_of(scope, engine)
    k, c = customer_place.c, customer_store_day.c
    if place is not None:
        rows = select(k.customer_no, k.first_day, k.second_day)
        return rows.where(place.rows(customer_place), k.first_day <= as_of).subquery("firsts")
    days = scope.limit(select(c.customer_no, c.day).where(c.orders > 0, c.day <= as_of), c.store_id).distinct()
    d = days.subquery("days").c
    before = func.lag(d.day).over(partition_by=d.customer_no, order_by=d.day)
    steps = select(d.customer_no, d.day, before.label("before")).subquery("steps").c
    return (
        select(
            steps.customer_no,
            func.min(steps.day).label("first_day"),
            func.min(steps.day).filter(steps.before.is_not(None)).label("second_day"),
        )
        .group_by(steps.customer_no)
        .subquery("firsts")
    )


def _known(scope: Scope, engine: Engine, as_of: date) -> ColumnElement[bool] | None:
    """The rows of ``customer_place`` that say of the scope what they say of all days; None: of another day or place."""
    place = place_of_all_days(scope, engine, as_of)
    return None if place is None else place.rows(customer_place)


def _joined(scope: Scope, engine: Engine, as_of: date) -> FromClause:
    """One row per customer at home in scope who had joined by then: customer_no, store_id, source, joined_on and, with
    an order by then, first_day."""
    h = customer.c
    firsts = _firsts(scope, engine, as_of)
    people = (
        select(h.customer_no, h.home_store_id.label("store_id"), h.source, h.joined_on, firsts.c.first_day)
        .join_from(customer, firsts, firsts.c.customer_no == h.customer_no, isouter=True)
        .where(h.joined_on <= as_of)
    )
    return scope.limit(people, h.home_store_id).subquery("joined")


def _waits(scope: Scope, engine: Engine, people: Select[Any], as_of: date, *groups: str) -> pd.DataFrame:
    """``people`` (first, the columns of ``groups``, then two days and whether the second came) by their waits."""
    p = people.subquery("people").c
    start, end, happened = list(p)[len(groups) :]
    days = func.greatest(days_between(start, case((happened, end), else_=literal(as_of))), 0)
    columns = [*(p[name] for name in groups), cast(days, Integer).label("days"), happened]
    query = select(*columns, cast(func.count(), BigInteger).label("customers")).group_by(*columns)
    return fetch(scope, engine, query.order_by(*columns))
