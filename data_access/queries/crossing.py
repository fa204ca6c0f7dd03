"""Customers of the stores in scope by any two things known of them, and where each of them stands on a day."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Engine,
    FromClause,
    MetaData,
    Select,
    SmallInteger,
    String,
    Table,
    case,
    cast,
    false,
    func,
    literal,
    select,
    tuple_,
)

from data_access.marts._scores import Cuts
from data_access.marts.segment_rules import CLASSES, SEGMENTS, STAGES, TieRule
from data_access.marts.tables import Money
from data_access.queries._frame import fetch, fetch_from, fetch_many, kept, ten_thousandths
from data_access.queries._groups import DIMENSIONS, NOT_KNOWN, groups
from data_access.queries._people import Question, base, is_added_up, people_of
from data_access.queries._places import place_of
from data_access.queries.segments import CUTS, literals
from data_access.queries.segments import cuts as cuts_of
from data_access.results.tables import crossing_cell, segment_history
from data_access.scope import Scope

# Between whose groups people move.
GROUPS: dict[str, tuple[str, ...]] = {
    "segment": (*SEGMENTS, NOT_KNOWN),
    "abc": CLASSES,
    **{str(preset): stages for preset, stages in STAGES.items()},
}
SCHEMES = tuple(GROUPS)
_MONEY = ("net_sales", "costed_sales", "margin")
_TAG = "tag"  # parts nobody: a customer with two tags is in two groups
_grouped = Table(
    "crossing_people",
    MetaData(),
    *(Column(name, String) for name in DIMENSIONS),
    *(Column(name, Money) for name in _MONEY),
)


def crossing(
    scope: Scope,
    engine: Engine,
    question: Question,
    cuts: Mapping[str, Any],
    rows: str,
    columns: str,
    tie_rule: TieRule = "keep_ties",
) -> pd.DataFrame:
    """One row per pair of groups that occurs; ``rows`` and ``columns`` are different ones of ``_groups.DIMENSIONS``.

    ``cuts`` as in the row of ``segments.cuts``. By tags a customer is in every pair of one of them.

    Columns: row_group, column_group, customers, in ten-thousandths net_sales, costed_sales, margin.
    """
    people = people_of(scope, engine, question)
    p = people.c
    source, found = groups(people, literals(cuts), question, tie_rule, scope, {rows, columns})
    figures = (p[name] for name in _MONEY)
    each = select(found[rows].label("row_group"), found[columns].label("column_group"), *figures).select_from(source)
    e = each.subquery("each").c
    query = select(
        e.row_group,
        e.column_group,
        cast(func.count(), BigInteger).label("customers"),
        *(ten_thousandths(func.sum(e[name])).label(name) for name in _MONEY),
    ).group_by(e.row_group, e.column_group)
    return fetch(scope, engine, query.order_by(e.row_group, e.column_group))


def crossings(scope: Scope, engine: Engine, question: Question, cuts: Mapping[str, Any]) -> pd.DataFrame:
    """All of ``crossing`` at once, for the batch: one row per two dimensions in their order and pair of their groups.

    Columns: row_dimension, column_dimension, row_group, column_group, customers, in ten-thousandths net_sales,
    costed_sales, margin.
    """
    people, cut = people_of(scope, engine, question), literals(cuts)
    figures = [people.c[name] for name in _MONEY]
    parting = [name for name in DIMENSIONS if name != _TAG]
    found: list[pd.DataFrame] = []
    with engine.connect() as connection:
        for names in (parting, DIMENSIONS):
            source, group = groups(people, cut, question, "keep_ties", scope, names)
            each = [group.get(name, literal(NOT_KNOWN)).label(name) for name in DIMENSIONS]
            with kept(scope, connection, select(*each, *figures).select_from(source), _grouped):
                if _TAG in names:
                    found.append(fetch_from(scope, connection, _pairs(_TAG, parting)))
                else:
                    pairs = (_pairs(name, parting[at:]) for at, name in enumerate(parting[:-1], start=1))
                    found += [fetch_from(scope, connection, query) for query in pairs]
    return _in_order(pd.concat(found, ignore_index=True))


def _pairs(dimension: str, others: Sequence[str]) -> Select[Any]:
    """The customers by one dimension and each of the ``others``; of these a row names the one it is about."""
    g = _grouped.c
    sets = func.grouping_sets(*(tuple_(g[dimension], g[other]) for other in others))
    return select(
        literal(dimension).label("row_dimension"),
        case(*((g[other].is_not(None), other) for other in others)).label("column_dimension"),
        g[dimension].label("row_group"),
        func.coalesce(*(g[other] for other in others)).label("column_group"),
        cast(func.count(), BigInteger).label("customers"),
        *(ten_thousandths(func.sum(g[name])).label(name) for name in _MONEY),
    ).group_by(sets)


def _in_order(pairs: pd.DataFrame) -> pd.DataFrame:
    """Every pair of dimensions in the order of ``DIMENSIONS``."""
    at = {name: place for place, name in enumerate(DIMENSIONS)}
    turned = pairs["row_dimension"].map(at) > pairs["column_dimension"].map(at)
    swap = {"row_dimension": "column_dimension", "row_group": "column_group"}
    swap |= {column: row for row, column in swap.items()}
    found = pd.concat([pairs[~turned], pairs[turned].rename(columns=swap)], ignore_index=True)
    return found[pairs.columns]


def kept_crossing(scope: Scope, engine: Engine, rows: str, columns: str) -> pd.DataFrame:
    """What the job ``presets`` found for ``crossing``; ``engine``: of the results.

    Columns: row_group, column_group, customers, in ten-thousandths net_sales, costed_sales, margin.
    """
    place, c = place_of(scope, engine), crossing_cell.c
    turned = DIMENSIONS.index(rows) > DIMENSIONS.index(columns)
    first, second = (columns, rows) if turned else (rows, columns)
    row, column = (c.column_group, c.row_group) if turned else (c.row_group, c.column_group)
    figures = (c[name] for name in ("customers", *_MONEY))
    query = (
        select(row.label("row_group"), column.label("column_group"), *figures)
        .where(c.row_dimension == first, c.column_dimension == second)
        .where(false() if place is None else place.rows(crossing_cell))
    )
    return fetch(scope, engine, query.order_by(row, column))


def standings(scope: Scope, engine: Engine, question: Question) -> pd.DataFrame:
    """One row per customer by number, scores with equal values sharing one.

    Columns: customer_no, net_sales (in ten-thousandths) and by each scheme the place of the group in ``GROUPS``.
    """
    place = place_of(scope, engine)
    if place is not None and is_added_up(engine, question):
        found = cuts_of(scope, engine, question)
        known: dict[Any, Any] = found.iloc[0].to_dict() if len(found) else dict.fromkeys(CUTS)
        cut = literals(known)
        return fetch(scope, engine, _standings(people_of(scope, engine, question), cut, question, scope))
    with base(scope, engine, question) as kept:
        cut = literals(kept.cuts or dict.fromkeys(CUTS))
        return fetch_from(scope, kept.connection, _standings(kept.people, cut, question, scope))


def _standings(people: FromClause, cut: Cuts, question: Question, scope: Scope) -> Select[Any]:
    source, found = groups(people, cut, question, "keep_ties", scope, set(SCHEMES))
    p = people.c
    return (
        select(
            p.customer_no,
            ten_thousandths(p.net_sales).label("net_sales"),
            *(place_in_scheme(name, found[name]).label(name) for name in SCHEMES),
        )
        .select_from(source)
        .order_by(p.customer_no)
    )


def place_in_scheme(scheme: str, group: ColumnElement[Any]) -> ColumnElement[int]:
    """The place of a group among those of its scheme; null where it is none of them."""
    return cast(case({name: at for at, name in enumerate(GROUPS[scheme])}, value=group, else_=None), SmallInteger)


def history(scope: Scope, engine: Engine, scheme: str) -> pd.DataFrame:
    """What the job ``movement`` found of the customers of a place, by number; ``engine``: of the results.

    Columns: customer_no, net_sales, and as ``standing`` one letter per day, as ``results.tables.segment_history`` says.
    """
    place = place_of(scope, engine)
    h = segment_history.c
    query = select(h.customer_no, h.net_sales, h[scheme].label("standing")).order_by(h.customer_no)
    return fetch_many(scope, engine, query.where(false() if place is None else place.rows(segment_history)))
