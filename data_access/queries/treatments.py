"""What campaigns did for the customers of each segment."""

from datetime import date
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Engine, Select, and_, case, cast, func, select

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign
from data_access.queries._frame import fetch, fetch_from
from data_access.queries._groups import groups
from data_access.queries._people import Base, Question, base
from data_access.queries.segments import CUTS, literals
from data_access.scope import Scope


def over(scope: Scope, engine: Engine, as_of: date, most: int) -> pd.DataFrame:
    """The ``most`` latest campaigns with treated customers in scope whose window had closed by the end of ``as_of``.

    Columns: campaign_id, name, starts_on, window_last.
    """
    m, c = campaign_customer.c, campaign.c
    treated = scope.limit(select(m.campaign_id).where(m.arm.is_not(None), ~m.is_control), m.store_id)
    query = (
        select(c.campaign_id, func.coalesce(c.name, c.campaign_id).label("name"), c.starts_on, c.window_last)
        .where(c.campaign_id.in_(treated), c.window_last <= as_of, c.starts_on.is_not(None))
        .order_by(c.starts_on.desc(), c.campaign_id)
    )
    return fetch(scope, engine, query.limit(most))


def treatments(scope: Scope, engine: Engine, question: Question, campaign_id: str) -> pd.DataFrame:
    """One row per named segment of the day of the question, and who of it a campaign was for.

    By intention to treat: treated and control (assigned), treated_buyers and control_buyers (an order in its window).

    Columns: segment, customers, treated, control, treated_buyers, control_buyers.
    """
    with base(scope, engine, question) as kept:
        query = _of_segments(scope, kept, question, campaign_id)
        return fetch_from(scope, kept.connection, query)


def _of_segments(scope: Scope, kept: Base, question: Question, campaign_id: str) -> Select[Any]:
    people, cuts = kept.people, kept.cuts or dict.fromkeys(CUTS)
    source, found = groups(people, literals(cuts), question, "keep_ties", scope, {"segment"})
    standing = select(people.c.customer_no, found["segment"].label("segment")).select_from(source).subquery("standing")
    m = campaign_customer.c
    assigned = scope.limit(
        select(m.customer_no, m.is_control, m.orders).where(m.campaign_id == campaign_id, m.arm.is_not(None)),
        m.store_id,
    ).subquery("assigned")
    a = assigned.c
    counts = {
        "treated": ~a.is_control,
        "control": a.is_control,
        "treated_buyers": and_(~a.is_control, a.orders > 0),
        "control_buyers": and_(a.is_control, a.orders > 0),
    }
    query = (
        select(
            standing.c.segment,
            cast(func.count(), BigInteger).label("customers"),
            *(cast(func.sum(case((rows, 1), else_=0)), BigInteger).label(name) for name, rows in counts.items()),
        )
        .select_from(standing.outerjoin(assigned, a.customer_no == standing.c.customer_no))
        .group_by(standing.c.segment)
    )
    return query.order_by(standing.c.segment)
