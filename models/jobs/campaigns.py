"""The job ``campaigns``: what every campaign did in every place."""

import pandas as pd

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_use import campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.tables import campaign, campaign_arm, campaign_event
from data_access.queries import campaign as queries
from data_access.queries import campaigns as all_campaigns
from data_access.results.tables import campaign_result
from data_access.snapshot import Snapshot
from models.calc import experiment, lift
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import campaigns

_INPUTS = (
    campaign,
    campaign_arm,
    campaign_customer,
    campaign_event,
    campaign_use,
    customer_store_day,
    place_store,
)
_CODE = (campaigns, queries, all_campaigns, experiment, lift)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    places = job.every_place(snapshot)
    for done, (_, rows) in enumerate(job.spread(snapshot, results, places), start=1):
        write(campaign_result, rows)
        step(done, len(places))


def results(snapshot: Snapshot, place: PlaceScope) -> pd.DataFrame:
    """The rows of one place, by campaign."""
    costs = campaigns.costs_of(snapshot, place.scope)
    found = campaigns.results(snapshot, place.scope, costs).sort_values("campaign_id")
    return place.rows(found)[campaign_result.c.keys()]


JOB = Job("campaigns", (campaign_result,), _fingerprint, _run)
