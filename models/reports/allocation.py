"""Allocation: what each kind of campaign earned per unit of cost, whom it won and kept at which price."""

from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import pandas as pd

from data_access.queries import allocation as queries
from data_access.queries import campaign as campaign_queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.calc import allocation as calc
from models.calc.allocation import Arms
from models.calc.funnel import wilson
from models.calc.lift import Estimate
from models.reports._kept import Frames, kept_sums
from models.reports._shape import Columns, select_columns
from models.reports.campaigns import campaigns

NAME = "allocation"  # of what a batch keeps
VALID = ("worked", "no_evidence", "cannot_tell", "hurt")  # verdicts of campaigns that can be judged by their holdout


@dataclass(frozen=True, slots=True)
class AllocationReport:
    """Campaigns of the stores in scope whose window has closed. Money in the chain's currency, excluding tax."""

    currency: str
    # ran (campaigns), valid (of these, with customers held back at random in the planned sizes)
    summary: Annotated[pd.DataFrame, Columns("key value")]
    # one row per type of campaign, the best first: campaigns that ran, valid ones, cost and incremental_margin of
    # these as far as both and its range are known (measured of them), and earned_per_unit: incremental margin by cost
    kinds: Annotated[
        pd.DataFrame,
        Columns(
            "type campaigns valid measured cost incremental_margin incremental_lo incremental_hi earned_per_unit "
            "earned_lo earned_hi"
        ),
    ]
    # one row per type and group (new: without an order before; kept: with one): buyers that the measured campaigns
    # caused, and what one of them cost (NaN: none was caused; hi infinite: there may be none). The whole cost of a
    # campaign stands against each of the two groups.
    buyers: Annotated[
        pd.DataFrame, Columns("type buyer_group caused caused_lo caused_hi cost cost_each cost_each_lo cost_each_hi")
    ]
    # one row per type and tenure of the customer: coupons redeemed, margin after the discount per redeeming customer
    offers: Annotated[pd.DataFrame, Columns("type tenure customers redeeming redemption_rate lo95 hi95 margin_each")]
    # one row per campaign with a platform's own count: platform_conversions beside the buyers that the CRM saw
    platform: Annotated[pd.DataFrame, Columns("campaign_id name channel platform_conversions buyers reported_ratio")]
    # one row per campaign with attendance: who came, and who bought within 14 days of those who did and did not;
    # attended_new: who came and had never bought, of whom attended_first bought for the first time within 14 days
    events: Annotated[
        pd.DataFrame,
        Columns(
            "campaign_id name invited attended attended_rate attended_bought attended_bought_rate lo95 hi95 "
            "attended_new attended_first absent absent_rate"
        ),
    ]
    # one row per type: customers who got a message and who clicked a product it recommended
    clicks: Annotated[pd.DataFrame, Columns("type delivered clicked recommendation_rate lo95 hi95")]


def allocation(snapshot: Snapshot, scope: Scope) -> AllocationReport:
    """What past campaigns say about where to spend, by frozen results where a batch has them."""
    listed = campaigns(snapshot, scope).campaigns
    closed = listed[listed["state"] == "closed"]
    valid = closed[(closed["held_back"] > 0) & closed["verdict"].isin(VALID)]
    measured = valid[(valid["cost"] > 0) & valid[["incremental_lo", "incremental_hi"]].notna().all(axis=1)]
    kinds = [_kind(str(kind), rows, valid, measured) for kind, rows in closed.groupby("type")]
    frame = pd.DataFrame(kinds).sort_values("earned_per_unit", ascending=False, ignore_index=True) if kinds else None
    counted = kept_sums(snapshot, scope, NAME) or added_up(snapshot, scope)
    return AllocationReport(
        snapshot.info.currency,
        **select_columns(
            AllocationReport,
            summary=pd.DataFrame({"key": ["ran", "valid"], "value": [len(closed), len(valid)]}),
            **({} if frame is None else {"kinds": frame}),
            buyers=_buyers(counted["people"], measured),
            offers=_offers(counted["offers"]),
            platform=_platform(campaign_queries.about(scope, snapshot.engine), closed, scope),
            events=_events(counted["events"]),
            clicks=_clicks(counted["clicks"]),
        ),
    )


def added_up(snapshot: Snapshot, scope: Scope) -> Frames:
    """What the report counts over the customers of all campaigns: a batch keeps it for every place."""
    engine = snapshot.engine
    return {
        "people": queries.people(scope, engine),
        "offers": queries.offers(scope, engine),
        "events": queries.events(scope, engine),
        "clicks": queries.recommended(scope, engine),
    }


def earned(kinds: pd.DataFrame, kind: str) -> Estimate:
    """What a type of campaign earned per unit of cost. ``kinds``: of the report."""
    row = kinds.set_index("type").to_dict("index")[kind]
    return Estimate(row["earned_per_unit"], row["earned_lo"], row["earned_hi"])


