"""The truth about a chain, as the JSON file holds it. Nothing of it is ever written into the CRM."""

from typing import Any

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.baskets import StockOuts
from data_access.demo.campaigns import Campaign, campaign_id, lift_truth
from data_access.demo.trade import counted, effective_skill
from data_access.demo.world import Array, World, dates


def core_truth(
    world: World,
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    planned: list[Campaign],
    outs: StockOuts,
    lost: Array,
    labels: dict[str, Array],
) -> dict[str, Any]:
    """Every parameter planted in the trade, by canonical id; days are ISO texts.

    Courses, lead times and the wave of complaints are added by the satellites, which write those rows.
    """
    start, range_ = world.start, world.range
    targeted = next(campaign for campaign in planned if campaign.selection == "propensity_without_holdout")
    return {
        "scale": world.scale.name,
        "seed": world.seed,
        "start": str(start),
        "end": str(world.end),
        "null": sorted(world.null),
        "campaigns": lift_truth(world.calendar, orders, planned),
        "targeted_campaign": {
            "campaign_id": campaign_id(targeted),
            "rule": "random"
            if "targeting" in world.null
            else "fifth with most counted receipts in the 120 days before, with noise of sd 0.5",
            "members": len(targeted.member),
        },
        "staff_skill": _skills(world, orders, labels),
        "events": [
            {"key": e.key, "first": str(e.first), "last": str(e.last), "shop": e.shop, "online": e.online}
            for e in world.calendar.events
        ],
        "stock_outs": [
            {
                "store_id": labels["store"][store],
                "product_id": labels["product"][product],
                "first_day": str(first),
                "last_day": str(last),
                "units_lost": int(units),
            }
            for store, product, first, last, units in zip(
                outs.store, outs.product, dates(start, outs.first), dates(start, outs.until - 1), lost, strict=True
            )
        ],
        "churned_on": _churn(world, labels["customer"]),
        "store_conversion": _conversion(world, labels["store"]),
        "movers": [
            {
                "region_id": names.REGIONS[mover.region][0],
                "product_id": labels["product"][mover.product],
                "direction": mover.direction,
                "share_before": mover.share_before,
                "share_after": mover.share_after,
                "factor": mover.share_after / mover.share_before,
            }
            for mover in range_.movers
        ],
        "complaint_lot": None
        if world.complaint_lot is None
        else {"lot_id": world.complaint_lot, "product_id": labels["product"][range_.complaint_product]},
        "rising_attribute": {"attribute": "natural", "factor_first_to_last_day": range_.natural_growth},
        "cannibalisation": {
            "launch_product_id": labels["product"][range_.launch],
            "sibling_product_id": labels["product"][range_.sibling],
            "launched_on": str(dates(start, range_.launched[range_.launch])),
            "share_taken": range_.launch_share,
        },
    }


def _skills(world: World, orders: pd.DataFrame, labels: dict[str, Array]) -> list[dict[str, Any]]:
    """Skill without courses, and its mean over the receipts each person wrote (courses included)."""
    served = orders[(orders["staff"] >= 0) & counted(orders)]
    staff = served["staff"].to_numpy()
    skill = effective_skill(world.calendar, world.team, staff, served["day"].to_numpy())
    receipts = np.bincount(staff, minlength=len(labels["staff"]))
    mean = np.bincount(staff, weights=skill, minlength=len(labels["staff"])) / np.maximum(receipts, 1)
    return [
        {
            "staff_id": label,
            "skill": float(base),
            "mean_effective_skill": float(effective) if count else None,
            "receipts": int(count),
        }
        for label, base, effective, count in zip(labels["staff"], world.team.skill, mean, receipts, strict=True)
    ]


def _churn(world: World, customer_id: Array) -> dict[str, str]:
    gone = np.flatnonzero(world.people.churned < world.days)
    days = dates(world.start, world.people.churned[gone]).astype(str)
    return dict(zip(customer_id[gone].tolist(), days.tolist(), strict=True))


def _conversion(world: World, store_id: Array) -> dict[str, float]:
    """Receipts per visitor of each shop, as the counters at the door would find them over the whole time."""
    return {str(store_id[shop]): float(rate) for shop, rate in enumerate(world.places.conversion)}
