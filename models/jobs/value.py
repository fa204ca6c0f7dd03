"""The job ``value``: what customers of every place have brought and will bring, and how far that held before."""

from typing import NamedTuple

import pandas as pd

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.shared_day import shared_day
from data_access.marts.tables import customer_rank, product, return_line, sale_line, sale_order
from data_access.queries import value as queries
from data_access.queries.value import KEPT
from data_access.results.tables import value_check, value_score
from data_access.snapshot import Snapshot
from models.calc import concentration, likelihood, purchases, spend
from models.calc import value as totals
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import value as report

_INPUTS = (customer_store_day, shared_day, sale_order, sale_line, return_line, product, customer_rank, place_store)
_CODE = (report, queries, purchases, spend, totals, likelihood, concentration)


class _Found(NamedTuple):
    """The rows of one place: of the report's tables by name, the day its check begins, everybody's scores."""

    tables: dict[str, pd.DataFrame]
    check: pd.DataFrame
    scores: pd.DataFrame


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    places = job.every_place(snapshot)
    for done, (place, found) in enumerate(job.spread_places(snapshot, _of_place, places), start=1):
        for name, rows in found.tables.items():
            write(KEPT[name], place.rows(_numbered(rows)))
        write(value_check, place.rows(found.check))
        write(value_score, place.rows(_numbered(found.scores)))
        step(done, len(places))


def _of_place(snapshot: Snapshot, place: PlaceScope) -> _Found:
    as_of = snapshot.info.last_day
    assert as_of is not None
    made, scores = report.computed(snapshot, place.scope, as_of)
    check = report.computed_check(snapshot, place.scope, as_of)
    scores = report.with_details(snapshot, place.scope, as_of, scores)
    tables = {name: getattr(made, name) for name in report.KEPT}
    if check is not None:
        tables |= {"holdout": check.holdout, "calibration": check.calibration}
    return _Found(tables, pd.DataFrame({"starts_on": [check and check.as_of]}), scores)


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(position=range(len(rows)))


JOB = Job(report.JOB, (*KEPT.values(), value_check, value_score), _fingerprint, _run)
