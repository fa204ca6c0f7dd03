"""What a campaign without a control group may have brought: its customers against others like them, adjusted.

An estimate for the treated, by augmented inverse-probability weighting with cross-fitting: it is right when either the
model of who was chosen or that of what people do is. Both know only what is measured; what else set the chosen apart
stays in the estimate, so it is never called caused. Sources: Robins, Rotnitzky and Zhao, JASA 89 (1994); Chernozhukov
and others, Double/debiased machine learning, Econometrics Journal 21 (2018).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from threadpoolctl import threadpool_limits

from models.calc.funnel import Z95

Floats = npt.NDArray[np.float64]

FOLDS = 5
CLIP = 0.02, 0.98  # of the chance to be chosen: beyond, a single customer would stand for too many
COMPARABLE = 0.9  # chance to be chosen above which hardly anybody like them was left out
LEAST_COMPARABLE = 0.8  # of the treated: with fewer, others are not like them
BALANCED = 0.1  # standardised difference up to which two groups count as alike
LEAST = 200  # people in each group
_RIDGE = 1e-3
_STEPS = 30
_CLOSE = 1e-5  # the last step of Newton's method: what is still missing then is about its square


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean difference among the treated, its 95 % interval and two-sided p-value."""

    treated: float
    expected: float  # of the treated, had they not been chosen
    naive: float  # the plain difference of means
    difference: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The treated against others like them.

    estimates: in the order of the outcomes; balance: one row per thing known before (trait; treated, others, weighted:
    means; apart_before, apart_after: standardised differences without and with weights); comparable: share of the
    treated whose chance to be chosen is at most ``COMPARABLE``; people, others: how many.
    """

    estimates: tuple[Estimate, ...]
    balance: pd.DataFrame
    comparable: float
    people: int
    others: int

    @property
    def is_balanced(self) -> bool:
        return bool((self.balance["apart_after"].abs() <= BALANCED).all())

    @property
    def is_usable(self) -> bool:
        """Whether the groups can be compared at all."""
        return self.comparable >= LEAST_COMPARABLE and self.is_balanced


def compare(known: pd.DataFrame, treated: npt.NDArray[np.bool_], outcomes: Floats, seed: int = 0) -> Comparison | None:
    """The treated against the others. ``known``: what was known before, numbers; ``outcomes``: a column per outcome.

    None with fewer than ``LEAST`` people in a group.
    """
    if not are_enough(treated):
        return None
    varying = known.loc[:, known.std() > 0]
    # Threads of linear algebra on tables as narrow as this only wait for each other.
    with threadpool_limits(1):
        chance, expected = _learnt(_design(varying.to_numpy(dtype="float64")), treated, outcomes, seed)
    weights = np.where(treated, 1.0, _odds(chance))
    return Comparison(
        tuple(_estimate(treated, weights, outcomes[:, at], expected[:, at]) for at in range(outcomes.shape[1])),
        _balance(varying, treated, weights),
        float((chance[treated] <= COMPARABLE).mean()),
        int(treated.sum()),
        int((~treated).sum()),
    )


def are_enough(treated: npt.NDArray[np.bool_]) -> bool:
    """Whether both groups have ``LEAST`` people."""
    many = int(treated.sum())
    return min(many, len(treated) - many) >= LEAST


def _learnt(x: Floats, treated: npt.NDArray[np.bool_], outcomes: Floats, seed: int) -> tuple[Floats, Floats]:
    """The chance to be chosen and what is expected without it, of each person learnt from the other folds."""
    fold = np.random.default_rng(seed).permutation(len(x)) % FOLDS
    chance, expected = np.empty(len(x)), np.empty_like(outcomes)
    beta = np.zeros(x.shape[1])
    sums = [_sums(x[part], outcomes[part]) for part in (~treated & (fold == number) for number in range(FOLDS))]
    squares, products = (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
    for number in range(FOLDS):
        out, learn = fold == number, fold != number
        beta = _logistic(x[learn], treated[learn], beta)
        own = x[out]
        chance[out] = 1 / (1 + np.exp(-np.clip(own @ beta, -30, 30)))
        expected[out] = own @ _linear(squares - sums[number][0], products - sums[number][1])
    return chance, expected


def _sums(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """What least squares needs of some people, which adds up over them."""
    return x.T @ x, x.T @ y


def _design(x: Floats) -> Floats:
    """Standardised, with squares of what takes more than two values, and a column of ones."""
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    z = np.clip(z, -6, 6)
    squares = [z[:, at] ** 2 for at in range(z.shape[1]) if len(np.unique(z[:, at][:1000])) > 2]
    return np.column_stack([np.ones(len(z)), z, *squares])


def _logistic(x: Floats, chosen: npt.NDArray[np.bool_], beta: Floats) -> Floats:
    """The coefficients of a logistic regression of who was chosen, by Newton's method from ``beta`` on."""
    ridge = _RIDGE * len(x) * np.eye(x.shape[1])
    ridge[0, 0] = 0.0
    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ beta, -30, 30)))
        slope = x.T @ (chosen - p) - ridge @ beta
        curve = (x * (p * (1 - p))[:, None]).T @ x + ridge + 1e-9 * np.eye(x.shape[1])
        step = np.linalg.solve(curve, slope)
        beta = beta + step
        if float(np.abs(step).max()) < _CLOSE:
            break
    return beta


def _linear(squares: Floats, products: Floats) -> Floats:
    """The coefficients of least squares from ``_sums``; the first column is ones, so its square is the people."""
    ridge = 1e-6 * squares[0, 0] * np.eye(len(squares))
    return np.asarray(np.linalg.solve(squares + ridge, products), dtype="float64")


def _odds(chance: Floats) -> Floats:
    clipped = np.clip(chance, *CLIP)
    odds: Floats = clipped / (1 - clipped)
    return odds


def _estimate(treated: npt.NDArray[np.bool_], weights: Floats, y: Floats, expected: Floats) -> Estimate:
    """Of the treated: what they did less what is expected of people like them, corrected by what others did."""
    share = treated.mean()
    rest = y - expected
    weighted = weights * ~treated
    scale = float(weighted.sum()) / float(treated.sum())  # weights of the others add up to the treated
    each = (treated * rest - weighted * rest / scale) / share
    difference = float(each.mean())
    influence = each - treated / share * difference
    error = float(influence.std(ddof=1) / np.sqrt(len(y)))
    own = float(y[treated].mean())
    return Estimate(
        own,
        own - difference,
        own - float(y[~treated].mean()),
        difference,
        difference - Z95 * error,
        difference + Z95 * error,
    )


def _balance(known: pd.DataFrame, treated: npt.NDArray[np.bool_], weights: Floats) -> pd.DataFrame:
    x = known.to_numpy(dtype="float64")
    own, rest, w = x[treated], x[~treated], weights[~treated]
    means, plain = own.mean(axis=0), rest.mean(axis=0)
    weighted = (rest * w[:, None]).sum(axis=0) / w.sum()
    spread = np.sqrt((own.var(axis=0) + rest.var(axis=0)) / 2)
    spread = np.where(spread > 0, spread, np.nan)
    return pd.DataFrame(
        {
            "trait": list(known),
            "treated": means,
            "others": plain,
            "weighted": weighted,
            "apart_before": np.nan_to_num((means - plain) / spread),
            "apart_after": np.nan_to_num((means - weighted) / spread),
        }
    )
