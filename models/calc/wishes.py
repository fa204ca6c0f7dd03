"""Weeks of products where people expect other sales of a place or category than the forecast does."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from models.calc.demand_rates import WEEK, Floats


@dataclass(frozen=True)
class Wish:
    """Units that somebody expects of a category (None: all) in some stores (None: every one), from ``first`` to
    ``last``: of these days only what lies ahead."""

    stores: frozenset[str] | None
    category: str | None
    first: date
    last: date
    units: float

    @property
    def breadth(self) -> tuple[float, bool, int]:
        """Sorts the wider before the narrower: more stores, all categories, more days."""
        stores = -np.inf if self.stores is None else -len(self.stores)
        return stores, self.category is not None, -(self.last - self.first).days


def applied(
    weeks: Floats, store_id: NDArray[np.str_], category: NDArray[np.str_], begin: date, wishes: Sequence[Wish]
) -> Floats:
    """The weeks (items x weeks from ``begin``; NaN: not forecast) of which each wish's days add up to its units.

    Shares of products stay as they are. Narrower wishes come after wider ones, so they hold where both say something.
    """
    found = weeks.copy()
    for wish in sorted(wishes, key=lambda one: one.breadth):
        mine = np.ones(len(found), dtype=bool)
        if wish.stores is not None:
            mine &= np.isin(store_id, sorted(wish.stores))
        if wish.category is not None:
            mine &= category == wish.category
        part = _part_of_weeks(wish, begin, found.shape[1])
        expected = float(np.nansum(found[mine] * part))
        if expected > 0:
            found[mine] *= 1 + (wish.units / expected - 1) * part
    return found


def _part_of_weeks(wish: Wish, begin: date, count: int) -> Floats:
    """Of each week the share of its days that the wish is about."""
    starts = [begin + timedelta(days=WEEK * week) for week in range(count)]
    days = [(min(wish.last, start + timedelta(days=WEEK - 1)) - max(wish.first, start)).days + 1 for start in starts]
    return np.maximum(np.array(days, dtype=np.float64), 0) / WEEK
