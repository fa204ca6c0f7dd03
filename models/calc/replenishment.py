"""A shelf played through day by day: what a rule of ordering would have attained, so that a promise can be kept.

Periodic review: every few days the position (on hand and on order) is filled up to a level; the order comes after its
lead time; what is not there is not sold. A cycle lasts from one delivery to the next, also where nothing was ordered.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OrderUpTo = Callable[[int], Floats]  # the morning of a day -> the level of each rule and item


@dataclass(frozen=True)
class Attained:
    """What each rule attained for each item (rules x items)."""

    cycles: Floats
    cycles_served: Floats  # of these, without a customer sent away
    demand: Floats  # units; the same for every rule
    lost: Floats  # of these, not there
    closing_stock: Floats  # units, the mean of the days' ends
    days: int  # that counted

    def cycle_service(self, items: NDArray[np.bool_]) -> Floats:
        """The share of cycles without a stock-out, the mean of the items, per rule."""
        shares = self.cycles_served[:, items] / np.maximum(self.cycles[:, items], 1)
        service: Floats = shares.mean(axis=1)
        return service

    def fill_rate(self, items: NDArray[np.bool_]) -> Floats:
        """The share of the units asked for that were there, per rule."""
        asked = np.maximum(self.demand[:, items].sum(axis=1), 1e-9)
        rate: Floats = 1 - self.lost[:, items].sum(axis=1) / asked
        return rate


def replay(
    demand: Floats, order_up_to: OrderUpTo, leads: Ints, review: Ints, first: int, counted: int, last: int
) -> Attained:
    """Plays the days ``first`` to ``last`` (left out) of ``demand`` (items x days) under each rule.

    leads: days an order of each item takes when it is placed on each day (items x days, at least 1).
    review: days between two looks at each item. Only days from ``counted`` on count.
    """
    items = len(demand)
    level = order_up_to(first)
    rules = len(level)
    at = np.arange(items)
    ahead = int(leads.max()) + 1
    coming = np.zeros((ahead, rules, items))  # by day of arrival, modulo its length
    arrives = np.zeros((ahead, items), dtype=bool)
    on_hand, on_order = np.maximum(level, 0), np.zeros((rules, items))
    empty = np.zeros((rules, items), dtype=bool)
    cycles, lost, asked = np.zeros(items), np.zeros((rules, items)), np.zeros(items)
    served, closing = np.zeros((rules, items)), np.zeros((rules, items))
    for day in range(first, last):
        slot, counts = day % ahead, day >= counted
        ends = arrives[slot]
        if counts:
            cycles += ends
            served += ends & ~empty
        empty &= ~ends
        on_hand += coming[slot]
        on_order -= coming[slot]
        coming[slot], arrives[slot] = 0, False
        due = day % review == 0
        if due.any():
            wanted = np.where(due, np.maximum(np.ceil(order_up_to(day) - on_hand - on_order - 1e-9), 0), 0)
            arrival = (day + leads[:, day]) % ahead
            coming[arrival, :, at] += wanted.T
            arrives[arrival[due], at[due]] = True
            on_order += wanted
        today = demand[:, day]
        missed = np.maximum(today - on_hand, 0)
        on_hand = np.maximum(on_hand - today, 0)
        empty |= missed > 0
        if counts:
            lost += missed
            asked += today
            closing += on_hand
    days = max(last - counted, 1)
    every = (rules, items)
    return Attained(np.broadcast_to(cycles, every), served, np.broadcast_to(asked, every), lost, closing / days, days)
