"""Whole lists of customers to act on, page by page."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages._ui import actions, empty
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
