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
from models.reports._kept import kept_frames
from models.reports._shape import Columns, select_columns
from models.reports.segments import named

YEAR = 365
BANDS = ("entry", "middle", "premium")  # thirds of the list prices of a category
DIRECTIONS = ("up", "same", "down")
MEMBERS, MOST_MEMBERS = 1_000, 5_000  # of one answer: unless told, and at most


@dataclass(frozen=True, slots=True)
class SpendingReport:
    """Identified customers of the stores in scope, all or one segment, with purchases in the 365 days up to the end of
    ``as_of``.

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


def spending(
    snapshot: Snapshot, scope: Scope, as_of: date, members: int = MEMBERS, segment: str | None = None
) -> SpendingReport:
    """Price bands and advisers of the customers of the stores in scope, as of the end of ``as_of``; as a batch kept it,
    where one did. ``segment``: of those who are in it on that day, of whom a batch keeps nothing."""
    kept = kept_frames(snapshot, scope, as_of, "spending") if members <= MOST_MEMBERS and segment is None else None
    if kept is None or snapshot.results is None:
        return _computed(snapshot, scope, as_of, members, segment)
    lists = {
        "ready": queries.kept_ready(scope, snapshot.results, members),
        "unassigned": queries.kept_unassigned(scope, snapshot.results, members),
    }
    return SpendingReport(as_of, snapshot.info.currency, **select_columns(SpendingReport, **kept, **lists))


def _computed(
    snapshot: Snapshot, scope: Scope, as_of: date, members: int, segment: str | None = None
) -> SpendingReport:
    info, engine = snapshot.info, snapshot.engine
    end = min(as_of, info.last_day) if info.last_day is not None else as_of
    this = Period(end - timedelta(days=YEAR - 1), end)
    years = (scope, engine, this, this.before())
    of = None if segment is None else named(snapshot, scope, end, segment)
    with queries.bought(*years, of) as connection:
        steps = queries.steps(*years, connection)
        by_band = queries.bands(*years, connection)
        directions = queries.directions(*years, connection)
        ready = queries.ready(*years, members, connection)
    names = places.stores(scope, engine).set_index("store_id")["store"]
    frames = select_columns(
        SpendingReport,
        bands=_bands(by_band),
        migration=_migration(steps),
        direction=_direction(directions),
        by_category=_by_category(steps),
        ready=_named(_ready(snapshot, scope, end, ready), names),
        advisers=_advisers(queries.advisers(scope, engine, this, of), names),
        unassigned=_named(queries.unassigned(scope, engine, this, members, of), names),
    )
    return SpendingReport(as_of, info.currency, **frames)


def _bands(found: pd.DataFrame) -> pd.DataFrame:
    rows = found.set_index("band").reindex(range(len(BANDS)), fill_value=0).reset_index()
    rates = share(rows["discounted"], rows["lines"]).rename(columns={"rate": "discounted_share"})
    return rates.assign(
        band=BANDS,
        customers=rows["customers"],
        share=rows["customers"] / max(rows["customers"].sum(), 1),
        gross_sales=rows["net_sales"],
        lines=rows["lines"],
    )


def _migration(steps: pd.DataFrame) -> pd.DataFrame:
    pairs = steps.groupby(["band_before", "band"])["customers"].sum()
    table = pairs.reindex(pd.MultiIndex.from_product([range(3)] * 2), fill_value=0).rename_axis(["band_before", "band"])
    rows = table.rename("pairs").reset_index()
    total = rows.groupby("band_before")["pairs"].transform("sum")
    return rows.assign(
        share=rows["pairs"] / total.where(total > 0),
        band_before=np.array(BANDS)[rows["band_before"]],
        band=np.array(BANDS)[rows["band"]],
    )


def _direction(found: pd.DataFrame) -> pd.DataFrame:
    customers = found.set_index("direction")["customers"].reindex([1, 0, -1], fill_value=0).to_numpy()
    rates = share(customers, [customers.sum()] * len(DIRECTIONS)).rename(columns={"rate": "share"})
    return rates.assign(direction=DIRECTIONS, customers=customers)


def _by_category(steps: pd.DataFrame) -> pd.DataFrame:
    """Of each category, the shares that went up and down with their ranges."""
    change = np.sign(steps["band"] - steps["band_before"])
    counted = steps.assign(up=steps["customers"].where(change > 0, 0), down=steps["customers"].where(change < 0, 0))
    table = counted.groupby("category")[["customers", "up", "down"]].sum().reset_index()
    for name in ("up", "down"):
        rates = share(table[name], table["customers"])
        table = table.assign(
            **{f"{name}_{of}": rates[c] for of, c in (("share", "rate"), ("lo95", "lo95"), ("hi95", "hi95"))}
        )
    return table


def _ready(snapshot: Snapshot, scope: Scope, end: date, rows: pd.DataFrame) -> pd.DataFrame:
    numbers = rows["customer_no"].tolist()
    stores = lapse_queries.last_stores(scope, snapshot.engine, end, numbers).set_index("customer_no")["store_id"]
    return rows.assign(
        store_id=stores.reindex(numbers).to_numpy(),
        band=np.array(BANDS)[rows["band"].astype(int)],
        ready_band=np.array(BANDS)[rows["ready_band"].astype(int)],
    )


def _advisers(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    at_work = rows[(rows["staff_id"] != "") & ~rows["has_left"].astype(bool)]
    mean = at_work.groupby("store_id")["customers"].mean()
    return rows.assign(
        store=rows["store_id"].map(names).astype(object),
        customers_to_mean=(rows["customers"] / rows["store_id"].map(mean)).where(rows["staff_id"] != ""),
    )


def _named(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    return rows.assign(
        customer_key=[customer_key(number) for number in rows["customer_no"].tolist()],
        store=rows["store_id"].map(names).astype(object),
    )
