"""From a mark or a row to the next level down: chain > region > city > store > person or category >
product > order.

A drill is data: a page and the ids of what was clicked give a URL that also carries the filters in force, so the
result can be shared and Back returns.
"""

from dataclasses import dataclass
from typing import NoReturn

import streamlit as st

from pages._ui import params
from pages._ui.i18n import t

_HERE, _TURN = "_page_on_the_screen", "_turn_of_lists"

# The id each page needs in its URL, then the ids above it that its breadcrumb uses when they are there.
LEVELS: dict[str, tuple[str, ...]] = {
    "overview": (),
    "store": ("store",),
    "stores": (),
    "alerts": ("alert",),
    "category": ("goods", "store"),  # not the shared filter of that name, which stays what it was
    "product": ("product", "store"),
    "product_demand": ("product", "store"),
    "lot": ("product", "lot"),
    "order": ("order", "product", "store"),
    "why": (),
    "staff": (),
    "mine": (),
    "training": (),
    "readiness": (),
    "scorecard": (),
    "targets": (),
    "staff_member": ("staff", "store"),
    "tasks": (),
    "segments": (),
    "campaigns": ("by_type",),
    "campaign": ("campaign",),
    "funnel": ("campaign", "step"),
    "customer": ("customer", "store"),
    "allocation": (),
    "attribution": (),
    "audiences": (),
    "audience": ("audience",),
    "demand": ("store",),
    "digests": (),
    "start": (),
    "stock": ("store", "product", "list"),
    "suppliers": ("supplier",),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One level of the breadcrumb: a page with ids, or (without a page) where the reader stands."""

    label: str
    page: str | None = None
    ids: tuple[tuple[str, str], ...] = ()


def query(page: str, **ids: str | None) -> dict[str, str]:
    """The part of the query of ``page`` that says what it is about; ids the page has no use for are dropped."""
    return {name: value for name, value in ids.items() if value and name in LEVELS[page]}


def link(page: str, **ids: str | None) -> dict[str, str]:
    """The query of a link to ``page``: the ids; the overview of a ``region`` is narrowed to its ``stores``, if any, and
    the demand of a ``category`` to it.

    The filters in force stay in the URL by themselves, and would stand there twice.
    """
    region = ids.get("region") if page == "overview" else None
    narrowed = {"region": region, "stores": ids.get("stores") or ""} if region else {}
    if page == "demand" and (category := ids.get("category")):
        narrowed = {"category": category}
    return {**narrowed, **query(page, **ids)}


def open_page(page: str, **ids: str | None) -> NoReturn:
    """Opens ``page`` for these ids; ends the run. The filters in force stay in the URL by themselves."""
    if page == st.session_state.get(_HERE):
        st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    st.switch_page(f"{page}.py", query_params=query(page, **ids))


def here(page: str) -> None:
    """Says which page is on the screen."""
    st.session_state[_HERE] = page


def clickable(key: str) -> str:
    """The key of the widget of a list or chart that opens something. A page that opens itself for other ids keeps its
    widgets, and what was clicked would open again in every run: so they are new ones then."""
    turn = st.session_state.get(_TURN, 0)
    return f"{key}_again{turn}" if turn else key


def keep_region(region: str) -> None:
    """Narrows every page to one region; for the callback of a chart."""
    params.put(region=region, stores="")


def keep_stores(ids: str) -> None:
    """Narrows every page to stores, their ids joined by commas; for the callback of a chart."""
    params.put(stores=ids)


def keep_category(category: str) -> None:
    """Narrows every page that can show one category alone to it; for the callback of a chart."""
    params.put(category=category)


def keep_days(span: str) -> None:
    """Narrows every page to the days from the first to the last of "first/last"; for the callback of a chart."""
    params.put(**{"period": span.replace("/", ".."), "from": "", "to": ""})


def asked(name: str) -> str | None:
    """The id ``name`` of the URL. Anybody can write it: the report decides whether the scope holds it."""
    return st.query_params.get(name) or None


def breadcrumb(*steps: Step) -> None:
    """Where the reader is: every level above as a link, the last one as plain text."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key="breadcrumb"):
        st.page_link("overview.py", label=t("page.overview"), query_params=link("overview"))
        for step in steps:
            st.markdown(":small[:gray[›]]", width="content")
            if step.page is None:
                st.markdown(f":small[:gray[{step.label}]]", width="content")
            else:
                st.page_link(f"{step.page}.py", label=step.label, query_params=link(step.page, **dict(step.ids)))
