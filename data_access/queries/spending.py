"""What identified customers of the stores in scope pay for a unit, against what the range offers, and who looks after
them.

A band is a third of the list prices of a category (0, 1, 2 from below): the one in which the mean rank of what a
customer bought lies, units counted. The rank of a product is where its list price stands among those of its category,
from 0 (the lowest) to 1.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Engine,
    MetaData,
    Select,
    SmallInteger,
    String,
    Subquery,
    Table,
    and_,
    case,
    cast,
    false,
    func,
    or_,
    select,
)

from data_access.marts.customer_line import customer_line
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import Money, customer, product, sale_line, staff
from data_access.queries._frame import amount, fetch, fetch_from, kept, within, within_any
from data_access.queries._places import place_of
from data_access.queries.segments import Named
from data_access.results.tables import spending_ready, spending_unassigned
from data_access.scope import Period, Scope

# One row per customer and category with a counted line of a product with a list price in one of two years.
_bought = Table(
    "spending_bought",
    MetaData(),
    Column("customer_no", BigInteger),
    Column("category", String),
    Column("rank", Double),  # of this year; the bands are null where nothing was bought
    Column("band", SmallInteger),
    Column("band_before", SmallInteger),
    Column("lines", BigInteger),  # of this year, as what follows
    Column("discounted", BigInteger),
    Column("net_sales", Money),
)


@contextmanager
def bought(scope: Scope, engine: Engine, this: Period, before: Period, of: Named | None = None) -> Iterator[Connection]:
    """Around several queries of the same years that take what this gives: customers, all or those ``of`` a segment,
    are added up once."""
    rows = _only(_by_category(scope, this, before), customer_line.c.customer_no, scope, engine, of)
    with engine.connect() as connection, kept(scope, connection, rows, _bought):
        yield connection


def _only(rows: Select[Any], number: ColumnElement[Any], scope: Scope, engine: Engine, of: Named | None) -> Select[Any]:
    return rows if of is None else rows.where(number.in_(of.customers(scope, engine)))


def _by_category(scope: Scope, this: Period, before: Period) -> Select[Any]:
    ranks, line = _ranks(), customer_line.c
    now, earlier = within(line.day, this), within(line.day, before)
    units = cast(line.quantity, Double)

    def mean(rows: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.sum(units * ranks.c.rank).filter(rows) / func.nullif(func.sum(units).filter(rows), 0)

    rows = (
        select(
            line.customer_no,
            ranks.c.category,
            mean(now).label("rank"),
            _band(mean(now)).label("band"),
            _band(mean(earlier)).label("band_before"),
            func.count().filter(now).label("lines"),
            func.count().filter(now, line.discount > 0).label("discounted"),
            func.sum(line.net).filter(now).label("net_sales"),
        )
        .join_from(customer_line, ranks, ranks.c.product_id == line.product_id)
        .where(line.quantity > 0, within_any(line.day, [this, before]))
        .group_by(line.customer_no, ranks.c.category)
    )
    return scope.limit(rows, line.store_id)


def _ranks() -> Subquery:
    """Where the list price of each product stands among those of its category."""
    p = product.c
    rank = func.percent_rank().over(partition_by=p.category, order_by=p.list_price).label("rank")
    return select(p.product_id, p.category, rank).where(p.list_price > 0, p.category.is_not(None)).subquery("ranks")


def _band(rank: ColumnElement[Any]) -> ColumnElement[int]:
    """The third in which a rank lies. Sums in another order differ in digits that decide nothing: they are rounded."""
    third = func.floor(func.round(rank * 3, 9))
    return cast(third - case((third == 3, 1), else_=0), SmallInteger)


def bands(scope: Scope, engine: Engine, this: Period, before: Period, kept: Connection | None = None) -> pd.DataFrame:
    """One row per band of customers over all categories, weighed by the lines of ``this``.

    Columns: band, customers, lines, discounted (of these, with a discount or a coupon), net_sales (before returns).
    """
    b = _bought.c
    coupons = _coupons_only(scope, this)
    people = (
        select(
            b.customer_no,
            _band(func.sum(b.rank * b.lines) / func.sum(b.lines)).label("band"),
            func.sum(b.lines).label("lines"),
            func.sum(b.discounted).label("discounted"),
            func.sum(b.net_sales).label("net_sales"),
        )
        .where(b.band.is_not(None))
        .group_by(b.customer_no)
        .subquery("people")
    )
    p = people.c
    cheaper = func.sum(p.discounted) + func.coalesce(func.sum(coupons.c.lines), 0)
    query = (
        select(
            p.band,
            cast(func.count(), BigInteger).label("customers"),
            cast(func.sum(p.lines), BigInteger).label("lines"),
            cast(cheaper, BigInteger).label("discounted"),
            amount(p.net_sales).label("net_sales"),
        )
        .join_from(people, coupons, coupons.c.customer_no == p.customer_no, isouter=True)
        .group_by(p.band)
        .order_by(p.band)
    )
    with nullcontext(kept) if kept else bought(scope, engine, this, before) as connection:
        return fetch_from(scope, connection, query)


def _coupons_only(scope: Scope, this: Period) -> Subquery:
    """Lines of each customer with a coupon but without a discount, of which the mart of lines knows nothing."""
    ranks, line = _ranks(), sale_line.c
    rows = (
        select(line.customer_no, func.count().label("lines"))
        .join_from(sale_line, ranks, ranks.c.product_id == line.product_id)
        .where(
            line.exclusion.is_(None),
            line.customer_no.is_not(None),
            line.quantity > 0,
            line.coupon_code.is_not(None),
            func.coalesce(line.discount, 0) <= 0,
            within(line.day, this),
        )
        .group_by(line.customer_no)
    )
    return scope.limit(rows, line.store_id).subquery("coupons")


def steps(scope: Scope, engine: Engine, this: Period, before: Period, kept: Connection | None = None) -> pd.DataFrame:
    """One row per category and pair of bands, of customers who bought the category in both years.

    Columns: category, band_before, band, customers.
    """
    b = _bought.c
    by = (b.category, b.band_before, b.band)
    query = select(*by, cast(func.count(), BigInteger).label("customers")).where(*_both()).group_by(*by).order_by(*by)
    with nullcontext(kept) if kept else bought(scope, engine, this, before) as connection:
        return fetch_from(scope, connection, query)


def directions(
    scope: Scope, engine: Engine, this: Period, before: Period, kept: Connection | None = None
) -> pd.DataFrame:
    """One row per direction that occurs: 1 up, 0, -1 down, by the sum of a customer's steps over the categories.

    Columns: direction, customers (who bought a category in both years).
    """
    b = _bought.c
    sums = select(func.sum(b.band - b.band_before).label("step")).where(*_both()).group_by(b.customer_no).subquery()
    direction = cast(func.sign(sums.c.step), SmallInteger).label("direction")
    counted = cast(func.count(), BigInteger).label("customers")
    columns: tuple[ColumnElement[Any], ...] = (direction, counted)
    query = select(*columns).group_by(direction).order_by(direction)
    with nullcontext(kept) if kept else bought(scope, engine, this, before) as connection:
        return fetch_from(scope, connection, query)


def ready(
    scope: Scope,
    engine: Engine,
    this: Period,
    before: Period,
    limit: int = 50,
    kept: Connection | None = None,
) -> pd.DataFrame:
    """Customers who went up in a category and buy another one in a lower band, highest gross sales first.

    Columns: customer_no, category and band (the highest they went up to), ready_category and ready_band (the lowest
    they buy), gross_sales (of ``this``).
    """
    b = _bought.c
    up = and_(*_both(), b.band > b.band_before)
    highest, lowest = func.row(-b.band, b.category), func.row(b.band, b.category)
    people = (
        select(
            b.customer_no,
            func.arg_min(b.category, highest).filter(up).label("category"),
            func.max(b.band).filter(up).label("band"),
            func.arg_min(b.category, lowest).label("ready_category"),
            func.min(b.band).label("ready_band"),
            func.round(amount(b.net_sales), 2).label("gross_sales"),
        )
        .where(b.band.is_not(None))
        .group_by(b.customer_no)
        .subquery("people")
    )
    p = people.c
    query = select(*p).where(p.ready_band < p.band).order_by(p.gross_sales.desc(), p.customer_no).limit(limit)
    with nullcontext(kept) if kept else bought(scope, engine, this, before) as connection:
        return fetch_from(scope, connection, query)


def _both() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Bought in both years."""
    return _bought.c.band.is_not(None), _bought.c.band_before.is_not(None)


