"""What a batch keeps of campaigns: what each caused in each place, frozen once its window has closed.

A result that people have decided by must not change afterwards because a return is booked late or somebody improves
the method: whatever is frozen is carried over as it is, and says when it was frozen and by which version.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd

from data_access.queries import campaign as queries
from data_access.queries import campaign_results as kept_queries
from data_access.queries import campaigns as all_campaigns
from data_access.queries.campaign_results import KEPT
from data_access.results.info import has_current_rows, origin
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.adjusted import LEAST
from models.calc.experiment import Experiment, experiment
from models.calc.periods import have_ended
from models.reports import campaign_basis
from models.reports.campaign_basis import NOT_COMPARED, Compared, at_once, compared

JOB = "campaigns"
WITHHELD = "withheld"  # a verdict on too few people to tell: it may be told one day, so it is never frozen
RESULT = "result"  # beside the tables of ``KEPT``


def frozen(snapshot: Snapshot, scope: Scope, campaign_id: str | None = None) -> pd.DataFrame:
    """The rows of campaigns (all unless told) that are frozen for these stores; columns as ``campaign_result`` without
    its place."""
    if snapshot.results is None:
        return pd.DataFrame(columns=["campaign_id"])
    found = kept_queries.rows(scope, snapshot.results, campaign_id)
    return of_this_chain(snapshot, scope, found[found["frozen_at"].notna()])


def rows(snapshot: Snapshot, scope: Scope, campaign_id: str | None = None) -> tuple[pd.DataFrame, bool]:
    """What is kept of campaigns (all unless told) for these stores and may be shown, and whether that is all there can
    be."""
    if snapshot.results is not None and has_current_rows(snapshot, scope, JOB):
        return kept_queries.rows(scope, snapshot.results, campaign_id), True
    return frozen(snapshot, scope, campaign_id), False


def tables_of(snapshot: Snapshot, scope: Scope, campaign_id: str) -> tuple[pd.Series, dict[str, pd.DataFrame]] | None:
    """The row and the tables (``KEPT``) that are kept of one campaign; None when it must be computed."""
    mine, _ = rows(snapshot, scope, campaign_id)
    if snapshot.results is None or mine.empty or pd.isna(mine["money"].iloc[0]):
        return None
    results = snapshot.results
    return mine.iloc[0], {name: kept_queries.kept(scope, results, name, campaign_id) for name in KEPT}


def with_cost(judged: pd.DataFrame, cost: float) -> pd.DataFrame:
    """A verdict, of arms or of stores, with what the campaign cost and returned: cost, roi, roi_lo and roi_hi of the
    last row. The cost may become known after the verdict was frozen."""
    told = judged.assign(**dict.fromkeys(("cost", "roi", "roi_lo", "roi_hi"), np.nan))
    if len(told) and cost > 0 and pd.notna(told["incremental"].iloc[-1]):
        ends = {"roi": "incremental", "roi_lo": "incremental_lo", "roi_hi": "incremental_hi"}
        last = told.index[-1]
        told.loc[last, ["cost", *ends]] = [cost, *((told.loc[last, money] - cost) / cost for money in ends.values())]
    return told


def carried_over(snapshot: Snapshot, scope: Scope) -> dict[str, pd.DataFrame]:
    """The rows of every table that are frozen for these stores."""
    found = frozen(snapshot, scope)
    if snapshot.results is None or found.empty:
        return {RESULT: found}
    results = snapshot.results
    tables = {name: kept_queries.kept(scope, results, name) for name in KEPT}
    mine = {name: table[table["campaign_id"].isin(found["campaign_id"])] for name, table in tables.items()}
    return {RESULT: found, **mine}


@dataclass(frozen=True, slots=True)
class Judged:
    """One campaign as an experiment: its arms (rows of ``queries.arms``), what they make, the lifts and verdicts."""

    arms: pd.DataFrame
    made: Experiment
    lifts: pd.DataFrame
    verdicts: pd.DataFrame


def judged(
    snapshot: Snapshot, scope: Scope, costs: pd.Series, without: Collection[str] = (), together: bool = False
) -> dict[str, Judged]:
    """Every campaign with customers in scope, other than ``without``, that may be told, by its id.

    ``costs``: of each, by its id. ``together``: all treated arms as one, and only what the list of campaigns tells.
    """
    people, buyers = queries.arms(scope, snapshot.engine), queries.buyers(scope, snapshot.engine)
    people = people[people["buyers"].notna() & ~people["campaign_id"].isin(without)]
    bought = dict(tuple(buyers.groupby("campaign_id", observed=True)))
    found = {}
    for campaign_id, arms in people.groupby("campaign_id"):
        made = experiment(arms, bought.get(campaign_id, buyers.iloc[:0]))
        if together:
            made = replace(made, treated=made.treated[-1:])
        lifts = made.lift(("conversion", made.money)) if together else made.lift()
        verdicts = made.verdicts(lifts, float(costs.get(campaign_id, np.nan)))
        found[str(campaign_id)] = Judged(arms, made, lifts, verdicts)
    return found


def of_stores(snapshot: Snapshot, scope: Scope, without: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Every campaign of some stores that has begun, other than ``without``, whose stores can be compared with others
    in scope, by its id: table ``campaign_basis.STORES``."""
    listed = all_campaigns.campaigns(scope, snapshot.engine)
    nobody = ~listed["is_planned"] & (listed["targeted"] + listed["held_back"] == 0)
    dated = listed[nobody & ~listed["campaign_id"].isin(without)].dropna(subset=["starts_on", "window_last"])
    found = {
        str(campaign_id): campaign_basis.of_stores(snapshot, scope, campaign_id, first.date(), last.date())
        for campaign_id, first, last in zip(dated["campaign_id"], dated["starts_on"], dated["window_last"], strict=True)
    }
    return {key: table for key, table in found.items() if len(table)}


