"""Where customers move, how any two things cross, and what to do: each view gives what a click narrows the list to."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from data_access.queries._groups import DIMENSIONS, NOT_KNOWN
from data_access.queries.segments import Choice
from models.calc.movement import ABSENT
from models.reports import tables
from models.reports.crossing import OTHERS, CrossingReport
from models.reports.movement import GROUPS, MONTHS_BACK, SCHEMES, FlowsReport, MovementReport
from models.reports.segments import Move
from models.reports.treatments import LEAST_REACHED
from pages._ui import batch, charts, drill, empty, export, grids, head, load
from pages._ui import format as fmt
from pages._ui.choices import choice
from pages._ui.device import narrow
from pages._ui.head import Opened
from pages._ui.i18n import localized, t
from pages._ui.members import Pick
from pages._ui.segment_words import dimension, group
from pages._ui.tables import Column, column, in_words, listing

_MONTHS = tuple(map(str, MONTHS_BACK))
_FIGURES = ("customers", "net_sales", "historic_margin", "customer_share")
_UNITS = {"customers": "count", "net_sales": "money", "historic_margin": "money", "customer_share": "percent"}
_NARROW = 4  # columns of a grid on a phone

# --- where they move ------------------------------------------------------------------------------


def moves(page: Opened) -> Pick | None:
    """Who went from which group to which, and how groups grew from month to month."""
    with st.container(horizontal=True, gap="small"):
        scheme = choice("scheme", SCHEMES, words="segments.scheme", width=230)
        months = int(choice("since", _MONTHS, words="segments.since", width=200))
    batch.note("movement", live=True)
    with load.working(t("segments.view.moves")):
        report = load.movement(page.scope, page.period.last, page.generation, scheme, months)
    with st.container(border=True):
        note = t("segments.moves_note", before=fmt.day(report.before), now=fmt.day(report.as_of))
        head.block(t("segments.moves"), note, t("segments.moves_help"))
        picked = _matrix(report, months, page)
        st.caption(t("segments.moves_read"))
    with st.container(border=True):
        head.block(t("segments.flows"), None, t("segments.flows_help"))
        with load.working(t("segments.flows")):
            found = load.flows(page.scope, page.period.last, page.generation, scheme)
        if found.flows.empty:
            empty.nothing(t("segments.flows_none"))
        else:
            charts.show(_flows(found, page.generation), alt=t("segments.flows"), key=f"segments_flows_{scheme}")
        export.menu("movement", page.cover(), {**tables(report), **tables(found)})
    return picked


def _matrix(report: MovementReport, months: int, page: Opened) -> Pick | None:
    table = report.movement
    order = [*GROUPS[report.scheme], "not_known", ABSENT]
    rows = [name for name in order if name in set(table["from_group"])]
    columns = [name for name in order if name in set(table["to_group"])]
    cells: dict[tuple[str, str], Mapping[Any, Any]] = {
        (row["from_group"], row["to_group"]): row for row in table.to_dict("records")
    }
    names = {name: group(report.scheme, name, page.generation) for name in order}
    values = np.full((len(rows), len(columns)), np.nan)
    texts, hints = _blank(rows, columns), _blank(rows, columns)
    for (earlier, later), cell in cells.items():
        y, x = rows.index(earlier), columns.index(later)
        # Who stayed is most of them and would drown everybody who moved.
        values[y, x] = 0.0 if earlier == later else float(cell["customers"])
        texts[y][x] = fmt.compact(cell["customers"])
        hints[y][x] = t(
            "segments.move_hint",
            earlier=names[earlier],
            later=names[later],
            customers=fmt.count(cell["customers"]),
            share=fmt.percent(cell["share"]),
            net_sales=fmt.money(cell["net_sales"], page.currency),
        )
    figure = grids.heat_map(
        values,
        rows=[names[name] for name in rows],
        columns=[_short(names[name]) for name in columns],
        texts=texts,
        hints=hints,
        ids=[[f"{earlier}>{later}" for later in columns] for earlier in rows],
        row_height=34,
        column_name=t("segments.move_to"),
    )
    clicked = charts.kept(figure, alt=t("segments.moves"), key=f"segments_moves_{report.scheme}_{months}")
    earlier, _, later = (clicked or "").partition(">")
    picked = cells.get((earlier, later))
    # Who is no customer any more has no row to open.
    if picked is None or later == ABSENT:
        return None
    words = t("segments.move", earlier=names[earlier], later=names[later])
    return Pick(None, words, Move(report.scheme, months, earlier, later), int(picked["customers"]), is_usual=True)


def _flows(report: FlowsReport, generation: str) -> go.Figure:
    table = report.flows[report.flows["group"] != "not_known"]
    days = sorted(table["month_end"].unique())[-(5 if narrow() else 12) :]
    groups = list(dict.fromkeys(table["group"]))
    cells = table.set_index(["group", "month_end"])
    values = np.zeros((len(groups), len(days)))
    texts, hints = _blank(groups, days), _blank(groups, days)
    for y, name in enumerate(groups):
        for x, day in enumerate(days):
            cell = cells.loc[(name, day)]
            values[y, x] = abs(float(cell["net"]))
            texts[y][x] = f"{int(cell['net']):+,d}" if cell["net"] else "0"
            hints[y][x] = t(
                "segments.flow_hint",
                group=group(report.scheme, name, generation),
                day=fmt.day(day),
                customers=fmt.count(cell["customers"]),
                came=fmt.count(cell["came"]),
                left=fmt.count(cell["left"]),
            )
    return grids.heat_map(
        values,
        rows=[group(report.scheme, name, generation) for name in groups],
        columns=[fmt.day_short(day) for day in days],
        texts=texts,
        hints=hints,
    )


# --- cross ----------------------------------------------------------------------------------------


def cross(page: Opened) -> Pick | None:
    """Any two dimensions against each other; a cell opens its customers."""
    with st.container(horizontal=True, gap="small"):
        rows = choice("rows_by", DIMENSIONS, words="crossing.by", width=210)
        others = [name for name in ("tier", *DIMENSIONS) if name != rows]
        columns = choice("columns_by", list(dict.fromkeys(others)), words="crossing.by", width=210)
        figure = choice("figure", _FIGURES, words="segments.figure", width=170)
    with load.working(t("segments.view.cross")):
        report = load.crossing(page.scope, page.period.last, page.generation, rows, columns)
    with st.container(border=True):
        title = t("segments.cross", rows=dimension(rows), columns=dimension(columns))
        head.block(title, t("segments.click"), t("segments.cross_help"))
        if report.crossing.empty:
            empty.nothing(t("segments.cross_none"))
            return None
        picked = _table(report, figure, page)
        _notes(report)
        export.menu("crossing", page.cover((t("segments.view.cross"), title)), tables(report))
    return picked


def _table(report: CrossingReport, figure: str, page: Opened) -> Pick | None:
    rows, columns = report.row_groups, report.column_groups
    if narrow():
        last = [NOT_KNOWN] if NOT_KNOWN in columns else []
        columns = (*[name for name in columns if name != NOT_KNOWN][: _NARROW - len(last)], *last)
    row_names = {name: group(report.rows, name, page.generation) for name in rows}
    column_names = {name: group(report.columns, name, page.generation) for name in columns}
    values = np.full((len(rows), len(columns)), np.nan)
    texts, hints = _blank(rows, columns), _blank(rows, columns)
    found: dict[str, Mapping[Any, Any]] = {}
    for cell in report.crossing.to_dict("records"):
        if cell["column_group"] not in columns:
            continue
        y, x = rows.index(cell["row_group"]), columns.index(cell["column_group"])
        hidden = pd.isna(cell["customers"])
        known = not hidden and not fmt.is_missing(cell[figure])
        values[y, x] = max(float(cell[figure]), 0.0) if known else 0.0
        said = fmt.card_value(cell[figure], _UNITS[figure], page.currency) if known else fmt.MISSING
        texts[y][x] = t("segments.hidden") if hidden else said
        hints[y][x] = _hint(cell, row_names[rows[y]], column_names[columns[x]], page.currency, hidden=hidden)
        if not hidden and OTHERS not in (rows[y], columns[x]):
            found[f"{y}-{x}"] = cell
    drawn = grids.heat_map(
        values,
        rows=[row_names[name] for name in rows],
        columns=[_short(column_names[name]) for name in columns],
        texts=texts,
        hints=hints,
        ids=[[f"{y}-{x}" for x in range(len(columns))] for y in range(len(rows))],
        row_height=34,
    )
    alt = t("segments.cross", rows=dimension(report.rows), columns=dimension(report.columns))
    clicked = charts.kept(drawn, alt=alt, key=f"segments_cross_{report.rows}_{report.columns}")
    picked = found.get(clicked or "")
    if picked is None:
        return None
    choices = Choice(report.rows, picked["row_group"], (Choice(report.columns, picked["column_group"]),))
    words = f"{row_names[picked['row_group']]} × {column_names[picked['column_group']]}"
    return Pick(choices, words, customers=int(picked["customers"]), is_usual=True)


def _hint(cell: Mapping[Any, Any], row: str, column_name: str, currency: str, *, hidden: bool) -> str:
    if hidden:
        return t("segments.hidden_hint", row=row, column=column_name)
    return t(
        "segments.cross_hint",
        row=row,
        column=column_name,
        customers=fmt.count(cell["customers"]),
        share=fmt.percent(cell["customer_share"]),
        net_sales=fmt.money(cell["net_sales"], currency),
        margin=fmt.money(cell["historic_margin"], currency),
    )


def _notes(report: CrossingReport) -> None:
    """What the reader has to know of the dimensions shown."""
    asked = {report.rows, report.columns}
    notes = [t("segments.cross_small")] if report.hides else []
    notes += [
        t(f"segments.note.{name}") for name in ("tag", "dominant_category", "skin", "owner") if _is_in(name, asked)
    ]
    for name, column_name in ((report.rows, "row_group"), (report.columns, "column_group")):
        known = report.crossing[report.crossing[column_name] != "not_known"]
        if known.empty:
            notes.append(t("segments.not_captured", what=dimension(name)))
    st.caption("  \n".join(notes))


def _is_in(name: str, asked: set[str]) -> bool:
    return any(one.startswith(name) for one in asked)


# --- what to do -----------------------------------------------------------------------------------


def do(page: Opened) -> Pick | None:
    """What each segment needs, what was done last and what came of it; a click on a row opens its campaign."""
    with load.working(t("segments.view.do")):
        report = load.treatments(page.scope, page.period.last, page.generation)
    table = localized(report.treatments, {"campaign": "campaign.name"})
    last = [
        t("segments.never") if fmt.is_missing(campaign) else f"{campaign} · {fmt.day(day)}"
        for campaign, day in zip(table["campaign"], table["starts_on"], strict=True)
    ]
    shown = table.assign(last_treatment=pd.Series(last, table.index, object))
    columns = [
        column("segment", words="segment"),
        column("customers"),
        column("net_sales"),
        Column("treatment", "text", "treatment", 270),
        Column("response_rate", "percent"),
        Column("control_rate", "percent"),
        Column("reached", "percent"),
        Column("last_treatment", "text"),
    ]
    with st.container(border=True):
        share = fmt.percent(LEAST_REACHED, 0)
        head.block(t("segments.treatments"), t("segments.treatments_note"), t("segments.treatments_help", share=share))
        opened = listing(
            shown, columns, currency=page.currency, alt=t("segments.treatments"), key="segments_do", opens="campaign_id"
        )
        st.caption(t("segments.treatments_read"))
        export.menu("treatments", page.cover(), tables(report))
    if opened and opened != "nan":
        drill.open_page("campaign", campaign=opened)
    segments = list(shown["segment"])
    segment = choice("act_on", segments, words="segment", width=220)
    words = in_words(pd.Series([segment]), "segment").iloc[0]
    return Pick(Choice("segment", segment), str(words), is_usual=True)


def _blank(rows: Sequence[object], columns: Sequence[object]) -> list[list[str]]:
    return [["" for _ in columns] for _ in rows]


def _short(name: str) -> str:
    """A name above a narrow column, in two lines where it has two words."""
    return name.replace(" ", "<br>", 1) if len(name) > 8 else name
