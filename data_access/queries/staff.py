"""The people of the stores in scope: their days, receipts, returns, ratings and targets. Money excluding tax.

People are named by their id alone; their names stay in the CRM.
"""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Double,
    Engine,
    Select,
    Table,
    case,
    cast,
    extract,
    func,
    select,
)

from data_access.marts.staff_day import staff_day
from data_access.marts.store_hour import store_hour
from data_access.marts.tables import (
    customer,
    follow_up,
    product,
    return_line,
    sale_line,
    sale_order,
    sales_target,
    staff,
    store,
    store_traffic,
    survey_answer,
    ticket,
)
from data_access.queries._frame import amount, count, fetch, fetch_many, within
from data_access.results.tables import staff_category, staff_month, staff_result, staff_spread
from data_access.scope import Period, Scope


def days(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person, store in scope and day of the period with a shift or a receipt, in that order.

    Columns: store_id, staff_id, day (datetime64), hours (0 without a shift), first_hour and last_hour (store-local,
    NaN without a shift), gross_sales, orders, units.
    """
    c = staff_day.c
    query = (
        select(
            c.store_id,
            c.staff_id,
            c.day,
            c.hours,
            cast(c.first_hour, Double).label("first_hour"),
            cast(c.last_hour, Double).label("last_hour"),
            cast(c.gross_sales, Double).label("gross_sales"),
            cast(c.orders, BigInteger).label("orders"),
            cast(c.units, Double).label("units"),
        )
        .where(within(c.day, period))
        .order_by(c.store_id, c.staff_id, c.day)
    )
    return fetch_many(scope, engine, scope.limit(query, c.store_id), categories=("store_id", "staff_id"))


def people(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per person whose home store is in scope, by id: staff_id, store_id, store (name), role (NA: unknown),
    hired_on and left_on (datetime64)."""
    query = (
        select(
            staff.c.staff_id,
            staff.c.home_store_id.label("store_id"),
            store.c.name.label("store"),
            staff.c.role,
            staff.c.hired_on,
            staff.c.left_on,
        )
        .join_from(staff, store, store.c.store_id == staff.c.home_store_id)
        .order_by(staff.c.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, staff.c.home_store_id))


def at_work(scope: Scope, engine: Engine, staff_id: str) -> pd.DataFrame:
    """The home store in scope of somebody who works there on the last day of the data: one row with store_id; none for
    anybody else."""
    query = select(staff.c.home_store_id.label("store_id")).where(
        staff.c.staff_id == staff_id, staff.c.left_on.is_(None)
    )
    return fetch(scope, engine, scope.limit(query, staff.c.home_store_id))


def works_in(scope: Scope, engine: Engine, staff_id: str) -> str | None:
    """The same as an id; None where there is no row."""
    found = at_work(scope, engine, staff_id)
    return None if found.empty else str(found["store_id"].iloc[0])


def returns(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person and store in scope of whose receipts goods came back there in the period: store_id, staff_id,
    returns (refunds)."""
    r, o = return_line.c, sale_order.c
    query = (
        select(r.store_id, o.staff_id, amount(r.refund).label("returns"))
        .join_from(return_line, sale_order, (o.order_id == r.order_id) & (o.store_id == r.store_id))
        .where(within(r.day, period), r.exclusion.is_(None), o.staff_id.is_not(None))
        .group_by(r.store_id, o.staff_id)
        .order_by(r.store_id, o.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, r.store_id))


def members(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person and store in scope with a receipt in the period: store_id, staff_id, identified_orders (those
    that name a customer)."""
    o = sale_order.c
    query = (
        select(o.store_id, o.staff_id, cast(func.count(o.customer_no), BigInteger).label("identified_orders"))
        .where(within(o.day, period), o.exclusion.is_(None), o.staff_id.is_not(None))
        .group_by(o.store_id, o.staff_id)
        .order_by(o.store_id, o.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, o.store_id))


def kept(scope: Scope, engine: Engine, period: Period, staff_id: str | None = None) -> pd.DataFrame:
    """The people (or only this one) of the stores in scope in one of the periods that the batch looked at, as
    ``staff_result`` without its days, in the order in which it wrote them."""
    c = staff_result.c
    columns = [column for column in c if column.name not in ("first_day", "last_day")]
    query = select(*columns).where(c.first_day == period.first, c.last_day == period.last)
    if staff_id is not None:
        query = query.where(c.staff_id == staff_id)
    return fetch_many(scope, engine, scope.limit(query, c.store_id))


def kept_ranges(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """Of everybody of the stores in scope who was judged in one of the periods that the batch looked at: lo95, hi95;
    nobody is named."""
    c = staff_result.c
    query = select(c.lo95, c.hi95).where(
        c.first_day == period.first, c.last_day == period.last, c.standing != "too_few"
    )
    return fetch_many(scope, engine, scope.limit(query, c.store_id))


def kept_spread(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """How far the people of the chain truly differ: spread; no row for a period that the batch did not look at."""
    c = staff_spread.c
    query = select(c.spread).where(c.first_day == period.first, c.last_day == period.last)
    return fetch(scope, engine, query)


def kept_categories(scope: Scope, engine: Engine, period: Period, staff_id: str) -> pd.DataFrame:
    """As ``categories``, of one of the periods that the batch looked at (engine: of the results)."""
    c = staff_category.c
    looked_at = (c.first_day == period.first, c.last_day == period.last)
    where_sold = scope.limit(select(c.store_id).where(c.staff_id == staff_id, *looked_at), c.store_id)
    total = amount(c.gross_sales)
    query = (
        select(c.category, amount(c.gross_sales, c.staff_id == staff_id).label("own"), total.label("all"))
        .where(*looked_at, c.store_id.in_(where_sold))
        .group_by(c.category)
        .order_by(total.desc(), c.category)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def kept_returns(scope: Scope, engine: Engine, staff_id: str) -> pd.DataFrame:
    """As ``returns_by_month``, as the batch found them (engine: of the results)."""
    c = staff_month.c
    query = (
        select(c.month, amount(c.returns).label("returns"))
        .where(c.staff_id == staff_id)
        .group_by(c.month)
        .order_by(c.month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def busy_hours(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope, weekday (1 = Monday) and hour of the period with a visitor: store_id, weekday, hour,
    visitors; of stores without a valid door count the orders stand for the visitors."""
    counted = _by_hour(scope, engine, store_traffic, store_traffic.c.visitors, period)
    ordered = _by_hour(scope, engine, store_hour, store_hour.c.orders, period)
    return pd.concat([counted, ordered[~ordered["store_id"].isin(counted["store_id"])]], ignore_index=True)


def _by_hour(scope: Scope, engine: Engine, table: Table, visitors: Column[Any], period: Period) -> pd.DataFrame:
    c = table.c
    weekday = cast(extract("isodow", c.day), BigInteger).label("weekday")
    query = (
        select(c.store_id, weekday, c.hour, count(visitors).label("visitors"))
        .where(within(c.day, period))
        .group_by(c.store_id, weekday, c.hour)
        .having(func.sum(visitors) > 0)
        .order_by(c.store_id, weekday, c.hour)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def ratings(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person of the stores in scope whom somebody rated in the period: staff_id, store_id, csat (mean of 1
    to 5), answers."""
    c = survey_answer.c
    query = (
        select(
            c.staff_id,
            c.store_id,
            cast(func.avg(c.score), Double).label("csat"),
            cast(func.count(), BigInteger).label("answers"),
        )
        .where(c.kind == "staff", c.staff_id.is_not(None), within(cast(c.answered_at, Date), period))
        .group_by(c.staff_id, c.store_id)
        .order_by(c.staff_id, c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def months(scope: Scope, engine: Engine, staff_id: str, last: date) -> pd.DataFrame:
    """One row per month in which a person worked or sold in a store in scope, up to a day (later shifts are only
    planned): month (datetime64, its first day), hours, gross_sales, orders, units."""
    c = staff_day.c
    month = func.date_trunc("month", c.day, type_=Date)
    query = (
        select(
            month.label("month"),
            cast(func.sum(c.hours), Double).label("hours"),
            amount(c.gross_sales).label("gross_sales"),
            count(c.orders).label("orders"),
            amount(c.units).label("units"),
        )
        .where(c.staff_id == staff_id, c.day <= last)
        .group_by(month)
        .order_by(month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def targets(scope: Scope, engine: Engine, staff_id: str) -> pd.DataFrame:
    """One row per month in which a person had a target in a store in scope: month (datetime64), target."""
    c = sales_target.c
    query = (
        select(c.month, amount(c.amount).label("target"))
        .where(c.staff_id == staff_id)
        .group_by(c.month)
        .order_by(c.month)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def targets_of(scope: Scope, engine: Engine, first: date) -> pd.DataFrame:
    """One row per person with a target in a store in scope in a month (its first day): store_id, staff_id, target."""
    c = sales_target.c
    query = (
        select(c.store_id, c.staff_id, amount(c.amount).label("target"))
        .where(c.month == first, c.staff_id.is_not(None))
        .group_by(c.store_id, c.staff_id)
        .order_by(c.store_id, c.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def sums(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person and store in scope with a shift or a receipt in the period: store_id, staff_id, hours,
    gross_sales."""
    c = staff_day.c
    hours = cast(func.sum(c.hours), Double).label("hours")
    query = (
        select(c.store_id, c.staff_id, hours, amount(c.gross_sales).label("gross_sales"))
        .where(within(c.day, period))
        .group_by(c.store_id, c.staff_id)
        .order_by(c.store_id, c.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def categories(scope: Scope, engine: Engine, period: Period, staff_id: str) -> pd.DataFrame:
    """One row per category that a person or the colleagues in the same stores sold in the period, by its sales.

    Columns: category (NA: the product has none), own and all (gross sales of the person, and of everybody whose
    receipts name a person, in the stores where the person sold).
    """
    o, line = sale_order.c, sale_line.c
    where_sold = scope.limit(
        select(staff_day.c.store_id).where(
            staff_day.c.staff_id == staff_id, staff_day.c.orders > 0, within(staff_day.c.day, period)
        ),
        staff_day.c.store_id,
    )
    query = (
        select(
            product.c.category,
            amount(line.net, o.staff_id == staff_id).label("own"),
            amount(line.net).label("all"),
        )
        .join_from(sale_line, sale_order, (o.order_id == line.order_id) & (o.store_id == line.store_id))
        .join(product, product.c.product_id == line.product_id, isouter=True)
        .where(
            within(line.day, period),
            within(o.day, period),
            line.exclusion.is_(None),
            o.staff_id.is_not(None),
            line.store_id.in_(where_sold),
        )
        .group_by(product.c.category)
        .order_by(amount(line.net).desc(), product.c.category)
    )
    return fetch(scope, engine, scope.limit(query, line.store_id))


def sold(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store in scope, person and category of which the person sold something there in the period: store_id,
    staff_id, category (NA: the product has none), gross_sales."""
    o, line = sale_order.c, sale_line.c
    query = (
        select(line.store_id, o.staff_id, product.c.category, amount(line.net).label("gross_sales"))
        .join_from(sale_line, sale_order, (o.order_id == line.order_id) & (o.store_id == line.store_id))
        .join(product, product.c.product_id == line.product_id, isouter=True)
        .where(within(line.day, period), within(o.day, period), line.exclusion.is_(None), o.staff_id.is_not(None))
        .group_by(line.store_id, o.staff_id, product.c.category)
        .order_by(line.store_id, o.staff_id, product.c.category)
    )
    return fetch_many(scope, engine, scope.limit(query, line.store_id))


def service(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person who answered tickets of a store in scope that were opened in the period: staff_id, store_id,
    tickets, response_hours and resolution_hours (medians, by the clock on the wall; NaN without any), first_contact
    (share of the tickets resolved and not opened again within seven days)."""
    c = ticket.c
    resolved = c.resolved_at.is_not(None) & (
        c.reopened_at.is_(None) | (c.reopened_at > c.resolved_at + timedelta(days=7))
    )
    query = (
        select(
            c.staff_id,
            c.store_id,
            cast(func.count(), BigInteger).label("tickets"),
            _median_hours(c.opened_at, c.first_response_at).label("response_hours"),
            _median_hours(c.opened_at, c.resolved_at).label("resolution_hours"),
            cast(func.avg(case((resolved, 1.0), else_=0.0)), Double).label("first_contact"),
        )
        .where(within(c.day, period), c.staff_id.is_not(None))
        .group_by(c.staff_id, c.store_id)
        .order_by(c.staff_id, c.store_id)
    )
    return fetch(scope, engine, scope.limit(query, c.store_id))


def _median_hours(begin: Column[Any], end: Column[Any]) -> ColumnElement[float]:
    return cast(func.median(func.date_diff("second", begin, end)) / 3600.0, Double)


def follow_ups(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per person of a store in scope who was to contact its customers in the period: staff_id, store_id,
    follow_ups_due and follow_ups_done (of those)."""
    c = follow_up.c
    people = scope.limit(select(staff.c.staff_id, staff.c.home_store_id), staff.c.home_store_id).subquery("people")
    own = scope.limit(select(customer.c.customer_no, customer.c.home_store_id), customer.c.home_store_id).subquery(
        "own"
    )
    query = (
        select(
            people.c.staff_id,
            people.c.home_store_id.label("store_id"),
            cast(func.count(), BigInteger).label("follow_ups_due"),
            cast(func.count(c.done_at), BigInteger).label("follow_ups_done"),
        )
        .select_from(
            follow_up.join(own, own.c.customer_no == c.customer_no).join(people, people.c.staff_id == c.staff_id)
        )
        .where(within(c.due_on, period))
        .group_by(people.c.staff_id, people.c.home_store_id)
        .order_by(people.c.staff_id)
    )
    return fetch(scope, engine, query)


def follow_ups_of(scope: Scope, engine: Engine, period: Period, staff_id: str) -> pd.DataFrame:
    """One row per contact with a customer of a store in scope that a person was to make in the period, by day: due_on
    (datetime64), rule, channel, done_at (datetime64, UTC), outcome; which customer is not told."""
    c = follow_up.c
    own = scope.limit(select(customer.c.customer_no, customer.c.home_store_id), customer.c.home_store_id).subquery(
        "own"
    )
    query = (
        select(c.due_on, c.rule, c.channel, c.done_at, c.outcome)
        .select_from(follow_up.join(own, own.c.customer_no == c.customer_no))
        .where(c.staff_id == staff_id, within(c.due_on, period))
        .order_by(c.due_on, c.follow_up_id)
    )
    return fetch(scope, engine, query)


def returns_by_month(scope: Scope, engine: Engine, staff_id: str) -> pd.DataFrame:
    """One row per month in which goods of a person's receipts came back to the store in scope that sold them: month
    (datetime64), returns."""
    month = _return_month()
    return _came_back(scope, engine, (month,), sale_order.c.staff_id == staff_id)


def returns_of_months(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The same of everybody, by store in scope and person: store_id, staff_id, month (datetime64), returns."""
    keys = (return_line.c.store_id, sale_order.c.staff_id, _return_month())
    return _came_back(scope, engine, keys, sale_order.c.staff_id.is_not(None))


def _return_month() -> ColumnElement[Any]:
    return func.date_trunc("month", return_line.c.day, type_=Date).label("month")


def _came_back(
    scope: Scope, engine: Engine, keys: tuple[ColumnElement[Any], ...], whose: ColumnElement[bool]
) -> pd.DataFrame:
    r, o = return_line.c, sale_order.c
    query: Select[Any] = (
        select(*keys, amount(r.refund).label("returns"))
        .join_from(return_line, sale_order, (o.order_id == r.order_id) & (o.store_id == r.store_id))
        .where(whose, r.exclusion.is_(None))
        .group_by(*keys)
        .order_by(*keys)
    )
    return fetch(scope, engine, scope.limit(query, r.store_id))
