"""Run-out: whom to call before they have used up what they bought here, and how far such expectations held."""

import streamlit as st

from models.reports import tables
from pages._ui import actions, batch, cards, charts, empty, export, head, load, run_out_views
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import t, tn

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
cards.plain_row(run_out_views.figures(report, page.currency))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("run_out.by_day"), t("run_out.click_day"))
    day = charts.kept(run_out_views.by_day(report, page.currency), alt=t("run_out.by_day"), key="run_out_days")
with right.container(border=True, height="stretch"):
    run_out_views.held(report)
    if page.category or page.segment:
        st.caption(t("run_out.held_of_all"))

with st.container(border=True):
    todo = actions.board("run_out")
    people = run_out_views.people(report, day)
    shown = todo.rows(people)
    head.block(
        t("run_out.list"),
        tn("run_out.rows", len(shown), n=fmt.count(len(shown)), when=run_out_views.when(report, day)),
        t("run_out.list_help"),
    )
    todo.listing(
        shown, run_out_views.COLUMNS, currency=page.currency, alt=t("run_out.list"), key="run_out_list", rows=15
    )
    todo.came_of(page.generation)
    run_out_views.consents(report)

export.menu(
    "run_out",
    page.cover((t("run_out.list"), run_out_views.when(report, day))),
    tables(report),
    actions.in_file("run_out", people),
)
