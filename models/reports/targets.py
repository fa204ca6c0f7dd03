"""Targets: what stores are to sell this month, how far they are, and where they will end."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Final, Literal

import numpy as np
import pandas as pd

from data_access.queries import places
from data_access.queries import targets as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.targets import Target
from models.calc.pace import month_end
from models.reports._shape import Columns, select_columns

Pace = Literal["reached", "ahead", "open", "behind", "no_target"]
PACES: Final[tuple[Pace, ...]] = ("reached", "ahead", "open", "behind", "no_target")
YEARS: Final = 3  # of months that a range is learnt from


@dataclass(frozen=True, slots=True)
class TargetsReport:
    """The stores in scope in the month of ``as_of``. Money excluding tax, before returns, as targets are set.

    Totals are of the stores that have a target.
    """

    as_of: date
    month: date  # its first day
    currency: str
    # target, sold, attained (sold / target), expected, expected_share (expected / target)
    summary: Annotated[pd.DataFrame, Columns("key value unit")]
    # one row per store, the furthest behind first. source: set (here) | crm | none. expected with its 80 % range: where
    # the month will end. pace: reached | ahead (even the low end reaches it) | behind (even the high end misses it) |
    # open | no_target
    stores: Annotated[
        pd.DataFrame,
        Columns("store_id store target source sold attainment expected lo80 hi80 expected_share pace"),
    ]
    # one row per month (YYYY-MM) of the last year: the stores that had a target, what they were to sell and sold
    months: Annotated[pd.DataFrame, Columns("month stores target gross_sales attainment")]


def targets(snapshot: Snapshot, scope: Scope, as_of: date, own: Sequence[Target] = ()) -> TargetsReport:
    """The targets of the stores in scope on ``as_of``; ``own``: those set here, which count before the CRM's."""
    engine = snapshot.engine
    month = pd.Timestamp(as_of.replace(day=1))
    first = (month - pd.DateOffset(years=YEARS)).date()
    sold = queries.sold(scope, engine, first, as_of)
    planned = _planned(queries.planned(scope, engine, first), scope, own)
    stores = _stores(places.stores(scope, engine), sold, planned, month)
    frames = select_columns(
        TargetsReport, summary=_summary(stores), stores=stores, months=_months(sold, planned, month)
    )
    return TargetsReport(as_of, month.date(), snapshot.info.currency, **frames)


def due_in_month(snapshot: Snapshot, scope: Scope, as_of: date, own: Sequence[Target] = ()) -> pd.DataFrame:
    """One row per store with a target in the month of ``as_of``: store_id, target, attainment (of it, sold so far)."""
    month = as_of.replace(day=1)
    planned = _planned(queries.planned(scope, snapshot.engine, month), scope, own)
    due = planned[planned["month"] == pd.Timestamp(month)]
    if due.empty:
        return pd.DataFrame(columns=["store_id", "target", "attainment"])
    rows = due.merge(queries.sold(scope, snapshot.engine, month, as_of), "left", ["store_id", "month"])
    return rows.assign(attainment=(rows["so_far"].fillna(0.0) / rows["target"]).where(rows["target"] > 0))


def _planned(crm: pd.DataFrame, scope: Scope, own: Sequence[Target]) -> pd.DataFrame:
    """store_id, month, target and source (set | crm): a target set here stands in the place of the CRM's."""
    here = [(one.store_id, pd.Timestamp(one.month), float(one.amount)) for one in own if scope.allows(one.store_id)]
    set_here = pd.DataFrame(here, columns=["store_id", "month", "target"]).astype({"month": "datetime64[us]"})
    both = pd.concat([set_here.assign(source="set"), crm.assign(source="crm")], ignore_index=True)
    return both.drop_duplicates(["store_id", "month"], keep="first")


def _stores(known: pd.DataFrame, sold: pd.DataFrame, planned: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    due = planned.loc[planned["month"] == month, ["store_id", "target", "source"]]
    now = sold.loc[sold["month"] == month, ["store_id", "so_far"]].rename(columns={"so_far": "sold"})
    listed = known["store_id"].isin([*now["store_id"], *due["store_id"]])
    rows = known.loc[listed, ["store_id", "store"]].merge(due, "left", "store_id").merge(now, "left", "store_id")
    rows = rows.merge(month_end(sold, month), "left", "store_id")
    rows["sold"] = rows["sold"].fillna(0.0)
    rows["source"] = rows["source"].astype(object).where(rows["source"].notna(), "none")
    rows["attainment"] = (rows["sold"] / rows["target"]).where(rows["target"] > 0)
    rows["expected_share"] = (rows["expected"] / rows["target"]).where(rows["target"] > 0)
    rows["pace"] = np.select(
        [
            rows["target"].isna(),
            rows["sold"] >= rows["target"].fillna(math.inf),
            rows["lo80"].fillna(-math.inf) >= rows["target"].fillna(math.inf),
            rows["hi80"].fillna(math.inf) < rows["target"].fillna(0.0),
        ],
        ["no_target", "reached", "ahead", "behind"],
        "open",
    )
    return rows.sort_values(["expected_share", "store_id"], na_position="last").reset_index(drop=True)


def _summary(stores: pd.DataFrame) -> pd.DataFrame:
    due = stores[stores["target"].notna()]
    target, sold = due["target"].sum(), due["sold"].sum()
    expected = due["expected"].sum() if due["expected"].notna().any() else math.nan
    known = target > 0
    figures = {
        "target": (target if known else math.nan, "money"),
        "sold": (sold, "money"),
        "attained": (sold / target if known else math.nan, "percent"),
        "expected": (expected, "money"),
        "expected_share": (expected / target if known else math.nan, "percent"),
    }
    return pd.DataFrame([(key, *figure) for key, figure in figures.items()], columns=["key", "value", "unit"])


def _months(sold: pd.DataFrame, planned: pd.DataFrame, month: pd.Timestamp) -> pd.DataFrame:
    past = planned[(planned["month"] <= month) & (planned["month"] > month - pd.DateOffset(years=1))]
    both = past.merge(sold, "left", ["store_id", "month"])
    found = both.groupby("month").agg(
        stores=("store_id", "nunique"), target=("target", "sum"), gross_sales=("gross_sales", "sum")
    )
    found["attainment"] = (found["gross_sales"] / found["target"]).where(found["target"] > 0)
    found = found.reset_index()
    return found.assign(month=found["month"].dt.strftime("%Y-%m"))
