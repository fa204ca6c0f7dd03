"""What a page shows when there is nothing to show: what is missing and what to do about it."""

from collections.abc import Sequence
from typing import NoReturn

import pandas as pd
import streamlit as st

from pages._ui.i18n import t


def state(title: str, text: str, icon: str) -> None:
    """One designed empty state in the place of a page or a block."""
    with st.container(border=True, horizontal_alignment="center", gap="xsmall"):
        st.space("small")
        st.markdown(f"## :gray[{icon}]", width="content", anchors=False)
        st.markdown(f"**{title}**", width="content")
        st.markdown(f":gray[{text}]", width="content", text_alignment="center")
        st.space("small")


def no_sales() -> NoReturn:
    """The period holds no sales of the stores in scope; ends the run."""
    state(t("empty.no_sales"), t("empty.no_sales_do"), ":material/event_busy:")
    st.stop()


def not_open_yet(store: str, opens: str) -> NoReturn:
    """A store that opens after the period; ends the run."""
    state(t("empty.not_open", store=store), t("empty.not_open_do", day=opens), ":material/storefront:")
    st.stop()


def refused(what: str) -> NoReturn:
    """``what`` (store, product, order) is unknown or lies outside the scope: the two read the same; ends the run."""
    state(t(f"empty.no_{what}"), t(f"empty.no_{what}_do"), ":material/search_off:")
    st.stop()


def needs(table_status: pd.DataFrame, tables: Sequence[str]) -> None:
    """Ends the run with a sentence per table of ``tables`` that the CRM does not fill; otherwise does nothing.

    ``table_status``: the health report's frame of that name.
    """
    states = table_status.set_index("table_name")["state"]
    lacking = [table for table in tables if states.get(table, "absent") != "ok"]
    if not lacking:
        return
    lines = [t(f"empty.table_{states.get(table, 'absent')}", table=table) for table in lacking]
    state(t("empty.needs"), "  \n".join([*lines, t("empty.needs_do")]), ":material/database_off:")
    st.stop()


def nothing(text: str) -> None:
    """A block without rows, in one quiet line."""
    st.markdown(f":gray[{text}]")
