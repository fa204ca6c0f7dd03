"""Campaign: what one campaign caused, against the control group drawn beside it, and what may be concluded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import campaign as queries
from data_access.queries import campaigns as all_campaigns
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc.experiment import LIFT, VERDICT, experiment
from models.reports import campaign_results
from models.reports._shape import Columns, select_columns

WHOLE = ("cost", "staff_hours", "platform_conversions")  # of a campaign as a whole


@dataclass(frozen=True, slots=True)
class CampaignReport:
    """Customers of the stores in scope, by the arm they were assigned to. Money in the chain's currency, without tax.

    conversion: share with a counted order in the campaign's window; visit: share with a visit, only where visits of
    the control group are known; orders, spend (gross sales less refunds so far) and margin (gross sales less cost of
    the goods, only where every buyer's cost is known) per assigned customer.
    """

    campaign: str
    currency: str
    is_over: bool  # the window has closed, so that figures no longer change but by returns
    is_withheld: bool  # too few of these customers bought in other stores to tell what anybody bought
    frozen_at: datetime | None  # as-of of the data since which arms, lift and verdict no longer change; None: they do
    money: str  # what the verdict looks at: margin where it is known, else spend
    # one row: the campaign; cost: media, messages and other, NaN when unknown; cost, staff_hours and
    # platform_conversions are NaN for a part of the chain
    header: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name type channel objective offer starts_on ends_on window_last is_planned cost staff_hours "
            "platform_conversions"
        ),
    ]
    arms: Annotated[pd.DataFrame, Columns("arm is_control planned_share people visitors buyers orders")]
    # one row per treated arm and metric, then the treated arms together where there are several; lo95 and hi95 of the
    # difference, NaN for money with fewer than 50 buyers in an arm; relative lift with its interval for shares;
    # p_value: two-sided, of a randomisation test; p_holm: corrected for the number of arms; method: newcombe |
    # mean_interval | no_interval
    lift: Annotated[pd.DataFrame, Columns(LIFT)]
    # sample_ratio_p; per treated arm as key.arm: cuped_difference, cuped_variance_reduction (spend, by the net sales
    # of the year before the campaign)
    checks: Annotated[pd.DataFrame, Columns("key value")]
    # one row per treated arm, then the treated arms together where there are several; incremental: the difference in
    # money per customer times the people treated; smallest_detectable and worth per customer; people_needed: in both
    # arms, to find what would be worth it. cost and roi only in the last row: (incremental - cost) / cost.
    verdict: Annotated[pd.DataFrame, Columns(VERDICT)]


def campaign(snapshot: Snapshot, scope: Scope, campaign: str | None = None) -> CampaignReport:
    """One campaign (default: the only one); Problem when it is unknown, or when there are several to choose from."""
    engine = snapshot.engine
    chosen = _chosen(campaign, scope, snapshot)
    header = priced(queries.about(scope, engine, chosen), scope)
    people = queries.arms(scope, engine, chosen)
    told = people[people["buyers"].notna()]
    found = experiment(told, queries.buyers(scope, engine, chosen))
    checks = found.checks(_past(scope, snapshot, chosen, header))
    cost = float(header["cost"].iloc[0]) if len(header) else float("nan")
    kept = campaign_results.tables_of(snapshot, scope, chosen)
    if kept is None:
        lifts, money, frozen_at = found.lift(), found.money, None
        made = {"arms": people, "lift": lifts, "verdict": found.verdicts(lifts, cost)}
    else:
        row, made = kept
        money, frozen_at = row["money"], None if pd.isna(row["frozen_at"]) else row["frozen_at"].to_pydatetime()
        made["verdict"] = campaign_results.with_cost(made["verdict"], cost)
    is_over = bool((header["window_last"] <= pd.Timestamp(snapshot.info.as_of)).any())
    return CampaignReport(
        chosen,
        snapshot.info.currency,
        is_over,
        len(told) < len(people),
        frozen_at,
        money,
        **select_columns(CampaignReport, header=header, checks=checks, **made),
    )


def priced(campaigns: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """``campaigns`` with what is noted of them as a whole (cost, hours, the platform's count) where the scope is the
    chain: of stores nobody knows which part is theirs, and less their own part it would tell that of the others."""
    told = [name for name in WHOLE if name in campaigns]
    return campaigns if scope.kind == "chain" else campaigns.assign(**dict.fromkeys(told, float("nan")))


def _chosen(campaign: str | None, scope: Scope, snapshot: Snapshot) -> str:
    known = all_campaigns.campaigns(scope, snapshot.engine)["campaign_id"].tolist()
    if campaign is None and len(known) == 1:
        return str(known[0])
    names = ", ".join(known[:20]) or "none"
    if campaign is None:
        raise Problem(f"there are {len(known)} campaigns: name one with --param campaign=ID; the latest are {names}")
    if campaign not in known:
        raise Problem(f"there is no campaign {campaign!r}: the latest are {names}")
    return campaign


def _past(scope: Scope, snapshot: Snapshot, campaign: str, header: pd.DataFrame) -> pd.DataFrame:
    """The sums of what customers spent before the campaign, by arm; none without a first day."""
    first_day = header["starts_on"].dropna()
    if first_day.empty:
        return pd.DataFrame(columns=["arm", "x", "xx", "xy"])
    return queries.before(scope, snapshot.engine, campaign, first_day.iloc[0].date())
