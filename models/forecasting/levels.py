"""Demand of a chain on all its levels at once, so that they add up: chain, regions, stores, and categories in each.

Totals of places are forecast by Prophet and LightGBM; the chain's is shared out to regions and stores as their own
forecasts stand to each other, each store's to its categories; regions and the chain have by category what their stores
have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.forecasting import engine, events, policy, prophets
from models.forecasting import market as observed
from models.forecasting.engine import Looked, Result
from models.forecasting.panel import Floats, Panel
from models.forecasting.reconcile import shared_out

CHAIN: Final = "chain"
MOMENTS: Final = ("mean", "lo80", "hi80", "lo95", "hi95")
_LEAST_DAYS: Final = 56
_COMPONENT_DAYS: Final = 364

Key = tuple[str, str, str | None]  # level, place_id, category (None: all)


@dataclass(frozen=True)
class Levels:
    """``forecast``: level, place_id, category, ds, mean and bounds, model. ``components``: level, place_id, ds,
    expected, trend, week, season, event, known. ``accuracy``: class, level and the rest of ``engine.LEAGUE``. ``past``:
    what was said of categories at earlier origins, by ``name_of``."""

    forecast: pd.DataFrame
    components: pd.DataFrame
    accuracy: pd.DataFrame
    past: list[Looked]


def forecast(
    units: pd.DataFrame,
    region_of: Mapping[str, str],
    last: pd.Timestamp,
    horizon: int,
    table: pd.DataFrame,
    offers: pd.DataFrame,
    market: pd.DataFrame | None = None,
    local: pd.DataFrame | None = None,
    taken_off: pd.DataFrame | None = None,
) -> Levels | None:
    """The forecasts of every place and category; None with fewer than eight weeks of history.

    Args:
        units: store_id, category, day, units, one row each.
        region_of: the region of each store; a region of one store is that store.
        last: the last day that is known in full.
        table: the events (see ``events``).
        offers: price promotions: store_id, category, product_id, starts_on, ends_on, discount.
        market: what was observed of the market (see ``market.known``).
        local: events of some stores only: event, store_id, starts_on, ends_on.
        taken_off: events of the table that do not take place in some stores, likewise.
    """
    units = units[units["day"] <= last]
    days = pd.date_range(units["day"].min(), last) if len(units) else pd.DatetimeIndex([])
    if len(days) < _LEAST_DAYS:
        return None
    wide = units.pivot_table(index=["store_id", "category"], columns="day", values="units", aggfunc="sum")
    wide = wide.reindex(columns=days).fillna(0.0)
    leaves = [(str(store), str(category)) for store, category in wide.index]
    values = np.maximum(wide.to_numpy(dtype=np.float64), 0.0)
    ahead = pd.date_range(days[0], periods=len(days) + horizon)
    known = {"discount": discounts(offers, leaves, ahead)}
    if market is not None and len(market):
        known |= observed.known(market, values, [category for _, category in leaves], ahead)
    if local is not None:
        known |= {f"event {name}": days for name, days in local_days(local, leaves, ahead).items()}
    members = _members(leaves, region_of)
    totals = _panel([key for key in members if key[2] is None], members, values, known, ahead)
    parts = _panel([key for key in members if key[2] is not None], members, values, known, ahead)
    away = {} if taken_off is None else local_days(taken_off, leaves, ahead)
    of_all = [left_of(panel, away, members, values, table) for panel in (totals, parts)]
    # Methods see what would have been sold had every store taken part; what they say of days ahead is lowered again.
    totals, parts = (raised(panel, left) for panel, left in zip((totals, parts), of_all, strict=True))
    of_totals, of_parts = engine.forecast(totals, table), engine.forecast(parts, table, upper=False)
    found = {**_moments(of_totals, totals, of_all[0]), **_moments(of_parts, parts, of_all[1])}
    rows = pd.concat([_frame(key, ahead[-horizon:], *each) for key, each in reconciled(found, region_of).items()])
    accuracy = league([(of_totals, totals), (of_parts, parts)])
    return Levels(rows, _components(totals, of_totals, table, of_all[0]), accuracy, of_parts.past)


def _members(leaves: list[tuple[str, str]], region_of: Mapping[str, str]) -> dict[Key, NDArray[np.int64]]:
    """Of each place, and each category in it, the rows of its stores and categories."""
    regions = pd.Series(region_of)
    several = set(regions.value_counts().loc[lambda count: count > 1].index)
    found: dict[Key, list[int]] = {}
    for row, (store, category) in enumerate(leaves):
        places = [("chain", CHAIN), ("store", store)]
        if region_of.get(store) in several:
            places.append(("region", region_of[store]))
        for level, place in places:
            for what in (None, category):
                found.setdefault((level, place, what), []).append(row)
    return {key: np.array(rows) for key, rows in found.items()}


def name_of(key: Key) -> str:
    return "\t".join((key[0], key[1], "*" if key[2] is None else f"={key[2]}"))


def _panel(
    keys: list[Key],
    members: Mapping[Key, NDArray[np.int64]],
    values: Floats,
    known: Mapping[str, Floats],
    dates: pd.DatetimeIndex,
) -> Panel:
    """Sums over the members; what is known of each weighs by what it sells. Sorted by name, as panels are."""
    keys = sorted(keys, key=name_of)
    sums = np.stack([values[members[key]].sum(axis=0) for key in keys])
    begun = np.cumsum(sums > 0, axis=1) > 0
    begun[:, -1] = True
    weight = values.sum(axis=1) + 1e-9
    rows_of = [members[key] for key in keys]
    of_keys = {
        name: np.stack([np.average(of[rows], axis=0, weights=weight[rows]) for rows in rows_of])
        for name, of in known.items()
        if of.any()
    }
    return Panel(tuple(map(name_of, keys)), dates, np.where(begun, sums, np.nan), "D", 7, of_keys)


def discounts(offers: pd.DataFrame, leaves: list[tuple[str, str]], dates: pd.DatetimeIndex) -> Floats:
    """The deepest discount on the category in the store by day; store and category x dates. Of whole categories or of
    everything: an offer on single products says little of the rest."""
    found = np.zeros((len(leaves), len(dates)))
    stores, categories = (np.array(part, dtype=object) for part in zip(*leaves, strict=True))
    for offer in offers[offers["product_id"].isna()].to_dict("records"):
        here = stores == offer["store_id"]
        if not pd.isna(offer["category"]):
            here &= categories == offer["category"]
        when = (dates >= offer["starts_on"]) & (dates <= offer["ends_on"])
        block = np.ix_(here, when)
        found[block] = np.maximum(found[block], float(offer["discount"]) if not pd.isna(offer["discount"]) else 0.0)
    return found


def local_days(local: pd.DataFrame, leaves: list[tuple[str, str]], dates: pd.DatetimeIndex) -> dict[str, Floats]:
    """By event: 1 on its days in the stores that it concerns; store and category x dates."""
    stores = np.array([store for store, _ in leaves], dtype=object)
    found: dict[str, Floats] = {}
    for row in local.to_dict("records"):
        days = found.setdefault(str(row["event"]), np.zeros((len(leaves), len(dates))))
        when = (dates >= pd.Timestamp(row["starts_on"])) & (dates <= pd.Timestamp(row["ends_on"]))
        days[np.ix_(stores == row["store_id"], when)] = 1.0
    return found


def left_of(
    panel: Panel,
    away: Mapping[str, Floats],
    members: Mapping[Key, NDArray[np.int64]],
    values: Floats,
    table: pd.DataFrame,
) -> Floats:
    """What is left of the effect of events on each series and date, history and horizon, where they do not take place
    in some of its stores (``away``, as ``local_days``)."""
    if not away:
        return np.ones((len(panel.ids), len(panel.dates)))
    absent = _panel([key_of(name) for name in panel.ids], members, values, away, panel.dates).known
    return events.effects(panel, table, absent).left(absent)


def raised(panel: Panel, left: Floats) -> Panel:
    return replace(panel, values=panel.values / left[:, : panel.length])


def _moments(result: Result, panel: Panel, left: Floats) -> dict[str, tuple[Floats, str]]:
    """Per series moments x horizon, and the model; with what is ``left`` of events, of the naive one on the days that
    it repeats."""
    rows = result.rows
    table = rows[list(MOMENTS)].to_numpy().reshape(len(panel.ids), panel.horizon, len(MOMENTS))
    models = rows["model"].to_numpy()[:: panel.horizon]
    ahead = panel.length + np.arange(panel.horizon)
    repeated = panel.length - panel.season + np.arange(panel.horizon) % panel.season
    return {
        name: (table[row].T * left[row, repeated if models[row] == policy.NAIVE else ahead], str(models[row]))
        for row, name in enumerate(panel.ids)
    }


def reconciled(found: Mapping[str, tuple[Floats, str]], region_of: Mapping[str, str]) -> dict[Key, tuple[Floats, str]]:
    """The moments of every place and category with means that add up; bounds move with their mean."""
    keys = [key_of(name) for name in found]
    base = {key: found[name_of(key)] for key in keys}
    means: dict[Key, Floats] = {("chain", CHAIN, None): base["chain", CHAIN, None][0][0]}
    regions = {key[1] for key in keys if key[0] == "region"}
    tops = [key for key in keys if key[2] is None and key[0] == "region"]
    tops += [key for key in keys if key[2] is None and key[0] == "store" and region_of.get(key[1]) not in regions]
    _share(means, base, ("chain", CHAIN, None), tops)
    for region in regions:
        inside = [key for key in keys if key[0] == "store" and key[2] is None and region_of.get(key[1]) == region]
        _share(means, base, ("region", region, None), inside)
    leaves = [key for key in keys if key[0] == "store" and key[2] is not None]
    for store in {key[1] for key in leaves}:
        _share(means, base, ("store", store, None), [key for key in leaves if key[1] == store])
    for key in keys:
        if key not in means:
            means[key] = sum(
                (means[leaf] for leaf in leaves if leaf[2] == key[2] and key[1] in (CHAIN, region_of.get(leaf[1]))),
                start=np.zeros_like(base[key][0][0]),
            )
    return {key: (_moved(base[key][0], means[key]), base[key][1]) for key in keys}


def key_of(name: str) -> Key:
    level, place, what = name.split("\t")
    return level, place, None if what == "*" else what[1:]


def _share(means: dict[Key, Floats], base: Mapping[Key, tuple[Floats, str]], whole: Key, parts: list[Key]) -> None:
    shares = shared_out(means[whole], np.stack([base[part][0][0] for part in parts]))
    means.update(zip(parts, shares, strict=True))


def _moved(moments: Floats, mean: Floats) -> Floats:
    """The bounds as far from the new mean, in proportion."""
    factor = np.where(moments[0] > 0, mean / np.where(moments[0] > 0, moments[0], 1.0), 1.0)
    moved = moments * factor
    moved[0] = mean
    return np.asarray(moved)


def _frame(key: Key, dates: pd.DatetimeIndex, moments: Floats, model: str) -> pd.DataFrame:
    level, place, category = key
    columns = dict(zip(MOMENTS, moments, strict=True))
    return pd.DataFrame(
        {"level": level, "place_id": place, "category": category, "ds": dates, **columns, "model": model}
    )


def league(results: list[tuple[Result, Panel]]) -> pd.DataFrame:
    """How the methods did before, by class and level."""
    rows: list[list[object]] = []
    for result, panel in results:
        levels = {name: "category" if key_of(name)[2] is not None else key_of(name)[0] for name in panel.ids}
        used = {row["kind"]: str(row["model"]) for row in result.accuracy.to_dict("records") if row["used"]}
        for level in dict.fromkeys(levels.values()):
            ids = {name for name, its in levels.items() if its == level}
            for kind in dict.fromkeys(at.kind for at in result.past):
                past = [some for at in result.past if at.kind == kind and (some := at.some(ids)).ids]
                label = used.get(kind, policy.NAIVE)
                rows += [[level, *row] for row in engine.league_of(kind, tuple(label.split("+")), past)]
    frame = pd.DataFrame(rows, columns=["level", *engine.LEAGUE])
    return frame.rename(columns={"kind": "class"})


def _components(totals: Panel, result: Result, table: pd.DataFrame, left: Floats) -> pd.DataFrame:
    """Of every place: also of those that are forecast without Prophet."""
    seen = engine.ground(totals, table)
    other = seen.level.some(np.flatnonzero([name not in result.fits for name in totals.ids]))
    found = prophets.components(totals, result.fits | prophets.fits(other), seen.effects.factor)
    found[["expected", "event"]] *= left.reshape(-1, 1)
    first = totals.dates[max(0, totals.length - _COMPONENT_DAYS)]
    found = found[found["ds"] >= first]
    keys = found["unique_id"].map(key_of)
    return found.assign(level=keys.str[0], place_id=keys.str[1]).drop(columns="unique_id")
