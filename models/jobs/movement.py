"""The job ``movement``: where every customer of every place stood at the end of the last thirteen months."""

from collections.abc import Iterator
from itertools import chain, groupby
from operator import itemgetter

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.place_store import place_store
from data_access.marts.segment_rules import fingerprint
from data_access.marts.tables import MONEY_UNIT, customer, customer_rank, product
from data_access.queries import _groups, crossing, standing
from data_access.queries.crossing import GROUPS
from data_access.results.tables import segment_history
from data_access.snapshot import Snapshot
from models.jobs import job
from models.jobs.job import WHOLE, Job, Step, Write
from models.reports import movement

_LEVELS = 3  # chain, regions, stores
_ROWS = 200_000  # that are written at once


def _fingerprint(snapshot: Snapshot) -> str:
    inputs = (customer_store_day, customer, customer_rank, place_store, product)
    parameters = snapshot.info.first_day, snapshot.info.last_day, fingerprint()
    return job.fingerprint(snapshot, inputs=inputs, code=(movement, crossing, standing, _groups), parameters=parameters)


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    info = snapshot.info
    if info.last_day is None:
        return
    # The last day first: whoever was a customer of a place on an earlier one is one then, too.
    days = movement.days_of(info.first_day or info.last_day, info.last_day)[::-1]
    of_levels = groupby(standing.standings(WHOLE, snapshot.engine, days), key=itemgetter(0))
    for done, (level, found) in enumerate(of_levels, start=1):
        for rows in _histories((rows for _, rows in found), len(days)):
            write(segment_history, rows.assign(level=level))
        step(done, _LEVELS)


def _histories(found: Iterator[pd.DataFrame], days: int) -> Iterator[pd.DataFrame]:
    """The rows of all places of a level from what ``standing.standings`` gives of it, the last day first."""
    last = next(found)
    now = last[last["day"] == 0].sort_values(["place_id", "customer_no"], ignore_index=True)
    people = np.unique(now["customer_no"])
    key = _key(now, people)
    letters = {scheme: np.full((len(now), days), ord("A") + len(groups), np.uint8) for scheme, groups in GROUPS.items()}
    for rows in chain([last], found):
        at, day = np.searchsorted(key, _key(rows, people)), days - 1 - rows["day"].to_numpy()
        for scheme, codes in letters.items():
            codes[at, day] = ord("A") + rows[scheme].to_numpy()
    net_sales, place_id = now["net_sales"] / MONEY_UNIT, now["place_id"].astype(object)
    for first in range(0, len(now), _ROWS):
        part = slice(first, first + _ROWS)
        told = {scheme: codes[part].view(f"S{days}").ravel().astype(str) for scheme, codes in letters.items()}
        same = {"place_id": place_id[part], "customer_no": now["customer_no"][part], "net_sales": net_sales[part]}
        yield pd.DataFrame(same | told)


def _key(rows: pd.DataFrame, people: NDArray[np.int64]) -> NDArray[np.int64]:
    """One number for each place and customer, rising with both."""
    place = np.asarray(rows["place_id"].cat.codes, dtype=np.int64)
    return np.asarray(place * len(people) + np.searchsorted(people, rows["customer_no"]), dtype=np.int64)


JOB = Job(movement.JOB, (segment_history,), _fingerprint, _run)
