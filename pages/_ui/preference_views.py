"""What groups of customers buy more or less than everybody, and how they buy; a click narrows the list to a group."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd
import streamlit as st

from data_access.queries._groups import NOT_KNOWN
from data_access.queries.preferences import Thing
from data_access.queries.segments import Choice
from models.reports import tables
from models.reports.preferences import DAYS, GROUPINGS, THINGS, PreferencesReport
from pages._ui import bands, charts, empty, export, grids, head, load
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.head import Opened
from pages._ui.i18n import localized_text, t, word
from pages._ui.members import Pick
from pages._ui.segment_words import dimension, group
from pages._ui.tables import Column, column, listing

_ENOUGH = 30  # customers behind a cell before it is coloured: fewer say little of the others like them
_STRONG = 50.0  # points above 100 that take the strongest colour
_AT_ENDS = 3  # months of a trend that are told in words at each end
_NARROW = 4  # columns of the grid on a phone


def buys(page: Opened) -> Pick | None:
    """What the groups of a dimension like, and how each of them buys."""
    with st.container(horizontal=True, gap="small"):
        by = choice("likes_by", GROUPINGS, words="crossing.by", width=210)
        thing = cast(Thing, choice("likes", THINGS, words="preferences.thing", width=190))
    with load.working(t("segments.view.buys")):
        report = load.preferences(page.scope, page.period.last, page.generation, by, thing)
    if set(report.groups) <= {NOT_KNOWN}:
        empty.state(t("segments.not_captured", what=dimension(by)), t("preferences.not_captured_do"), ":material/tag:")
        return None
    title = t("preferences.title", by=dimension(by), thing=t(f"preferences.thing.{thing}"))
    with st.container(border=True):
        head.block(title, t("segments.click"), t("preferences.help", days=fmt.days(DAYS)))
        picked = None
        if report.things:
            picked = _grid(report, title, page)
            st.caption(t("preferences.read", enough=fmt.count(_ENOUGH)))
        else:
            empty.nothing(t(f"preferences.none.{thing}"))
    if len(report.older) > 1:
        with st.container(border=True):
            _older(report)
    with st.container(border=True):
        _habits(report, page)
        export.menu("preferences", page.cover((t("preferences.by"), title)), tables(report))
    return picked


def _grid(report: PreferencesReport, title: str, page: Opened) -> Pick | None:
    rows = report.groups
    things = report.things[:_NARROW] if narrow() else report.things
    names = {name: group(report.by, name, page.generation) for name in rows}
    values = np.full((len(rows), len(things)), np.nan)
    texts, hints = ([["" for _ in things] for _ in rows] for _ in range(2))
    for cell in report.index.to_dict("records"):
        if cell["thing"] not in things:
            continue
        y, x = rows.index(cell["group"]), things.index(cell["thing"])
        hidden = fmt.is_missing(cell["customers"])
        coloured = not hidden and cell["customers"] >= _ENOUGH
        values[y, x] = min(max(cell["affinity_index"] - 100, 0), _STRONG) if coloured else 0.0
        texts[y][x] = t("segments.hidden") if hidden else fmt.count(cell["affinity_index"])
        hints[y][x] = _hint(cell, names[cell["group"]], _named(report.thing, cell["thing"]), page.currency)
    figure = grids.heat_map(
        values,
        rows=[names[name] for name in rows],
        columns=[_named(report.thing, name) for name in things],
        texts=texts,
        hints=hints,
        ids=[[f"{y}-{x}" for x in range(len(things))] for y in range(len(rows))],
        row_height=34,
        top=_STRONG,
    )
    clicked = charts.kept(figure, alt=title, key=f"segments_likes_{report.by}_{report.thing}") or ""
    known = report.habits.set_index("group")["customers"]
    y = int(clicked.partition("-")[0]) if clicked.partition("-")[0].isdigit() else len(rows)
    if y >= len(rows) or fmt.is_missing(known.get(rows[y])):
        return None
    return Pick(Choice(report.by, rows[y]), names[rows[y]], customers=int(known[rows[y]]), is_usual=True)


def _hint(cell: Mapping[Any, Any], name: str, thing: str, currency: str) -> str:
    if fmt.is_missing(cell["customers"]):
        return t("segments.hidden_hint", row=name, column=thing)
    return t(
        "preferences.hint",
        group=name,
        thing=thing,
        customers=fmt.count(cell["customers"]),
        share=fmt.percent(cell["share"]),
        base=fmt.percent(cell["base_share"]),
        net_sales=fmt.money(cell["net_sales"], currency),
    )


def _habits(report: PreferencesReport, page: Opened) -> None:
    head.block(t("preferences.habits"), t("preferences.habits_note"), t("preferences.habits_help", days=fmt.days(DAYS)))
    rows = bands.ranges(report.habits)
    rows = rows.assign(
        group=pd.Series([group(report.by, name, page.generation) for name in rows["group"]], rows.index, object)
    )
    names = ("customers", "net_sales", "average_ticket", "units_per_transaction", "repeat_purchase_rate", "likely")
    shown = [Column("group", "text"), *(column(name) for name in names), column("discounted_share")]
    listing(rows, shown, currency=page.currency, alt=t("preferences.habits"), key="segments_habits", rows=10)


def _older(report: PreferencesReport) -> None:
    """Whether those of 45 and over become more: their share of the buyers of each month."""
    parts = {"before": report.older.head(_AT_ENDS), "now": report.older.tail(_AT_ENDS)}
    said = {when: fmt.percent(part["customers"].sum() / part["known"].sum()) for when, part in parts.items()}
    note = t("preferences.older_note", **said, spent=fmt.percent(parts["now"]["sales_share"].mean()))
    head.block(t("preferences.older"), note, t("preferences.older_help"))
    figure = bands.over_months(report.older, value="share", name=t("preferences.older_share"))
    charts.show(figure, alt=t("preferences.older"), key="segments_older")


def _named(thing: str, name: str) -> str:
    if thing == "category":
        return localized_text("product.category", name)
    return word("benefit", name)
