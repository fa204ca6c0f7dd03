"""Small numbers in a table with totals: hidden, together with as many others as keep them from being computed.

A number of 1 to 4 people says too much of them. Hiding only these is not enough: what is missing in a row is its total
less the rest. For every hidden number there is therefore another table of whole numbers with the same visible ones, in
which it is greater by one. This holds within one table; two tables of filters that differ a little can still be
compared.
"""

import heapq
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

SMALLEST = 5  # people a visible number stands for, unless it is 0
TOTAL = "total"


def published(counts: pd.DataFrame, smallest: int = SMALLEST) -> pd.DataFrame:
    """``counts`` (people by two groupings, whole numbers from 0) with a row and a column of totals, as Int64.

    NA: hidden, because it is 1 to ``smallest`` - 1 or would give such a one away. Show one mark for both: which of
    them are small is not to be told. Zeros stay. ValueError for numbers that are negative or missing.
    """
    values = counts.to_numpy(dtype=np.int64)
    if (values < 0).any():
        raise ValueError("people are counted from 0")
    table = np.vstack([values, values.sum(axis=0)])
    table = np.column_stack([table, table.sum(axis=1)])
    hidden = (table > 0) & (table < smallest)
    for row, column in np.argwhere(hidden):
        for cell in _cheapest_way_round(table, hidden, int(row), int(column)):
            hidden[cell] = True
    shown = pd.DataFrame(table, index=[*counts.index, TOTAL], columns=[*counts.columns, TOTAL], dtype="Int64")
    return shown.mask(hidden)


def _cheapest_way_round(
    table: NDArray[np.int64], hidden: NDArray[np.bool_], row: int, column: int
) -> list[tuple[int, int]]:
    """The cells that change together with one that grows by one, so that every line still adds up.

    A total counts as the negative of what stands in it, so each line adds up to 0: along a closed way that leaves a
    row by one cell and a column by the next, one of them falls, the next grows. A cell that gets smaller must stay
    above 0. Hidden cells cost nothing, others what they hide, totals more than any cell.
    """
    rows, columns = table.shape
    start, goal = row, rows + column  # rows are numbered first, then columns
    if _is_total(table, row, column):
        start, goal = goal, start
    cost, came_from = {start: 0}, {start: start}
    ways = [(0, start)]
    while ways:
        spent, here = heapq.heappop(ways)
        if here == goal:
            return list(_cells(came_from, goal, rows))
        if spent > cost[here]:
            continue
        leaves_row = here < rows
        for other in range(columns if leaves_row else rows):
            cell = (here, other) if leaves_row else (other, here - rows)
            total = _is_total(table, *cell)
            gets_smaller = leaves_row is not total
            if cell == (row, column) or table[cell] < (2 if gets_smaller else 1):
                continue
            there = rows + other if leaves_row else other
            price = spent + (0 if hidden[cell] else int(table[cell]) + (int(table[-1, -1]) if total else 0))
            if price < cost.get(there, price + 1):
                cost[there], came_from[there] = price, here
                heapq.heappush(ways, (price, there))
    raise AssertionError("the totals of a cell always close a way")


def _is_total(table: NDArray[np.int64], row: int, column: int) -> bool:
    """Whether a cell is the total of a row or of a column; that of all is none, it counts as it stands."""
    rows, columns = table.shape
    return (row == rows - 1) != (column == columns - 1)


def _cells(came_from: dict[int, int], goal: int, rows: int) -> Iterator[tuple[int, int]]:
    here = goal
    while came_from[here] != here:
        before = came_from[here]
        yield (before, here - rows) if before < rows else (here, before - rows)
        here = before
