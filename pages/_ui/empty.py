"""What a page shows when there is nothing to show: what is missing and what to do about it."""

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


def needs(table_status: pd.DataFrame, page: str) -> None:
    """Says what of ``page`` the CRM's gaps take away; ends the run when that is the whole page.

    ``table_status``: the health report's frame of that name; ``disables`` holds page keys ("store") and parts of
    pages ("store.conversion").
    """
    gaps = table_status[table_status["disables"].fillna("") != ""]
    lost = [
        (key.strip(), table, known)
        for table, known, keys in zip(gaps["table_name"], gaps["state"], gaps["disables"], strict=True)
        for key in keys.split(",")
    ]
    whole = [t(f"empty.table_{known}", table=table) for key, table, known in lost if key == page]
    if whole:
        state(t("empty.needs"), "  \n".join([*whole, t("empty.needs_do")]), ":material/database_off:")
        st.stop()
    for key, table, known in lost:
        if key.startswith(f"{page}."):
            part = t(f"part.{key.partition('.')[2]}")
            missing = t(f"empty.table_{known}", table=table)
            st.caption(f":material/info: {t('empty.part', part=part, missing=missing)}", help=t("empty.needs_do"))


def nothing(text: str) -> None:
    """A block without rows, in one quiet line."""
    st.markdown(f":gray[{text}]")
