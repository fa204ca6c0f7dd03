"""Value: what customers have brought, what they will bring, whether such forecasts held, and whom to look after."""

from functools import partial

import pandas as pd
import streamlit as st

from data_access.queries.actions import Wanted
from data_access.scope import Scope
from models.reports import tables
from models.reports.value import MOST_MEMBERS, Cell, ValueReport, people_in
from pages._ui import actions, batch, empty, export, head, load, value_views
from pages._ui import format as fmt
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, first_row, pager


def everybody(
    scope: Scope, report: ValueReport, generation: str, cell: Cell | None, wanted: Wanted, names: pd.Series
) -> pd.DataFrame:
    """The whole list for a file, its stores as ``names`` has them."""
    found = load.every_value_member(scope, report, generation, cell, wanted)
    return found.assign(store=found["store_id"].map(names))


page = head.begin("value", choices="places")
with load.working(t("page.value")):
    report = load.value(page.scope, page.period.last, page.generation)
if not people_in(report):
    empty.state(t("value.nobody"), t("value.nobody_do"), ":material/group_off:")
    st.stop()
batch.note("value", live=True)
value_views.figures(report, page.currency)
if not report.has_forecast:
    value_views.not_enough(report)
    with st.container(border=True):
        value_views.concentration(report)
    export.menu("value", page.cover(), tables(report))
    st.stop()

left, right = st.columns(2)
with left.container(border=True, height="stretch"), load.working(t("value.check")):
    value_views.check(load.value_check(page.scope, page.period.last, page.generation), page.currency)
with right.container(border=True, height="stretch"):
    value_views.concentration(report)
with st.container(border=True):
    cell = value_views.grid(report, page.currency)

with st.container(border=True):
    todo = actions.board("value")
    many = load.value_count(page.scope, page.period.last, page.generation, cell, todo.wanted)
    head.block(t("value.members"), value_views.in_words(cell, many), t("value.members_note"))
    first = first_row(many, key="value_page")
    with load.working(t("value.members")):
        rows = load.value_members(page.scope, page.period.last, page.generation, cell, first, PAGE_ROWS, todo.wanted)
    people = value_views.with_ranges(localized(rows, {"store": "store.name"}), page.currency)
    shown = value_views.columns(people)
    todo.listing(people, shown, currency=page.currency, alt=t("value.members"), key="value_members")
    pager(many, key="value_page")
    todo.came_of(page.generation)

names = localized(load.places(page.generation), {"store": "store.name"}).set_index("store_id")["store"]
read = todo.for_file(partial(everybody, page.scope, report, page.generation, cell, todo.wanted, names))
if many > MOST_MEMBERS:
    st.caption(t("value.list_ends", most=fmt.count(MOST_MEMBERS), n=fmt.count(many)))
listed = export.Unread([*rows.columns, actions.MARKED], min(many, MOST_MEMBERS), read)
export.menu("value", page.cover(), tables(report), listed)
