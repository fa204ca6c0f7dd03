"""Tasks: what needs me today across all lists, and what came of what was done."""

import streamlit as st

from pages._ui import cards, head, task_views
from pages._ui.choices import choice
from pages._ui.i18n import t

page = head.begin("tasks", choices="none")
found = task_views.tasks(page.scope)
cards.plain_row(task_views.figures(found, page.scope))

with st.container(border=True):
    heading = st.container()
    whose = choice("whose", task_views.WHOSE, words="tasks.whose", width=220)
    rows = found.of(whose)
    with heading:
        head.block(t("tasks.to_do"), task_views.in_words(rows))
    task_views.to_do(rows, page.currency)

with st.container(border=True):
    task_views.came_of(page.scope, page.generation, page.currency)
