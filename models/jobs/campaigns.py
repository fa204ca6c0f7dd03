"""The job ``campaigns``: what every campaign caused in every place; frozen once its window has closed."""

import pandas as pd

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_use import campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.store_day import store_day
from data_access.marts.tables import (
    campaign,
    campaign_arm,
    campaign_event,
    campaign_store,
    customer,
    data_source,
    store,
)
from data_access.queries import campaign as queries
from data_access.queries import campaign_effects
from data_access.queries import campaigns as all_campaigns
from data_access.queries.campaign_results import KEPT
from data_access.results.tables import campaign_result
from data_access.snapshot import Snapshot
from models.calc import adjusted, experiment, lift, store_difference
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import campaign_basis, campaign_results, campaigns
from models.reports.campaign_results import RESULT

_INPUTS = (
    campaign,
    campaign_arm,
    campaign_customer,
    campaign_event,
    campaign_store,
    campaign_use,
    customer,
    customer_store_day,
    data_source,
    place_store,
    store,
    store_day,
)
_METHOD = (
    *(campaign_results, campaign_basis, campaigns, queries, all_campaigns, campaign_effects),
    *(adjusted, experiment, lift, store_difference),
)
_TABLES = {RESULT: campaign_result, **KEPT}


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_METHOD)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    job.write_places(snapshot, _of_place, job.every_place(snapshot), _TABLES, write, step)


def _of_place(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    scope = place.scope
    before = campaign_results.carried_over(snapshot, scope)
    frozen = set(before[RESULT]["campaign_id"])
    judged = campaign_results.judged(snapshot, scope, campaigns.costs_of(snapshot, scope), without=frozen)
    stores = campaign_results.of_stores(snapshot, scope, without=frozen)
    results = campaigns.results(snapshot, scope, judged, stores)
    others = results[~results["campaign_id"].isin(frozen)]
    new = campaign_results.computed(snapshot, scope, others, judged, stores, job.code_version(_METHOD))
    return {name: job.together(before.get(name), rows) for name, rows in new.items()}


JOB = Job(campaign_results.JOB, tuple(_TABLES.values()), _fingerprint, _run, carries=True)
