"""Segments: who the customers are, by recency, frequency and spend, down to the list to act on."""

import streamlit as st

from models.reports import tables
from pages._ui import cards, empty, export, head, load, members
from pages._ui.choices import choice
from pages._ui.i18n import localized, t
from pages._ui.segment_views import VIEWS
from pages._ui.tables import column, listing, page_of, pager

WINDOWS = {"all": None, "12": 12, "24": 24}
CARDS = ("champions", "loyal", "new", "at_risk", "dormant", "prospect")


def settings() -> None:
    """The choices that decide the scores."""
    choice("window", tuple(WINDOWS), words="segments.window", width=150)
    choice("monetary", ("net_sales", "gross_sales"), words="segments.monetary", width=170)
    choice("ties", ("keep_ties", "equal_size"), words="segments.ties", width=210)


page = head.begin("segments", choices="places", beside=settings)
chosen = {name: st.session_state[f"choice_{name}"] for name in ("window", "monetary", "ties")}
report = load.segments(
    page.scope, page.period.last, page.generation, WINDOWS[chosen["window"]], chosen["monetary"], chosen["ties"]
)
if report.members.empty:
    empty.state(t("segments.nobody"), t("segments.nobody_do"), ":material/group_off:")
    st.stop()
cards.plain_row(members.sizes(report.named, CARDS))

picked: members.Pick | None = None
tabs = st.tabs([t(f"segments.view.{view}") for view in VIEWS], key="segments_view", on_change="rerun")
for tab, view in zip(tabs, VIEWS.values(), strict=True):
    if tab.open:
        with tab:
            picked = view(report, page.currency)

people = localized(members.narrowed(report.members, picked), {"store": "store.name"})
with st.container(border=True):
    head.block(t("segments.members"), members.in_words(picked, len(people)))
    shown = [
        column("customer_key"),
        column("segment", words="segment"),
        column("net_sales"),
        column("recency_days"),
        column("orders"),
        column("visits"),
        column("rfm"),
        column("store"),
    ]
    rows = page_of(people, key="segments_page")
    listing(rows, shown, currency=page.currency, alt=t("segments.members"), key="segments_members")
    pager(people, key="segments_page")

export.menu("segments", page.cover(*members.choices_in_words(chosen)), tables(report), people)
