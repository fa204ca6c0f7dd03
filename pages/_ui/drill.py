"""From a mark or a row to the next level down: chain > region > store > product > order.

A drill is data: a page and the ids of what was clicked give a URL that also carries the filters in force, so the
result can be shared and Back returns.
"""

from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st

from pages._ui import params
from pages._ui.i18n import t

# The id each page needs in its URL, then the ids above it that its breadcrumb uses when they are there.
LEVELS: dict[str, tuple[str, ...]] = {
    "overview": (),
    "store": ("store",),
    "product": ("product", "store"),
    "order": ("order", "product", "store"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One level of the breadcrumb: a page with ids, or (without a page) where the reader stands."""

    label: str
    page: str | None = None
    ids: tuple[tuple[str, str], ...] = ()


def query(page: str, **ids: str | None) -> dict[str, str]:
    """The query of ``page`` for these ids: the filters in force first, then the ids the page knows.

    Ids that the page has no use for are dropped, so a link never says more than what it opens. Opening a region on
    the overview sets the region filter.
    """
    known = set(LEVELS[page]) | ({"region"} if page == "overview" else set())
    carried = params.carried()
    if page == "overview" and ids.get("region"):
        carried.pop("stores", None)
    return {**carried, **{name: value for name, value in ids.items() if value and name in known}}


def url(page: str, **ids: str | None) -> str:
    """The address of ``page`` for these ids, below the app's own."""
    asked = query(page, **ids)
    path = "/" if page == "overview" else f"/{page}"
    return f"{path}?{urlencode(asked)}" if asked else path


def open_page(page: str, **ids: str | None) -> NoReturn:
    """Opens ``page`` for these ids; ends the run."""
    st.switch_page(f"{page}.py", query_params=query(page, **ids))


def asked(name: str) -> str | None:
    """The id ``name`` of the URL. Anybody can write it: the report decides whether the scope holds it."""
    return st.query_params.get(name) or None


def breadcrumb(*steps: Step) -> None:
    """Where the reader is: every level above as a link, the last one as plain text."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="breadcrumb"):
        st.page_link("overview.py", label=t("page.overview"), query_params=query("overview"))
        for step in steps:
            st.markdown(":small[:gray[›]]", width="content")
            if step.page is None:
                st.markdown(f":small[:gray[{step.label}]]", width="content")
            else:
                st.page_link(f"{step.page}.py", label=step.label, query_params=query(step.page, **dict(step.ids)))
