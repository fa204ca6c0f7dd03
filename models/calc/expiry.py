"""Which units will not be sold before they expire, the first to expire being sold first."""

import numpy as np
from numpy.typing import NDArray

from models.calc.demand_rates import Floats, Ints


def unsold(shelf: Ints, days_left: Floats, quantity: Floats, demand: Floats) -> Floats:
    """The units of each lot that will be left when it expires.

    Args:
        shelf: the number of the shelf (a product in a store) that each lot lies on.
        days_left: until each lot expires; 0 or below has expired, infinite never does.
        quantity: units of each lot.
        demand: units asked for on its shelf until each lot expires; 0 for what has expired.
    """
    left = np.zeros(len(shelf))
    if not len(shelf):
        return left
    order = np.lexsort((days_left, shelf))
    on = shelf[order]
    starts = np.r_[True, on[1:] != on[:-1]]
    rank = np.arange(len(on)) - np.maximum.accumulate(np.where(starts, np.arange(len(on)), 0))
    sold_before = np.zeros(int(shelf.max()) + 1)
    for nth in range(int(rank.max()) + 1):
        lots: NDArray[np.int64] = order[rank == nth]
        sold = np.clip(demand[lots] - sold_before[shelf[lots]], 0, quantity[lots])
        sold_before[shelf[lots]] += sold
        left[lots] = quantity[lots] - sold
    return left
