"""How well customers are known: which fields of their profiles are filled, which cannot be right, who is there twice,
and how many sales have no customer at all. Customers belong to the store they are registered in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Engine,
    Select,
    Subquery,
    and_,
    case,
    cast,
    false,
    func,
    select,
)

from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer, sale_order, shared_contact
from data_access.queries._frame import amount, customer_key, fetch, within
from data_access.queries._places import place_of
from data_access.queries.actions import EVERYBODY, Wanted
from data_access.scope import Period, Scope

_c = customer.c
# Field -> whether a profile has it; null where the CRM has no such field at all.
KNOWN: Mapping[str, ColumnElement[Any]] = {
    "name": _c.has_name,
    "phone": _c.has_phone,
    "email": _c.has_email,
    "birthday": _c.has_birthday,
    **{
        field: func.coalesce(column, "") != ""
        for field, column in (
            ("gender", _c.gender),
            ("city", _c.city),
            ("source", _c.source),
            ("owner", _c.owner_staff_id),
            ("occupation", _c.occupation),
            ("income_band", _c.income_band),
            # Of those who agree to their being kept; the snapshot holds no others.
            ("skin_type", _c.skin_type),
            ("skin_concern", _c.skin_concern),
        )
    },
}
# What a profile has at least to be of use: with these it counts as complete.
ESSENTIAL = ("name", "phone", "birthday", "gender", "city")


@dataclass(frozen=True, slots=True)
class Question:
    """Profiles at the end of ``as_of``; stale: not brought up to date since ``stale_before``."""

    as_of: date
    stale_before: date


def _wrong(question: Question) -> dict[str, ColumnElement[Any]]:
    """Problem -> whether a profile has it. A day of tolerance: the CRM writes some instants in UTC."""
    tomorrow = question.as_of + timedelta(days=1)
    return {
        "birthday_implausible": func.coalesce(_c.birthday_implausible, false()),
        "joined_late": func.coalesce(_c.joined_on > tomorrow, false()),
        "updated_late": func.coalesce(_c.profile_updated_on > tomorrow, false()),
        "stale": func.coalesce(_c.profile_updated_on < question.stale_before, false()),
        "never_updated": _c.profile_updated_on.is_(None),
    }


def _updates(question: Question) -> dict[str, ColumnElement[bool]]:
    """Who last brought a profile up to date, since it would be stale -> whether that is so of one."""
    by_customer, wrong = _c.profile_updated_by_customer, _wrong(question)
    fresh = and_(*(~wrong[name] for name in ("stale", "never_updated", "updated_late")))
    return {
        "by_customer": and_(fresh, func.coalesce(by_customer, false())),
        "by_others": and_(fresh, func.coalesce(~by_customer, false())),
        "by_nobody_knows": and_(fresh, by_customer.is_(None)),
    }


UPDATED = ("by_customer", "by_others", "by_nobody_knows")
PROBLEMS = ("shared", "birthday_implausible", "joined_late", "updated_late", "stale", "never_updated")


def completeness(scope: Scope, engine: Engine, question: Question) -> pd.DataFrame:
    """One row per home store and adviser, by their ids.

    Columns: store_id, staff_id (NA: nobody looks after them), customers, complete (with every essential field), one
    column per field of ``KNOWN`` with the customers of whom it is known (NA where the CRM has no such field), one per
    problem with those who have it, but for ``shared``, and by who brought them up to date since they would be stale
    by_customer, by_others, by_nobody_knows.
    """
    every = and_(*(func.coalesce(KNOWN[field], false()) for field in ESSENTIAL))
    columns: list[ColumnElement[Any]] = [_people(every).label("complete")]
    for field, known in KNOWN.items():
        counted = func.sum(case((known, 1), else_=0)).filter(known.is_not(None))  # null where nothing is said of it
        columns.append(cast(counted, BigInteger).label(field))
    columns += [_people(problem).label(name) for name, problem in (_wrong(question) | _updates(question)).items()]
    query = (
        select(_c.home_store_id.label("store_id"), _c.owner_staff_id.label("staff_id"), _people().label("customers"))
        .add_columns(*columns)
        .group_by(_c.home_store_id, _c.owner_staff_id)
        .order_by(_c.home_store_id, _c.owner_staff_id)
    )
    return fetch(scope, engine, scope.limit(query, _c.home_store_id))


def _people(only: ColumnElement[bool] | None = None) -> ColumnElement[int]:
    counted = func.count()
    return cast(counted if only is None else counted.filter(only), BigInteger)


def shared(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer of a group of the scope that has the same phone number or address: two or more of them.

    Columns: kind (phone | email), group_key and customer_key (pseudonyms; the group has that of its first customer in
    scope), store_id (home).
    """
    g = _groups(scope).c
    query = select(
        g.kind,
        customer_key(g.first_no).label("group_key"),
        customer_key(g.customer_no).label("customer_key"),
        g.store_id,
    ).where(g.members > 1)
    return fetch(scope, engine, query.order_by(g.kind, g.first_no, g.customer_no))


