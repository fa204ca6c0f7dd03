"""The job ``presets``: for every place, as of the last day, reports on groups of customers that take long to add up.

But for those who lapsed, are ready for more or have no adviser, by key, they name no customer. Whoever asks for another
day, a set of stores that is no place or another choice waits for the same functions that compute them here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from data_access.marts.campaign_customer import campaign_customer
from data_access.marts.cohort_month import cohort_month
from data_access.marts.customer_cut import customer_cut
from data_access.marts.customer_line import customer_line
from data_access.marts.customer_place import customer_place
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.segment_cell import segment_cell
from data_access.marts.segment_rules import fingerprint
from data_access.marts.tables import (
    campaign,
    campaign_arm,
    customer,
    customer_tag,
    product,
    return_line,
    sale_line,
    sale_order,
    shared_contact,
    staff,
    stock_movement,
    store,
    store_closure,
    ticket,
)
from data_access.queries import (
    _groups,
    _segments_then,
    crossing,
    preferences,
    profile_quality,
    reasons,
    retention,
    spending,
    treatments,
)
from data_access.queries.segments import Question, cuts
from data_access.results.frames import to_bytes
from data_access.results.info import has_current_rows
from data_access.results.tables import crossing_cell, kept_frame, reason_lapsed, spending_ready, spending_unassigned
from data_access.snapshot import Snapshot
from models.jobs import job
from models.jobs.job import WHOLE, Job, PlaceScope, Step, Write
from models.jobs.movement import JOB as MOVEMENT
from models.reports import _kept, tables
from models.reports import crossing as crossing_report
from models.reports import movement as movement_report
from models.reports import preferences as preferences_report
from models.reports import profile_quality as profile_report
from models.reports import reasons as reasons_report
from models.reports import retention as retention_report
from models.reports import spending as spending_report
from models.reports import treatments as treatments_report
from models.reports.segments import limits_of

_INPUTS = (
    *(customer, customer_tag, customer_place, customer_cut, customer_line, customer_store_day, cohort_month),
    *(segment_cell, sale_line, sale_order, shared_contact),
    *(campaign, campaign_arm, campaign_customer, place_store, product, store),
    *(return_line, staff, stock_movement, store_closure, ticket),
)
_CODE = (
    *(_groups, _segments_then, crossing, preferences, profile_quality, reasons, retention, spending, treatments),
    *(crossing_report, movement_report, preferences_report, reasons_report, retention_report),
    *(profile_report, spending_report, treatments_report),
)
_LISTS = (reason_lapsed, spending_ready, spending_unassigned)
_TABLES = {table.name: table for table in (crossing_cell, kept_frame, *_LISTS)}
# Which lists of the report on spending are tables of their own: whoever is erased is taken out of them.
_SPENDING = {"ready": spending_ready.name, "unassigned": spending_unassigned.name}


@dataclass(frozen=True, slots=True)
class _Kept:
    """The tables of one report with one choice, as ``models.reports._kept.kept_frames`` finds them."""

    report: str
    choice: str
    frames: _kept.Frames

    def rows(self) -> pd.DataFrame:
        packed = [(self.report, self.choice, name, to_bytes(frame)) for name, frame in self.frames.items()]
        return pd.DataFrame(packed, columns=["report", "choice", "name", "rows"])


def _fingerprint(snapshot: Snapshot) -> str:
    moves = MOVEMENT.fingerprint(snapshot)
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE, parameters=(fingerprint(), moves))


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    job.write_places(snapshot, rows_of, job.every_place(snapshot), _TABLES, write, step)


def rows_of(snapshot: Snapshot, place: PlaceScope) -> dict[str, pd.DataFrame]:
    """What the results keep of a place by the name of its table, but for the columns that name the place."""
    last_day = snapshot.info.last_day
    assert last_day is not None, "without a day of data there is nothing to keep"
    scope, question = place.scope, Question(last_day)
    limits = limits_of(cuts(scope, snapshot.engine, question))
    why = reasons_report.reasons(snapshot, scope, last_day, reasons_report.MOST_MEMBERS)
    spent = tables(spending_report.spending(snapshot, scope, last_day, spending_report.MOST_MEMBERS))
    lists = {table: _numbered(spent.pop(name)) for name, table in _SPENDING.items()}
    judged = pd.DataFrame({"judged": [why.judged], "gone": [why.gone]})
    every = [
        _Kept("reasons", "", {"reasons": why.reasons, "judged": judged}),
        _Kept("spending", "", spent),
        *_reports(snapshot, place, last_day),
    ]
    return {
        crossing_cell.name: crossing.crossings(scope, snapshot.engine, question, limits),
        kept_frame.name: pd.concat([one.rows() for one in every], ignore_index=True),
        reason_lapsed.name: _numbered(why.lapsed),
        **lists,
    }


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(position=range(len(rows)))


def _reports(snapshot: Snapshot, place: PlaceScope, day: date) -> Iterator[_Kept]:
    scope = place.scope
    yield _Kept("retention", "", tables(retention_report.retention(snapshot, scope, day, None)))
    profiles = tables(profile_report.profile_quality(snapshot, scope, day))
    profiles.pop("duplicates")  # names customers
    yield _Kept("profile_quality", "", profiles)
    yield _Kept("treatments", "", tables(treatments_report.treatments(snapshot, scope, day)))
    for (by, thing), found in preferences_report.asked(snapshot, scope, day).items():
        yield _Kept("preferences", f"{by} {thing}", found)
    if not has_current_rows(snapshot, WHOLE, MOVEMENT.name):
        return  # where everybody stood is not known: these would take minutes
    for report, choice, found in movement_report.asked(snapshot, scope, day):
        yield _Kept(report, choice, found)


JOB = Job(_kept.JOB, tuple(_TABLES.values()), _fingerprint, _run, needs=MOVEMENT)
