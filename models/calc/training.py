"""What a course did to the sales of those who took it: staggered difference-in-differences.

Whoever completes a course in a month is compared over the half year before and the half year after with colleagues in
the same kind of job who never took it or take it only after that half year (Callaway and Sant'Anna, Journal of
Econometrics 2021: effects by month of training, averaged by people; the months before are averaged instead of taking
one, as their noise is large). Colleagues are matched by their job and by having settled in, not by what they sold
before: matching people on a noisy figure makes those fall back who were lucky, which looks like an effect (Daw and
Hatfield, Health Services Research 2018). Other courses that begin in between are taken out by regression.

Errors are clustered by store. Below 30 stores the interval is that of a wild cluster bootstrap with the hypothesis
imposed and Webb's weights (Cameron, Gelbach and Miller, REStat 2008; MacKinnon and Webb 2018), inverted, or that of
leaving out one store after the other where it is wider (MacKinnon, Nielsen and Webb, JAE 2023): with ten stores the
bootstrap alone covers the truth in 92 of 100 cases only. The same comparison of two quarters before the training must
show nothing: else the groups moved apart already.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
Verdict = Literal["worked", "hurt", "no_evidence", "drifted", "too_few"]
VERDICTS: Final[tuple[Verdict, ...]] = ("worked", "no_evidence", "hurt", "drifted", "too_few")

WINDOW: Final = 6  # months before and after the month of the training
LEAST_MONTHS: Final = 3  # of a window in which a person worked
SETTLED: Final = 3  # months after being hired that are left out
LEAST_PEOPLE: Final = 10  # trained, and as many colleagues
LEAST_STORES: Final = 5
BOOTSTRAP_BELOW: Final = 30  # stores
NEVER: Final = -1

_DRAWS = 1999
_SEED = 1  # the same people give the same interval
_WEBB = np.array([-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5)])
_SURE = 0.05


@dataclass(frozen=True, slots=True)
class Panel:
    """People by month. rate: people x months, logarithm of sales to what the person met, NaN where one did not work;
    store, job: number of each person's; hired: month in which each was hired (below 0: before the first)."""

    rate: Floats
    store: Whole
    job: Whole
    hired: Whole


@dataclass(frozen=True, slots=True)
class Estimate:
    """A difference of logarithms with its 95 % interval and p-value."""

    value: float
    lo95: float
    hi95: float
    p_value: float


@dataclass(frozen=True, slots=True)
class CourseEffect:
    """One course. effect, lo95, hi95: relative change of sales after it (0.10 = a tenth more), NaN where too few.

    people: trained who could be compared; colleagues: with whom; stores: of all of them. drift: the same comparison of
    two quarters before, which must be nothing. path: one row per month from the training (month, effect, lo95, hi95).
    """

    people: int
    colleagues: int
    stores: int
    effect: float
    lo95: float
    hi95: float
    p_value: float
    drift: float
    drift_p: float
    bootstrap: bool
    verdict: Verdict
    path: pd.DataFrame


@dataclass(frozen=True, slots=True)
class _Rows:
    """One entry per trained person and per colleague whom somebody is compared with in a month of training."""

    change: Floats  # after less before
    earlier: Floats  # the quarter before less the one before that; NaN: too short a past
    path: Floats  # rows x months from the training: less the mean before
    treated: Floats
    cell: Whole  # compared with one another
    weight: Floats
    person: Whole
    others: Floats  # rows x other courses: share of the months after, less of those before, with the course


