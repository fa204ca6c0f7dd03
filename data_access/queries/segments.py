"""Groups of customers at the grain of the scope: scores, named segments, classes, quadrants and stages of life.

All days by net sales, on the last day of the data, of the chain, a region or a store is what the refresh has added up
(``data_access.marts.segment_cell``). Any other question is answered by the same expressions over the customers as the
days in question make them.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Engine,
    FromClause,
    Integer,
    Select,
    and_,
    case,
    cast,
    false,
    literal,
    null,
    select,
    true,
)

from data_access.marts import _scores as grouping
from data_access.marts._bridge import days_between
from data_access.marts.customer_cut import customer_cut
from data_access.marts.lifecycle_cell import lifecycle_cell
from data_access.marts.segment_cell import segment_cell
from data_access.marts.segment_rules import GRID, PRESET, PRESETS, Monetary, TieRule
from data_access.marts.spend_curve import POINTS, spend_curve
from data_access.pseudonym import number_of
from data_access.queries._frame import customer_key, fetch, fetch_from, ten_thousandths
from data_access.queries._groups import DIMENSIONS, groups
from data_access.queries._people import Base, base, covers_all_days, is_added_up, people_of, with_store
from data_access.queries._people import Question as Question
from data_access.queries._places import place_of
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.scope import Scope

CUTS = tuple(column.name for column in grouping.cut_columns())


@dataclass(frozen=True, slots=True)
class Choice:
    """Part of the customers: those whose ``column``, a dimension of ``_groups``, says ``value``, and who are in all of
    ``also``. By cell of the grid it is 'r-fm', such as '5-4', by customer the key."""

    column: str
    value: str
    also: "tuple[Choice, ...]" = ()


@dataclass(frozen=True, slots=True)
class Named:
    """The customers of a question in the named segment ``segment``; ``cuts`` as in the row of ``cuts``."""

    question: Question
    cuts: Mapping[str, Any]
    segment: str

    def customers(self, scope: Scope, engine: Engine) -> Select[Any]:
        """Their numbers, for the condition of another query of the same scope."""
        people, cut = people_of(scope, engine, self.question), literals(self.cuts)
        source, found = groups(people, cut, self.question, "keep_ties", scope, {"segment"})
        return select(people.c.customer_no).select_from(source).where(found["segment"] == self.segment)


@contextmanager
def added_up(scope: Scope, engine: Engine, question: Question) -> Iterator[Base | None]:
    """Around several queries of a question that take what this gives: its customers are added up once, if at all."""
    place = place_of(scope, engine)
    if place is not None and is_added_up(engine, question):
        yield None
    else:
        with base(scope, engine, question) as kept:
            yield kept


def cuts(scope: Scope, engine: Engine, question: Question, kept: Base | None = None) -> pd.DataFrame:
    """One row: the values at which the groups part (marts.customer_cut); none where nobody bought.

    Columns: the quintiles r_cut_1 r_cut_2 r_cut_3 r_cut_4 f_cut_1 f_cut_2 f_cut_3 f_cut_4 m_cut_1 m_cut_2 m_cut_3
    m_cut_4, the medians visits_median net_sales_median, usual_gap (days that a product lasts), and of the last
    customer of each equal group and class value and id_rank:
    r_last_1 r_last_2 r_last_3 r_last_4 r_rank_1 r_rank_2 r_rank_3 r_rank_4
    f_last_1 f_last_2 f_last_3 f_last_4 f_rank_1 f_rank_2 f_rank_3 f_rank_4
    m_last_1 m_last_2 m_last_3 m_last_4 m_rank_1 m_rank_2 m_rank_3 m_rank_4 a_value a_rank b_value b_rank.
    """
    place = place_of(scope, engine)
    if place is not None and is_added_up(engine, question):
        return fetch(scope, engine, select(*(customer_cut.c[name] for name in CUTS)).where(place.rows(customer_cut)))
    with nullcontext(kept) if kept else base(scope, engine, question) as found:
        values = [found.cuts] if found.cuts else []
        return pd.DataFrame(values, columns=list(CUTS)).astype("float64")


def cells(scope: Scope, engine: Engine, question: Question, kept: Base | None = None) -> pd.DataFrame:
    """One row per tie rule and combination of groups that occurs; everybody is in one row of each tie rule.

    Columns: tie_rule, r, f, m (NA without an order), segment (NA: all orders lie before the window), abc, quadrant
    (NA without an order), customers, visits, orders, in ten-thousandths gross_sales, net_sales, costed_sales, margin.
    """
    place = place_of(scope, engine)
    if place is not None and is_added_up(engine, question):
        return fetch(scope, engine, _as_numbers(select(segment_cell).where(place.rows(segment_cell)), _BY_CELL))
    with nullcontext(kept) if kept else base(scope, engine, question) as found:
        # With the values written out the groups take a third less time than with a join to them.
        cut = literals(found.cuts or dict.fromkeys(CUTS))
        return fetch_from(
            scope,
            found.connection,
            _as_numbers(
                select(grouping.cells(found.people, cut, found.people, question.monetary).subquery()), _BY_CELL
            ),
        )


def stages(scope: Scope, engine: Engine, question: Question, kept: Base | None = None) -> pd.DataFrame:
    """One row per preset of the lifecycle and stage that occurs; everybody is in one stage of each preset.

    Columns: preset, stage, customers, visits, orders, in ten-thousandths gross_sales, net_sales, costed_sales, margin.
    """
    place = place_of(scope, engine)
    if place is not None and is_added_up(engine, question):
        return fetch(scope, engine, _as_numbers(select(lifecycle_cell).where(place.rows(lifecycle_cell)), _BY_STAGE))
    with nullcontext(kept) if kept else base(scope, engine, question) as found:
        cut = literals(found.cuts or dict.fromkeys(CUTS))
        rows = select(grouping.stages(found.people, cut, found.people).subquery())
        return fetch_from(scope, found.connection, _as_numbers(rows, _BY_STAGE))


_BY_CELL = ("tie_rule", "r", "f", "m", "segment", "abc", "quadrant")
_BY_STAGE = ("preset", "stage")


def _as_numbers(rows: Select[Any], by: tuple[str, ...]) -> Select[Any]:
    """The documented columns of ``rows``."""
    r = rows.subquery("rows").c
    counts = [cast(r[name], BigInteger).label(name) for name in ("customers", "visits", "orders")]
    money = [ten_thousandths(r[name]).label(name) for name in ("gross_sales", "net_sales", "costed_sales", "margin")]
    groups = [r[name] for name in by]
    return select(*groups, *counts, *money).order_by(*groups)


def curve(scope: Scope, engine: Engine, question: Question, kept: Base | None = None) -> pd.DataFrame:
    """How concentrated net sales are: some 120 rows at most, the best customers first.

    Columns: customers (so many of the best, of those with net sales above 0), net_sales (of these together).
    """
    place = place_of(scope, engine)
    if place is not None and covers_all_days(engine, question):
        c = spend_curve.c
        return fetch(scope, engine, _points(select(c.customers, c.net_sales).where(place.rows(spend_curve))))
    with nullcontext(kept) if kept else base(scope, engine, question) as found:
        return fetch_from(scope, found.connection, _points(grouping.spend_curve(found.people, POINTS)))


def _points(rows: Select[Any]) -> Select[Any]:
    p = rows.subquery("points").c
    query = select(cast(p.customers, BigInteger).label("customers"), cast(p.net_sales, Double).label("net_sales"))
    return query.order_by(p.customers)


def members(
    scope: Scope,
    engine: Engine,
    question: Question,
    cuts: Mapping[str, Any],
    tie_rule: TieRule = "keep_ties",
    choice: Choice | None = None,
    offset: int = 0,
    limit: int = 50,
    only: Collection[int] | None = None,
    wanted: Wanted = EVERYBODY,
) -> pd.DataFrame:
    """One row per customer of a page of the list, highest net sales first; ``cuts`` as in the row of ``cuts``.

    ``only`` and ``wanted``: of these customers.

    Columns: customer_key (pseudonym), store_id (of the last order; home store of somebody without one), segment, r, f
    and m under ``tie_rule``, recency_days (days since the last order), orders, visits (days with an order), net_sales,
    gross_sales, last_day (of the last order), abc, quadrant and the stage of life by preset: stage (four_stage),
    five_phase, with_maintenance; of somebody without an order (in the window) scores and quadrant are NA, without any
    also recency_days and last_day.
    """
    people = people_of(scope, engine, question)
    p, cut = people.c, literals(cuts)
    parts = () if choice is None else (choice, *choice.also)
    names = {one.column for one in parts if one.column in DIMENSIONS}
    source, found = groups(people, cut, question, tie_rule, scope, names)
    if tie_rule == "equal_size" and any(one.column == "cell" for one in parts) and source is people:
        source = grouping.ranked(people, people)
    chosen = and_(true(), *(_chosen(people, found, cut, question.monetary, tie_rule, one) for one in parts))
    chosen = and_(chosen, wanted.condition(p.customer_no))
    if only is not None:
        chosen = and_(chosen, p.customer_no.in_(sorted(map(int, only))))
    order = (p.net_sales.desc(), p.customer_no)
    page = select(people).select_from(source).where(chosen).order_by(*order).offset(offset).limit(limit)
    one = page.cte("page")
    o = one.c
    score = grouping.scores(one, cut, question.monetary, tie_rule)
    grouped = (
        select(
            *o,
            *(case((o.orders > 0, cast(value, Integer))).label(letter) for letter, value in score.items()),
            grouping.abc_class(one, cut).label("abc"),
            grouping.quadrant(one, cut).label("quadrant"),
            *(grouping.stage(one, cut, preset).label(name) for preset, name in _STAGE_NAMES.items()),
        )
        .select_from(grouping.ranked(one, one))
        .subquery("grouped")
    )
    g = grouped.c
    store_id, placed = with_store(grouped, one, scope, question)
    query = select(
        customer_key(g.customer_no).label("customer_key"),
        store_id.label("store_id"),
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
        *(g[name] for name in _STAGE_NAMES.values()),
    ).select_from(placed)
    return fetch(scope, engine, query.order_by(g.net_sales.desc(), g.customer_no))


def numbers(scope: Scope, engine: Engine, of: Named) -> pd.DataFrame:
    """One row per customer of a named segment, by number. Column: customer_no."""
    chosen = of.customers(scope, engine).subquery("chosen")
    return fetch(scope, engine, select(chosen.c.customer_no).order_by(chosen.c.customer_no))


_STAGE_NAMES = {preset: "stage" if preset == PRESET else preset for preset in PRESETS}


def literals(cuts: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """Cuts as values of a statement; null, and so nobody beyond it, where nobody bought in a place."""
    kinds = {column.name: column.type for column in grouping.cut_columns()}
    values = {name: null() if pd.isna(cuts[name]) else literal(cuts[name], kinds[name]) for name in CUTS}
    return {name: cast(value, kinds[name]) for name, value in values.items()}


def _chosen(
    people: FromClause,
    found: Mapping[str, ColumnElement[Any]],
    cut: grouping.Cuts,
    monetary: Monetary,
    tie_rule: TieRule,
    choice: Choice,
) -> ColumnElement[bool]:
    """Whether a customer belongs to the choice. ``found``: the group by each dimension that is asked for."""
    p = people.c
    if choice.column in found:
        return found[choice.column] == choice.value
    if choice.column == "customer":
        number = number_of(choice.value)
        return false() if number is None else p.customer_no == number
    pairs = [10 * r + fm for r in GRID for fm in range(1, 6) if choice.value == f"{r}-{fm}"]
    r, f, m = grouping.scores(people, cut, monetary, tie_rule).values()
    return and_(p.orders > 0, (r * 10 + grouping.fm_score(f, m)).in_(pairs))
