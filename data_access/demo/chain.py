"""Puts the chain together, topic by topic, and says what is true about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from data_access.demo import baskets, campaign_tables, campaigns, people, places, stock, trade
from data_access.demo import range as assortment
from data_access.demo.calendar import Calendar, make_calendar
from data_access.demo.truth import core_truth
from data_access.demo.world import SCALES, Array, World, ids, known_where, label, months_before, utc

Frames = dict[str, pd.DataFrame]


@dataclass(frozen=True, eq=False)
class Chain:
    """The generated chain: canonical tables by name (and helpers whose names begin with _), and the truth."""

    world: World
    core: Frames
    truth: dict[str, Any]


def build(scale_name: str, seed: int, end: date, null: frozenset[str], progress: Callable[[str], None]) -> Chain:
    """The core of the chain; the same arguments give the same chain, on every machine."""
    scale = SCALES[scale_name]
    start = months_before(end, scale.months)
    calendar = make_calendar(start, (end - start).days + 1, flat="events" in null)
    where = places.make_places(scale, calendar, seed, null)
    team = places.make_team(scale, calendar, where, seed, null)
    supply = assortment.make_supply(seed, null)
    range_ = assortment.make_range(scale, calendar, where, supply, seed, null)
    buyers = people.make_people(scale, calendar, where, seed, null)
    labels = {
        "store": ids("S", len(where.region), 3),
        "staff": ids("E", len(team.post), 4),
        "product": ids("P", scale.products, 4),
        "customer": ids("C", scale.customers, 6),
    }
    progress("stores, people and products")
    promotion, promoted = assortment.promotions(scale, calendar, range_, seed)
    orders = trade.make_orders(scale, calendar, where, team, buyers, seed)
    planned = campaigns.plan(scale, calendar, where, range_, buyers, orders, seed, null)

    def serve_extras(extra: pd.DataFrame) -> pd.DataFrame:
        return trade.serve_extras(calendar, where, team, extra, seed)

    orders = campaigns.add_orders(calendar, where, buyers, orders, planned, serve_extras, seed)
    orders = _in_time(calendar, orders)
    progress("receipts and campaigns")
    weekly = assortment.weekly_weights(
        scale, calendar, range_, len(set(where.region.tolist())), _by_week(calendar, promoted)
    )
    lines = baskets.make_lines(scale, calendar, where, range_, buyers, orders, weekly, seed)
    outs = baskets.plan_stock_outs(scale, calendar, where, range_, seed, null)
    lines, lost = baskets.lose(lines, orders, outs, scale.products)
    orders, lines = _without_empty(orders, lines)
    labels["order"] = ids("O", len(orders), 8)
    lines = baskets.price(lines, orders, range_, promoted, buyers.wholesale)
    progress("sale lines")
    sold = _sold(where, range_, orders, lines, scale.products)
    deliveries = stock.deliver(calendar, where, range_, sold, outs, seed)
    lines["delivery"] = _delivery_of(range_, orders, lines, deliveries, scale.products, calendar.days)
    lot, complaint_lot = _lots(calendar, range_, orders, lines, deliveries)
    faulty = (lot == complaint_lot) if complaint_lot else np.zeros(len(lines), dtype=bool)
    returned = baskets.make_returns(calendar, where, range_, buyers, orders, lines, faulty, seed)
    back = _back(lines, returned, scale.products)
    moved, arrived = stock.movements(calendar, where, range_, sold, deliveries, back, outs, seed)
    progress("stock and returns")
    world = World(scale, seed, start, end, null, calendar, where, team, range_, buyers, supply, complaint_lot)
    core: Frames = {
        "customer": people.customer_frame(scale, calendar, where, team, buyers, seed),
        "sale_order": trade.order_frame(where, orders, utc(start, np.array(calendar.days), -1), labels, seed),
        "sale_line": _line_frame(planned, orders, lines, lot, labels),
        "return_line": _return_frame(start, orders, lines, returned, lot, labels),
        "store_traffic": trade.traffic_frame(calendar, where, orders, labels["store"], seed),
        "sales_target": places.targets(start, orders, lines, labels, seed),
        "price_promotion": promotion,
        "_replenishment": stock.replenishment(calendar, range_, supply, deliveries, arrived, labels, seed),
        **stock.stock_frames(calendar, range_, deliveries, moved, labels, seed),
        **places.staff_frames(scale, calendar, where, team, seed),
    }
    parts = [
        places.store_frames(scale, calendar, where, seed),
        assortment.product_frames(scale, calendar, range_, seed),
        campaign_tables.campaign_frames(calendar, where, orders, planned, labels, seed),
    ]
    core |= {name: frame for part in parts for name, frame in part.items()}
    core["translation"] = pd.concat([part["translation"] for part in parts], ignore_index=True)
    core["translation"]["updated_at"] = core["region"]["updated_at"].iloc[0]
    truth = core_truth(world, orders, lines, planned, outs, lost, labels)
    return Chain(world, core, truth)


def _in_time(calendar: Calendar, orders: pd.DataFrame) -> pd.DataFrame:
    orders = orders.assign(at=utc(calendar.start, orders["day"].to_numpy(), orders["second"].to_numpy()))
    return orders.sort_values(["at", "store", "customer"], kind="stable", ignore_index=True)


def _by_week(calendar: Calendar, promoted: Array) -> Array:
    """Mean discount by week (counted back from the end) and product."""
    weeks = -(-calendar.days // 7)
    padded = np.concatenate([promoted[:, ::-1], np.zeros((len(promoted), weeks * 7 - calendar.days))], axis=1)
    return padded.reshape(len(promoted), weeks, 7).mean(axis=2).T


def _without_empty(orders: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Receipts that lost every line to empty shelves never happen."""
    filled = np.bincount(lines["order"], minlength=len(orders)) > 0
    number = np.cumsum(filled) - 1
    return orders[filled].reset_index(drop=True), lines.assign(order=number[lines["order"]])


