"""Campaigns by segment: what each did with the customers who were in a segment the day before it.

The customers held back were drawn at random, so those of one segment are held back at random, too: within a segment the
treated and the control group may be compared. Looking at eleven segments finds something sooner or later, so p-values
are corrected for it (Holm), and a verdict needs 50 buyers in both groups.
"""

from datetime import timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_access.marts.campaign_use import BIT
from data_access.queries import campaign_segments as queries
from data_access.queries import campaigns as all_campaigns
from data_access.queries._places import place_of
from data_access.queries.funnel import Walk
from data_access.results.info import has_current_rows
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import lift
from models.calc.experiment import verdict, worth_having
from models.calc.funnel_gaps import SMALL
from models.calc.lift import Outcome
from models.reports.campaign_results import WITHHELD, frozen_at, identity, of_this_chain

JOB = "campaign_segments"
ROWS, PATHS = "segments", "paths"
_REACHED, _ENGAGED = ("delivered", "sent"), ("clicked", "claimed", "visited")  # the first that anybody notes
_COUNTED = "segment targeted held_back reached engaged buyers net_sales margin"
_CAUSED = "lift lo95 hi95 incremental_margin incremental_lo incremental_hi verdict"
_TEST = "p_value difference detectable worth"
SEGMENTS = f"campaign_id {_COUNTED} {_CAUSED}"


def rows(snapshot: Snapshot, scope: Scope, segment: str) -> pd.DataFrame | None:
    """What is kept of every campaign with customers of a segment; None where no batch has computed it for these
    stores. Columns ``SEGMENTS`` and frozen_at."""
    if snapshot.results is None or not has_current_rows(snapshot, scope, JOB):
        return None
    found = queries.kept(scope, snapshot.results, segment)[[*SEGMENTS.split(), "frozen_at"]]
    place = place_of(scope, snapshot.results)
    return None if place is None or place.level == "store" else found


def paths(snapshot: Snapshot, scope: Scope, walk: Walk) -> pd.DataFrame | None:
    """The paths by segment that are kept of a campaign, for a walk in order of all arms without a limit of days; None:
    of any other walk, and where none are kept."""
    is_usual = walk.in_order and walk.within_days is None and walk.arm is None
    if not is_usual or snapshot.results is None or not has_current_rows(snapshot, scope, JOB):
        return None
    found = queries.kept_paths(scope, snapshot.results, walk.campaign_id)
    return found.drop(columns="campaign_id") if len(found) else None


