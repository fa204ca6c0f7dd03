"""What the reader's window is like: how much room it has, and whether it has changed between light and dark."""

import streamlit as st

from pages._gate.look import SCREEN_COOKIE

THEME_BUTTON = "theme_changed"
_THEMES = "_times_the_theme_changed"


def narrow() -> bool:
    """Whether the window was as narrow as a phone when the app was opened: lists keep their first columns, charts have
    fewer labels. A browser that has not said so yet is believed when it says that it is a phone.
    """
    said = st.context.cookies.get(SCREEN_COOKIE)
    return said == "narrow" if said else "Mobi" in (st.context.headers.get("User-Agent") or "")


def listen_for_themes() -> None:
    """Mounts the button nobody sees that the page's own script presses when light turns to dark or back (index.py): it
    runs the page again."""
    st.button("theme", key=THEME_BUTTON, on_click=_turn)


def themes_seen() -> int:
    """How often the theme has changed since the page was opened."""
    return int(st.session_state.get(_THEMES, 0))


def _turn() -> None:
    st.session_state[_THEMES] = themes_seen() + 1
