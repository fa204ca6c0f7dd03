"""A few dirty rows, as every real CRM has them."""

from typing import Any

import numpy as np
import pandas as pd

from data_access.demo.world import stream

UNKNOWN_STORE, UNKNOWN_PRODUCT = "S999", "P9999"
_DUPLICATES, _BIRTHDAYS, _ORPHANS, _MISCOUNTS = 3, 2, 2, 9


def soil(core: dict[str, pd.DataFrame], seed: int) -> dict[str, Any]:
    """Dirties ``core`` in place and says where.

    Adds customers who are somebody else's second profile (same phone), sets impossible birthdays, points a few
    receipts to a store and a few lines to a product that do not exist, and has a few shelves counted otherwise than
    their movements say.
    """
    rng = stream(seed, "dirt")
    customer, order, line = core["customer"], core["sale_order"], core["sale_line"]
    twins = customer.iloc[rng.choice(len(customer), _DUPLICATES, replace=False)].copy()
    original = twins["customer_id"].tolist()
    twins["customer_id"] = [f"C9{number:05d}" for number in range(1, _DUPLICATES + 1)]
    twins["birthday"] = pd.NaT
    twins["email"] = None
    core["customer"] = pd.concat([customer, twins], ignore_index=True)
    ancient = rng.choice(len(customer), _BIRTHDAYS, replace=False)
    core["customer"].loc[ancient, "birthday"] = pd.Timestamp("1900-01-01")
    plain = np.flatnonzero((order["kind"] == "sale") & order["customer_id"].isna() & order["cancelled_at"].isna())
    lost_orders = np.sort(rng.choice(plain, _ORPHANS, replace=False))
    order.loc[lost_orders, "store_id"] = UNKNOWN_STORE
    free = np.flatnonzero(line["coupon_code"].isna())
    lost_lines = np.sort(rng.choice(free, _ORPHANS, replace=False))
    line.loc[lost_lines, ["product_id", "lot_id"]] = [UNKNOWN_PRODUCT, None]
    return {
        "duplicate_profiles": dict(zip(twins["customer_id"].tolist(), original, strict=True)),
        "impossible_birthdays": customer["customer_id"].iloc[ancient].tolist(),
        "unknown_store": {"store_id": UNKNOWN_STORE, "order_ids": order["order_id"].iloc[lost_orders].tolist()},
        "unknown_product": {
            "product_id": UNKNOWN_PRODUCT,
            "lines": [
                [order_id, int(line_no)]
                for order_id, line_no in line.iloc[lost_lines][["order_id", "line_no"]].itertuples(index=False)
            ],
        },
        "miscounted": _miscount(core, stream(seed, "miscounts")),
    }


def _miscount(core: dict[str, pd.DataFrame], rng: np.random.Generator) -> list[list[Any]]:
    """Counts that no movement explains: store, product, and by how many units the count is off."""
    level, lot = core["stock_level"], core["stock_lot"]
    pair = ["store_id", "product_id"]
    well_filled = lot[lot["quantity"] >= 5].drop_duplicates(pair).index
    rows = np.sort(rng.choice(well_filled, min(_MISCOUNTS, len(well_filled)), replace=False))
    off = rng.choice([-3, -2, -1, 1, 2], len(rows))
    lot.loc[rows, "quantity"] += off
    shelf = pd.MultiIndex.from_frame(level[pair]).get_indexer(pd.MultiIndex.from_frame(lot.loc[rows, pair]))
    level.loc[level.index[shelf], "on_hand"] += off
    return [[store, product, int(n)] for (store, product), n in zip(lot.loc[rows, pair].to_numpy(), off, strict=True)]
