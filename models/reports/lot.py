"""Lot: from a batch of a product to who bought of it and where the rest lies, as a recall needs it."""

from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from data_access.queries import lots as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class LotReport:
    """Units of one lot, of all days that the facts cover and the stores in scope."""

    lot_id: str | None  # the one asked for, or the latest that was sold; None: no lot of the product is known
    # one row: units sold, of these to identified customers and to others, units left in stores, buyers, and of these
    # whom one may tell about service by any channel
    figures: Annotated[pd.DataFrame, Columns("units named nameless on_shelf buyers reachable")]
    # one row per identified buyer, the most units first; reach: the channels they agree to for service, joined by +
    # ('': none)
    people: Annotated[pd.DataFrame, Columns("customer_key store_id store units receipts last_day reach")]
    # one row per store that sold of it or still has some
    stores: Annotated[pd.DataFrame, Columns("store_id store units nameless on_shelf")]
    # one row per lot of the product that was sold, the latest first
    lots: Annotated[pd.DataFrame, Columns("lot_id units receipts first_day last_day")]


def lot(snapshot: Snapshot, scope: Scope, product_id: str, lot_id: str | None = None) -> LotReport:
    """The report on a lot of a product; without ``lot_id`` the latest."""
    every = queries.of_product(scope, snapshot.engine, product_id)
    chosen = lot_id or (str(every["lot_id"].iloc[0]) if len(every) else None)
    if chosen is None:
        return LotReport(None, **select_columns(LotReport, lots=every))
    people = queries.buyers(scope, snapshot.engine, product_id, chosen)
    stores = queries.in_stores(scope, snapshot.engine, product_id, chosen)
    names = stores.set_index("store_id")["store"]
    agreed = people[[f"by_{channel}" for channel in queries.CHANNELS]].astype(bool)
    people = people.assign(
        store=people["store_id"].map(names),
        reach=[
            "+".join(name for name, yes in zip(queries.CHANNELS, row, strict=True) if yes) for row in agreed.to_numpy()
        ],
    )
    figures = pd.DataFrame(
        {
            "units": [stores["units"].sum()],
            "named": [stores["units"].sum() - stores["nameless"].sum()],
            "nameless": [stores["nameless"].sum()],
            "on_shelf": [stores["on_shelf"].sum()],
            "buyers": [len(people)],
            "reachable": [int((people["reach"] != "").sum())],
        }
    )
    return LotReport(chosen, **select_columns(LotReport, figures=figures, people=people, stores=stores, lots=every))
