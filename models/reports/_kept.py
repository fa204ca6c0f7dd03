"""Tables of reports as jobs of the batch keep them, for every place, as of the last day of the facts.

A report that takes long, and names no customer, asks here before it adds anything up.
"""

from datetime import date
from typing import Final

import pandas as pd

from data_access.queries import kept as queries
from data_access.results.frames import from_bytes
from data_access.results.info import has_current_rows
from data_access.results.tables import ResultTable, campaign_frame, kept_frame, team_frame
from data_access.scope import Scope
from data_access.snapshot import Snapshot

JOB: Final = "presets"  # of the batch: groups of customers
TEAMS: Final = "teams"  # stores and their people
CAMPAIGN_SUMS: Final = "campaign_sums"  # customers of campaigns
_TABLES: Final[dict[str, ResultTable]] = {JOB: kept_frame, TEAMS: team_frame, CAMPAIGN_SUMS: campaign_frame}

Frames = dict[str, pd.DataFrame]


def kept_frames(
    snapshot: Snapshot, scope: Scope, as_of: date, report: str, choice: str = "", job: str = JOB
) -> Frames | None:
    """The tables of a report, by name; None: the batch has not computed them for this place, day and choice."""
    kept = snapshot.results
    if kept is None or as_of != snapshot.info.last_day or not has_current_rows(snapshot, scope, job):
        return None
    rows = queries.frames(scope, kept, _TABLES[job], report, choice)
    found = {str(name): from_bytes(bytes(data)) for name, data in zip(rows["name"], rows["rows"], strict=True)}
    return found or None


def kept_sums(snapshot: Snapshot, scope: Scope, report: str, choice: str = "") -> Frames | None:
    """What the job ``campaign_sums`` keeps for a report, as ``kept_frames``."""
    last = snapshot.info.last_day
    return None if last is None else kept_frames(snapshot, scope, last, report, choice, CAMPAIGN_SUMS)