def effect(panel: Panel, trained: Whole, others: Whole) -> CourseEffect:
    """The effect of a course. trained: month of each person's training (``NEVER``); others: people x other courses,
    the same."""
    settled = panel.hired[:, None] + SETTLED <= np.arange(panel.rate.shape[1])[None, :]
    rate = np.where(settled, panel.rate, np.nan)
    rows = _rows(rate, panel.job, trained, others)
    is_trained = rows.treated > 0
    people = len(np.unique(rows.person[is_trained]))
    colleagues = len(np.unique(rows.person[~is_trained]))
    store = panel.store[rows.person]
    stores = len(np.unique(store))
    if people < LEAST_PEOPLE or colleagues < LEAST_PEOPLE or stores < LEAST_STORES:
        nothing = pd.DataFrame(columns=["month", "effect", "lo95", "hi95"])
        unknown = (math.nan,) * 6
        return CourseEffect(people, colleagues, stores, *unknown, False, "too_few", nothing)
    found = _estimate(rows.change, rows, store)
    known = np.isfinite(rows.earlier)
    drift = _estimate(rows.earlier[known], _some(rows, known), store[known]) if known.any() else _UNKNOWN
    return CourseEffect(
        people, colleagues, stores,
        math.expm1(found.value), math.expm1(found.lo95), math.expm1(found.hi95), found.p_value,
        math.expm1(drift.value), drift.p_value, stores < BOOTSTRAP_BELOW,
        _verdict(found, drift), _path(rows, store),
    )  # fmt: skip


def _verdict(found: Estimate, drift: Estimate) -> Verdict:
    if drift.p_value < _SURE:
        return "drifted"
    if found.p_value < _SURE:
        return "worked" if found.value > 0 else "hurt"
    return "no_evidence"


def _rows(rate: Floats, job: Whole, trained: Whole, others: Whole) -> _Rows:
    parts = list(_cells(rate, job, trained, others))
    if not parts:
        empty = np.zeros(0)
        none = np.zeros(0, dtype=np.int64)
        return _Rows(empty, empty, np.zeros((0, 2 * WINDOW)), empty, none, empty, none, np.zeros((0, others.shape[1])))
    cell = np.repeat(np.arange(len(parts)), [len(part.change) for part in parts])
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("change", "earlier", "path", "treated", "weight", "person", "others")
    }
    return _Rows(cell=cell, **joined)


def _cells(rate: Floats, job: Whole, trained: Whole, others: Whole) -> Iterator[_Rows]:
    """For each month of training and each job whoever was trained then and all who can be compared with them."""
    months = rate.shape[1]
    steps = np.r_[-WINDOW:0, 1 : WINDOW + 1]
    for month in np.unique(trained[trained >= 0]):
        at = month + steps
        inside = (at >= 0) & (at < months)
        seen = np.full((len(rate), len(steps)), np.nan)
        seen[:, inside] = rate[:, at[inside]]
        there = np.isfinite(seen)
        before, after = there[:, :WINDOW], there[:, WINDOW:]
        usable = (before.sum(axis=1) >= LEAST_MONTHS) & (after.sum(axis=1) >= LEAST_MONTHS)
        untrained = (trained == NEVER) | (trained > month + WINDOW)
        for kind in np.unique(job):
            mine = usable & (job == kind) & ((trained == month) | untrained)
            now = np.flatnonzero(mine & (trained == month))
            beside = np.flatnonzero(mine & untrained)
            if not len(now) or len(beside) < 2:
                continue
            usual, held = _mean(seen[beside], axis=0), np.isfinite(seen[beside]).any(axis=0)
            person = np.r_[now, beside]
            level = np.where(held, seen[person] - usual, np.nan)
            enough = (np.isfinite(level[:, :WINDOW]).sum(axis=1) >= LEAST_MONTHS) & (
                np.isfinite(level[:, WINDOW:]).sum(axis=1) >= LEAST_MONTHS
            )
            person, level = person[enough], level[enough]
            treated = (trained[person] == month).astype(np.float64)
            if not 0 < treated.sum() < len(treated):
                continue
            past = _mean(level[:, :WINDOW], axis=1)
            half = WINDOW // 2
            yield _Rows(
                change=_mean(level[:, WINDOW:], axis=1) - past,
                earlier=_mean(level[:, half:WINDOW], axis=1) - _mean(level[:, :half], axis=1),
                path=level - past[:, None],
                treated=treated,
                cell=np.zeros(0, dtype=np.int64),
                weight=np.where(treated > 0, 1.0, treated.sum() / (treated == 0).sum()),
                person=person,
                others=_taken_since(level, others[person], at),
            )


