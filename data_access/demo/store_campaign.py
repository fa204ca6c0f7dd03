"""A campaign of some shops, without assigned customers: what it adds to their sales, planted and known.

In its four weeks passers-by buy a treatment at some shops. It comes after everything else and draws from a stream of
its own, so every row that is there without it stays as it is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_access.demo.world import LOCAL, Array, World, dates, ids, stream, translations, utc

CAMPAIGN_ID = "MS01"
EFFECT = 0.25  # of the net sales of its weeks without it
DAYS = 28
_SHARE = 0.4  # of the shops
_SETTLED = 120  # days that a shop has been open before
_NAME = ("门店护理体验周", "In-store Treatment Weeks")
_OFFER = ("到店即享护理体验价", "Treatments at a trial price in the shop")


@dataclass(frozen=True, eq=False)
class _Weeks:
    """Where and when it runs, and the counted receipts of those shops and days (position, store, net sales)."""

    stores: Array
    first: int
    receipts: pd.DataFrame


def add_store_campaign(core: dict[str, pd.DataFrame], world: World, seed: int) -> dict[str, Any]:
    """Adds the campaign and its receipts to ``core`` and gives the truth about it."""
    rng = stream(seed, "shops")
    effect = 0.0 if "campaign_lift" in world.null else EFFECT
    weeks = _weeks(rng, core, world)
    added = _add_receipts(rng, core, weeks, effect)
    _add_campaign(core, world, weeks)
    without = float(weeks.receipts["net"].sum())
    return {
        "campaign_id": CAMPAIGN_ID,
        "store_ids": weeks.stores.tolist(),
        "first_day": str(dates(world.calendar.start, np.array(weeks.first))),
        "window_days": DAYS,
        "effect": effect,
        "net_sales_without": round(without, 2),
        "net_sales_added": round(added, 2),
        "lift": added / without,
    }


def _weeks(rng: np.random.Generator, core: dict[str, pd.DataFrame], world: World) -> _Weeks:
    shops, first = world.places.shops, world.days // 2
    settled = np.flatnonzero(world.places.opened[:shops] <= first - _SETTLED)
    chosen = np.sort(rng.choice(settled, max(1, int(_SHARE * shops)), replace=False))
    stores = core["store"]["store_id"].to_numpy()[chosen]
    orders, lines = core["sale_order"], core["sale_line"]
    net = orders["order_id"].map(lines.groupby("order_id")["net"].sum())
    day = (orders["ordered_at"].to_numpy() + LOCAL).astype("datetime64[D]")
    start = dates(world.calendar.start, np.array(first))
    counted = (orders["kind"] == "sale") & orders["cancelled_at"].isna() & (net > 0) & orders["store_id"].isin(stores)
    inside = counted.to_numpy() & (day >= start) & (day < start + np.timedelta64(DAYS, "D"))
    receipts = pd.DataFrame({"row": np.flatnonzero(inside), "net": net[inside].to_numpy()})
    return _Weeks(stores, first, receipts)


def _add_receipts(rng: np.random.Generator, core: dict[str, pd.DataFrame], weeks: _Weeks, effect: float) -> float:
    """Receipts of nobody known, each at the instant of another one there; gives their net sales."""
    orders, lines = core["sale_order"], core["sale_line"]
    product = core["product"]
    services = product.loc[product["kind"] == "service", "product_id"]
    sold = lines[lines["product_id"].isin(services) & lines["coupon_code"].isna() & (lines["net"] > 0)]
    many = int(rng.poisson(effect * weeks.receipts["net"].sum() / sold["net"].mean()))
    beside = orders.iloc[np.sort(rng.choice(weeks.receipts["row"], many))]  # counted, so never cancelled
    like = sold.iloc[rng.integers(0, len(sold), many)]
    order_id = ids("O", len(orders) + many, 8)[len(orders) :]
    at = beside["ordered_at"].to_numpy()
    nobody = beside.assign(order_id=order_id, customer_id=None, staff_id=None, updated_at=at)
    _append(core, "sale_order", nobody)
    bought = like.assign(order_id=order_id, line_no=1, lot_id=None, updated_at=at)
    _append(core, "sale_line", bought)
    return float(bought["net"].sum())


def _add_campaign(core: dict[str, pd.DataFrame], world: World, weeks: _Weeks) -> None:
    start = world.calendar.start
    first, last = (dates(start, np.array(day)) for day in (weeks.first, weeks.first + DAYS - 1))
    known = utc(start, np.array([weeks.first - 14]), 10 * 3600)[0]
    about = {
        "campaign_id": CAMPAIGN_ID,
        "name": f"{_NAME[0]} {str(first)[:7]}",
        "type": "event",
        "channel": "event",
        "objective": "promote_sales",
        "audience_rule": "whoever comes to the shops that take part",
        "offer": _OFFER[0],
        "starts_on": first,
        "ends_on": last,
        "window_days": 0,
        "cost_media": 4_000.0,
        "cost_message": 0.0,
        "cost_other": 9_000.0,
        "staff_hours": 40.0 * len(weeks.stores),
        "is_planned": False,
        "updated_at": known,
    }
    _append(core, "campaign", pd.DataFrame([about]))
    _append(
        core,
        "campaign_store",
        pd.DataFrame({"campaign_id": CAMPAIGN_ID, "store_id": weeks.stores, "updated_at": known}),
    )
    said = pd.concat(
        [
            translations("campaign.name", [(about["name"], f"{_NAME[1]} {str(first)[:7]}")]),
            translations("campaign.offer", [_OFFER]),
        ]
    )
    _append(core, "translation", said.assign(updated_at=core["region"]["updated_at"].iloc[0]))


def _append(core: dict[str, pd.DataFrame], table: str, rows: pd.DataFrame) -> None:
    core[table] = pd.concat([core[table], rows], ignore_index=True)