def kept_ready(scope: Scope, engine: Engine, limit: int) -> pd.DataFrame:
    """The list of ``ready`` as the job ``presets`` found it; ``engine``: of the results.

    Columns: customer_key, store_id, store, category, band, ready_category, ready_band, gross_sales.
    """
    return _kept_list(scope, engine, spending_ready, limit)


def kept_unassigned(scope: Scope, engine: Engine, limit: int) -> pd.DataFrame:
    """The list of ``unassigned`` as the job ``presets`` found it; ``engine``: of the results.

    Columns: customer_key, store_id, store, has_left, orders, net_sales, last_day.
    """
    return _kept_list(scope, engine, spending_unassigned, limit)


def _kept_list(scope: Scope, engine: Engine, table: Table, limit: int) -> pd.DataFrame:
    place = place_of(scope, engine)
    columns = [column for name, column in table.c.items() if name not in ("level", "place_id", "position")]
    query = select(*columns).order_by(table.c.position).limit(limit)
    return fetch(scope, engine, query.where(false() if place is None else place.rows(table)))


def advisers(scope: Scope, engine: Engine, period: Period, of: Named | None = None) -> pd.DataFrame:
    """One row per home store in scope and adviser who looks after customers (``of`` a segment) there; '' for those
    without one.

    Columns: store_id, staff_id, has_left (True: does not work for the chain any more), customers, buyers (with an order
    in ``period`` in the stores in scope), net_sales (in ``period``).
    """
    c, sums = customer.c, _sums(scope, period)
    left = _left(scope)
    query = (
        select(
            c.home_store_id.label("store_id"),
            func.coalesce(c.owner_staff_id, "").label("staff_id"),
            func.bool_or(left.c.staff_id.is_not(None)).label("has_left"),
            cast(func.count(), BigInteger).label("customers"),
            cast(func.count().filter(sums.c.orders > 0), BigInteger).label("buyers"),
            amount(sums.c.net_sales).label("net_sales"),
        )
        .join_from(customer, sums, sums.c.customer_no == c.customer_no, isouter=True)
        .join(left, left.c.staff_id == c.owner_staff_id, isouter=True)
        .where(c.home_store_id.is_not(None))
        .group_by(c.home_store_id, c.owner_staff_id)
        .order_by(c.home_store_id, c.owner_staff_id)
    )
    return fetch(scope, engine, _only(scope.limit(query, c.home_store_id), c.customer_no, scope, engine, of))


