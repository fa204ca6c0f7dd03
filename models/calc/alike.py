"""Customers like those of a campaign: who is compared, and what was known of each the day before it.

Many campaigns are asked about the same customers, so these are read once and added up here, window by window.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from data_access.marts.tables import MONEY_UNIT

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]

YEAR = 365
WINDOWS = (30, 60, 120, 240, YEAR)  # days before a campaign in which orders are counted
MOST = 20_000  # customers of each group that are compared
COUNTED = tuple(f"orders_{days}" for days in WINDOWS)


def placebo_days(first_day: date, last_day: date) -> tuple[date, date]:
    """As many days a year before the first one, which lie before everything that is known."""
    past_last = first_day - timedelta(days=YEAR + 1)
    return past_last - (last_day - first_day), past_last


class Candidates:
    """Everybody at home in some stores, in the order in which they are drawn.

    ``people``: customer_no, place (in that order), joined_on (NaT: unknown), is_female.
    """

    def __init__(self, people: pd.DataFrame) -> None:
        drawn = people.sort_values("place", kind="stable")
        self._number = drawn["customer_no"].to_numpy(dtype="int64")
        self._place = drawn["place"].to_numpy(dtype="uint64")
        self._joined = drawn["joined_on"].to_numpy(dtype="datetime64[D]")
        self._is_female = drawn["is_female"].to_numpy(dtype="float64")
        self._sorted = np.argsort(self._number)

    def choose(self, members: pd.DataFrame, first_day: date) -> "Chosen":
        """Up to ``MOST`` who were treated and as many others, who had registered before the first day.

        ``members`` of the campaign: customer_no, is_treated; whoever is one and not treated is not compared.
        """
        numbers, is_treated = members["customer_no"].to_numpy(), members["is_treated"].to_numpy(dtype=bool)
        at = np.searchsorted(self._number, numbers, sorter=self._sorted)
        at = self._sorted[np.minimum(at, len(self._number) - 1)]
        here = self._number[at] == numbers if len(self._number) else np.zeros(len(numbers), dtype=bool)
        open_to = np.isnat(self._joined) | (self._joined < np.datetime64(first_day))
        treated = np.zeros(len(self._number), dtype=bool)
        treated[at[here & is_treated]] = True
        others = open_to.copy()
        others[at[here]] = False
        chosen = np.concatenate([np.flatnonzero(group)[:MOST] for group in (treated & open_to, others)])
        chosen = chosen[np.argsort(self._number[chosen])]
        days = (np.datetime64(first_day) - self._joined[chosen]).astype("float64")
        member_days = np.where(np.isnat(self._joined[chosen]), 3 * YEAR, np.minimum(days, 3 * YEAR))
        free = chosen[~treated[chosen]]
        return Chosen(
            self._number[chosen],
            treated[chosen],
            member_days,
            self._is_female[chosen],
            int(self._place[free].max()) if len(free) else 0,
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """The customers of one comparison, by number; ``highest``: the last place of one who was not treated."""

    customer_no: Numbers
    is_treated: npt.NDArray[np.bool_]
    member_days: Floats
    is_female: Floats
    highest: int


class Bought:
    """What customers bought day by day.

    ``days``: customer_no, day, orders, net_sales and margin in ten-thousandths, by day; ``numbers``: of the customers
    asked about, each once, rising.
    """

    def __init__(self, days: pd.DataFrame, numbers: Numbers) -> None:
        at = np.searchsorted(numbers, days["customer_no"].to_numpy())
        asked = numbers[np.minimum(at, len(numbers) - 1)] == days["customer_no"].to_numpy()
        days = days[asked]
        self._numbers = numbers
        self._at = at[asked]
        self._day = days["day"].to_numpy(dtype="datetime64[D]")
        self._orders, self._net_sales, self._margin = (
            days[name].to_numpy(dtype="float64") for name in ("orders", "net_sales", "margin")
        )

    def known(self, chosen: Chosen, first_day: date, last_day: date) -> pd.DataFrame:
        """One row per customer of a comparison, in its order.

        Known the day before: orders_30, orders_60, orders_120, orders_240, orders_365 (of as many days), spend_365 (net
        sales), days_since (the last order of the year, 366 without one), member_days (since registering, at most 3
        years), is_female; of the window: bought, spend, margin; past_bought, past_spend: of ``placebo_days``.
        """
        who = np.searchsorted(self._numbers, chosen.customer_no)
        found: dict[str, Floats] = {}
        before, orders = first_day, np.zeros(len(who))
        for back, name in zip(WINDOWS, COUNTED, strict=True):
            first = first_day - timedelta(days=back)
            orders = orders + self._sum(self._orders, first, before)[who]
            found[name], before = orders, first
        found["spend_365"] = self._money(self._net_sales, before, first_day)[who]
        found["days_since"] = self._days_since(before, first_day)[who]
        found |= {"member_days": chosen.member_days, "is_female": chosen.is_female}
        end = last_day + timedelta(days=1)
        found["bought"] = (self._sum(self._orders, first_day, end)[who] > 0).astype("float64")
        found["spend"] = self._money(self._net_sales, first_day, end)[who]
        found["margin"] = self._money(self._margin, first_day, end)[who]
        past, past_last = placebo_days(first_day, last_day)
        end = past_last + timedelta(days=1)
        found["past_bought"] = (self._sum(self._orders, past, end)[who] > 0).astype("float64")
        found["past_spend"] = self._money(self._net_sales, past, end)[who]
        return pd.DataFrame(found)

    def _rows(self, first: date, end: date) -> slice:
        """The rows from ``first`` up to the day before ``end``."""
        return slice(*np.searchsorted(self._day, np.array([first, end], dtype="datetime64[D]")))

    def _sum(self, values: Floats, first: date, end: date) -> Floats:
        rows = self._rows(first, end)
        return np.bincount(self._at[rows], values[rows], len(self._numbers)).astype(np.float64, copy=False)

    def _money(self, values: Floats, first: date, end: date) -> Floats:
        return self._sum(values, first, end) / MONEY_UNIT

    def _days_since(self, first: date, end: date) -> Floats:
        rows = self._rows(first, end)
        bought = self._orders[rows] > 0
        since = np.full(len(self._numbers), float(YEAR + 1))
        # by day, so the last order of a customer is the one that stays
        since[self._at[rows][bought]] = (np.datetime64(end) - self._day[rows][bought]).astype("float64")
        return since
