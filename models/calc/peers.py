"""Stores that are alike, so that one is compared with those whose conditions it shares, and what the best of them do.

Likeness is by what nobody in the store decides: kind, city tier, area, age, traffic and the mix of what is sold. Peers
are the nearest neighbours, each trait counted alike whatever its unit; a trait that one of two stores does not know is
left out between them.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calc.decomposition import CENT, shapley, to_the_cent

Floats = NDArray[np.float64]

LEAST = 5  # peers: of fewer nothing is said
MOST = 8
QUANTILES = {"q10": 0.1, "q25": 0.25, "median": 0.5, "q75": 0.75, "q90": 0.9}
BEST = "q75"  # what the best quarter of the peers reach
LEVERS = ("traffic", "conversion", "units_per_transaction", "price")

_TIERS = {"1": 0.0, "new_1": 1.0, "2": 2.0, "3": 3.0, "4": 4.0, "5": 5.0}


def traits(stores: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """What stores are compared by, one row per store: tier, area and traffic (logarithms), age (years, of its logarithm
    too: the first year matters more than the tenth); NaN where unknown.

    stores: city_tier, area_m2, opened_on, traffic.
    """
    age = (as_of - stores["opened_on"]).dt.days.clip(lower=0) / 365.25
    return pd.DataFrame(
        {
            "tier": stores["city_tier"].map(_TIERS),
            "area": _log(stores["area_m2"]),
            "age": np.log1p(age.astype("float64")),
            "traffic": _log(stores["traffic"]),
        },
        index=stores.index,
    )


def nearest(known: pd.DataFrame, mix: pd.DataFrame, kind: pd.Series) -> pd.DataFrame:
    """The peers of each store, nearest first: store_id, peer_store_id, position (from 1), distance.

    known: traits by store_id. mix: the share of each category in the sales of each store (same index, rows add up to
    1; all 0: unknown). kind: only stores of one kind are alike. Stores with fewer than five others have no peers.
    """
    ids = known.index.to_numpy(object)
    distance = _distances(known.to_numpy(np.float64), mix.to_numpy(np.float64))
    distance[kind.to_numpy(object)[:, None] != kind.to_numpy(object)[None, :]] = np.inf
    np.fill_diagonal(distance, np.inf)
    order = np.argsort(distance, axis=1, kind="stable")[:, :MOST]
    near = np.take_along_axis(distance, order, axis=1)
    row, place = np.nonzero(np.isfinite(near) & (np.isfinite(near).sum(axis=1) >= LEAST)[:, None])
    return pd.DataFrame(
        {
            "store_id": ids[row],
            "peer_store_id": ids[order[row, place]],
            "position": place + 1,
            "distance": near[row, place],
        }
    )


def _distances(known: Floats, mix: Floats) -> Floats:
    """The root of the mean squared difference over the traits that both know, each on the scale of its own spread."""
    total, counted = np.zeros((len(known), len(known))), np.zeros((len(known), len(known)))
    for column in known.T:
        spread = np.nanstd(column) if np.isfinite(column).any() else 0.0
        off = np.abs(column[:, None] - column[None, :]) / (spread or 1.0)
        total += np.nan_to_num(off) ** 2
        counted += np.isfinite(off)
    sold = mix.sum(axis=1) > 0
    both = sold[:, None] & sold[None, :]
    root = np.sqrt(np.clip(mix, 0, None))
    apart = np.maximum(2 - 2 * root @ root.T, 0.0)  # Hellinger's distance, squared and doubled
    usual = apart[both].mean() if both.any() else 0.0
    total += np.where(both, 2 * apart / (usual or 1.0), 0.0)  # squared differences average twice the variance
    counted += both
    found: Floats = np.where(counted > 0, np.sqrt(total / np.maximum(counted, 1)), np.inf)
    return found


def benchmark(figures: pd.DataFrame, peers: pd.DataFrame) -> pd.DataFrame:
    """Each store beside its peers, one row per store and figure that at least five peers know: store_id, metric, value,
    peers (how many), the quantiles of ``QUANTILES`` and below (the share of the peers that lie below, ties half).

    figures: one column per figure, by store_id. A store that does not know the figure itself has a NaN value.
    """
    parts = []
    for metric in figures:
        values = figures[metric].astype("float64")
        rows = peers.assign(own=peers["store_id"].map(values), other=peers["peer_store_id"].map(values))
        rows = rows[rows["other"].notna()]
        rows["below"] = (rows["other"] < rows["own"]) + (rows["other"] == rows["own"]) / 2
        group = rows.groupby("store_id", sort=True)
        found = group.agg(value=("own", "first"), peers=("other", "size"), below=("below", "mean"))
        marks = {name: group["other"].quantile(q) for name, q in QUANTILES.items()}
        known = found.assign(**marks).query("peers >= @LEAST").reset_index()
        parts.append(known.assign(metric=str(metric), below=known["below"].where(known["value"].notna())))
    columns = ["store_id", "metric", "value", "peers", *QUANTILES, "below"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def gaps(compared: pd.DataFrame) -> pd.DataFrame:
    """What the levers of a store would bring at the level of the best quarter of its peers, where they lie below it:
    store_id, lever, own, best, gain. The gains of a store add up to the whole gap (Shapley's rule).

    compared: as ``benchmark`` gives it, the levers among its figures. Stores without a door count have the orders in
    place of traffic and conversion.
    """
    rows = []
    for store_id, own in compared.groupby("store_id"):
        values, marks = (dict(zip(own["metric"], own[name].astype("float64"), strict=True)) for name in ("value", BEST))
        levers = [name for name in LEVERS if values.get(name, 0) > 0]
        if not {"traffic", "conversion"} <= set(levers):
            levers = [name for name in ("orders", *LEVERS[2:]) if values.get(name, 0) > 0]
        now = {name: values[name] for name in levers}
        best = {name: max(now[name], marks[name]) for name in levers}
        effects = shapley(now, best)
        exact = to_the_cent(effects, round(sum(effects.values()), CENT))
        rows += [(store_id, name, now[name], marks[name], exact[name]) for name in levers]
    return pd.DataFrame(rows, columns=["store_id", "lever", "own", "best", "gain"])


def _log(values: pd.Series) -> pd.Series:
    positive = values.astype("float64").where(values > 0)
    return positive.map(np.log)
