"""Which stock to move between stores: as a mixed-integer program, solved by HiGHS.

A donor gives only what lies above the P90 of its own demand, so that it takes no risk for another's sake. A receiver
gains from each further unit what that unit is likely to sell before its next delivery, less with each; a unit that
would expire unsold where it lies saves its cost besides. A shipment costs what its lane costs, once for all that it
carries, and carries at least the lane's minimum. The plan has the largest gain less cost.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]

PLAN = ("from_store", "to_store", "product_id", "quantity", "near_expiry", "gain", "lane_cost", "saving")
_GAP = 0.005  # how far from the best plan the solver may stop
_SECONDS = 20.0  # of the solver per group of stores


@dataclass(frozen=True)
class Offers:
    """What could be moved, where to, and what it would bring.

    donors: store_id, product_id, surplus (units above its own P90), near_expiry (of these, would expire unsold),
        unit_cost (what such a unit is worth saved).
    gains: store_id, product_id, nth (1, 2, ...: the nth unit it gets), gain (money; never rising with nth).
    rooms: store_id, product_id, room (units near their expiry that it could still sell in time).
    lanes: from_store, to_store, cost (money a shipment), minimum_quantity (units a shipment).
    """

    donors: pd.DataFrame
    gains: pd.DataFrame
    rooms: pd.DataFrame
    lanes: pd.DataFrame


def plan(offers: Offers) -> pd.DataFrame:
    """The transfers of the best plan, the largest saving first: the columns of ``PLAN``.

    ``gain`` is what the units of a row bring, ``lane_cost`` their share of the shipment's cost by units.
    """
    ways = _ways(offers)
    if ways.empty:
        return _nothing()
    parts = [_best(ways[ways["group"] == group], offers) for group in range(int(ways["group"].max()) + 1)]
    moved = pd.concat(parts, ignore_index=True)
    if moved.empty:
        return _nothing()
    return moved.sort_values(["saving", "from_store", "to_store", "product_id"], ascending=[False, True, True, True])[
        list(PLAN)
    ].reset_index(drop=True)


def _nothing() -> pd.DataFrame:
    texts = ("from_store", "to_store", "product_id")
    return pd.DataFrame({name: pd.Series(dtype="str" if name in texts else "float64") for name in PLAN})


def _ways(offers: Offers) -> pd.DataFrame:
    """One row per lane and product that has a donor at one end and a gain at the other, with its group of stores."""
    donors = offers.donors[offers.donors["surplus"] >= 1]
    wanted = offers.gains[offers.gains["gain"] > 0].groupby(["store_id", "product_id"], as_index=False).size()
    lanes = offers.lanes.assign(lane=np.arange(len(offers.lanes)))
    ways = lanes.merge(donors, left_on="from_store", right_on="store_id").merge(
        wanted, left_on=["to_store", "product_id"], right_on=["store_id", "product_id"], suffixes=("", "_to")
    )
    rooms = offers.rooms.rename(columns={"store_id": "to_store"})
    ways = ways.merge(rooms, on=["to_store", "product_id"], how="left").fillna({"room": 0.0})
    if ways.empty:
        return ways.assign(group=pd.Series(dtype=np.int64))
    stores = pd.Index(pd.unique(pd.concat([ways["from_store"], ways["to_store"]])))
    one, other = stores.get_indexer(ways["from_store"]), stores.get_indexer(ways["to_store"])
    links = coo_array((np.ones(len(ways)), (one, other)), shape=(len(stores), len(stores)))
    return ways.assign(group=connected_components(links, directed=False)[1][one])


def _best(ways: pd.DataFrame, offers: Offers) -> pd.DataFrame:
    """The best plan of one group of stores.

    Variables: units of each way, of these units near expiry, whether each lane ships, each nth unit that a receiver
    gets.
    """
    ways = ways.reset_index(drop=True)
    n = len(ways)
    lane_ids, lane = np.unique(ways["lane"].to_numpy(), return_inverse=True)
    lanes = offers.lanes.iloc[lane_ids]
    gains = offers.gains[offers.gains["gain"] > 0].merge(ways[["to_store", "product_id"]].drop_duplicates(),
        left_on=["store_id", "product_id"], right_on=["to_store", "product_id"])  # fmt: skip
    receiver = pd.MultiIndex.from_frame(ways[["to_store", "product_id"]])
    receivers = receiver.unique()
    donor = pd.MultiIndex.from_frame(ways[["from_store", "product_id"]])
    donors = donor.unique()
    at_receiver, at_donor = receivers.get_indexer(receiver), donors.get_indexer(donor)
    of_gain = receivers.get_indexer(pd.MultiIndex.from_frame(gains[["store_id", "product_id"]]))
    m, g = len(lane_ids), len(gains)
    units, near, ships, nth = np.arange(n), n + np.arange(n), 2 * n + np.arange(m), 2 * n + m + np.arange(g)
    columns = 2 * n + m + g
    first = ways.groupby(at_donor, sort=True).first()
    surplus, spoiling = np.floor(first["surplus"].to_numpy()), np.floor(first["near_expiry"].to_numpy())
    room = np.floor(ways.groupby(at_receiver, sort=True)["room"].first().to_numpy())
    most = np.minimum(surplus[at_donor], np.bincount(of_gain, minlength=len(receivers))[at_receiver])
    at_least = np.maximum(lanes["minimum_quantity"].to_numpy(dtype=np.float64), 1)

    rows: list[tuple[NDArray[np.int64], NDArray[np.int64], Floats, int, float | Floats, float | Floats]] = []

    def rule(row: object, column: object, value: object, count: int, low: float | Floats, high: float | Floats) -> None:
        r, c = np.asarray(row, dtype=np.int64), np.asarray(column, dtype=np.int64)
        rows.append((r, c, np.broadcast_to(np.asarray(value, dtype=np.float64), r.shape), count, low, high))

    rule(at_donor, units, 1, len(donors), 0, surplus)  # a donor keeps its P90
    rule(at_donor, near, 1, len(donors), 0, spoiling)
    rule(at_receiver, near, 1, len(receivers), 0, room)
    rule(np.r_[np.arange(n), np.arange(n)], np.r_[near, units], np.r_[np.ones(n), -np.ones(n)], n, -np.inf, 0)
    # What a receiver gets are its nth units.
    got = np.r_[at_receiver, of_gain]
    rule(got, np.r_[units, nth], np.r_[np.ones(n), -np.ones(g)], len(receivers), 0, 0)
    # A lane that ships nothing carries nothing, one that ships carries its minimum.
    rule(np.r_[np.arange(n), np.arange(n)], np.r_[units, ships[lane]], np.r_[np.ones(n), -most], n, -np.inf, 0)
    rule(np.r_[lane, np.arange(m)], np.r_[units, ships], np.r_[np.ones(n), -at_least], m, 0, np.inf)

    begin = np.cumsum([0, *(row[3] for row in rows)])
    matrix = coo_array(
        (
            np.concatenate([row[2] for row in rows]),
            (
                np.concatenate([row[0] + at for row, at in zip(rows, begin, strict=False)]),
                np.concatenate([row[1] for row in rows]),
            ),
        ),
        shape=(int(begin[-1]), columns),
    ).tocsr()
    low, high = (
        np.concatenate([np.broadcast_to(np.asarray(row[i], dtype=np.float64), row[3]) for row in rows]) for i in (4, 5)
    )
    worth = np.zeros(columns)
    worth[near] = ways["unit_cost"].to_numpy()
    worth[ships] = -lanes["cost"].to_numpy(dtype=np.float64)
    worth[nth] = gains["gain"].to_numpy()
    upper = np.concatenate([most, most, np.ones(m), np.ones(g)])
    whole = np.concatenate([np.ones(2 * n + m), np.zeros(g)])
    found = milp(
        -worth,
        integrality=whole,
        bounds=Bounds(0, upper),
        constraints=LinearConstraint(matrix, low, high),
        options={"mip_rel_gap": _GAP, "time_limit": _SECONDS},
    )
    # Out of time without any plan: moving nothing is one.
    solution = np.zeros(columns) if found.x is None else found.x
    quantity, spoils = np.rint(solution[units]), np.rint(solution[near])
    return _moved(ways, lanes, lane, gains, of_gain, at_receiver, quantity, spoils)


def _moved(
    ways: pd.DataFrame,
    lanes: pd.DataFrame,
    lane: NDArray[np.int64],
    gains: pd.DataFrame,
    of_gain: NDArray[np.int64],
    at_receiver: NDArray[np.int64],
    quantity: Floats,
    near_expiry: Floats,
) -> pd.DataFrame:
    """The ways that carry something, with the money of each."""
    # A receiver's units bring its best gains; where several ways feed it, they share them by units.
    received = np.bincount(at_receiver, weights=quantity)
    taken = gains["nth"].to_numpy() <= received[of_gain]
    brought = np.bincount(of_gain, weights=np.where(taken, gains["gain"], 0), minlength=len(received))
    per_unit = brought / np.maximum(received, 1)
    carried = np.bincount(lane, weights=quantity)
    cost = lanes["cost"].to_numpy(dtype=np.float64)[lane] * quantity / np.maximum(carried[lane], 1)
    gain = per_unit[at_receiver] * quantity + ways["unit_cost"].to_numpy() * near_expiry
    moved = ways.assign(
        quantity=quantity.astype(np.int64),
        near_expiry=near_expiry.astype(np.int64),
        gain=gain,
        lane_cost=cost,
        saving=gain - cost,
    )
    return moved[quantity > 0]
