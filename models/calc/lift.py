"""Lift: what the customers of a treated arm did beyond those of the control group, drawn at random beside them.

By intention to treat: everybody assigned counts, whether reached or not, in the arm they were assigned to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from models.calc.funnel import Z95, wilson_of_share

Floats = npt.NDArray[np.float64]

Z80 = 0.8416212335729143  # of a power of 80 %
MOST_DRAWN = 1_000  # buyers up to which a randomisation test is drawn instead of approximated
DRAWS = 1_999
ROUNDS = 10  # of as many draws, where a first one leaves open which side of a verdict it is
OPEN = 0.01, 0.1  # two-sided p-values from and to which a verdict may turn, after Holm over some arms
ENOUGH_BUYERS = 50  # in each arm: with fewer, an interval for money does not cover as often as it says
SLIGHT_SKEW = 0.1  # of a difference, below which Welch's interval needs no correction


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the ``people`` of one arm did: ``values`` holds the values that are not zero, in any order."""

    people: int
    values: Floats

    @property
    def total(self) -> float:
        return float(self.values.sum())

    @property
    def mean(self) -> float:
        return self.total / self.people if self.people else float("nan")

    @property
    def variance(self) -> float:
        """The unbiased variance over all people, zeros included; NaN for fewer than two."""
        if self.people < 2:
            return float("nan")
        zeros = self.people - len(self.values)
        squares = float(((self.values - self.mean) ** 2).sum()) + zeros * self.mean**2
        return squares / (self.people - 1)

    @property
    def third(self) -> float:
        """The third central moment over all people, zeros included."""
        zeros = self.people - len(self.values)
        return (float(((self.values - self.mean) ** 3).sum()) - zeros * self.mean**3) / self.people


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference or a ratio with its 95 % interval; NaN where there is none."""

    value: float
    lo: float
    hi: float


NONE = Estimate(float("nan"), float("nan"), float("nan"))


def share_difference(treated: int, people: int, control: int, others: int) -> Estimate:
    """The difference of two shares with Newcombe's interval, which combines the Wilson intervals of both.

    Source: R. G. Newcombe, Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17 (1998), method 10.
    """
    if not people or not others:
        return NONE
    p, q = treated / people, control / others
    (p_lo, p_hi), (q_lo, q_hi) = wilson_of_share(p, float(people)), wilson_of_share(q, float(others))
    below = np.sqrt((p - p_lo) ** 2 + (q_hi - q) ** 2)
    above = np.sqrt((p_hi - p) ** 2 + (q - q_lo) ** 2)
    return Estimate(p - q, float(p - q - below), float(p - q + above))


def share_ratio(treated: int, people: int, control: int, others: int) -> Estimate:
    """The ratio of two shares minus 1 (the relative lift), its interval on the log scale; none without a success.

    Source: Katz et al., Obtaining confidence intervals for the risk ratio in cohort studies, Biometrics 34 (1978).
    """
    if not treated or not control:
        return NONE
    log_ratio = np.log(treated / people) - np.log(control / others)
    error = np.sqrt(1 / treated - 1 / people + 1 / control - 1 / others)
    lo, hi = np.exp(log_ratio - Z95 * error), np.exp(log_ratio + Z95 * error)
    return Estimate(float(np.exp(log_ratio)) - 1, float(lo) - 1, float(hi) - 1)


def share_p(treated: int, people: int, control: int, others: int) -> tuple[float, float]:
    """One-sided p-values of the exact randomisation test of two shares: (that more of the treated did it, fewer).

    Of all draws of the treated arm; Fisher's exact test. NaN without people in one arm.
    """
    if not people or not others:
        return float("nan"), float("nan")
    drawn = people + others, treated + control, people
    return float(stats.hypergeom.sf(treated - 1, *drawn)), float(stats.hypergeom.cdf(treated, *drawn))


def mean_difference(treated: Outcome, control: Outcome) -> Estimate:
    """The difference of two means with its interval, if both arms have ``ENOUGH_BUYERS``; else without one.

    Where nearly everybody spends nothing, a small control group misses the few who spend much: its variance is too
    small and an interval says "worked" too often. Welch's interval where the estimate is about symmetric; else, as
    with a control group much smaller than the treated arm, the intervals of both means are put together as Newcombe
    does with shares (G. Y. Zou and A. Donner, Construction of confidence limits about effect measures, Statistics in
    Medicine 27, 2008), each from the t that Hall has freed of its skewness (P. Hall, On the removal of skewness by
    transformation, JRSS B 54, 1992).
    """
    difference = treated.mean - control.mean
    if min(len(treated.values), len(control.values)) < ENOUGH_BUYERS:
        return Estimate(difference, float("nan"), float("nan"))
    a, b = treated.variance / treated.people, control.variance / control.people
    skew = (treated.third / treated.people**2 - control.third / control.people**2) / (a + b) ** 1.5
    if abs(skew) < SLIGHT_SKEW:
        freedom = (a + b) ** 2 / (a**2 / (treated.people - 1) + b**2 / (control.people - 1))
        spread = float(stats.t.ppf(0.975, freedom) * np.sqrt(a + b))
        return Estimate(difference, difference - spread, difference + spread)
    (lo, hi), (control_lo, control_hi) = _mean_interval(treated), _mean_interval(control)
    below = np.hypot(treated.mean - lo, control_hi - control.mean)
    above = np.hypot(hi - treated.mean, control.mean - control_lo)
    return Estimate(difference, float(difference - below), float(difference + above))


def _mean_interval(arm: Outcome) -> tuple[float, float]:
    error = float(np.sqrt(arm.variance / arm.people))
    skew = arm.third / arm.people**2 / error**3
    if skew == 0:
        return arm.mean - Z95 * error, arm.mean + Z95 * error
    lower, upper = (3 / skew * (np.cbrt(1 + skew * (z - skew / 6)) - 1) for z in (-Z95, Z95))
    return float(arm.mean - error * upper), float(arm.mean - error * lower)


def randomisation_p(treated: Outcome, control: Outcome, seed: int = 0) -> tuple[float, float]:
    """One-sided p-values of a randomisation test: (that treated spend more, that they spend less).

    If the treatment did nothing, any draw of as many people would have given a difference like it. With up to
    ``MOST_DRAWN`` buyers ``DRAWS`` draws are made, ``ROUNDS`` times as many where a verdict may turn; with more, the
    three moments of all possible draws are known and a Pearson type III curve takes their place (Mielke and Berry,
    Permutation Methods, 2007, ch. 2). NaN without people in one arm; 1 and 1 when nobody spent anything.
    """
    if not treated.people or not control.people:
        return float("nan"), float("nan")
    values = np.concatenate([treated.values, control.values])
    if not len(values):
        return 1.0, 1.0
    total = treated.total
    if len(values) > MOST_DRAWN:
        return _approximated(values, total, treated.people, control.people)
    sizes = treated.people, control.people
    drawn = _drawn(values, *sizes, np.random.default_rng(seed))
    found = _as_extreme(drawn, values, total)
    if OPEN[0] <= 2 * min(found) <= OPEN[1]:
        more = [_drawn(values, *sizes, np.random.default_rng([seed, number])) for number in range(1, ROUNDS)]
        found = _as_extreme(np.concatenate([drawn, *more]), values, total)
    return found


def _as_extreme(drawn: Floats, values: Floats, total: float) -> tuple[float, float]:
    """The shares of sums as high, and as low, as the total, this one among them."""
    slack = 1e-9 * float(np.abs(values).sum())  # sums of the same values in another order are equal
    as_much, as_little = int((drawn >= total - slack).sum()), int((drawn <= total + slack).sum())
    return (1 + as_much) / (1 + len(drawn)), (1 + as_little) / (1 + len(drawn))


def _drawn(values: Floats, people: int, others: int, rng: np.random.Generator) -> Floats:
    """The sums of ``DRAWS`` random treated arms: of each how many of the buyers are in it, and which, the first ones of
    a random order. Only the smaller arm is added up: the other one has the rest of the total."""
    buyers = len(values)
    treated = rng.hypergeometric(buyers, people + others - buyers, people, DRAWS)
    values = rng.permutation(values)
    is_rest = people > others
    counts = buyers - treated if is_rest else treated
    most = int(counts.max())
    columns = slice(buyers - most, None) if is_rest else slice(most)
    starts = np.arange(DRAWS) * most
    if is_rest:
        starts += most - counts
    each = np.zeros(DRAWS * most + 1)
    np.take(values, _orders(DRAWS, buyers)[:, columns].ravel(), out=each[:-1], mode="clip")
    sums = np.add.reduceat(each, np.column_stack([starts, starts + counts]).ravel())[::2]
    sums = np.where(counts > 0, sums, 0.0)
    return float(values.sum()) - sums if is_rest else sums


@lru_cache(maxsize=2)  # the outcomes of one arm have the same buyers, but for those who brought everything back
def _orders(draws: int, buyers: int) -> npt.NDArray[np.uint16]:
    """So many random orders of the buyers, one per row. A random order of more people is one of any of them, too, and
    to leave the others out takes a tenth of the time to draw anew."""
    wider = _wide(draws, 1 << (buyers - 1).bit_length())
    return wider[wider < buyers].reshape(draws, buyers)


@lru_cache(maxsize=16)
def _wide(draws: int, people: int) -> npt.NDArray[np.uint16]:
    """The same of a power of two, from twice as many, of which those of ``MOST_DRAWN`` are drawn."""
    if people >= MOST_DRAWN:
        return np.random.default_rng(0).random((draws, people)).argsort(axis=1).astype(np.uint16).ravel()
    wider = _wide(draws, 2 * people)
    return wider[wider < people]


def _approximated(values: Floats, total: float, people: int, others: int) -> tuple[float, float]:
    n = people + others
    mean, zeros = float(values.sum()) / n, n - len(values)
    second = float(((values - mean) ** 2).sum()) + zeros * mean**2
    third = float(((values - mean) ** 3).sum()) - zeros * mean**3
    variance = people * others / (n * (n - 1)) * second
    if variance == 0:
        return 1.0, 1.0
    skew = people * others * (others - people) / (n * (n - 1) * (n - 2)) * third / variance**1.5
    curve = {"loc": people * mean, "scale": np.sqrt(variance)}
    return float(stats.pearson3.sf(total, skew, **curve)), float(stats.pearson3.cdf(total, skew, **curve))


def sample_ratio_p(people: Sequence[int], shares: Sequence[float]) -> float:
    """The p-value that arms of these sizes were drawn in the planned ``shares`` (chi-square); NaN without a plan.

    A very small one (below .001) means that the arms are not what was planned, and nothing can be concluded.
    """
    planned = np.asarray(shares, dtype="float64")
    if len(planned) < 2 or not np.isfinite(planned).all() or (planned <= 0).any() or not sum(people):
        return float("nan")
    expected = planned / planned.sum() * sum(people)
    return float(stats.chisquare(people, expected).pvalue)


def smallest_detectable(deviation: float, people: int, others: int) -> float:
    """The smallest true difference of means that an experiment of this size finds in four of five cases.

    ``deviation``: the standard deviation of the outcome; NaN without people in one arm.
    """
    if not people or not others:
        return float("nan")
    return float((Z95 + Z80) * deviation * np.sqrt(1 / people + 1 / others))


def people_needed(deviation: float, difference: float, treated_share: float) -> float:
    """How many people, both arms together, find a true ``difference`` in four of five cases; infinite for none."""
    if not difference or not 0 < treated_share < 1:
        return float("inf")
    return float(((Z95 + Z80) * deviation / difference) ** 2 / (treated_share * (1 - treated_share)))


def holm(p_values: Sequence[float]) -> Floats:
    """p-values adjusted for having looked at several (Holm 1979); missing ones stay missing and count for nothing."""
    p = np.asarray(p_values, dtype="float64")
    adjusted = np.full(len(p), np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return adjusted


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the people of one arm: outcome y and what the same people had before the campaign, x."""

    people: int
    x: float
    y: float
    xx: float
    yy: float
    xy: float


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A difference of means with what was there before taken out, and the share of variance that this removed."""

    difference: float
    variance_reduction: float


def cuped(treated: Moments, control: Moments) -> Adjusted:
    """The difference in y adjusted for x, known before the campaign.

    Source: Deng, Xu, Kohavi and Walker, Improving the sensitivity of online controlled experiments by utilizing
    pre-experiment data, WSDM 2013. NaN where x or y does not vary.
    """
    n = treated.people + control.people
    x, y = treated.x + control.x, treated.y + control.y
    xx = treated.xx + control.xx - x * x / n if n else 0.0
    yy = treated.yy + control.yy - y * y / n if n else 0.0
    if min(treated.people, control.people) == 0 or xx <= 0 or yy <= 0:
        return Adjusted(float("nan"), float("nan"))
    xy = treated.xy + control.xy - x * y / n
    theta = xy / xx
    raw = treated.y / treated.people - control.y / control.people
    before = treated.x / treated.people - control.x / control.people
    return Adjusted(raw - theta * before, xy * xy / (xx * yy))
