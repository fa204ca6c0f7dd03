"""What came of the rows of lists that somebody has dealt with: who bought in the days after."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from data_access.pseudonym import number_of
from data_access.queries import actions as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.actions import Action
from models.calc.funnel import wilson

WINDOW = 30  # days after an action in which a purchase counts as having come of it

COLUMNS = ("list_key", "done", "customers", "waiting", "watched", "bought_after", "rate", "lo95", "hi95")


def came_of(snapshot: Snapshot, scope: Scope, done: Sequence[Action], days: int = WINDOW) -> pd.DataFrame:
    """One row per list, by its name. ``done``: of each row the latest time it was done.

    Columns: list_key, done (rows), customers (those of them that are about a customer), waiting (customers whose
    ``days`` are not over in the data), watched (the others), bought_after (of these: with a counted order in the stores
    in scope within ``days`` of the action), rate (of watched) with the bounds of its 95 % Wilson interval. Nothing here
    says that somebody bought because of the action.
    """
    rows = pd.DataFrame(
        {
            "list_key": [one.subject.list_key for one in done],
            "customer_no": pd.array([_customer(one) for one in done], dtype="Int64"),
            "at": _local(snapshot, scope, done),
        }
    )
    end = rows["at"] + timedelta(days=days)
    about = rows["customer_no"].notna()
    over = about & (end <= pd.Timestamp(snapshot.info.as_of))
    bought = over & _bought(snapshot, scope, rows, end)
    counted = rows.assign(done=1, customers=about, waiting=about & ~over, watched=over, bought_after=bought)
    counts = list(COLUMNS[1:6])
    sums = counted.groupby("list_key", as_index=False)[counts].sum().astype(dict.fromkeys(counts, int))
    lo, hi = wilson(sums["bought_after"], sums["watched"])
    rate = sums["bought_after"] / sums["watched"].where(sums["watched"] > 0)
    return sums.assign(rate=rate.astype(float), lo95=lo, hi95=hi)[list(COLUMNS)]


def _customer(one: Action) -> int | None:
    return number_of(one.subject.key) if one.subject.kind == "customer" else None


def _local(snapshot: Snapshot, scope: Scope, done: Sequence[Action]) -> pd.Series:
    """When each was done on the clock of its store, as receipts write instants; the chain's rows on the most common
    clock of the stores in scope."""
    zones = queries.zones(scope, snapshot.engine).set_index("store_id")["time_zone"]
    usual = str(zones.mode().iloc[0]) if len(zones) else "UTC"
    instants = pd.to_datetime(pd.Series([one.at for one in done], dtype="datetime64[us]"))
    of_each = pd.Series([zones.get(one.subject.store_id or "", usual) for one in done], dtype=object).fillna(usual)
    local = instants.copy()
    for zone in of_each.unique():
        there = of_each == zone
        local[there] = instants[there].dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    return local


def _bought(snapshot: Snapshot, scope: Scope, rows: pd.DataFrame, end: pd.Series) -> pd.Series:
    """Whether the customer of each row bought after its action and not after ``end``."""
    numbers = rows["customer_no"].dropna().unique()
    if not len(numbers):
        return pd.Series(np.zeros(len(rows), dtype=bool), index=rows.index)
    first_day = rows["at"].min().date()
    orders = queries.purchases(scope, snapshot.engine, [int(number) for number in numbers], first_day)
    asked = rows.assign(row=rows.index, end=end).dropna(subset="customer_no").astype({"customer_no": "int64"})
    pairs = asked.merge(orders, on="customer_no")
    after = pairs[(pairs["happened_at"] > pairs["at"]) & (pairs["happened_at"] <= pairs["end"])]
    return pd.Series(rows.index.isin(after["row"]), index=rows.index)
