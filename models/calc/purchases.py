"""How often customers come back: the BG/NBD model (Fader, Hardie and Lee 2005) by maximum likelihood.

While active, a customer visits at random at an own rate, and after each visit may leave for good with an own
probability. Rates follow a gamma distribution (r, alpha) over the customers, probabilities a beta distribution (a, b).
Of each customer's past three numbers decide: visits after the first, when the last of them was, and for how long the
customer has been one. Customers with the same three numbers are counted once, which changes nothing but the time.

Durations are days; parameters are for weeks, as published.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal
from scipy.special import betainc, betaln, digamma, gammaln

from models.calc.likelihood import Estimate, estimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DAYS_A_WEEK = 7
_NODES = 24  # of the quadrature over the probability of leaving: more change no digit that is shown
_AT_ONCE = 4_096  # pasts at a time, so that their points stay in the processor's cache
_MOST_DAYS = 1 << 16  # more than any history has, so that three numbers make one


class Purchases(NamedTuple):
    """The parameters: visits a week ~ gamma(r, alpha), leaving after a visit ~ beta(a, b)."""

    r: float
    alpha: float
    a: float
    b: float


_START = Purchases(1.0, 10.0, 1.0, 2.5)


@dataclass(frozen=True)
class Histories:
    """Different pasts and how many customers have each.

    repeats: visit days after the first; recency_days: from the first to the last of all; age_days: from the first to
    the day of the question; customers: with this past; member: of each customer given, which past it is.
    """

    repeats: Ints
    recency_days: Ints
    age_days: Ints
    customers: Ints
    member: Ints

    @cached_property
    def kinds(self) -> tuple[Ints, Ints]:
        """The different numbers of repeats, and of each past which of them it has."""
        values, position = np.unique(self.repeats, return_inverse=True)
        return values, position

    def of(self, rows: Ints) -> "Histories":
        """The pasts of some of the customers given, by their positions."""
        member = self.member[rows]
        return histories(self.repeats[member], self.recency_days[member], self.age_days[member])

    def every(self, step: int) -> "Histories":
        """One past in ``step``; it knows none of the customers given."""
        x, recency, age, many = self.repeats, self.recency_days, self.age_days, self.customers
        return Histories(x[::step], recency[::step], age[::step], many[::step], np.empty(0, dtype=np.int64))


def histories(repeats: Any, recency_days: Any, age_days: Any) -> Histories:
    """The pasts of customers, one number each per customer, counted."""
    x, recency, age = (np.asarray(values, dtype=np.int64) for values in (repeats, recency_days, age_days))
    # pandas numbers a million values by a hash in half the time that numpy takes to sort them.
    member, codes = pd.factorize((x * _MOST_DAYS + recency) * _MOST_DAYS + age)
    rest, age = np.divmod(codes, _MOST_DAYS)
    x, recency = np.divmod(rest, _MOST_DAYS)
    return Histories(x, recency, age, np.bincount(member, minlength=len(codes)), member)


def fit(past: Histories) -> Estimate[Purchases] | None:
    """The parameters that make the pasts likeliest; None where the pasts do not settle them."""
    return estimate(partial(log_likelihood, past=past), _START, int(past.customers.sum()))


def log_likelihood(parameters: Purchases, past: Histories) -> tuple[float, Floats]:
    """The logarithm of how likely the pasts are, and its slopes in the four parameters."""
    r, alpha, a, b = parameters
    x, position = past.kinds
    weight = past.customers
    # What depends on the number of visits alone, once for each number of them.
    same = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
    same_a = digamma(a + b) - digamma(a + b + x)
    with_x = np.bincount(position, weights=weight)
    logs_age, logs_recency, share_age, share_recency = _times(alpha, past)
    rate = r + past.repeats
    stayed = -rate * logs_age
    left = -rate * logs_recency + _log_odds_left(a, b, x)[position]
    either = np.logaddexp(stayed, left)
    gone = np.exp(left - either)
    here = 1 - gone
    value = float(with_x @ same + weight @ either)
    gone_of_x = np.bincount(position, weights=weight * gone)
    slopes = np.array(
        [
            with_x @ (digamma(r + x) - digamma(r) + np.log(alpha)) - weight @ (here * logs_age + gone * logs_recency),
            weight.sum() * r / alpha - weight @ (rate * (here * share_age + gone * share_recency)),
            with_x @ same_a + gone_of_x.sum() / a,
            with_x @ (same_a + digamma(b + x) - digamma(b)) - gone_of_x @ _per_visit(b, x),
        ]
    )
    return value, slopes


def _log_odds_left(a: float, b: float, x: Ints) -> Floats:
    """Of leaving after the last of ``x`` visits; nobody leaves after the first purchase."""
    with np.errstate(divide="ignore"):
        return np.log(a * _per_visit(b, x))


def _per_visit(b: float, x: Ints) -> Floats:
    return np.where(x > 0, 1 / (b + np.maximum(x, 1) - 1), 0.0)


def _times(alpha: float, past: Histories) -> tuple[Floats, Floats, Floats, Floats]:
    """The logarithm of alpha + age, of alpha + recency, and one over each: looked up, for days are whole numbers."""
    weeks = alpha + np.arange(int(past.age_days.max(initial=0)) + 1) / DAYS_A_WEEK
    logs, shares = np.log(weeks), 1 / weeks
    return logs[past.age_days], logs[past.recency_days], shares[past.age_days], shares[past.recency_days]


def probability_active(parameters: Purchases, past: Histories) -> Floats:
    """Of each past, how likely such a customer still is one. It is 1 without a second visit: nobody leaves before."""
    r, alpha, a, b = parameters
    x, position = past.kinds
    logs_age, logs_recency, _, _ = _times(alpha, past)
    odds = _log_odds_left(a, b, x)[position] + (r + past.repeats) * (logs_age - logs_recency)
    return 1 / (1 + np.exp(np.minimum(odds, 700.0)))


def expected_visits(parameters: Purchases, past: Histories, days: int) -> Floats:
    """Of each past, the visit days to expect in the next ``days``."""
    return _moments(parameters, past, days, squares=False)[0]


def visit_moments(parameters: Purchases, past: Histories, days: int) -> tuple[Floats, Floats]:
    """Of each past, the mean of the visit days in the next ``days`` and the mean of their square."""
    return _moments(parameters, past, days, squares=True)


def _moments(parameters: Purchases, past: Histories, days: int, *, squares: bool) -> tuple[Floats, Floats]:
    """Given the rate and the probability p of leaving both moments are elementary, and over the rate they are
    integrated exactly; over p by quadrature. The closed form of the mean has a pole at a = 1, that of the square
    another at a = 2; this has none."""
    r, alpha, a, b = parameters
    ahead = (days / DAYS_A_WEEK) / (alpha + past.age_days / DAYS_A_WEEK)
    mean, square = np.empty(len(ahead)), np.empty(len(ahead) if squares else 0)
    x, position = past.kinds
    order = np.argsort(position, kind="stable")
    ends = np.cumsum(np.bincount(position, minlength=len(x)))
    for repeats, start, end in zip(x.tolist(), [0, *ends[:-1].tolist()], ends.tolist(), strict=True):
        p, chance = _leaving(a, b + repeats)
        shape = r + repeats
        for first in range(start, end, _AT_ONCE):
            rows = order[first : min(first + _AT_ONCE, end)]
            growth = np.log1p(np.outer(ahead[rows], p))
            seen = -np.expm1(-shape * growth) / p
            mean[rows] = seen @ chance
            if squares:
                # The sum of k P(X >= k) is the mean of X (X + 1) / 2.
                last = (1 - p) * shape * ahead[rows][:, None] * np.exp(-(shape + 1) * growth)
                square[rows] = 2 * ((seen - last) / p @ chance) - mean[rows]
    active = probability_active(parameters, past)
    return active * mean, active * square if squares else square


@lru_cache(maxsize=4096)  # the same few are asked for over and over while another parameter moves
def _leaving(a: float, b: float) -> tuple[Floats, Floats]:
    """Points and weights of Gauss's quadrature over beta(a, b), by the eigenvalues of its recurrence."""
    n = np.arange(_NODES, dtype=np.float64)
    total = a + b
    with np.errstate(invalid="ignore"):
        centre = 0.5 + (a - b) * (total - 2) / (2 * (2 * n + total) * (2 * n + total - 2))
    centre[0] = a / total
    k = n[1:]
    wide = 2 * k + total - 2
    with np.errstate(invalid="ignore"):
        side = k * (k + total - 2) * (k + a - 1) * (k + b - 1) / (wide**2 * (wide**2 - 1))
    side[0] = a * b / (total**2 * (total + 1))
    points, vectors = eigh_tridiagonal(centre, np.sqrt(side))
    return np.clip(points, 1e-12, 1.0), vectors[0] ** 2


