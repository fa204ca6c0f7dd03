"""Campaigns: all of them side by side, by what they earned beyond their cost, never by what they sold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.queries import campaign as queries
from data_access.queries import campaigns as all_campaigns
from data_access.queries import mechanics
from data_access.queries._elsewhere import withheld
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.periods import have_ended
from models.reports import campaign_results, campaign_segments
from models.reports._kept import kept_sums
from models.reports._shape import Columns, declared_tables, select_columns
from models.reports.campaign import cost_parts
from models.reports.campaign_results import Judged

NAME = "campaigns"  # of what a batch keeps
_COUNTED = ("redeeming_customers", "redemptions", "buyers", "new_buyers")
_EARLY = {"worked": "ahead", "hurt": "behind"}
_PARTS = ("cost_media", "cost_message", "cost_other", "points_value", "cost_staff")
STATES = ("planned", "running", "closed", "undated")


@dataclass(frozen=True, slots=True)
class CampaignsReport:
    """Customers of the stores in scope. Money in the chain's currency, excluding tax."""

    currency: str
    # one row per campaign, the best incremental margin first, those without one after them, the latest first. state:
    # planned | running (its window is open) | closed | undated. targeted: assigned to a treated arm, held_back: to a
    # control group; reached, engaged: as ``data_access.queries.campaigns.campaigns``. buyers, new_buyers, net_sales and
    # margin: of the targeted, in the campaign's window; units: those sold to them in the stores in scope. lift: share
    # of buyers, treated arms together less control, with lo95 and hi95. incremental_margin: money (margin where every
    # cost is known, else sales) that the campaign caused; its interval only with 50 buyers in each arm. cost (media,
    # messages, other, points, staff), its parts and roi only for the whole chain; discount_given: by its coupons in the
    # stores in scope, taken out of margins already and so no part of the cost. verdict: as
    # ``models.calc.experiment.VERDICTS``, ahead or behind instead of worked or hurt while it runs, nobody: no customer
    # was treated, withheld: too few of these customers bought in other stores to tell (counts and money are NaN), or
    # one of ``campaign_basis.STORE_VERDICTS`` of a campaign of stores, whose incremental_margin is what the other
    # stores do not explain. frozen_at: as-of instant of the data since which results no longer change; NaT:
    # provisional, they follow the data.
    campaigns: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name type channel starts_on ends_on window_last state targeted held_back reached engaged "
            "redeeming_customers redemptions buyers new_buyers net_sales units margin cost lift lo95 hi95 "
            "incremental_margin incremental_lo incremental_hi roi roi_lo roi_hi verdict frozen_at objective "
            "cost_media cost_message cost_other points_value staff_hours cost_staff discount_given"
        ),
    ]
    # of one segment: campaigns that targeted customers who were in it the day before, with counts, money and verdict of
    # these customers alone (p-values after Holm over the segments of a campaign); what is not known of a segment
    # (redemptions, new buyers, units, cost and roi) is NaN
    segment: str | None
    is_known: bool  # False: no batch has computed that segment for these stores


def campaigns(snapshot: Snapshot, scope: Scope, segment: str | None = None) -> CampaignsReport:
    """Every campaign the stores in scope had customers in, and those that are planned; or those of a segment."""
    listed = all_campaigns.campaigns(scope, snapshot.engine)
    listed = listed.assign(state=states(listed, snapshot.info.as_of))
    if segment is not None:
        return _of_segment(snapshot, scope, segment, listed)
    listed = listed.merge(_with_cost(cost_parts(snapshot, scope)), on="campaign_id", how="left")
    costs = listed.set_index("campaign_id")["cost"]
    found = with_return(listed.merge(_kept_or_computed(snapshot, scope, costs), on="campaign_id", how="left"))
    verdict = _so_far(found).fillna("nobody")
    is_told = verdict != "withheld"
    counts = {name: found[name].fillna(0).astype("int64").where(is_told) for name in _COUNTED}
    kept = kept_sums(snapshot, scope, NAME)
    given = mechanics.discounts(scope, snapshot.engine) if kept is None else kept["discounts"]
    found = found.assign(verdict=verdict, **counts).merge(given, on="campaign_id", how="left")
    return _ranked(snapshot, found)


def _of_segment(snapshot: Snapshot, scope: Scope, segment: str, listed: pd.DataFrame) -> CampaignsReport:
    """The campaigns of one segment, each with the figures of its customers who were in it."""
    kept = campaign_segments.rows(snapshot, scope, segment)
    whole = listed.drop(columns=["targeted", "held_back", "reached", "engaged"])
    if kept is None:
        nobody = dict.fromkeys(campaign_segments.SEGMENTS.split()[1:], np.nan)
        return _ranked(snapshot, whole.iloc[:0].assign(**nobody), segment, is_known=False)
    found = whole.merge(kept, on="campaign_id")
    return _ranked(snapshot, found.assign(verdict=_so_far(found)), segment)


