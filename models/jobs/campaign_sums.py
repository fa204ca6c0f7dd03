"""The job ``campaign_sums``: for every place, what reports on all campaigns together count over their customers.

No row names a customer. Whoever asks for a set of stores that is no place waits for the same functions that compute
them here.
"""

import pandas as pd

from data_access.marts import _returns
from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.tables import (
    campaign,
    campaign_event,
    coupon,
    customer,
    product,
    return_line,
    sale_line,
    sale_order,
)
from data_access.queries import _elsewhere, mechanics
from data_access.queries import allocation as allocation_queries
from data_access.queries import attribution as attribution_queries
from data_access.queries import campaigns as campaign_queries
from data_access.results.frames import to_bytes
from data_access.results.tables import campaign_frame
from data_access.snapshot import Snapshot
from models.calc import coupons as coupons_calc
from models.jobs import job
from models.jobs.attribution import JOB as ATTRIBUTION
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import _kept, allocation, attribution, campaigns, coupons

_INPUTS = (
    *(campaign, campaign_customer, campaign_event, coupon, customer, customer_store_day, place_store),
    *(product, return_line, sale_line, sale_order),
)
_CODE = (
    *(allocation, allocation_queries, attribution, attribution_queries, campaign_queries, coupons, coupons_calc),
    *(mechanics, _elsewhere, _returns),
)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=attribution_queries.DAYS)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    tables = {campaign_frame.name: campaign_frame}
    job.write_places(snapshot, rows_of, job.every_place(snapshot), tables, write, step)


def rows_of(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    """What the results keep of a place by the name of its table, but for the columns that name the place."""
    scope = place.scope
    found: dict[tuple[str, str], _kept.Frames] = {
        (allocation.NAME, ""): allocation.added_up(snapshot, scope),
        (coupons.NAME, ""): coupons.added_up(snapshot, scope),
        (campaigns.NAME, ""): {"discounts": mechanics.discounts(scope, snapshot.engine)},
        (attribution.JOB, attribution.CAMPAIGNS): attribution.of_campaigns(snapshot, scope),
    }
    for days in attribution_queries.DAYS:
        found[attribution.JOB, str(days)] = attribution.added_up(snapshot, scope, days)
    rows = [(*key, name, to_bytes(frame)) for key, frames in found.items() for name, frame in frames.items()]
    return {campaign_frame.name: pd.DataFrame(rows, columns=["report", "choice", "name", "rows"])}


JOB = Job(_kept.CAMPAIGN_SUMS, (campaign_frame,), _fingerprint, _run, needs=ATTRIBUTION)
