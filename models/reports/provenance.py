"""Provenance: what the sales figures of some days rest on, for the passport of a number."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.queries import health
from data_access.queries import provenance as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.gates import Ground
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class ProvenanceReport:
    """Of the stores in scope, in the days of the period."""

    ground: Ground
    # one row for the receipts that count (exclusion NA) and one per reason why others do not
    receipts: Annotated[pd.DataFrame, Columns("exclusion receipts lines gross_sales identified costed_sales")]


def provenance(snapshot: Snapshot, scope: Scope, period: Period) -> ProvenanceReport:
    """The receipts counted and left out, and how complete they are. Whether all money arrived is known of the chain
    alone, so that other scopes have none missing."""
    receipts = queries.receipts(scope, snapshot.engine, period)
    counted = receipts[receipts["exclusion"].isna()].sum(numeric_only=True)
    traded, counts = (
        int(days(scope, snapshot.engine, period)["days"].iloc[0])
        for days in (queries.traded_days, queries.counted_days)
    )
    money = health.money_check(scope, snapshot.engine)["difference"].abs().sum()
    ground = Ground(
        receipts=int(counted["receipts"]),
        identified=int(counted["identified"]),
        gross_sales=float(counted["gross_sales"]),
        costed_sales=float(counted["costed_sales"]),
        traded_days=traded,
        counted_days=counts,
        money_missing=float(money),
    )
    return ProvenanceReport(ground, **select_columns(ProvenanceReport, receipts=receipts))
