"""Funnels: campaigns side by side, step by step, and the rates that are unusual for their channel."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.queries import campaigns as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import funnel_gaps
from models.reports._shape import Columns, select_columns
from models.reports.campaigns import states
from models.reports.funnel import steps_of

_STEPS = ("delivered", "opened", "clicked", "claimed", "visited", "bought", "bought_again")


@dataclass(frozen=True, slots=True)
class FunnelsReport:
    """Treated customers of the stores in scope, all arms together, by campaign, the latest first."""

    # state: as of ``models.reports.campaigns``; targeted: customers who took the first step; each step in order as a
    # share of them; failing: the rate that is furthest below the usual of the channel (None: none is)
    campaigns: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name channel state starts_on targeted share_delivered share_opened share_clicked "
            "share_claimed share_visited share_bought share_bought_again failing"
        ),
    ]
    # one row per campaign and rate, in any order, against the earlier campaigns of its channel: as
    # ``models.calc.funnel_gaps.against_baseline``
    alerts: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name channel starts_on key numerator denominator value earlier baseline lo95 hi95 verdict"
        ),
    ]


def funnels(snapshot: Snapshot, scope: Scope) -> FunnelsReport:
    """Every campaign with customers in scope, and what is unusual about it."""
    engine = snapshot.engine
    listed = queries.known(scope, engine)
    listed = listed.assign(state=states(listed, snapshot.info.as_of))
    listed = listed[["campaign_id", "name", "channel", "state", "starts_on"]]
    counts = queries.funnel_steps(scope, engine)
    steps = steps_of(counts)
    if steps.empty:
        return FunnelsReport(**select_columns(FunnelsReport))
    shares = steps.pivot(index="campaign_id", columns="step", values="rate_overall").reindex(columns=list(_STEPS))
    shares = shares.add_prefix("share_")
    begun = steps.drop_duplicates("campaign_id").set_index("campaign_id")["customers"].rename("targeted")
    wide = listed.merge(shares.join(begun), left_on="campaign_id", right_index=True)
    alerts = funnel_gaps.against_baseline(_rates(counts, listed.drop(columns="state")))
    alerts = alerts.merge(listed[["campaign_id", "name"]], on="campaign_id")
    low = alerts[alerts["verdict"] == "below"]
    depth = low.assign(depth=low["value"] / low["baseline"]).sort_values("depth", kind="stable")
    failing = depth.drop_duplicates("campaign_id").set_index("campaign_id")["key"]
    return FunnelsReport(
        **select_columns(
            FunnelsReport,
            campaigns=wide.assign(failing=wide["campaign_id"].map(failing).astype(object)),
            alerts=alerts.sort_values(["starts_on", "campaign_id"], ascending=False, kind="stable", ignore_index=True),
        )
    )


def _rates(counts: pd.DataFrame, listed: pd.DataFrame) -> pd.DataFrame:
    """Every rate of every campaign by ``queries.funnel_steps``: campaign_id, channel, starts_on, key, numerator,
    denominator."""
    mine = counts[~counts["is_control"] & (counts["arm"] != queries.UNASSIGNED)]
    mine = mine[mine["is_used"] | (mine["step"] == "redeemed")]
    steps: dict[str, dict[str, int]] = {}
    sums = mine.groupby(["campaign_id", "step"], as_index=False)["customers"].sum()
    for campaign_id, step, taken in zip(*(sums[name].tolist() for name in sums), strict=True):
        steps.setdefault(campaign_id, {})[step] = taken
    found = [
        (campaign_id, key, numerator, denominator)
        for campaign_id, customers in steps.items()
        for key, _, numerator, denominator in funnel_gaps.counted(customers)
    ]
    frame = pd.DataFrame(found, columns=["campaign_id", "key", "numerator", "denominator"])
    dated = listed[listed["starts_on"].notna() & listed["channel"].notna()]
    return frame.merge(dated.drop(columns="name"), on="campaign_id")


def choices(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """The campaigns whose funnel can be looked at, the latest that has begun first. Columns: campaign_id, name."""
    listed = queries.known(scope, snapshot.engine)
    begun = ~listed["is_planned"]
    return pd.concat([listed[begun], listed[~begun]])[["campaign_id", "name"]].reset_index(drop=True)
