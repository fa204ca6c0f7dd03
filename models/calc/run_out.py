"""When customers run out of what they use: from their own gaps, leaning on what is usual as far as these are few.

A need is what one purchase of it puts off the next one of: a kind of product where the range knows kinds (a cream
replaces another), else the product itself. A gap is the days from one purchase of a need to the next by the same
customer. Gaps vary by factors, so all is done in logarithms:

    expected = usual gap of the need x the customer's own pace x the customer's own pace in this need

Usual is the median gap of the need, or how long what was bought lasts (``usage_days`` times the quantity) where that
came closer so far, or where the need has too few gaps for a median. A pace is a mean of what the customer's gaps were
to the usual ones, drawn towards 1 the more the fewer they are; how much is chosen, with nothing but earlier gaps, as
what would have come closest. The range around it holds what eight of ten earlier gaps were to their own expectation.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LOW, HIGH = 0.1, 0.9  # of the range: eight of ten
HIT_DAYS = 14  # bought again within so many days of the expected day: a hit
_ENOUGH = 30  # gaps, before their median is the usual gap of a need
_DRAWN = (2.0, 8.0, 32.0)  # gaps that being drawn towards the usual pace may weigh
_PACES = (0, 1, 5)  # gaps known of a customer: the ranges are those of customers with none, a few, more
_OWN = 2  # gaps of a need, before an expectation is called the customer's own

BASES = ("own", "pace", "usage", "usual")


@dataclass(frozen=True)
class Events:
    """One row per customer, need and day with a purchase of it, sorted by these three.

    customer, need, category: numbers; day: days since any one day; quantity: units of that day; usage_days: how long a
    unit lasts (of the product bought last that day), NaN where nobody says.
    """

    customer: Ints
    need: Ints
    category: Ints
    day: Ints
    quantity: Floats
    usage_days: Floats

    def __len__(self) -> int:
        return len(self.day)

    @cached_property
    def begins(self) -> Bools:
        """Whether a row is the first of its customer and need."""
        if not len(self):
            return np.empty(0, dtype=bool)
        moved = (self.customer[1:] != self.customer[:-1]) | (self.need[1:] != self.need[:-1])
        return np.r_[True, moved]

    @cached_property
    def next_gap(self) -> Floats:
        """Days until the same customer buys the need again; NaN where that has not happened."""
        gap = np.full(len(self), np.nan)
        rows = np.flatnonzero(~self.begins)
        gap[rows - 1] = self.day[rows] - self.day[rows - 1]
        return gap

    @cached_property
    def lasts(self) -> Floats:
        """How long what was bought lasts, in days; NaN where nobody says."""
        with np.errstate(invalid="ignore"):
            days = self.usage_days * np.maximum(self.quantity, 1)
            return np.where(days > 0, days, np.nan)


@dataclass(frozen=True)
class Rhythm:
    """What is usual, as learnt from the gaps that had ended by a day.

    median_gap: of each need, in days; by_usage: whether how long it lasts tells more of a need than the median.
    drawn: the gaps that being drawn towards 1 weighs, of the customer's pace and of the pace in a need. residual: one
    row per entry of _PACES: logarithms of gap to expectation at LOW, the middle and HIGH.
    """

    median_gap: Floats
    by_usage: Bools
    drawn: tuple[float, float]
    residual: Floats
    gaps: int

    def with_needs(self, more: int) -> "Rhythm":
        """The same for ``more`` needs that had no gap yet: theirs is the median of the others."""
        added = np.full(more, float(np.median(self.median_gap)))
        return replace(
            self, median_gap=np.r_[self.median_gap, added], by_usage=np.r_[self.by_usage, np.ones(more, dtype=bool)]
        )


@dataclass(frozen=True)
class Expected:
    """Of each row: days from the purchase until the need comes back (middle, and between what), and after what."""

    days: Floats
    low: Floats
    high: Floats
    basis: NDArray[np.int64]  # position in BASES


@dataclass(frozen=True)
class Score:
    """How expectations would have held: over gaps that ended after the days they were learnt from.

    error, median_error: mean absolute error in days of the expectation and of the median gap of the category;
    covered: share within the range. due: by basis, expectations whose day and HIT_DAYS more had passed; hits: of those,
    bought again within HIT_DAYS of the expected day; median_due, median_hits: the same of the median.
    """

    gaps: int
    error: float
    median_error: float
    covered: float
    due: Ints
    hits: Ints
    median_due: int
    median_hits: int


def learn(events: Events, until: int) -> Rhythm | None:
    """What is usual by the gaps that had ended by ``until``; None without enough of them for any median."""
    known = events.day + events.next_gap <= until
    if known.sum() < _ENOUGH:
        return None
    median_gap = _medians(events, known)
    by_usage = _closer_by_usage(events, known, median_gap)
    usual = _usual(events, median_gap, by_usage)
    dev = np.where(known, np.log(np.maximum(events.next_gap, 1)) - usual, 0.0)
    paces = _Paces.of(events, dev, known)
    actual = dev[known]

    def error(drawn: tuple[float, float]) -> float:
        said = paces.logs(drawn)[known]
        middle = float(np.median(actual - said))
        base = np.exp(usual[known])
        return float(np.abs(base * (np.exp(said + middle) - np.exp(actual))).mean())

    drawn = min(product(_DRAWN, _DRAWN), key=error)
    left = (dev - paces.logs(drawn))[known]
    return Rhythm(median_gap, by_usage, drawn, _quantiles(left, paces.known_of_customer[known]), int(known.sum()))


def expect(rhythm: Rhythm, events: Events) -> Expected:
    """When each purchase will have been used up, by what was known on its day: the gaps that had ended by then."""
    usual = _usual(events, rhythm.median_gap, rhythm.by_usage)
    ended = ~np.isnan(events.next_gap)
    dev = np.where(ended, np.log(np.maximum(np.nan_to_num(events.next_gap, nan=1.0), 1)) - usual, 0.0)
    paces = _Paces.of(events, dev, ended)
    middle = usual + paces.logs(rhythm.drawn)
    low, mid, high = rhythm.residual[_bucket(paces.known_of_customer)].T
    basis = np.select(
        [paces.known_of_need >= _OWN, paces.known_of_customer > 0, _has_usage(events, rhythm)],
        [BASES.index("own"), BASES.index("pace"), BASES.index("usage")],
        BASES.index("usual"),
    )
    return Expected(np.exp(middle + mid), np.exp(middle + low), np.exp(middle + high), basis)


def score(events: Events, until: int, last: int) -> Score | None:
    """Expectations learnt by ``until`` against what was bought from then to ``last``; None without enough gaps."""
    rhythm = learn(events, until)
    if rhythm is None:
        return None
    expected = expect(rhythm, events)
    gap = events.next_gap
    ended = events.day + gap
    tested = (ended > until) & (ended <= last)
    known = ended <= until
    by_category = _by_group(events.category, gap, known, float(np.median(gap[known])))
    due = np.round(expected.days)
    on = events.day + due
    passed = (on > until) & (on + HIT_DAYS <= last)
    passed_median = (events.day + by_category > until) & (events.day + by_category + HIT_DAYS <= last)
    hit = np.abs(gap - due) <= HIT_DAYS
    hit_median = np.abs(gap - by_category) <= HIT_DAYS
    within = (gap >= expected.low) & (gap <= expected.high)
    return Score(
        gaps=int(tested.sum()),
        error=_mean(np.abs(gap - expected.days)[tested]),
        median_error=_mean(np.abs(gap - by_category)[tested]),
        covered=_mean(within[tested]),
        due=np.bincount(expected.basis[passed], minlength=len(BASES)),
        hits=np.bincount(expected.basis[hit & passed], minlength=len(BASES)),
        median_due=int(passed_median.sum()),
        median_hits=int((hit_median & passed_median).sum()),
    )


@dataclass(frozen=True)
class _Paces:
    """Of each row, what the gaps that had ended by its day were to the usual ones, in logarithms."""

    of_customer: Floats  # their sum over all needs
    known_of_customer: Ints  # their number
    of_need: Floats  # the same of this need alone
    known_of_need: Ints

    @classmethod
    def of(cls, events: Events, dev: Floats, known: Bools) -> "_Paces":
        """``dev``: of each row, the logarithm of its gap to the usual one, 0 where it is not ``known``."""
        # A gap is known on the day it ends, which is the next row of the same customer and need.
        ended = np.r_[0.0, dev[:-1]]
        counted = np.r_[0, known[:-1].astype(np.int64)]
        ended[events.begins], counted[events.begins] = 0.0, 0
        start = np.maximum.accumulate(np.where(events.begins, np.arange(len(events)), 0))
        need_sum, need_count = _since(ended, start), _since(counted, start)
        order = np.lexsort((events.day, events.customer))
        customer, day = events.customer[order], events.day[order]
        fresh = np.r_[True, customer[1:] != customer[:-1]]
        first = np.maximum.accumulate(np.where(fresh, np.arange(len(order)), 0))
        # All of one day are known by its end.
        last_of_day = np.r_[(customer[1:] != customer[:-1]) | (day[1:] != day[:-1]), True]
        end = np.flatnonzero(last_of_day)[np.searchsorted(np.flatnonzero(last_of_day), np.arange(len(order)))]
        all_sum, all_count = np.empty(len(order)), np.empty(len(order), dtype=np.int64)
        all_sum[order] = _since(ended[order], first)[end]
        all_count[order] = _since(counted[order], first)[end]
        return cls(all_sum, all_count, need_sum, need_count)

    def logs(self, drawn: tuple[float, float]) -> Floats:
        pace = self.of_customer / (self.known_of_customer + drawn[0])
        in_need: Floats = (self.of_need - self.known_of_need * pace) / (self.known_of_need + drawn[1])
        return pace + in_need


def _since(values: Any, start: Ints) -> Any:
    """Sums from the row that ``start`` names to each row."""
    totals = np.r_[0, np.cumsum(values)]
    return totals[1:] - totals[start]


def _medians(events: Events, known: Bools) -> Floats:
    """The median gap of each need; of the few gaps of a need that of its category, and of all where that has few."""
    gap = events.next_gap
    category = _by_group(events.category, gap, known, float(np.median(gap[known])))
    needs = int(events.need.max(initial=-1)) + 1
    fallback = np.full(needs, float(np.median(gap[known])))
    fallback[events.need] = category
    enough, median = _group_medians(events.need, gap, known, needs)
    return np.where(enough, median, fallback)


def _by_group(group: Ints, gap: Floats, known: Bools, without: float) -> Floats:
    enough, median = _group_medians(group, gap, known, int(group.max(initial=-1)) + 1)
    return np.where(enough, median, without)[group]


def _group_medians(group: Ints, gap: Floats, known: Bools, groups: int) -> tuple[Bools, Floats]:
    found = pd.Series(gap[known]).groupby(group[known]).agg(["size", "median"])
    enough, median = np.zeros(groups, dtype=bool), np.full(groups, np.nan)
    enough[found.index.to_numpy()] = found["size"].to_numpy() >= _ENOUGH
    median[found.index.to_numpy()] = np.maximum(found["median"].to_numpy(), 1)
    return enough, median


def _closer_by_usage(events: Events, known: Bools, median_gap: Floats) -> Bools:
    """Of each need, whether gaps were closer to how long things last than to the median; so, too, where few gaps are
    known, for then the median is that of other things."""
    needs = len(median_gap)
    rows = known & ~np.isnan(events.lasts)
    group, gap = events.need[rows], events.next_gap[rows]
    many = np.bincount(group, minlength=needs)
    by_usage = np.bincount(group, weights=np.abs(gap - events.lasts[rows]), minlength=needs)
    by_median = np.bincount(group, weights=np.abs(gap - median_gap[group]), minlength=needs)
    return (many < _ENOUGH) | (by_usage < by_median)


def _has_usage(events: Events, rhythm: Rhythm) -> Bools:
    return rhythm.by_usage[events.need] & ~np.isnan(events.lasts)


def _usual(events: Events, median_gap: Floats, by_usage: Bools) -> Floats:
    """The logarithm of the usual gap after each row."""
    usage = by_usage[events.need] & ~np.isnan(events.lasts)
    usual: Floats = np.log(np.where(usage, events.lasts, median_gap[events.need]))
    return usual


def _bucket(known: Ints) -> Ints:
    return np.searchsorted(_PACES, known, side="right") - 1


def _quantiles(left: Floats, known: Ints) -> Floats:
    """One row per entry of _PACES; customers of whom too little is known share the row of all."""
    levels = [LOW, 0.5, HIGH]
    everybody = np.quantile(left, levels)
    bucket = _bucket(known)
    return np.array(
        [
            np.quantile(left[bucket == b], levels) if (bucket == b).sum() >= _ENOUGH else everybody
            for b in range(len(_PACES))
        ]
    )


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else np.nan
