"""The job ``attribution``: every order of the chain that a campaign is credited with by its last touch."""

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign_event, sale_order
from data_access.queries import attribution as queries
from data_access.results.tables import credited_order
from data_access.snapshot import Snapshot
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import attribution as report


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=(campaign_customer, campaign_event, sale_order), code=(queries,))


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    first, last = snapshot.info.first_day, snapshot.info.last_day
    if first is None or last is None:
        return
    write(credited_order, queries.credited(WHOLE, snapshot.engine, first, last)[credited_order.c.keys()])
    step(1, 1)


JOB = Job(report.JOB, (credited_order,), _fingerprint, _run)
