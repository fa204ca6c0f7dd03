"""The job ``run_out``: what customers of every place will have used up soon, and what that is expected from."""

import pandas as pd

from data_access.marts.customer_line import customer_line
from data_access.marts.place_store import place_store
from data_access.marts.tables import product
from data_access.queries import run_out as queries
from data_access.results.tables import ResultTable
from data_access.snapshot import Snapshot
from models.calc import run_out as calc
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import run_out as report


def _fingerprint(snapshot: Snapshot) -> str:
    inputs = customer_line, product, place_store
    return job.fingerprint(snapshot, inputs=inputs, code=(report, queries, calc), parameters=report.KEPT_AHEAD)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    places = job.every_place(snapshot)
    for done, (place, found) in enumerate(job.spread(snapshot, _of_place, places), start=1):
        for table, rows in zip(queries.KEPT, found, strict=True):
            write(table, _of_table(place, table, rows))
        step(done, len(places))


def _of_place(snapshot: Snapshot, place: PlaceScope) -> tuple[pd.DataFrame, ...]:
    """The rows of one place, by table in the order of ``queries.KEPT``."""
    assert snapshot.info.last_day is not None
    found = report.outlook(snapshot, place.scope, snapshot.info.last_day, report.KEPT_AHEAD)
    assert found.due is not None
    figures, usual, paces = dict(found.figures), pd.DataFrame(), pd.DataFrame()
    if found.learnt is not None:
        rhythm = found.learnt.rhythm
        figures |= {"drawn_customer": rhythm.drawn[0], "drawn_need": rhythm.drawn[1], "learnt_from": rhythm.gaps}
        columns = {"median_gap": rhythm.median_gap, "by_usage": rhythm.by_usage}
        usual = pd.DataFrame({"need": found.learnt.needs, **columns})
        paces = pd.DataFrame(rhythm.residual, columns=["low", "middle", "high"])
    return found.due, found.held, usual, paces, pd.DataFrame({"key": list(figures), "value": list(figures.values())})


def _of_table(place: PlaceScope, table: ResultTable, rows: pd.DataFrame) -> pd.DataFrame:
    numbered = rows.assign(position=range(len(rows)))
    return place.rows(numbered).reindex(columns=table.c.keys())


JOB = Job(report.JOB, queries.KEPT, _fingerprint, _run)
