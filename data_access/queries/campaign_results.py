"""What a batch kept of campaigns as experiments, by place. ``engine`` is that of the results."""

import pandas as pd
from sqlalchemy import Engine, false, select

from data_access.queries._frame import fetch
from data_access.queries._places import place_of
from data_access.results.tables import (
    campaign_adjusted,
    campaign_arms,
    campaign_balance,
    campaign_checks,
    campaign_lift,
    campaign_result,
    campaign_stores,
    campaign_verdict,
)
from data_access.scope import Scope

KEPT = {
    "arms": campaign_arms,
    "lift": campaign_lift,
    "verdict": campaign_verdict,
    "checks": campaign_checks,
    "adjusted": campaign_adjusted,
    "balance": campaign_balance,
    "stores": campaign_stores,
}


def rows(scope: Scope, engine: Engine, campaign_id: str | None = None) -> pd.DataFrame:
    """One row per campaign (all unless told) with customers in the place that the scope is; none for other scopes.

    Columns as ``campaign_result``, without the place.
    """
    place = place_of(scope, engine)
    columns = [column for name, column in campaign_result.c.items() if name not in ("level", "place_id")]
    query = select(*columns).where(false() if place is None else place.rows(campaign_result))
    if campaign_id is not None:
        query = query.where(campaign_result.c.campaign_id == campaign_id)
    return fetch(scope, engine, query.order_by(campaign_result.c.campaign_id))


def kept(scope: Scope, engine: Engine, campaign_table: str, campaign_id: str | None = None) -> pd.DataFrame:
    """The rows of a table of the report on a campaign (``KEPT``; of all campaigns unless told), in their order."""
    table, place = KEPT[campaign_table], place_of(scope, engine)
    columns = [column for name, column in table.c.items() if name not in ("level", "place_id")]
    query = select(*columns).where(false() if place is None else place.rows(table))
    if campaign_id is not None:
        query = query.where(table.c.campaign_id == campaign_id)
    return fetch(scope, engine, query.order_by(table.c.campaign_id, table.c.position))
