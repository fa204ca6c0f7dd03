"""The job ``movement``: where every customer of every place stood at the end of the last thirteen months."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.segment_rules import fingerprint
from data_access.marts.tables import MONEY_UNIT, customer, customer_rank, product
from data_access.queries import _groups, crossing
from data_access.queries.crossing import GROUPS
from data_access.results.tables import segment_history
from data_access.snapshot import Snapshot
from models.calc.movement import placed
from models.jobs import job
from models.jobs.job import Job, PlaceScope, Step, Write
from models.reports import movement


def _fingerprint(snapshot: Snapshot) -> str:
    inputs = (customer_store_day, customer, customer_rank, place_store, product)
    parameters = snapshot.info.first_day, snapshot.info.last_day, fingerprint()
    return job.fingerprint(snapshot, inputs=inputs, code=(movement, crossing, _groups), parameters=parameters)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    places = job.every_place(snapshot)
    for done, (place, rows) in enumerate(job.spread(snapshot, _of_place, places), start=1):
        write(segment_history, place.rows(rows))
        step(done, len(places))


def _of_place(snapshot: Snapshot, place: PlaceScope) -> pd.DataFrame:
    """The rows of one place."""
    last = snapshot.info.last_day
    if last is None:
        return pd.DataFrame(columns=["customer_no", "net_sales", *GROUPS])
    *before, _ = movement.days_of(snapshot.info.first_day or last, last)
    here = movement.standings(snapshot, place.scope, last)
    # Whoever was a customer of a place on an earlier day is one on the last.
    frames = [*(movement.standings(snapshot, place.scope, day) for day in before if len(here)), here]
    numbers = np.unique(np.concatenate([frame["customer_no"].to_numpy() for frame in frames]))
    now = frames[-1].set_index("customer_no")["net_sales"].reindex(numbers).fillna(0) / MONEY_UNIT
    letters = {scheme: _letters(frames, numbers, scheme) for scheme in GROUPS}
    return pd.DataFrame({"customer_no": numbers, "net_sales": now.to_numpy(), **letters})


def _letters(frames: list[pd.DataFrame], numbers: NDArray[np.int64], scheme: str) -> NDArray[np.str_]:
    """One letter per day for each of ``numbers``."""
    places = [placed(frame["customer_no"], frame[scheme], numbers, len(GROUPS[scheme])) for frame in frames]
    codes = (np.stack(places, axis=1) + ord("A")).astype(np.uint8)
    return np.ascontiguousarray(codes).view(f"S{len(frames)}").ravel().astype(str)


JOB = Job(movement.JOB, (segment_history,), _fingerprint, _run)
