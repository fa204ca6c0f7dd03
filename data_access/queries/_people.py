"""The customers behind a question about groups, as ``data_access.marts._scores`` takes them.

On the last day of the data, over all days, the refresh has added them up for the chain, each region and each store.
For another day, a window or a set of stores that is none of these, the days of each customer are added up now.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Date,
    Double,
    Engine,
    FromClause,
    Integer,
    MetaData,
    Select,
    String,
    Subquery,
    Table,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    true,
    union_all,
)

from data_access.marts import _scores as grouping
from data_access.marts._bridge import days_between
from data_access.marts._rhythm import rhythm
from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.segment_rules import ABC_A, ABC_B, Monetary
from data_access.marts.shared_day import shared_day
from data_access.marts.tables import Money, customer, customer_rank, generation_info
from data_access.queries._frame import first_row, kept, values
from data_access.queries._places import Place, place_of
from data_access.scope import NOBODY, Scope


@dataclass(frozen=True, slots=True)
class Question:
    """The customers at the end of ``as_of``, by their orders from ``window_first`` (None: of all days) up to then."""

    as_of: date
    window_first: date | None = None
    monetary: Monetary = "net_sales"
    abc_a: float = ABC_A
    abc_b: float = ABC_B


@dataclass(frozen=True, slots=True)
class Base:
    """The customers of a question as a table that ``connection`` alone sees, each with the rank of the id."""

    connection: Connection
    people: FromClause
    cuts: dict[str, Any]  # the values at which the groups part; empty where nobody bought


_MONEY = ("gross_sales", "net_sales", "costed_sales", "margin")
_RHYTHM = ("gaps", "median_gap", "gap_trend", "amount_trend")

# One table for all, so that statements on it are compiled once; each connection has its own.
_kept_here = Table(
    "segment_people",
    MetaData(),
    Column("customer_no", BigInteger),
    Column("orders_ever", Integer),
    Column("first_day", Date),
    Column("last_day", Date),
    Column("orders", Integer),
    Column("visits", Integer),
    Column("gross_sales", Money),
    Column("net_sales", Money),
    Column("costed_sales", Money),
    Column("margin", Money),
    Column("gaps", Integer),
    Column("median_gap", Double),
    Column("gap_trend", Double),
    Column("amount_trend", Double),
    Column("id_rank", Integer),
)


@contextmanager
def base(scope: Scope, engine: Engine, question: Question) -> Iterator[Base]:
    """The customers of a question, added up once for whatever is asked of them within this."""
    found = people_of(scope, engine, question)
    columns = [found.c[column.name] for column in _kept_here.c if column.name != "id_rank"]
    with_rank = select(*columns, customer_rank.c.id_rank).select_from(grouping.ranked(found, found))
    with engine.connect() as connection, kept(scope, connection, with_rank, _kept_here):
        kept_people = _as_base(select(_kept_here), question)
        parted = grouping.cuts(kept_people, question.monetary, question.abc_a, question.abc_b)
        yield Base(connection, kept_people, first_row(scope, connection, parted))


def people_of(scope: Scope, engine: Engine, question: Question) -> Subquery:
    """The customers of a question, added up by the statement that reads this."""
    place = place_of(scope, engine)
    if place is not None and covers_all_days(engine, question):
        return _as_base(_kept(place, question), question)
    bought = _bought(scope, question)
    return _as_base(union_all(select(bought), _not_yet(scope, place, bought, question)).subquery().select(), question)


def with_store(
    source: FromClause, page: FromClause, scope: Scope, question: Question
) -> tuple[ColumnElement[Any], FromClause]:
    """The store of each customer of ``page``, a few of ``people_of``, and ``source``, made of them, joined to it.

    It is the store of the last order, of several that day the last by id; the home store of somebody without one.
    """
    if "store_id" in source.c:
        return source.c.store_id, source
    c, h, some = customer_store_day.c, customer.c, select(page.c.customer_no)
    # The store follows the day, so the highest text ends with the last store of the last day.
    last = func.max(func.concat(cast(c.day, String), c.store_id)).label("last")
    of_days = select(c.customer_no, last).where(c.orders > 0, c.day <= question.as_of, c.customer_no.in_(some))
    lasts = scope.limit(of_days, c.store_id).group_by(c.customer_no).subquery("lasts")
    homes = select(h.customer_no, h.home_store_id).where(h.customer_no.in_(some)).subquery("homes")
    number = source.c.customer_no
    joined = source.join(lasts, lasts.c.customer_no == number, isouter=True)
    bought_in = func.substr(lasts.c.last, len("2026-01-31") + 1)
    store_id = case((source.c.orders_ever > 0, bought_in), else_=homes.c.home_store_id)
    return store_id, joined.join(homes, homes.c.customer_no == number, isouter=True)


def is_added_up(engine: Engine, question: Question) -> bool:
    """Whether the groups of the question are in the marts."""
    return question == Question(question.as_of) and question.as_of == last_day_of(engine)


def covers_all_days(engine: Engine, question: Question) -> bool:
    """Whether no day of the data lies outside the question."""
    return question.window_first is None and is_over(engine, question.as_of)


def place_of_all_days(scope: Scope, engine: Engine, as_of: date) -> Place | None:
    """The place of the scope, if what marts say of its days all lies before the end of ``as_of``; else None."""
    return place_of(scope, engine) if is_over(engine, as_of) else None


def is_over(engine: Engine, as_of: date) -> bool:
    """Whether no day of the data comes after ``as_of``."""
    last_day = last_day_of(engine)
    return last_day is not None and as_of >= last_day


# A published file never changes, so its last day is read once.
_LAST_DAYS: WeakKeyDictionary[Engine, date | None] = WeakKeyDictionary()


def last_day_of(engine: Engine) -> date | None:
    """The last day of the data."""
    if engine not in _LAST_DAYS:
        _LAST_DAYS[engine] = values(NOBODY, engine, select(generation_info.c.last_day))[0]
    return _LAST_DAYS[engine]


def _as_base(rows: Select[Any], question: Question) -> Subquery:
    """``rows`` with the columns that are the same for every customer of a question."""
    here = literal("asked", String)
    day = cast(literal(question.as_of, Date), Date)
    same = (here.label("level"), here.label("place_id"), day.label("as_of"))
    return rows.add_columns(*same).subquery("people")


def _kept(place: Place, question: Question) -> Select[Any]:
    c = customer_place.c
    known = or_(c.orders > 0, c.joined_on.is_(None), c.joined_on <= question.as_of)
    return select(
        c.customer_no,
        c.orders.label("orders_ever"),
        c.first_day,
        c.last_day,
        c.orders,
        c.visits,
        *(c[name] for name in (*_MONEY, *_RHYTHM)),
        c.store_id,
    ).where(place.rows(customer_place), known)


def _bought(scope: Scope, question: Question) -> CTE:
    """Every customer with an order in the stores in scope up to the day."""
    c = customer_store_day.c
    before = func.lag(c.day).over(partition_by=[c.customer_no, c.orders > 0], order_by=[c.day, c.store_id])
    rows = scope.limit(
        select(c.customer_no, c.day, c.orders, *(c[name] for name in _MONEY), before.label("before")).where(
            c.day <= question.as_of
        ),
        c.store_id,
    ).subquery("days")
    d = rows.c
    ordered = d.orders > 0
    inside: ColumnElement[bool] = true() if question.window_first is None else d.day >= question.window_first

    def counted(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.sum(value) if question.window_first is None else func.sum(case((inside, value), else_=0))

    gap = case((and_(ordered, d.before < d.day), days_between(d.before, d.day)))
    # Returns of somebody who never bought there are not of this base.
    sums = (
        select(
            d.customer_no,
            func.sum(d.orders).label("orders_ever"),
            func.min(case((ordered, d.day))).label("first_day"),
            func.max(case((ordered, d.day))).label("last_day"),
            counted(d.orders).label("orders"),
            func.count().filter(ordered, inside).label("visits"),
            *(counted(d[name]).label(name) for name in _MONEY),
            *rhythm(d.day, gap, d.orders, d.gross_sales),
        )
        .group_by(d.customer_no)
        .having(func.sum(d.orders) > 0)
        .subquery("sums")
    )
    twice = _counted_twice(scope, question)
    s = sums.c
    return (
        select(
            s.customer_no,
            cast(s.orders_ever, Integer).label("orders_ever"),
            s.first_day,
            s.last_day,
            cast(s.orders, Integer).label("orders"),
            cast(s.visits - func.coalesce(twice.c.visits, 0), Integer).label("visits"),
            *(cast(s[name], Money).label(name) for name in _MONEY),
            *(s[name] for name in _RHYTHM),
        )
        .join_from(sums, twice, twice.c.customer_no == s.customer_no, isouter=True)
        .cte("bought")
    )


def _counted_twice(scope: Scope, question: Question) -> Subquery:
    """One row per customer with days with orders in several stores in scope: the visits of which there was only one."""
    c = shared_day.c
    rows = select(c.customer_no, (func.count() - 1).label("visits")).where(c.day <= question.as_of)
    if question.window_first is not None:
        rows = rows.where(c.day >= question.window_first)
    days = scope.limit(rows, c.store_id).group_by(c.customer_no, c.day).subquery("days")
    return select(days.c.customer_no, func.sum(days.c.visits).label("visits")).group_by(days.c.customer_no).subquery()


def _not_yet(scope: Scope, place: Place | None, bought: CTE, question: Question) -> Select[Any]:
    """Everybody at home in the stores in scope by the day, without an order there up to then."""
    k, h = customer_place.c, customer.c
    by_then = or_(h.joined_on.is_(None), h.joined_on <= question.as_of)
    at_home = scope.limit(select(h.customer_no).where(by_then), h.home_store_id)
    if place is None:
        number: ColumnElement[Any] = h.customer_no
        rows = at_home.where(~exists().where(bought.c.customer_no == h.customer_no))
    else:
        # Whoever never bought there is in the mart for being at home there; whoever bought later has to be looked up.
        number = k.customer_no
        registered = or_(k.joined_on.is_(None), k.joined_on <= question.as_of)
        later = and_(k.first_day > question.as_of, k.customer_no.in_(at_home))
        rows = select(number).where(place.rows(customer_place), or_(and_(k.orders == 0, registered), later))
    zero = literal(0)
    return rows.with_only_columns(number, zero, null(), null(), *[zero] * 7, null(), null(), null())
