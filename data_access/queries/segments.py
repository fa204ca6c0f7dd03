"""Groups of customers at the grain of the scope: scores, named segments, classes, quadrants and stages of life.

All days by net sales, on the last day of the data, of the chain, a region or a store is what the refresh has added up
(``data_access.marts.segment_cell``). Any other question is answered by the same expressions over the customers as the
days in question make them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Double,
    Engine,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    case,
    cast,
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
from data_access.marts.customer_cut import customer_cut
from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.segment_cell import segment_cell
from data_access.marts.segment_rules import ABC_A, ABC_B, GRID, PROSPECT, Monetary, TieRule
from data_access.marts.shared_day import shared_day
from data_access.marts.spend_curve import POINTS, spend_curve
from data_access.marts.tables import customer, generation_info
from data_access.queries._frame import customer_key, fetch, ten_thousandths
from data_access.queries._places import Place, place_of
from data_access.scope import Scope

CUTS = tuple(column.name for column in grouping.cut_columns())


@dataclass(frozen=True, slots=True)
class Question:
    """The customers at the end of ``as_of``, by their orders from ``window_first`` (None: of all days) up to then."""

    as_of: date
    window_first: date | None = None
    monetary: Monetary = "net_sales"
    abc_a: float = ABC_A
    abc_b: float = ABC_B


@dataclass(frozen=True, slots=True)
class Choice:
    """Part of the customers: those whose ``column`` says ``value``; a cell of the grid is 'r-fm', such as '5-4'."""

    column: Literal["segment", "cell", "abc", "quadrant", "stage"]
    value: str


def cells(scope: Scope, engine: Engine, question: Question) -> pd.DataFrame:
    """One row per tie rule and combination of groups that occurs; everybody is in one row of each tie rule.

    Columns: tie_rule, r, f, m (NA without an order), segment (NA: all orders lie before the window), abc, quadrant
    (NA without an order), stage, customers, visits, orders, in ten-thousandths gross_sales and net_sales; and, the
    same in every row, the values at which the groups part, NaN where there are none (marts.customer_cut): the
    quintiles r_cut_1 r_cut_2 r_cut_3 r_cut_4 f_cut_1 f_cut_2 f_cut_3 f_cut_4 m_cut_1 m_cut_2 m_cut_3 m_cut_4, the
    medians visits_median net_sales_median, and of the last customer of each equal group and class value and id_rank:
    r_last_1 r_last_2 r_last_3 r_last_4 r_rank_1 r_rank_2 r_rank_3 r_rank_4
    f_last_1 f_last_2 f_last_3 f_last_4 f_rank_1 f_rank_2 f_rank_3 f_rank_4
    m_last_1 m_last_2 m_last_3 m_last_4 m_rank_1 m_rank_2 m_rank_3 m_rank_4 a_value a_rank b_value b_rank.
    """
    place = place_of(scope, engine)
    if place is not None and _is_added_up(engine, question):
        c, k = segment_cell.c, customer_cut.c
        here = and_(k.level == c.level, k.place_id == c.place_id)
        rows = select(segment_cell, *(k[name] for name in CUTS)).join_from(
            segment_cell, customer_cut, here, isouter=True
        )
        return fetch(engine, _as_numbers(rows.where(place.rows(segment_cell))))
    people = _people(scope, engine, place, question).cte("people")
    cut = grouping.cuts(people, question.monetary, question.abc_a, question.abc_b).cte("cut")
    found = grouping.cells(people, cut.c, people.outerjoin(cut, true()), question.monetary).subquery("found")
    return fetch(
        engine, _as_numbers(select(found, *(cut.c[name] for name in CUTS)).join_from(found, cut, true(), isouter=True))
    )


def _as_numbers(rows: Select[Any]) -> Select[Any]:
    """The documented columns of ``rows``."""
    r = rows.subquery("rows").c
    counts = [cast(r[name], BigInteger).label(name) for name in ("customers", "visits", "orders")]
    money = [ten_thousandths(r[name]).label(name) for name in ("gross_sales", "net_sales")]
    groups = [r[name] for name in ("tie_rule", "r", "f", "m", "segment", "abc", "quadrant", "stage")]
    return select(*groups, *counts, *money, *(r[name] for name in CUTS)).order_by(*groups)


def curve(scope: Scope, engine: Engine, question: Question) -> pd.DataFrame:
    """How concentrated net sales are: some 120 rows at most, the best customers first.

    Columns: customers (so many of the best, of those with net sales above 0), net_sales (of these together).
    """
    place = place_of(scope, engine)
    if place is not None and _covers_all_days(engine, question):
        c = spend_curve.c
        points: Select[Any] = select(c.customers, c.net_sales).where(place.rows(spend_curve))
    else:
        people = _people(scope, engine, place, question).cte("people")
        points = grouping.spend_curve(people, POINTS)
    p = points.subquery("points").c
    query = select(cast(p.customers, BigInteger).label("customers"), cast(p.net_sales, Double).label("net_sales"))
    return fetch(engine, query.order_by(p.customers))


def members(
    scope: Scope,
    engine: Engine,
    question: Question,
    cuts: Mapping[str, Any],
    tie_rule: TieRule = "keep_ties",
    choice: Choice | None = None,
    offset: int = 0,
    limit: int = 50,
) -> pd.DataFrame:
    """One row per customer of a page of the list, highest net sales first; ``cuts`` as in a row of ``cells``.

    Columns: customer_key (pseudonym), store_id (of the last order; home store of somebody without one), segment, r, f
    and m under ``tie_rule``, recency_days (days since the last order), orders, visits (days with an order), net_sales,
    gross_sales, last_day (of the last order), abc, quadrant, stage; of somebody without an order (in the window)
    scores and quadrant are NA, without any also recency_days and last_day.
    """
    people = _people(scope, engine, place_of(scope, engine), question, with_store=True).subquery("people")
    p, cut = people.c, _literals(cuts)
    chosen: ColumnElement[bool] = true()
    source: FromClause = people
    if choice is not None:
        chosen = _chosen(people, cut, question.monetary, tie_rule, choice)
        if choice.column == "abc" or (choice.column in ("segment", "cell") and tie_rule == "equal_size"):
            source = grouping.ranked(people, people)
    order = (p.net_sales.desc(), p.customer_no)
    page = select(people).select_from(source).where(chosen).order_by(*order).offset(offset).limit(limit)
    one = page.subquery("page")
    o = one.c
    score = grouping.scores(one, cut, question.monetary, tie_rule)
    grouped = (
        select(
            *o,
            *(case((o.orders > 0, cast(value, Integer))).label(letter) for letter, value in score.items()),
            grouping.abc_class(one, cut).label("abc"),
            grouping.quadrant(one, cut).label("quadrant"),
            grouping.stage(one).label("stage"),
        )
        .select_from(grouping.ranked(one, one))
        .subquery("grouped")
    )
    g = grouped.c
    query = select(
        customer_key(g.customer_no).label("customer_key"),
        g.store_id,
        grouping.segment(g.r, g.f, g.m, g.orders_ever).label("segment"),
        g.r,
        g.f,
        g.m,
        case((g.orders_ever > 0, days_between(g.last_day, g.as_of))).label("recency_days"),
        *(cast(g[name], BigInteger).label(name) for name in ("orders", "visits")),
        *(cast(g[name], Double).label(name) for name in ("net_sales", "gross_sales")),
        g.last_day,
        g.abc,
        g.quadrant,
        g.stage,
    ).order_by(g.net_sales.desc(), g.customer_no)
    return fetch(engine, query)


def _literals(cuts: Mapping[str, Any]) -> grouping.Cuts:
    """Cuts as values of a statement; null where a place has none."""
    columns = {column.name: column for column in grouping.cut_columns()}
    return {name: literal(None if pd.isna(cuts[name]) else cuts[name], columns[name].type) for name in CUTS}


def _chosen(
    people: FromClause, cut: grouping.Cuts, monetary: Monetary, tie_rule: TieRule, choice: Choice
) -> ColumnElement[bool]:
    """Whether a customer belongs to the choice."""
    p = people.c
    match choice.column:
        case "abc":
            return grouping.abc_class(people, cut) == choice.value
        case "quadrant":
            return grouping.quadrant(people, cut) == choice.value
        case "stage":
            return grouping.stage(people) == choice.value
        case "segment" if choice.value == PROSPECT:
            return p.orders_ever == 0
    pairs = [
        10 * r + fm
        for r, names in GRID.items()
        for fm, name in enumerate(names, start=1)
        if choice.value in (name, f"{r}-{fm}")
    ]
    r, f, m = grouping.scores(people, cut, monetary, tie_rule).values()
    return and_(p.orders > 0, (r * 10 + grouping.fm_score(f, m)).in_(pairs))


# --- the customers of a question ------------------------------------------------------------------


def _last_day(engine: Engine) -> date | None:
    with engine.connect() as connection:
        found: date | None = connection.scalar(select(generation_info.c.last_day))
    return found


def _covers_all_days(engine: Engine, question: Question) -> bool:
    """Whether no day of the data lies outside the question."""
    last_day = _last_day(engine)
    return question.window_first is None and last_day is not None and question.as_of >= last_day


def _is_added_up(engine: Engine, question: Question) -> bool:
    return question == Question(question.as_of) and question.as_of == _last_day(engine)


def _people(
    scope: Scope, engine: Engine, place: Place | None, question: Question, *, with_store: bool = False
) -> Select[Any]:
    """The base of the scope as ``data_access.marts._scores`` takes it; with the last store as store_id if asked for."""
    if place is not None and _covers_all_days(engine, question):
        return _kept_people(place, question)
    return _live_people(scope, question, with_store)


def _kept_people(place: Place, question: Question) -> Select[Any]:
    c = customer_place.c
    known = or_(c.orders > 0, c.joined_on.is_(None), c.joined_on <= question.as_of)
    return select(
        c.level,
        c.place_id,
        c.customer_no,
        c.orders.label("orders_ever"),
        c.first_day,
        c.last_day,
        c.orders,
        c.visits,
        c.gross_sales,
        c.net_sales,
        literal(question.as_of, Date).label("as_of"),
        c.store_id,
    ).where(place.rows(customer_place), known)


def _live_people(scope: Scope, question: Question, with_store: bool) -> Select[Any]:
    """Every customer with an order in the stores in scope up to the day, and who was at home there by then."""
    c, h = customer_store_day.c, customer.c
    ordered = c.orders > 0
    inside: ColumnElement[bool] = true() if question.window_first is None else c.day >= question.window_first

    def counted(value: ColumnElement[Any]) -> ColumnElement[Any]:
        return value if question.window_first is None else case((inside, value), else_=0)

    # The store follows the day, so the highest text ends with the last store of the last day.
    last = case((ordered, func.concat(cast(c.day, String), c.store_id))) if with_store else null()
    days = scope.limit(
        select(
            c.customer_no,
            case((ordered, c.day)).label("day"),
            c.orders.label("orders_ever"),
            counted(c.orders).label("orders"),
            counted(case((ordered, 1), else_=0)).label("visits"),
            counted(c.gross_sales).label("gross_sales"),
            counted(c.net_sales).label("net_sales"),
            last.label("last"),
            null().label("home_store_id"),
            literal(0).label("registered"),
        ).where(c.day <= question.as_of),
        c.store_id,
    )
    registered = scope.limit(
        select(h.customer_no, null(), *[literal(0)] * 5, null(), h.home_store_id, literal(1)).where(
            or_(h.joined_on.is_(None), h.joined_on <= question.as_of)
        ),
        h.home_store_id,
    )
    twice = _counted_twice(scope, question)
    both = union_all(days, twice, registered).subquery("both")
    b = both.c
    ever = func.sum(b.orders_ever)
    sums = (
        select(
            b.customer_no,
            ever.label("orders_ever"),
            func.min(b.day).label("first_day"),
            func.max(b.day).label("last_day"),
            *(func.sum(b[name]).label(name) for name in ("orders", "visits", "gross_sales", "net_sales")),
            func.max(b.last).label("last"),
            func.max(b.home_store_id).label("home_store_id"),
        )
        .group_by(b.customer_no)
        .having(or_(ever > 0, func.max(b.registered) == 1))
        .subquery("sums")
    )
    s = sums.c
    bought = s.orders_ever > 0
    return select(
        literal("live").label("level"),
        literal("live").label("place_id"),
        s.customer_no,
        cast(s.orders_ever, Integer).label("orders_ever"),
        s.first_day,
        s.last_day,
        cast(s.orders, Integer).label("orders"),
        cast(s.visits, Integer).label("visits"),
        s.gross_sales,
        # Returns of somebody who never bought there are not of this base.
        case((bought, s.net_sales), else_=0).label("net_sales"),
        literal(question.as_of, Date).label("as_of"),
        case((bought, func.substr(s.last, len("2026-01-31") + 1)), else_=s.home_store_id).label("store_id"),
    )


def _counted_twice(scope: Scope, question: Question) -> Select[Any]:
    """One row per customer and day with orders in several stores in scope: the visits of which there was only one."""
    c = shared_day.c
    rows = select(c.customer_no, (1 - func.count()).label("visits")).where(c.day <= question.as_of)
    if question.window_first is not None:
        rows = rows.where(c.day >= question.window_first)
    twice = scope.limit(rows, c.store_id).group_by(c.customer_no, c.day).subquery("twice")
    t = twice.c
    zero = literal(0)
    return select(t.customer_no, null(), zero, zero, t.visits, zero, zero, null(), null(), zero)