def _so_far(campaigns: pd.DataFrame) -> pd.Series:
    """The verdict of each campaign; of one that still runs no more than which way it goes so far, as a verdict for one
    look at the end must not be read before it."""
    early = campaigns["verdict"].replace(_EARLY)
    return campaigns["verdict"].mask(campaigns["state"] == "running", early)


def _ranked(
    snapshot: Snapshot, found: pd.DataFrame, segment: str | None = None, is_known: bool = True
) -> CampaignsReport:
    """The report on ``found``, the best first; what it does not say is NaN."""
    best_first = found.sort_values("incremental_margin", ascending=False, kind="stable", ignore_index=True)
    every = declared_tables(CampaignsReport)["campaigns"]
    unsaid = {name: np.nan for name in every if name not in best_first}
    frames = select_columns(CampaignsReport, campaigns=best_first.assign(**unsaid))
    return CampaignsReport(snapshot.info.currency, **frames, segment=segment, is_known=is_known)


def _kept_or_computed(snapshot: Snapshot, scope: Scope, costs: pd.Series) -> pd.DataFrame:
    """What a batch kept of each campaign, and of the others what is computed now."""
    kept, whole = campaign_results.rows(snapshot, scope)
    told = kept.drop(columns=["starts_on", "window_last"], errors="ignore")
    if whole:
        return told
    judged = campaign_results.judged(snapshot, scope, costs, together=True)
    now = results(snapshot, scope, judged, campaign_results.of_stores(snapshot, scope))
    now["frozen_at"] = pd.Series(pd.NaT, index=now.index, dtype="datetime64[us]")
    others = now[~now["campaign_id"].isin(told["campaign_id"])]
    return others if told.empty else pd.concat([told, others], ignore_index=True)


def costs_of(snapshot: Snapshot, scope: Scope) -> pd.Series:
    """What each campaign cost, by its id: for the chain, as nobody knows which part is a store's."""
    return _with_cost(cost_parts(snapshot, scope)).set_index("campaign_id")["cost"]


def _with_cost(parts: pd.DataFrame) -> pd.DataFrame:
    """``cost_parts`` with their sum, as far as they are known."""
    return parts.assign(cost=parts[list(_PARTS)].sum(axis=1, min_count=1).astype("float64"))


def results(
    snapshot: Snapshot, scope: Scope, judged: Mapping[str, Judged], stores: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """What every campaign with customers in scope did there, and those that only ``stores`` take part in: the columns
    of the report that follow from them."""
    told = queries.outcomes(scope, snapshot.engine).merge(_caused(judged), on="campaign_id", how="left")
    sold = queries.units(scope, snapshot.engine).set_index("campaign_id")["units"]
    told["units"] = told["campaign_id"].map(sold).fillna(0.0).astype("float64")
    counts = dict.fromkeys(["redeeming_customers", "redemptions", "buyers", "new_buyers"], 0)
    untold = pd.DataFrame({"campaign_id": withheld(scope, snapshot.engine), **counts, "verdict": "withheld"})
    names = {"incremental": "incremental_margin"}
    ends = ["incremental_margin", "incremental_lo", "incremental_hi", "verdict"]
    by_stores = [table.rename(columns=names)[ends].assign(campaign_id=key, **counts) for key, table in stores.items()]
    some = [frame for frame in (told, untold, *by_stores) if len(frame)]
    return pd.concat(some, ignore_index=True).reindex(columns=told.columns) if some else told


def with_return(campaigns: pd.DataFrame) -> pd.DataFrame:
    """``campaigns`` with roi and its bounds: what they earned beyond their cost, by that cost."""
    cost = campaigns["cost"].where(campaigns["cost"] > 0)
    ends = {"roi": "incremental_margin", "roi_lo": "incremental_lo", "roi_hi": "incremental_hi"}
    return campaigns.assign(**{name: (campaigns[money] - cost) / cost for name, money in ends.items()})


def states(listed: pd.DataFrame, as_of: datetime) -> pd.Series:
    states = np.select(
        [
            listed["is_planned"] | (listed["starts_on"] > pd.Timestamp(as_of)),
            listed["window_last"].notna() & ~have_ended(listed["window_last"], as_of),
        ],
        ["planned", "running"],
        np.where(listed["starts_on"].isna(), "undated", "closed"),
    )
    return pd.Series(states, index=listed.index, dtype=object)


def _caused(judged: Mapping[str, Judged]) -> pd.DataFrame:
    """What each campaign's treated arms together did beyond its control group, one row per campaign."""
    rows = []
    for campaign_id, one in judged.items():
        if one.verdicts.empty:
            continue
        shares = one.lifts[one.lifts["metric"] == "conversion"].tail(1)[["difference", "lo95", "hi95"]]
        row = one.verdicts.iloc[-1].to_dict() | (shares.iloc[0].to_dict() if len(shares) else {})
        rows.append({"campaign_id": campaign_id, **row})
    names = {"difference": "lift", "incremental": "incremental_margin"}
    columns = "campaign_id difference lo95 hi95 incremental incremental_lo incremental_hi verdict"
    return pd.DataFrame(rows, columns=columns.split()).rename(columns=names)
