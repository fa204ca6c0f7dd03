"""Whole lists of customers to act on, page by page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from data_access.queries.actions import EVERYBODY, Wanted
from pages._ui import actions, empty, export
from pages._ui import format as fmt
from pages._ui.i18n import t
from pages._ui.tables import PAGE_ROWS, Column, first_row, pager


def listing(
    rows: pd.DataFrame,
    columns: Sequence[Column],
    list_key: str,
    *,
    key: str,
    generation: str,
    currency: str,
    most: int,
) -> None:
    """As ``board``, or the sentence that there is nobody."""
    if rows.empty:
        empty.nothing(t("actions.nobody"))
    else:
        board(rows, columns, list_key, key=key, generation=generation, currency=currency, most=most)


def board(
    rows: pd.DataFrame,
    columns: Sequence[Column],
    list_key: str,
    *,
    key: str,
    generation: str,
    currency: str,
    most: int,
) -> None:
    """Draws the page of ``rows`` that the reader asks for, what was done about each, and what came of it all.

    rows: the whole list in the language of the run, at most ``most`` of them. columns: the store only where there are
    several.
    """
    todo = actions.board(list_key)
    wanted = todo.rows(rows)
    first = first_row(len(wanted), key=f"{key}_page")
    shown = [one for one in columns if one.name != "store" or rows["store"].nunique() > 1]
    page = wanted.iloc[first : first + PAGE_ROWS].reset_index(drop=True)
    todo.listing(page, shown, currency=currency, alt=actions.name_of(list_key), key=key)
    pager(len(wanted), key=f"{key}_page")
    if len(rows) == most:
        st.caption(t("retention.list_ends", most=fmt.count(most)))
    todo.came_of(generation)


@dataclass(frozen=True, slots=True)
class Paged:
    """A list that is read a page at a time: how many rows are wanted, so many of them from a position, and all."""

    count: Callable[[Wanted], int]
    page: Callable[[int, int, Wanted], pd.DataFrame]
    every: Callable[[Wanted], pd.DataFrame]  # as far as a file takes them; runs on a thread that knows no language


def paged(
    listed: Paged, columns: Sequence[Column], list_key: str, *, key: str, generation: str, currency: str, most: int
) -> export.Unread:
    """As ``listing``, of rows that nobody has read; gives them for a file."""
    todo = actions.board(list_key)
    many = listed.count(todo.wanted)
    first = first_row(min(many, most), key=f"{key}_page")
    rows = listed.page(first, PAGE_ROWS, todo.wanted)
    if not many and todo.wanted == EVERYBODY:
        empty.nothing(t("actions.nobody"))
    else:
        todo.listing(rows, columns, currency=currency, alt=actions.name_of(list_key), key=key)
        pager(min(many, most), key=f"{key}_page")
        if many > most:
            st.caption(t("retention.list_ends", most=fmt.count(most)))
        todo.came_of(generation)
    names = [*(str(column) for column in rows), actions.MARKED]
    return export.Unread(names, min(many, most), todo.for_file(partial(listed.every, todo.wanted)))
