"""Who moved from group to group between two days: customers matched by number, counted by pair of groups."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ABSENT = "absent"  # not a customer yet, or no longer in the data


@dataclass(frozen=True, slots=True)
class Moves:
    """Every customer of either day by number, the group on each as a place in ``groups``, and figures of the later."""

    groups: tuple[str, ...]
    customer_no: NDArray[np.int64]
    earlier: NDArray[np.int16]
    later: NDArray[np.int16]
    net_sales: NDArray[np.float64]

    def of(self, earlier: str, later: str) -> NDArray[np.int64]:
        """The customers who were in one group and are in the other, the highest net sales first."""
        if earlier not in self.groups or later not in self.groups:
            return np.empty(0, dtype=np.int64)
        wanted = (self.earlier == self.groups.index(earlier)) & (self.later == self.groups.index(later))
        numbers, sales = self.customer_no[wanted], self.net_sales[wanted]
        return numbers[np.argsort(-sales, kind="stable")]

    def matrix(self) -> pd.DataFrame:
        """One row per pair of groups with a customer: from_group, to_group, customers, net_sales (on the later day)."""
        size = len(self.groups)
        pair = self.earlier.astype(np.int64) * size + self.later
        customers = np.bincount(pair, minlength=size * size)
        sales = np.bincount(pair, weights=self.net_sales, minlength=size * size)
        there = np.flatnonzero(customers)
        names = np.array(self.groups, dtype=object)
        return pd.DataFrame(
            {
                "from_group": names[there // size],
                "to_group": names[there % size],
                "customers": customers[there],
                "net_sales": sales[there],
            }
        )

    def flows(self) -> dict[str, NDArray[Any]]:
        """Columns, one row per group: group, customers (on the later day), came, left, net. Who stayed did neither."""
        size = len(self.groups)
        moved = self.earlier != self.later
        came = np.bincount(self.later[moved], minlength=size)
        left = np.bincount(self.earlier[moved], minlength=size)
        now = np.bincount(self.later, minlength=size)
        table = {"group": np.array(self.groups, object), "customers": now, "came": came, "left": left}
        there = table["group"] != ABSENT
        return {name: column[there] for name, column in (table | {"net": came - left}).items()}


def moves(earlier: pd.DataFrame, later: pd.DataFrame, groups: tuple[str, ...]) -> Moves:
    """``earlier`` and ``later``: customer_no (each once, rising), group (its place in ``groups``) and net_sales of two
    days; whoever is on one of them only was, or is, ABSENT."""
    numbers = np.union1d(earlier["customer_no"].to_numpy(), later["customer_no"].to_numpy())
    found = [placed(frame["customer_no"], frame["group"], numbers, len(groups)) for frame in (earlier, later)]
    sales = np.zeros(len(numbers))
    sales[np.searchsorted(numbers, later["customer_no"].to_numpy())] = later["net_sales"].to_numpy(dtype="float64")
    return Moves((*groups, ABSENT), numbers, found[0], found[1], sales)


def placed(customer_no: pd.Series, group: pd.Series, numbers: NDArray[np.int64], absent: int) -> NDArray[np.int16]:
    """The group of each of ``numbers``, which hold all of ``customer_no``; ``absent`` of the others."""
    found = np.full(len(numbers), absent, dtype=np.int16)
    found[np.searchsorted(numbers, customer_no.to_numpy())] = group.to_numpy()
    return found
