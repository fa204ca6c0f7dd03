"""Preferences: what groups of customers buy more or less than everybody, and how they buy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, get_args

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.marts.tables import MONEY_UNIT
from data_access.queries import preferences as queries
from data_access.queries._groups import NOT_KNOWN
from data_access.queries.preferences import Thing
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc import growth, suppression
from models.calc.funnel import wilson
from models.reports._kept import Frames, kept_frames
from models.reports._places import rows_of
from models.reports._shape import Columns, select_columns
from models.reports.retention import complete_months, month_days

GROUPINGS = ("age_band", "gender", "city_tier", "tier", "income_band", "skin_type", "source")
THINGS: tuple[Thing, ...] = get_args(Thing)
DAYS = 365
BY_AGE = "age_band"
OLDER = ("45-54", "55-64", "65+")  # the age bands of those of 45 and over
MONTHS = 24  # of their trend
_ENOUGH = 30  # buyers of known age in a month, before their share is told
MOST_THINGS = 12  # the ones with the highest sales


@dataclass(frozen=True, slots=True)
class PreferencesReport:
    """What identified customers bought in the stores in scope in the ``DAYS`` up to ``as_of``, by what the CRM records
    of them. Money in the chain's currency, excluding tax, before returns.

    A product with several benefits counts for each of them. Outside a single store, cells of fewer than five buyers are
    hidden, and as many others as keep them from being computed.
    """

    as_of: date
    by: str
    thing: str
    currency: str
    hides: bool
    # one row per group and category or benefit: share of what the group spent on products that have one, share of what
    # everybody did, and the first to the second times 100; customers: of the group who bought it (NA: hidden)
    index: Annotated[pd.DataFrame, Columns("group thing customers net_sales share base_share affinity_index")]
    # one row per group: customers who bought, net sales, per receipt: average_ticket and units_per_transaction;
    # repeat_purchase_rate (two receipts or more) with its 95 % range and discounted_share (of the lines); NA: hidden
    habits: Annotated[
        pd.DataFrame,
        Columns(
            "group customers net_sales average_ticket units_per_transaction repeat_purchase_rate lo95 hi95 "
            "discounted_share"
        ),
    ]
    # by age, of the last ``MONTHS`` complete months: customers of 45 and over among those of known age who bought in
    # the month, their share with its 95 % range, and that of what those of known age spent; ages are those of today
    older: Annotated[pd.DataFrame, Columns("month customers known share lo95 hi95 sales_share")]
    groups: tuple[str, ...]  # in their own order, those not known last
    things: tuple[str, ...]  # the best sold first


def preferences(
    snapshot: Snapshot, scope: Scope, as_of: date, by: str = BY_AGE, thing: Thing = "category"
) -> PreferencesReport:
    """What the groups of ``by`` bought of each ``thing``, and how."""
    for given, known in ((by, GROUPINGS), (thing, THINGS)):
        if given not in known:
            raise Problem(f"choose one of {', '.join(known)}, not {given!r}")
    found = kept_frames(snapshot, scope, as_of, "preferences", f"{by} {thing}")
    if found is None:
        found = asked(snapshot, scope, as_of, (by,), (thing,))[by, thing]
    hides = scope.kind == "chain" or len(scope.store_ids) != 1
    bought = found["bought"].assign(net_sales=found["bought"]["net_sales"] / MONEY_UNIT)
    things = tuple(bought.groupby("thing")["net_sales"].sum().sort_values(ascending=False, kind="stable").index)
    table = found["habits"]
    groups = sorted(table["group"], key=_order)
    habits = _habits(table.set_index("group").loc[groups].reset_index(), hides=hides)
    older = _older(found["months"]) if "months" in found else pd.DataFrame(columns=_OLDER_COLUMNS)
    frames = select_columns(PreferencesReport, index=_index(bought, hides=hides), habits=habits, older=older)
    return PreferencesReport(
        as_of, by, thing, snapshot.info.currency, hides, **frames, groups=tuple(groups), things=things[:MOST_THINGS]
    )


def asked(
    snapshot: Snapshot, scope: Scope, as_of: date, by: Sequence[str] = GROUPINGS, things: Sequence[Thing] = THINGS
) -> dict[tuple[str, str], Frames]:
    """What the report of each choice is made of, before anything is hidden: bought, habits and (by age only) months, as
    the functions of ``queries``; all groupings at once, for customers and lines are the same."""
    year = Period(as_of - timedelta(days=DAYS - 1), as_of)
    engine, months = snapshot.engine, complete_months(snapshot, as_of)[-MONTHS:]
    habits = _parts(rows_of(scope, engine, queries.habits, year, tuple(by)), by)
    found: dict[tuple[str, str], Frames] = {}
    for thing in things:
        bought = _parts(rows_of(scope, engine, queries.bought, year, tuple(by), thing), by)
        found |= {(name, thing): {"bought": bought[name], "habits": habits[name]} for name in by}
    if BY_AGE in by and len(months):
        period = Period(month_days(months[0]).first, month_days(months[-1]).last)
        by_month = rows_of(scope, engine, queries.by_month, period, BY_AGE)
        for thing in things:
            found[BY_AGE, thing]["months"] = by_month
    return found


def _parts(rows: pd.DataFrame, by: Sequence[str]) -> dict[str, pd.DataFrame]:
    """The rows of each grouping, which lie together."""
    of, others = rows["grouping"].to_numpy(), rows.drop(columns="grouping")
    found = {}
    for name in by:
        mine = np.flatnonzero(of == name)
        first = int(mine[0]) if len(mine) else 0
        found[name] = others.iloc[first : first + len(mine)].reset_index(drop=True)
    return found


def _older(bought: pd.DataFrame) -> pd.DataFrame:
    """The share of those of 45 and over among the buyers of each month."""
    known = bought[bought["group"] != NOT_KNOWN]
    columns = ["customers", "net_sales"]
    whole = known.groupby("month")[columns].sum()
    whole = whole[whole["customers"] >= _ENOUGH]
    part = known[known["group"].isin(OLDER)].groupby("month")[columns].sum().reindex(whole.index, fill_value=0)
    shares = growth.share(part["customers"], whole["customers"])
    return pd.DataFrame(
        {
            "month": whole.index.to_numpy(object),
            "customers": part["customers"].to_numpy(),
            "known": whole["customers"].to_numpy(),
            "share": shares["rate"].to_numpy(),
            "lo95": shares["lo95"].to_numpy(),
            "hi95": shares["hi95"].to_numpy(),
            "sales_share": (part["net_sales"] / whole["net_sales"]).to_numpy(),
        }
    )


_OLDER_COLUMNS = ["month", "customers", "known", "share", "lo95", "hi95", "sales_share"]


def _order(group: str) -> tuple[bool, bool, str]:
    """By name, the youngest first and those not known last."""
    return group == NOT_KNOWN, not group.startswith("under"), group


def _index(bought: pd.DataFrame, *, hides: bool) -> pd.DataFrame:
    whole = bought.groupby("thing")["net_sales"].transform("sum") / bought["net_sales"].sum()
    share = bought["net_sales"] / bought.groupby("group")["net_sales"].transform("sum")
    table = bought.assign(share=share, base_share=whole, affinity_index=100 * share / whole)
    if not hides or table.empty:
        return table
    counts = table.pivot(index="group", columns="thing", values="customers").fillna(0).astype("int64")
    shown = suppression.published(counts)
    seen = [shown.at[row, column] for row, column in zip(table["group"], table["thing"], strict=True)]
    table = table.assign(customers=pd.Series(seen, index=table.index, dtype="Int64"))
    figures = ["net_sales", "share", "affinity_index"]
    return table.assign(**{name: table[name].where(table["customers"].notna()) for name in figures})


def _habits(table: pd.DataFrame, *, hides: bool) -> pd.DataFrame:
    lo95, hi95 = wilson(table["repeat_customers"], table["customers"])
    net_sales = table["net_sales"] / MONEY_UNIT
    rows = table.assign(
        net_sales=net_sales,
        average_ticket=net_sales / table["orders"],
        units_per_transaction=table["units"] / table["orders"],
        repeat_purchase_rate=table["repeat_customers"] / table["customers"],
        lo95=lo95,
        hi95=hi95,
        discounted_share=table["discounted"] / table["lines"],
    )
    if not hides or rows.empty:
        return rows
    counts = rows.set_index("group")[["customers"]]
    seen = suppression.published(counts)["customers"].reindex(rows["group"]).to_numpy()
    rows = rows.assign(customers=pd.Series(seen, index=rows.index, dtype="Int64"))
    shown = rows["customers"].notna()
    figures = [str(name) for name in rows if name not in ("group", "customers")]
    return rows.assign(**{name: rows[name].where(shown) for name in figures})
