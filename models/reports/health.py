"""Data health: what the CRM delivered, how fresh and how fast, and whether the money arrived in full."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd

from data_access.freshness import SLACK
from data_access.queries import health as queries
from data_access.refresh_log import past_refreshes
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Chain totals (rows, loads, reconciliation, refused rows, sources) are for the chain scope only: a scope of
    stores sees which tables there are, not how much the chain holds, and an empty scope sees nothing."""

    # one row per canonical CRM table; state ok | empty | absent | columns_missing; changed_columns: of another type;
    # disables: page keys
    table_status: Annotated[
        pd.DataFrame, Columns("table_name state rows missing_columns changed_columns disables newest")
    ]
    # one row per CRM table that was read; mode full | changes; lag_hours: from its newest row to the reading
    loads: Annotated[
        pd.DataFrame,
        Columns("table_name mode rows_read rows_changed rows_deleted seconds rows_per_second newest lag_hours"),
    ]
    # one row per figure compared between the CRM and the snapshot; difference: what neither arrived nor was refused
    reconciliation: Annotated[pd.DataFrame, Columns("figure crm snapshot amount_quarantined difference")]
    # one row per CRM table and reason why rows of it were refused
    quarantined: Annotated[pd.DataFrame, Columns("table_name reason rows amount")]
    # one row per load into the CRM database, newest first
    sources: Annotated[
        pd.DataFrame,
        Columns(
            "source_id kind name loaded_at rows_read rows_loaded rows_quarantined amount_read amount_loaded "
            "amount_quarantined currency"
        ),
    ]
    # one row: the facts the figures come from
    generation: Annotated[
        pd.DataFrame,
        Columns(
            "generation built_at as_of first_day last_day currency is_demo read_at mode seconds rows_read rows_changed "
            "built_from"
        ),
    ]


def health(snapshot: Snapshot, scope: Scope) -> HealthReport:
    """The state of the data behind every page."""
    engine = snapshot.engine
    frames = select_columns(
        HealthReport,
        table_status=queries.tables_of_the_crm(scope, engine),
        loads=_rates(queries.loads(scope, engine)),
        reconciliation=queries.money_check(scope, engine),
        quarantined=queries.quarantined(scope, engine),
        sources=queries.sources(scope, engine),
        generation=queries.generation(scope, engine),
    )
    return HealthReport(**frames)


def refreshes(home: Path, scope: Scope) -> pd.DataFrame:
    """One row per refresh of this home, the last 50, newest first; none outside the chain scope.

    Columns: started (datetime64, UTC), outcome (full | changes | nothing | failed), seconds, rows_read, rows_changed,
    generation (the one in force after it), failure (a sentence; None when it did not fail).
    """
    past = past_refreshes(home) if scope.kind == "chain" else []
    rows = [
        {
            "started": one.started,
            "outcome": "failed" if one.failure else one.mode if one.published else "nothing",
            "seconds": one.seconds,
            "rows_read": one.rows_read,
            "rows_changed": one.rows_changed,
            "generation": one.generation,
            "failure": one.failure,
        }
        for one in past
    ]
    columns = ["started", "outcome", "seconds", "rows_read", "rows_changed", "generation", "failure"]
    return pd.DataFrame(rows, columns=columns).astype(
        {"started": "datetime64[us]", "seconds": "float64", "rows_read": "Int64", "rows_changed": "Int64"}
    )


def quarantined_rows(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """One row per refused CRM row: table_name, row_key, reason, amount. For administrators: keys are the CRM's own."""
    return queries.quarantined_rows(scope, snapshot.engine)


def _rates(loads: pd.DataFrame) -> pd.DataFrame:
    """With rows_per_second and lag_hours; both unknown where they would mean nothing.

    A table whose newest row lies after the reading (a clock is wrong) has no lag; within the slack it is 0.
    """
    lag = (loads["read_at"] - loads["newest"]).dt.total_seconds()
    slack = SLACK.total_seconds()
    return loads.assign(
        rows_per_second=(loads["rows_read"] / loads["seconds"]).where(loads["seconds"] > 0),
        lag_hours=(lag.clip(lower=0) / 3600).where(lag >= -slack),
    )
