"""How far each treated customer went in one campaign, by any grouping, and who stopped where.

Steps as in ``data_access.marts.campaign_customer``, for the customers of the stores in scope. Of purchases only those
in the stores in scope count here: who of a few people bought elsewhere is the business of the stores there.
"""

from datetime import date, timedelta
from typing import Any

import pandas as pd
from sqlalchemy import (
    ColumnElement,
    Double,
    Engine,
    and_,
    case,
    cast,
    func,
    select,
)

from data_access.marts.campaign_use import BIT, STEPS, campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.tables import customer
from data_access.queries._frame import customer_key, fetch, fetch_many
from data_access.queries._walks import Walk as Walk
from data_access.queries._walks import has, seconds, walked_by
from data_access.scope import Scope

GROUPINGS = ("segment", "store", "channel", "staff")
TIMED = tuple(step for step in STEPS if step != "targeted")
YEAR = 365  # days up to a campaign's first whose net sales say who is worth a call


def used_steps(scope: Scope, engine: Engine, campaign_id: str) -> pd.DataFrame:
    """The steps that anybody took in the campaign and purchases, in their order. Column: step."""
    u = campaign_use.c
    known = select(u.steps).where(u.campaign_id == campaign_id)
    found = fetch(scope, engine, known)
    mask = int(found["steps"].iloc[0]) if len(found) and _sees_anything(scope) else None
    taken = [] if mask is None else [step for step in STEPS if BIT[step] & mask or step in ("bought", "bought_again")]
    return pd.DataFrame({"step": pd.Series(taken, dtype="str")})


def walked(scope: Scope, engine: Engine, walk: Walk, by: str | None = None) -> pd.DataFrame:
    """One row per treated customer: how far and how fast, and what tells the group ``by`` (of ``GROUPINGS``).

    Columns: taken (the set of steps, by ``campaign_use.BIT``), for each of ``TIMED`` the hours since the first step as
    hours_<step> (NaN: not taken, or nobody knows when), and of the group store_id, channel, staff_id (of the adviser;
    the three missing: nobody knows one) or, for the segment, customer_no and joined_on.
    """
    found, k = walked_by(scope, walk), customer.c
    w = found.c
    of_group: dict[str | None, tuple[ColumnElement[Any], ...]] = {
        "segment": (w.customer_no, k.joined_on),
        "store": (w.store_id,),
        "channel": (w.channel,),
        "staff": (k.owner_staff_id.label("staff_id"),),
    }
    hours = (
        case((has(w.taken, step), seconds(w[f"{step}_at"], w.first_at) / 3600)).label(f"hours_{step}") for step in TIMED
    )
    query = select(w.taken, *of_group.get(by, ()), *hours)
    if by in ("segment", "staff"):  # to look everybody up takes as long as all the rest
        query = query.select_from(found.outerjoin(customer, k.customer_no == w.customer_no))
    return fetch_many(scope, engine, query)


def stopped(scope: Scope, engine: Engine, walk: Walk, step: str, before: date, limit: int) -> pd.DataFrame:
    """Who took ``step`` and none of the later ones, who spent most in the year before the day ``before`` first.

    Columns: customer_key, store_id (missing: nobody knows one), channel, happened_at (of the step, UTC; NaT when nobody
    knows), net_sales and last_day (of that year, in the stores in scope).
    """
    walked = walked_by(scope, walk)
    w, d = walked.c, customer_store_day.c
    later = sum(BIT[name] for name in STEPS[STEPS.index(step) + 1 :])
    here = and_(has(w.taken, step), w.taken.bitwise_and(later) == 0)
    year = d.day.between(before - timedelta(days=YEAR), before - timedelta(days=1))
    spent = scope.limit(
        select(
            d.customer_no,
            func.sum(d.net_sales).label("net_sales"),
            func.max(case((d.orders > 0, d.day))).label("last_day"),
        )
        .where(year)
        .group_by(d.customer_no),
        d.store_id,
    ).subquery("spent")
    query = (
        select(
            customer_key(w.customer_no).label("customer_key"),
            w.store_id,
            w.channel,
            (w.first_at if step == "targeted" else w[f"{step}_at"]).label("happened_at"),
            cast(func.coalesce(spent.c.net_sales, 0), Double).label("net_sales"),
            spent.c.last_day,
        )
        .select_from(walked.outerjoin(spent, spent.c.customer_no == w.customer_no))
        .where(here)
        .order_by(func.coalesce(spent.c.net_sales, 0).desc(), w.customer_no)
        .limit(limit)
    )
    return fetch(scope, engine, query)


def _sees_anything(scope: Scope) -> bool:
    return scope.kind == "chain" or bool(scope.store_ids)
