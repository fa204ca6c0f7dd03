"""Campaigns by the segment that their customers were in the day before: each customer, and what a batch kept of all.

A segment is that of the day before, which nothing in the campaign has changed yet, by orders in the stores in scope.
"""

from datetime import timedelta

import pandas as pd
from sqlalchemy import Double, Engine, and_, case, cast, false, func, or_, select

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import customer
from data_access.queries._elsewhere import withheld
from data_access.queries._frame import fetch, fetch_many
from data_access.queries._places import place_of
from data_access.queries._segments_then import SegmentsThen
from data_access.queries._walks import Walk, walked_by
from data_access.results.tables import campaign_segment, campaign_segment_path
from data_access.scope import Scope


def members(scope: Scope, engine: Engine, walk: Walk, then: SegmentsThen | None = None) -> pd.DataFrame:
    """One row per customer in scope who was assigned to the campaign or walked in it.

    Columns: segment, arm (None: nobody assigned the customer), is_control, taken (the set of steps of the ``walk``, -1
    for whoever is not in it), reached (the set of steps that happened), orders, spend (gross sales less refunds so far)
    and margin (NaN: no cost is known) of the campaign's window; these three are NaN where the campaign is ``withheld``.
    A walk without a first day has no day before: no rows. ``then``: of these stores, where several campaigns are asked.
    """
    if walk.first_day is None:
        return pd.DataFrame(columns=["segment", "arm", "is_control", "taken", "reached", "orders", "spend", "margin"])
    m, k = campaign_customer.c, customer.c
    walked = walked_by(scope, walk)
    bought = m.campaign_id.not_in(withheld(scope, engine))
    query = (
        select(
            m.customer_no,
            k.joined_on,
            m.arm,
            m.is_control,
            func.coalesce(walked.c.taken, -1).label("taken"),
            m.reached,
            case((bought, m.orders)).label("orders"),
            cast(case((bought, m.gross_sales - m.returns_of_sales)), Double).label("spend"),
            cast(case((bought, m.margin)), Double).label("margin"),
        )
        .select_from(
            campaign_customer.outerjoin(walked, walked.c.customer_no == m.customer_no).outerjoin(
                customer, k.customer_no == m.customer_no
            )
        )
        .where(m.campaign_id == walk.campaign_id, or_(m.arm.is_not(None), walked.c.taken.is_not(None)))
        .order_by(m.customer_no)
    )
    people = fetch_many(scope, engine, scope.limit(query, m.store_id))
    eve = walk.first_day - timedelta(days=1)
    then = then or SegmentsThen(scope, engine, eve, eve)
    people.insert(0, "segment", then.of(people.pop("customer_no"), people.pop("joined_on"), eve))
    return people


def kept(scope: Scope, engine: Engine, segment: str | None = None) -> pd.DataFrame:
    """What a batch kept of campaigns by segment in the place that the scope is: all segments, or one.

    ``engine`` is that of the results. Columns as ``campaign_segment``, without the place.
    """
    place = place_of(scope, engine)
    columns = [column for name, column in campaign_segment.c.items() if name not in ("level", "place_id")]
    query = select(*columns).where(false() if place is None else place.rows(campaign_segment))
    if segment is not None:
        query = query.where(campaign_segment.c.segment == segment)
    return fetch(scope, engine, query.order_by(campaign_segment.c.campaign_id, campaign_segment.c.segment))


def kept_paths(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """The paths in order, without a limit of days, by segment that a batch kept for the place that the scope is.

    Columns: campaign_id, part (the segment), taken, customers.
    """
    place, p = place_of(scope, engine), campaign_segment_path.c
    query = select(p.campaign_id, p.part, p.taken, p.customers).where(
        and_(false() if place is None else place.rows(campaign_segment_path))
    )
    if campaign_id is not None:
        query = query.where(p.campaign_id == campaign_id)
    return fetch(scope, engine, query.order_by(p.campaign_id, p.part, p.taken))
