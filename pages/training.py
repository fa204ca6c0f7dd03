"""Training: what courses did to sales, who needs which, whose certificates end, how new people come up."""

import streamlit as st

from models.reports import tables
from models.reports.training import JOB, STATES
from pages._ui import batch, cards, charts, choices, drill, empty, export, head, load, training_views
from pages._ui.i18n import localized, t
from pages._ui.tables import listing

page = head.begin("training", choices="places")
batch.note(JOB)
with load.working(t("page.training")):
    report = load.training(page.scope, page.period.last, page.generation)
if report.coverage.empty:
    empty.state(t("training.nothing"), t("training.nothing_do"), ":material/school:")
    st.stop()
words = {"course_name": "course.name", "store": "store.name"}
effects, coverage, needs, records = (
    localized(frame, words) for frame in (report.effects, report.coverage, report.needs, report.records)
)
cards.plain_row(training_views.figures(report))

with st.container(border=True):
    note = t("training.effects_note.chain" if report.of_chain else "training.effects_note.scope")
    head.block(t("training.effects"), note, t("training.effects_help"))
    if training_views.told(effects).empty:
        empty.nothing(t("training.too_few"))
    else:
        charts.show(training_views.effects(effects), alt=t("training.effects"), key="training_effects")
    shown = training_views.effect_columns()
    listing(
        training_views.effect_rows(effects), shown, currency=page.currency, alt=t("training.effects"), key="effects"
    )
    st.caption(t("training.read_honestly"))

left, right = st.columns(2)
with left.container(border=True, height="stretch"):
    head.block(t("training.needs"), t("training.needs_note"), t("training.needs_help"))
    if needs.empty:
        empty.nothing(t("training.no_needs"))
    elif needy := listing(
        training_views.need_rows(needs, page.currency),
        training_views.need_columns(),
        currency=page.currency,
        alt=t("training.needs"),
        key="training_needs",
        opens="staff_id",
        rows=10,
    ):
        drill.open_page("staff_member", staff=needy)
with right.container(border=True, height="stretch"):
    head.block(t("training.ramp"), t("training.ramp_note"), t("training.ramp_help"))
    if report.ramp.empty:
        empty.nothing(t("training.no_ramp"))
    else:
        charts.show(training_views.ramp(report.ramp), alt=t("training.ramp"), key="training_ramp")

with st.container(border=True):
    head.block(t("training.coverage"), t("training.coverage_note"))
    charts.show(training_views.coverage(coverage), alt=t("training.coverage"), key="training_coverage")

with st.container(border=True):
    head.block(t("training.records"), t("training.records_note"))
    state = choices.choice("state", STATES, words="certificate")
    some = records[records["state"] == state]
    if some.empty:
        empty.nothing(t("training.no_records"))
    elif opened := listing(
        some,
        training_views.record_columns(),
        currency=page.currency,
        alt=t("training.records"),
        key="training_records",
        opens="staff_id",
        rows=12,
    ):
        drill.open_page("staff_member", staff=opened)

export.menu("training", page.cover(), tables(report), records)
