"""Campaign: what one campaign caused, against the control group drawn beside it, and what may be concluded."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pandas as pd

from data_access.errors import Problem
from data_access.queries import campaign as queries
from data_access.queries import campaigns as all_campaigns
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import lift
from models.calc.lift import Moments, Outcome
from models.reports._shape import Columns, declared_tables, select_columns

# worked | hurt: it changed the money per customer; no_evidence: it would have shown, had it been worth it;
# cannot_tell: too few people for that; no_control: nobody was held back; arms_differ: the arms are not as planned
VERDICTS = ("worked", "hurt", "no_evidence", "cannot_tell", "no_control", "arms_differ")
SAMPLE_RATIO = 0.001  # a p-value below it says that the arms are not what was planned
LEVEL = 0.05  # two-sided, after Holm over the treated arms
WORTH = 0.10  # of the control group's money per customer: what a campaign ought to change, or its cost if that is more
METRICS = ("visit", "conversion", "orders", "spend", "margin")
POOLED = "all"  # the treated arms together


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
    money: str  # what the verdict looks at: margin where it is known, else spend
    # one row: the campaign; cost: media, messages and other, NaN when unknown
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
    lift: Annotated[
        pd.DataFrame,
        Columns(
            "arm metric treated control difference lo95 hi95 relative relative_lo relative_hi method p_value p_holm"
        ),
    ]
    # sample_ratio_p; per treated arm as key.arm: cuped_difference, cuped_variance_reduction (spend, by the net sales
    # of the year before the campaign)
    checks: Annotated[pd.DataFrame, Columns("key value")]
    # one row per treated arm, then the treated arms together where there are several; incremental: the difference in
    # money per customer times the people treated; smallest_detectable per customer; people_needed: in all arms, to
    # find a difference that would be worth it. cost and roi only in the last row: (incremental - cost) / cost.
    verdict: Annotated[
        pd.DataFrame,
        Columns(
            "arm verdict people_needed smallest_detectable worth incremental incremental_lo incremental_hi cost roi "
            "roi_lo roi_hi"
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Arm:
    """What the customers of one arm did, or of several together."""

    name: str
    names: tuple[str, ...]
    people: int
    visitors: int
    bought: pd.DataFrame  # orders, spend, margin of the buyers

    def outcome(self, metric: str) -> Outcome:
        values = self.bought[metric].to_numpy(dtype="float64")
        return Outcome(self.people, values[values != 0])


def campaign(snapshot: Snapshot, scope: Scope, campaign: str | None = None) -> CampaignReport:
    """One campaign (default: the only one); Problem when it is unknown, or when there are several to choose from."""
    engine = snapshot.engine
    chosen = _chosen(campaign, scope, snapshot)
    header = queries.about(scope, engine, chosen)
    people = queries.arms(scope, engine, chosen)
    bought = queries.buyers(scope, engine, chosen)
    treated = [_arm(people, bought, [name]) for name in people.loc[~people["is_control"], "arm"]]
    if len(treated) > 1:
        treated.append(_arm(people, bought, people.loc[~people["is_control"], "arm"].tolist()))
    held_back = people.loc[people["is_control"], "arm"].tolist()
    control = _arm(people, bought, held_back) if held_back else None
    money = "margin" if len(bought) and bought["margin"].notna().all() else "spend"
    ratio = lift.sample_ratio_p(people["people"].tolist(), people["planned_share"].tolist())
    rows = _lift(treated, control, money)
    cost = float(header["cost"].iloc[0]) if len(header) else float("nan")
    frames = select_columns(
        CampaignReport,
        header=header,
        arms=people,
        lift=rows,
        checks=_checks(ratio, _past(snapshot, scope, chosen, header), treated, control),
        verdict=_verdicts(treated, control, rows, money, ratio, cost),
    )
    is_over = bool((header["window_last"] <= pd.Timestamp(snapshot.info.as_of)).any())
    return CampaignReport(chosen, snapshot.info.currency, is_over, money, **frames)


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


def _past(snapshot: Snapshot, scope: Scope, campaign: str, header: pd.DataFrame) -> pd.DataFrame:
    """The sums of what customers spent before the campaign, by arm; none without a first day."""
    first_day = header["starts_on"].iloc[0] if len(header) else None
    if first_day is None or pd.isna(first_day):
        return pd.DataFrame(columns=["arm", "x", "xx", "xy"])
    return queries.before(scope, snapshot.engine, campaign, pd.Timestamp(first_day).date())


def _arm(people: pd.DataFrame, bought: pd.DataFrame, names: list[str]) -> _Arm:
    rows = people[people["arm"].isin(names)]
    return _Arm(
        names[0] if len(names) == 1 else POOLED,
        tuple(names),
        int(rows["people"].sum()),
        int(rows["visitors"].sum()),
        bought[bought["arm"].isin(names)],
    )


def _lift(treated: list[_Arm], control: _Arm | None, money: str) -> pd.DataFrame:
    if control is None or not treated:
        return pd.DataFrame(columns=list(declared_tables(CampaignReport)["lift"]))
    metrics = [m for m in METRICS if (m != "visit" or control.visitors) and (m != "margin" or money == "margin")]
    rows = [_compared(arm, control, metric) for arm in treated for metric in metrics]
    frame = pd.DataFrame(rows)
    frame["p_holm"] = frame["p_value"]
    for metric in metrics:  # over the arms; the treated together are no further look
        looked = (frame["metric"] == metric) & ((frame["arm"] != POOLED) | (len(treated) == 1))
        frame.loc[looked, "p_holm"] = lift.holm(frame.loc[looked, "p_value"].tolist())
    return frame


def _compared(arm: _Arm, control: _Arm, metric: str) -> dict[str, Any]:
    if metric in ("visit", "conversion"):
        took = (arm.visitors, control.visitors) if metric == "visit" else (len(arm.bought), len(control.bought))
        table = (took[0], arm.people, took[1], control.people)
        found, ratio = lift.share_difference(*table), lift.share_ratio(*table)
        treated, untreated = took[0] / arm.people, took[1] / control.people
        method, sides = "newcombe", lift.share_p(*table)
    else:
        one, other = arm.outcome(metric), control.outcome(metric)
        found, ratio = lift.mean_difference(one, other), lift.NONE
        treated, untreated = one.mean, other.mean
        method = "mean_interval" if np.isfinite(found.lo) else "no_interval"
        sides = lift.randomisation_p(one, other)
    relative = ratio.value if metric in ("visit", "conversion") else (found.value / untreated if untreated else np.nan)
    return {
        "arm": arm.name,
        "metric": metric,
        "treated": treated,
        "control": untreated,
        "difference": found.value,
        "lo95": found.lo,
        "hi95": found.hi,
        "relative": relative,
        "relative_lo": ratio.lo,
        "relative_hi": ratio.hi,
        "method": method,
        "p_value": min(1.0, 2 * min(sides)),
    }


def _checks(ratio: float, past: pd.DataFrame, treated: list[_Arm], control: _Arm | None) -> pd.DataFrame:
    checks = {"sample_ratio_p": ratio}
    if control is not None and len(past):
        for arm in treated:
            found = lift.cuped(_moments(arm, past), _moments(control, past))
            checks[f"cuped_difference.{arm.name}"] = found.difference
            checks[f"cuped_variance_reduction.{arm.name}"] = found.variance_reduction
    return pd.DataFrame({"key": list(checks), "value": list(checks.values())})


def _moments(arm: _Arm, past: pd.DataFrame) -> Moments:
    y = arm.bought["spend"].to_numpy(dtype="float64")
    x, xx, xy = past.loc[past["arm"].isin(arm.names), ["x", "xx", "xy"]].sum()
    return Moments(arm.people, x, float(y.sum()), xx, float((y * y).sum()), xy)


def _verdicts(
    treated: list[_Arm], control: _Arm | None, rows: pd.DataFrame, money: str, ratio: float, cost: float
) -> pd.DataFrame:
    everybody = max((arm.people for arm in treated), default=0)
    verdicts = []
    for arm in treated:
        row: dict[str, Any] = {"arm": arm.name, "cost": np.nan, "roi": np.nan, "roi_lo": np.nan, "roi_hi": np.nan}
        if control is None:
            verdicts.append({**row, "verdict": "no_control"})
            continue
        found = rows[(rows["arm"] == arm.name) & (rows["metric"] == money)].iloc[0]
        deviation = float(np.sqrt(control.outcome(money).variance))
        worth = float(np.nanmax([cost / everybody, WORTH * control.outcome(money).mean]))
        row["smallest_detectable"] = lift.smallest_detectable(deviation, arm.people, control.people)
        row["worth"] = worth
        row["people_needed"] = lift.people_needed(deviation, worth, arm.people / (arm.people + control.people))
        row["verdict"] = _verdict(found, row["smallest_detectable"], worth, ratio)
        row |= {
            name: found[column] * arm.people
            for name, column in (
                ("incremental", "difference"),
                ("incremental_lo", "lo95"),
                ("incremental_hi", "hi95"),
            )
        }
        if arm.people == everybody and cost > 0:
            row["cost"] = cost
            row |= {f"roi{end}": (row[f"incremental{end}"] - cost) / cost for end in ("", "_lo", "_hi")}
        verdicts.append(row)
    return pd.DataFrame(verdicts, columns=list(declared_tables(CampaignReport)["verdict"]))


def _verdict(found: pd.Series, detectable: float, worth: float, ratio: float) -> str:
    if ratio < SAMPLE_RATIO:
        return "arms_differ"
    if found["p_holm"] < LEVEL:
        return "worked" if found["difference"] > 0 else "hurt"
    return "no_evidence" if detectable <= worth else "cannot_tell"
