"""The job ``training``: what each course did to the sales of those who took it, how new people come up, and what
figures people have, over the whole chain, where enough people are to tell."""

from data_access.marts.staff_day import staff_day
from data_access.marts.tables import course, return_line, survey_answer, training_record
from data_access.marts.tables import staff as people
from data_access.queries import training as queries
from data_access.results.tables import newcomer_ramp, staff_quantile, training_effect, training_path
from data_access.snapshot import Snapshot
from models.calc import ramp, training
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import staff
from models.reports import training as report

_INPUTS = (staff_day, training_record, course, people, return_line, survey_answer)
_CODE = (report, staff, queries, training, ramp)


def _fingerprint(snapshot: Snapshot) -> str:
    return job.fingerprint(snapshot, inputs=_INPUTS, code=_CODE)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    if snapshot.info.last_day is None:
        return
    found = report.measured(snapshot, WHOLE, snapshot.info.last_day)
    write(training_effect, found.effects)
    write(training_path, found.path)
    write(newcomer_ramp, found.ramp)
    write(staff_quantile, staff.quantiles(snapshot, WHOLE))
    step(1, 1)


JOB = Job(report.JOB, (training_effect, training_path, newcomer_ramp, staff_quantile), _fingerprint, _run)
