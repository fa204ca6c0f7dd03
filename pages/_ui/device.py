"""What the reader holds in hand."""

import streamlit as st


def on_a_phone() -> bool:
    """Whether the browser says it is a phone: lists keep their first columns, charts have fewer labels."""
    return "Mobi" in (st.context.headers.get("User-Agent") or "")
