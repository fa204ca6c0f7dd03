"""What a campaign is judged by besides its sums: purchases day by day, and customers like those it was for.

Purchases are those in the stores in scope, as booked on their day.
"""

from collections.abc import Sequence
from datetime import date

import pandas as pd
from sqlalchemy import (
    Double,
    Engine,
    and_,
    case,
    cast,
    func,
    or_,
    select,
)

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.store_day import store_day
from data_access.marts.tables import campaign_store, customer, store
from data_access.queries._frame import fetch, fetch_many, ten_thousandths
from data_access.scope import Scope


def days(scope: Scope, engine: Engine, campaign_id: str, first_day: date, last_day: date) -> pd.DataFrame:
    """One row per assigned customer and day of the window with an order in scope, by pseudonym and day.

    Columns: customer_no, is_control, day, spend (net sales), margin (NaN on days of which no cost is known).
    """
    m, d = campaign_customer.c, customer_store_day.c
    query = (
        select(
            m.customer_no,
            m.is_control,
            d.day,
            cast(func.sum(d.net_sales), Double).label("spend"),
            cast(func.sum(case((d.costed_sales != 0, d.margin))), Double).label("margin"),
        )
        .join_from(
            campaign_customer,
            customer_store_day,
            and_(d.customer_no == m.customer_no, d.day.between(first_day, last_day), d.orders > 0),
        )
        .where(m.campaign_id == campaign_id, m.arm.is_not(None))
        .group_by(m.customer_no, m.is_control, d.day)
        .order_by(m.customer_no, d.day)
    )
    return fetch_many(scope, engine, scope.limit(scope.limit(query, m.store_id), d.store_id))


def candidates(scope: Scope, engine: Engine) -> pd.DataFrame:
    """One row per customer at home in the stores in scope, by number.

    Columns: customer_no, place (in the order in which customers are drawn, by the pseudonym), joined_on, is_female.
    """
    c = customer.c
    query = select(
        c.customer_no,
        func.hash(c.customer_no).label("place"),
        c.joined_on,
        func.coalesce(c.gender == "female", False).label("is_female"),
    ).order_by(c.customer_no)
    return fetch_many(scope, engine, scope.limit(query, c.home_store_id))


def members(scope: Scope, engine: Engine, campaign_ids: Sequence[str]) -> pd.DataFrame:
    """One row per campaign and customer of the stores in scope who is in it: campaign_id, customer_no, is_treated."""
    m = campaign_customer.c
    query = (
        select(m.campaign_id, m.customer_no, and_(m.arm.is_not(None), ~m.is_control).label("is_treated"))
        .where(m.campaign_id.in_(campaign_ids))
        .order_by(m.campaign_id, m.customer_no)
    )
    return fetch_many(scope, engine, scope.limit(query, m.store_id), categories=["campaign_id"])


def bought(
    scope: Scope, engine: Engine, campaign_ids: Sequence[str], highest: int, first_day: date, last_day: date
) -> pd.DataFrame:
    """What the treated of some campaigns, and whoever is drawn up to the place ``highest``, bought in the stores in
    scope, by day.

    Columns: customer_no, day, orders, and net_sales and margin as whole ten-thousandths.
    """
    m, d, c = campaign_customer.c, customer_store_day.c, customer.c
    treated = scope.limit(
        select(m.customer_no).where(m.campaign_id.in_(campaign_ids), m.arm.is_not(None), ~m.is_control), m.store_id
    )
    drawn = scope.limit(select(c.customer_no).where(func.hash(c.customer_no) <= highest), c.home_store_id)
    query = (
        select(
            d.customer_no,
            d.day,
            d.orders,
            ten_thousandths(d.net_sales).label("net_sales"),
            ten_thousandths(d.margin).label("margin"),
        )
        .where(d.day.between(first_day, last_day), or_(d.customer_no.in_(treated), d.customer_no.in_(drawn)))
        .order_by(d.day)
    )
    return fetch_many(scope, engine, scope.limit(query, d.store_id))


def store_days(scope: Scope, engine: Engine, campaign_id: str, first_day: date, last_day: date) -> pd.DataFrame:
    """One row per store in scope and day with sales: what was sold there to whomever, and whether the store takes part.

    Stores of the kinds that take part only: a shop says nothing of what an online store would have sold.
    Columns: store_id, takes_part, day, net_sales, gross_sales, cost (NaN: unknown).
    """
    d, s, k = store_day.c, campaign_store.c, store.c
    own = scope.limit(select(s.store_id).where(s.campaign_id == campaign_id), s.store_id).subquery("own")
    kinds = scope.limit(select(k.store_id, k.kind), k.store_id).subquery("kinds")
    taking_part = select(kinds.c.kind).join(own, own.c.store_id == kinds.c.store_id)
    query = (
        select(
            d.store_id,
            own.c.store_id.is_not(None).label("takes_part"),
            d.day,
            *(cast(d[name], Double).label(name) for name in ("net_sales", "gross_sales", "cost")),
        )
        .select_from(store_day.join(kinds, kinds.c.store_id == d.store_id).outerjoin(own, own.c.store_id == d.store_id))
        .where(d.day.between(first_day, last_day), kinds.c.kind.in_(taking_part))
        .order_by(d.store_id, d.day)
    )
    return fetch(scope, engine, scope.limit(query, d.store_id))
