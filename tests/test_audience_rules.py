"""Whom a list may name, how large it must be, what is told of it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_access.consents import VERDICTS
from data_access.errors import Problem
from data_access.queries.audience import LIVES, NEVER, WITHDRAWN
from models.calc.audience_rules import (
    LEAST,
    REASONS,
    Audience,
    applied,
    drawn,
    expect_large,
    held_back,
    sizes,
    sorted_out,
    told,
    told_withheld,
)


def test_only_who_may_be_used_stays_and_every_other_counts_once() -> None:
    verdicts = {"a": "allowed", "b": "withdrawn", "c": "under_age", "d": "withdrawn", "e": "allowed"}
    audience = applied(["e", "b", "a", "b", "c", "d", "stranger"], verdicts)  # type: ignore[arg-type]
    assert audience.kept == ("e", "a")
    assert audience.withheld == {"not_registered": 1, "withdrawn": 2, "under_age": 1}
    assert audience.asked == 2 + 1 + 2 + 1


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.sampled_from(VERDICTS)))
def test_nobody_gets_lost_and_nobody_gets_in(verdicts: dict[str, str]) -> None:
    audience = applied(list(verdicts), verdicts)  # type: ignore[arg-type]
    assert audience.asked == len(verdicts)
    assert set(audience.kept) == {customer for customer, verdict in verdicts.items() if verdict == "allowed"}


@pytest.mark.parametrize(
    ("people", "said"), [(0, "has 0 people"), (4, "has <5 people"), (LEAST - 1, "has 49 people"), (LEAST, "")]
)
def test_an_audience_of_less_than_fifty_is_refused(people: int, said: str) -> None:
    audience = Audience(tuple(map(str, range(people))), {})
    if said:
        with pytest.raises(Problem, match=said):
            expect_large(audience)
    else:
        expect_large(audience)


def test_few_people_are_not_counted_aloud() -> None:
    assert [told(count) for count in (0, 1, 4, 5, 1_234)] == ["0", "<5", "<5", "5", "1,234"]
    assert told_withheld(Audience((), {"withdrawn": 3, "under_age": 12})) == {"withdrawn": "<5", "under_age": "12"}


def candidates(**columns: list[object]) -> pd.DataFrame:
    """Customers of whom each may be contacted, but for what ``columns`` say."""
    rows = max(len(values) for values in columns.values())
    usual = {
        "customer_no": list(range(1, rows + 1)),
        "is_registered": [True] * rows,
        "agreed_0": [LIVES] * rows,
        "age_known": [True] * rows,
        "is_adult": [True] * rows,
        "is_held_back": [False] * rows,
        "contacts": [0] * rows,
    }
    return pd.DataFrame(usual | columns)


def test_the_first_reason_counts_and_whoever_has_none_stays() -> None:
    frame = candidates(
        agreed_0=[LIVES, NEVER, WITHDRAWN, LIVES, LIVES, LIVES, LIVES, LIVES],
        is_adult=[True, True, False, False, True, True, True, True],
        age_known=[True, True, True, False, True, True, True, True],
        is_held_back=[False, False, False, False, True, False, False, False],
        contacts=[3, 0, 9, 0, 9, 4, 0, 0],
        is_registered=[True, True, True, True, True, True, True, False],
    )
    found = sorted_out(frame, 0, 4, held={7})
    said = [REASONS[place] if place >= 0 else "" for place in found]
    assert said == [
        "", "never_given", "withdrawn", "age_unknown", "held_back", "too_often", "held_back", "not_registered",
    ]  # fmt: skip


def test_the_age_of_minors_is_known() -> None:
    frame = candidates(is_adult=[False, False], age_known=[True, False])
    assert [REASONS[place] for place in sorted_out(frame, 0, 4, ())] == ["under_age", "age_unknown"]


@pytest.mark.parametrize(
    ("wanted", "share", "reachable", "expected"),
    [
        (500, 0.2, 2_000, (500, 125)),  # 125 of 625
        (500, 0.2, 600, (480, 120)),  # not enough for 625: a fifth of 600
        (500, 0.0, 400, (400, 0)),
        (0, 0.5, 400, (0, 0)),
    ],
)
def test_as_many_as_wanted_are_contacted_and_the_holdout_comes_on_top(
    wanted: int, share: float, reachable: int, expected: tuple[int, int]
) -> None:
    assert sizes(wanted, share, reachable) == expected


def test_a_draw_is_the_same_for_its_seed_and_fair() -> None:
    customers = np.arange(1_000, dtype=np.int64)[::-1] * 7
    sample = drawn(customers, 400, seed=11)
    assert len(set(sample)) == 400
    assert sample.tolist() == sorted(sample.tolist())
    assert drawn(np.sort(customers), 400, seed=11).tolist() == sample.tolist()
    assert drawn(customers, 400, seed=12).tolist() != sample.tolist()
    mask = held_back(sample, 100, seed=11)
    assert (mask.sum(), held_back(sample, 100, seed=11).tolist()) == (100, mask.tolist())
    often = sum(held_back(sample, 100, seed) for seed in range(800)) / 800
    # each is held back in a quarter of the draws, within five standard errors
    assert np.abs(often - 0.25).max() < 5 * (0.25 * 0.75 / 800) ** 0.5
