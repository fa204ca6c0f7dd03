"""Campaign: what one campaign caused, against the control group drawn beside it, and what may be concluded."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import pandas as pd

from data_access.errors import Problem
from data_access.queries import campaign as queries
from data_access.queries import campaigns as all_campaigns
from data_access.queries import mechanics
from data_access.scope import Scope
from data_access.settings import settings
from data_access.snapshot import Snapshot
from models.calc.experiment import LIFT, VERDICT, experiment
from models.calc.periods import have_ended
from models.reports import campaign_basis, campaign_results
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
    basis: str  # what a judgement rests on: one of ``models.reports.campaign_basis.BASES``
    standing: str  # of the adjusted estimate: one of ``models.reports.campaign_basis.STANDINGS``
    # one row: the campaign; cost: media, messages, other and points, NaN when unknown; cost, staff_hours and
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
    # of the year before the campaign); of the adjusted estimate adjusted_people, adjusted_others, adjusted_comparable
    checks: Annotated[pd.DataFrame, Columns("key value")]
    # one row per day so far: money per customer up to it; lo95 and hi95 hold for all days together, however often one
    # looks (NaN before each group has 50 buyers); purchases in the stores in scope, as booked
    curve: Annotated[pd.DataFrame, Columns(campaign_basis.CURVE)]
    # where nobody was held back: the treated against others like them, in the window and a year before (placebo);
    # expected: of the treated without the campaign; naive: the plain difference. Adjusted, not causal
    adjusted: Annotated[pd.DataFrame, Columns(campaign_basis.ADJUSTED)]
    # what was known before of the treated and the others: means, and standardised differences without and with weights
    balance: Annotated[pd.DataFrame, Columns(campaign_basis.BALANCE)]
    # of a campaign of stores without assigned customers: their change against the other stores (0.05: 5 % more), the
    # same of the weeks before (before_difference), and money (margin | spend) beyond what was to be expected
    stores: Annotated[pd.DataFrame, Columns(f"{campaign_basis.STORES} cost roi roi_lo roi_hi")]
    # one row per treated arm, then the treated arms together where there are several; incremental: the difference in
    # money per customer times the people treated; smallest_detectable and worth per customer; people_needed: in both
    # arms, to find what would be worth it. cost and roi only in the last row: (incremental - cost) / cost.
    verdict: Annotated[pd.DataFrame, Columns(VERDICT)]


def campaign(snapshot: Snapshot, scope: Scope, campaign: str | None = None) -> CampaignReport:
    """One campaign (default: the only one); Problem when it is unknown, or when there are several to choose from."""
    engine = snapshot.engine
    chosen = _chosen(campaign, scope, snapshot)
    header = with_parts(priced(queries.about(scope, engine, chosen), scope), scope, snapshot, chosen)
    people = queries.arms(scope, engine, chosen)
    told = people[people["buyers"].notna()]
    cost = float(header["cost"].iloc[0]) if len(header) else float("nan")
    kept = campaign_results.tables_of(snapshot, scope, chosen)
    if kept is None:
        found = experiment(told, queries.buyers(scope, engine, chosen))
        lifts, money, frozen_at = found.lift(), found.money, None
        made = {"arms": people, "lift": lifts, "verdict": found.verdicts(lifts, cost)}
        alike = campaign_results.alike_of(snapshot, scope, chosen, found)
        made |= campaign_results.beside_the_verdict(found, queries.before(scope, engine, [chosen]), alike)
    else:
        row, made = kept
        money, frozen_at = row["money"], None if pd.isna(row["frozen_at"]) else row["frozen_at"].to_pydatetime()
        made["verdict"] = campaign_results.with_cost(made["verdict"], cost)
    made = _day_by_day(snapshot, scope, chosen, header, people, money) | made
    if "stores" in made:
        made["stores"] = campaign_results.with_cost(made["stores"], cost)
    comparable = made["checks"].set_index("key")["value"].get("adjusted_comparable", 0.0)
    standing = campaign_basis.standing(made["adjusted"], made["balance"], float(comparable))
    is_over = bool(have_ended(header["window_last"], snapshot.info.as_of).any())
    return CampaignReport(
        chosen,
        snapshot.info.currency,
        is_over,
        len(told) < len(people),
        frozen_at,
        money,
        _basis(people, made, standing),
        standing,
        **select_columns(CampaignReport, header=header, **made),
    )


def priced(campaigns: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """``campaigns`` with what is noted of them as a whole (cost, hours, the platform's count) where the scope is the
    chain: of stores nobody knows which part is theirs, and less their own part it would tell that of the others."""
    told = [name for name in WHOLE if name in campaigns]
    return campaigns if scope.kind == "chain" else campaigns.assign(**dict.fromkeys(told, float("nan")))


def cost_parts(snapshot: Snapshot, scope: Scope, campaign_id: str | None = None) -> pd.DataFrame:
    """``mechanics.cost_parts`` with cost_staff: the hours at what ``MIRROR_STAFF_HOUR`` says that one costs."""
    price = settings().staff_hour
    parts = mechanics.cost_parts(scope, snapshot.engine, campaign_id)
    return parts.assign(cost_staff=parts["staff_hours"] * (float("nan") if price is None else price))


def with_parts(campaigns: pd.DataFrame, scope: Scope, snapshot: Snapshot, campaign_id: str) -> pd.DataFrame:
    """``campaigns``, the row of one, whose cost holds the points granted for it and the hours of staff, too, as far as
    they have a price."""
    parts = cost_parts(snapshot, scope, campaign_id).set_index("campaign_id")[["points_value", "cost_staff"]]
    more = campaigns["campaign_id"].map(parts.sum(axis=1, min_count=1)).astype("float64")
    known = campaigns["cost"].notna() | more.notna()
    return campaigns.assign(cost=(campaigns["cost"].fillna(0) + more.fillna(0)).where(known))


def _chosen(campaign: str | None, scope: Scope, snapshot: Snapshot) -> str:
    asked = None if campaign is None else [campaign]
    if asked and len(all_campaigns.known(scope, snapshot.engine, asked)):
        return asked[0]
    known = all_campaigns.known(scope, snapshot.engine)["campaign_id"].tolist()
    if campaign is None and len(known) == 1:
        return str(known[0])
    names = ", ".join(known[:20]) or "none"
    if campaign is None:
        raise Problem(f"there are {len(known)} campaigns: name one with --param campaign=ID; the latest are {names}")
    raise Problem(f"there is no campaign {campaign!r}: the latest are {names}")


def _day_by_day(
    snapshot: Snapshot, scope: Scope, campaign: str, header: pd.DataFrame, people: pd.DataFrame, money: str
) -> dict[str, pd.DataFrame]:
    """The curve against the control group; of a campaign without customers of its own the comparison of stores."""
    dated = header.dropna(subset=["starts_on", "window_last"])
    if dated.empty:
        return {}
    first, last = dated["starts_on"].dt.date.iloc[0], dated["window_last"].dt.date.iloc[0]
    if people.empty:
        return {"stores": campaign_basis.of_stores(snapshot, scope, campaign, first, last)}
    if not people["is_control"].any():
        return {}
    return {"curve": campaign_basis.curve(snapshot, scope, campaign, people, money, first, last)}


def _basis(people: pd.DataFrame, made: dict[str, pd.DataFrame], standing: str) -> str:
    """One of ``models.reports.campaign_basis.BASES``."""
    if len(people) and people["is_control"].any():
        return "holdout"
    if len(made["adjusted"]) and standing == "usable":
        return "adjusted"
    return "stores" if "stores" in made and len(made["stores"]) else "association"
