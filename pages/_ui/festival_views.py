"""The part of the demand page on festivals to come: what each added last year, and whether the stock lasts for it."""

import pandas as pd
import streamlit as st

from models.reports.festivals import FestivalsReport
from pages._ui import demand_views, empty, head
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.i18n import t
from pages._ui.tables import Column, badge, column, listing

_TONES = {"late": "red", "order": "orange", "ready": "green", "unknown": "gray"}
_COLUMNS = (
    Column("name", "text"),
    badge("standing", "festivals.standing", _TONES),
    column("uplift"),
    column("festival_units"),
    column("expected_units"),
    column("available"),
    column("short_units"),
    column("order_until"),
)
_IN_VIEW = 10


def block(report: FestivalsReport) -> str | None:
    """One festival to choose, its categories below; gives the category that was clicked."""
    head.block(t("festivals.title"), t("festivals.note"), t("festivals.help"))
    rows = report.festivals
    if rows.empty:
        empty.nothing(t("festivals.none"))
        return None
    chosen = choice("festival", list(dict.fromkeys(rows["event"])), words="event", width=260)
    mine = rows[rows["event"] == chosen].reset_index(drop=True)
    st.markdown(_sentence(mine))
    named = mine.assign(name=mine["category"].map(demand_views.category_name))
    return listing(
        named, _COLUMNS, currency="", alt=t("festivals.title"), key="festivals", opens="category", rows=_IN_VIEW
    )


def _sentence(mine: pd.DataFrame) -> str:
    first = mine.iloc[0]
    usual = mine["usual_units"].sum()
    return t(
        "festivals.sentence",
        event=t(f"event.{first['event']}"),
        first=fmt.day_short(first["starts_on"]),
        last=fmt.day_short(first["ends_on"]),
        uplift=fmt.change(mine["festival_units"].sum() / usual - 1) if usual else fmt.MISSING,
        short=fmt.count((mine["short_units"] >= 1).sum()),
        all=fmt.count(len(mine)),
    )
