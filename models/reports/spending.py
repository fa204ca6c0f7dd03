"""Spending power: in which part of the range customers buy, who trades up or down, and who looks after the best."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import numpy as np
import pandas as pd

from data_access.pseudonym import customer_key
from data_access.queries import lapse as lapse_queries
from data_access.queries import places
from data_access.queries import spending as queries
from data_access.scope import Period, Scope
from data_access.snapshot import Snapshot
from models.calc.growth import share
from models.reports._shape import Columns, select_columns

YEAR = 365
BANDS = ("entry", "middle", "premium")  # thirds of the list prices of a category
DIRECTIONS = ("up", "same", "down")
MOST_MEMBERS = 20_000  # of one answer


@dataclass(frozen=True, slots=True)
class SpendingReport:
    """Identified customers of the stores in scope with purchases in the 365 days up to the end of ``as_of``.

    The band of a customer in a category is the third of its list prices in which the mean of the units lies: what was
    bought, never what somebody is thought to earn. Compared are the two years before and after, within a category.
    """

    as_of: date
    currency: str
    # one row per band over all categories: customers, their share, gross sales, and the share of their lines bought
    # with a discount or a coupon
    bands: Annotated[pd.DataFrame, Columns("band customers share gross_sales lines discounted_share lo95 hi95")]
    # one row per pair of bands: customers and categories bought in both years, by the band then and now
    migration: Annotated[pd.DataFrame, Columns("band_before band pairs share")]
    # one row per direction: customers who bought a category in both years, by the sum of the steps they made
    direction: Annotated[pd.DataFrame, Columns("direction customers share lo95 hi95")]
    # one row per category bought in both years: customers, and the shares a band or more up and down
    by_category: Annotated[
        pd.DataFrame, Columns("category customers up_share up_lo95 up_hi95 down_share down_lo95 down_hi95")
    ]
    # customers who went up in a category and buy another one in a lower band, highest gross sales first: where they
    # went up, and where they might be asked next
    ready: Annotated[
        pd.DataFrame, Columns("customer_key store_id store category band ready_category ready_band gross_sales")
    ]
    # one row per home store and adviser; '': nobody
    advisers: Annotated[
        pd.DataFrame, Columns("store_id store staff_id has_left customers buyers net_sales customers_to_mean")
    ]
    # customers with orders whom nobody looks after (or somebody who has left), highest net sales of the year first
    unassigned: Annotated[pd.DataFrame, Columns("customer_key store_id store has_left orders net_sales last_day")]


def spending(snapshot: Snapshot, scope: Scope, as_of: date, members: int = 1_000) -> SpendingReport:
    """Price bands and advisers of the customers of the stores in scope, as of the end of ``as_of``."""
    info = snapshot.info
    end = min(as_of, info.last_day) if info.last_day is not None else as_of
    this = Period(end - timedelta(days=YEAR - 1), end)
    ranks = queries.price_ranks(scope, snapshot.engine, this, this.before())
    ranks = ranks.assign(band=_band(ranks["rank_now"]), band_before=_band(ranks["rank_before"]))
    both = ranks[(ranks["band"] >= 0) & (ranks["band_before"] >= 0)]
    both = both.assign(step=both["band"] - both["band_before"])
    frames = select_columns(
        SpendingReport,
        bands=_bands(ranks[ranks["band"] >= 0]),
        migration=_migration(both),
        direction=_direction(both),
        by_category=_by_category(both),
        ready=_ready(snapshot, scope, end, ranks, both, members),
        advisers=_advisers(snapshot, scope, this),
        unassigned=_unassigned(snapshot, scope, this, members),
    )
    return SpendingReport(as_of, info.currency, **frames)


def _band(rank: pd.Series) -> pd.Series:
    """0, 1 or 2; -1 without a purchase."""
    known = rank.fillna(-1.0).to_numpy("float64")
    return pd.Series(np.where(known < 0, -1, np.minimum((known * 3).astype(int), 2)), index=rank.index)


def _bands(now: pd.DataFrame) -> pd.DataFrame:
    weighted = now.assign(weight=now["rank_now"] * now["lines"])
    people = weighted.groupby("customer_no")[["weight", "lines", "discounted", "net_sales"]].sum()
    people = people.assign(band=_band(people["weight"] / people["lines"]))
    sums = people.groupby("band")[["lines", "discounted", "net_sales"]].sum().reindex(range(3), fill_value=0)
    customers = people["band"].value_counts().reindex(range(3), fill_value=0)
    rates = share(sums["discounted"], sums["lines"]).rename(columns={"rate": "discounted_share"})
    return rates.assign(
        band=BANDS,
        customers=customers.to_numpy(),
        share=customers.to_numpy() / max(len(people), 1),
        gross_sales=sums["net_sales"].to_numpy(),
        lines=sums["lines"].to_numpy(),
    )


def _migration(both: pd.DataFrame) -> pd.DataFrame:
    pairs = both.groupby(["band_before", "band"]).size()
    table = pairs.reindex(pd.MultiIndex.from_product([range(3)] * 2), fill_value=0).rename_axis(["band_before", "band"])
    rows = table.rename("pairs").reset_index()
    total = rows.groupby("band_before")["pairs"].transform("sum")
    return rows.assign(
        share=rows["pairs"] / total.where(total > 0),
        band_before=np.array(BANDS)[rows["band_before"]],
        band=np.array(BANDS)[rows["band"]],
    )


def _direction(both: pd.DataFrame) -> pd.DataFrame:
    steps = both.groupby("customer_no")["step"].sum()
    customers = [int((np.sign(steps) == sign).sum()) for sign in (1, 0, -1)]
    rates = share(customers, [len(steps)] * len(DIRECTIONS)).rename(columns={"rate": "share"})
    return rates.assign(direction=DIRECTIONS, customers=customers)


def _by_category(both: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for category, mine in both.groupby("category", observed=True):
        row: dict[str, object] = {"category": category, "customers": len(mine)}
        for name, sign in (("up", 1), ("down", -1)):
            rate, low, high = share(int((np.sign(mine["step"]) == sign).sum()), len(mine)).iloc[0]
            row |= {f"{name}_share": rate, f"{name}_lo95": low, f"{name}_hi95": high}
        rows.append(row)
    columns = ["category", "customers"] + [f"{n}_{c}" for n in ("up", "down") for c in ("share", "lo95", "hi95")]
    return pd.DataFrame(rows, columns=columns)


def _ready(
    snapshot: Snapshot, scope: Scope, end: date, ranks: pd.DataFrame, both: pd.DataFrame, members: int
) -> pd.DataFrame:
    now = ranks[ranks["band"] >= 0]
    up = both[both["step"] > 0].sort_values(["customer_no", "band"], ascending=[True, False])
    highest = up.drop_duplicates("customer_no").set_index("customer_no")[["category", "band"]]
    lowest = now.sort_values(["customer_no", "band"]).drop_duplicates("customer_no").set_index("customer_no")
    rows = highest.join(lowest[["category", "band"]].add_prefix("ready_"))
    rows = rows[rows["ready_band"] < rows["band"]]
    rows = rows.assign(gross_sales=now.groupby("customer_no")["net_sales"].sum().reindex(rows.index).round(2))
    rows = rows.sort_values("gross_sales", ascending=False, kind="stable")[:members].reset_index()
    numbers = rows["customer_no"].tolist()
    stores = lapse_queries.last_stores(scope, snapshot.engine, end, numbers).set_index("customer_no")["store_id"]
    named = rows.assign(
        store_id=stores.reindex(numbers).to_numpy(),
        band=np.array(BANDS)[rows["band"].astype(int)],
        ready_band=np.array(BANDS)[rows["ready_band"].astype(int)],
    )
    return _named(snapshot, scope, named)


def _advisers(snapshot: Snapshot, scope: Scope, period: Period) -> pd.DataFrame:
    rows = queries.advisers(scope, snapshot.engine, period)
    at_work = rows[(rows["staff_id"] != "") & ~rows["has_left"].astype(bool)]
    mean = at_work.groupby("store_id")["customers"].mean()
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    return rows.assign(
        store=rows["store_id"].map(names).astype(object),
        customers_to_mean=(rows["customers"] / rows["store_id"].map(mean)).where(rows["staff_id"] != ""),
    )


def _unassigned(snapshot: Snapshot, scope: Scope, period: Period, members: int) -> pd.DataFrame:
    return _named(snapshot, scope, queries.unassigned(scope, snapshot.engine, period, members))


def _named(snapshot: Snapshot, scope: Scope, rows: pd.DataFrame) -> pd.DataFrame:
    names = places.stores(scope, snapshot.engine).set_index("store_id")["store"]
    return rows.assign(
        customer_key=[customer_key(number) for number in rows["customer_no"].tolist()],
        store=rows["store_id"].map(names).astype(object),
    )
