"""On which channels customers may be reached, as of the last refresh."""

from collections.abc import Collection

import pandas as pd
from sqlalchemy import Engine, Subquery, or_, select

from data_access.marts.consent_breach import MARKETING
from data_access.marts.customer_line import customer_line
from data_access.marts.customer_place import customer_place
from data_access.marts.tables import consent, customer
from data_access.queries._frame import fetch, one_of
from data_access.queries._places import place_of
from data_access.scope import Scope

SERVICE = "service"
PHONE = "phone"


def channels(scope: Scope, engine: Engine, customers: Collection[int]) -> pd.DataFrame:
    """One row per agreement that lives, of these customers as far as they bought in the stores in scope.

    To marketing only those known to be adults can agree. Columns: customer_no, channel, purpose (marketing | service).
    """
    c, here = consent.c, bought_here(scope, engine, customers)
    query = (
        select(c.customer_no, c.channel, c.purpose)
        .distinct()
        .join_from(consent, here, here.c.customer_no == c.customer_no)
        .join(customer, customer.c.customer_no == c.customer_no)
        .where(c.withdrawn_at.is_(None), c.purpose.in_((MARKETING, SERVICE)))
        .where(or_(c.purpose == SERVICE, customer.c.is_adult))
        .order_by(c.customer_no, c.channel, c.purpose)
    )
    return fetch(scope, engine, query)


def bought_here(scope: Scope, engine: Engine, customers: Collection[int]) -> Subquery:
    """Those of ``customers`` who bought in the stores in scope, by number: of a place from its customers, who are fewer
    than the lines. Column: customer_no."""
    place, line, k = place_of(scope, engine), customer_line.c, customer_place.c
    if place is not None:
        known = place.rows(customer_place), k.orders > 0, one_of(k.customer_no, customers)
        return select(k.customer_no).where(*known).subquery("here")
    bought = select(line.customer_no).distinct().where(one_of(line.customer_no, customers))
    return scope.limit(bought, line.store_id).subquery("here")
