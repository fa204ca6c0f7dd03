"""Run-out: whom to call before they have used up what they bought here, and how far such expectations held."""

from datetime import date
from functools import partial

import streamlit as st

from models.reports import tables
from models.reports.run_out import MOST_MEMBERS, Asked
from pages._ui import actions, batch, cards, charts, empty, export, head, load, run_out_views
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import t, tn
from pages._ui.tables import PAGE_ROWS, first_row, pager

AHEAD = ("14", "7", "30")


def ahead() -> None:
    """How many days are looked ahead."""
    choice("ahead", AHEAD, words="run_out.ahead", width=170)


page = head.begin("run_out", choices="places", beside=ahead)
days = int(st.session_state["choice_ahead"])
with load.working(t("page.run_out")):
    report = load.run_out(page.scope, page.period.last, days, page.category, page.segment, page.generation)
if report.held.empty:
    empty.state(t("run_out.too_little"), t("run_out.too_little_do"), ":material/hourglass_empty:")
    st.stop()
batch.note("run_out", live=True)
narrowed = bool(page.category or page.segment)
cards.plain_row(run_out_views.figures(report, page.currency, narrowed=narrowed))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("run_out.by_day"), t("run_out.click_day"))
    day = charts.kept(run_out_views.by_day(report, page.currency), alt=t("run_out.by_day"), key="run_out_days")
with right.container(border=True, height="stretch"):
    run_out_views.held(report)
    if narrowed:
        st.caption(t("run_out.held_of_all"))

with st.container(border=True):
    todo = actions.board("run_out")
    chosen = None if day is None else date.fromisoformat(day)
    asked = Asked(days, page.category, page.segment, chosen, todo.wanted)
    many = load.run_out_count(page.scope, page.period.last, asked, page.generation)
    words = tn("run_out.rows", many, n=fmt.count(many), when=run_out_views.when(report, day))
    head.block(t("run_out.list"), words, t("run_out.list_help"))
    first = first_row(many, key="run_out_page")
    with load.working(t("run_out.list")):
        rows = load.run_out_members(page.scope, page.period.last, asked, first, PAGE_ROWS, page.generation)
    people = run_out_views.people(rows)
    todo.listing(people, run_out_views.columns(), currency=page.currency, alt=t("run_out.list"), key="run_out_list")
    pager(many, key="run_out_page")
    todo.came_of(page.generation)
    run_out_views.consents(people)

cover = page.cover((t("run_out.list"), run_out_views.when(report, day)))
read = todo.for_file(partial(load.every_run_out, page.scope, page.period.last, asked, page.generation))
if many > MOST_MEMBERS:
    st.caption(t("value.list_ends", most=fmt.count(MOST_MEMBERS), n=fmt.count(many)))
listed = export.Unread([*rows.columns, actions.MARKED], min(many, MOST_MEMBERS), read)
export.menu("run_out", cover, tables(report), listed)
