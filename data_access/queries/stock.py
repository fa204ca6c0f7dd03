"""Stock of the stores in scope: what there is to sell (on_hand - reserved + on_order = available, in units), how it
came and went, when it expires, and on what terms it is filled up."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Date,
    Double,
    Engine,
    Integer,
    Select,
    Subquery,
    Table,
    and_,
    case,
    cast,
    func,
    select,
)

from data_access.marts.product_store_day import product_store_day
from data_access.marts.stock_position import stock_position
from data_access.marts.tables import (
    product,
    purchase_line,
    stock_level,
    stock_lot,
    stock_movement,
    supplier,
    supply_term,
    transfer_lane,
)
from data_access.queries._frame import amount, count, fetch, fetch_many, within
from data_access.results.tables import stock_class, stock_lot_left, stock_shelf, stock_transfer
from data_access.scope import Period, Scope


@dataclass(frozen=True, slots=True)
class Listed:
    """Which shelves belong to a list, and its order: those with a ``column`` above 0, or one of ``words`` in it."""

    column: str
    order: tuple[str, ...]
    falling: tuple[str, ...]  # of ``order``: the highest first
    words: tuple[str, ...] = ()

    def rows(self, every: pd.DataFrame) -> pd.DataFrame:
        """Those of ``every``, in order."""
        has = every[self.column].isin(self.words) if self.words else every[self.column] > 0
        return every[has].sort_values(list(self.order), ascending=[name not in self.falling for name in self.order])


def positions(scope: Scope, engine: Engine, products: Collection[str] | None = None) -> pd.DataFrame:
    """One row per store in scope and product (of ``products`` or all) that was counted or is on order.

    Columns: store_id, product_id (both categories), on_hand, reserved, on_order (still to come from suppliers),
    available, next_promised_on (earliest promised day of what is on order), counted_at (store-local; NaT when never).
    """
    query = select(stock_position).order_by(stock_position.c.store_id, stock_position.c.product_id)
    if products is not None:
        query = query.where(stock_position.c.product_id.in_(sorted(products)))
    mine = scope.limit(query, stock_position.c.store_id)
    return fetch_many(scope, engine, mine, categories=["store_id", "product_id"])


def by_product(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product with a position in a store in scope, by product_id.

    Columns: product_id, on_hand, reserved, on_order, available, stores (with a position), stores_without (of these,
    with nothing on hand that is not reserved).
    """
    p = stock_position.c
    query = (
        select(
            p.product_id,
            *(count(column).label(column.name) for column in (p.on_hand, p.reserved, p.on_order, p.available)),
            func.count().label("stores"),
            func.count().filter(p.on_hand <= p.reserved).label("stores_without"),
        )
        .group_by(p.product_id)
        .order_by(p.product_id)
    )
    return fetch(scope, engine, scope.limit(query, p.store_id))


def sold_by_day(scope: Scope, engine: Engine, first_day: date, products: Collection[str] | None = None) -> pd.DataFrame:
    """One row per store in scope, product (of ``products`` or all) and day from ``first_day`` on with units sold.

    Columns: store_id, product_id (both categories), day, units, net_sales.
    """
    s = product_store_day.c
    query = select(
        s.store_id,
        s.product_id,
        s.day,
        cast(s.units, Double).label("units"),
        cast(s.net_sales, Double).label("net_sales"),
    ).where(s.day >= first_day)
    if products is not None:
        query = query.where(s.product_id.in_(sorted(products)))
    ordered = query.order_by(s.store_id, s.day, s.product_id)
    return fetch_many(scope, engine, scope.limit(ordered, s.store_id), categories=["store_id", "product_id"])


def sold(scope: Scope, engine: Engine, year: Period, lately: date, products: Collection[str]) -> pd.DataFrame:
    """One row per store in scope and product of ``products`` with sales or refunds in ``year``.

    Columns: store_id, product_id, sold_year (units), net_sales_year, sold_lately (units from the day ``lately`` on).
    """
    s = product_store_day.c
    query = (
        select(
            s.store_id,
            s.product_id,
            amount(s.units).label("sold_year"),
            amount(s.net_sales).label("net_sales_year"),
            amount(s.units, s.day >= lately).label("sold_lately"),
        )
        .where(within(s.day, year), s.product_id.in_(sorted(products)))
        .group_by(s.store_id, s.product_id)
        .order_by(s.store_id, s.product_id)
    )
    return fetch_many(scope, engine, scope.limit(query, s.store_id))


