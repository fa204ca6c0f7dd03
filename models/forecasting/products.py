"""Demand of single products in stores: what their category will sell there, shared out by what each sold lately.

The days of one product are too few for a season or an event of its own; those of its category in its store are not. A
product's share is its level (recent days weigh more, days of an empty shelf tell nothing), a new product's that of its
like, and offers on single products raise it by what such offers did before. Weeks add up to those of the category.

Ranges are those of whole units, the shortest first: of what seldom sells, from 0. How much of a negative binomial they
have to hold is learnt from earlier origins, by how much is expected (split conformal); of what sells less than a unit
in two weeks even "none" is right more often than asked for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from models.calc import demand_rates
from models.calc.demand_rates import Ints, probability_above, quantile
from models.forecasting import accuracy, analogues, classes, policy
from models.forecasting.engine import LEAGUE, Looked, in_league
from models.forecasting.panel import Floats
from models.forecasting.reconcile import shared_out

WEEK: Final = 7
MODEL: Final = "category_share"
LEVEL_ALONE: Final = "own_level"
_NEW_WEEKS: Final = 8
_LEAST_ON_OFFER: Final = 30.0  # units expected on days of an offer below which nothing is learnt from them
_MOST_UPLIFT: Final = 20.0  # per whole of the price
_LIKE: Final = 10
_INSIDE: Final = 0.8
_SIZES: Final = (0.5, 1.0, 2.0)  # units a week: ranges are learnt apart below, between and above
_PARTS: Final = np.linspace(0.4, 0.95, 56)  # of a negative binomial
_ENOUGH: Final = 200  # weeks from which a size is learnt from


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


@dataclass(frozen=True)
class Past:
    """Items looked back on at one earlier origin, ``before`` days before the end: items x weeks, units."""

    before: int
    kind: NDArray[np.str_]
    ids: NDArray[np.str_]
    actual: Floats
    said: dict[str, Floats]  # by method
    variance: Floats  # of the error of each week, by history
    scale: Floats


def forecast(items: Items, whole: pd.DataFrame, past: Sequence[Past]) -> pd.DataFrame:
    """The weeks ahead of every item.

    Args:
        whole: what each store and category will sell: store_id, category, and one column per week.
        past: how such items did at earlier origins.

    Returns:
        store_id, product_id, category, week (0: the first), mean, lo80, hi80; means add up to ``whole`` wherever a
        store has an item of the category.
    """
    weeks = whole.drop(columns=["store_id", "category"]).to_numpy(dtype=np.float64)
    group = pd.MultiIndex.from_frame(whole[["store_id", "category"]].astype("str")).get_indexer(items.groups)
    items, group = items.some(group >= 0), group[group >= 0]
    mean = _shared(_weights(items, _levels(items.sold), weeks.shape[1]), weeks, group)
    low, high = _range(mean, _variance(items, mean), _part_held(past))
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


def _levels(sold: Floats) -> Floats:
    """``demand_rates.levels``; the last of an item that began to sell another quantity knows the days since."""
    found, since = demand_rates.levels(sold), demand_rates.since_shift(sold)
    if since is not sold:
        rows = (np.isnan(since) & ~np.isnan(sold)).any(axis=1)
        found[rows, -1] = demand_rates.levels(since[rows])[:, -1]
    return found


def _weights(items: Items, level: Floats, weeks: int) -> Floats:
    """What each item would sell in each week by itself: its level, or that of its like, and what is on offer. level:
    as ``_levels`` of the items."""
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
    days = np.flatnonzero(items.discount[:, : items.sold.shape[1]].any(axis=0))
    sold = items.sold[:, days]
    unknown = np.isnan(sold)
    off = np.where(unknown, 0.0, items.discount[:, days])
    if not off.any():
        return 0.0
    group = pd.factorize(items.groups)[0]
    sold, usual = np.nan_to_num(sold), np.where(unknown, 0.0, level[:, days])
    came, size = (_sums(values, group) for values in (sold, usual))
    with np.errstate(divide="ignore", invalid="ignore"):
        pace = np.where(size > 0, came / size, 0.0)
    expected = np.where(off > 0, usual * pace[group], 0.0)
    if expected.sum() < _LEAST_ON_OFFER:
        return 0.0
    more = np.where(off > 0, sold, 0.0).sum() - expected.sum()
    return float(np.clip(more / (expected * off).sum(), 0.0, _MOST_UPLIFT))


def _sums(values: Floats, group: Ints) -> Floats:
    sums = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(sums, group, values)
    return sums


def _variance(items: Items, mean: Floats) -> Floats:
    """Of the error of each single week."""
    return demand_rates.Ahead(demand_rates.from_history(items.sold), mean).week_variance


def _range(mean: Floats, variance: Floats, held: Floats) -> tuple[Floats, Floats]:
    """The range of each week. ``held``: the part of its distribution that it has to hold, by size."""
    part = held[np.searchsorted(_SIZES, mean, side="right")]
    low = quantile(mean, variance, (1 - part) / 2)
    return low, quantile(mean, variance, np.where(low > 0, (1 + part) / 2, part))


def _part_held(past: Sequence[Past]) -> Floats:
    """By size of what was expected: the least part that four of five weeks fell into; ``_INSIDE`` where few tell."""
    found = np.full(len(_SIZES) + 1, _INSIDE)
    if not past:
        return found
    mean, variance, actual = (
        np.concatenate([part.ravel() for part in parts])
        for parts in zip(*((at.said[MODEL], at.variance, at.actual) for at in past), strict=True)
    )
    size = np.searchsorted(_SIZES, mean, side="right")
    nothing, below, up_to = (
        1 - probability_above(units, mean, variance) for units in (np.zeros(len(mean)), actual - 1, actual)
    )
    for number in range(len(found)):
        mine = size == number
        if mine.sum() >= _ENOUGH:
            inside = [_held(part, nothing[mine], below[mine], up_to[mine]).mean() for part in _PARTS.tolist()]
            found[number] = _PARTS[min(int(np.searchsorted(inside, _INSIDE)), len(_PARTS) - 1)]
    return found


def _held(part: float, nothing: Floats, below: Floats, up_to: Floats) -> NDArray[np.bool_]:
    """Whether the range that holds ``part`` has the week in it, from the chances of selling nothing, less than came and
    at most what came."""
    from_zero = below < part
    between = (up_to >= (1 - part) / 2) & (below < (1 + part) / 2)
    return np.where(nothing >= (1 - part) / 2, from_zero, between)


def look_back(items: Items, past: list[Looked], name_of: Mapping[str, tuple[str, str]], horizon: int) -> list[Past]:
    """How the items did at the earlier origins at which the categories of some stores were looked back on.

    Args:
        past: of categories in stores.
        name_of: the store and category of a series of ``past``; others are passed over.
    """
    enough = [at for at in in_league(past) if items.sold.shape[1] - at.before >= _NEW_WEEKS * WEEK]
    found = [_origin(items, at, name_of, horizon) for at in enough]
    return [part for part in found if part is not None]


def league(past: Sequence[Past]) -> pd.DataFrame:
    """How the shares did, by class.

    Returns:
        level and ``engine.LEAGUE``, measured on weeks; coverage80 by ranges that the origins before each have taught;
        coverage95 is not known.
    """
    rows: list[list[object]] = []
    inside = _inside(past)
    for kind in ("regular", "intermittent"):
        masks = [at.kind == kind for at in past]
        if sum(at.actual[mask].sum() for at, mask in zip(past, masks, strict=True)) > 0:
            rows += _league_rows(kind, past, masks, inside)
    return pd.DataFrame(rows, columns=["level", *LEAGUE]).rename(columns={"kind": "class"})


def _inside(past: Sequence[Past]) -> list[NDArray[np.bool_] | None]:
    """Of each origin whether weeks were within the ranges of what was known then; None of the first."""
    held = {before: _part_held(earlier) for before in {at.before for at in past} if (earlier := _before(past, before))}
    found: list[NDArray[np.bool_] | None] = []
    for at in past:
        if at.before in held:
            low, high = _range(at.said[MODEL], at.variance, held[at.before])
            found.append((at.actual >= low) & (at.actual <= high))
        else:
            found.append(None)
    return found


def _before(past: Sequence[Past], before: int) -> list[Past]:
    return [at for at in past if at.before > before]


def _origin(items: Items, at: Looked, name_of: Mapping[str, tuple[str, str]], horizon: int) -> Past | None:
    rows = [number for number, name in enumerate(at.ids) if name in name_of]
    if not rows:
        return None
    length = items.sold.shape[1] - at.before
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
    level = _levels(then.sold)
    mean = _shared(_weights(then, level, weeks.shape[1]), weeks, group[inside])
    came = items.sold[inside, length : length + horizon].reshape(len(mean), -1, WEEK)
    known = ~np.isnan(came).any(axis=(1, 2))
    history = _weekly(then.sold)
    last = np.repeat(np.nan_to_num(history[:, -1:]), weeks.shape[1], axis=1)
    alone = np.repeat(WEEK * level[:, -1:], weeks.shape[1], axis=1)
    kind = np.where(classes.interval(then.sold) >= classes.OFTEN, "intermittent", "regular")
    ids = np.char.add(np.char.add(then.store_id.astype(str), "\t"), then.product_id.astype(str))
    said = {MODEL: mean, LEVEL_ALONE: alone, policy.NAIVE: last}
    return Past(
        at.before, kind[known], ids[known], np.nansum(came, axis=2)[known],
        {name: values[known] for name, values in said.items()}, _variance(then, mean)[known],
        accuracy.step_scale(history)[known],
    )  # fmt: skip


def _league_rows(
    kind: str, past: Sequence[Past], masks: list[NDArray[np.bool_]], inside: list[NDArray[np.bool_] | None]
) -> list[list[object]]:
    def every(of: Callable[[Past], NDArray[Any]]) -> NDArray[Any]:
        return np.concatenate([of(at)[mask] for at, mask in zip(past, masks, strict=True)])

    actual, scale = every(lambda at: at.actual), every(lambda at: at.scale)
    series = len(set(every(lambda at: at.ids).tolist()))
    hits = [hit[mask].ravel() for hit, mask in zip(inside, masks, strict=True) if hit is not None]
    covered = float(np.concatenate(hits).mean()) if hits and sum(map(len, hits)) else float("nan")
    rows: list[list[object]] = []
    for name in past[0].said:
        expected = np.concatenate([at.said[name][mask] for at, mask in zip(past, masks, strict=True)])
        errors = accuracy.rmsse(actual, expected, scale)
        rows.append(
            [
                "product", kind, name, name == MODEL, series, accuracy.wape(actual, expected),
                accuracy.mean(errors), accuracy.bias(actual, expected), covered if name == MODEL else float("nan"),
                float("nan"),
            ]
        )  # fmt: skip
    return rows
