"""Where every customer of every place stood at the end of some days: one walk through all visits, for the batch.

Each row of ``visit`` knows what its customer was after it: sums, gaps and trends so far. On a day a customer is what
the last row by then says. So one statement serves many places and days, each day of a place being a base of its own
(``data_access.marts._scores``).
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Double,
    Engine,
    Integer,
    MetaData,
    Select,
    String,
    Subquery,
    Table,
    and_,
    case,
    cast,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)

from data_access.marts import _scores as grouping
from data_access.marts import visit as visits
from data_access.marts._bridge import days_between
from data_access.marts._rhythm import rhythm
from data_access.marts.customer_place import customer_place
from data_access.marts.place_store import CHAIN
from data_access.marts.segment_rules import ABC_A, ABC_B
from data_access.marts.tables import Money, customer, customer_rank
from data_access.marts.visit import Level, levels, numbered_places, numbered_stores, visit
from data_access.queries._frame import fetch, fetch_from, kept, ten_thousandths
from data_access.queries._groups import groups
from data_access.queries._people import Question
from data_access.queries.crossing import SCHEMES, place_in_scheme
from data_access.scope import Scope

AT_ONCE = 2_000_000  # customers of days that are judged by one statement
_DAYS = 100  # more than are asked for: a place and a day make one number
_COUNTS = ("orders", "visits")
_MONEY = ("gross_sales", "net_sales", "costed_sales", "margin")
_TRENDS = ("median_gap", "gap_trend", "amount_trend")


def _known() -> list[Column[Any]]:
    """What is known of a customer after a visit."""
    return [
        Column("first_day", Date),
        Column("last_day", Date),
        *(Column(name, Integer) for name in _COUNTS),
        *(Column(name, Money) for name in _MONEY),
        Column("gaps", Integer),
        *(Column(name, Double) for name in _TRENDS),
    ]


_KNOWN = tuple(column.name for column in _known())
_walk = Table(
    "walk",
    MetaData(),
    Column("place_no", Integer),
    Column("customer_no", BigInteger),
    Column("day", Date),
    Column("next_day", Date),  # of the customer's row that follows; null: none does
    *_known(),
)
_people = Table(
    "standing_people",
    MetaData(),
    Column("level", String),
    Column("place_id", Integer),  # the number of the place and of the day
    Column("customer_no", BigInteger),
    Column("as_of", Date),
    Column("orders_ever", Integer),
    *_known(),
    Column("id_rank", Integer),
)
_cut = Table("standing_cut", MetaData(), Column("level", String), Column("place_id", Integer), *grouping.cut_columns())


def standings(
    scope: Scope, engine: Engine, days: Sequence[date], at_once: int = AT_ONCE
) -> Iterator[tuple[str, pd.DataFrame]]:
    """One row per place, day and customer of it by then, scores with equal values sharing one; for the whole chain.

    A level and rows of all its places on some of the days, level after level, the days in their order. Columns:
    place_id (a category), day (position in ``days``), customer_no, net_sales (in ten-thousandths) and by each scheme
    the place of the group in ``crossing.GROUPS``.
    """
    if scope.kind != "chain" or len(days) >= _DAYS:
        raise ValueError(f"standings of places are those of the chain, on fewer than {_DAYS} days")
    p, c = numbered_places().c, customer_place.c
    names = fetch(scope, engine, select(p.level, p.place_id, p.place_no).order_by(p.place_no))
    sizes = fetch(scope, engine, select(c.level, func.count().label("customers")).group_by(c.level))
    many = dict(zip(sizes["level"], sizes["customers"].tolist(), strict=True))
    with engine.connect() as connection, kept(scope, connection, visits.query(), visit):
        for level in levels():
            found = names[names["level"] == level.name]
            step = max(1, at_once // max(many.get(level.name, 1), 1))
            with kept(scope, connection, _after_each_visit(level), _walk):
                for first in range(0, len(days), step):
                    chosen = dict(list(enumerate(days))[first : first + step])
                    rows = _judged(scope, connection, level, chosen)
                    code = np.searchsorted(found["place_no"], rows["place_id"] // _DAYS)
                    place = pd.Categorical.from_codes(code, pd.Index(found["place_id"]))
                    yield level.name, rows.assign(place_id=place, day=rows["place_id"] % _DAYS)


def _after_each_visit(level: Level) -> Select[Any]:
    """Of each row of ``visit`` what was known of the customer after it, at the places of a level."""
    v = visit.c
    ordered = v.orders > 0
    gap = case((level.first_of_day, days_between(level.previous_day, v.day)))
    of_customer: list[ColumnElement[Any]] = [level.place_no, v.customer_no]
    order: list[ColumnElement[Any]] = [v.day, v.store_no]

    def so_far(aggregate: Any) -> ColumnElement[Any]:
        found: ColumnElement[Any] = aggregate.over(partition_by=of_customer, order_by=order, rows=(None, 0))
        return found

    sums = {
        "orders": v.orders,
        "visits": case((level.first_of_day, 1), else_=0),
        **{name: v[name] for name in _MONEY},
    }
    return select(
        level.place_no.label("place_no"),
        v.customer_no,
        v.day,
        func.lead(v.day).over(partition_by=of_customer, order_by=order).label("next_day"),
        so_far(func.min(case((ordered, v.day)))).label("first_day"),
        so_far(func.max(case((ordered, v.day)))).label("last_day"),
        *(cast(so_far(func.sum(value)), _walk.c[name].type).label(name) for name, value in sums.items()),
        *rhythm(v.day, gap, v.orders, v.gross_sales, so_far),
    )


def _judged(scope: Scope, connection: Connection, level: Level, days: dict[int, date]) -> pd.DataFrame:
    """Everybody's groups on some days, each by the cut points of its place and day."""
    cuts = grouping.cuts(_people, "net_sales", ABC_A, ABC_B)
    with kept(scope, connection, _with_rank(level, days), _people), kept(scope, connection, cuts, _cut):
        p, cut = _people.c, _cut.c
        _, found = groups(_people, cut, Question(date.max), "keep_ties", scope, set(SCHEMES))
        query = select(
            p.place_id,
            p.customer_no,
            ten_thousandths(p.net_sales).label("net_sales"),
            *(place_in_scheme(name, found[name]).label(name) for name in SCHEMES),
        ).join_from(_people, _cut, and_(cut.level == p.level, cut.place_id == p.place_id), isouter=True)
        return fetch_from(scope, connection, query)