def unassigned(scope: Scope, engine: Engine, period: Period, limit: int = 50, of: Named | None = None) -> pd.DataFrame:
    """Customers at home in scope (the chain: or nowhere) whom nobody looks after, or somebody who has left, best first;
    all, or those ``of`` a segment.

    Columns: customer_no, store_id (home), has_left (the adviser), orders, net_sales and last_day (of orders), all of
    ``period`` and the stores in scope. Only customers with an order in it.
    """
    c, sums = customer.c, _sums(scope, period)
    left = _left(scope)
    query = (
        select(
            c.customer_no,
            c.home_store_id.label("store_id"),
            left.c.staff_id.is_not(None).label("has_left"),
            sums.c.orders,
            cast(sums.c.net_sales, Double).label("net_sales"),
            sums.c.last_day,
        )
        .join_from(customer, sums, sums.c.customer_no == c.customer_no)
        .join(left, left.c.staff_id == c.owner_staff_id, isouter=True)
        .where(sums.c.orders > 0, or_(c.owner_staff_id.is_(None), left.c.staff_id.is_not(None)))
        .order_by(sums.c.net_sales.desc(), c.customer_no)
        .limit(limit)
    )
    return fetch(scope, engine, _only(scope.limit(query, c.home_store_id), c.customer_no, scope, engine, of))


def _left(scope: Scope) -> Any:
    """The advisers of the stores in scope who have left."""
    return scope.limit(select(staff.c.staff_id).where(staff.c.left_on.is_not(None)), staff.c.home_store_id).subquery(
        "gone"
    )


def _sums(scope: Scope, period: Period) -> Any:
    """Orders, net sales and the last day with an order of each customer in ``period``."""
    c = customer_store_day.c
    rows: Select[Any] = select(
        c.customer_no,
        cast(func.sum(c.orders), BigInteger).label("orders"),
        func.sum(c.net_sales).label("net_sales"),
        func.max(case((c.orders > 0, c.day))).label("last_day"),
    ).where(within(c.day, period))
    return scope.limit(rows, c.store_id).group_by(c.customer_no).subquery("sums")
