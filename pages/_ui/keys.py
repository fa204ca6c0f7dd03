"""Lists by keys. A list tells the server which cell has the focus, and cannot say whether it was clicked: Tab into a
list would open its first row, an arrow the next one. The page's own script (index.py) therefore presses buttons that
nobody sees: before the focus comes by a key, when Enter is pressed, and when a pointer is used again."""

from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

BY_KEYS: Final = "rows_by_keys"
OPEN: Final = "row_by_enter"
BY_POINTER: Final = "rows_by_pointer"
LIST: Final = "opens_"

_CHOOSING, _HELD, _LAST = "_rows_are_chosen_by_keys", "_cells_chosen_by_keys", "_list_with_the_focus"


def listen() -> None:
    """Mounts the buttons; the shell calls this in every run."""
    for name, chooses in ((BY_KEYS, True), (OPEN, None), (BY_POINTER, False)):
        st.button(name, key=name, on_click=_choosing, args=(chooses,))


def clickable(key: str) -> DeltaGenerator:
    """What a list whose rows open something is drawn in, for the script to know it by."""
    return st.container(key=f"{LIST}{key}")


def only_chosen(key: str, cell: tuple[int, str]) -> bool:
    """Whether this cell of the list ``key`` has merely been reached by keys and not been opened by Enter."""
    held: dict[str, tuple[int, str]] = st.session_state.setdefault(_HELD, {})
    if st.session_state.get(OPEN):
        return st.session_state.get(_LAST) != key
    if st.session_state.get(_CHOOSING) and held.get(key) != cell:
        held[key] = cell
        st.session_state[_LAST] = key
    return held.get(key) == cell


def _choosing(chooses: bool | None) -> None:
    if chooses is not None:
        st.session_state[_CHOOSING] = chooses
