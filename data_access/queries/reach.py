"""On which channels customers may be reached, as of the last refresh."""

from collections.abc import Collection

import pandas as pd
from sqlalchemy import Engine, or_, select

from data_access.marts.consent_breach import MARKETING
from data_access.marts.customer_line import customer_line
from data_access.marts.tables import consent, customer
from data_access.queries._frame import fetch, one_of
from data_access.scope import Scope

SERVICE = "service"
PHONE = "phone"


def channels(scope: Scope, engine: Engine, customers: Collection[int]) -> pd.DataFrame:
    """One row per agreement that lives, of these customers as far as they bought in the stores in scope.

    To marketing only those known to be adults can agree. Columns: customer_no, channel, purpose (marketing | service).
    """
    line, c = customer_line.c, consent.c
    bought = select(line.customer_no).distinct().where(one_of(line.customer_no, customers))
    here = scope.limit(bought, line.store_id).subquery("here")
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
