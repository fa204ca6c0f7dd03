"""Segments: who the customers are, where they move, how any two things cross, what to do; down to the list."""

from functools import partial

import pandas as pd
import streamlit as st

from data_access.queries.actions import Wanted
from models.reports import tables
from models.reports.segments import MOST_MEMBERS, MOST_MOVED, Part, Rule
from pages._ui import actions, cards, empty, export, head, load, members, preference_views, segment_paths, segment_views
from pages._ui import format as fmt
from pages._ui.choices import asked, choice, tabs
from pages._ui.head import Opened
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, column, first_row, pager

WINDOWS = {"all": None, "12": 12, "24": 24}
CARDS = ("champions", "loyal", "new", "at_risk", "dormant", "prospect")
LIST = ("net_sales", "recency_days", "orders", "rfm", "store")


def settings() -> None:
    """The choices that decide the scores."""
    choice("window", tuple(WINDOWS), words="segments.window", width=150)
    choice("monetary", ("net_sales", "gross_sales"), words="segments.monetary", width=170)
    choice("ties", ("keep_ties", "equal_size"), words="segments.ties", width=210)


def everybody(page: Opened, part: Part, wanted: Wanted, names: pd.Series) -> pd.DataFrame:
    """The whole list for a file, its stores as ``names`` has them."""
    found = load.every_member(page.scope, page.period.last, page.generation, part, wanted)
    return members.with_scores(found.assign(store=found["store_id"].map(names)))


page = head.begin("segments", choices="places", beside=settings)
chosen = {name: st.session_state[f"choice_{name}"] for name in ("window", "monetary", "ties")}
shares = (int(asked("abc_a", segment_views.ABC_A)) / 100, int(asked("abc_b", segment_views.ABC_B)) / 100)
rule = Rule(WINDOWS[chosen["window"]], chosen["monetary"], chosen["ties"], *shares)
with load.working(t("page.segments")):
    report = load.segments(page.scope, page.period.last, page.generation, rule)
if not report.member_count:
    empty.state(t("segments.nobody"), t("segments.nobody_do"), ":material/group_off:")
    st.stop()
cards.plain_row(members.sizes(report.named, CARDS))

views = {
    "who": partial(segment_views.who, report, page.currency),
    "moves": partial(segment_paths.moves, page),
    "cross": partial(segment_paths.cross, page),
    "buys": partial(preference_views.buys, page),
    "do": partial(segment_paths.do, page),
}
picked: members.Pick | None = None
for tab, view in zip(
    tabs("view", list(views), words="segments.view"),
    views.values(),
    strict=True,
):
    if tab.open:
        with tab:
            picked = view()

part = picked.part(rule) if picked else Part(rule)
todo = actions.board("segments")
many = load.member_count(page.scope, page.period.last, page.generation, part, todo.wanted)
with st.container(border=True):
    head.block(t("segments.members"), f"{members.in_words(picked, many)} · {t('charts.click_customer')}")
    shown = [column("customer_key"), column("segment", words="segment"), *map(column, LIST)]
    first = first_row(many, key="segments_page")
    with load.working(t("segments.members")):
        rows = load.members(page.scope, page.period.last, page.generation, part, first, PAGE_ROWS, todo.wanted)
    people = members.with_scores(localized(rows, {"store": "store.name"}))
    todo.listing(people, shown, currency=page.currency, alt=t("segments.members"), key="segments_members")
    pager(many, key="segments_page")
    todo.came_of(page.generation)

names = localized(load.places(page.generation), {"store": "store.name"}).set_index("store_id")["store"]
most = MOST_MOVED if part.move else MOST_MEMBERS
if many > most:
    st.caption(t("segments.list_ends", most=fmt.count(most), n=fmt.count(many)))
read = todo.for_file(partial(everybody, page, part, todo.wanted, names))
export.menu(
    "segments",
    page.cover(*members.choices_in_words(chosen), (t("segments.members"), members.in_words(picked, many))),
    tables(report),
    export.Unread([*people.columns, actions.MARKED], min(many, most), read),
)
