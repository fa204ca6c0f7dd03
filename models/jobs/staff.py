"""The job ``staff``: what each person of the chain sold in the days mostly asked for, beside what their shifts lead one
to expect, what of which category, what came back of it by month, and what figures the people of the chain have."""

import pandas as pd

from data_access.marts.staff_day import staff_day
from data_access.marts.store_hour import store_hour
from data_access.marts.tables import (
    customer,
    follow_up,
    product,
    return_line,
    sale_line,
    sale_order,
    store_traffic,
    survey_answer,
    ticket,
)
from data_access.marts.tables import staff as people
from data_access.queries import staff as queries
from data_access.results.tables import staff_category, staff_month, staff_quantile, staff_result, staff_spread
from data_access.snapshot import Snapshot
from models.calc import periods, staff_effects
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import staff as report

_INPUTS = (
    staff_day, store_hour, customer, follow_up, product, return_line, sale_line, sale_order, store_traffic,
    survey_answer, ticket, people,
)  # fmt: skip
_CODE = (report, queries, staff_effects, periods)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    first, last = snapshot.info.first_day, snapshot.info.last_day
    if first is None or last is None:
        return
    write(staff_quantile, report.quantiles(snapshot, WHOLE))
    write(staff_month, queries.returns_of_months(WHOLE, snapshot.engine))
    asked = periods.every(first, last)
    for done, period in enumerate(asked, start=1):
        rows, spread = report.computed(snapshot, WHOLE, period)
        days = {"first_day": period.first, "last_day": period.last}
        write(staff_result, rows.assign(**days)[staff_result.c.keys()].sort_values(["store_id", "staff_id"]))
        write(staff_spread, pd.DataFrame([{**days, "spread": spread}]))
        write(staff_category, queries.sold(WHOLE, snapshot.engine, period).assign(**days)[staff_category.c.keys()])
        step(done, len(asked))


JOB = Job(report.JOB, (staff_result, staff_category, staff_month, staff_spread, staff_quantile), _fingerprint, _run)
