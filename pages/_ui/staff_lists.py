"""Lists of people: who stands where, what each sold, how each served, and what each was to sell."""

from collections.abc import Callable
from datetime import date
from typing import Final

import pandas as pd
import streamlit as st

from models.reports.staff_goals import StaffGoalsReport
from pages._ui import format as fmt
from pages._ui import head, load, staff_views
from pages._ui.head import Opened
from pages._ui.i18n import localized, t
from pages._ui.tables import PAGE_ROWS, Column, badge, column, listing

KINDS: Final = ("compared", "sold", "service", "goals")
_TONES = {"above": "green", "as_expected": "gray", "below": "orange", "too_few": "gray"}


def chosen(kind: str, people: pd.DataFrame, goals: Callable[[], StaffGoalsReport]) -> pd.DataFrame:
    """The rows of a list, in the order it shows them. ``people``: of the report; ``goals`` is asked where needed."""
    if kind == "goals":
        return localized(goals().people, {"store": "store.name"})
    if kind == "service":
        some = people[people["tickets"].notna() | people["follow_ups_due"].notna()]
        return some.sort_values(["follow_ups_due", "tickets"], ascending=False, na_position="last")
    return people.sort_values("net_sales", ascending=False) if kind == "sold" else people


def of_store(page: Opened) -> tuple[pd.DataFrame, str | None]:
    """Draws the people of the store of ``page`` by what they sold: their rows, and whose card was opened."""
    rows = load.staff(page.scope, page.period, page.generation).staff.sort_values("net_sales", ascending=False)
    if rows.empty:
        return rows, None
    with st.container(border=True):
        head.block(t("staff.list"), note("sold", page.period.last), told("sold"))
        rows_shown, columns = shown("sold", rows.head(PAGE_ROWS))
        opened = listing(
            rows_shown, columns, currency=page.currency, alt=t("staff.list"), key="store_people", opens="staff_id"
        )
    return rows, opened


def note(kind: str, last: date) -> str:
    """What is listed, and what a click does."""
    return t(f"staff.lists.{kind}.note", month=fmt.month(last), day=fmt.day(last))


def told(kind: str) -> str:
    """How the figures of a list are defined."""
    return t(f"staff.lists.{kind}.help")


def shown(kind: str, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Column]]:
    """Some rows with their texts, and the columns."""
    if kind != "compared":
        return rows, _COLUMNS[kind]
    each = [row for _, row in rows.iterrows()]
    between = ["" if fmt.is_missing(row["adjusted"]) else staff_views.range_of(row) for row in each]
    return rows.assign(between=between, placing=[_places(row) for row in each]), _COLUMNS[kind]


def _places(row: pd.Series) -> str:
    if fmt.is_missing(row["adjusted"]):
        return ""
    return t("staff.places", low=fmt.count(row["rank_low"]), high=fmt.count(row["rank_high"]))


_COLUMNS: Final = {
    "compared": [
        column("staff_id"),
        badge("standing", "standing", _TONES),
        column("adjusted"),
        Column("between", "text"),
        column("raw_per_hour"),
        Column("placing", "text"),
        column("hours"),
        column("store"),
    ],
    "sold": [
        column("staff_id"),
        column("net_sales"),
        column("average_ticket"),
        column("units_per_transaction"),
        column("identified_share"),
        column("return_rate"),
        column("csat"),
        column("units"),
    ],
    "service": [
        column("staff_id"),
        Column("follow_up_rate", "percent"),
        Column("first_contact", "percent"),
        Column("response_hours", "tenth"),
        Column("resolution_hours", "tenth"),
        Column("tickets", "count"),
        Column("follow_ups_due", "count"),
        column("store"),
    ],
    "goals": [
        column("staff_id"),
        column("attainment"),
        Column("commission_base", "money"),
        column("gross_sales"),
        column("target"),
        Column("returns", "money"),
        column("hours"),
        column("store"),
    ],
}
