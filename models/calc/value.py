"""What customers will bring in the days to come: how often they come times what they spend, and how sure that is.

Two things keep a forecast from coming true: the parameters are known only so well, and people do what they like. A
total adds the variance of both; an interval of one customer is that of what this customer will do.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import elementwise

from models.calc import purchases, spend
from models.calc.likelihood import Z95, Estimate
from models.calc.purchases import Histories, Purchases
from models.calc.spend import Spend

Floats = NDArray[np.float64]

_ENOUGH = 50_000  # different pasts that tell how a total moves with the parameters as well as all of them
_MOST_VISITS = 400  # of one customer within a horizon: whoever comes more often is counted as coming that often
_AT_ONCE = 200  # customers whose chances are held at a time
_NEAR = 2.0**-18  # of a position between 0 and 1
_NEGLIGIBLE = 1e-7  # chance of so many visits


@dataclass(frozen=True)
class Total:
    """A sum over customers and where it will lie with a certainty of 95 %; NaN bounds: nobody can say."""

    mean: float
    low: float
    high: float


def _total(mean: float, variance: float) -> Total:
    # Symmetric in the logarithm, so never below 0.
    reach = np.exp(Z95 * np.sqrt(variance) / mean) if mean > 0 and np.isfinite(variance) else np.nan
    return Total(mean, mean / reach, mean * reach)


@dataclass(frozen=True)
class Ahead:
    """What the pasts of customers let expect of their visit days in the next ``days``, worked out once for all that is
    asked of it."""

    model: Estimate[Purchases]
    past: Histories
    days: int

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """Of each past the mean of its visit days and the mean of their square."""
        return purchases.visit_moments(self.model.parameters, self.past, self.days)

    def variance(self, weights: Floats) -> float:
        """Of the weighted sum of expected visits, because the parameters are known only so well."""
        visits, _ = self.moments
        part, whole = float(weights[:: self._step] @ visits[:: self._step]), float(weights @ visits)
        if not part:
            return 0.0
        return self.model.variance_by(self._slopes @ weights[:: self._step]) * (whole / part) ** 2

    @property
    def _step(self) -> int:
        return -(-len(self.past.repeats) // _ENOUGH)

    @cached_property
    def _slopes(self) -> Floats:
        some = self.past.every(self._step)
        return self.model.slopes(lambda parameters: purchases.expected_visits(parameters, some, self.days))


def total_visits(ahead: Ahead) -> Total:
    """The visit days of all customers together."""
    mean, square = ahead.moments
    n = ahead.past.customers
    own = float(n @ (square - mean**2))
    return _total(float(n @ mean), own + ahead.variance(n.astype(np.float64)))


def total_value(ahead: Ahead, amounts: Estimate[Spend], amount: Floats) -> Total:
    """What all customers together will spend; amount: what each spent on a visit after the first (0 without one)."""
    past, (visits, squares) = ahead.past, ahead.moments
    repeats = past.repeats[past.member]
    each = spend.expected_amount(amounts.parameters, repeats, amount)
    mean = visits[past.member] * each
    # Given 1 / u of a customer, x visits bring p x / u on average, with the variance p x / u ** 2.
    p = amounts.parameters.p
    _, scale_square = spend.amount_moments(amounts.parameters, repeats, amount)
    square = (p * visits + p**2 * squares)[past.member] * scale_square
    own = float((square - mean**2).sum())
    weights = np.bincount(past.member, weights=each, minlength=len(past.customers)).astype(np.float64)

    def value(parameters: Spend) -> float:
        return float(visits[past.member] @ spend.expected_amount(parameters, repeats, amount))

    return _total(float(mean.sum()), own + ahead.variance(weights) + amounts.variance_of(value))


def ranges(model: Purchases, amounts: Spend, past: Histories, amount: Floats, days: int) -> tuple[Floats, Floats]:
    """Of each customer, between what and what the spending of the next ``days`` lies with a certainty of 95 %.

    The middle 95 %, or, where nothing at all is too likely to be left out, from 0 to what 95 % stay within.
    """
    mean, square = purchases.visit_moments(model, past, days)
    reach = np.ceil(mean + 10 * np.sqrt(np.maximum(square - mean**2, 0)) + 5)[past.member]
    low, high = np.empty(len(amount)), np.empty(len(amount))
    # Those who come about as often together: few need long rows of chances.
    order = np.argsort(reach, kind="stable")
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        some = past.of(rows)
        most = int(min(reach[rows].max(), _MOST_VISITS))
        chances = purchases.visit_chances(model, some, days, most)[some.member]
        low[rows], high[rows] = _quantiles(amounts, some.repeats[some.member], amount[rows], chances)
    return low, high


def _quantiles(amounts: Spend, repeats: Any, amount: Floats, chances: Floats) -> tuple[Floats, Floats]:
    """Roots of the distribution of a sum of as many amounts as there are visits."""
    # Whoever comes even more often than the last number says is counted with it.
    chances = chances[:, : np.flatnonzero(chances.max(axis=0) > _NEGLIGIBLE)[-1] + 1]
    ahead = np.arange(1, chances.shape[1])[None, :]
    nothing, some = chances[:, 0], chances[:, 1:]
    x, z = np.asarray(repeats)[:, None], amount[:, None]

    def quantile(rows: NDArray[np.bool_], level: float) -> Floats:
        def beyond(position: Floats, row: Any) -> Floats:
            sums = spend.chance_within(amounts, x[row], z[row], ahead, position[:, None])
            return nothing[row] + (some[row] * sums).sum(axis=1) - level

        found = elementwise.find_root(beyond, (0.0, 1.0), args=(np.flatnonzero(rows),), tolerances={"xatol": _NEAR})
        return spend.unscaled(amounts, x[rows, 0], z[rows, 0], found.x)

    low, high = np.zeros(len(amount)), np.zeros(len(amount))
    rarely, often = nothing <= 0.025, (nothing > 0.025) & (nothing < 0.95)
    low[rarely], high[rarely] = quantile(rarely, 0.025), quantile(rarely, 0.975)
    high[often] = quantile(often, 0.95)
    return low, high