def _groups(scope: Scope) -> Subquery:
    s = shared_contact.c
    here = scope.limit(select(_c.customer_no, _c.home_store_id.label("store_id")), _c.home_store_id).subquery("here")
    group = [s.kind, s.group_no]
    return (
        select(
            s.kind,
            s.customer_no,
            here.c.store_id,
            func.min(s.customer_no).over(partition_by=group).label("first_no"),
            func.count().over(partition_by=group).label("members"),
        )
        .join_from(shared_contact, here, here.c.customer_no == s.customer_no)
        .subquery("groups")
    )


def unidentified(scope: Scope, engine: Engine, period: Period) -> pd.DataFrame:
    """One row per store, channel and person at the till with a counted order in ``period``, by these.

    Columns: store_id, channel, staff_id, orders, unidentified (orders without a customer), gross_sales,
    unidentified_sales.
    """
    o = sale_order.c
    nobody = o.customer_no.is_(None)
    query = (
        select(
            o.store_id,
            o.channel,
            o.staff_id,
            _people().label("orders"),
            _people(nobody).label("unidentified"),
            amount(o.gross_sales).label("gross_sales"),
            amount(o.gross_sales, nobody).label("unidentified_sales"),
        )
        .where(o.exclusion.is_(None), within(o.day, period))
        .group_by(o.store_id, o.channel, o.staff_id)
        .order_by(o.store_id, o.channel, o.staff_id)
    )
    return fetch(scope, engine, scope.limit(query, o.store_id))


def to_fix(
    scope: Scope,
    engine: Engine,
    question: Question,
    problem: str,
    wanted: Wanted = EVERYBODY,
    offset: int = 0,
    limit: int = 50,
) -> pd.DataFrame:
    """A page of the customers with one problem (of ``PROBLEMS``, or a field that is not known), who bought last first.

    Columns: customer_key, store_id (home), staff_id (who looks after them), profile_updated_on and last_day
    (datetime64), net_sales (in the stores in scope).
    """
    last = _last(scope, engine)
    query = (
        _having(scope, question, problem, wanted)
        .add_columns(
            customer_key(_c.customer_no).label("customer_key"),
            _c.home_store_id.label("store_id"),
            _c.owner_staff_id.label("staff_id"),
            _c.profile_updated_on,
            last.c.last_day,
            last.c.net_sales,
        )
        .outerjoin(last, last.c.customer_no == _c.customer_no)
        .order_by(last.c.last_day.desc().nulls_last(), _c.customer_no)
    )
    return fetch(scope, engine, query.offset(offset).limit(limit))


def to_fix_count(
    scope: Scope, engine: Engine, question: Question, problem: str, wanted: Wanted = EVERYBODY
) -> pd.DataFrame:
    """One row: customers, how many ``to_fix`` lists."""
    query = _having(scope, question, problem, wanted).add_columns(_people().label("customers"))
    return fetch(scope, engine, query)


def _having(scope: Scope, question: Question, problem: str, wanted: Wanted) -> Select[Any]:
    """The registered customers in scope with a problem, without any column yet."""
    query: Select[Any] = select().select_from(customer).where(wanted.condition(_c.customer_no))
    if problem == "shared":
        groups = _groups(scope).c
        query = query.where(_c.customer_no.in_(select(groups.customer_no).where(groups.members > 1)))
    elif problem in KNOWN:
        query = query.where(KNOWN[problem].is_(False))
    else:
        query = query.where(_wrong(question)[problem])
    return scope.limit(query, _c.home_store_id)


def _last(scope: Scope, engine: Engine) -> Subquery:
    """When each customer last bought in the stores in scope, and for how much in all."""
    place = place_of(scope, engine)
    if place is not None:
        p = customer_place.c
        columns = p.customer_no, p.last_day, cast(p.net_sales, Double).label("net_sales")
        return select(*columns).where(place.rows(customer_place)).subquery("last")
    d = customer_store_day.c
    days = select(
        d.customer_no, func.max(d.day).filter(d.orders > 0).label("last_day"), amount(d.net_sales).label("net_sales")
    ).group_by(d.customer_no)
    return scope.limit(days, d.store_id).subquery("last")