def carried_over(snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    """What is frozen for these stores: the rows, and the paths of their campaigns."""
    if snapshot.results is None:
        return {ROWS: pd.DataFrame(columns=["campaign_id"]), PATHS: pd.DataFrame(columns=["campaign_id"])}
    kept = queries.kept(scope, snapshot.results)
    found = of_this_chain(snapshot, scope, kept[kept["frozen_at"].notna()])
    walked = queries.kept_paths(scope, snapshot.results)
    return {ROWS: found, PATHS: walked[walked["campaign_id"].isin(found["campaign_id"])]}


def computed(snapshot: Snapshot, scope: Scope, costs: pd.Series, without: set[str]) -> dict[str, pd.DataFrame]:
    """The rows and paths of every campaign that has begun with customers of these stores, other than ``without``.

    ``costs``: of each campaign, by its id.
    """
    listed = all_campaigns.campaigns(scope, snapshot.engine)
    begun = listed["starts_on"].notna() & (listed["starts_on"] <= pd.Timestamp(snapshot.info.as_of))
    asked = listed[begun & (listed["targeted"] > 0) & ~listed["campaign_id"].isin(without)]
    asked = asked.sort_values(["starts_on", "campaign_id"])  # one walk through the days
    segments, walked = [], []
    then = None
    if len(asked):
        eves = asked["starts_on"].dt.date - timedelta(days=1)
        then = queries.SegmentsThen(scope, snapshot.engine, eves.iloc[0], eves.iloc[-1])
    for campaign_id, first, last in zip(asked["campaign_id"], asked["starts_on"], asked["window_last"], strict=True):
        walk = Walk(campaign_id, first.date(), last.date())
        people = queries.members(scope, snapshot.engine, walk, then)
        found, taken = by_segment(people, float(costs.get(campaign_id, np.nan))), _paths(people)
        segments.append(found.assign(campaign_id=campaign_id))
        walked.append(taken.assign(campaign_id=campaign_id))
    told = pd.concat(segments, ignore_index=True) if segments else pd.DataFrame(columns=SEGMENTS.split())
    told = told.merge(identity(snapshot, scope), on="campaign_id")
    told["frozen_at"] = frozen_at(told, snapshot.info.as_of)
    empty = pd.DataFrame(columns=["campaign_id", "part", "taken", "customers"])
    return {ROWS: told, PATHS: pd.concat(walked, ignore_index=True) if walked else empty}


def _paths(people: pd.DataFrame) -> pd.DataFrame:
    """How many of a segment took which steps. ``people``: as ``queries.members`` has them."""
    paths = people[people["taken"] >= 0].groupby(["segment", "taken"]).size().rename("customers").reset_index()
    return paths.rename(columns={"segment": "part"})


def by_segment(people: pd.DataFrame, cost: float) -> pd.DataFrame:
    """One row per segment with at least five treated customers: ``SEGMENTS`` without the campaign.

    people: as ``queries.members`` has them; cost: of the whole campaign.
    """
    assigned = people[people["arm"].notna()]
    control = assigned["is_control"].to_numpy(dtype=bool)
    reached = assigned["reached"].to_numpy(dtype="int64")
    noted = {
        name: _first_noted(reached[~control], steps) for name, steps in (("reached", _REACHED), ("engaged", _ENGAGED))
    }
    spend, margin = assigned["spend"].to_numpy(dtype="float64"), assigned["margin"].to_numpy(dtype="float64")
    bought = assigned["orders"].fillna(0).to_numpy() > 0
    money = spend if np.isnan(margin[bought]).any() else margin
    code, names = pd.factorize(assigned["segment"], sort=True)
    found = []
    for number, segment in enumerate(names):
        mine = code == number
        chosen, others = mine & ~control, mine & control
        if chosen.sum() < SMALL:
            continue
        counts = {
            name: None if bit is None else int(((reached[chosen] & bit) > 0).sum()) for name, bit in noted.items()
        }
        row: dict[str, Any] = {
            **{"segment": segment, "targeted": int(chosen.sum()), "held_back": int(others.sum()), **counts},
            "buyers": int(bought[chosen].sum()),
            "net_sales": float(spend[chosen & bought].sum()),
            "margin": float(margin[chosen & bought].sum()),
        }
        one, other = (Outcome(int(arm.sum()), money[arm & bought]) for arm in (chosen, others))
        found.append(row | _caused(one, other, cost / float((~control).sum())))
    told = pd.DataFrame(found, columns=f"{_COUNTED} {_CAUSED} {_TEST}".split())
    if people["orders"].isna().any():
        told[["net_sales", "margin", *_CAUSED.split()]] = np.nan
        return told.assign(buyers=0, verdict=WITHHELD)[f"{_COUNTED} {_CAUSED}".split()]
    judged = [
        said if np.isnan(p) else verdict(p, difference, detectable, worth, float("nan"))
        for said, p, difference, detectable, worth in zip(
            told["verdict"],
            lift.holm(told["p_value"].tolist()),
            *(told[name] for name in _TEST.split()[1:]),
            strict=True,
        )
    ]
    return told.assign(verdict=pd.Series(judged, dtype=object))[f"{_COUNTED} {_CAUSED}".split()]


def _first_noted(reached: npt.NDArray[np.int64], steps: tuple[str, ...]) -> int | None:
    """The bit of the first of ``steps`` that anybody took; None: nobody took any."""
    return next((BIT[step] for step in steps if ((reached & BIT[step]) > 0).any()), None)


def _caused(treated: Outcome, control: Outcome, cost_each: float) -> dict[str, Any]:
    """``_CAUSED`` and ``_TEST`` of the buyers of a segment, by their money."""
    if not control.people:
        return {"verdict": "no_control", "p_value": np.nan}
    share = lift.share_difference(len(treated.values), treated.people, len(control.values), control.people)
    found = lift.mean_difference(treated, control)
    has_range = np.isfinite(found.lo)  # fifty buyers in both groups
    return {
        **{"lift": share.value, "lo95": share.lo, "hi95": share.hi},
        "incremental_margin": found.value * treated.people,
        "incremental_lo": found.lo * treated.people,
        "incremental_hi": found.hi * treated.people,
        "verdict": "cannot_tell",
        "p_value": min(1.0, 2 * min(lift.randomisation_p(treated, control))) if has_range else np.nan,
        "difference": found.value,
        "detectable": lift.smallest_detectable(float(np.sqrt(control.variance)), treated.people, control.people),
        "worth": worth_having(cost_each, control.mean),
    }
