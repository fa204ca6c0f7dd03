"""Segments: who the customers are, by recency, frequency and spend, down to the list to act on."""

from functools import partial

import pandas as pd
import streamlit as st

from data_access.queries.segments import Choice
from data_access.scope import Scope
from models.reports import tables
from models.reports.segments import MOST_MEMBERS, SegmentsReport, chosen_count
from pages._ui import cards, drill, empty, export, head, load, members
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import localized, t
from pages._ui.segment_views import VIEWS
from pages._ui.tables import PAGE_ROWS, column, first_row, listing, pager

WINDOWS = {"all": None, "12": 12, "24": 24}
CARDS = ("champions", "loyal", "new", "at_risk", "dormant", "prospect")


def settings() -> None:
    """The choices that decide the scores."""
    choice("window", tuple(WINDOWS), words="segments.window", width=150)
    choice("monetary", ("net_sales", "gross_sales"), words="segments.monetary", width=170)
    choice("ties", ("keep_ties", "equal_size"), words="segments.ties", width=210)


def everybody(
    scope: Scope, report: SegmentsReport, generation: str, pick: Choice | None, names: pd.Series
) -> pd.DataFrame:
    """The whole list for a file, its stores as ``names`` has them."""
    found = load.every_member(scope, report, generation, pick)
    return members.with_scores(found.assign(store=found["store_id"].map(names)))


page = head.begin("segments", choices="places", beside=settings)
chosen = {name: st.session_state[f"choice_{name}"] for name in ("window", "monetary", "ties")}
settings_in_force = (WINDOWS[chosen["window"]], chosen["monetary"], chosen["ties"])
with load.working(t("page.segments")):
    report = load.segments(page.scope, page.period.last, page.generation, *settings_in_force)
if not report.member_count:
    empty.state(t("segments.nobody"), t("segments.nobody_do"), ":material/group_off:")
    st.stop()
cards.plain_row(members.sizes(report.named, CARDS))

picked: members.Pick | None = None
tabs = st.tabs([t(f"segments.view.{view}") for view in VIEWS], key="segments_view", on_change="rerun")
for tab, view in zip(tabs, VIEWS.values(), strict=True):
    if tab.open:
        with tab:
            picked = view(report, page.currency)

pick = picked.choice if picked else None
many = chosen_count(report, pick)
with st.container(border=True):
    head.block(t("segments.members"), f"{members.in_words(picked, many)} · {t('charts.click_customer')}")
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
    first = first_row(many, key="segments_page")
    with load.working(t("segments.members")):
        rows = load.members(page.scope, page.period.last, page.generation, *settings_in_force, pick, first, PAGE_ROWS)
    people = members.with_scores(localized(rows, {"store": "store.name"}))
    customer = listing(
        people, shown, currency=page.currency, alt=t("segments.members"), key="segments_members", opens="customer_key"
    )
    if customer:
        drill.open_page("customer", customer=customer)
    pager(many, key="segments_page")

names = localized(load.places(page.generation), {"store": "store.name"}).set_index("store_id")["store"]
read = partial(everybody, page.scope, report, page.generation, pick, names)
if many > MOST_MEMBERS:
    st.caption(t("segments.list_ends", most=fmt.count(MOST_MEMBERS), n=fmt.count(many)))
export.menu(
    "segments",
    page.cover(*members.choices_in_words(chosen), (t("segments.members"), members.in_words(picked, many))),
    tables(report),
    export.Unread(people.columns.tolist(), min(many, MOST_MEMBERS), read),
)
