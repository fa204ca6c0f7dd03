"""What campaigns did with new and with earlier customers, by arm; offers by how long customers are known; events.

Every customer of a campaign belongs to one store, so the counts are those of the stores in scope. Purchases of a
campaign that is ``withheld`` from these stores are not told.
"""

import pandas as pd
from sqlalchemy import ColumnElement, Date, Double, Engine, and_, case, cast, extract, func, select

from data_access.marts._bridge import days_between
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import campaign, campaign_event, customer
from data_access.queries._elsewhere import withheld
from data_access.queries._frame import fetch
from data_access.scope import Scope

TENURES = ("new", "first_year", "older")  # joined at most 90 days, a year, longer before the campaign
NEW_DAYS, YEAR_DAYS = 90, 365
AFTER_EVENT = 14  # days in which somebody who came to an event buys


def people(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign, is_control and is_new with customers in scope who were assigned to it.

    Columns: campaign_id, is_control, is_new (no order in scope before the campaign's first day), customers, buyers (in
    its window).
    """
    m, c, d = campaign_customer.c, campaign.c, customer_store_day.c
    first = scope.limit(
        select(d.customer_no, func.min(d.day).label("first_day")).where(d.orders > 0).group_by(d.customer_no),
        d.store_id,
    ).subquery("first")
    is_new = func.coalesce(first.c.first_day >= c.starts_on, True)
    query = (
        select(
            m.campaign_id,
            m.is_control,
            is_new.label("is_new"),
            func.count().label("customers"),
            func.count().filter(m.orders > 0).label("buyers"),
        )
        .select_from(campaign_customer)
        .join(campaign, c.campaign_id == m.campaign_id)
        .outerjoin(first, first.c.customer_no == m.customer_no)
        .where(m.arm.is_not(None), c.starts_on.is_not(None), m.campaign_id.not_in(withheld(scope, engine)))
        .group_by(m.campaign_id, m.is_control, is_new)
        .order_by(m.campaign_id, m.is_control, is_new)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def offers(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per type of campaign and tenure (``TENURES``) with treated customers in scope whose joining is known.

    Columns: type, tenure, customers, redeeming (who redeemed a coupon of it), margin (of these in the window, after
    the discount; NaN where no cost is known).
    """
    m, c, k = campaign_customer.c, campaign.c, customer.c
    known = days_between(k.joined_on, c.starts_on)
    tenure = case((known <= NEW_DAYS, TENURES[0]), (known <= YEAR_DAYS, TENURES[1]), else_=TENURES[2])
    query = (
        select(
            c.type,
            tenure.label("tenure"),
            func.count().label("customers"),
            func.count(m.redeemed_at).label("redeeming"),
            cast(func.sum(m.margin).filter(m.redeemed_at.is_not(None)), Double).label("margin"),
        )
        .select_from(campaign_customer)
        .join(campaign, c.campaign_id == m.campaign_id)
        .join(customer, k.customer_no == m.customer_no)
        # Of the days between: as a comparison of the two, every customer would first be tried with every campaign.
        .where(_treated(), c.type.is_not(None), known >= 0)
        .where(m.campaign_id.not_in(withheld(scope, engine)))
        .group_by(c.type, tenure)
        .order_by(c.type, tenure)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def events(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign with somebody in scope who attended it, the latest first.

    Columns: campaign_id, name, invited (treated), attended (of these), attended_bought (of these, within 14 days
    after), attended_new (attended without an order in scope before the campaign's first day), attended_first (of these,
    who bought for the first time within 14 days after), absent (invited who did not attend), absent_bought (within 14
    days after the first day anybody attended).
    """
    m, c, e = campaign_customer.c, campaign.c, campaign_event.c
    came = (
        select(e.campaign_id, e.customer_no, func.min(e.occurred_at).label("at"))
        .join_from(
            campaign_event,
            campaign_customer,
            and_(m.campaign_id == e.campaign_id, m.customer_no == e.customer_no),
        )
        .where(e.kind == "attended")
        .group_by(e.campaign_id, e.customer_no)
    )
    seen = scope.limit(came, m.store_id).cte("seen")
    begun = select(seen.c.campaign_id, func.min(seen.c.at).label("at")).group_by(seen.c.campaign_id).subquery("begun")
    attended = seen.c.at.is_not(None)
    d = customer_store_day.c
    came_before = d.customer_no.in_(select(seen.c.customer_no))
    before = scope.limit(
        select(d.customer_no, func.min(d.day).label("day")).where(d.orders > 0, came_before).group_by(d.customer_no),
        d.store_id,
    ).subquery("before")
    is_new = and_(attended, func.coalesce(before.c.day >= c.starts_on, True))
    query = (
        select(
            m.campaign_id,
            func.coalesce(func.max(c.name), m.campaign_id).label("name"),
            func.count().label("invited"),
            func.count().filter(attended).label("attended"),
            func.count().filter(attended, _soon(seen.c.at)).label("attended_bought"),
            func.count().filter(is_new).label("attended_new"),
            func.count().filter(is_new, _soon(seen.c.at)).label("attended_first"),
            func.count().filter(~attended).label("absent"),
            func.count().filter(~attended, _soon(begun.c.at)).label("absent_bought"),
        )
        .select_from(campaign_customer)
        .join(begun, begun.c.campaign_id == m.campaign_id)
        .outerjoin(seen, and_(seen.c.campaign_id == m.campaign_id, seen.c.customer_no == m.customer_no))
        .outerjoin(before, before.c.customer_no == m.customer_no)
        .outerjoin(campaign, c.campaign_id == m.campaign_id)
        .where(_treated(), m.campaign_id.not_in(withheld(scope, engine)))
        .group_by(m.campaign_id)
        .order_by(func.max(c.starts_on).desc().nulls_last(), m.campaign_id)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def recommended(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per type of campaign whose messages led anybody in scope to a product: delivered (customers who got a
    message), clicked (of these, on a product). Columns: type, delivered, clicked."""
    m, c, e = campaign_customer.c, campaign.c, campaign_event.c
    clicks = (
        select(e.campaign_id, e.customer_no)
        .join_from(
            campaign_event,
            campaign_customer,
            and_(m.campaign_id == e.campaign_id, m.customer_no == e.customer_no),
        )
        .where(e.kind == "clicked", e.product_id.is_not(None))
        .distinct()
    )
    found = scope.limit(clicks, m.store_id).subquery("clicks")
    clicked = func.count(found.c.customer_no)
    query = (
        select(c.type, func.count().label("delivered"), clicked.label("clicked"))
        .select_from(campaign_customer)
        .join(campaign, c.campaign_id == m.campaign_id)
        .outerjoin(found, and_(found.c.campaign_id == m.campaign_id, found.c.customer_no == m.customer_no))
        .where(m.delivered_at.is_not(None), c.type.is_not(None))
        .group_by(c.type)
        .having(clicked > 0)
        .order_by(c.type)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def _treated() -> ColumnElement[bool]:
    m = campaign_customer.c
    return and_(m.arm.is_not(None), ~m.is_control)


def _soon(after: ColumnElement[Date]) -> ColumnElement[bool]:
    """Whether the first purchase of the window came within ``AFTER_EVENT`` days after an instant."""
    seconds = extract("epoch", campaign_customer.c.bought_at) - extract("epoch", after)
    return and_(seconds >= 0, seconds <= AFTER_EVENT * 86_400)
