"""Demand of single products in stores: what their category will sell there, shared out by what each sold lately.

The days of one product are too few for a season or an event of its own; those of its category in its store are not. A
product's share is its level (recent days weigh more, days of an empty shelf tell nothing), a new product's that of its
like, and offers on single products raise it by what such offers did before. Weeks add up to those of the category.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calc import demand_rates
from models.calc.demand_rates import Ints, quantile
from models.forecasting import accuracy, analogues, classes, policy
from models.forecasting.engine import LEAGUE, Looked
from models.forecasting.panel import Floats
from models.forecasting.reconcile import shared_out

WEEK: Final = 7
MODEL: Final = "category_share"
LEVEL_ALONE: Final = "own_level"
_NEW_WEEKS: Final = 8
_LEAST_ON_OFFER: Final = 30.0  # units expected on days of an offer below which nothing is learnt from them
_MOST_UPLIFT: Final = 20.0  # per whole of the price
_LIKE: Final = 10
_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True)
class Items:
    """Products in stores, one row each.

    Attributes:
        store_id, product_id, category: of each item; category '' is none.
        sold: items x days of the history; NaN where a day tells nothing: not on sale yet, or an empty shelf.
        discount: items x (history and horizon), of offers on the single product.
        traits: items x features that tell which products are alike (codes).
    """

    store_id: NDArray[np.str_]
    product_id: NDArray[np.str_]
    category: NDArray[np.str_]
    sold: Floats
    discount: Floats
    traits: Floats

    @property
    def groups(self) -> pd.MultiIndex:
        """The store and category of each item."""
        return pd.MultiIndex.from_arrays([self.store_id, self.category], names=["store_id", "category"])

    def some(self, rows: NDArray[np.bool_]) -> "Items":
        return Items(
            self.store_id[rows], self.product_id[rows], self.category[rows], self.sold[rows], self.discount[rows],
            self.traits[rows],
        )  # fmt: skip

    def until(self, length: int, horizon: int) -> "Items":
        return replace(self, sold=self.sold[:, :length], discount=self.discount[:, : length + horizon])


def lost(items: Items, empty: NDArray[np.bool_]) -> Floats:
    """Units that items would have sold on days of an empty shelf, by their level before; items x days."""
    return np.where(empty, demand_rates.levels(items.sold)[:, :-1], 0.0)


def forecast(items: Items, whole: pd.DataFrame) -> pd.DataFrame:
    """The weeks ahead of every item.

    Args:
        whole: what each store and category will sell: store_id, category, and one column per week.

    Returns:
        store_id, product_id, category, week (0: the first), mean, lo80, hi80; means add up to ``whole`` wherever a
        store has an item of the category.
    """
    weeks = whole.drop(columns=["store_id", "category"]).to_numpy(dtype=np.float64)
    group = pd.MultiIndex.from_frame(whole[["store_id", "category"]].astype("str")).get_indexer(items.groups)
    items, group = items.some(group >= 0), group[group >= 0]
    mean = _shared(_weights(items, weeks.shape[1]), weeks, group)
    low, high = _bounds(demand_rates.from_history(items.sold), mean)
    count = weeks.shape[1]
    return pd.DataFrame(
        {
            "store_id": np.repeat(items.store_id, count),
            "product_id": np.repeat(items.product_id, count),
            "category": np.repeat(items.category, count),
            "week": np.tile(np.arange(count), len(items.sold)),
            "mean": mean.ravel(),
            "lo80": low.ravel(),
            "hi80": high.ravel(),
        }
    )


def _shared(weights: Floats, weeks: Floats, group: Ints) -> Floats:
    found = np.zeros(weights.shape)
    order = np.argsort(group, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if len(rows):
            found[rows] = shared_out(weeks[group[rows[0]]], weights[rows])
    return found


def _weights(items: Items, weeks: int) -> Floats:
    """What each item would sell in each week by itself: its level, or that of its like, and what is on offer."""
    level = demand_rates.levels(items.sold)
    own = np.repeat(WEEK * level[:, -1:], weeks, axis=1)
    known = (~np.isnan(items.sold)).sum(axis=1)
    new, old = np.flatnonzero(known < _NEW_WEEKS * WEEK), np.flatnonzero(known >= _NEW_WEEKS * WEEK)
    if len(new) and len(old):
        by_week = _weekly(items.sold)
        curve = analogues.launch_curve(by_week)
        nearest = analogues.like(items.traits, new, old, _LIKE)
        for row, like in zip(new.tolist(), nearest, strict=True):
            mine = by_week[row][~np.isnan(by_week[row])]
            own[row] = analogues.expectation(mine, float(WEEK * level[like, -1].mean()), curve, weeks)
    days = items.sold.shape[1]
    ahead = items.discount[:, days : days + weeks * WEEK].reshape(len(items.sold), weeks, WEEK).mean(axis=2)
    return own * (1 + _uplift(items, level) * ahead)


def _weekly(sold: Floats) -> Floats:
    """Sums of the whole weeks up to the last day; a week that tells of some days only stands for all of them."""
    days = sold.shape[1] // WEEK * WEEK
    weeks = sold[:, sold.shape[1] - days :].reshape(len(sold), -1, WEEK)
    known = (~np.isnan(weeks)).sum(axis=2)
    return np.where(known > 0, np.nansum(weeks, axis=2) * WEEK / np.maximum(known, 1), np.nan)


def _uplift(items: Items, level: Floats) -> float:
    """By how much more of its level an item sells per whole of its price taken off, from all offers of the past: sales
    against the item's share of what its category sold on the day."""
    days = items.sold.shape[1]
    off = np.where(np.isnan(items.sold), 0.0, items.discount[:, :days])
    if not off.any():
        return 0.0
    group = pd.factorize(items.groups)[0]
    usual = np.where(np.isnan(items.sold), 0.0, level[:, :-1])
    came, size = (_sums(values, group) for values in (np.nan_to_num(items.sold), usual))
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = np.where(size > 0, came / size, 0.0)
    expected = np.where(off > 0, usual * pace[group], 0.0)
    if expected.sum() < _LEAST_ON_OFFER:
        return 0.0
    more = np.where(off > 0, np.nan_to_num(items.sold), 0.0).sum() - expected.sum()
    return float(np.clip(more / (expected * off).sum(), 0.0, _MOST_UPLIFT))


