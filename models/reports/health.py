"""Data health: what the CRM delivered and whether the money arrived in full."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.queries import health as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class HealthReport:
    """Chain totals (rows, reconciliation, sources) are for the chain scope only: a scope of stores sees which
    tables there are, not how much the chain holds, and an empty scope sees nothing."""

    # one row per canonical CRM table; state ok | empty | absent | columns_missing; disables: page keys
    table_status: Annotated[pd.DataFrame, Columns("table_name state rows missing_columns disables newest")]
    # one row per figure compared between the CRM and the snapshot
    reconciliation: Annotated[pd.DataFrame, Columns("figure crm snapshot difference")]
    # one row per load into the CRM database, newest first
    sources: Annotated[
        pd.DataFrame,
        Columns(
            "source_id kind name loaded_at rows_read rows_loaded rows_quarantined amount_read amount_loaded "
            "amount_quarantined currency"
        ),
    ]
    # one row: the facts the figures come from
    generation: Annotated[pd.DataFrame, Columns("generation built_at as_of first_day last_day currency is_demo")]


def health(snapshot: Snapshot, scope: Scope) -> HealthReport:
    """The state of the data behind every page."""
    engine = snapshot.engine
    frames = select_columns(
        HealthReport,
        table_status=queries.tables_of_the_crm(scope, engine),
        reconciliation=queries.money_check(scope, engine),
        sources=queries.sources(scope, engine),
        generation=queries.generation(scope, engine),
    )
    return HealthReport(**frames)
