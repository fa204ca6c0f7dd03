"""Which kind of thing a customer buys next: what they have bought so far, leaning on what usually follows the last.

Of a customer with n visits, of which n_c were mostly for category c, the last one for category l,

    chance of c = (n_c + weight x share of visits after one for l that were for c) / (n + weight)

so that somebody with few visits goes with others, somebody with many by themselves. The weight is the one with which
the last visit known would have been guessed best from those before it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_WEIGHTS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_ENOUGH = 100  # customers with a visit before and after, to learn from or to be checked


@dataclass(frozen=True)
class Habit:
    """follows: one row per category, what follows a visit for it, each row adding up to 1; weight: in visits."""

    follows: Floats
    weight: float

    def chances(self, counts: Floats, last: Ints) -> Floats:
        """One row per customer: the chance of each category; counts: visits by category, last: the latest one's."""
        chances: Floats = (counts + self.weight * self.follows[last]) / (
            counts.sum(axis=1, keepdims=True) + self.weight
        )
        return chances


@dataclass(frozen=True)
class _Known:
    """Customers by their visits so far and the next one: counts by category, the last and what came then."""

    counts: Floats
    last: Ints
    then: Ints

    def hits(self, guess: Ints) -> float:
        return float((guess == self.then).mean())


def learn(customer: Ints, category: Ints, categories: int) -> Habit | None:
    """From visits, sorted by customer and day: the category of each; None with too few customers who came twice."""
    again = np.flatnonzero(customer[1:] == customer[:-1])
    follows = np.zeros((categories, categories))
    np.add.at(follows, (category[again], category[again + 1]), 1.0)
    overall = np.bincount(category, minlength=categories) / max(len(category), 1)
    # As if each category had been followed ten times more by what is usual.
    follows = (follows + 10 * overall) / (follows.sum(axis=1, keepdims=True) + 10)
    is_last = np.r_[customer[1:] != customer[:-1], True] if len(customer) else np.empty(0, dtype=bool)
    known = _parted(customer, category, ~is_last, categories)
    if len(known.then) < _ENOUGH:
        return None
    habits = [Habit(follows, weight) for weight in _WEIGHTS]
    return max(habits, key=lambda habit: known.hits(habit.chances(known.counts, known.last).argmax(axis=1)))


def check(customer: Ints, category: Ints, before: NDArray[np.bool_], categories: int) -> dict[str, float]:
    """How often the first visit after was for the category that was guessed from the visits ``before``.

    next_hit_rate: by the habit, learnt from the visits before alone; next_last_hit_rate: by the last visit's category;
    next_popular_hit_rate: by the most frequent of all; next_said: the mean chance that was given; next_customers.
    Empty with too few of them.
    """
    habit = learn(customer[before], category[before], categories)
    known = _parted(customer, category, before, categories)
    if habit is None or len(known.then) < _ENOUGH:
        return {}
    chances = habit.chances(known.counts, known.last)
    popular = np.bincount(category[before], minlength=categories).argmax()
    return {
        "next_customers": float(len(known.then)),
        "next_hit_rate": known.hits(chances.argmax(axis=1)),
        "next_last_hit_rate": known.hits(known.last),
        "next_popular_hit_rate": known.hits(np.full(len(known.then), popular)),
        "next_said": float(chances.max(axis=1).mean()),
    }


def _parted(customer: Ints, category: Ints, before: NDArray[np.bool_], categories: int) -> _Known:
    """Everybody with a visit before and one after, which follow each other in the rows of a customer."""
    change = np.flatnonzero((customer[1:] == customer[:-1]) & before[:-1] & ~before[1:])
    people = customer[change]
    mine = before & np.isin(customer, people)
    counts = np.zeros((len(people), categories))
    np.add.at(counts, (np.searchsorted(people, customer[mine]), category[mine]), 1.0)
    return _Known(counts, category[change], category[change + 1])
