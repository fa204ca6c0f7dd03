"""Results of one job over a snapshot that a test made, without a home."""

from dataclasses import replace
from pathlib import Path

from data_access.results import parts
from data_access.results.info import JobInfo
from data_access.results.parts import Held
from data_access.snapshot import OpenFile, Snapshot
from models.jobs.job import Job


def one_job(snapshot: Snapshot, job: Job, folder: Path) -> Snapshot:
    """The snapshot with what the job computed from it."""
    info = snapshot.info
    with parts.writing(folder, job.name, job.tables) as (part, said):
        job.run(snapshot, part.write, lambda *_: None)
        mark = job.fingerprint(snapshot)
        said.append(
            JobInfo(job.name, info.generation, info.as_of, info.last_day, info.built_at, 0.0, mark, "done", None)
        )
    held = parts.finished(folder, job.name, job.tables)
    assert held is not None
    path = folder / "results.duckdb"
    parts.assemble(path, folder, {job.name: (Held(held.info, held.path), job.tables)}, snapshot.engine)
    file = OpenFile(path)
    return replace(snapshot, results=file.engine, files=(*snapshot.files, file))
