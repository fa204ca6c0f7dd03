"""Stock: deliveries under a reorder policy, lots, movements and the counts at the end.

Everything is worked out per pair of store and product in cycles: each cycle begins with a delivery that lifts
the stock to what the cycle will sell plus a reserve; of a cycle that outlasts the data, the rest is what usually sells.
A planned stock-out is a cycle without delivery and without sales, so that the shelf is empty from its first to its last
day.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from data_access.demo import names
from data_access.demo.baskets import StockOuts
from data_access.demo.calendar import Calendar
from data_access.demo.world import Array, Places, Range, Supply, dates, known_where, stream, utc

OPENING_HOUR, DELIVERY_HOUR, SALE_HOUR, RETURN_HOUR, COUNT_HOUR = (hour * 3600 for hour in (1, 8, 21, 22, 23))


@dataclass(frozen=True, eq=False)
class Deliveries:
    """Deliveries in order of pair and day, the opening stock of each pair first.

    ``pair`` = store * products + product; ``quantity`` may be 0; ``surplus`` is what the count found missing
    when the shelf ran empty earlier than the books said; ``lot`` is a text per delivery.
    """

    pair: Array
    day: Array
    quantity: Array
    surplus: Array
    opening: Array
    lot: Array
    reserve: Array  # of the cycle, what is left when it ends


def deliver(
    calendar: Calendar, places: Places, range_: Range, sold: pd.DataFrame, outs: StockOuts, seed: int
) -> Deliveries:
    """Deliveries that cover ``sold`` (pair, day, quantity; in order of both, one row per pair and day)."""
    rng = stream(seed, "deliveries")
    products, days = len(range_.kind), calendar.days
    pair, first_row = np.unique(sold["pair"].to_numpy(), return_index=True)
    total = np.add.reduceat(sold["quantity"].to_numpy(), first_row)
    product, store = pair % products, pair // products
    begin = np.maximum(np.maximum(range_.launched[product] - 3, places.opened[store]), 0)
    rate = total / np.maximum(days - begin, 1)
    # Fast sellers come every five weeks, slow ones three times a year.
    length = np.clip(9 / np.maximum(rate, 1e-9), 35, 120).astype(int)
    phase = rng.integers(0, length)
    cycles = (days - begin) // length + 3  # the last begins after the end
    at_pair = np.repeat(np.arange(len(pair)), cycles)
    nth = np.arange(len(at_pair)) - np.repeat(np.cumsum(cycles) - cycles, cycles)
    day = np.where(nth == 0, begin[at_pair], begin[at_pair] + phase[at_pair] + (nth - 1) * length[at_pair] + 1)
    inside = (day < days) & ((nth == 0) | (day > begin[at_pair]))
    lasts = np.full(len(pair), np.iinfo(np.int64).max)
    np.minimum.at(lasts, at_pair[day >= days], day[day >= days])
    breaks = pd.DataFrame({"at": at_pair[inside], "day": day[inside], "empty": False})
    breaks = _with_stock_outs(breaks, pair, outs, products, days)
    at, day, empty = (breaks[name].to_numpy() for name in ("at", "day", "empty"))
    last = np.r_[at[1:] != at[:-1], True]
    until = np.where(last, days, np.r_[day[1:], days])
    sums = np.r_[0, np.cumsum(sold["quantity"].to_numpy())]
    key = sold["pair"].to_numpy() * days + sold["day"].to_numpy()
    demand = sums[np.searchsorted(key, pair[at] * days + until)] - sums[np.searchsorted(key, pair[at] * days + day)]
    demand += np.where(last & ~empty, np.round(rate * (lasts - days)).astype(int)[at], 0)
    usual = np.ceil(rate * 12 + 1).astype(int)
    before_empty = np.r_[(at[1:] == at[:-1]) & empty[1:], False]
    reserve = np.where(empty | before_empty, 0, usual[at])
    opening = np.r_[True, at[1:] != at[:-1]]
    left = np.where(opening, 0, np.r_[0, reserve[:-1]])
    need = np.where(empty, 0, demand + reserve) - left
    month = dates(calendar.start, day).astype("datetime64[M]").astype(str)
    lot = np.char.add(
        np.char.add("L", (product[at] + 1).astype(str)), np.char.add("-", np.char.replace(month, "-", ""))
    )
    return Deliveries(
        pair=pair[at],
        day=day,
        quantity=np.maximum(need, 0),
        surplus=np.maximum(-need, 0),
        opening=opening,
        lot=lot.astype(object),
        reserve=reserve,
    )


def _with_stock_outs(breaks: pd.DataFrame, pair: Array, outs: StockOuts, products: int, days: int) -> pd.DataFrame:
    """Adds the first day of each stock-out as an empty cycle and the day after it as an ordinary one."""
    out_pair = outs.store * products + outs.product
    place = np.searchsorted(pair, out_pair)
    known = (place < len(pair)) & (pair[np.minimum(place, len(pair) - 1)] == out_pair)
    place, first, until = place[known], outs.first[known], outs.until[known]
    start, stop = np.full(len(pair), days + 1), np.full(len(pair), days + 1)
    start[place], stop[place] = first, until
    at, day = breaks["at"].to_numpy(), breaks["day"].to_numpy()
    free = (day < start[at]) | (day > stop[at])
    ends = until < days
    both = pd.concat(
        [
            breaks[free],
            pd.DataFrame({"at": place, "day": first, "empty": True}),
            pd.DataFrame({"at": place[ends], "day": until[ends], "empty": False}),
        ]
    )
    return both.sort_values(["at", "day"], kind="stable", ignore_index=True)


def lots_of(deliveries: Deliveries, pair: Array, day: Array, days: int) -> Array:
    """For every sale the row of the latest delivery with goods of its pair."""
    full = np.flatnonzero((deliveries.quantity > 0) | deliveries.opening)
    key = deliveries.pair[full] * days + deliveries.day[full]
    return full[np.searchsorted(key, pair * days + day, side="right") - 1]


def replenishment(
    calendar: Calendar,
    range_: Range,
    supply: Supply,
    deliveries: Deliveries,
    arrived: Array,
    labels: dict[str, Array],
    seed: int,
) -> pd.DataFrame:
    """One row per order to a supplier for one product and store; ``received_on`` is NaT where it is still open.

    Columns: store_id, product_id, supplier_id, ordered_at (UTC), promised_on, received_on, quantity, lot_id.
    The order lies as long before the delivery as the supplier's lead time takes.
    """
    rng = stream(seed, "replenishment")
    products = len(range_.kind)
    real = np.flatnonzero((arrived > 0) & ~deliveries.opening)
    waits = np.flatnonzero((arrived > 0) & (deliveries.day >= calendar.days - 40))
    waits = waits[rng.random(len(waits)) < 0.25]
    rows = np.r_[real, waits]
    still_open = np.arange(len(rows)) >= len(real)
    product = deliveries.pair[rows] % products
    supplier = range_.supplier[product]
    lead = supply.median[supplier] * np.exp(rng.normal(0, 1, len(rows)) * supply.sigma[supplier])
    lead = np.maximum(np.round(lead), 1).astype(int)
    # An open order was placed fewer days ago than it takes.
    ago = np.minimum(rng.integers(0, 20, len(rows)), lead - 1)
    ordered = np.where(still_open, calendar.days - 1 - ago, deliveries.day[rows] - lead)
    received = dates(calendar.start, deliveries.day[rows])
    received[still_open] = np.datetime64("NaT", "D")
    return pd.DataFrame(
        {
            "store_id": labels["store"][deliveries.pair[rows] // products],
            "product_id": labels["product"][product],
            "supplier_id": np.array(supply.supplier_id, dtype=object)[supplier],
            "ordered_at": utc(calendar.start, ordered, 9 * 3600 + 1_800),
            "promised_on": dates(calendar.start, ordered + supply.promised[supplier]),
            "received_on": received,
            "quantity": arrived[rows],
            "lot_id": known_where(~still_open, deliveries.lot[rows]),
        }
    ).sort_values(["ordered_at", "store_id", "product_id"], kind="stable", ignore_index=True)


def movements(
    calendar: Calendar,
    places: Places,
    range_: Range,
    sold: pd.DataFrame,
    deliveries: Deliveries,
    returned: pd.DataFrame,
    outs: StockOuts,
    seed: int,
) -> tuple[pd.DataFrame, Array]:
    """Every movement in order of time, and what each delivery really brought.

    One row per movement as positions: pair, day, second, kind, quantity (signed), lot. ``returned`` has pair,
    day, quantity. Sales are summed per day. Opened returns, and all where a stock-out is planned, are written
    off at once; some deliveries bring units that expire, break or move on to a sister store.
    """
    rng = stream(seed, "movements")
    products = len(range_.kind)
    arrived = deliveries.quantity.copy()
    taken = np.isin(deliveries.pair, outs.store * products + outs.product)
    spare = np.flatnonzero((arrived > 0) & ~deliveries.opening & ~taken & (deliveries.day < calendar.days - 16))
    moved = spare[rng.random(len(spare)) < 0.02]
    spoilt = np.setdiff1d(spare[rng.random(len(spare)) < 0.03], moved)
    miscounted = np.setdiff1d(spare[rng.random(len(spare)) < 0.03], np.r_[moved, spoilt])
    passed = rng.integers(2, 7, len(moved))
    target, reachable = _sisters(rng, places, products, deliveries, moved, outs)
    moved, passed, target = moved[reachable], passed[reachable], target[reachable]
    wasted, found = rng.integers(1, 4, len(spoilt)), rng.integers(1, 3, len(miscounted))
    arrived[moved] += passed
    arrived[spoilt] += wasted
    arrived[miscounted] += found
    later = rng.integers(5, 15, len(spoilt))
    thrown = rng.random(len(returned)) < 0.5
    thrown |= np.isin(returned["pair"].to_numpy(), outs.store * products + outs.product)

    def part(kind: str, pair: Any, day: Any, second: int, quantity: Any, lot: Array | None = None) -> pd.DataFrame:
        frame = pd.DataFrame({"pair": pair, "day": day, "quantity": quantity, "kind": kind, "second": second})
        frame["lot"] = np.full(len(frame), None, dtype=object) if lot is None else lot
        return frame

    opening, goods = deliveries.opening, (arrived > 0) & ~deliveries.opening
    short = deliveries.surplus > 0
    parts = [
        part(
            "opening",
            deliveries.pair[opening],
            deliveries.day[opening],
            OPENING_HOUR,
            arrived[opening],
            deliveries.lot[opening],
        ),
        part(
            "receipt",
            deliveries.pair[goods],
            deliveries.day[goods],
            DELIVERY_HOUR,
            arrived[goods],
            deliveries.lot[goods],
        ),
        part("adjustment", deliveries.pair[short], deliveries.day[short], OPENING_HOUR, -deliveries.surplus[short]),
        part("sale", sold["pair"], sold["day"], SALE_HOUR, -sold["quantity"]),
        part("return", returned["pair"], returned["day"], RETURN_HOUR, returned["quantity"]),
        part(
            "write_off", returned["pair"][thrown], returned["day"][thrown], RETURN_HOUR, -returned["quantity"][thrown]
        ),
        part("transfer_out", deliveries.pair[moved], deliveries.day[moved] + 1, DELIVERY_HOUR, -passed),
        part("transfer_in", target, deliveries.day[moved] + 3, DELIVERY_HOUR, passed),
        part("write_off", deliveries.pair[spoilt], deliveries.day[spoilt] + later, COUNT_HOUR, -wasted),
        part("adjustment", deliveries.pair[miscounted], deliveries.day[miscounted] + 9, COUNT_HOUR, -found),
    ]
    both = pd.concat(parts, ignore_index=True)
    return both.sort_values(["day", "second", "pair"], kind="stable", ignore_index=True), arrived


def _sisters(
    rng: np.random.Generator, places: Places, products: int, deliveries: Deliveries, moved: Array, outs: StockOuts
) -> tuple[Array, Array]:
    """A pair in another store of the same region for each transfer, and whether there is one that sells the product."""
    store, product = deliveries.pair[moved] // products, deliveries.pair[moved] % products
    target = rng.integers(0, len(places.region), len(moved))
    pair = target * products + product
    first = deliveries.opening
    begins = dict(zip(deliveries.pair[first].tolist(), deliveries.day[first].tolist(), strict=True))
    known = np.array([begins.get(p, np.iinfo(int).max) for p in pair.tolist()], dtype=float)
    planned = np.isin(pair, outs.store * products + outs.product)
    fits = (target != store) & (places.region[target] == places.region[store]) & ~planned
    return pair, fits & (known < deliveries.day[moved])


def stock_frames(
    calendar: Calendar,
    range_: Range,
    deliveries: Deliveries,
    moved: pd.DataFrame,
    labels: dict[str, Array],
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Tables stock_movement, stock_level and stock_lot; the sum of a pair's movements is its level and its lots'."""
    rng = stream(seed, "stock frames")
    products = len(range_.kind)
    pair, quantity = moved["pair"].to_numpy(), moved["quantity"].to_numpy()
    at = utc(calendar.start, moved["day"].to_numpy(), moved["second"].to_numpy())
    stock_movement = pd.DataFrame(
        {
            "movement_id": [f"SM{number:07d}" for number in range(1, len(moved) + 1)],
            "store_id": labels["store"][pair // products],
            "product_id": labels["product"][pair % products],
            "lot_id": moved["lot"].to_numpy(),
            "kind": moved["kind"].to_numpy(),
            "quantity": quantity,
            "moved_at": at,
            "updated_at": at,
        }
    )
    held = np.bincount(pair, weights=quantity).astype(int)
    pairs = np.unique(pair)
    on_hand = held[pairs]
    counted_at = utc(calendar.start, np.full(len(pairs), calendar.days - 1), COUNT_HOUR)
    stock_level = pd.DataFrame(
        {
            "store_id": labels["store"][pairs // products],
            "product_id": labels["product"][pairs % products],
            "on_hand": on_hand,
            "reserved": np.where(rng.random(len(pairs)) < 0.1, np.minimum(on_hand, 2), 0),
            "counted_at": counted_at,
            "updated_at": counted_at,
        }
    )
    return {
        "stock_movement": stock_movement,
        "stock_level": stock_level,
        "stock_lot": _lots(rng, calendar, range_, deliveries, pairs, on_hand, labels),
    }


def _lots(
    rng: np.random.Generator,
    calendar: Calendar,
    range_: Range,
    deliveries: Deliveries,
    pairs: Array,
    on_hand: Array,
    labels: dict[str, Array],
) -> pd.DataFrame:
    """What is on hand belongs to the latest delivery; some shelves hide units of a lot that expires about now."""
    products = len(range_.kind)
    newest = lots_of(deliveries, pairs, np.full(len(pairs), calendar.days - 1), calendar.days)
    shelf_life = np.array([kind.shelf_life_days for kind in names.KINDS])[range_.kind]
    made = deliveries.day[newest] - rng.integers(20, 120, len(pairs))
    expires = made + shelf_life[pairs % products]
    old = np.flatnonzero((on_hand >= 3) & (rng.random(len(pairs)) < 0.05))
    hidden = np.maximum(on_hand[old] // 4, 1)
    rest = on_hand.copy()
    rest[old] -= hidden
    soon = calendar.days + rng.integers(-20, 100, len(old))
    names_old = np.array([f"{lot.split('-')[0]}-OLD" for lot in deliveries.lot[newest[old]]], dtype=object)
    kept = np.flatnonzero(rest > 0)
    known = utc(calendar.start, np.full(len(kept) + len(old), calendar.days - 1), COUNT_HOUR)
    which = np.r_[kept, old]
    return pd.DataFrame(
        {
            "store_id": labels["store"][pairs[which] // products],
            "product_id": labels["product"][pairs[which] % products],
            "lot_id": np.r_[deliveries.lot[newest[kept]], names_old],
            "expires_on": dates(calendar.start, np.r_[expires[kept], soon]),
            "quantity": np.r_[rest[kept], hidden],
            "updated_at": known,
        }
    )
