"""Small numbers stay hidden: whatever the table, no hidden number follows from the visible ones."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from models.calc.suppression import SMALLEST, TOTAL, published


def table(*rows: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        list(rows), index=[f"r{i}" for i in range(len(rows))], columns=[f"c{i}" for i in range(len(rows[0]))]
    )


def with_totals(counts: pd.DataFrame) -> pd.DataFrame:
    full = counts.copy()
    full.loc[TOTAL] = full.sum()
    full[TOTAL] = full.sum(axis=1)
    return full


def recovered(shown: pd.DataFrame) -> list[tuple[int, int]]:
    """The hidden cells that only one number fits, for somebody who knows that every hidden one is 1 or more."""
    rows, columns = shown.shape
    cell = np.arange(rows * columns).reshape(rows, columns)
    lines = [(cell[i, :-1], cell[i, -1]) for i in range(rows)] + [(cell[:-1, j], cell[-1, j]) for j in range(columns)]
    sums = np.zeros((len(lines), cell.size))
    for number, (parts, total) in enumerate(lines):
        sums[number, parts] += 1
        sums[number, total] -= 1
    known = shown.to_numpy(dtype=float, na_value=np.nan).ravel()
    bounds = [(1, None) if np.isnan(value) else (value, value) for value in known]
    found = []
    for i, j in np.argwhere(shown.isna().to_numpy()):
        goal = np.zeros(cell.size)
        goal[cell[i, j]] = 1
        ends = [linprog(sign * goal, A_eq=sums, b_eq=np.zeros(len(lines)), bounds=bounds) for sign in (1, -1)]
        if all(end.status == 0 for end in ends) and -ends[1].fun - ends[0].fun < 0.5:
            found.append((int(i), int(j)))
    return found


TABLES = st.integers(1, 5).flatmap(
    lambda columns: st.lists(
        st.lists(
            st.one_of(st.integers(0, 6), st.integers(0, 200)),
            min_size=columns,
            max_size=columns,
        ),
        min_size=1,
        max_size=5,
    )
)


@settings(max_examples=150, deadline=None)
@given(TABLES)
def test_no_hidden_number_can_be_computed(rows: list[list[int]]) -> None:
    counts = table(*rows)
    shown, truth = published(counts), with_totals(counts).to_numpy()
    hidden = shown.isna().to_numpy()
    assert hidden[(truth > 0) & (truth < SMALLEST)].all()
    assert not hidden[truth == 0].any()
    assert shown.to_numpy()[~hidden].tolist() == truth[~hidden].tolist()
    assert recovered(shown) == []


def test_the_search_finds_what_hiding_small_numbers_alone_gives_away() -> None:
    truth = with_totals(table([3, 40], [50, 60]))
    assert recovered(truth.astype("Int64").mask((truth > 0) & (truth < SMALLEST))) == [(0, 0)]


def test_two_ones_in_a_row_are_not_enough_to_hide_each_other() -> None:
    truth = with_totals(table([1, 1, 100], [1, 1, 100], [50, 50, 50]))
    assert recovered(truth.astype("Int64").mask((truth > 0) & (truth < SMALLEST))) == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_as_little_as_possible_is_hidden_with_it() -> None:
    shown = published(table([3, 40, 90], [50, 60, 70], [200, 300, 400]))
    # 3 with the smallest numbers that close a rectangle: 40, 50 and 60
    assert shown.isna().to_numpy().tolist() == [
        [True, True, False, False],
        [True, True, False, False],
        [False, False, False, False],
        [False, False, False, False],
    ]


def test_a_table_without_small_numbers_stays_whole() -> None:
    counts = table([5, 0], [7, 12])
    assert published(counts).to_numpy().tolist() == [[5, 0, 5], [7, 12, 7 + 12], [5 + 7, 12, 5 + 7 + 12]]


def test_people_are_counted_from_zero() -> None:
    with pytest.raises(ValueError, match="from 0"):
        published(table([-1]))
