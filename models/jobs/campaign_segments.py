"""The job ``campaign_segments``: what campaigns did by the segment of their customers, and how far those went."""

import pandas as pd

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.campaign_use import campaign_use
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.segment_rules import fingerprint as rules
from data_access.marts.tables import campaign, campaign_event, customer, customer_rank, data_source, sale_order
from data_access.queries import _segments_then, _walks
from data_access.queries import campaign_segments as queries
from data_access.results.tables import campaign_segment, campaign_segment_path
from data_access.snapshot import Snapshot
from models.calc import experiment, lift
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import campaign_segments, campaigns
from models.reports.campaign_segments import PATHS, ROWS

_INPUTS = (
    campaign,
    campaign_customer,
    campaign_event,
    campaign_use,
    customer,
    customer_rank,
    customer_store_day,
    data_source,
    place_store,
    sale_order,
)
_CODE = (campaign_segments, queries, _segments_then, _walks, experiment, lift)
_TABLES = {ROWS: campaign_segment, PATHS: campaign_segment_path}


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=rules())


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    # A store has too few customers of a segment for a verdict, and its funnel by segment takes a tenth of a second.
    places = [place for place in job.every_place(snapshot) if place.level != "store"]
    job.write_places(snapshot, _of_place, places, _TABLES, write, step)


def _of_place(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    before = campaign_segments.carried_over(snapshot, place.scope)
    costs = campaigns.costs_of(snapshot, place.scope)
    new = campaign_segments.computed(snapshot, place.scope, costs, set(before[ROWS]["campaign_id"]))
    return {name: job.together(before[name], rows) for name, rows in new.items()}


JOB = Job(campaign_segments.JOB, tuple(_TABLES.values()), _fingerprint, _run, carries=True)
