"""The job ``attribution``: every order of the chain that a campaign is credited with by its last touch, and whom
messages reached lately."""

from datetime import timedelta

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.tables import campaign_event, sale_order
from data_access.queries import attribution as queries
from data_access.results.tables import contacted_customer, credited_order
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
    step(1, 1 + len(queries.DAYS))
    for done, days in enumerate(sorted(queries.DAYS), start=2):
        rows = queries.contacted(WHOLE, snapshot.engine, last - timedelta(days=days - 1), last)
        write(contacted_customer, rows.assign(days=days)[contacted_customer.c.keys()])
        step(done, 1 + len(queries.DAYS))


JOB = Job(report.JOB, (credited_order, contacted_customer), _fingerprint, _run)
