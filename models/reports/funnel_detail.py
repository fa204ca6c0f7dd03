"""Funnel in detail: how far the customers of one campaign went, where most are lost, and who stopped where."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.marts.campaign_use import BIT
from data_access.queries import campaigns as all_campaigns
from data_access.queries import funnel as queries
from data_access.queries import places
from data_access.queries._groups import NOT_KNOWN
from data_access.queries._segments_then import SegmentsThen
from data_access.queries.funnel import Walk
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import funnel_gaps
from models.calc.funnel import wilson
from models.reports import campaign_segments
from models.reports._shape import Columns, declared_tables, select_columns

Grouping = Literal["segment", "store", "channel", "staff"]
WINDOWS = (7, 14, 30, 60)  # days of the first step
MOST_STOPPED = 5_000  # of a list
ALL = "all"


@dataclass(frozen=True, slots=True)
class FunnelDetailReport:
    """Treated customers of the stores in scope, all arms together or one; purchases in these stores only.

    Steps that somebody took in the campaign, and purchases. Rates with their Wilson intervals: rate_overall of the
    first step (overall_lo, overall_hi), rate_step of those who took the step ``previous`` (lo95, hi95).
    """

    walk: Walk  # the campaign, and what counts
    name: str
    by: Grouping
    arms: tuple[str, ...]  # the treated arms there are
    currency: str
    # stopped: took the step and none after it; median_hours, p90_hours: since the first step, of those who took it
    steps: Annotated[
        pd.DataFrame,
        Columns(
            "step previous customers stopped rate_overall overall_lo overall_hi base rate_step lo95 hi95 median_hours "
            "p90_hours"
        ),
    ]
    # claim, click and the like, in any order: numerator / denominator, ``of``: the step that is the denominator
    rates: Annotated[pd.DataFrame, Columns("key of numerator denominator value lo95 hi95")]
    # one row per group and step; others: the groups with fewer than five customers together
    parts: Annotated[pd.DataFrame, Columns("part step customers base rate_step lo95 hi95")]
    # as ``models.calc.funnel_gaps.gaps``
    gaps: Annotated[
        pd.DataFrame, Columns("part step previous base rate_step rest_rate difference lo95 hi95 lost verdict")
    ]
    # one row per day after the first step, up to the last purchase: bought by then; share of the first step
    times: Annotated[pd.DataFrame, Columns("day_number customers share")]
    # who took the step that was asked for and none after it, who spent most in the 365 days up to the as-of first
    stopped: Annotated[pd.DataFrame, Columns("customer_key store_id store channel happened_at net_sales last_day")]


def funnel_detail(
    snapshot: Snapshot,
    scope: Scope,
    campaign: str,
    by: Grouping = "segment",
    counted: str = "in_order",
    window_days: int | None = None,
    arm: str | None = None,
    step: str | None = None,
    members: int = 1_000,
) -> FunnelDetailReport:
    """The funnel of one campaign; Problem when there is no such campaign, arm or step in it."""
    engine = snapshot.engine
    mine = all_campaigns.known(scope, engine, [campaign])
    if mine.empty:
        names = ", ".join(all_campaigns.known(scope, engine)["campaign_id"].head(20)) or "none"
        raise Problem(f"there is no campaign {campaign!r}: the latest are {names}")
    first, last = (None if pd.isna(day) else day.date() for day in mine[["starts_on", "window_last"]].iloc[0])
    any_order = all_campaigns.funnel_steps(scope, engine, [campaign])
    arms = tuple(sorted(set(any_order.loc[~any_order["is_control"], "arm"]) - {all_campaigns.UNASSIGNED}))
    if arm is not None and arm not in arms:
        raise Problem(f"there is no treated arm {arm!r}: the arms are {', '.join(arms) or 'none'}")
    walk = Walk(campaign, first, last, counted == "in_order", window_days, arm)
    used = queries.used_steps(scope, engine, campaign)["step"].tolist()
    if step is not None and step not in used:
        raise Problem(f"there is no step {step!r} in it: the steps are {', '.join(used) or 'none'}")
    bits = {name: BIT[name] for name in used}
    frames: dict[str, pd.DataFrame] = {}
    kept = campaign_segments.paths(snapshot, scope, walk) if by == "segment" else None
    people = queries.walked(scope, engine, walk, by if kept is None else None)
    by_group = _paths(people, _part(snapshot, scope, walk, people, by)) if kept is None else kept
    if len(by_group) and bits:
        whole = by_group.groupby("taken", as_index=False)["customers"].sum().assign(part=ALL)
        grouped = funnel_gaps.with_small_together(by_group, next(iter(bits.values())))
        parts = funnel_gaps.by_step(grouped, bits)
        steps = _with_rates(funnel_gaps.by_step(whole, bits))
        steps = steps.merge(_hours(people, used), on="step", how="left")
        frames = {
            "steps": steps,
            "rates": funnel_gaps.rates(_in_any_order(any_order, arm)),
            "parts": _with_rates(parts),
            "gaps": funnel_gaps.gaps(parts),
            "times": _times(people["hours_bought"], int(steps["customers"].iloc[0])),
        }
        if step is not None:
            frames["stopped"] = stopped_at(snapshot, scope, walk, step, members)
    return FunnelDetailReport(
        walk,
        str(mine["name"].iloc[0]),
        by,
        arms,
        snapshot.info.currency,
        **select_columns(FunnelDetailReport, **frames),
    )


def stopped_at(snapshot: Snapshot, scope: Scope, walk: Walk, step: str, limit: int = MOST_STOPPED) -> pd.DataFrame:
    """Who took ``step`` and none after it; columns as ``FunnelDetailReport.stopped``."""
    day = snapshot.info.last_day
    if day is None:
        return pd.DataFrame(columns=list(declared_tables(FunnelDetailReport)["stopped"]))
    rows = queries.stopped(scope, snapshot.engine, walk, step, day + timedelta(days=1), limit)
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    rows = rows.assign(store=rows["store_id"].map(names).astype(object))
    return rows[list(declared_tables(FunnelDetailReport)["stopped"])]


def _part(snapshot: Snapshot, scope: Scope, walk: Walk, people: pd.DataFrame, by: Grouping) -> pd.Series:
    """The group that each of ``people`` (``queries.walked``) is in."""
    if by == "segment":
        if walk.first_day is None:
            return pd.Series(NOT_KNOWN, index=people.index)
        eve = walk.first_day - timedelta(days=1)  # nothing in the campaign has changed it yet
        then = SegmentsThen(scope, snapshot.engine, eve, eve)
        return pd.Series(then.of(people["customer_no"], people["joined_on"], eve), index=people.index)
    return people["staff_id" if by == "staff" else "store_id" if by == "store" else by].fillna(NOT_KNOWN)


def _paths(people: pd.DataFrame, part: pd.Series) -> pd.DataFrame:
    """How many of each group took which set of steps: part, taken, customers."""
    found = people.groupby([part.rename("part"), "taken"]).size()
    return found.rename("customers").reset_index()


def _hours(people: pd.DataFrame, steps: list[str]) -> pd.DataFrame:
    """Hours since the first step of those who took it: step, median_hours, p90_hours."""
    timed = [step for step in steps if step in queries.TIMED]
    found = people[[f"hours_{step}" for step in timed]].quantile([0.5, 0.9])
    middle, ninth = (found.loc[share].to_numpy() for share in (0.5, 0.9))
    return pd.DataFrame({"step": timed, "median_hours": middle, "p90_hours": ninth})


def _with_rates(parts: pd.DataFrame) -> pd.DataFrame:
    """The rates of each part: of its first step, and of the step before among those who took that."""
    first = parts.groupby("part")["customers"].transform("first")
    base = parts["base"].where(parts["previous"].notna())
    overall_lo, overall_hi = wilson(parts["customers"], first)
    lo, hi = wilson(parts["passed"], base)
    return parts.assign(
        rate_overall=parts["customers"] / first.where(first > 0),
        overall_lo=overall_lo,
        overall_hi=overall_hi,
        base=base,
        rate_step=parts["passed"] / base.where(base > 0),
        lo95=lo,
        hi95=hi,
    )


def _in_any_order(counts: pd.DataFrame, arm: str | None) -> dict[str, int]:
    """Customers by step, of the treated together or of one arm."""
    assigned = counts["arm"] != all_campaigns.UNASSIGNED
    mine = ~counts["is_control"] & (assigned if assigned.any() else True) if arm is None else counts["arm"] == arm
    known = counts[mine & (counts["is_used"] | (counts["step"] == "redeemed"))]
    return {str(step): int(many) for step, many in known.groupby("step")["customers"].sum().items()}


def _times(hours: pd.Series, people: int) -> pd.DataFrame:
    """``FunnelDetailReport.times``. ``hours``: from the first step to the purchase, NaN for whoever did not buy."""
    known = hours.dropna()
    if known.empty or not people:
        return pd.DataFrame(columns=["day_number", "customers", "share"])
    bought = np.bincount((known.clip(lower=0) // 24).astype("int64")).cumsum()
    return pd.DataFrame({"day_number": range(len(bought)), "customers": bought, "share": bought / people})
