"""How much to keep and to order of each item (a product in a store), under a promise of service.

Periodic review: order up to S = demand expected over lead time + review + safety stock; quantity = S - position (on
hand - reserved + on order), rounded up to what the supplier sells. The safety stock of what sells often is z times the
standard deviation of the error of that expectation; of slow movers S is a quantile of a negative binomial. z is not
that of a normal curve: each class of items is played through its own past, and z is what would have kept the promise.
The promise is the share of delivery cycles without a stock-out; of the slowest items, whose shelf may well stand empty
while nobody asks, it is the share of units asked for that were there.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from models.calc.demand_rates import (
    WINDOW,
    Floats,
    Ints,
    Outlook,
    blocks,
    expected_above,
    from_history,
    levels,
    probability_above,
    quantile,
)
from models.calc.replenishment import Attained, replay

SLOW_RATE = 0.5  # units a day below which S is a quantile
SLOWEST_RATE = 0.2  # units a day below which the promise is the fill rate
SLOWEST = "slow"
_A_SHARE, _B_SHARE = 0.80, 0.95  # of the value sold
_X_CV, _Y_CV = 0.5, 1.0  # of the weeks' units
_Z_GRID = np.array([0.2, 0.7, 1.1, 1.4, 1.7, 2.05, 2.4, 2.8, 3.3, 4.0])
_SURE = 0.9999  # a service above it is taken for it
_SAMPLE = 200  # items of a class that are played through
_PRIOR_ITEMS = 15.0  # a class is drawn towards all classes as if it had so many more items like them
# The last days that are played: as many as two years allow (half as many ask for 2 % more stock); of the slowest, who
# are told by their last year and may not have sold at all before it, fewer.
_REPLAY_DAYS, _REPLAY_DAYS_OF_SLOWEST = 644, 308
_SETTLING_DAYS = 28
_RENEWED_DAYS = 28  # how old the level may be that an order relies on
_LEAST_DAYS = 112  # of history without which nothing can be played through
# Who is among the slowest sold little partly by chance, in the very days that are played: a fifth fewer misses are
# aimed at, which leaves some room for slow items that chance put into another class.
_LUCK = 0.2
_SEED = 20260322


@dataclass(frozen=True)
class Supply:
    """How each item is filled up again: one entry per item, in days."""

    lead_time: Floats
    lead_time_sd: Floats
    review: Floats

    @property
    def protection(self) -> Floats:
        """Days that an order of today has to last: until the one after it is there."""
        return self.lead_time + self.review


@dataclass(frozen=True)
class Stock:
    """What there is of each item, and how it is sold to us; one entry per item, in units.

    sellable: the most that can be sold before it expires, of the whole position; infinite where nothing expires.
    """

    on_hand: Floats
    reserved: Floats
    on_order: Floats
    order_multiple: Floats
    minimum_quantity: Floats
    sellable: Floats

    @property
    def free(self) -> Floats:
        """Units that can be sold today."""
        return np.maximum(self.on_hand - self.reserved, 0)

    @property
    def position(self) -> Floats:
        return self.on_hand - self.reserved + self.on_order


def classes(sold: Floats, unit_value: Floats) -> NDArray[np.str_]:
    """The class of each item: AX to CZ by the value sold (A: up to 80 %, B: to 95 %) and by how evenly its weeks sell
    (X: a coefficient of variation up to 0.5, Y: to 1), or ``SLOWEST``. ``sold`` as for ``demand_rates.levels``."""
    days = sold.shape[1] // 7 * 7
    known = (~np.isnan(sold)).sum(axis=1)
    rate = np.nansum(sold, axis=1) / np.maximum(known, 1)
    value = rate * np.where(np.isfinite(unit_value), unit_value, 0)
    order = np.argsort(-value, kind="stable")
    before = np.empty(len(value))
    total = max(value.sum(), 1e-9)
    before[order] = (np.cumsum(value[order]) - value[order]) / total
    weeks = np.empty((len(sold), days // 7))
    for rows in blocks(len(sold)):
        some = sold[rows, sold.shape[1] - days :]
        weeks[rows] = np.where(np.isnan(some), rate[rows, None], some).reshape(len(some), -1, 7).sum(axis=2)
    variation = weeks.std(axis=1) / np.maximum(weeks.mean(axis=1), 1e-9) if days else np.full(len(sold), np.inf)
    by_value = np.where(before < _A_SHARE, "A", np.where(before < _B_SHARE, "B", "C"))
    by_weeks = np.where(variation <= _X_CV, "X", np.where(variation <= _Y_CV, "Y", "Z"))
    return np.where(rate < SLOWEST_RATE, SLOWEST, np.char.add(by_value, by_weeks))


def up_to(outlook: Outlook, days: Floats, lead_time_sd: Floats, z: Floats) -> Floats:
    """The stock that lasts for ``days`` of demand with the certainty behind ``z``."""
    mean, variance = _demand(outlook, days, lead_time_sd)
    return _level(mean, variance, outlook.rate, z)


def _demand(outlook: Outlook, days: Floats, lead_time_sd: Floats) -> tuple[Floats, Floats]:
    """Demand over days of which the lead time's part is uncertain itself."""
    mean, variance = outlook.over(days)
    return mean, variance + (outlook.rate * lead_time_sd) ** 2