def cost_each(buyers: pd.DataFrame, group: str) -> Estimate:
    """What one buyer of a group cost over all kinds together. ``buyers``: of the report."""
    rows = buyers[buyers["buyer_group"] == group]
    ends = rows.rename(columns={"caused": "value", "caused_lo": "lo", "caused_hi": "hi"})
    return calc.cost_of_one(float(rows["cost"].sum()), calc.added(ends[["value", "lo", "hi"]]))


def _kind(kind: str, rows: pd.DataFrame, valid: pd.DataFrame, measured: pd.DataFrame) -> dict[str, Any]:
    known = measured[measured["type"] == kind]
    names = {"incremental_margin": "value", "incremental_lo": "lo", "incremental_hi": "hi"}
    total, cost = calc.added(known.rename(columns=names)[["value", "lo", "hi"]]), known["cost"].sum()
    each = calc.per_unit(total, float(cost))
    return {
        "type": kind,
        "campaigns": len(rows),
        "valid": int((valid["type"] == kind).sum()),
        "measured": len(known),
        "cost": float(cost) if len(known) else np.nan,
        "incremental_margin": total.value,
        "incremental_lo": total.lo,
        "incremental_hi": total.hi,
        "earned_per_unit": each.value,
        "earned_lo": each.lo,
        "earned_hi": each.hi,
    }


def _buyers(people: pd.DataFrame, measured: pd.DataFrame) -> pd.DataFrame:
    told = people.merge(measured[["campaign_id", "type", "cost"]].dropna(subset="type"), on="campaign_id")
    sides: dict[tuple[str, bool], dict[str, _Sides]] = {}
    columns = ("type", "is_new", "campaign_id", "cost", "is_control", "buyers", "customers")
    for kind, is_new, campaign_id, cost, *counted in zip(*(told[name].tolist() for name in columns), strict=True):
        group = sides.setdefault((kind, bool(is_new)), {})
        group.setdefault(campaign_id, _Sides(cost)).add(*counted)
    rows = []
    for (kind, is_new), every in sorted(sides.items()):
        total = calc.added(pd.DataFrame([calc.caused(one.arms()) for one in every.values()]))
        cost = float(sum(one.cost for one in every.values()))
        each = calc.cost_of_one(cost, total)
        name = "new" if is_new else "kept"
        rows.append((kind, name, total.value, total.lo, total.hi, cost, each.value, each.lo, each.hi))
    names = "type buyer_group caused caused_lo caused_hi cost cost_each cost_each_lo cost_each_hi"
    return pd.DataFrame(rows, columns=names.split())


@dataclass(slots=True)
class _Sides:
    """One campaign among one group of customers: what it cost, buyers and customers without (0) and within control."""

    cost: float
    buyers: list[int] = field(default_factory=lambda: [0, 0])
    customers: list[int] = field(default_factory=lambda: [0, 0])

    def add(self, is_control: bool, buyers: int, customers: int) -> None:
        self.buyers[bool(is_control)] += int(buyers)
        self.customers[bool(is_control)] += int(customers)

    def arms(self) -> Arms:
        return Arms(self.buyers[0], self.customers[0], self.buyers[1], self.customers[1])


def _offers(rows: pd.DataFrame) -> pd.DataFrame:
    lo, hi = wilson(rows["redeeming"], rows["customers"])
    order = rows["tenure"].map({tenure: at for at, tenure in enumerate(queries.TENURES)})
    found = rows.assign(
        redemption_rate=rows["redeeming"] / rows["customers"],
        lo95=lo,
        hi95=hi,
        margin_each=rows["margin"] / rows["redeeming"].where(rows["redeeming"] > 0),
        order=order,
    )
    return found.sort_values(["type", "order"], ignore_index=True)


def _platform(about: pd.DataFrame, closed: pd.DataFrame, scope: Scope) -> pd.DataFrame:
    """Platforms count for the whole chain, so only the chain has something to compare."""
    counted = about[about["platform_conversions"].notna()]
    if scope.kind != "chain":
        counted = counted.iloc[:0]
    found = counted.merge(closed[["campaign_id", "buyers"]], on="campaign_id")
    buyers = found["buyers"].astype("float64")
    return found.assign(reported_ratio=found["platform_conversions"].astype("float64") / buyers.where(buyers > 0))


def _events(rows: pd.DataFrame) -> pd.DataFrame:
    lo, hi = wilson(rows["attended_bought"], rows["attended"])
    return rows.assign(
        attended_rate=rows["attended"] / rows["invited"],
        attended_bought_rate=rows["attended_bought"] / rows["attended"].where(rows["attended"] > 0),
        lo95=lo,
        hi95=hi,
        absent_rate=rows["absent_bought"] / rows["absent"].where(rows["absent"] > 0),
    )


def _clicks(rows: pd.DataFrame) -> pd.DataFrame:
    lo, hi = wilson(rows["clicked"], rows["delivered"])
    return rows.assign(recommendation_rate=rows["clicked"] / rows["delivered"], lo95=lo, hi95=hi)