def _mean(values: Floats, axis: int) -> Floats:
    """The mean of what is known along an axis; NaN of nothing."""
    known = np.isfinite(values)
    many = known.sum(axis=axis)
    found: Floats = np.where(known, values, 0.0).sum(axis=axis) / np.where(many > 0, many, np.nan)
    return found


def _taken_since(level: Floats, others: Whole, at: Whole) -> Floats:
    """For each row and other course the share of the months worked after, less of those before, by which it was
    completed."""
    worked = np.isfinite(level)[:, None, :]
    held = ((others >= 0)[:, :, None] & (others[:, :, None] <= at[None, None, :])) & worked
    after = held[:, :, WINDOW:].sum(axis=2) / worked[:, :, WINDOW:].sum(axis=2)
    before = held[:, :, :WINDOW].sum(axis=2) / worked[:, :, :WINDOW].sum(axis=2)
    found: Floats = after - before
    return found


def _some(rows: _Rows, chosen: NDArray[np.bool_]) -> _Rows:
    return _Rows(**{name: getattr(rows, name)[chosen] for name in _Rows.__slots__})


_UNKNOWN = Estimate(math.nan, math.nan, math.nan, math.nan)


def _estimate(change: Floats, rows: _Rows, store: Whole) -> Estimate:
    """The weighted mean over the trained of their change less that of whom they are compared with."""
    found = _clustered(*_partialled(change, rows), rows, store)
    few = len(np.unique(store)) < BOOTSTRAP_BELOW
    return _widened(found, change, rows, store) if few and math.isfinite(found.value) else found


def _widened(found: Estimate, change: Floats, rows: _Rows, store: Whole) -> Estimate:
    """At least as wide as what leaving out one store after the other says."""
    without = []
    for one in np.unique(store):
        rest = store != one
        left = _some(rows, rest)
        _, y, d = _partialled(change[rest], left)
        size = float((left.weight * d * d).sum())
        if size <= 1e-12:  # all who were trained work in this store
            return Estimate(found.value, -math.inf, math.inf, 1.0)
        without.append(float((left.weight * d * y).sum()) / size)
    many = len(without)
    error = math.sqrt((many - 1) / many * sum((value - found.value) ** 2 for value in without))
    if error < 1e-9:
        return found
    reach = float(student.ppf(1 - _SURE / 2, many - 1)) * error
    p_value = float(2 * student.sf(abs(found.value) / error, many - 1))
    return Estimate(
        found.value,
        min(found.lo95, found.value - reach),
        max(found.hi95, found.value + reach),
        max(found.p_value, p_value),
    )


@dataclass(frozen=True, slots=True)
class _Out:
    """Takes cells and other courses out of a column, by weighted least squares."""

    cell: Whole
    weight: Floats
    basis: Floats  # of the other courses once the cells are out, orthonormal in the weights

    @classmethod
    def of(cls, rows: _Rows) -> "_Out":
        cells = cls(rows.cell, rows.weight, np.zeros((len(rows.cell), 0)))
        x = np.column_stack([cells(column) for column in rows.others.T]) if rows.others.shape[1] else cells.basis
        root = np.sqrt(rows.weight)[:, None]
        left, size, _ = np.linalg.svd(x * root, full_matrices=False)
        real = size > 1e-8 * max(float(size.max(initial=0.0)), 1.0)
        return cls(rows.cell, rows.weight, left[:, real] / root)

    def __call__(self, column: Floats) -> Floats:
        total = np.bincount(self.cell, weights=self.weight)
        mean = np.bincount(self.cell, weights=self.weight * column) / np.where(total > 0, total, 1.0)
        left: Floats = column - mean[self.cell]
        return left - self.basis @ (self.basis.T @ (self.weight * left))


