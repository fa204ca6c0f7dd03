"""The named segment of customers on earlier days, by scores alone, added up in memory.

What ``marts._scores`` says in SQL of segments with equal values sharing a score, for as many days as one asks in one
walk through what was bought: the same whole-number positions and the same arithmetic, so the same cuts to the last bit.
A question in SQL took longer to write than what it asks takes to count.
"""

from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Date, Engine, Integer, cast, func, literal, select

from data_access.marts._scores import FIFTHS
from data_access.marts.customer_store_day import customer_store_day
from data_access.marts.segment_rules import GRID, PROSPECT
from data_access.marts.tables import MONEY_UNIT
from data_access.queries._frame import fetch_many, ten_thousandths
from data_access.queries._groups import NOT_KNOWN
from data_access.scope import Scope

Ints = npt.NDArray[np.int64]
_GRID = np.array([GRID[r] for r in sorted(GRID)], dtype=object)  # by R - 1 and FM - 1
_NEVER = np.iinfo(np.int64).min


class SegmentsThen:
    """Who was in which segment at the end of some days of ``first`` to ``last``, asked for from the earliest on.

    By what everybody bought in the stores in scope, also before these days.
    """

    def __init__(self, scope: Scope, engine: Engine, first: date, last: date) -> None:
        rows = _bought(scope, engine, first, last)
        day, self._last_day = (_day_numbers(rows[name]) for name in ("day", "last_day"))
        order = np.argsort(day, kind="stable")
        who, self._numbers = pd.factorize(rows["customer_no"].to_numpy()[order])
        self._day, self._who, self._last_day = day[order], who, self._last_day[order]
        self._orders, self._net_sales = (rows[name].to_numpy()[order] for name in ("orders", "net_sales"))
        self._people = pd.Index(self._numbers)
        self._sums = {name: np.zeros(len(self._numbers), dtype=np.int64) for name in ("orders", "net_sales")}
        self._latest = np.full(len(self._numbers), _NEVER)
        self._done = 0

    def of(self, customer_no: pd.Series, joined_on: pd.Series, day: date) -> npt.NDArray[np.object_]:
        """The segments at the end of ``day``; who had not bought is a prospect from registering on."""
        self._walk_to(day)
        registered = joined_on.isna() | (joined_on <= pd.Timestamp(day))
        found = np.where(registered, PROSPECT, NOT_KNOWN).astype(object)
        have_bought = self._sums["orders"] > 0
        if not have_bought.any():
            return found
        at = self._people.get_indexer(pd.Index(customer_no))
        mine = (at >= 0) & have_bought[at]
        asked = at[mine]
        # Recency counts days backwards, so on a cut it lies above; the others lie below.
        r = _score(self._latest, have_bought, asked, 1, "right")
        f = _score(self._sums["orders"], have_bought, asked, 1, "left")
        m = _score(self._sums["net_sales"], have_bought, asked, MONEY_UNIT, "left")
        found[mine] = _GRID[r - 1, (f + m + 1) // 2 - 1]
        return found

    def buyers(self, day: date) -> Ints:
        """The numbers of those who had bought by the end of ``day``."""
        self._walk_to(day)
        return np.asarray(self._numbers[self._sums["orders"] > 0], dtype=np.int64)

    def _walk_to(self, day: date) -> None:
        end = int(np.searchsorted(self._day, np.datetime64(day, "D").astype(np.int64), side="right"))
        if end < self._done:
            raise ValueError(f"{day} is earlier than a day that was asked for before")
        new = slice(self._done, end)
        np.add.at(self._sums["orders"], self._who[new], self._orders[new])
        np.add.at(self._sums["net_sales"], self._who[new], self._net_sales[new])
        np.maximum.at(self._latest, self._who[new], self._last_day[new])
        self._done = end


def _bought(scope: Scope, engine: Engine, first: date, last: date) -> pd.DataFrame:
    """One row per customer and day up to ``last``, all before ``first`` as if on that day.

    Columns: customer_no, day, last_day (with an order; NaT: none), orders, net_sales (ten-thousandths).
    """
    d = customer_store_day.c
    day = cast(func.greatest(d.day, literal(first, Date)), Date)
    query = (
        select(
            d.customer_no,
            day.label("day"),
            func.max(d.day).filter(d.orders > 0).label("last_day"),
            cast(func.sum(d.orders), Integer).label("orders"),
            ten_thousandths(func.sum(d.net_sales)).label("net_sales"),
        )
        .where(d.day <= last)
        .group_by(d.customer_no, day)
    )
    return fetch_many(scope, engine, scope.limit(query, d.store_id))


def _day_numbers(days: pd.Series) -> Ints:
    return days.to_numpy().astype("datetime64[D]").astype(np.int64)  # NaT: the lowest number there is


def _score(values: Ints, buyers: npt.NDArray[np.bool_], asked: Ints, unit: int, side: Literal["left", "right"]) -> Ints:
    return 1 + np.searchsorted(_fifths(values[buyers], unit), values[asked] / unit, side)


def _fifths(values: Ints, unit: int) -> npt.NDArray[np.float64]:
    """The four quintiles by linear interpolation, of values counted in parts of ``unit``."""
    steps = (len(values) - 1) * np.array(FIFTHS)
    low, high = steps // 5, (steps + 4) // 5
    ordered = np.partition(values, np.unique([low, high]))
    below, above = ordered[low] / unit, ordered[high] / unit
    return below + (above - below) * ((steps - low * 5) / 5.0)
