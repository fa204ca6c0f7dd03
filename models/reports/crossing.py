"""Customers by any two things known of them, small numbers hidden outside the store whose they are."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.marts.segment_rules import CLASSES, SEGMENTS, STAGES
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import crossing as queries
from data_access.queries import segments as base
from data_access.queries._groups import DIMENSIONS, NOT_KNOWN
from data_access.queries.segments import Question
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import suppression
from models.reports._kept import JOB
from models.reports._shape import Columns, select_columns
from models.reports.segments import limits_of

OTHERS = "others"  # the groups beyond the largest ones together
MOST_ROWS, MOST_COLUMNS = 30, 12
_ORDER: dict[str, tuple[str, ...]] = {"segment": SEGMENTS, "abc": CLASSES} | {str(p): s for p, s in STAGES.items()}
_FIGURES = ("net_sales", "costed_sales", "margin")


@dataclass(frozen=True, slots=True)
class CrossingReport:
    """Customers of the stores in scope by two dimensions at the end of ``as_of``, as far as the CRM knows them.

    Money in the chain's currency, excluding tax. The largest groups are named, others are one group, OTHERS. Outside a
    single store numbers of 1 to 4 customers are hidden, and as many others as keep them from being computed.
    """

    as_of: date
    rows: str
    columns: str
    currency: str
    hides: bool  # whether small numbers are hidden
    # one row per cell that somebody is in; NA: hidden. share: of all customers; historic_margin: missing where no cost
    # is known
    crossing: Annotated[
        pd.DataFrame, Columns("row_group column_group customers customer_share net_sales historic_margin")
    ]
    row_groups: tuple[str, ...]
    column_groups: tuple[str, ...]


def crossing(
    snapshot: Snapshot, scope: Scope, as_of: date, rows: str = "abc", columns: str = "owner"
) -> CrossingReport:
    """The customers in scope at the end of ``as_of`` by ``rows`` and ``columns``, dimensions that differ."""
    for name in (rows, columns):
        if name not in DIMENSIONS:
            raise Problem(f"a dimension is one of {', '.join(DIMENSIONS)}, not {name!r}")
    if rows == columns:
        raise Problem(f"rows and columns are two different dimensions, not {rows!r} twice")
    found = _found(snapshot, scope, as_of, rows, columns)
    found = found.assign(**{name: found[name] / MONEY_UNIT for name in _FIGURES})
    kept = {
        "row_group": _largest(found, "row_group", rows, MOST_ROWS),
        "column_group": _largest(found, "column_group", columns, MOST_COLUMNS),
    }
    grouped = found.assign(
        **{name: found[name].where(found[name].isin(list(groups)), OTHERS) for name, groups in kept.items()}
    )
    cells = grouped.groupby(["row_group", "column_group"], as_index=False).sum(numeric_only=True)
    hides = scope.kind == "chain" or len(scope.store_ids) != 1
    shown = _published(cells) if hides else cells.assign(customers=cells["customers"].astype("Int64"))
    visible = shown["customers"].notna()
    shown = shown.assign(
        customer_share=(shown["customers"] / max(int(cells["customers"].sum()), 1)).astype("Float64"),
        net_sales=shown["net_sales"].where(visible),
        historic_margin=shown["margin"].where(visible & (shown["costed_sales"] != 0)),
    )
    return CrossingReport(
        as_of,
        rows,
        columns,
        snapshot.info.currency,
        hides,
        **select_columns(CrossingReport, crossing=shown),
        row_groups=kept["row_group"],
        column_groups=kept["column_group"],
    )


def _found(snapshot: Snapshot, scope: Scope, as_of: date, rows: str, columns: str) -> pd.DataFrame:
    """What the batch found, if it is of the last day of these very facts; otherwise it is added up now."""
    kept = snapshot.results
    if kept is not None and as_of == snapshot.info.last_day and has_current_rows(snapshot, scope, JOB):
        return queries.kept_crossing(scope, kept, rows, columns)
    question = Question(as_of)
    limits = limits_of(base.cuts(scope, snapshot.engine, question))
    return queries.crossing(scope, snapshot.engine, question, limits, rows, columns)


def _largest(found: pd.DataFrame, column: str, dimension: str, most: int) -> tuple[str, ...]:
    """The groups to name, in their own order or the largest first, those not known and the others last."""
    sizes = found.groupby(column)["customers"].sum().sort_values(ascending=False, kind="stable")
    known = [str(name) for name in sizes.index if name != NOT_KNOWN]
    named = known if len(sizes) <= most else known[: most - 2]
    order = _ORDER.get(dimension, tuple(named) if dimension not in ("age_band", "city_tier") else tuple(sorted(named)))
    ranked = sorted(named, key=lambda name: order.index(name) if name in order else len(order))
    return (*ranked, *([NOT_KNOWN] if NOT_KNOWN in sizes.index else []), *([OTHERS] if len(named) < len(known) else []))


def _published(cells: pd.DataFrame) -> pd.DataFrame:
    counts = cells.pivot(index="row_group", columns="column_group", values="customers").fillna(0).astype("int64")
    table = suppression.published(counts)
    customers = [table.at[row, column] for row, column in zip(cells["row_group"], cells["column_group"], strict=True)]
    return cells.assign(customers=pd.Series(customers, index=cells.index, dtype="Int64"))