def _partialled(change: Floats, rows: _Rows) -> tuple[_Out, Floats, Floats]:
    out = _Out.of(rows)
    return out, out(change), out(rows.treated)


def _clustered(out: _Out, y: Floats, d: Floats, rows: _Rows, store: Whole) -> Estimate:
    """The coefficient of ``d`` with errors by store."""
    number = np.unique(store, return_inverse=True)[1]
    many = int(number.max()) + 1
    pull = rows.weight * d
    size = float((pull * d).sum())
    if size <= 1e-12 or many < 2:
        return _UNKNOWN
    value = float((pull * y).sum()) / size
    score = np.bincount(number, weights=pull * (y - value * d), minlength=many)
    error = float(np.sqrt((score**2).sum())) / size
    if error < 1e-9:  # nobody differs from the others by chance
        return Estimate(value, value, value, float(abs(value) < 1e-9))
    if many >= BOOTSTRAP_BELOW:
        error *= math.sqrt(many / (many - 1))
        reach = float(student.ppf(1 - _SURE / 2, many - 1)) * error
        return Estimate(value, value - reach, value + reach, float(2 * student.sf(abs(value) / error, many - 1)))
    return _bootstrapped(out, y, d, pull, size, number, value, error)


def _bootstrapped(
    out: _Out, y: Floats, d: Floats, pull: Floats, size: float, number: Whole, value: float, error: float
) -> Estimate:
    """The interval of all effects that a wild cluster bootstrap with that effect imposed does not reject.

    What it draws is linear in the effect imposed, so it is drawn once.
    """
    many = int(number.max()) + 1
    weights = np.random.default_rng(_SEED).choice(_WEBB, (_DRAWS, many))
    of_y, of_d = (weights @ _spread(out, column, pull, number, many) for column in (y, d))
    own = np.bincount(number, weights=pull * d, minlength=many)

    def p_value(imposed: float) -> float:
        drawn = of_y - imposed * of_d
        shift = drawn.sum(axis=1) / size
        spread = np.sqrt(((drawn - shift[:, None] * own) ** 2).sum(axis=1)) / size
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.abs(shift) / spread
        return float((ratio >= abs(value - imposed) / error).mean())

    return Estimate(value, _bound(p_value, value, -error), _bound(p_value, value, error), p_value(0.0))


def _spread(out: _Out, column: Floats, pull: Floats, number: Whole, many: int) -> Floats:
    """Store x store: what one store's residuals, once redrawn, add to another's score."""
    rows = []
    for one in range(many):
        redrawn = out(np.where(number == one, column, 0.0))
        rows.append(np.bincount(number, weights=pull * redrawn, minlength=many))
    return np.array(rows)


def _bound(p_value: Any, value: float, step: float) -> float:
    """The last effect in the direction of ``step`` that is not rejected."""
    inside, outside = value, value + 2 * step
    while p_value(outside) >= _SURE:
        inside, outside = outside, value + 2 * (outside - value)
        if abs(outside - value) > 200 * abs(step):
            return math.copysign(math.inf, step)
    for _ in range(24):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p_value(middle) >= _SURE else (inside, middle)
    return inside


def _path(rows: _Rows, store: Whole) -> pd.DataFrame:
    found = []
    for position, month in enumerate([*range(-WINDOW, 0), *range(1, WINDOW + 1)]):
        known = np.isfinite(rows.path[:, position])
        if not known.any():
            continue
        one = _estimate(rows.path[known, position], _some(rows, known), store[known])
        found.append((month, math.expm1(one.value), math.expm1(one.lo95), math.expm1(one.hi95)))
    return pd.DataFrame(found, columns=["month", "effect", "lo95", "hi95"])
