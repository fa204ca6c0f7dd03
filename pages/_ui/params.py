"""The state of a page that belongs in its URL, in words that do not change with the language.

Streamlit binds a widget to the URL by the label a person sees, so a link would break with the language. Each shared
parameter is therefore a text input that nobody sees, bound under its own name and mounted by the shell (only widgets
of the shell survive a change of page); the visible filters read and write these. Values come from anybody who can
write a URL: whoever reads one checks it.
"""

from pathlib import Path

import streamlit as st

SHARED = ("period", "from", "to", "compare", "region", "channel", "stores", "category", "segment", "lang")

_NEXT = "_params_of_the_next_run"
_LONGEST = 2_000  # characters: a few hundred store ids


def mount() -> None:
    """Puts the hidden inputs on the page; the shell calls this first of all in every run."""
    put(**st.session_state.pop(_NEXT, {}))
    st.html(Path(__file__).with_name("shell.css"))
    with st.container(key="url_state"):
        for name in SHARED:
            st.text_input(name, key=name, bind="query-params", max_chars=_LONGEST)


def get(name: str) -> str:
    """The value of a shared parameter; empty when the URL does not name it."""
    return str(st.session_state.get(name) or "")


def put(**values: str) -> None:
    """Sets shared parameters, from a widget's callback only: Streamlit refuses once the inputs are mounted."""
    for name, value in values.items():
        if name not in SHARED:
            raise ValueError(f"not a shared parameter: {name!r}")
        st.session_state[name] = value


def put_next(**values: str) -> None:
    """Sets shared parameters from the next run on: for a click that is known only while the page runs."""
    st.session_state[_NEXT] = values


def carried() -> dict[str, str]:
    """The shared parameters that are set, for the query of a link. ``st.switch_page`` carries them by itself and
    refuses a query that names them."""
    return {name: value for name in SHARED if (value := get(name))}
