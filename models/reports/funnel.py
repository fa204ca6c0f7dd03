"""Funnel: how far the customers of campaigns went, step by step."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.marts.campaign_step import OUTCOMES, UNASSIGNED
from data_access.queries import campaigns as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.funnel import funnel as with_rates
from models.calc.funnel import previous_steps, wilson
from models.reports._shape import Columns, select_columns

# How a customer comes to count for a step -> the column of the query.
COUNTED = {"in_order": "customers_in_order", "any_order": "customers", "at_least": "customers_at_least"}


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """Customers of the stores in scope, of the treated arms together or of one arm.

    Only steps that somebody took in the campaign are shown, and purchases. A step counts in order: after every
    earlier step that is shown; claiming and visiting do not require each other. lo95 and hi95 are the Wilson interval
    of rate_step, in ``outcomes`` of rate_overall.
    """

    arm: str | None  # None: all arms but the control groups
    counted: str  # in_order; any_order: it happened at all; at_least: it or a later step happened
    # one row per campaign with customers in scope and step; rate_overall = customers / those of the first step,
    # rate_step = customers / those of the step ``previous``; median_hours: from that step, of those who took both in
    # order, only when one campaign is asked for
    steps: Annotated[
        pd.DataFrame,
        Columns("campaign_id step customers rate_overall rate_step lo95 hi95 median_hours previous"),
    ]
    # one row per campaign and what stands beside the steps (redeemed, unsubscribed), which require nothing
    outcomes: Annotated[pd.DataFrame, Columns("campaign_id outcome customers rate_overall lo95 hi95")]


def funnel(
    snapshot: Snapshot, scope: Scope, campaign: str | None = None, arm: str | None = None, counted: str = "in_order"
) -> FunnelReport:
    """The funnel of one campaign or of each; Problem when the campaign or the arm is unknown."""
    engine = snapshot.engine
    counts = queries.funnel_steps(scope, engine, None if campaign is None else [campaign])
    if campaign is not None and counts.empty:
        _expect(campaign, queries.known(scope, engine))
    chosen = counts[_in_arm(counts, arm)]
    if arm is not None and chosen.empty and len(counts):
        raise Problem(f"there is no arm {arm!r}: the arms are {', '.join(sorted(set(counts['arm']) - {UNASSIGNED}))}")
    sums = _sums(chosen, counted)
    beside = sums["step"].isin(OUTCOMES)
    steps = _with_rates(sums)
    if campaign is not None and len(steps):
        previous = previous_steps(steps["step"].tolist())
        hours = queries.step_hours(scope, engine, campaign, previous, sorted(set(chosen["arm"])))
        steps["median_hours"] = steps["step"].map(hours.set_index("step")["median_hours"])
    frames = select_columns(FunnelReport, steps=steps, outcomes=_outcomes(sums[beside], steps))
    return FunnelReport(arm, counted, **frames)


def steps_of(counts: pd.DataFrame) -> pd.DataFrame:
    """``FunnelReport.steps`` in order of everybody treated, by the rows of ``queries.funnel_steps``."""
    return _with_rates(_sums(counts[_in_arm(counts, None)], "in_order"))


def _sums(counts: pd.DataFrame, counted: str) -> pd.DataFrame:
    """The arms together, as one of ``COUNTED``: campaign_id, step, customers, is_used."""
    return (
        counts.assign(customers=counts[COUNTED[counted]])
        .groupby(["campaign_id", "step"], sort=False, as_index=False)
        .agg(customers=("customers", "sum"), is_used=("is_used", "any"))
    )


def _with_rates(sums: pd.DataFrame) -> pd.DataFrame:
    """The steps among ``_sums`` that are shown."""
    steps = sums[~sums["step"].isin(OUTCOMES) & sums["is_used"]].reset_index(drop=True)
    return with_rates(steps).assign(median_hours=float("nan"))


def _in_arm(counts: pd.DataFrame, arm: str | None) -> pd.Series:
    """The rows of ``arm``, or of everybody treated: where a campaign assigns people, only of those assigned."""
    if arm is not None:
        return counts["arm"] == arm
    assigns = counts["campaign_id"].isin(counts.loc[counts["is_used"] & (counts["step"] == "targeted"), "campaign_id"])
    return ~counts["is_control"] & ((counts["arm"] != UNASSIGNED) | ~assigns)


def _outcomes(sums: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    first = steps.drop_duplicates("campaign_id").set_index("campaign_id")["customers"]
    base = sums["campaign_id"].map(first)
    lo, hi = wilson(sums["customers"], base)
    rate = sums["customers"] / base.where(base > 0)
    return sums.assign(outcome=sums["step"], rate_overall=rate, lo95=lo, hi95=hi)


def _expect(campaign: str, known: pd.DataFrame) -> None:
    if campaign not in known["campaign_id"].tolist():
        names = ", ".join(known["campaign_id"].head(20)) or "none"
        raise Problem(f"there is no campaign {campaign!r}: the latest are {names}")
