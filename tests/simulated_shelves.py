"""Shelves with known demand: 400 products in stores over three years, of which the first is the past to learn from.

Daily demand is negative binomial with a mean drawn lognormal (median .35, sigma 1.1, between .02 and 8), a size between
.3 and 3, a weekday profile, a level that wanders (sd .012 a day on the log) and one promotion of seven days every 60,
times 1 to 3. Weekly review; orders take 5 to 9 days; the level to order up to is estimated anew every 28 days; what is
not there is not sold. The rule sees the true demand of the past; the first 56 days do not count.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.calc.demand_rates import Floats, from_history
from models.calc.inventory import SLOWEST_RATE, Supply, calibrate, classes, up_to
from models.calc.replenishment import Attained, replay

YEAR, YEARS, NOT_COUNTED, RENEWED = 364, 3, 56, 28
CALIBRATED = 182  # days between two calibrations


@dataclass(frozen=True)
class Shelves:
    demand: Floats  # items x days
    mean: Floats  # the mean each item began with


def draw(seed: int, items: int = 400) -> Shelves:
    rng = np.random.default_rng(seed)
    days = YEARS * YEAR
    mean = np.clip(rng.lognormal(np.log(0.35), 1.1, items), 0.02, 8)
    size = rng.uniform(0.3, 3, (items, 1))
    weekday = np.array([0.8, 0.8, 0.9, 0.95, 1.1, 1.25, 1.2])[np.arange(days) % 7]
    level = np.exp(np.cumsum(rng.normal(0, 0.012, (items, days)), axis=1))
    uplift, phase = rng.uniform(1, 3, (items, days // 60 + 2)), rng.integers(0, 60, (items, 1))
    day = np.arange(days) + phase
    promotion = np.where(day % 60 < 7, np.take_along_axis(uplift, day // 60, axis=1), 1)
    expected = mean[:, None] * level * weekday * promotion
    return Shelves(rng.negative_binomial(size, size / (size + expected)).astype(np.float64), mean)


def together(*many: Shelves) -> Shelves:
    return Shelves(np.concatenate([s.demand for s in many]), np.concatenate([s.mean for s in many]))


@dataclass(frozen=True)
class Kept:
    """What the rule attained, and the class each item had when it began."""

    attained: Attained
    item_class: NDArray[np.str_]
    slow: NDArray[np.bool_]

    def days_of_cover(self, items: NDArray[np.bool_]) -> float:
        """Closing stock in days of the mean demand."""
        a = self.attained
        return float(a.closing_stock[0, items].sum() / (a.demand[0, items].sum() / a.days))


def keep(shelves: Shelves, target: float, seed: int = 5) -> Kept:
    """Two years of the rule: calibrated on the past alone, every half year anew."""
    demand, items = shelves.demand, len(shelves.demand)
    leads = np.random.default_rng(seed).integers(5, 10, demand.shape)
    supply = Supply(np.full(items, 7.0), np.full(items, np.sqrt(2)), np.full(items, 7.0))
    state: dict[str, Floats] = {}

    def order_up_to(day: int) -> Floats:
        past = demand[:, :day]
        if (day - YEAR) % CALIBRATED == 0:
            state["z"] = calibrate(past, supply, classes(past[:, -YEAR:], np.ones(items)), target).z
        if (day - YEAR) % RENEWED == 0 or "level" not in state:
            state["level"] = up_to(from_history(past), supply.protection, supply.lead_time_sd, state["z"])[None]
        return state["level"]

    review = np.full(items, 7, dtype=np.int64)
    attained = replay(demand, order_up_to, leads, review, YEAR, YEAR + NOT_COUNTED, YEARS * YEAR)
    return Kept(attained, classes(demand[:, :YEAR], np.ones(items)), shelves.mean < SLOWEST_RATE)