def _sums(values: Floats, group: Ints) -> Floats:
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group, values)
    return sums


def _bounds(rates: demand_rates.Rates, mean: Floats) -> tuple[Floats, Floats]:
    """P10 and P90 of single weeks."""
    spread = demand_rates.Ahead(rates, mean).week_variance
    return quantile(mean, spread, _LOW), quantile(mean, spread, _HIGH)


def league(items: Items, past: list[Looked], name_of: Mapping[str, tuple[str, str]], horizon: int) -> pd.DataFrame:
    """How the shares did at the earlier origins at which the categories of some stores were looked back on.

    Args:
        past: of categories in stores, each kind's origins in order, the last one horizon before the end.
        name_of: the store and category of a series of ``past``; others are passed over.

    Returns:
        level and ``engine.LEAGUE``, measured on weeks; coverage95 is not known.
    """
    days, said = items.sold.shape[1], []
    for kind in dict.fromkeys(at.kind for at in past):
        mine = [at for at in past if at.kind == kind]
        for back, at in zip(range(len(mine), 0, -1), mine, strict=True):
            said.append((days - back * horizon, at))
    parts = [_origin(items, length, at, name_of, horizon) for length, at in said if length >= _NEW_WEEKS * WEEK]
    found = [part for part in parts if part is not None]
    rows: list[list[object]] = []
    for kind in ("regular", "intermittent"):
        some = [part for part in found if (part.kind == kind).any()]
        if sum(part.actual[part.kind == kind].sum() for part in some) > 0:
            rows += _league_rows(kind, some)
    return pd.DataFrame(rows, columns=["level", *LEAGUE]).rename(columns={"kind": "class"})


@dataclass(frozen=True)
class _Past:
    """The items looked back on at one origin: items x weeks."""

    kind: NDArray[np.str_]
    ids: NDArray[np.str_]
    actual: Floats
    said: dict[str, Floats]
    low: Floats
    high: Floats
    scale: Floats


def _origin(
    items: Items, length: int, at: Looked, name_of: Mapping[str, tuple[str, str]], horizon: int
) -> _Past | None:
    rows = [number for number, name in enumerate(at.ids) if name in name_of]
    if not rows:
        return None
    # The mean of the methods names all of them.
    own = max((name for name in at.said if name not in policy.REFERENCES), key=len)
    weeks = at.said[own][rows].reshape(len(rows), horizon // WEEK, WEEK).sum(axis=2)
    keys = pd.MultiIndex.from_tuples([name_of[at.ids[row]] for row in rows])
    group = keys.get_indexer(items.groups)
    begun = ~np.isnan(items.sold[:, :length]).all(axis=1)
    inside = (group >= 0) & begun
    then = items.until(length, horizon).some(inside)
    if not len(then.sold):
        return None
    mean = _shared(_weights(then, weeks.shape[1]), weeks, group[inside])
    low, high = _bounds(demand_rates.from_history(then.sold), mean)
    came = items.sold[inside, length : length + horizon].reshape(len(mean), -1, WEEK)
    known = ~np.isnan(came).any(axis=(1, 2))
    history = _weekly(then.sold)
    last = np.repeat(np.nan_to_num(history[:, -1:]), weeks.shape[1], axis=1)
    alone = np.repeat(WEEK * demand_rates.levels(then.sold)[:, -1:], weeks.shape[1], axis=1)
    kind = np.where(classes.interval(then.sold) >= classes.OFTEN, "intermittent", "regular")
    ids = np.char.add(np.char.add(then.store_id.astype(str), "\t"), then.product_id.astype(str))
    actual = np.nansum(came, axis=2)
    found = {MODEL: mean, LEVEL_ALONE: alone, policy.NAIVE: last}
    return _Past(
        kind[known], ids[known], actual[known], {name: values[known] for name, values in found.items()},
        low[known], high[known], accuracy.step_scale(history)[known],
    )  # fmt: skip


def _league_rows(kind: str, parts: list[_Past]) -> list[list[object]]:
    masks = [part.kind == kind for part in parts]

    def every(get: str) -> Floats:
        return np.concatenate([getattr(part, get)[mask] for part, mask in zip(parts, masks, strict=True)])

    actual, scale = every("actual"), every("scale")
    inside = accuracy.coverage(actual, every("low"), every("high"))
    rows: list[list[object]] = []
    for name in parts[0].said:
        expected = np.concatenate([part.said[name][mask] for part, mask in zip(parts, masks, strict=True)])
        errors = accuracy.rmsse(actual, expected, scale)
        rows.append(
            [
                "product", kind, name, name == MODEL, len(set(every("ids").tolist())),
                accuracy.wape(actual, expected), float(np.nanmean(errors)), accuracy.bias(actual, expected),
                inside if name == MODEL else float("nan"), float("nan"),
            ]
        )  # fmt: skip
    return rows
