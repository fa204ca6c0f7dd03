"""Tasks: what needs me today across all lists, whom to call, and what came of what was done."""

import streamlit as st

from pages._ui import alert_views, calendar_views, call_views, cards, export, head, load, session, task_views
from pages._ui.choices import choice
from pages._ui.i18n import t

page = head.begin("tasks", choices="none")
found = task_views.tasks(page.scope, session.current_person().actor)
cards.plain_row(task_views.figures(found, page.scope))
alert_views.block(load.alerts(page.scope, page.generation), key="tasks_alerts")
if page.scope.kind == "chain" and session.may_open("funnel"):  # who plans campaigns works for the chain
    calendar_views.unusual(load.funnels(page.scope, page.generation))

with st.container(border=True):
    heading = st.container()
    whose = choice("whose", task_views.WHOSE, words="tasks.whose", width=220)
    rows = found.of(whose)
    with heading:
        head.block(t("tasks.to_do"), task_views.in_words(rows))
    task_views.to_do(rows, page.currency)

if page.scope.kind != "chain":  # whoever works for the chain calls nobody
    with st.container(border=True):
        call_views.to_call(page)
with st.container(border=True):
    task_views.came_of(page.scope, page.generation, page.currency)
export.menu("tasks", page.cover((t("tasks.whose"), t(f"tasks.whose.{whose}"))), {"to_do": task_views.listed(rows)})
