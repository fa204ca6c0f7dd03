"""What customers spend on a visit: the Gamma-Gamma model (Fader and Hardie 2013) by maximum likelihood.

The amount of a visit is gamma distributed around a mean of the customer's own, and the means follow an inverse gamma
distribution over the customers. How often somebody comes says nothing about how much is spent: that is assumed.
Fitted on visits after the first with their mean amount above 0; money in the chain's currency.
"""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, digamma, gammaln

from models.calc.likelihood import Estimate, estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Spend(NamedTuple):
    """The amount of a visit ~ gamma(p, u), where u ~ gamma(q, v) is a customer's own; v is money."""

    p: float
    q: float
    v: float


@dataclass(frozen=True)
class Amounts:
    """What customers spent on visits after the first: how many, and their mean amount, both above 0."""

    visits: Ints
    amount: Floats

    @cached_property
    def total(self) -> Floats:
        return self.visits * self.amount

    @cached_property
    def kinds(self) -> tuple[Ints, NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The different numbers of visits, of each customer which of them, how many customers, sums of log totals."""
        values, position, customers = np.unique(self.visits, return_inverse=True, return_counts=True)
        return values, position, customers, np.bincount(position, weights=np.log(self.total))

    @cached_property
    def log_amounts(self) -> float:
        return float(np.log(self.amount).sum())


def fit(visits: Any, amount: Any) -> Estimate[Spend] | None:
    """The parameters that make the amounts likeliest; None where the amounts do not settle them.

    visits: of each customer, how many visits the mean is of; amount: that mean. Those without either do not count.
    """
    x, z = np.asarray(visits, dtype=np.int64), np.asarray(amount, dtype=np.float64)
    known = (x > 0) & (z > 0)
    if not known.any():
        return None
    amounts = Amounts(x[known], z[known])
    start = Spend(4.0, 3.0, 3.0 / 4.0 * float(amounts.amount.mean()))
    return estimate(partial(log_likelihood, amounts=amounts), start, len(amounts.visits))


def log_likelihood(parameters: Spend, amounts: Amounts) -> tuple[float, Floats]:
    """The logarithm of how likely the mean amounts are, and its slopes in the three parameters."""
    p, q, v = parameters
    # What depends on the number of visits alone, once for each number of them.
    x, position, customers, sum_total = amounts.kinds
    scale = v + amounts.total
    sum_logs = np.bincount(position, weights=np.log(scale))
    sum_shares = np.bincount(position, weights=1 / scale)
    shape, many = p * x, int(customers.sum())
    value = (
        customers @ (gammaln(shape + q) - gammaln(shape) - gammaln(q) + q * np.log(v))
        + shape @ sum_total
        - amounts.log_amounts
        - (shape + q) @ sum_logs
    )
    both = digamma(shape + q)
    slopes = np.array(
        [
            customers @ (x * (both - digamma(shape))) + x @ (sum_total - sum_logs),
            customers @ (both - digamma(q) + np.log(v)) - sum_logs.sum(),
            many * q / v - (shape + q) @ sum_shares,
        ]
    )
    return float(value), slopes


def expected_amount(parameters: Spend, visits: Any, amount: Any) -> Floats:
    """What each customer is expected to spend on a visit: the own mean and that of all, weighted by the visits."""
    shape, scale = _own(parameters, visits, amount)
    return parameters.p * scale / (shape - 1)


def amount_moments(parameters: Spend, visits: Any, amount: Any) -> tuple[Floats, Floats]:
    """Of 1 / u of each customer, the mean and the mean of the square; infinite without an end of the wide tail."""
    shape, scale = _own(parameters, visits, amount)
    with np.errstate(divide="ignore"):
        square = np.where(shape > 2, scale**2 / ((shape - 1) * np.maximum(shape - 2, 0)), np.inf)
    return scale / (shape - 1), square


def chance_within(parameters: Spend, visits: Any, amount: Any, ahead: Any, position: Any) -> Floats:
    """How likely each customer spends up to ``position`` on ``ahead`` visits together (a beta prime variable).

    visits, amount: what is known of the customers; position: a sum as ``unscaled`` takes it; arrays are spread over
    each other.
    """
    shape, _ = _own(parameters, visits, amount)
    return betainc(parameters.p * ahead, shape, position)


def unscaled(parameters: Spend, visits: Any, amount: Any, position: Any) -> Floats:
    """The sum of money at a position between 0 (nothing) and 1 (without bound), on the scale of each customer."""
    _, scale = _own(parameters, visits, amount)
    return scale * position / (1 - position)


def _own(parameters: Spend, visits: Any, amount: Any) -> tuple[Floats, Floats]:
    """Shape and scale of what is known of a customer's u: gamma(shape, scale)."""
    p, q, v = parameters
    x = np.asarray(visits, dtype=np.float64)
    return q + p * x, v + x * np.asarray(amount, dtype=np.float64)