def lots(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per lot with units in a store in scope.

    Columns: store_id, product_id, lot_id, expires_on (NaT: unknown), quantity.
    """
    lot = stock_lot.c
    query = select(stock_lot).where(lot.quantity > 0).order_by(lot.store_id, lot.product_id, lot.expires_on, lot.lot_id)
    return fetch(scope, engine, scope.limit(query, lot.store_id))


def goods(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per product with a position in a store in scope.

    Columns: product_id, product, category, cost, list_price (NaN: unknown), shelf_life_days.
    """
    p = product.c
    query = select(
        p.product_id,
        p.name.label("product"),
        p.category,
        cast(p.cost, Double).label("cost"),
        cast(p.list_price, Double).label("list_price"),
        p.shelf_life_days,
    )
    return fetch(scope, engine, query.where(p.product_id.in_(_positioned(scope))).order_by(p.product_id))


def _positioned(scope: Scope) -> Select[Any]:
    return scope.limit(select(stock_position.c.product_id), stock_position.c.store_id)


def terms(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per supplier and product with a position in a store in scope, as agreed.

    Columns: product_id, supplier_id, supplier, lead_time_days, order_multiple, minimum_quantity.
    """
    t, s = supply_term.c, supplier.c
    query = select(
        t.product_id, t.supplier_id, s.name.label("supplier"), t.lead_time_days, t.order_multiple, t.minimum_quantity
    ).select_from(supply_term.outerjoin(supplier, s.supplier_id == t.supplier_id))
    mine = query.where(t.product_id.in_(_positioned(scope)))
    return fetch(scope, engine, mine.order_by(t.product_id, t.lead_time_days, t.supplier_id))


def lead_times(scope: Scope, engine: Engine, since: date) -> pd.DataFrame:
    """One row per supplier with lines ordered from ``since`` on by stores in scope and received in full.

    Columns: supplier_id, lines, mean_days and sd_days from order to last receipt (NaN: one line).
    """
    p = purchase_line.c
    took = func.date_diff("day", p.ordered_on, p.last_received_on, type_=Double)
    query = (
        select(
            p.supplier_id,
            func.count().label("lines"),
            func.avg(took).label("mean_days"),
            func.stddev_samp(took).label("sd_days"),
        )
        .where(
            p.ordered_on >= since, p.received >= p.quantity, p.supplier_id.is_not(None), p.last_received_on.is_not(None)
        )
        .group_by(p.supplier_id)
        .order_by(p.supplier_id)
    )
    return fetch(scope, engine, scope.limit(query, p.store_id))


def empty_spells(
    scope: Scope, engine: Engine, first: date, last: date, products: Collection[str] | None = None
) -> pd.DataFrame:
    """Runs of days on which a shelf was empty from morning to evening, by store in scope and product (all unless told).

    By the history of movements: after a day that ends with nothing, until the day of the next movement; that day too
    when it begins and ends with nothing (a return that was thrown away), with a row of its own. Columns: store_id,
    product_id, begins, ends (both included, within ``first`` and ``last``).
    """
    level = _levels(scope, products)
    after = case((level.c.opening <= 0, level.c.day), else_=level.c.day + 1)
    begins = func.greatest(after, first, type_=Date)
    ends = func.least(func.coalesce(level.c.next_day - 1, last), last, type_=Date)
    query = (
        select(level.c.store_id, level.c.product_id, begins.label("begins"), ends.label("ends"))
        .where(level.c.closing <= 0, begins <= ends)
        .order_by(level.c.store_id, level.c.product_id, level.c.day)
    )
    return fetch(scope, engine, query)


def unit_days(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per store in scope and product: store_id, product_id and unit_days, the closing stock of the days from
    ``first`` to ``last`` added up, by the history of movements."""
    level = _levels(scope)
    begins = func.greatest(level.c.day, first, type_=Date)
    ends = func.least(func.coalesce(level.c.next_day - 1, last), last, type_=Date)
    days = func.greatest(func.date_diff("day", begins, ends, type_=Integer) + 1, 0, type_=Integer)
    query = select(
        level.c.store_id,
        level.c.product_id,
        cast(func.sum(func.greatest(level.c.closing, 0, type_=Integer) * days), Double).label("unit_days"),
    ).group_by(level.c.store_id, level.c.product_id)
    return fetch(scope, engine, query)


def _levels(scope: Scope, products: Collection[str] | None = None) -> Subquery:
    """One row per store, product and day with a movement: opening and closing (units at its begin and end; opening is
    null on the first) and the day of the next one."""
    m = stock_movement.c
    moved = scope.limit(select(m.store_id, m.product_id, m.day, func.sum(m.quantity).label("moved")), m.store_id)
    if products is not None:
        moved = moved.where(m.product_id.in_(sorted(products)))
    day = moved.group_by(m.store_id, m.product_id, m.day).subquery("moved")
    by_day: dict[str, Any] = {"partition_by": (day.c.store_id, day.c.product_id), "order_by": day.c.day}
    closing = func.sum(day.c.moved).over(**by_day)
    return select(
        day.c.store_id,
        day.c.product_id,
        day.c.day,
        cast(closing, Integer).label("closing"),
        cast(case((func.row_number().over(**by_day) > 1, closing - day.c.moved)), Integer).label("opening"),
        func.lead(day.c.day, type_=Date).over(**by_day).label("next_day"),
    ).subquery("level")


def flows(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per store in scope and product with a movement from ``first`` to ``last``.

    Columns: store_id, product_id, received (deliveries and transfers in), sold, returned, written_off, moved (all
    movements together), in units.
    """
    m = stock_movement.c
    query = (
        select(
            m.store_id,
            m.product_id,
            count(m.quantity, m.kind.in_(("receipt", "transfer_in", "opening"))).label("received"),
            count(-m.quantity, m.kind == "sale").label("sold"),
            count(m.quantity, m.kind == "return").label("returned"),
            count(-m.quantity, m.kind == "write_off").label("written_off"),
            count(m.quantity).label("moved"),
        )
        .where(m.day >= first, m.day <= last)
        .group_by(m.store_id, m.product_id)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def ages(scope: Scope, engine: Engine, as_of: date) -> pd.DataFrame:
    """Units on hand by how long they have been there, the last to come being the last to go.

    Columns: store_id, product_id, came_on (day of the delivery they are from), days, units.
    """
    m, s = stock_movement.c, stock_level.c
    came = (
        scope.limit(select(m.store_id, m.product_id, m.day, func.sum(m.quantity).label("came")), m.store_id)
        .where(m.kind.in_(("receipt", "transfer_in", "opening", "return")))
        .group_by(m.store_id, m.product_id, m.day)
        .subquery("came")
    )
    by_newest: dict[str, Any] = {"partition_by": (came.c.store_id, came.c.product_id), "order_by": came.c.day.desc()}
    running = select(
        came.c.store_id,
        came.c.product_id,
        came.c.day,
        came.c.came,
        func.sum(came.c.came).over(**by_newest).label("so_far"),
    ).subquery("running")
    newer = running.c.so_far - running.c.came
    left = func.least(s.on_hand - newer, running.c.came)
    query = (
        select(
            running.c.store_id,
            running.c.product_id,
            running.c.day.label("came_on"),
            func.date_diff("day", running.c.day, as_of, type_=Integer).label("days"),
            cast(left, Double).label("units"),
        )
        .select_from(
            running.join(stock_level, and_(s.store_id == running.c.store_id, s.product_id == running.c.product_id))
        )
        .where(s.on_hand > newer)
        .order_by(running.c.store_id, running.c.product_id, running.c.day)
    )
    return fetch(scope, engine, scope.limit(query, s.store_id))


def ledger_exceptions(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per store in scope and product whose movements do not add up to what was counted, the widest gap first.

    Columns: store_id, product_id, moved (opening + in - out), on_hand (as counted), difference (on_hand - moved).
    Nothing where the CRM holds no movements at all of the pair.
    """
    m, s = stock_movement.c, stock_level.c
    sums = (
        scope.limit(select(m.store_id, m.product_id, count(m.quantity).label("moved")), m.store_id)
        .group_by(m.store_id, m.product_id)
        .subquery("sums")
    )
    difference = (s.on_hand - sums.c.moved).label("difference")
    query = (
        select(s.store_id, s.product_id, sums.c.moved, s.on_hand, difference)
        .select_from(stock_level.join(sums, and_(sums.c.store_id == s.store_id, sums.c.product_id == s.product_id)))
        .where(s.on_hand != sums.c.moved)
        .order_by(func.abs(s.on_hand - sums.c.moved).desc(), s.store_id, s.product_id)
    )
    return fetch(scope, engine, scope.limit(query, s.store_id))


def lanes(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per way to move goods between two stores in scope: from_store, to_store, cost, days, minimum_quantity."""
    lane = transfer_lane.c
    query = select(
        lane.from_store_id.label("from_store"),
        lane.to_store_id.label("to_store"),
        cast(func.coalesce(lane.cost, 0), Double).label("cost"),
        cast(func.coalesce(lane.days, 1), Double).label("days"),
        cast(func.coalesce(lane.minimum_quantity, 1), Double).label("minimum_quantity"),
    ).order_by(lane.from_store_id, lane.to_store_id)
    return fetch(scope, engine, scope.limit(scope.limit(query, lane.from_store_id), lane.to_store_id))


def kept_shelves(
    scope: Scope,
    engine: Engine,
    category: str | None = None,
    columns: Sequence[str] = (),
    listed: Listed | None = None,
    most: int | None = None,
    product_id: str | None = None,
) -> pd.DataFrame:
    """The shelves of the stores in scope, kept by the batch: all, or those of one category or product, of one list, so
    many of them, and with these ``columns``. Columns as ``stock_shelf``, all of them unless told. ``engine``: of the
    results.
    """
    s = stock_shelf.c
    query = select(*(s[name] for name in columns)) if columns else select(stock_shelf)
    if category is not None:
        query = query.where(s.category == category)
    if product_id is not None:
        query = query.where(s.product_id == product_id)
    if listed is not None:
        has = s[listed.column]
        query = query.where(has.in_(listed.words) if listed.words else has > 0)
        query = query.order_by(
            *((s[name].desc() if name in listed.falling else s[name]).nulls_last() for name in listed.order)
        )
    mine = scope.limit(query, s.store_id)
    return fetch_many(scope, engine, mine) if most is None else fetch(scope, engine, mine.limit(most))


def kept_sums(
    scope: Scope, engine: Engine, by: Sequence[str], sums: Sequence[str], urgent: Sequence[str], category: str | None
) -> pd.DataFrame:
    """The ``sums`` of kept shelves (of one category or all) by the columns ``by``, in their order, with warnings: how
    many shelves have one of the reasons ``urgent``. ``engine``: of the results.

    Of these sums unsold_value is that of expiring units at cost, free_units what is on hand and not reserved.
    """
    s = stock_shelf.c
    known: dict[str, ColumnElement[Any]] = {
        "unsold_value": s.expiring_units * s.unit_cost,
        "free_units": func.greatest(s.on_hand - s.reserved, 0),
    }
    query = (
        select(
            *(s[name] for name in by),
            *(func.coalesce(func.sum(known.get(name, s.get(name))), 0.0).label(name) for name in sums),
            func.count().filter(s.reason.in_(urgent)).label("warnings"),
        )
        .group_by(*(s[name] for name in by))
        .order_by(*(s[name].nulls_last() for name in by))
    )
    if category is not None:
        query = query.where(s.category == category)
    return fetch(scope, engine, scope.limit(query, s.store_id))


def kept_lots(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The lots that expire soon as the batch left them. ``engine``: of the results. Columns: ``stock_lot_left``."""
    return _kept(scope, engine, stock_lot_left)


def kept_transfers(scope: Scope, engine: Engine) -> pd.DataFrame:
    """The transfers to stores in scope, of the chain's plan. Columns as ``stock_transfer``. ``engine``: of results."""
    return _kept(scope, engine, stock_transfer)


def kept_classes(scope: Scope, engine: Engine) -> pd.DataFrame:
    """How safety was calibrated, chain-wide. ``engine``: of the results. Columns: ``stock_class``."""
    return fetch(scope, engine, select(stock_class).order_by(stock_class.c.item_class))


def _kept(scope: Scope, engine: Engine, table: Table) -> pd.DataFrame:
    return fetch(scope, engine, scope.limit(select(table), table.c.store_id))
