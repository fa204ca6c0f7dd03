"""The job ``lapse``: who stops coming to every place, who is about to, and how far such judgements held."""

import pandas as pd

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.tables import product, store
from data_access.queries import lapse as queries
from data_access.queries.lapse import KEPT, RENAMED
from data_access.snapshot import Snapshot
from models.calc import churn, growth, purchases
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import lapse as report
from models.reports._shape import tables

_INPUTS = (customer_store_day, place_store, product, store)
_CODE = (report, queries, churn, growth, purchases)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    job.write_places(snapshot, _of_place, job.every_place(snapshot), KEPT, write, step)


def _of_place(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    as_of = snapshot.info.last_day
    assert as_of is not None
    found = tables(report.computed(snapshot, place.scope, as_of, report.MOST_MEMBERS))
    return {name: rows.rename(columns=RENAMED).assign(position=range(len(rows))) for name, rows in found.items()}


JOB = Job(report.JOB, tuple(KEPT.values()), _fingerprint, _run)