def visit_chances(parameters: Purchases, past: Histories, days: int, most: int) -> Floats:
    """One row per past: how likely 0, 1, ... ``most`` - 1 and, last, at least ``most`` visit days are in ``days``."""
    r, alpha, a, b = parameters
    k = np.arange(1, most + 1)
    age = alpha + past.age_days[:, None] / DAYS_A_WEEK
    shape = (r + past.repeats)[:, None]
    stay = b + past.repeats[:, None]
    # At least k visits: enough of them would come, and the customer stays after each of the first k - 1.
    would = betainc(k[None, :], shape, (days / DAYS_A_WEEK) / (age + days / DAYS_A_WEEK))
    stays = np.exp(betaln(a, stay + k[None, :] - 1) - betaln(a, stay))
    at_least = probability_active(parameters, past)[:, None] * would * stays
    upper = np.concatenate([np.ones((len(at_least), 1)), at_least], axis=1)
    return upper - np.concatenate([at_least, np.zeros((len(at_least), 1))], axis=1)


def next_visit_days(parameters: Purchases, past: Histories, share: float) -> Floats:
    """Of each past, the days from now within which so large a share of such customers will have come again, of those
    who still are customers.

    What their visits tell of their rate leaves a gamma distribution (r + repeats, alpha + age) of it, so waits follow
    the Lomax distribution of these two.
    """
    r, alpha, _, _ = parameters
    known = alpha + past.age_days / DAYS_A_WEEK
    days: Floats = DAYS_A_WEEK * known * np.expm1(-np.log1p(-share) / (r + past.repeats))
    return days
