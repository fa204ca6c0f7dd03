"""Whom a list may name, how large it must be, what is told of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_access.consents import VERDICTS
from data_access.errors import Problem
from models.calc.audience_rules import LEAST, Audience, applied, expect_large, told, told_withheld


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
