"""A page's own choices: kept in the URL under a fixed name, with words for the reader, checked when read."""

from collections.abc import Sequence

import streamlit as st
from streamlit.elements.lib.mutable_tab_container import TabContainer

from pages._ui.i18n import t


def choice(name: str, options: Sequence[str], *, words: str, width: int = 220) -> str:
    """Draws a choice between ``options`` (texts ``<words>.<option>``, the first is the default) and gives the chosen
    one. The URL names it as ``?name=option`` unless it is the default."""
    chosen = asked(name, options)
    key = f"choice_{name}"
    st.session_state[key] = chosen
    st.selectbox(
        t(words),
        list(options),
        key=key,
        format_func=lambda option: t(f"{words}.{option}"),
        placeholder=t(words),
        label_visibility="collapsed",
        width=width,
        on_change=_put,
        args=(name, key, options[0]),
        filter_mode=None,
    )
    return chosen


def tabs(name: str, options: Sequence[str], *, words: str) -> Sequence[TabContainer]:
    """Tabs, one for each of ``options``, of which the URL names the open one as ``?name=option``; only that is run."""
    labels = [t(f"{words}.{option}") for option in options]
    key = f"tabs_{name}"
    st.session_state[key] = labels[options.index(asked(name, options))]

    def put() -> None:
        opened = options[labels.index(st.session_state[key])]
        if opened == options[0]:
            st.query_params.pop(name, None)
        else:
            st.query_params[name] = opened

    return st.tabs(labels, key=key, on_change=put)


def asked(name: str, options: Sequence[str]) -> str:
    """What the URL chooses of ``options``, for whoever must know before the choice is drawn."""
    chosen = st.query_params.get(name, options[0])
    return chosen if chosen in options else options[0]


def _put(name: str, key: str, default: str) -> None:
    if st.session_state[key] == default:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = st.session_state[key]
