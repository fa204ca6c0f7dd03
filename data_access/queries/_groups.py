"""What parts customers into groups: their segments, what the CRM says of them, and what they buy."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Subquery, and_, case, func, select

from data_access.marts import _scores as grouping
from data_access.marts.segment_rules import PRESETS, TieRule
from data_access.marts.tables import customer, customer_tag, product, sale_line, store
from data_access.queries._people import Question
from data_access.queries._units import By, apart, same_unit
from data_access.scope import Scope

SEGMENTS = ("segment", "abc", "quadrant", *PRESETS)
_RECORDED = {
    "age_band": "age_band",
    "gender": "gender",
    "income_band": "income_band",
    "occupation": "occupation",
    "skin_type": "skin_type",
    "skin_concern": "skin_concern",
    "importance": "importance",
    "tier": "tier",
    "source": "source",
    "owner": "owner_staff_id",
}
DIMENSIONS = (*SEGMENTS, "dominant_category", *_RECORDED, "tag", "home_store", "city_tier")

NOT_KNOWN = "not_known"  # the group of those of whom a dimension says nothing
ELSEWHERE = "elsewhere"  # at home in a store out of scope
MIXED = "mixed"  # no category has more than half
DOMINANT, DOMINANT_DAYS = 0.5, 365  # more than this share of the spend of so many days

Expression = ColumnElement[Any]


def groups(
    people: FromClause,
    cut: grouping.Cuts,
    question: Question,
    tie_rule: TieRule,
    scope: Scope,
    names: Collection[str],
    by: By = "scope",
) -> tuple[FromClause, dict[str, Expression]]:
    """``people`` with what their groups by the dimensions ``names`` come from joined to it, and each group by name.

    A customer with several tags is there once for each when ``tag`` is among the names. by: how ``people`` were asked
    for apart; groups that depend on more than the CRM are those of the scope as one.
    """
    source = people
    if "abc" in names or ("segment" in names and tie_rule == "equal_size"):
        source = grouping.ranked(source, people)
    number, k = people.c.customer_no, customer.c
    if not set(names) <= {*SEGMENTS, "dominant_category", "tag"}:
        source = source.outerjoin(customer, k.customer_no == number)
    found = {name: _of_segment(name, people, cut, question, tie_rule) for name in names if name in SEGMENTS}
    found |= {name: k[_RECORDED[name]] for name in names if name in _RECORDED}
    if "home_store" in names:
        found["home_store"] = _home(scope)
    if "city_tier" in names:
        homes = apart(select(store.c.store_id, store.c.city_tier), store.c.store_id, by)
        s = scope.limit(homes, store.c.store_id).subquery("homes")
        source = source.outerjoin(s, and_(s.c.store_id == k.home_store_id, *same_unit(s.c, people.c)))
        found["city_tier"] = s.c.city_tier
    if "tag" in names:
        source = source.outerjoin(customer_tag, customer_tag.c.customer_no == number)
        found["tag"] = customer_tag.c.tag
    if "dominant_category" in names:
        d = _dominant(scope, question.as_of)
        source = source.outerjoin(d, d.c.customer_no == number)
        found["dominant_category"] = d.c.dominant_category
    return source, {name: func.coalesce(value, NOT_KNOWN) for name, value in found.items()}


def _of_segment(name: str, people: FromClause, cut: grouping.Cuts, question: Question, tie_rule: TieRule) -> Expression:
    match name:
        case "abc":
            return grouping.abc_class(people, cut)
        case "quadrant":
            return grouping.quadrant(people, cut)
        case "four_stage" | "five_phase" | "with_maintenance":
            return grouping.stage(people, cut, name)
    p = people.c
    scores = grouping.scores(people, cut, question.monetary, tie_rule)
    r, f, m = (case((p.orders > 0, score)) for score in scores.values())
    return grouping.segment(r, f, m, p.orders_ever)


def _home(scope: Scope) -> Expression:
    home = customer.c.home_store_id
    if scope.kind == "chain":
        return home
    return case((home.in_(scope.store_ids), home), (home.is_not(None), ELSEWHERE))


def _dominant(scope: Scope, as_of: date) -> Subquery:
    """The category of each customer's lines in scope that has most of the spend of a year; ``MIXED``: none has."""
    n, p = sale_line.c, product.c
    year = and_(n.day > as_of - timedelta(days=DOMINANT_DAYS), n.day <= as_of)
    lines = (
        select(n.customer_no, p.category, func.sum(n.net).label("net"))
        .join_from(sale_line, product, p.product_id == n.product_id)
        .where(n.exclusion.is_(None), n.customer_no.is_not(None), year)
    )
    by_category = scope.limit(lines, n.store_id).group_by(n.customer_no, p.category).subquery("by_category").c
    most = func.max(by_category.net)
    category = func.coalesce(func.arg_max(by_category.category, by_category.net), NOT_KNOWN)
    dominant = case((most > DOMINANT * func.sum(by_category.net), category), else_=MIXED)
    return (
        select(by_category.customer_no, dominant.label("dominant_category"))
        .group_by(by_category.customer_no)
        .having(func.sum(by_category.net) > 0)
        .subquery("dominant")
    )
