"""What a customer buys next: by hand, on made-up customers who have habits, and where nothing can be said."""

import numpy as np
import pytest

from models.calc import next_category
from models.calc.next_category import Habit, Ints

CARE, MAKE_UP = 0, 1


def visits(*customers: list[int]) -> tuple[Ints, Ints]:
    """The visits of customers 0, 1, ... by category."""
    number = np.repeat(np.arange(len(customers)), [len(one) for one in customers])
    return number.astype(np.int64), np.array([category for one in customers for category in one], dtype=np.int64)


def test_own_visits_count_beside_what_usually_follows() -> None:
    habit = Habit(np.array([[0.8, 0.2], [0.5, 0.5]]), weight=4.0)
    chances = habit.chances(np.array([[1.0, 3.0], [0.0, 1.0]]), np.array([CARE, MAKE_UP]))
    assert chances[0].tolist() == pytest.approx([(1 + 4 * 0.8) / (4 + 4), (3 + 4 * 0.2) / (4 + 4)])
    assert chances[1].tolist() == pytest.approx([(0 + 4 * 0.5) / (1 + 4), (1 + 4 * 0.5) / (1 + 4)])


def test_what_follows_leans_on_what_is_usual_where_little_is_known() -> None:
    customer, category = visits(*[[CARE, MAKE_UP]] * 120)
    habit = next_category.learn(customer, category, 2)
    assert habit is not None
    # 120 times make-up after care; as if ten more had been half and half
    assert habit.follows[CARE].tolist() == pytest.approx([10 * 0.5 / 130, (120 + 10 * 0.5) / 130])
    assert habit.follows[MAKE_UP].tolist() == pytest.approx([0.5, 0.5])  # nothing ever followed make-up


def test_people_with_habits_are_guessed_better_than_by_their_last_visit_or_by_what_is_frequent() -> None:
    rng = np.random.default_rng(3)
    own = np.where(rng.random(2_000) < 0.6, 0.8, 0.25)  # how often each of them comes for care
    customer = np.repeat(np.arange(2_000), 8).astype(np.int64)
    category = (rng.random(16_000) >= own[customer]).astype(np.int64)
    before = np.tile(np.arange(8) < 7, 2_000)
    found = next_category.check(customer, category, before, 2)
    assert found["next_customers"] == 2_000
    assert found["next_hit_rate"] > max(found["next_last_hit_rate"], found["next_popular_hit_rate"]) + 0.05
    assert found["next_said"] == pytest.approx(found["next_hit_rate"], abs=0.05)


def test_of_few_people_nothing_is_said() -> None:
    customer, category = visits(*[[CARE, MAKE_UP]] * 50)
    before = np.tile([True, False], 50)
    assert next_category.learn(customer, category, 2) is None
    assert next_category.check(customer, category, before, 2) == {}
    nothing = np.empty(0, dtype=np.int64)
    assert next_category.learn(nothing, nothing, 0) is None
