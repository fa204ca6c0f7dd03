"""The job ``teams``: for every place, as of the last day, reports on stores and their people that add up many tables;
and the figures of every store in the periods that people mostly ask for.

They name people by their ids and no customer. Whoever asks for another day or a set of stores that is no place waits
for the same functions that compute them here.
"""

from dataclasses import fields

import pandas as pd

from data_access.marts.answer_day import answer_day
from data_access.marts.cohort_month import cohort_month
from data_access.marts.place_store import place_store
from data_access.marts.staff_day import staff_day
from data_access.marts.stock_position import stock_position
from data_access.marts.store_day import store_day
from data_access.marts.store_hour import store_hour
from data_access.marts.tables import (
    course,
    return_line,
    sale_order,
    sales_target,
    store,
    store_closure,
    store_traffic,
    survey_answer,
    ticket,
    training_record,
)
from data_access.marts.tables import staff as people
from data_access.queries import readiness as readiness_queries
from data_access.queries import scorecard as scorecard_queries
from data_access.queries import staff, stores, training
from data_access.results.frames import to_bytes
from data_access.results.tables import store_figure, team_frame
from data_access.scope import Period
from data_access.snapshot import Snapshot
from models.calc import periods
from models.calc import readiness as calc
from models.jobs import job
from models.jobs.forecast import JOB as FORECAST
from models.jobs.job import WHOLE, Job, PlaceScope, Step, Write
from models.reports import _kept, tables
from models.reports import readiness as readiness_report
from models.reports import scorecard as scorecard_report
from models.reports import staff_goals as goals_report
from models.reports import stores as stores_report
from models.reports import training as training_report
from models.reports._compare import compare

_INPUTS = (
    *(answer_day, cohort_month, place_store, staff_day, store_day, store_hour, store, store_closure, store_traffic),
    *(stock_position, course, people, return_line, sale_order, sales_target, survey_answer, ticket, training_record),
)
_CODE = (
    *(calc, periods, readiness_queries, scorecard_queries, staff, stores, training),
    *(readiness_report, scorecard_report, goals_report, stores_report, training_report),
)


def job_for(ahead: Job) -> Job:
    """The job, with the events as the forecast ``ahead`` knows them."""

    def fingerprint(snapshot: Snapshot) -> str:
        return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=ahead.fingerprint(snapshot))

    return Job(_kept.TEAMS, (store_figure, team_frame), fingerprint, _run, needs=ahead)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    write_figures(snapshot, write)
    places = job.every_place(snapshot)
    job.write_places(snapshot, rows_of, places, {team_frame.name: team_frame}, write, step)


def write_figures(snapshot: Snapshot, write: Write) -> None:
    """The part of the job that is about stores alone."""
    first, last = snapshot.info.first_day, snapshot.info.last_day
    if first is None or last is None:
        return
    facts = stores.facts(WHOLE, snapshot.engine).set_index("store_id")
    for period in periods.every(first, last):
        write(store_figure, _figures(snapshot, period, facts))


def _figures(snapshot: Snapshot, period: Period, facts: pd.DataFrame) -> pd.DataFrame:
    """The figures of every store in a period, as rows of results."""
    comparison = compare(snapshot.info, period)
    assert comparison is not None, "the data cover their own presets"
    found = stores_report.beside_last_year(snapshot, WHOLE, comparison, facts)[list(stores_report.KEPT)]
    return found.reset_index().assign(first_day=period.first, last_day=period.last)


def rows_of(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    """What the results keep of a place by the name of its table, but for the columns that name the place."""
    last, scope = snapshot.info.last_day, place.scope
    assert last is not None, "without a day of data there is nothing to keep"
    ready = readiness_report.computed(snapshot, scope)
    until = pd.DataFrame({"day": [pd.Timestamp(day) for day in (ready.rostered_until,) if day is not None]})
    known = training_report.looked_up(snapshot, scope, last)
    reports: dict[str, _kept.Frames] = {
        "readiness": {**tables(ready), "until": until},
        "scorecard": scorecard_report.measures(snapshot, scope, last),
        "staff_goals": goals_report.added_up(snapshot, scope, last),
        "training": {field.name: getattr(known, field.name) for field in fields(known)},
    }
    rows = [(name, "", table, to_bytes(frame)) for name, found in reports.items() for table, frame in found.items()]
    return {team_frame.name: pd.DataFrame(rows, columns=["report", "choice", "name", "rows"])}


JOB = job_for(FORECAST)
