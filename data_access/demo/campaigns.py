"""Campaigns: who was assigned to which arm, what it really changed, and the steps customers took."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from data_access.demo.calendar import Calendar
from data_access.demo.trade import counted, online_site
from data_access.demo.world import Array, People, Places, Range, Scale, dates, stream

# Chance that one more receipt comes from a treated customer who still buys at all, per arm.
_PLANS: tuple[tuple[float, ...], ...] = (
    (0.16,),
    (0.06, 0.22),
    (0.0,),
    (0.12,),
    (0.0, 0.14),
    (0.28,),
    (0.1,),
    (0.18, 0.18),
)
_TARGETED, _MASS = 0.1, 0.08
CONTROL = "control"
# A receipt with a coupon comes from most of the extra receipts and from some that would have come anyway.
_EXTRA_REDEEMS, _ORGANIC_REDEEMS = 0.75, 0.3


@dataclass(eq=False)
class Campaign:
    """One campaign in positions and day numbers; ``arm`` -1 is the control group."""

    number: int
    first: int
    window: int
    chances: tuple[float, ...]
    selection: str  # random_with_holdout | propensity_without_holdout | random_without_holdout | planned
    region: int  # -1: the whole chain
    products: Array
    face: tuple[int, ...]  # cents, per arm
    member: Array = field(default_factory=lambda: np.empty(0, dtype=int))
    arm: Array = field(default_factory=lambda: np.empty(0, dtype=int))

    @property
    def has_control(self) -> bool:
        return self.selection == "random_with_holdout"


def plan(
    scale: Scale,
    calendar: Calendar,
    places: Places,
    range_: Range,
    people: People,
    orders: pd.DataFrame,
    seed: int,
    null: frozenset[str],
) -> list[Campaign]:
    """All campaigns with their members: finished ones with a holdout, two without, one running, two planned."""
    rng = stream(seed, "campaigns")
    starts = np.linspace(45, calendar.days - 45, scale.campaigns).astype(int)
    regions = sorted(set(places.region.tolist()))
    planted = [mover.product for mover in range_.movers] + [range_.launch, range_.sibling, range_.complaint_product]
    usual = np.setdiff1d(
        np.flatnonzero((range_.supplier >= 0) & (range_.launched < 0) & (range_.price > 9_900)), planted
    )
    drafts: list[tuple[int, str, tuple[float, ...], int]] = [
        (int(start), "random_with_holdout", _PLANS[n % len(_PLANS)], regions[n % len(regions)] if n % 4 == 3 else -1)
        for n, start in enumerate(starts)
    ]
    drafts.append((calendar.days * 2 // 3, "propensity_without_holdout", (_TARGETED,), -1))
    drafts.append((calendar.days * 3 // 4, "random_without_holdout", (_MASS,), -1))
    drafts.append((calendar.days - 8, "random_with_holdout", (0.12,), -1))
    drafts += [(calendar.days + 12, "planned", (0.0,), -1), (calendar.days + 40, "planned", (0.0,), -1)]
    campaigns = []
    for number, (first, selection, chances, region) in enumerate(sorted(drafts, key=lambda draft: draft[0])):
        campaign = Campaign(
            number=number,
            first=first,
            window=int(rng.choice([14, 21, 28])),
            chances=tuple(0.0 for _ in chances) if "campaign_lift" in null else chances,
            selection=selection,
            region=region,
            products=np.sort(rng.choice(usual, min(5, len(usual)), replace=False)),
            face=tuple(
                int(value) * 100 for value in np.sort(rng.choice([20, 30, 40, 50, 60], len(chances), replace=False))
            ),
        )
        if selection != "planned":
            _assign(rng, places, people, orders, campaign, scale, random_targets="targeting" in null)
        campaigns.append(campaign)
    return campaigns


def _assign(
    rng: np.random.Generator,
    places: Places,
    people: People,
    orders: pd.DataFrame,
    campaign: Campaign,
    scale: Scale,
    random_targets: bool,
) -> None:
    """Draws the members: at random, or those likeliest to buy by their receipts of the last 120 days."""
    eligible = people.joined < campaign.first - 1
    if campaign.region >= 0:
        eligible &= places.region[people.home] == campaign.region
    pool = np.flatnonzero(eligible)
    if campaign.selection == "propensity_without_holdout":
        recent = orders[
            counted(orders)
            & orders["day"].between(campaign.first - 120, campaign.first - 1)
            & (orders["customer"] >= 0)
        ]
        score = np.bincount(recent["customer"], minlength=scale.customers)[pool] + rng.normal(0, 0.5, len(pool))
        if random_targets:
            score = rng.random(len(pool))
        member = np.sort(pool[np.argsort(-score, kind="stable")[: len(pool) // 5]])
    else:
        member = np.sort(rng.choice(pool, min(len(pool), int(scale.members * scale.customers)), replace=False))
    arms = len(campaign.chances)
    if campaign.has_control:
        shares = [0.3, 0.7] if arms == 1 else [0.2] + [0.8 / arms] * arms
        # Exact shares, shuffled: a sample ratio test must not cry wolf.
        arm = np.repeat(np.arange(-1, arms), np.diff(np.round(np.cumsum([0.0, *shares]) * len(member)).astype(int)))
        arm = rng.permutation(arm)
    else:
        arm = np.zeros(len(member), dtype=int)
    campaign.member, campaign.arm = member, arm


def add_orders(
    calendar: Calendar,
    places: Places,
    people: People,
    orders: pd.DataFrame,
    campaigns: list[Campaign],
    serve: Callable[[pd.DataFrame], pd.DataFrame],
    seed: int,
) -> pd.DataFrame:
    """``orders`` with what campaigns add and the coupons they bring.

    Adds columns campaign (-1), arm, extra (the receipt would not exist without its campaign), coupon_product
    (-1: no coupon) and coupon_face (cents). ``serve`` adds second and staff to new receipts.
    """
    rng = stream(seed, "campaign orders")
    orders = orders.assign(campaign=-1, arm=-1, extra=False)
    extras = []
    for campaign in campaigns:
        treated = campaign.member[campaign.arm >= 0]
        if not len(treated):
            continue
        chance = np.array(campaign.chances)[campaign.arm[campaign.arm >= 0]]
        last = min(campaign.window - 3, calendar.days - campaign.first)
        day = campaign.first + np.minimum(rng.geometric(0.16, len(treated)) - 1, last - 1)
        answers = (rng.random(len(treated)) < chance) & (people.churned[treated] > day) & (people.rate[treated] > 0)
        extras.append(_extras(rng, places, people, campaign, treated[answers], day[answers]))
    added = pd.concat(extras, ignore_index=True)
    added = added[~places.closed[added["store"], added["day"]]].reset_index(drop=True)
    added = serve(added)
    both = pd.concat([orders, added], ignore_index=True)
    _redeem(rng, both, campaigns)
    spent = both["campaign"].to_numpy()
    products, face = np.full(len(both), -1), np.zeros(len(both), dtype="int64")
    for campaign in campaigns:
        rows = np.flatnonzero(spent == campaign.number)
        products[rows] = rng.choice(campaign.products, len(rows))
        face[rows] = np.array(campaign.face)[both["arm"].to_numpy()[rows]]
    return both.assign(coupon_product=products, coupon_face=face)


def _extras(
    rng: np.random.Generator, places: Places, people: People, campaign: Campaign, customer: Array, day: Array
) -> pd.DataFrame:
    online = rng.random(len(customer)) < people.online_share[customer]
    site, channel = online_site(rng, places, len(customer))
    return pd.DataFrame(
        {
            "customer": customer,
            "day": day,
            "store": np.where(online, site, people.home[customer]),
            "channel": np.where(online, channel, 0),
            "kind": "sale",
            "cancelled_after": -1,
            "zero": False,
            "campaign": -1,
            "arm": -1,
            "extra": True,
            "because": campaign.number,
        }
    )


def _redeem(rng: np.random.Generator, orders: pd.DataFrame, campaigns: list[Campaign]) -> None:
    """Decides in place which receipts of treated customers within the window carry the coupon (one per customer)."""
    customer, day = orders["customer"].to_numpy(), orders["day"].to_numpy()
    valid = counted(orders).to_numpy() & (customer >= 0)
    because = orders["because"].fillna(-1).to_numpy().astype(int)
    orders["because"] = because
    spent, arms = orders["campaign"].to_numpy().copy(), orders["arm"].to_numpy().copy()
    arm_of = np.full(int(customer.max()) + 1, -1)
    for campaign in campaigns:
        arm_of[:] = -1
        arm_of[campaign.member] = campaign.arm
        inside = np.flatnonzero(
            valid & (spent < 0) & (day >= campaign.first) & (day < campaign.first + campaign.window)
        )
        inside = inside[
            (arm_of[customer[inside]] >= 0) & ((because[inside] < 0) | (because[inside] == campaign.number))
        ]
        chance = np.where(because[inside] == campaign.number, _EXTRA_REDEEMS, _ORGANIC_REDEEMS)
        chosen = inside[rng.random(len(inside)) < chance]
        _, first = np.unique(customer[chosen], return_index=True)
        chosen = chosen[first]
        spent[chosen], arms[chosen] = campaign.number, arm_of[customer[chosen]]
    orders["campaign"], orders["arm"] = spent, arms


def coupon_code(campaign: Campaign, arm: int) -> str:
    """The code printed on the coupon of one arm."""
    return f"BM{campaign.number + 1:02d}{chr(ord('A') + arm)}"


def campaign_id(campaign: Campaign) -> str:
    return f"M{campaign.number + 1:03d}"


def arm_name(arm: int) -> str:
    return CONTROL if arm < 0 else chr(ord("A") + arm)


def lift_truth(calendar: Calendar, orders: pd.DataFrame, campaigns: list[Campaign]) -> list[dict[str, Any]]:
    """What each campaign really did to its treated members, by leaving out the receipts it caused.

    ``lift`` is the difference in the share of buyers within the window between what happened and what would
    have happened, over the treated members of the arm; ``extra_orders`` the receipts it added.
    """
    valid = orders[counted(orders) & (orders["customer"] >= 0)]
    customer, day, because = (valid[name].to_numpy() for name in ("customer", "day", "because"))
    truth = []
    for campaign in campaigns:
        inside = (day >= campaign.first) & (day < campaign.first + campaign.window)
        with_, without = customer[inside], customer[inside & (because != campaign.number)]
        caused = customer[inside & (because == campaign.number)]
        arms = []
        for arm, chance in enumerate(campaign.chances):
            treated = campaign.member[campaign.arm == arm]
            if not len(treated):
                continue
            happened, otherwise = np.isin(treated, with_).mean(), np.isin(treated, without).mean()
            arms.append(
                {
                    "arm": arm_name(arm),
                    "response_chance": chance,
                    "treated": len(treated),
                    "lift": float(happened - otherwise),
                    "buyers_without": float(otherwise),
                    "extra_orders": int(np.isin(caused, treated).sum()),
                }
            )
        truth.append(
            {
                "campaign_id": campaign_id(campaign),
                "selection": campaign.selection,
                "first_day": str(dates(calendar.start, np.array(campaign.first))),
                "window_days": campaign.window,
                "complete": bool(campaign.first + campaign.window <= calendar.days),
                "arms": arms,
            }
        )
    return truth
