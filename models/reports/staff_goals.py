"""Staff goals: what people were to sell in a month, what they sold, and the base that a commission may be taken of.

No pay is computed: rates, shares of a team and what is deducted are the business of whoever pays.
"""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import places
from data_access.queries import staff as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.reports._kept import TEAMS, Frames, kept_frames
from models.reports._shape import Columns, select_columns

_KEYS = ["store_id", "staff_id"]


@dataclass(frozen=True, slots=True)
class StaffGoalsReport:
    """The people of the stores in scope in the month of a day, up to that day. Money excluding tax."""

    month: date  # its first day
    as_of: date
    currency: str
    # people, aimed (of them, those with a target), target and sold (of these), attained (sold / target), and the
    # commission_base of all
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per person and store with a target, a shift, a receipt or goods that came back, the furthest ahead first.
    # target NaN without one, attainment: gross sales by target; commission_base: gross sales less what came back in the
    # month of any receipt of theirs
    people: Annotated[
        pd.DataFrame, Columns("staff_id store_id store target gross_sales attainment returns commission_base hours")
    ]


def staff_goals(snapshot: Snapshot, scope: Scope, as_of: date) -> StaffGoalsReport:
    """What the people of the stores in scope sold in the month of ``as_of``."""
    frames = kept_frames(snapshot, scope, as_of, "staff_goals", job=TEAMS) or added_up(snapshot, scope, as_of)
    return StaffGoalsReport(as_of.replace(day=1), as_of, snapshot.info.currency, **frames)


def added_up(snapshot: Snapshot, scope: Scope, as_of: date) -> Frames:
    """The tables of the report, added up now."""
    engine = snapshot.engine
    month = Period(as_of.replace(day=1), as_of)
    rows = queries.sums(scope, engine, month).merge(queries.targets_of(scope, engine, month.first), "outer", _KEYS)
    rows = rows.merge(queries.returns(scope, engine, month), "outer", _KEYS)
    known = ["gross_sales", "hours", "returns"]
    rows[known] = rows[known].fillna(0.0)
    rows["attainment"] = (rows["gross_sales"] / rows["target"]).where(rows["target"] > 0)
    rows["commission_base"] = rows["gross_sales"] - rows["returns"]
    rows["store"] = rows["store_id"].map(places.stores(scope, engine).set_index("store_id")["store"])
    rows = rows.sort_values(["attainment", "commission_base", *_KEYS], ascending=[False, False, True, True])
    return select_columns(StaffGoalsReport, summary=_summary(rows), people=rows.reset_index(drop=True))


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    aimed = rows[rows["target"] > 0]
    target, sold = float(aimed["target"].sum()), float(aimed["gross_sales"].sum())
    figures = {
        "people": (len(rows), "count"),
        "aimed": (len(aimed), "count"),
        "target": (target, "money"),
        "sold": (sold, "money"),
        "attained": (sold / target if target > 0 else np.nan, "percent"),
        "commission_base": (float(rows["commission_base"].sum()), "money"),
    }
    return pd.DataFrame([(key, *figure) for key, figure in figures.items()], columns=["key", "value", "unit"])
