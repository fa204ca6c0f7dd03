"""The job ``training``: what each course did to the sales of those who took it and how new people come up, over the
whole chain, where enough people are to tell."""

from data_access.marts.staff_day import staff_day
from data_access.marts.tables import course, training_record
from data_access.marts.tables import staff as people
from data_access.queries import training as queries
from data_access.results.tables import newcomer_ramp, training_effect, training_path
from data_access.snapshot import Snapshot
from models.calc import ramp, training
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import training as report

_INPUTS = (staff_day, training_record, course, people)
_CODE = (report, queries, training, ramp)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    found = report.measured(snapshot, WHOLE, snapshot.info.last_day)
    write(training_effect, found.effects)
    write(training_path, found.path)
    write(newcomer_ramp, found.ramp)
    step(1, 1)


JOB = Job(report.JOB, (training_effect, training_path, newcomer_ramp), _fingerprint, _run)