def computed(
    snapshot: Snapshot,
    scope: Scope,
    results: pd.DataFrame,
    campaigns: Mapping[str, Judged],
    stores: Mapping[str, pd.DataFrame],
    method: str,
) -> dict[str, pd.DataFrame]:
    """The rows of every table, of the ``campaigns`` and those of ``stores``; those whose window has closed are frozen.

    ``results``: what the list of campaigns says of each, of those withheld as well.
    """
    known = identity(snapshot, scope)
    dated = known.set_index("campaign_id")
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in KEPT}
    past = _past(snapshot, scope, campaigns)
    alike = compared(snapshot, scope, dict(_uncontrolled({key: one.made for key, one in campaigns.items()}, dated)))
    for campaign_id, one in campaigns.items():
        mine = past[past["campaign_id"] == campaign_id]
        beside = beside_the_verdict(one.made, mine, alike.get(campaign_id))
        for name, table in {"arms": one.arms, "lift": one.lifts, "verdict": one.verdicts, **beside}.items():
            found[name].append(table.assign(campaign_id=campaign_id, position=range(len(table))))
    for campaign_id, table in stores.items():
        found["stores"].append(table.assign(campaign_id=campaign_id, position=0))
    mine = results.merge(known, on="campaign_id")
    money = {key: one.made.money for key, one in campaigns.items()}
    money |= {key: table["money"].iloc[0] for key, table in stores.items()}
    told = mine.assign(
        money=mine["campaign_id"].map(money),
        sample_ratio_p=mine["campaign_id"].map({k: one.made.ratio_p for k, one in campaigns.items()}).astype("float64"),
        method=method,
    )
    told["frozen_at"] = frozen_at(told, snapshot.info.as_of)
    return {RESULT: told, **{name: _together(name, frames) for name, frames in found.items()}}


def _past(snapshot: Snapshot, scope: Scope, campaigns: Mapping[str, Judged]) -> pd.DataFrame:
    """``queries.before`` of those with a control group, so many at a time that their customers fit into memory."""
    people = {key: int(one.arms["people"].sum()) for key, one in campaigns.items() if one.made.control is not None}
    groups = at_once(people) or [[]]
    return pd.concat([queries.before(scope, snapshot.engine, group) for group in groups], ignore_index=True)


def _uncontrolled(made: Mapping[str, Experiment], dated: pd.DataFrame) -> Iterator[tuple[str, tuple[date, date]]]:
    """The campaigns in which nobody was held back and enough were treated, with the days that count. ``dated``: rows
    of ``identity`` by campaign."""
    for campaign_id, one in made.items():
        first, last = dated.loc[campaign_id, ["starts_on", "window_last"]]
        enough = bool(one.treated) and one.treated[-1].people >= LEAST
        if one.control is None and enough and pd.notna(first) and pd.notna(last):
            yield campaign_id, (first.date(), last.date())


def alike_of(snapshot: Snapshot, scope: Scope, campaign_id: str, made: Experiment) -> Compared | None:
    """The treated of one campaign against others like them; None: somebody was held back, or too few to compare."""
    dated = identity(snapshot, scope).set_index("campaign_id")
    return compared(snapshot, scope, dict(_uncontrolled({campaign_id: made}, dated))).get(campaign_id)


def beside_the_verdict(made: Experiment, past: pd.DataFrame, alike: Compared | None) -> dict[str, pd.DataFrame]:
    """How far a verdict may be trusted (checks, with what CUPED makes of it), and where nobody was held back the
    comparison with others like the treated (adjusted, balance).

    ``past``: ``queries.before`` of the campaign.
    """
    found = alike or NOT_COMPARED
    more = pd.DataFrame({"key": list(found.figures), "value": list(found.figures.values())})
    checks = made.checks(past)
    told = pd.concat([checks, more], ignore_index=True) if found.figures else checks
    return {"checks": told, "adjusted": found.adjusted, "balance": found.balance}


def frozen_at(rows: pd.DataFrame, as_of: datetime) -> pd.Series:
    closed = have_ended(rows["window_last"], as_of)
    instants = np.where(closed & (rows["verdict"] != WITHHELD), np.datetime64(as_of, "us"), np.datetime64("NaT", "us"))
    return pd.Series(instants, index=rows.index)


def _together(name: str, frames: list[pd.DataFrame]) -> pd.DataFrame:
    columns = [column for column in list(KEPT[name].c.keys()) if column not in ("level", "place_id")]
    return pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)


def identity(snapshot: Snapshot, scope: Scope) -> pd.DataFrame:
    """Which campaigns of which data there are now."""
    listed = all_campaigns.known(scope, snapshot.engine)
    return listed[["campaign_id", "starts_on", "window_last"]].assign(origin=origin(snapshot.engine))


def of_this_chain(snapshot: Snapshot, scope: Scope, kept: pd.DataFrame) -> pd.DataFrame:
    """Without campaigns of other data, and those that have other dates now."""
    return kept[_key(kept).isin(_key(identity(snapshot, scope)))]


def _key(rows: pd.DataFrame) -> pd.Series:
    first, last = (rows[name].dt.strftime("%Y-%m-%d").fillna("none") for name in ("starts_on", "window_last"))
    return rows["campaign_id"] + "|" + rows["origin"] + "|" + first + "|" + last
