"""Tables of reports as the job ``presets`` of the batch keeps them, for every place, as of the last day of the facts.

A report that takes long on many customers, and names none of them, asks here before it adds anything up.
"""

from datetime import date

import pandas as pd

from data_access.queries import kept as queries
from data_access.results.frames import from_bytes
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot

JOB = "presets"  # of the batch

Frames = dict[str, pd.DataFrame]


def kept_frames(snapshot: Snapshot, scope: Scope, as_of: date, report: str, choice: str = "") -> Frames | None:
    """The tables of a report, by name; None: the batch has not computed them for this place, day and choice."""
    kept = snapshot.results
    if kept is None or as_of != snapshot.info.last_day or not has_current_rows(snapshot, scope, JOB):
        return None
    rows = queries.frames(scope, kept, report, choice)
    found = {str(name): from_bytes(bytes(data)) for name, data in zip(rows["name"], rows["rows"], strict=True)}
    return found or None
