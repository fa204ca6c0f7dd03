"""Campaigns as experiments: who was assigned to which arm, and what they did in its window.

By intention to treat: every assigned customer of the stores in scope, reached or not. A customer of a campaign belongs
to one store. Nothing is told of purchases in a campaign that is ``withheld`` from these stores.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from sqlalchemy import ColumnElement, Double, Engine, Select, and_, case, cast, func, select

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_use import BIT
from data_access.marts.customer_line import customer_line
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import campaign, campaign_arm, campaign_event
from data_access.queries._elsewhere import withheld
from data_access.queries._frame import amount, count, fetch, fetch_many
from data_access.queries.campaigns import concerns
from data_access.scope import Scope

DAYS_BEFORE = 365  # what is known of a customer when a campaign starts: the net sales of a year


def about(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """The rows of campaigns (all unless told), if they have one and the scope sees anything; the latest first.

    Columns: campaign_id, name, type, channel, objective, offer, starts_on, ends_on, window_last, is_planned, and its
    cost (media, messages and other; NaN when none of them is known), staff_hours, platform_conversions.
    """
    c = campaign.c
    known = [c.cost_media, c.cost_message, c.cost_other]
    total = sum((func.coalesce(part, 0) for part in known[1:]), func.coalesce(known[0], 0))
    query = select(
        *(c.campaign_id, c.name, c.type, c.channel, c.objective, c.offer, c.starts_on, c.ends_on, c.window_last),
        c.is_planned,
        cast(case((func.coalesce(*known).is_not(None), total)), Double).label("cost"),
        c.staff_hours,
        c.platform_conversions,
    ).order_by(c.starts_on.desc().nulls_last(), c.campaign_id)
    if campaign_id is not None:
        query = query.where(c.campaign_id == campaign_id)
    return fetch(scope, engine, query.where(concerns(scope, engine, c.campaign_id)))


def outcomes(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign with customers in scope that is not withheld from it.

    Columns: campaign_id, redeeming_customers (of all who redeemed a coupon of it), redemptions; of its treated
    customers buyers, new_buyers (whose first order ever in scope is not before the campaign), net_sales (gross sales
    less the refunds so far of the orders in its window) and margin (of these orders, likewise; NaN when no cost is
    known).
    """
    m, c, e, d = campaign_customer.c, campaign.c, campaign_event.c, customer_store_day.c
    bought = and_(m.arm.is_not(None), ~m.is_control, m.orders > 0)
    first = scope.limit(
        select(d.customer_no, func.min(d.day).label("first_day")).where(d.orders > 0).group_by(d.customer_no),
        d.store_id,
    ).subquery("first")
    query = (
        select(
            m.campaign_id,
            func.count(m.redeemed_at).label("redeeming_customers"),
            func.count().filter(bought).label("buyers"),
            func.count().filter(bought, first.c.first_day >= c.starts_on).label("new_buyers"),
            amount(m.gross_sales - m.returns_of_sales, bought).label("net_sales"),
            cast(func.sum(m.margin).filter(bought), Double).label("margin"),
        )
        .select_from(campaign_customer)
        .outerjoin(campaign, c.campaign_id == m.campaign_id)
        .outerjoin(first, first.c.customer_no == m.customer_no)
        .where(m.campaign_id.not_in(withheld(scope, engine)))
        .group_by(m.campaign_id)
    )
    redeemed = (
        select(m.campaign_id, func.count().label("redemptions"))
        .join_from(
            campaign_customer,
            campaign_event,
            and_(e.campaign_id == m.campaign_id, e.customer_no == m.customer_no, e.kind == "redeemed"),
        )
        .group_by(m.campaign_id)
    )
    found = fetch(scope, engine, scope.limit(query, m.store_id))
    times = fetch(scope, engine, scope.limit(redeemed, m.store_id))
    return found.assign(
        redemptions=found["campaign_id"].map(times.set_index("campaign_id")["redemptions"]).fillna(0).astype("int64")
    )


