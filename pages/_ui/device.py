"""How much room the reader's window has."""

import streamlit as st

from pages._gate.look import SCREEN_COOKIE


def narrow() -> bool:
    """Whether the window was as narrow as a phone when the app was opened: lists keep their first columns, charts have
    fewer labels. A browser that has not said so yet is believed when it says that it is a phone.
    """
    said = st.context.cookies.get(SCREEN_COOKIE)
    return said == "narrow" if said else "Mobi" in (st.context.headers.get("User-Agent") or "")
