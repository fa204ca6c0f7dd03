"""Customers of the stores in scope by any two things known of them, and where each of them stands on a day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Engine,
    FromClause,
    Select,
    SmallInteger,
    case,
    cast,
    false,
    func,
    select,
)

from data_access.marts._scores import Cuts
from data_access.marts.segment_rules import CLASSES, SEGMENTS, STAGES, TieRule
from data_access.queries._frame import fetch, fetch_from, fetch_many, ten_thousandths
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
    people = people_of(scope, engine, question)
    source, group = groups(people, literals(cuts), question, "keep_ties", scope, DIMENSIONS)
    each = (group[name].label(name) for name in DIMENSIONS)
    figures = (ten_thousandths(people.c[name]).label(name) for name in _MONEY)
    query = select(people.c.customer_no, *each, *figures).select_from(source)
    # Customers once for each of their tags, which are many pairs of a few codes: counted here, as groups of texts the
    # database would need ten times as long.
    with_tags = fetch_many(scope, engine, query, DIMENSIONS)
    once = _Coded.of(with_tags.drop_duplicates("customer_no"))
    each_tag = _Coded.of(with_tags)
    pairs = list(combinations(DIMENSIONS, 2))
    cells = [_cells(each_tag if _TAG in pair else once, *pair) for pair in pairs]
    counts = [len(cell["customers"]) for cell in cells]
    dimensions = np.repeat(np.array(pairs, dtype=object), counts, axis=0)
    named = {"row_dimension": dimensions[:, 0], "column_dimension": dimensions[:, 1]}
    return pd.DataFrame(named | {name: np.concatenate([cell[name] for cell in cells]) for name in cells[0]})


@dataclass(frozen=True, slots=True)
class _Coded:
    """Customers by dimension: of each its group as a place in ``groups``; and their money, whole numbers as floats."""

    codes: dict[str, NDArray[np.int64]]
    groups: dict[str, NDArray[Any]]
    money: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, people: pd.DataFrame) -> "_Coded":
        columns = {name: people[name].cat for name in DIMENSIONS}
        return cls(
            {name: np.asarray(column.codes, dtype=np.int64) for name, column in columns.items()},
            {name: column.categories.to_numpy(dtype=object) for name, column in columns.items()},
            {name: people[name].to_numpy(dtype=np.float64) for name in _MONEY},
        )


def _cells(people: _Coded, row: str, column: str) -> dict[str, NDArray[Any]]:
    """The customers by two dimensions, as columns."""
    wide = max(len(people.groups[column]), 1)
    cell = people.codes[row] * wide + people.codes[column]
    customers = np.bincount(cell)
    found = np.flatnonzero(customers)
    row_group, column_group = people.groups[row][found // wide], people.groups[column][found % wide]
    # Whole numbers far below 2^53, so that their sums as floats are exact.
    sums = {name: np.bincount(cell, money)[found].astype(np.int64) for name, money in people.money.items()}
    return {"row_group": row_group, "column_group": column_group, "customers": customers[found], **sums}


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


def history(scope: Scope, engine: Engine, schemes: Sequence[str]) -> pd.DataFrame:
    """What the job ``movement`` found of the customers of a place, by number; ``engine``: of the results.

    Columns: customer_no, net_sales, and by each scheme one letter per day, as ``results.tables.segment_history`` says.
    """
    place = place_of(scope, engine)
    h = segment_history.c
    query = select(h.customer_no, h.net_sales, *(h[scheme] for scheme in schemes)).order_by(h.customer_no)
    return fetch_many(scope, engine, query.where(false() if place is None else place.rows(segment_history)))