def _level(mean: Floats, variance: Floats, rate: Floats, z: Floats) -> Floats:
    fast = mean + z * np.sqrt(variance)
    slow = rate < SLOW_RATE
    if slow.any():
        everywhere = np.broadcast_to(slow, fast.shape)
        whole = (np.broadcast_to(part, fast.shape)[everywhere] for part in (mean, variance, stats.norm.cdf(z)))
        fast = fast.copy()
        fast[everywhere] = quantile(*whole)
    return np.maximum(fast, 0)


@dataclass(frozen=True)
class Calibration:
    """What z each class needs for the promise, and what it would have attained."""

    target: float
    table: pd.DataFrame  # class, items, z, plain_z (of a normal curve), attained (at z), measure (cycle | fill)
    z: Floats  # of each item


def calibrate(sold: Floats, supply: Supply, item_class: NDArray[np.str_], target: float) -> Calibration:
    """z per class, from playing up to ``_SAMPLE`` items of each through the last months of ``sold``.

    Items whose history is shorter than ``_LEAST_DAYS`` are not played; a chain with none longer takes the normal z.
    """
    plain = float(stats.norm.ppf(target))
    names = sorted(set(item_class.tolist()))
    long_enough = (~np.isnan(sold)).sum(axis=1) >= _LEAST_DAYS
    played = _sample(item_class, long_enough)
    if not len(played):
        table = pd.DataFrame(
            {"class": names, "items": 0, "z": plain, "plain_z": plain, "attained": np.nan, "measure": _measures(names)}
        )
        return Calibration(target, table, np.full(len(sold), plain))
    service = _played(sold[played], Supply(*(part[played] for part in _parts(supply))), item_class[played])
    counts = {name: int((item_class[played] == name).sum()) for name in names}
    alone = {name: _interpolate(service[name], _aim(name, target)) for name in names if counts[name]}
    usual = float(np.average(list(alone.values()), weights=[counts[name] for name in alone]))
    z = {name: _drawn_in(alone.get(name, usual), counts[name], usual) for name in names}
    table = pd.DataFrame(
        {
            "class": names,
            "items": [int((item_class == name).sum()) for name in names],
            "z": [z[name] for name in names],
            "plain_z": plain,
            "attained": [_service_at(z[name], service[name]) if counts[name] else np.nan for name in names],
            "measure": _measures(names),
        }
    )
    return Calibration(target, table, np.array([z[name] for name in item_class.tolist()]))


def _aim(name: str, target: float) -> float:
    return target + _LUCK * (1 - target) if name == SLOWEST else target


def _measures(names: list[str]) -> list[str]:
    return ["fill" if name == SLOWEST else "cycle" for name in names]


def _parts(supply: Supply) -> tuple[Floats, Floats, Floats]:
    return supply.lead_time, supply.lead_time_sd, supply.review


def _sample(item_class: NDArray[np.str_], long_enough: NDArray[np.bool_]) -> Ints:
    rng = np.random.default_rng(_SEED)
    chosen = [np.empty(0, dtype=np.int64)]
    for name in sorted(set(item_class.tolist())):
        of_class = np.flatnonzero((item_class == name) & long_enough)
        chosen.append(of_class if len(of_class) <= _SAMPLE else rng.choice(of_class, _SAMPLE, replace=False))
    return np.sort(np.concatenate(chosen))


def _drawn_in(z: float, items: int, usual: float) -> float:
    return (items * z + _PRIOR_ITEMS * usual) / (items + _PRIOR_ITEMS)


def _interpolate(service: Floats, target: float) -> float:
    """The z that attains the target: between two of the grid the normal quantile of the service is nearly a line. The
    service itself bends, so a line would ask for more stock than is needed."""
    return float(np.interp(stats.norm.ppf(target), _as_z(service), _Z_GRID))


def _service_at(z: float, service: Floats) -> float:
    return float(stats.norm.cdf(np.interp(z, _Z_GRID, _as_z(service))))


def _as_z(service: Floats) -> Floats:
    quantiles: Floats = stats.norm.ppf(np.clip(np.maximum.accumulate(service), 1 - _SURE, _SURE))
    return quantiles


