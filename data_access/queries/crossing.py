"""Customers of the stores in scope by any two things known of them, and where each of them stands on a day."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Engine, cast, func, select

from data_access.marts.segment_rules import TieRule
from data_access.queries._frame import fetch, fetch_many, ten_thousandths
from data_access.queries._groups import groups
from data_access.queries._people import Question, people_of
from data_access.queries.segments import literals
from data_access.scope import Scope

SCHEMES = ("segment", "abc", "four_stage", "five_phase", "with_maintenance")  # between whose groups people move
_MONEY = ("net_sales", "costed_sales", "margin")


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


def standings(scope: Scope, engine: Engine, question: Question, cuts: Mapping[str, Any]) -> pd.DataFrame:
    """One row per customer by number, scores with equal values sharing one.

    Columns: customer_no, net_sales (in ten-thousandths) and the group by each of ``SCHEMES`` as categories.
    """
    people = people_of(scope, engine, question)
    source, found = groups(people, literals(cuts), question, "keep_ties", scope, set(SCHEMES))
    p = people.c
    query = select(
        p.customer_no,
        ten_thousandths(p.net_sales).label("net_sales"),
        *(found[name].label(name) for name in SCHEMES),
    ).select_from(source)
    return fetch_many(scope, engine, query.order_by(p.customer_no), SCHEMES)
