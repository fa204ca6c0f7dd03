"""What campaigns did for the customers of each segment."""

from datetime import date

import numpy as np
import pandas as pd
from sqlalchemy import Engine, func, or_, select

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign, customer
from data_access.queries._frame import fetch, fetch_many
from data_access.queries._segments_then import SegmentsThen
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


def treatments(scope: Scope, engine: Engine, as_of: date, campaign_id: str) -> pd.DataFrame:
    """One row per named segment at the end of ``as_of``, and who of it a campaign was for.

    By intention to treat: treated and control (assigned), treated_buyers and control_buyers (an order in its window).

    Columns: segment, customers, treated, control, treated_buyers, control_buyers.
    """
    then, m, h = SegmentsThen(scope, engine, as_of, as_of), campaign_customer.c, customer.c
    registered = select(h.customer_no).where(or_(h.joined_on.is_(None), h.joined_on <= as_of))
    at_home = fetch_many(scope, engine, scope.limit(registered, h.home_store_id))["customer_no"]
    everybody = pd.Series(np.union1d(then.buyers(as_of), at_home.to_numpy()))
    arms = select(m.customer_no, m.is_control, (func.coalesce(m.orders, 0) > 0).label("bought")).where(
        m.campaign_id == campaign_id, m.arm.is_not(None)
    )
    assigned = fetch_many(scope, engine, scope.limit(arms, m.store_id))
    control, bought = assigned["is_control"], assigned["bought"]
    rows = {
        "treated": ~control,
        "control": control,
        "treated_buyers": ~control & bought,
        "control_buyers": control & bought,
    }
    counts = {name: everybody.isin(assigned.loc[of, "customer_no"]) for name, of in rows.items()}
    joined_by_then = pd.Series(pd.NaT, index=everybody.index)
    segment = pd.Series(then.of(everybody, joined_by_then, as_of), name="segment", dtype="str")
    each = pd.DataFrame({"customers": everybody.notna(), **counts})
    return each.groupby(segment).sum().reset_index()