def _moves_goods(range_: Any, orders: pd.DataFrame, lines: pd.DataFrame) -> Array:
    """Services keep no stock, test receipts hand nothing over, and what is cancelled never leaves the shelf."""
    taken = ((orders["kind"] != "test") & (orders["cancelled_after"] < 0)).to_numpy()
    return (range_.supplier[lines["product"]] >= 0) & taken[lines["order"]]


def _sold(where: Any, range_: Any, orders: pd.DataFrame, lines: pd.DataFrame, products: int) -> pd.DataFrame:
    """Units by pair of store and product (store * products + product) and day, in order of both."""
    goods = lines[_moves_goods(range_, orders, lines)]
    store, day = orders["store"].to_numpy()[goods["order"]], orders["day"].to_numpy()[goods["order"]]
    frame = pd.DataFrame({"pair": store * products + goods["product"], "day": day, "quantity": goods["quantity"]})
    return frame.groupby(["pair", "day"])["quantity"].sum().reset_index()


def _delivery_of(
    range_: Any, orders: pd.DataFrame, lines: pd.DataFrame, deliveries: stock.Deliveries, products: int, days: int
) -> Array:
    """The delivery each line comes from, -1 where nothing leaves the shelf."""
    goods = np.flatnonzero(_moves_goods(range_, orders, lines))
    order = lines["order"].to_numpy()[goods]
    pair = orders["store"].to_numpy()[order] * products + lines["product"].to_numpy()[goods]
    found = np.full(len(lines), -1)
    found[goods] = stock.lots_of(deliveries, pair, orders["day"].to_numpy()[order], days)
    return found


def _lots(
    calendar: Calendar, range_: Any, orders: pd.DataFrame, lines: pd.DataFrame, deliveries: stock.Deliveries
) -> tuple[Array, str | None]:
    """The lot of every line (None: none), and the one to be complained about: of its product the lot that sold
    best to known customers between five and one month before the end."""
    lot = label(deliveries.lot, lines["delivery"])
    if range_.complaint_product < 0:
        return lot, None
    order = lines["order"].to_numpy()
    day, known = orders["day"].to_numpy()[order], (orders["customer"] >= 0).to_numpy()[order]
    recent = (day >= calendar.days - 150) & (day < calendar.days - 30) & known
    mine = lot[recent & (lines["product"] == range_.complaint_product).to_numpy() & (lines["delivery"] >= 0).to_numpy()]
    return lot, str(pd.Series(mine).value_counts().sort_index().idxmax())


def _back(lines: pd.DataFrame, returned: pd.DataFrame, products: int) -> pd.DataFrame:
    product = lines["product"].to_numpy()[returned["line"]]
    return pd.DataFrame(
        {"pair": returned["store"] * products + product, "day": returned["day"], "quantity": returned["quantity"]}
    )


def _line_frame(
    planned: list[campaigns.Campaign],
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    lot: Array,
    labels: dict[str, Array],
) -> pd.DataFrame:
    order = lines["order"].to_numpy()
    codes = np.full((len(planned), 2), None, dtype=object)
    for campaign in planned:
        for arm in range(len(campaign.chances)):
            codes[campaign.number, arm] = campaigns.coupon_code(campaign, arm)
    coupon = np.full(len(lines), None, dtype=object)
    used = np.flatnonzero(lines["coupon"])
    coupon[used] = codes[orders["campaign"].to_numpy()[order[used]], orders["arm"].to_numpy()[order[used]]]
    money = {name: lines[name].to_numpy() / 100 for name in ("list_price", "discount", "net", "tax", "cost")}
    return pd.DataFrame(
        {
            "order_id": labels["order"][order],
            "line_no": lines["line_no"].to_numpy(),
            "product_id": labels["product"][lines["product"]],
            "lot_id": lot,
            "quantity": lines["quantity"].to_numpy(),
            **money,
            "coupon_code": coupon,
            "updated_at": orders["at"].to_numpy()[order],
        }
    )


def _return_frame(
    start: date,
    orders: pd.DataFrame,
    lines: pd.DataFrame,
    returned: pd.DataFrame,
    lot: Array,
    labels: dict[str, Array],
) -> pd.DataFrame:
    line, linked = returned["line"].to_numpy(), returned["linked"].to_numpy()
    order = lines["order"].to_numpy()[line]
    at = utc(start, returned["day"].to_numpy(), returned["second"].to_numpy())
    return pd.DataFrame(
        {
            "return_id": ids("R", len(returned), 7),
            "line_no": 1,
            "order_id": known_where(linked, labels["order"][order]),
            "order_line_no": pd.Series(lines["line_no"].to_numpy()[line]).astype("Int64").where(linked),
            "store_id": labels["store"][returned["store"]],
            "customer_id": label(labels["customer"], orders["customer"].to_numpy()[order]),
            "staff_id": label(labels["staff"], orders["staff"].to_numpy()[order]),
            "product_id": labels["product"][lines["product"].to_numpy()[line]],
            "lot_id": lot[line],
            "returned_at": at,
            "quantity": returned["quantity"].to_numpy(),
            "refund": returned["refund"].to_numpy() / 100,
            "reason": returned["reason"].to_numpy(),
            "currency": "CNY",
            "updated_at": at,
        }
    )