def _with_rank(level: Level, days: dict[int, date]) -> Select[Any]:
    """Everybody who had bought at a place of the level by a day, and who was at home there without an order."""
    asked = union_all(
        *(select(literal(at).label("at"), cast(literal(day, Date), Date).label("day")) for at, day in days.items())
    ).subquery("asked")
    d, w = asked.c, _walk.c
    bought = select(
        (w.place_no * _DAYS + d.at).label("place_id"),
        w.customer_no,
        d.day.label("as_of"),
        w.orders.label("orders_ever"),
        *(w[name] for name in _KNOWN),
    ).join_from(_walk, asked, and_(w.day <= d.day, or_(w.next_day.is_(None), w.next_day > d.day), w.orders > 0))
    rows = union_all(bought, _not_yet(level, asked)).subquery("rows")
    r = rows.c
    columns = (r[column.name] for column in _people.c if column.name not in ("level", "id_rank"))
    ranked = rows.join(customer_rank, customer_rank.c.customer_no == r.customer_no)
    return select(literal(level.name).label("level"), *columns, customer_rank.c.id_rank).select_from(ranked)


def _not_yet(level: Level, asked: Subquery) -> Select[Any]:
    d, c, k = asked.c, customer_place.c, customer.c
    places, stores = numbered_places(), numbered_stores()
    n, s = places.c, stores.c
    home_no = {CHAIN: literal(0), "region": s.region_no, "store": s.store_no}[level.name]
    zeros = (literal(0) for _ in (*_COUNTS, *_MONEY, "gaps"))
    nothing = (literal(0), null(), null(), *zeros, *(null() for _ in _TRENDS))
    by_then = or_(k.joined_on.is_(None), k.joined_on <= d.day)
    return (
        select(n.place_no * _DAYS + d.at, c.customer_no, d.day, *nothing)
        .join_from(customer_place, places, and_(n.level == c.level, n.place_id == c.place_id))
        .join(customer, k.customer_no == c.customer_no)
        .join(stores, s.store_id == k.home_store_id, isouter=True)
        .join(asked, and_(or_(c.first_day.is_(None), c.first_day > d.day), by_then))
        .where(c.level == level.name, home_no == n.place_no)
    )
