"""Parcels of online orders and the lanes on which stores pass stock to each other."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Array, Ground, at_local, local_day, pick, seconds
from data_access.demo.world import ids

_CARRIERS = ("顺丰速运", "中通快递", "京东物流", "EMS国际")
_CROSS_BORDER_CARRIER = "EMS国际"
_CROSS_BORDER, _LATE, _LOST = 0.025, 0.06, 0.001
_EARTH_KM = 6371.0


def shipment(g: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, Array]:
    """One row per parcel of an online order; and the codes of the orders whose parcel came late."""
    order = np.flatnonzero(g.orders["online"].to_numpy())
    count = len(order)
    ordered = g.orders["at"].to_numpy()[order]
    abroad = rng.random(count) < _CROSS_BORDER
    shipped = ordered + seconds(rng.gamma(2.2, 7 * 3600, count))
    promised = local_day(ordered) + np.where(abroad, 9, 3) * DAY
    on_time = (rng.random(count) * 0.75 + 0.2) * (at_local(promised + DAY, 0) - shipped).astype(int)
    delivered = shipped + seconds(on_time.clip(6 * 3600))
    late = rng.random(count) < np.where(abroad, 3 * _LATE, _LATE)
    overdue = at_local(promised + DAY, 9 * 3600) + seconds(rng.gamma(1.3, 1.6 * 86_400, count))
    delivered = np.where(late, overdue, delivered)
    late &= local_day(delivered) > promised
    delivered = np.where(rng.random(count) < _LOST, np.datetime64("NaT"), g.until_end(delivered))
    shipped = g.until_end(shipped)
    delivered = np.where(np.isnat(shipped), np.datetime64("NaT"), delivered)
    carrier = pick(rng, _CARRIERS[:3], count, (0.45, 0.33, 0.22))
    carrier[abroad] = _CROSS_BORDER_CARRIER
    city = np.r_[g.customers["city"].to_numpy(dtype=object), [None]][g.orders["customer"].to_numpy()[order]]
    frame = pd.DataFrame(
        {
            "shipment_id": ids("SH", count, 6),
            "order_id": g.label("orders", order),
            "carrier": carrier,
            "region": city,
            "shipped_at": shipped,
            "promised_on": promised,
            "delivered_at": delivered,
            "cross_border": abroad,
            "updated_at": np.fmax(np.fmax(ordered, shipped), delivered),
        }
    )
    return frame, order[late]


def transfer_lane(g: Ground) -> pd.DataFrame:
    """One row per direction between two places that keep stock: cost of one transfer in the store's currency."""
    stores = g.stores
    latitude, longitude = (np.radians(stores[name].to_numpy(dtype=float)) for name in ("latitude", "longitude"))
    region, kind = stores["region_id"].to_numpy(dtype=object), stores["kind"].to_numpy(dtype=object)
    start, stop = np.nonzero(~np.eye(len(stores), dtype=bool))
    hub = (kind == "warehouse") | (kind == "online")
    near = (region[start] == region[stop]) | hub[start] | hub[stop]
    start, stop = start[near], stop[near]
    half = np.sin((latitude[stop] - latitude[start]) / 2) ** 2
    half += np.cos(latitude[start]) * np.cos(latitude[stop]) * np.sin((longitude[stop] - longitude[start]) / 2) ** 2
    km = np.nan_to_num(2 * _EARTH_KM * np.arcsin(np.sqrt(half)), nan=800.0)
    return pd.DataFrame(
        {
            "from_store_id": g.label("stores", start),
            "to_store_id": g.label("stores", stop),
            "cost": (28 + 0.06 * km).round(2),
            "days": 1 + np.ceil(km / 700).astype(int),
            "minimum_quantity": np.where(hub[start], 6, 3),
            "updated_at": at_local(g.first_day - 30 * DAY, 10 * 3600),
        }
    )