def _played(sold: Floats, supply: Supply, item_class: NDArray[np.str_]) -> dict[str, Floats]:
    """What each class attains at each z of the grid."""
    days = sold.shape[1]
    level = levels(sold)
    protection = supply.protection
    # How far demand strays is taken from the part of the past that is not being played, as it will be in earnest.
    split = days - min(WINDOW, days // 2)
    before, after = from_history(sold[:, :split]), from_history(sold[:, split:])
    new = (~np.isnan(sold[:, :split])).sum(axis=1) < _LEAST_DAYS // 2
    strays_after = after.over(protection)[1]
    strays_before = np.where(new, strays_after, before.over(protection)[1])
    rng = np.random.default_rng(_SEED)
    drawn = supply.lead_time[:, None] + supply.lead_time_sd[:, None] * rng.standard_normal(sold.shape)
    leads = np.maximum(np.rint(drawn), 1).astype(np.int64)
    review = np.maximum(np.rint(supply.review), 1).astype(np.int64)
    demand = _without_gaps(sold)

    def replayed(mine: NDArray[np.bool_], most: int) -> Attained:
        first = max(days - most, _LEAST_DAYS // 2)
        z = np.broadcast_to(_Z_GRID[:, None], (len(_Z_GRID), int(mine.sum())))

        def order_up_to(day: int) -> Floats:
            rate = level[mine, first + (day - first) // _RENEWED_DAYS * _RENEWED_DAYS]
            strays = (strays_before if day >= split else strays_after)[mine]
            variance = strays + (rate * supply.lead_time_sd[mine]) ** 2
            return _level(rate * protection[mine], variance, after.rate[mine], z)

        return replay(demand[mine], order_up_to, leads[mine], review[mine], first, first + _SETTLING_DAYS, days)

    slowest, found = item_class == SLOWEST, {}
    if slowest.any():
        attained = replayed(slowest, _REPLAY_DAYS_OF_SLOWEST)
        found[SLOWEST] = attained.fill_rate(np.ones(int(slowest.sum()), dtype=bool))
    if not slowest.all():
        attained, names = replayed(~slowest, _REPLAY_DAYS), item_class[~slowest]
        found |= {name: attained.cycle_service(names == name) for name in np.unique(names).tolist()}
    return found


def _without_gaps(sold: Floats) -> Floats:
    """Days that tell nothing sell what the day a week before did, 0 before the first."""
    filled = sold.copy()
    for day in range(filled.shape[1]):
        gap = np.isnan(filled[:, day])
        filled[gap, day] = filled[gap, day - 7] if day >= 7 else 0
    return np.nan_to_num(filled)


@dataclass(frozen=True)
class Proposal:
    """What to do about each item, one entry per item; units, days, probabilities."""

    expected_demand: Floats  # over the protection period
    safety_stock: Floats
    reorder_point: Floats  # for the lead time alone; a position at or below it is a warning
    order_up_to: Floats
    order_quantity: Floats
    stockout_probability: Floats  # before the next receipt
    expected_lost: Floats  # units not there before the next receipt
    days_of_cover: Floats  # of what can be sold today; infinite without demand


def propose(outlook: Outlook, supply: Supply, stock: Stock, z: Floats, until_receipt: Floats | None = None) -> Proposal:
    """What to order now. ``until_receipt``: days until the next delivery, the lead time unless told."""
    mean, _ = outlook.over(supply.protection)
    level = up_to(outlook, supply.protection, supply.lead_time_sd, z)
    capped = np.minimum(level, np.maximum(stock.sellable, 0))
    wait = supply.lead_time if until_receipt is None else until_receipt
    unsure = supply.lead_time_sd if until_receipt is None else np.zeros_like(wait)
    meanwhile, variance = _demand(outlook, wait, unsure)
    with np.errstate(divide="ignore", invalid="ignore"):
        cover = np.where(outlook.rate > 0, stock.free / outlook.rate, np.inf)
    return Proposal(
        expected_demand=mean,
        safety_stock=level - mean,
        reorder_point=np.ceil(up_to(outlook, supply.lead_time, supply.lead_time_sd, z)),
        order_up_to=np.ceil(capped - 1e-9),
        order_quantity=order_quantity(stock, capped),
        stockout_probability=probability_above(stock.free, meanwhile, variance),
        expected_lost=expected_above(stock.free, meanwhile, variance),
        days_of_cover=cover,
    )


def order_quantity(stock: Stock, level: Floats) -> Floats:
    """What fills the position up to ``level`` in whole packs, at least the minimum, and never more than can be sold.

    Where even the smallest order could not be sold in time, nothing is proposed.
    """
    need = np.maximum(np.ceil(level - stock.position - 1e-9), 0)
    pack = np.maximum(stock.order_multiple, 1)
    least = np.ceil(np.maximum(stock.minimum_quantity, 1) / pack) * pack
    wanted = np.where(need > 0, np.maximum(np.ceil(need / pack) * pack, least), 0)
    room = np.maximum(stock.sellable - stock.position, 0)
    fits = np.where(np.isfinite(room), np.floor(np.where(np.isfinite(room), room, 0) / pack) * pack, np.inf)
    allowed = np.minimum(wanted, fits)
    return np.where(allowed >= least, allowed, 0)