def units(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per campaign whose treated customers bought in the stores in scope within its window, of those not
    ``withheld``. Columns: campaign_id, units (sold to them there, samples and gifts included)."""
    m, c, n = campaign_customer.c, campaign.c, customer_line.c
    within = and_(n.customer_no == m.customer_no, n.day >= c.starts_on, n.day <= c.window_last)
    query = (
        select(m.campaign_id, cast(func.sum(n.quantity), Double).label("units"))
        .select_from(campaign_customer.join(campaign, c.campaign_id == m.campaign_id).join(customer_line, within))
        .where(m.arm.is_not(None), ~m.is_control, m.orders > 0, m.campaign_id.not_in(withheld(scope, engine)))
        .group_by(m.campaign_id)
        .order_by(m.campaign_id)
    )
    return fetch(scope, engine, scope.limit(scope.limit(query, m.store_id), n.store_id))


def arms(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per campaign (all unless told) and arm with customers in scope, by name.

    Columns: campaign_id, arm, is_control, planned_share (NaN when nobody said), people (assigned to it), visitors,
    buyers, orders (NaN where the campaign is withheld).
    """
    m, a = campaign_customer.c, campaign_arm.c
    query = (
        _assigned(
            campaign_id,
            m.campaign_id,
            m.arm,
            m.is_control,
            func.max(a.planned_share).label("planned_share"),
            func.count().label("people"),
            _took("visited").label("visitors"),
            _took("bought").label("buyers"),
            count(m.orders).label("orders"),
        )
        .outerjoin(campaign_arm, and_(a.campaign_id == m.campaign_id, a.arm == m.arm))
        .group_by(m.campaign_id, m.arm, m.is_control)
        .order_by(m.campaign_id, m.arm)
    )
    found = fetch(scope, engine, scope.limit(query, m.store_id))
    hidden = found["campaign_id"].isin(withheld(scope, engine, _only(campaign_id)))
    if hidden.any():
        found[["buyers", "orders"]] = found[["buyers", "orders"]].astype("float64").mask(hidden)
    return found


def buyers(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per campaign (all unless told) and assigned customer in scope who bought in the window, by pseudonym.

    Columns: campaign_id, arm, orders, spend (gross sales less the refunds so far of these orders), margin (of these
    orders, what came back taken out; NaN when the cost of none is known).
    """
    m = campaign_customer.c
    query = (
        _assigned(
            campaign_id,
            m.campaign_id,
            m.arm,
            m.orders,
            cast(m.gross_sales - m.returns_of_sales, Double).label("spend"),
            cast(m.margin, Double).label("margin"),
        )
        .where(m.orders > 0, m.campaign_id.not_in(withheld(scope, engine, _only(campaign_id))))
        .order_by(m.campaign_id, m.customer_no)
    )
    return fetch_many(scope, engine, scope.limit(query, m.store_id), categories=["campaign_id", "arm"])


def before(scope: Scope, engine: Engine, campaign_ids: Sequence[str]) -> pd.DataFrame:
    """One row per campaign and arm with customers in scope: what they spent in the own year before it, x, as sums.

    Columns: campaign_id, arm, x, xx (sums of x and of its square), xy (with the spend of the campaign's window).
    Campaigns without a first day have none.
    """
    m, c, d = campaign_customer.c, campaign.c, customer_store_day.c
    asked = [m.campaign_id.in_(campaign_ids), m.arm.is_not(None)]
    earlier = and_(d.customer_no == m.customer_no, d.day >= c.starts_on - DAYS_BEFORE, d.day < c.starts_on)
    bought = (
        select(m.campaign_id, m.customer_no, func.sum(d.net_sales).label("x"))
        .select_from(campaign_customer.join(campaign, c.campaign_id == m.campaign_id).join(customer_store_day, earlier))
        .where(*asked)
        .group_by(m.campaign_id, m.customer_no)
    )
    past = scope.limit(scope.limit(bought, m.store_id), d.store_id).subquery("past")
    x, y = cast(past.c.x, Double), cast(m.gross_sales - m.returns_of_sales, Double)
    same = and_(past.c.campaign_id == m.campaign_id, past.c.customer_no == m.customer_no)
    query = (
        select(m.campaign_id, m.arm, amount(x).label("x"), amount(x * x).label("xx"), amount(x * y).label("xy"))
        .select_from(campaign_customer.join(campaign, c.campaign_id == m.campaign_id).outerjoin(past, same))
        .where(*asked, c.starts_on.is_not(None), m.campaign_id.not_in(withheld(scope, engine, campaign_ids)))
        .group_by(m.campaign_id, m.arm)
        .order_by(m.campaign_id, m.arm)
    )
    return fetch(scope, engine, scope.limit(query, m.store_id))


def _assigned(campaign_id: str | None, *columns: ColumnElement[Any]) -> Select[Any]:
    """Of the customers that somebody assigned to an arm of the campaign, or of any."""
    m = campaign_customer.c
    query = select(*columns).select_from(campaign_customer).where(m.arm.is_not(None))
    return query if campaign_id is None else query.where(m.campaign_id == campaign_id)


def _only(campaign_id: str | None) -> list[str] | None:
    return None if campaign_id is None else [campaign_id]


def _took(step: str) -> ColumnElement[int]:
    return func.count().filter(campaign_customer.c.reached.bitwise_and(BIT[step]) > 0)
