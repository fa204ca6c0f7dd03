"""Results of jobs over a snapshot that a test made, without a home."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data_access.results import parts
from data_access.results.info import JobInfo
from data_access.results.parts import Held
from data_access.snapshot import OpenFile, Snapshot
from models.jobs.job import Job


def one_job(snapshot: Snapshot, job: Job, folder: Path) -> Snapshot:
    """The snapshot with what the job computed from it."""
    return with_jobs(snapshot, [job], folder)


def with_jobs(snapshot: Snapshot, jobs: Sequence[Job], folder: Path) -> Snapshot:
    """The snapshot with what each of the jobs computed from it, none of them from another."""
    info, held = snapshot.info, {}
    for job in jobs:
        with parts.writing(folder, job.name, job.tables) as (part, said):
            job.run(snapshot, part.write, lambda *_: None)
            mark = job.fingerprint(snapshot)
            said.append(
                JobInfo(job.name, info.generation, info.as_of, info.last_day, info.built_at, 0.0, mark, "done", None)
            )
        found = parts.finished(folder, job.name, job.tables)
        assert found is not None
        held[job.name] = (Held(found.info, found.path), job.tables)
    path = folder / "results.duckdb"
    parts.assemble(path, folder, held, snapshot.engine)
    file = OpenFile(path)
    return replace(snapshot, results=file.engine, files=(*snapshot.files, file))
